// The state of a registry in a file, and registries that begin with one: for who comes late.
//
// A state file holds what the head of a checkpoint height signs, the complete parts of the
// journal's tree below it, and the canonical export of the state behind its block entry:
//
//   u8 form=1 || network_id 32 || head 240 || hashes of the parts, the largest first || export
//
// (the head's signature is zeros where whoever wrote it had none). A registry makes one whenever it
// closes a checkpoint height, and keeps the newest. Nobody need be trusted with it but the operator
// whose head it is held against: its root must be that of the parts, its state digest that of the
// export. Errors beside those below: kCorrupt, kPermission, kOutOfSpace, kIo. Threading: any; no
// two on one folder. Spec: docs/spec.md sections 15.5 and 15.10.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "core/fill.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "hierarchy/registry.hpp"
#include "proofs/journal.hpp"

namespace holdfast {

/// What stands in a state file before its export.
struct StateFileHead {
    NetworkId network_id;
    JournalHead head;
    std::vector<Digest> parts;
    std::uint64_t export_at = 0;  // byte of the file
};
/// Reads that much. kRefused: kTruncated, kBadMagic, kBadPath (the parts do not give the root).
[[nodiscard]] Result<StateFileHead> read_state_head(const std::filesystem::path& file);

struct StateImport {
    /// The head that the state is held against; empty: the one in the file.
    std::optional<JournalHead> head;
    /// `head` is what this node's own registry has: nobody need have signed it.
    bool own_head = false;
    std::function<void(std::uint64_t done_bytes, std::uint64_t all_bytes)> progress;
    StopCheck stop;
    std::uint64_t map_bytes = std::uint64_t{64} << 30;
    unsigned threads = 0;
};
/// Makes the new folder `to` a registry that stands where the state's did, to be replayed on from
/// entry head.size, and to hand the file on. The folder appears whole, checked, or not at all.
/// kAlreadyExists; kInterrupted; kRefused: kWrongNetwork, kNotOperator, kBadSignature, kWrongBlock
/// (the file's head is not `head`), kBadPath, kBadSum (the export is not the state that the head
/// names), and with the number of a record kTruncated, kTrailingBytes, kBadField, kEvidenceOrder
/// (out of order), kGlobalMismatch (its leaves are not those of the digest).
[[nodiscard]] Result<RegistryStatistics> import_state(const std::filesystem::path& file,
                                                      const std::filesystem::path& to,
                                                      const NetworkParams& params,
                                                      const StateImport& how = {});

}  // namespace holdfast
