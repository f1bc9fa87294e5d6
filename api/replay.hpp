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
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "callbacks/blockchain.hpp"
#include "core/result.hpp"
#include "hierarchy/registry.hpp"
#include "proofs/journal.hpp"

namespace holdfast {

/// A share of the fills, drawn by entry number from a seed that the operator does not know, so that
/// nobody can tell which are made and everybody who repeats the replay makes the same.
struct FillSample {
    double share = 1;  // from 0 to 1
    Digest seed;
    [[nodiscard]] bool draws(std::uint64_t entry) const;
};

/// What a replay checks, and how much of it.
struct ReplayOptions {
    /// Whether this is y of the final height, fully verified. Empty: only in networks without a VDF
    /// and a beacon, where y follows from the block.
    std::function<Result<Verdict>(Height height, const VdfOutput& y)> check_y;
    SealCheck check_seal;  // empty: the verifier set's, with its fills
    /// Of which seal proofs the fills are made again; of the others all but the fill is checked.
    /// Empty: of all. What blocks list (networks without an operator) nobody has judged before:
    /// all.
    std::optional<FillSample> fills = {};
    /// Behind every record of a journal file: how many of them are done. An error ends the replay.
    std::function<Status(std::uint64_t done, std::uint64_t records)> step = {};
};

/// How far a replay came, and what it saw.
struct ReplayReport {
    std::uint64_t entries = 0;  // taken
    std::uint64_t known = 0;    // stood in the registry already, by their hashes
    std::uint64_t passed = 0;   // before the state with which the registry began: not looked at
    std::uint64_t heads = 0;    // compared and equal
    std::uint64_t seal_proofs = 0;
    std::vector<std::uint64_t> filled;  // entries of those whose fills were made; ascending
    /// A seal proof stands in the journal that is false: evidence of kind 3, standing alone.
    std::optional<Bytes> evidence;
};

/// Makes a registry again from a chain and a journal.
class Replay {
  public:
    Replay(Registry& registry, Blockchain& chain, ReplayOptions options);

    /// Entries in their order, each once. kRefused with the verdict; kCorrupt when the registry's
    /// own entry of this number is another one (a fork); kNotFound when the registry lacks entries
    /// before this one; kUnavailable when the chain does not have the block as a final one yet.
    [[nodiscard]] Status take(std::uint64_t number, const HistoryEntry& entry);
    /// A head that stands behind the entries so far. kRefused: its signature, or kTooEarly (nothing
    /// closed its height), kGlobalMismatch, kWrongBlock, kBadPath (size or root), kBadSum (the
    /// state), with the height.
    [[nodiscard]] Status compare(const JournalHead& head);
    /// Judges what is still held back to be judged together.
    [[nodiscard]] Status finish();
    [[nodiscard]] const ReplayReport& report() const { return report_; }

  private:
    Status begin(std::uint64_t number);
    Status take_block(const BlockEntry& entry);
    Status take_output(const OutputEntry& entry);
    Status take_objects();
    Status take_held(std::size_t& holding);
    Result<Verdict> check_seal(const Registration& registration, const SealContext& known,
                               ByteView body);
    Result<Verdict> make_fill(const Registration& registration, const SealContext& known,
                              ByteView body);

    Registry& registry_;
    Blockchain& chain_;
    ReplayOptions options_;
    ReplayReport report_;
    std::optional<JournalSize> stands_;  // what the registry had when this began
    std::uint64_t first_held_ = 0;
    std::vector<Bytes> held_;  // objects of neighbouring entries
    std::size_t held_bytes_ = 0;
    std::mutex filling_;  // guards what follows from seal proofs; one fill at a time
};

/// A whole journal file. `report`: how far it came, also where it ends with an error.
[[nodiscard]] Status replay_journal(Registry& registry, Blockchain& chain,
                                    const std::filesystem::path& journal,
                                    const ReplayOptions& options, ReplayReport& report);
[[nodiscard]] Result<ReplayReport> replay_journal(Registry& registry, Blockchain& chain,
                                                  const std::filesystem::path& journal,
                                                  const ReplayOptions& options);

}  // namespace holdfast
