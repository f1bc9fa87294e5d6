// Slots as hierarchy and link cases tell them: runs of used slots with leaves that follow from a
// seed.
#pragma once

#include "conformance/vector_file.hpp"
#include "core/codec.hpp"
#include "core/hash.hpp"
#include "hierarchy/tree.hpp"
#include "proofs/digests.hpp"

namespace holdfast::conformance {

/// Most slots that a case may use: more than any network of this size needs to be told.
inline constexpr std::uint64_t kMaxToldSlots = std::uint64_t{1} << 24;

/// The number itself, when it is one that a case may use.
inline std::uint64_t told_slot(const Value& at, std::uint64_t slot) {
    if (slot >= kMaxToldSlots) at.malformed("names a slot that is not below 2^24");
    return slot;
}

/// The leaf of slot s at height h: chain_id || link = expand(SHA-256(leaf_seed || LE64(s)), 64),
/// link height h - s mod 3, status (1, 2, 3, 1, 4)[s mod 5].
inline ChainLeaf told_leaf(const Digest& leaf_seed, std::uint64_t slot, Height height) {
    constexpr std::array kStatuses{ChainStatus::kActive, ChainStatus::kLate, ChainStatus::kRemoving,
                                   ChainStatus::kActive, ChainStatus::kExpired};
    Writer seed;
    seed.fixed(leaf_seed).u64(slot);
    const Bytes ids = expand(view(sha256(seed.bytes())), 2 * kDigestBytes);
    Reader r(ids);
    ChainLeaf leaf;
    leaf.chain_id = r.fixed<ChainId>();
    leaf.link = r.fixed<Link>();
    leaf.link_height = height - slot % 3;
    leaf.status = kStatuses[slot % kStatuses.size()];
    return leaf;
}

/// Puts the leaves of all runs [first, last] of `runs` into the tree.
inline void set_told_slots(HierarchyTree& tree, const Value& runs, const Digest& leaf_seed,
                           Height height) {
    for (const Value& run : runs.items()) {
        const std::uint64_t first = run[0].u64();
        const std::uint64_t last = told_slot(run, run[1].u64());
        if (last < first || run.size() != 2) run.malformed("should be [first, last]");
        for (std::uint64_t s = first; s <= last; ++s) tree.set(s, told_leaf(leaf_seed, s, height));
    }
}

}  // namespace holdfast::conformance
