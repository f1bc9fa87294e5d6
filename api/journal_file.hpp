// A journal in a file, for whoever keeps one, moves one or replays one.
//
// A record file (spec section 12): `u8 1 || u8 form = 1 || network_id || operator_pk` first, then
// `u8 2 || entry` in order, and `u8 3 || head` after the block entry that closed a digest. Records
// are chained, so that one that is changed, lost, repeated or out of place ends what can be read.
// Threading: one call at a time. Errors: kCorrupt (torn, cut or changed, with the number of the last
// good entry), kRefused (kWrongNetwork, kNotOperator, and those of the entry's form), kIo, kNotFound.
// Spec: docs/spec.md section 15.10.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "core/params.hpp"
#include "core/result.hpp"
#include "hierarchy/registry.hpp"
#include "proofs/journal.hpp"

namespace holdfast {

/// Signs or knows the head of a closed height; empty where there is none to be had.
using HeadSource = std::function<Result<std::optional<JournalHead>>(Height height)>;

/// Writes everything that a registry keeps, from entry 0 on, to a new file, published whole.
/// kNotFound where the first entries are not kept any more.
[[nodiscard]] Status write_journal(const Registry& registry, const std::filesystem::path& path,
                                   const HeadSource& head = {});

/// What a journal file holds, in order.
struct JournalVisitor {
    std::function<Status(std::uint64_t number, HistoryEntry entry)> entry;
    std::function<Status(const JournalHead& head)> head;
};
/// Reads the file once. `params`: whose journal it must be.
[[nodiscard]] Status read_journal(const std::filesystem::path& path, const NetworkParams& params,
                                  const JournalVisitor& visitor);

}  // namespace holdfast
