// What a keeper does about a file: decisions, and nothing else.
//
// A pure function of what was seen of each shard and of a policy: which shards are rebuilt now and
// why, and why the others that need it are not. Rules:
//
//   - a shard is rebuilt that is refuted, whose chain has ended, whose prover has not answered for
//     `unreachable_ms`, whose chain is late, that was never proven within `proving_ms`, or whose
//     deposit ends within `expiring_heights`; most urgent first, in this order;
//   - nobody is blamed for what may be the keeper's own failure: while no node can be asked,
//     nothing is decided from silence, and neither while every prover of the file is silent;
//   - never with fewer than k other shards that can be read, and never more at once of one file
//     than min(at_once, max(1, m));
//   - a failed rebuild is tried again after `retry_ms`;
//   - the old shard is let go of only when the new one is proven, and then only if k others are
//     proven beside it or it holds nothing of worth itself.
//
// Pure; any thread. Times in milliseconds of one clock. Spec: docs/spec.md section 16.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/types.hpp"

namespace holdfast {

/// What closed digests show of a shard's chain: of its segments the worst, in this order.
enum class ChainSight : std::uint8_t {
    kUnknown = 0,  // no node could be asked
    kActive = 1,   // its slot is active: the seal proof counted, and its links do
    kNotYet = 2,   // no chain is known, or it holds no slot
    kLate = 3,     // too many links were missed, or it is suspended
    kEnding = 4,   // removal was requested
    kEnded = 5,    // expired, or its slot is gone
    kAnother = 6,  // the chain is of other data, or of another prover, than the manifest says
};
[[nodiscard]] std::string_view to_string(ChainSight sight);

/// What is known of one shard.
struct ShardView {
    ChainSight chain = ChainSight::kUnknown;
    std::uint64_t chain_since_ms = 0;              // since when the chain looks so
    Height linked;                                 // of the last link that counted
    std::optional<std::uint64_t> silent_since_ms;  // the prover does not answer
    bool lied = false;                             // it sent bytes that do not lead to the root
    bool failed = false;          // its prover says itself that the deposit failed or ended
    std::optional<Height> until;  // the prover holds it up to here
    bool healing = false;         // a rebuild of it is under way
    std::optional<std::uint64_t> heal_failed_ms;  // when the last one failed

    [[nodiscard]] bool proven() const { return chain == ChainSight::kActive && !lied && !failed; }
    [[nodiscard]] bool readable() const { return !silent_since_ms && !lied && !failed; }
};

struct FileView {
    unsigned needed = 4;  // k
    std::vector<ShardView> shards;
    Height tip;
    std::uint64_t now_ms = 0;
    bool node_asked = true;        // a node answered in this look
    std::size_t provers_free = 0;  // provers that hold no shard of the file and answer
};

struct KeeperPolicy {
    std::uint64_t unreachable_ms = 6 * 3'600'000ULL;
    std::uint64_t proving_ms = 24 * 3'600'000ULL;
    std::uint64_t late_ms = 0;  // that a chain may stay late
    std::uint64_t expiring_heights = 1'000;
    std::uint64_t retry_ms = 600'000;
    unsigned at_once = 1;  // of one file
};

enum class HealReason : std::uint8_t {
    kRefuted = 1,
    kEnded = 2,
    kUnreachable = 3,
    kLate = 4,
    kNeverProven = 5,
    kExpiring = 6,
};
[[nodiscard]] std::string_view to_string(HealReason reason);

/// Why a shard needs it, whether or not it can be done now.
[[nodiscard]] std::optional<HealReason> heal_reason(const FileView& file, unsigned shard,
                                                    const KeeperPolicy& policy);

struct KeeperAction {
    enum class Kind : std::uint8_t { kHeal = 1, kWait = 2 };
    Kind kind = Kind::kHeal;
    unsigned shard = 0;
    HealReason reason = HealReason::kRefuted;
    std::string why_not;  // of kWait
    friend bool operator==(const KeeperAction&, const KeeperAction&) = default;
};
/// One for each shard that needs something, most urgent first.
[[nodiscard]] std::vector<KeeperAction> decide(const FileView& file, const KeeperPolicy& policy);

/// Whether the old place of `shard` may be let go of, its new one being proven.
[[nodiscard]] bool may_remove_old(const FileView& file, unsigned shard);

/// How much a file can still lose.
struct FileMargin {
    unsigned needed = 0;
    unsigned shards = 0;
    unsigned proven = 0;
    unsigned readable = 0;
    [[nodiscard]] int may_fail() const {
        return static_cast<int>(proven) - static_cast<int>(needed);
    }
    /// "4 of 6 needed, 6 proven, 2 may fail".
    [[nodiscard]] std::string text() const;
};
[[nodiscard]] FileMargin margin_of(const FileView& file);

}  // namespace holdfast
