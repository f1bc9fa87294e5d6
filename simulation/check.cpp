#include "simulation/check.hpp"

#include <algorithm>

#include "core/merkle.hpp"
#include "storage/parallel.hpp"

namespace holdfast::simulation {
namespace {

using Slots = std::map<std::uint64_t, ChainLeaf>;

/// RFC 9162 root, two nodes at a time.
Digest root_of(std::vector<Digest> level) {
    if (level.empty()) return empty_tree_root();
    while (level.size() > 1) {
        std::vector<Digest> above;
        for (std::size_t i = 0; i + 1 < level.size(); i += 2) {
            above.push_back(node_hash(level[i], level[i + 1]));
        }
        if (level.size() % 2 != 0) above.push_back(level.back());
        level = std::move(above);
    }
    return level[0];
}

struct Counted {
    Digest digest;
    std::uint64_t active = 0;
};

/// Slots [first, end) of one group; `at` moves on through the used ones.
Counted group_of(std::uint32_t region, std::uint32_t group, std::uint64_t first, std::uint64_t end,
                 Slots::const_iterator& at, Slots::const_iterator last) {
    std::vector<Digest> leaves;
    std::uint32_t active = 0;
    for (; at != last && at->first < end; ++at) {
        leaves.resize(static_cast<std::size_t>(at->first - first), vacant_leaf_hash());
        leaves.push_back(at->second.hash());
        active += at->second.status == ChainStatus::kActive ? 1 : 0;
    }
    const auto slots = static_cast<std::uint32_t>(leaves.size());
    return {group_digest(region, group, slots, active, root_of(std::move(leaves))), active};
}

}  // namespace

GlobalDigest digest_from_scratch(const NetworkParams& params, const BlockRecord& block,
                                 const GlobalDigest& previous, const Slots& slots) {
    const std::uint64_t per_group = params.group_slots;
    auto at = slots.begin();
    std::vector<Digest> regions;
    for (std::uint32_t r = 0; at != slots.end(); ++r) {
        const std::uint64_t base = std::uint64_t{r} * params.region_groups;
        std::vector<Digest> groups;
        std::uint64_t active = 0;
        for (std::uint32_t g = 0; g < params.region_groups && at != slots.end(); ++g) {
            if (at->first >= (base + params.region_groups) * per_group) break;
            const std::uint64_t first = (base + g) * per_group;
            const Counted group = group_of(r, g, first, first + per_group, at, slots.end());
            groups.push_back(leaf_hash(view(group.digest)));
            active += group.active;
        }
        const auto count = static_cast<std::uint32_t>(groups.size());
        regions.push_back(
            leaf_hash(view(region_digest(r, count, active, root_of(std::move(groups))))));
    }
    GlobalHeader header;
    header.height = block.height;
    header.block_hash = block.hash;
    header.y = block.y.value_or(VdfOutput{});
    header.previous = previous;
    header.regions = static_cast<std::uint32_t>(regions.size());
    header.total_chains = slots.size();
    return global_digest(params.id(), header, root_of(std::move(regions)));
}

Result<ScratchCheck> recompute_digests(const Registry& registry, Height first,
                                       const StopCheck& stop) {
    ScratchCheck out;
    const NetworkParams& params = registry.params();
    HOLDFAST_ASSIGN(closed, registry.closed());
    GlobalDigest previous = genesis_global(registry.network_id());
    if (first > params.genesis_height) {
        HOLDFAST_ASSIGN(before, registry.block(first - 1));
        if (before && before->closed) previous = before->global;
    }
    for (Height h = first; closed && h <= *closed; ++h) {
        if (stop && stop()) return interrupted();
        HOLDFAST_ASSIGN(block, registry.block(h));
        if (!block) return fail(ErrorCode::kCorrupt, "a closed block is missing");
        HOLDFAST_ASSIGN(tree, registry.tree(h));
        Slots slots;
        tree.for_each([&](std::uint64_t slot, const ChainLeaf& leaf) {
            slots.emplace_hint(slots.end(), slot, leaf);
        });
        previous = digest_from_scratch(params, *block, previous, slots);
        out.wrong += previous == block->global ? 0 : 1;
        out.leaves += slots.size();
        ++out.digests;
    }
    return out;
}

void TakenLinks::note(Height height, std::span<const ChainLink> links) {
    std::vector<ChainLink>& taken = links_[height];
    taken.insert(taken.end(), links.begin(), links.end());
}

Result<std::uint64_t> TakenLinks::missing_in(const Registry& registry, Height closed) {
    const auto found = links_.find(closed);
    if (found == links_.end()) return 0;
    std::vector<ChainLink> taken = std::move(found->second);
    links_.erase(links_.begin(), std::next(found));
    std::sort(taken.begin(), taken.end());
    taken.erase(std::unique(taken.begin(), taken.end()), taken.end());
    HOLDFAST_ASSIGN(tree, registry.tree(closed));
    std::uint64_t missing = 0;
    tree.for_each([&](std::uint64_t, const ChainLeaf& leaf) {
        const auto at =
            std::lower_bound(taken.begin(), taken.end(), leaf.chain_id,
                             [](const ChainLink& l, const ChainId& id) { return l.chain_id < id; });
        if (at == taken.end() || at->chain_id != leaf.chain_id) return;
        missing += leaf.link_height == closed && leaf.link == at->link ? 0 : 1;
    });
    return missing;
}

}  // namespace holdfast::simulation
