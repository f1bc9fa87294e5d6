#include "hierarchy/tree.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/hash.hpp"
#include "core/merkle.hpp"
#include "storage/parallel.hpp"

namespace holdfast {
namespace {

constexpr std::size_t kStatusOffset = kLeafBytes - 1;
constexpr std::uint8_t kActiveByte = static_cast<std::uint8_t>(ChainStatus::kActive);

ByteView leaf_in(ByteView leaves, std::size_t slot) {
    return leaves.subspan(slot * kLeafBytes, kLeafBytes);
}

bool vacant(ByteView leaf) { return leaf[kStatusOffset] == 0; }

/// Leaf hashes of a group's slots. Vacant slots are hashed with the others, because a batch wants
/// equal strides, and then replaced.
void hash_leaves(ByteView leaves, std::span<Digest> out) {
    sha256_batch({leaves.data(), kLeafBytes, kLeafBytes, out.size(), std::uint8_t{0}}, out);
    const Digest none = vacant_leaf_hash();
    for (std::size_t i = 0; i < out.size(); ++i) {
        if (vacant(leaf_in(leaves, i))) out[i] = none;
    }
}

template <class T>
void sort_unique(std::vector<T>& v) {
    std::sort(v.begin(), v.end());
    v.erase(std::unique(v.begin(), v.end()), v.end());
}

}  // namespace

// Spec 10.1.
SlotPlace HierarchyShape::place(std::uint64_t slot) const {
    const std::uint64_t group = slot / group_slots;
    const std::uint64_t region = group / region_groups;
    HOLDFAST_CHECK(region < UINT32_MAX);
    return {static_cast<std::uint32_t>(region), static_cast<std::uint32_t>(group % region_groups),
            static_cast<std::uint32_t>(slot % group_slots)};
}

std::uint64_t HierarchyShape::slot(const SlotPlace& place) const {
    const std::uint64_t group = std::uint64_t{place.region} * region_groups + place.group;
    return group * group_slots + place.slot;
}

// --- DigestTree ----------------------------------------------------------------------------------

void DigestTree::lay_out() {
    offsets_.clear();
    std::size_t total = 0;
    for (std::size_t nodes = leaves_; nodes > 0; nodes = nodes == 1 ? 0 : (nodes + 1) / 2) {
        offsets_.push_back(total);
        total += nodes;
    }
    nodes_.resize(total);
}

void DigestTree::resize(std::size_t leaves) {
    if (leaves == leaves_) return;
    // The leaf level comes first, so that its common part survives; beyond it old upper nodes may
    // lie.
    const std::size_t kept = std::min(leaves, leaves_);
    leaves_ = leaves;
    lay_out();
    std::fill(nodes_.begin() + static_cast<std::ptrdiff_t>(kept), nodes_.end(), Digest{});
    all_changed_ = true;
}

void DigestTree::set(std::size_t index, const Digest& leaf) {
    HOLDFAST_CHECK(index < leaves_);
    nodes_[index] = leaf;
    if (!all_changed_) changed_.push_back(index);
}

std::span<Digest> DigestTree::leaves_for_rewrite() {
    all_changed_ = true;
    return std::span(nodes_).first(leaves_);
}

void DigestTree::rehash() {
    // Many changes: whole levels, which a batch hashes faster than single nodes.
    if (all_changed_ || changed_.size() > leaves_ / 8) {
        for (std::size_t l = 0; l + 1 < offsets_.size(); ++l) {
            const std::size_t above = offsets_[l + 1];
            const std::size_t end = l + 2 < offsets_.size() ? offsets_[l + 2] : nodes_.size();
            hash_level_up(std::span(nodes_).subspan(offsets_[l], above - offsets_[l]),
                          std::span(nodes_).subspan(above, end - above));
        }
    } else {
        for (std::size_t l = 0; l + 1 < offsets_.size(); ++l) {
            for (std::size_t& i : changed_) i /= 2;
            sort_unique(changed_);
            const std::size_t below = offsets_[l];
            const std::size_t above = offsets_[l + 1];
            for (const std::size_t i : changed_) {
                const Digest& left = nodes_[below + 2 * i];
                const bool paired = below + 2 * i + 1 < above;
                nodes_[above + i] = paired ? node_hash(left, nodes_[below + 2 * i + 1]) : left;
            }
        }
    }
    changed_.clear();
    all_changed_ = false;
}

Digest DigestTree::root() const {
    HOLDFAST_CHECK(!all_changed_ && changed_.empty());
    return leaves_ == 0 ? empty_tree_root() : nodes_.back();
}

std::vector<Digest> DigestTree::path(std::size_t index) const {
    HOLDFAST_CHECK(index < leaves_ && !all_changed_ && changed_.empty());
    std::vector<Digest> out;
    for (std::size_t l = 0; l + 1 < offsets_.size(); ++l, index /= 2) {
        const std::size_t partner = offsets_[l] + (index ^ 1);
        if (partner < offsets_[l + 1]) out.push_back(nodes_[partner]);
    }
    return out;
}

std::size_t DigestTree::memory_bytes() const {
    return nodes_.capacity() * sizeof(Digest) + offsets_.capacity() * sizeof(std::size_t) +
           changed_.capacity() * sizeof(std::size_t);
}

// --- groups --------------------------------------------------------------------------------------

std::uint32_t HierarchyTree::Group::slots() const {
    return static_cast<std::uint32_t>(leaves.size() / kLeafBytes);
}

void HierarchyTree::Group::rehash(std::uint32_t region, std::uint32_t index) {
    const std::size_t count = slots();
    tree.resize(count);
    if (all_changed || changed.size() > count / 4) {
        hash_leaves(leaves, tree.leaves_for_rewrite());
    } else if (!changed.empty()) {
        sort_unique(changed);
        Bytes gathered;
        gathered.reserve(changed.size() * kLeafBytes);
        for (const std::uint32_t slot : changed) {
            const ByteView leaf = leaf_in(leaves, slot);
            gathered.insert(gathered.end(), leaf.begin(), leaf.end());
        }
        std::vector<Digest> hashes(changed.size());
        hash_leaves(gathered, hashes);
        for (std::size_t i = 0; i < changed.size(); ++i) tree.set(changed[i], hashes[i]);
    }
    tree.rehash();
    digest = group_digest(region, index, slots(), active, tree.root());
    changed.clear();
    all_changed = false;
}

// --- HierarchyTree -------------------------------------------------------------------------------

HierarchyTree::Group& HierarchyTree::group_for_write(const GroupPlace& place) {
    HOLDFAST_CHECK(place.group < shape_.region_groups && place.region < UINT32_MAX);
    // Groups and regions that appear below the highest get digests of their own.
    for (std::size_t r = regions_.size(); r <= place.region; ++r) {
        dirty_regions_.push_back(static_cast<std::uint32_t>(r));
        regions_.emplace_back();
    }
    std::vector<Group>& groups = regions_[place.region].groups;
    for (std::size_t g = groups.size(); g <= place.group; ++g) {
        dirty_.push_back({place.region, static_cast<std::uint32_t>(g)});
        groups.emplace_back().all_changed = true;
    }
    return groups[place.group];
}

const HierarchyTree::Group* HierarchyTree::find_group(const GroupPlace& place) const {
    if (place.region >= regions_.size()) return nullptr;
    const std::vector<Group>& groups = regions_[place.region].groups;
    return place.group < groups.size() ? &groups[place.group] : nullptr;
}

void HierarchyTree::count(Group& group, ByteView leaf, bool add) {
    if (vacant(leaf)) return;
    const bool active = leaf[kStatusOffset] == kActiveByte;
    if (add) {
        ++total_;
        ++group.used;
        group.active += active ? 1 : 0;
    } else {
        --total_;
        --group.used;
        group.active -= active ? 1 : 0;
    }
}

void HierarchyTree::write_leaf(const GroupPlace& place, Group& group, std::uint32_t slot,
                               ByteView leaf) {
    if (!group.all_changed && group.changed.empty()) dirty_.push_back(place);
    if (slot >= group.slots()) {
        group.leaves.resize((std::size_t{slot} + 1) * kLeafBytes);
        group.all_changed = true;
    }
    if (!group.all_changed) group.changed.push_back(slot);
    const std::span<std::uint8_t> at =
        std::span(group.leaves).subspan(std::size_t{slot} * kLeafBytes, kLeafBytes);
    count(group, at, false);
    std::copy(leaf.begin(), leaf.end(), at.begin());
    count(group, at, true);
}

void HierarchyTree::set(std::uint64_t slot, const ChainLeaf& leaf) {
    const SlotPlace at = shape_.place(slot);
    const GroupPlace place{at.region, at.group};
    write_leaf(place, group_for_write(place), at.slot, leaf.encode());
}

void HierarchyTree::clear(std::uint64_t slot) {
    const SlotPlace at = shape_.place(slot);
    const GroupPlace place{at.region, at.group};
    const Group* found = find_group(place);
    if (found == nullptr || at.slot >= found->slots()) return;
    write_leaf(place, group_for_write(place), at.slot, std::array<std::uint8_t, kLeafBytes>{});
}

Status HierarchyTree::load_group(const GroupPlace& place, ByteView leaves) {
    const std::size_t slots = leaves.size() / kLeafBytes;
    const auto corrupt = [](const char* what) {
        return fail(ErrorCode::kCorrupt, std::string("stored group: ") + what);
    };
    if (leaves.size() % kLeafBytes != 0 || slots > shape_.group_slots) {
        return corrupt("its length is not that of its leaves");
    }
    for (std::size_t i = 0; i < slots; ++i) {
        const ByteView leaf = leaf_in(leaves, i);
        const bool zero = std::all_of(leaf.begin(), leaf.end(), [](auto b) { return b == 0; });
        if (leaf[kStatusOffset] > static_cast<std::uint8_t>(ChainStatus::kExpired) ||
            (vacant(leaf) && (!zero || i + 1 == slots))) {
            return corrupt("a leaf is malformed");
        }
    }
    Group& group = group_for_write(place);
    for (std::size_t i = 0; i < group.slots(); ++i) count(group, leaf_in(group.leaves, i), false);
    group.leaves.assign(leaves.begin(), leaves.end());
    for (std::size_t i = 0; i < slots; ++i) count(group, leaf_in(group.leaves, i), true);
    group.all_changed = true;
    dirty_.push_back(place);
    return {};
}

/// Slots, groups and regions end with the highest used one.
void HierarchyTree::trim() {
    for (const GroupPlace& place : dirty_) {
        Group& group = regions_[place.region].groups[place.group];
        std::size_t slots = group.slots();
        while (slots > 0 && vacant(leaf_in(group.leaves, slots - 1))) --slots;
        if (slots == group.slots()) continue;
        group.leaves.resize(slots * kLeafBytes);
        group.all_changed = true;
    }
    for (const GroupPlace& place : dirty_) {
        std::vector<Group>& groups = regions_[place.region].groups;
        while (!groups.empty() && groups.back().used == 0) groups.pop_back();
    }
    while (!regions_.empty() && regions_.back().groups.empty()) regions_.pop_back();
}

void HierarchyTree::rehash_region(std::uint32_t index) {
    Region& region = regions_[index];
    region.tree.resize(region.groups.size());
    region.active = 0;
    for (const Group& group : region.groups) region.active += group.active;
    for (const GroupPlace& place : dirty_) {
        if (place.region == index && place.group < region.groups.size()) {
            region.tree.set(place.group, leaf_hash(view(region.groups[place.group].digest)));
        }
    }
    region.tree.rehash();
    region.digest = region_digest(index, static_cast<std::uint32_t>(region.groups.size()),
                                  region.active, region.tree.root());
}

std::vector<HierarchyTree::GroupPlace> HierarchyTree::rehash(unsigned threads) {
    sort_unique(dirty_);
    trim();
    std::vector<Group*> groups;
    for (const GroupPlace& place : dirty_) {
        if (find_group(place) != nullptr) {
            groups.push_back(&regions_[place.region].groups[place.group]);
        } else {
            groups.push_back(nullptr);
        }
        dirty_regions_.push_back(place.region);
    }
    for_each_parallel(dirty_.size(), threads, [&](std::size_t i) {
        if (groups[i] != nullptr) groups[i]->rehash(dirty_[i].region, dirty_[i].group);
    });
    sort_unique(dirty_regions_);
    region_tree_.resize(regions_.size());
    for (const std::uint32_t r : dirty_regions_) {
        if (r >= regions_.size()) continue;
        rehash_region(r);
        region_tree_.set(r, leaf_hash(view(regions_[r].digest)));
    }
    region_tree_.rehash();
    dirty_regions_.clear();
    return std::exchange(dirty_, {});
}

std::optional<ChainLeaf> HierarchyTree::leaf(std::uint64_t slot) const {
    const SlotPlace at = shape_.place(slot);
    const Group* group = find_group({at.region, at.group});
    if (group == nullptr || at.slot >= group->slots()) return std::nullopt;
    const ByteView bytes = leaf_in(group->leaves, at.slot);
    if (vacant(bytes)) return std::nullopt;
    return ChainLeaf::decode(bytes).value();
}

void HierarchyTree::for_each(
    const std::function<void(std::uint64_t, const ChainLeaf&)>& visit) const {
    for (std::uint32_t r = 0; r < regions_.size(); ++r) {
        const std::vector<Group>& groups = regions_[r].groups;
        for (std::uint32_t g = 0; g < groups.size(); ++g) {
            for (std::uint32_t s = 0; s < groups[g].slots(); ++s) {
                const ByteView bytes = leaf_in(groups[g].leaves, s);
                if (!vacant(bytes)) visit(shape_.slot({r, g, s}), ChainLeaf::decode(bytes).value());
            }
        }
    }
}

std::uint64_t HierarchyTree::active() const {
    std::uint64_t sum = 0;
    for (const Region& region : regions_) sum += region.active;
    return sum;
}

std::uint32_t HierarchyTree::regions() const { return static_cast<std::uint32_t>(regions_.size()); }

HierarchyTree::RegionView HierarchyTree::region(std::uint32_t index) const {
    HOLDFAST_CHECK(index < regions_.size());
    const Region& region = regions_[index];
    RegionView out{
        static_cast<std::uint32_t>(region.groups.size()), region.active, region.digest, {}};
    for (const Group& group : region.groups) out.group_digests.push_back(group.digest);
    return out;
}

HierarchyTree::GroupView HierarchyTree::group(const GroupPlace& place) const {
    const Group* group = find_group(place);
    if (group == nullptr) return {};
    return {group->slots(), group->active, group->digest, group->leaves};
}

// Spec 10.2.
GlobalDigest HierarchyTree::global(const NetworkId& network_id, GlobalHeader header) const {
    header.regions = regions();
    header.total_chains = total_;
    return global_digest(network_id, header, region_tree_.root());
}

Checked<PathProof> HierarchyTree::path(std::uint64_t slot) const {
    HOLDFAST_CHECK(dirty_.empty());
    const std::optional<ChainLeaf> found = leaf(slot);
    if (!found) return refuse(Reason::kVacantSlot);
    const SlotPlace at = shape_.place(slot);
    const Region& region = regions_[at.region];
    const Group& group = region.groups[at.group];
    PathProof proof;
    proof.leaf = *found;
    proof.path.region = at.region;
    proof.path.group = at.group;
    proof.path.slot = at.slot;
    proof.path.slots = group.slots();
    proof.path.active = group.active;
    proof.path.groups = static_cast<std::uint32_t>(region.groups.size());
    proof.path.region_active = region.active;
    proof.path.regions = regions();
    proof.path.total_chains = total_;
    proof.path.slot_path = group.tree.path(at.slot);
    proof.path.group_path = region.tree.path(at.group);
    proof.path.region_path = region_tree_.path(at.region);
    return proof;
}

std::size_t HierarchyTree::memory_bytes() const {
    std::size_t sum = sizeof(*this) + region_tree_.memory_bytes();
    for (const Region& region : regions_) {
        sum += sizeof(Region) + region.tree.memory_bytes();
        for (const Group& group : region.groups) {
            sum += sizeof(Group) + group.tree.memory_bytes() + group.leaves.capacity() +
                   group.changed.capacity() * sizeof(std::uint32_t);
        }
    }
    return sum;
}

// --- stored heights ------------------------------------------------------------------------------

std::vector<RegionSummary> summaries(const HierarchyTree& tree) {
    std::vector<RegionSummary> out;
    for (std::uint32_t r = 0; r < tree.regions(); ++r) {
        HierarchyTree::RegionView region = tree.region(r);
        out.push_back({region.active, region.digest, std::move(region.group_digests)});
    }
    return out;
}

Checked<PathProof> path_from_summary(const HierarchyShape& shape, std::uint64_t slot,
                                     ByteView group_leaves, std::uint32_t group_active,
                                     std::uint64_t total_chains,
                                     std::span<const RegionSummary> regions) {
    const SlotPlace at = shape.place(slot);
    const std::size_t slots = group_leaves.size() / kLeafBytes;
    if (at.slot >= slots || at.region >= regions.size() ||
        at.group >= regions[at.region].groups.size()) {
        return refuse(Reason::kVacantSlot);
    }
    const ByteView own = leaf_in(group_leaves, at.slot);
    if (vacant(own)) return refuse(Reason::kVacantSlot);
    HOLDFAST_ASSIGN(leaf, ChainLeaf::decode(own));
    std::vector<Digest> hashes(slots);
    hash_leaves(group_leaves, hashes);
    const RegionSummary& region = regions[at.region];
    std::vector<Digest> group_hashes;
    for (const Digest& d : region.groups) group_hashes.push_back(leaf_hash(view(d)));
    std::vector<Digest> region_hashes;
    for (const RegionSummary& r : regions) region_hashes.push_back(leaf_hash(view(r.digest)));

    PathProof proof;
    proof.leaf = leaf;
    proof.path.region = at.region;
    proof.path.group = at.group;
    proof.path.slot = at.slot;
    proof.path.slots = static_cast<std::uint32_t>(slots);
    proof.path.active = group_active;
    proof.path.groups = static_cast<std::uint32_t>(region.groups.size());
    proof.path.region_active = region.active;
    proof.path.regions = static_cast<std::uint32_t>(regions.size());
    proof.path.total_chains = total_chains;
    proof.path.slot_path = MerkleTree(std::move(hashes)).path(at.slot);
    proof.path.group_path = MerkleTree(std::move(group_hashes)).path(at.group);
    proof.path.region_path = MerkleTree(std::move(region_hashes)).path(at.region);
    return proof;
}

}  // namespace holdfast
