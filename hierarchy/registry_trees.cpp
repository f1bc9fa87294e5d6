// Trees, paths, slots and statistics of closed heights.
#include <algorithm>
#include <utility>

#include "hierarchy/registry_impl.hpp"

namespace holdfast {

Result<GroupRecord> StoredLeaves::group(const HierarchyTree::GroupPlace& place) {
    const auto known = groups_.find(place);
    if (known != groups_.end()) return known->second;
    GroupRecord record;
    HOLDFAST_ASSIGN(found, txn_.last_at_most(Table::kLeaves, group_key(place).bytes(),
                                             group_height_key(place, height_).bytes()));
    if (found) {
        HOLDFAST_ASSIGN(decoded, GroupRecord::decode(found->second));
        record = decoded;
    }
    groups_.emplace(place, record);
    return record;
}

Result<std::optional<ChainLeaf>> StoredLeaves::leaf(std::uint64_t slot) {
    const SlotPlace at = shape_.place(slot);
    HOLDFAST_ASSIGN(record, group({at.region, at.group}));
    const std::size_t offset = std::size_t{at.slot} * kLeafBytes;
    if (offset + kLeafBytes > record.leaves.size()) return std::nullopt;
    const ByteView bytes = record.leaves.subspan(offset, kLeafBytes);
    if (bytes.back() == 0) return std::nullopt;
    const Checked<ChainLeaf> leaf = ChainLeaf::decode(bytes);
    if (!leaf) return corrupt_registry("a leaf does not decode");
    return *leaf;
}

Status Registry::Impl::check_kept(const MachineState& machine, Height height) const {
    const bool closed = machine.closed != kNever && height.value <= machine.closed &&
                        height >= params.genesis_height;
    if (closed && machine.closed - height.value <= kept && height >= origin.leaves) return {};
    return fail(ErrorCode::kNotFound,
                "leaves of height " + std::to_string(height.value) +
                    (closed ? " are not kept any more" : " do not exist: it has not closed"));
}

Result<HierarchyTree> Registry::Impl::load_tree(const Transaction& txn, Height height) const {
    HOLDFAST_ASSIGN(value, txn.get(Table::kRegions, height_key(height).bytes()));
    if (!value) return corrupt_registry("the regions of a height are missing");
    HOLDFAST_ASSIGN(regions, decode_regions(*value));
    HierarchyTree out(shape());
    StoredLeaves leaves(txn, shape(), height);
    for (std::size_t r = 0; r < regions.size(); ++r) {
        for (std::size_t g = 0; g < regions[r].groups.size(); ++g) {
            const HierarchyTree::GroupPlace place{static_cast<std::uint32_t>(r),
                                                  static_cast<std::uint32_t>(g)};
            HOLDFAST_ASSIGN(group, leaves.group(place));
            HOLDFAST_TRY(out.load_group(place, group.leaves));
        }
    }
    (void)out.rehash(options.threads);
    return out;
}

Result<std::optional<ChainLeaf>> Registry::leaf(const ChainId& chain_id, Height height) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    HOLDFAST_TRY(impl_->check_kept(machine, height));
    HOLDFAST_ASSIGN(slot, load_slot(txn, chain_id));
    if (!slot) return std::nullopt;
    StoredLeaves leaves(txn, impl_->shape(), height);
    HOLDFAST_ASSIGN(leaf, leaves.leaf(*slot));
    if (!leaf || leaf->chain_id != chain_id) return std::nullopt;
    return leaf;
}

Result<PathProof> Registry::path(const ChainId& chain_id, Height height) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    HOLDFAST_TRY(impl_->check_kept(machine, height));
    const auto none = [&] {
        return fail(ErrorCode::kNotFound, "chain " + to_hex(view(chain_id)) +
                                              " holds no slot in the digest of height " +
                                              std::to_string(height.value));
    };
    HOLDFAST_ASSIGN(slot, load_slot(txn, chain_id));
    if (!slot) return none();
    {
        const std::shared_lock reading(impl_->memory);
        if (impl_->tree_height == height.value) {
            const Checked<PathProof> proof = impl_->tree.path(*slot);
            if (!proof || proof->leaf.chain_id != chain_id) return none();
            return *proof;
        }
    }
    HOLDFAST_ASSIGN(block, load<StoredBlock>(txn, Table::kBlocks, height_key(height)));
    HOLDFAST_ASSIGN(value, txn.get(Table::kRegions, height_key(height).bytes()));
    if (!block || !value) return corrupt_registry("the regions of a height are missing");
    HOLDFAST_ASSIGN(regions, decode_regions(*value));
    const SlotPlace at = impl_->shape().place(*slot);
    StoredLeaves leaves(txn, impl_->shape(), height);
    HOLDFAST_ASSIGN(group, leaves.group({at.region, at.group}));
    const Checked<PathProof> proof = path_from_summary(
        impl_->shape(), *slot, group.leaves, group.active, block->info.counts.total, regions);
    if (!proof || proof->leaf.chain_id != chain_id) return none();
    return *proof;
}

