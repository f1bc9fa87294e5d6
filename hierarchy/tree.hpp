// The tree over all chains of one height: slots in groups, groups in regions, regions under the
// globe.
//
// Values in memory, no I/O. Changes are marked by set() and clear() and take effect in rehash(),
// which hashes again only the nodes above changed slots and spreads groups over threads; its result
// does not depend on the number of threads or on the order of the changes. Reading functions need a
// rehashed tree and may run from many threads at once; set(), clear() and rehash() need exclusive
// use. Memory: 73 bytes of leaf and about 64 bytes of hashes a slot. Spec: docs/spec.md
// section 10.2.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "proofs/digests.hpp"
#include "proofs/formats.hpp"

namespace holdfast {

/// Where a global slot number lies: region, group within the region, slot within the group.
struct SlotPlace {
    std::uint32_t region = 0;
    std::uint32_t group = 0;
    std::uint32_t slot = 0;
    friend auto operator<=>(const SlotPlace&, const SlotPlace&) = default;
};

/// Global slot numbers count through all groups of region 0, then of region 1, and so on.
struct HierarchyShape {
    std::uint32_t group_slots = 1;
    std::uint32_t region_groups = 1;

    static HierarchyShape of(const NetworkParams& params) {
        return {params.group_slots, params.region_groups};
    }
    [[nodiscard]] SlotPlace place(std::uint64_t slot) const;
    [[nodiscard]] std::uint64_t slot(const SlotPlace& place) const;
};

/// A Merkle tree of digests that is rehashed only where it changed. The building block of every
/// level.
class DigestTree {
  public:
    /// Grows with zero digests (which must be set before the next rehash) or shrinks.
    void resize(std::size_t leaves);
    void set(std::size_t index, const Digest& leaf);
    /// The leaf level, to be filled in place; all of it counts as changed.
    [[nodiscard]] std::span<Digest> leaves_for_rewrite();
    void rehash();

    [[nodiscard]] std::size_t leaves() const { return leaves_; }
    [[nodiscard]] Digest root() const;
    [[nodiscard]] std::vector<Digest> path(std::size_t index) const;
    [[nodiscard]] std::size_t memory_bytes() const;

  private:
    void lay_out();

    std::size_t leaves_ = 0;
    std::vector<Digest> nodes_;         // level after level from the leaves
    std::vector<std::size_t> offsets_;  // where each level starts in nodes_
    std::vector<std::size_t> changed_;  // indices of leaves since the last rehash
    bool all_changed_ = false;
};

class HierarchyTree {
  public:
    /// Region and group (within the region).
    struct GroupPlace {
        std::uint32_t region = 0;
        std::uint32_t group = 0;
        friend auto operator<=>(const GroupPlace&, const GroupPlace&) = default;
    };
    /// A group as the registry stores it: its counts, its digest, its leaves one behind another (73
    /// bytes each, zeros for a vacant slot).
    struct GroupView {
        std::uint32_t slots = 0;
        std::uint32_t active = 0;
        Digest digest;
        ByteView leaves;
    };
    struct RegionView {
        std::uint32_t groups = 0;
        std::uint64_t active = 0;
        Digest digest;
        std::vector<Digest> group_digests;
    };

    explicit HierarchyTree(const HierarchyShape& shape) : shape_(shape) {}

    void set(std::uint64_t slot, const ChainLeaf& leaf);
    void clear(std::uint64_t slot);
    /// Takes a stored group over as a whole. kCorrupt when its leaves are malformed or their number
    /// is over group_slots.
    [[nodiscard]] Status load_group(const GroupPlace& place, ByteView leaves);
    /// Hashes what changed; returns the groups whose digest may have changed, ascending. `threads`:
    /// 0 for as many as the machine has.
    std::vector<GroupPlace> rehash(unsigned threads = 0);

    /// What the slot holds; also right between set() and rehash().
    [[nodiscard]] std::optional<ChainLeaf> leaf(std::uint64_t slot) const;
    /// Every used slot, ascending.
    void for_each(const std::function<void(std::uint64_t slot, const ChainLeaf&)>& visit) const;
    [[nodiscard]] std::uint64_t total_chains() const { return total_; }
    [[nodiscard]] std::uint64_t active() const;
    [[nodiscard]] std::uint32_t regions() const;
    [[nodiscard]] RegionView region(std::uint32_t region) const;
    [[nodiscard]] GroupView group(const GroupPlace& place) const;
    [[nodiscard]] Digest regions_root() const { return region_tree_.root(); }
    /// Counts are this tree's; height, block, y and previous digest are the caller's.
    [[nodiscard]] GlobalDigest global(const NetworkId& network_id, GlobalHeader header) const;
    /// Format D of a used slot; kVacantSlot otherwise.
    [[nodiscard]] Checked<PathProof> path(std::uint64_t slot) const;
    [[nodiscard]] std::size_t memory_bytes() const;

  private:
    struct Group {
        Bytes leaves;                        // 73 bytes a slot, zeros for a vacant one
        std::vector<std::uint32_t> changed;  // slots since the last rehash
        DigestTree tree;
        Digest digest;
        std::uint32_t used = 0;
        std::uint32_t active = 0;
        bool all_changed = false;

        [[nodiscard]] std::uint32_t slots() const;
        void rehash(std::uint32_t region, std::uint32_t index);
    };
    struct Region {
        std::vector<Group> groups;
        DigestTree tree;
        Digest digest;
        std::uint64_t active = 0;
    };

    Group& group_for_write(const GroupPlace& place);
    [[nodiscard]] const Group* find_group(const GroupPlace& place) const;
    void write_leaf(const GroupPlace& place, Group& group, std::uint32_t slot, ByteView leaf);
    void count(Group& group, ByteView leaf, bool add);
    void trim();
    void rehash_region(std::uint32_t index);

    HierarchyShape shape_;
    std::vector<Region> regions_;
    DigestTree region_tree_;
    std::vector<GroupPlace> dirty_;             // groups with changes; may repeat
    std::vector<std::uint32_t> dirty_regions_;  // regions that appeared; may repeat
    std::uint64_t total_ = 0;
};

/// A region of a stored height: what its digest commits to.
struct RegionSummary {
    std::uint64_t active = 0;
    Digest digest;
    std::vector<Digest> groups;
};
[[nodiscard]] std::vector<RegionSummary> summaries(const HierarchyTree& tree);
/// Format D of one slot from stored parts alone, for heights that no tree in memory stands for:
/// the leaves of its group (as GroupView::leaves) and the summaries of all regions. kVacantSlot.
[[nodiscard]] Checked<PathProof> path_from_summary(const HierarchyShape& shape, std::uint64_t slot,
                                                   ByteView group_leaves,
                                                   std::uint32_t group_active,
                                                   std::uint64_t total_chains,
                                                   std::span<const RegionSummary> regions);

}  // namespace holdfast
