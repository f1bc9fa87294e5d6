// Lifecycle rules of chains: statuses, slot placing, the update in force, merging of registries.
//
// Pure functions and plain values: no I/O, no threads. Heights and counts as in docs/spec.md
// sections 10.4 (statuses), 10.1 (slots) and 10.7 (merging), and section 3 (updates).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "proofs/digests.hpp"
#include "proofs/registration.hpp"

namespace holdfast {

// --- status --------------------------------------------------------------------------------------

/// What decides the status that a used slot shows in the digest of a height.
struct StatusFacts {
    std::uint64_t age = 0;  // blocks since the chain's genesis height
    Retention retention = Retention::kDefault;
    std::uint64_t misses = 0;  // in the rate window
    bool removal_requested = false;
    bool suspended = false;   // by the quorum of section 8, or an audit is missed and open
    bool part_taken = false;  // the chain has no part of a bond any more
};

/// First that applies: expired, removal requested, late, active.
[[nodiscard]] ChainStatus status_in_digest(const NetworkParams& params, const StatusFacts& facts);

// --- misses --------------------------------------------------------------------------------------

/// How a chain's link of one height was proven by the deadline.
enum class LinkProof : std::uint8_t { kNone = 0, kCompact = 1, kFull = 2 };

/// Misses for the link of a height that has y and y_c: 0 when it counts, 16 where only a full proof
/// counts and none was seen, else 1. Spec section 7.
[[nodiscard]] std::uint32_t link_misses(const NetworkId& network_id, const VdfOutput& y_c,
                                        const ChainId& chain_id, LinkProof seen);

/// Misses of one chain over the last rate_window heights with y. Heights with y are numbered one
/// after another, so that heights without y neither count nor push others out.
class MissWindow {
  public:
    struct Entry {
        std::uint64_t ordinal = 0;  // number of the height among those with y
        std::uint64_t misses = 0;   // over zero
        friend bool operator==(const Entry&, const Entry&) = default;
    };

    MissWindow() = default;
    /// Entries ascending by ordinal, as entries() returned them.
    explicit MissWindow(std::vector<Entry> entries);

    /// Ordinals never go back. Zero misses only move the window.
    void add(std::uint64_t ordinal, std::uint64_t misses, std::uint32_t rate_window);
    [[nodiscard]] std::uint64_t sum() const { return sum_; }
    [[nodiscard]] std::span<const Entry> entries() const { return entries_; }
    /// Whether add(ordinal, 0, …) would change anything.
    [[nodiscard]] bool would_drop(std::uint64_t ordinal, std::uint32_t rate_window) const;

  private:
    std::vector<Entry> entries_;
    std::uint64_t sum_ = 0;
};

// --- slots ---------------------------------------------------------------------------------------

/// Which slots are free. The lowest is taken first.
class SlotAllocator {
  public:
    /// The slots in use, in any order, each once.
    void mark_used(std::uint64_t slot);
    [[nodiscard]] std::uint64_t take_lowest();
    void free(std::uint64_t slot);
    [[nodiscard]] std::uint64_t used() const { return end_ - holes_.size(); }

  private:
    std::set<std::uint64_t> holes_;  // free slots below end_
    std::uint64_t end_ = 0;          // every slot from here on is free
};

using SlotMap = std::map<std::uint64_t, ChainId>;

/// One height: first the slots of `ended` fall vacant, then `placed` take the lowest free slots,
/// ascending by chain id. Chains of `ended` that hold no slot are ignored.
[[nodiscard]] SlotMap place_chains(SlotMap slots, std::span<const ChainId> ended,
                                   std::vector<ChainId> placed);

// --- updates -------------------------------------------------------------------------------------

/// A local commitment and the height from which its reveal chain counts.
struct Commitment {
    Height base;   // genesis height, or effective height of an update
    Reveal value;  // zeros: none
    friend bool operator==(const Commitment&, const Commitment&) = default;
};

/// The newest commitment whose base is not after `height`. `commitments` ascends by base and starts
/// with the registration's, whose base is the genesis height.
[[nodiscard]] Commitment commitment_in_force(std::span<const Commitment> commitments,
                                             Height height);

// --- merging -------------------------------------------------------------------------------------

/// The slots of a registry at its newest digest, and what that digest commits to beside them.
struct RegistrySlots {
    /// In what registries that were merged say different things about one height.
    struct Disagreement {
        bool block = false;
        bool y = false;  // two different ones; known beside unknown is none
        bool previous = false;
        friend bool operator==(const Disagreement&, const Disagreement&) = default;
    };
    NetworkId network_id;
    std::optional<Height> digest_height;  // empty: no digest yet, and nothing below
    std::map<std::uint64_t, ChainLeaf> slots;
    BlockHash block_hash{};
    VdfOutput y{};  // zeros: closed without
    GlobalDigest previous{};
    Disagreement disagreement{};
    friend bool operator==(const RegistrySlots&, const RegistrySlots&) = default;
};

/// Merges registries that accepted the same registrations and removals: the one with the later
/// digest stands whole; at equal heights, per slot, a chain before vacant, then the higher link
/// height, the smaller link bytes, the smaller leaf bytes; y where one knows it; of different
/// blocks, y and previous digests the smaller bytes. Independent of order and grouping, so what may
/// be refused only at the end is refused by check_merged(). At least one registry. kWrongNetwork.
[[nodiscard]] Checked<RegistrySlots> merge_registries(std::span<const RegistrySlots> registries);
/// kWrongBlock, kVdfOutputMismatch (two of either for one height), kDuplicateSlot (index: the
/// higher slot) when one chain stands in two slots of a final result.
[[nodiscard]] Verdict check_merged(const RegistrySlots& merged);

}  // namespace holdfast
