// The digests of one height from its leaves alone, computed the plain way: every node again, one
// hash after another, nothing kept between calls.
//
// What the incremental tree (hierarchy/tree.hpp) is compared with: shares with it the digests of
// the trusted rooms and the plain Merkle root, no code that batches, spreads or remembers. Pure;
// any thread; time and memory in proportion to the slots. Spec: docs/spec.md section 10.2.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/types.hpp"
#include "hierarchy/lifecycle.hpp"
#include "hierarchy/tree.hpp"
#include "proofs/digests.hpp"

namespace holdfast {

struct PlainGroup {
    std::uint32_t slots = 0;
    std::uint32_t active = 0;
    Digest digest;
    friend bool operator==(const PlainGroup&, const PlainGroup&) = default;
};

struct PlainRegion {
    std::uint64_t active = 0;
    Digest digest;
    std::vector<PlainGroup> groups;
    friend bool operator==(const PlainRegion&, const PlainRegion&) = default;
};

struct PlainDigests {
    std::vector<PlainRegion> regions;
    std::uint64_t total_chains = 0;
    std::uint64_t active = 0;
    GlobalDigest global;
    friend bool operator==(const PlainDigests&, const PlainDigests&) = default;
};

/// Counts of `header` are those of the slots.
[[nodiscard]] PlainDigests plain_digests(const HierarchyShape& shape, const NetworkId& network_id,
                                         GlobalHeader header,
                                         const std::map<std::uint64_t, ChainLeaf>& slots);
/// The same for slots that know their height; those without a digest yet have none: kDigestUnknown.
[[nodiscard]] Checked<PlainDigests> plain_digests(const HierarchyShape& shape,
                                                  const RegistrySlots& slots);

}  // namespace holdfast
