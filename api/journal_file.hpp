// A journal in a file, for whoever keeps one, moves one or replays one.
//
// A record file (spec section 12): `u8 1 || u8 form = 1 || network_id || operator_pk` first (form
// 2, with `u64 number` behind: of the first entry, where that is not entry 0), then `u8 2 || entry`
// in order, and `u8 3 || head` after the block entry that closed a digest. Records are chained, so
// that one that is changed, lost, repeated or out of place ends what can be read. Threading: one
// call at a time. Errors: kCorrupt (torn, cut or changed, with the number of the last good entry),
// kRefused (kWrongNetwork, kNotOperator, and those of the entry's form), kIo, kNotFound. Spec:
// docs/spec.md section 15.10.
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

/// Writes the journal that a registry keeps to a new file, published whole: from entry 0 on, or,
/// with `behind`, that height's head and what follows it. kNotFound where the first of these
/// entries is not kept any more.
[[nodiscard]] Status write_journal(const Registry& registry, const std::filesystem::path& path,
                                   const HeadSource& head = {},
                                   const std::optional<Height>& behind = std::nullopt);

/// What a journal file holds, in order.
struct JournalVisitor {
    std::function<Status(std::uint64_t number, HistoryEntry entry)> entry;
    std::function<Status(const JournalHead& head)> head;
    /// Behind every record: how many of them are done.
    std::function<Status(std::uint64_t done, std::uint64_t records)> step;
};
/// Whose journal it is, by its first record alone; for whoever is about to make room for one.
[[nodiscard]] Status check_journal(const std::filesystem::path& path, const NetworkParams& params);
/// Reads the file once. `params`: whose journal it must be.
[[nodiscard]] Status read_journal(const std::filesystem::path& path, const NetworkParams& params,
                                  const JournalVisitor& visitor);

}  // namespace holdfast