Result<HierarchyTree> Registry::tree(Height height) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    HOLDFAST_TRY(impl_->check_kept(machine, height));
    {
        const std::shared_lock reading(impl_->memory);
        if (impl_->tree_height == height.value) return impl_->tree;
    }
    return impl_->load_tree(txn, height);
}

Result<RegistrySlots> Registry::Impl::slots_of(const Transaction& txn, Height height,
                                               const HierarchyTree& tree_of_height) const {
    HOLDFAST_ASSIGN(block, load<StoredBlock>(txn, Table::kBlocks, height_key(height)));
    if (!block) return corrupt_registry("a block is missing");
    HOLDFAST_ASSIGN(previous, global_before(txn, height));
    RegistrySlots out;
    out.network_id = network_id;
    out.digest_height = height;
    out.block_hash = block->info.hash;
    out.y = block->info.y.value_or(VdfOutput{});
    out.previous = previous;
    tree_of_height.for_each([&](std::uint64_t slot, const ChainLeaf& leaf) {
        out.slots.emplace_hint(out.slots.end(), slot, leaf);
    });
    return out;
}

Result<RegistrySlots> Registry::slots() const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    const std::shared_lock reading(impl_->memory);
    if (impl_->tree_height != kNever) {
        return impl_->slots_of(txn, Height(impl_->tree_height), impl_->tree);
    }
    RegistrySlots out;
    out.network_id = impl_->network_id;
    return out;
}

Result<RegistrySlots> Registry::slots(Height height) const {
    HOLDFAST_ASSIGN(found, tree(height));
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    return impl_->slots_of(txn, height, found);
}

Result<std::vector<RegionSummary>> Registry::regions(Height height) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    HOLDFAST_TRY(impl_->check_kept(machine, height));
    HOLDFAST_ASSIGN(value, txn.get(Table::kRegions, height_key(height).bytes()));
    if (!value) return corrupt_registry("the regions of a height are missing");
    return decode_regions(*value);
}

Result<RegistryStatistics> Registry::statistics() const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    RegistryStatistics s;
    s.tip = known_or_none(machine.tip);
    s.closed = known_or_none(machine.closed);
    if (s.closed) {
        HOLDFAST_ASSIGN(block, load<StoredBlock>(txn, Table::kBlocks, height_key(*s.closed)));
        HOLDFAST_ASSIGN(stored, txn.get(Table::kRegions, height_key(*s.closed).bytes()));
        if (!block || !stored) return corrupt_registry("the newest closed block is missing");
        HOLDFAST_ASSIGN(regions, decode_regions(*stored));
        s.counts = block->info.counts;
        s.regions = regions.size();
        for (const RegionSummary& region : regions) s.groups += region.groups.size();
        const std::uint64_t age = s.closed->since(impl_->params.genesis_height);
        s.oldest_kept = std::max(*s.closed - std::min(age, impl_->kept), impl_->origin.leaves);
    }
    s.registrations = machine.registrations;
    s.pending = machine.pending;
    s.sealed = machine.sealed;
    s.liable = machine.liable;
    s.voided = machine.voided;
    s.ended = machine.ended;
    s.heights_with_y = machine.heights_with_y;
    s.decisions = machine.decisions;
    HOLDFAST_ASSIGN(entries, next_entry(txn));
    s.entries = entries;
    HOLDFAST_ASSIGN(size, journal_size(*impl_, txn));
    s.first_kept_entry = size.first_kept;
    s.file_bytes = impl_->store->file_bytes();
    const std::shared_lock reading(impl_->memory);
    s.memory_bytes = impl_->tree.memory_bytes();
    return s;
}

Result<std::map<std::uint64_t, std::uint64_t>> Registry::misses() const {
    std::map<std::uint64_t, std::uint64_t> out;
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_TRY(txn.for_each(Table::kStates, {}, [&](ByteView, ByteView value) -> Result<bool> {
        HOLDFAST_ASSIGN(state, ChainState::decode(value));
        if (state.holds_slot()) ++out[state.misses.sum()];
        return true;
    }));
    return out;
}

}  // namespace holdfast
