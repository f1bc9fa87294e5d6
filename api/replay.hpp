// Replaying: the same state from the host chain and a journal, judged again from entry 0 or from
// where this registry stands.
//
// Every entry is judged by this registry itself, exactly as the operator's did; one that it would
// refuse, a block that is not the chain's, a y that does not hold, and a head that says otherwise
// end the replay with an error that names the entry. What was taken before stands: a replay goes on
// where one ended. Threading: one call at a time. Ownership: registry and chain must outlive it.
// Spec: docs/spec.md sections 15.1 and 15.10.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "callbacks/blockchain.hpp"
#include "core/result.hpp"
#include "hierarchy/registry.hpp"
#include "proofs/journal.hpp"

namespace holdfast {

struct ReplayOptions {
    /// Whether this is y of the final height, fully verified. Empty: only in networks without a VDF
    /// and a beacon, where y follows from the block.
    std::function<Result<Verdict>(Height height, const VdfOutput& y)> check_y;
    SealCheck check_seal;  // empty: every fill is made again
};

struct ReplayReport {
    std::uint64_t entries = 0;  // taken
    std::uint64_t known = 0;    // stood in the registry already, byte for byte
    std::uint64_t heads = 0;    // compared and equal
};

class Replay {
  public:
    Replay(Registry& registry, Blockchain& chain, ReplayOptions options);

    /// Entries in their order, each once. kRefused with the verdict; kCorrupt when the registry's
    /// own entry of this number is another one (a fork); kUnavailable when the chain does not have
    /// the block as a final one yet.
    [[nodiscard]] Status take(std::uint64_t number, const HistoryEntry& entry);
    /// A head that stands behind the entries so far. kRefused: its signature, or kGlobalMismatch,
    /// kWrongBlock, kBadPath (size or root), kBadSum (the state), with the height.
    [[nodiscard]] Status compare(const JournalHead& head);
    /// Judges what is still held back to be judged together.
    [[nodiscard]] Status finish();
    [[nodiscard]] const ReplayReport& report() const { return report_; }

  private:
    Status take_block(const BlockEntry& entry);
    Status take_output(const OutputEntry& entry);
    Status take_objects();

    Registry& registry_;
    Blockchain& chain_;
    ReplayOptions options_;
    ReplayReport report_;
    std::optional<std::uint64_t> stands_;  // entries of the registry when this began
    std::uint64_t first_held_ = 0;
    std::vector<Bytes> held_;  // objects of neighbouring entries
};

/// A whole journal file.
[[nodiscard]] Result<ReplayReport> replay_journal(Registry& registry, Blockchain& chain,
                                                  const std::filesystem::path& journal,
                                                  const ReplayOptions& options);

}  // namespace holdfast
