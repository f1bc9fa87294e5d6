#include "hierarchy/plain_digests.hpp"

#include "core/merkle.hpp"

namespace holdfast {
namespace {

using Slots = std::map<std::uint64_t, ChainLeaf>;

/// Leaves of the group whose first slot is `first`, up to its highest used one.
PlainGroup plain_group(const HierarchyShape& shape, const HierarchyTree::GroupPlace& place,
                       const Slots& slots) {
    const std::uint64_t first = shape.slot({place.region, place.group, 0});
    std::vector<Digest> hashes;
    PlainGroup out;
    for (auto at = slots.lower_bound(first); at != slots.end(); ++at) {
        const std::uint64_t within = at->first - first;
        if (within >= shape.group_slots) break;
        hashes.resize(static_cast<std::size_t>(within), vacant_leaf_hash());
        hashes.push_back(at->second.hash());
        if (at->second.status == ChainStatus::kActive) ++out.active;
    }
    out.slots = static_cast<std::uint32_t>(hashes.size());
    out.digest =
        group_digest(place.region, place.group, out.slots, out.active, merkle_root(hashes));
    return out;
}

PlainRegion plain_region(const HierarchyShape& shape, std::uint32_t region, std::uint32_t groups,
                         const Slots& slots) {
    std::vector<Digest> hashes;
    PlainRegion out;
    for (std::uint32_t g = 0; g < groups; ++g) {
        out.groups.push_back(plain_group(shape, {region, g}, slots));
        out.active += out.groups.back().active;
        hashes.push_back(leaf_hash(view(out.groups.back().digest)));
    }
    out.digest = region_digest(region, groups, out.active, merkle_root(hashes));
    return out;
}

/// Groups of a region up to its highest used one.
std::uint32_t used_groups(const HierarchyShape& shape, std::uint32_t region, const Slots& slots) {
    const auto end = slots.lower_bound(shape.slot({region, shape.region_groups, 0}));
    if (end == slots.begin()) return 0;
    const SlotPlace last = shape.place(std::prev(end)->first);
    return last.region == region ? last.group + 1 : 0;
}

}  // namespace

PlainDigests plain_digests(const HierarchyShape& shape, const NetworkId& network_id,
                           GlobalHeader header, const Slots& slots) {
    PlainDigests out;
    std::vector<Digest> hashes;
    const std::uint32_t regions =
        slots.empty() ? 0 : shape.place(std::prev(slots.end())->first).region + 1;
    for (std::uint32_t r = 0; r < regions; ++r) {
        out.regions.push_back(plain_region(shape, r, used_groups(shape, r, slots), slots));
        out.active += out.regions.back().active;
        hashes.push_back(leaf_hash(view(out.regions.back().digest)));
    }
    out.total_chains = slots.size();
    header.regions = regions;
    header.total_chains = slots.size();
    out.global = global_digest(network_id, header, merkle_root(hashes));
    return out;
}

Checked<PlainDigests> plain_digests(const HierarchyShape& shape, const RegistrySlots& slots) {
    if (!slots.digest_height) return refuse(Reason::kDigestUnknown);
    GlobalHeader header;
    header.height = *slots.digest_height;
    header.block_hash = slots.block_hash;
    header.y = slots.y;
    header.previous = slots.previous;
    return plain_digests(shape, slots.network_id, header, slots.slots);
}

}  // namespace holdfast
