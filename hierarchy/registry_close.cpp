// Closing the digest of a height (spec section 10.3): audits, misses, statuses, leaves, the tree,
// and what need not be kept any longer.
#include <algorithm>
#include <set>
#include <utility>

#include "hierarchy/availability_state.hpp"
#include "hierarchy/checkpoints.hpp"
#include "hierarchy/registry_closing_impl.hpp"
#include "storage/parallel.hpp"

namespace holdfast {

Result<ClosedHeight> Closing::run() {
    HOLDFAST_TRY(fix_block());
    HOLDFAST_TRY(take_waiting_evidence(w_, height_));
    HOLDFAST_TRY(run_agenda());
    HOLDFAST_ASSIGN(suspended, availability_of(w_).close(height_, block_.info.y));
    HOLDFAST_TRY(load_chains());
    HOLDFAST_TRY(draw_audits());
    HOLDFAST_TRY(settle_misses());
    HOLDFAST_TRY(write_leaves(suspended));
    HOLDFAST_TRY(store_chains());
    HOLDFAST_TRY(store_tree());
    HOLDFAST_TRY(forget());
    machine_.closed = height_.value;
    w_.impl.tree_height = height_.value;
    return ClosedHeight{block_.info, effects_, checkpoint_due(params_, height_), {}};
}

/// From here on the height has y or stays without.
Status Closing::fix_block() {
    HOLDFAST_ASSIGN(block, load<StoredBlock>(txn_, Table::kBlocks, height_key(height_)));
    if (!block || block->info.closed) return corrupt_registry("the block to close is missing");
    block_ = *block;
    block_.info.closed = true;
    if (block_.info.y) block_.ordinal = machine_.heights_with_y++;
    // Evidence that has waited for this looks it up.
    return save(txn_, Table::kBlocks, height_key(height_), block_);
}

// --- all chains ----------------------------------------------------------------------------------

Status Closing::load_chains() {
    return txn_.for_each(Table::kStates, {}, [&](ByteView key, ByteView value) -> Result<bool> {
        HOLDFAST_ASSIGN(state, ChainState::decode(value));
        if (state.phase != ChainPhase::kPending) {
            live_.push_back({KeyReader(key).fixed<ChainId>(), std::move(state), false});
        }
        return true;
    });
}

/// Records of one height, each with its chain if that is live; both ascend by chain id.
template <class T, class Visit>
Status Closing::for_each_of_height(Table table, Height height, const Visit& visit) const {
    std::size_t at = 0;
    return txn_.for_each(table, height_key(height).bytes(),
                         [&](ByteView key, ByteView value) -> Result<bool> {
                             KeyReader r(key);
                             (void)r.height();
                             const auto chain_id = r.fixed<ChainId>();
                             while (at < live_.size() && live_[at].id < chain_id) ++at;
                             if (at == live_.size()) return false;
                             if (live_[at].id != chain_id) return true;
                             HOLDFAST_ASSIGN(record, T::decode(value));
                             visit(at, record);
                             return true;
                         });
}

/// Spec section 3.1. The digest that counts the chains is the height's anchor.
Status Closing::draw_audits() {
    if (!block_.info.y) return {};
    std::uint64_t total = 0;
    if (const std::optional<Height> at = anchor_height(params_, height_)) {
        HOLDFAST_ASSIGN(anchor, load<StoredBlock>(txn_, Table::kBlocks, height_key(*at)));
        if (!anchor) return corrupt_registry("a block is missing");
        total = anchor->info.counts.total;
    }
    std::vector<std::uint8_t> drawn(live_.size());
    for_each_parallel(live_.size(), threads_, [&](std::size_t i) {
        const ChainState& state = live_[i].state;
        const bool liable = state.phase == ChainPhase::kLiable && state.has_part() &&
                            height_.value < state.liable_until;
        drawn[i] = (state.holds_slot() || liable) &&
                   is_audited(params_, network_id_, *block_.info.y, live_[i].id, total);
    });
    for (std::size_t i = 0; i < live_.size(); ++i) {
        if (drawn[i] == 0) continue;
        HOLDFAST_TRY(open_audit(live_[i].id));
    }
    return {};
}

/// Moves the rate window on to height - proof_deadline, whose links can no longer be proven.
/// Spec 10.4, misses.
Status Closing::settle_misses() {
    if (height_.since(params_.genesis_height) < params_.proof_deadline) return {};
    const Height settled = height_ - params_.proof_deadline;
    HOLDFAST_ASSIGN(block, load<StoredBlock>(txn_, Table::kBlocks, height_key(settled)));
    HOLDFAST_ASSIGN(drawing, load<StoredBlock>(txn_, Table::kBlocks,
                                               height_key(compact_draw_height(params_, settled))));
    if (!block || !drawing) return corrupt_registry("a block is missing");
    if (!block->info.y) return {};
    // y_c is never of a later height than this one, so it is known by now or never.
    const std::optional<VdfOutput>& y_c = drawing->info.y;

    std::vector<std::uint64_t> misses(live_.size());
    if (y_c) {
        std::vector<LinkProof> proofs(live_.size(), LinkProof::kNone);
        HOLDFAST_TRY(for_each_of_height<LinkState>(
            Table::kLinks, settled,
            [&](std::size_t i, const LinkState& l) { proofs[i] = l.proof; }));
        for_each_parallel(live_.size(), threads_, [&](std::size_t i) {
            misses[i] = link_misses(network_id_, *y_c, live_[i].id, proofs[i]);
        });
        HOLDFAST_TRY(for_each_of_height<MissRecord>(
            Table::kMisses, settled,
            [&](std::size_t i, const MissRecord& r) { misses[i] += r.misses(params_); }));
    }
    for (std::size_t i = 0; i < live_.size(); ++i) {
        ChainState& state = live_[i].state;
        // From the height after the one at which the chain took its slot.
        if (!state.holds_slot() || state.sealed_at >= settled.value) continue;
        if (misses[i] == 0 && !state.misses.would_drop(block->ordinal, params_.rate_window)) {
            continue;
        }
        state.misses.add(block->ordinal, misses[i], params_.rate_window);
        live_[i].changed = true;
    }
    return {};
}

/// The links of this height, by the chains that hold a slot in its digest. Others do not go into it
/// and can never be proven: they are dropped.
Status Closing::load_links(std::vector<std::optional<Link>>& out) {
    std::vector<Bytes> dropped;
    std::size_t at = 0;
    const auto visit = [&](ByteView key, ByteView value) -> Result<bool> {
        KeyReader r(key);
        (void)r.height();
        const auto chain_id = r.fixed<ChainId>();
        while (at < live_.size() && live_[at].id < chain_id) ++at;
        const bool holds =
            at < live_.size() && live_[at].id == chain_id && live_[at].state.holds_slot();
        // A height without y counts for nobody: no link.
        if (!holds || !block_.info.y) {
            dropped.emplace_back(key.begin(), key.end());
            return true;
        }
        HOLDFAST_ASSIGN(state, LinkState::decode(value));
        out[at] = state.link;
        return true;
    };
    HOLDFAST_TRY(txn_.for_each(Table::kLinks, height_key(height_).bytes(), visit));
    for (const Bytes& key : dropped) HOLDFAST_TRY(txn_.erase(Table::kLinks, key));
    return {};
}

Status Closing::write_leaves(const std::vector<ChainId>& suspended) {
    std::vector<std::optional<Link>> links(live_.size());
    HOLDFAST_TRY(load_links(links));
    const std::set<ChainId> late(suspended.begin(), suspended.end());
    for (std::size_t i = 0; i < live_.size(); ++i) {
        if (!live_[i].state.holds_slot()) continue;
        HOLDFAST_TRY(write_leaf(live_[i], links[i], late.contains(live_[i].id)));
    }
    return {};
}

Status Closing::write_leaf(Live& live, const std::optional<Link>& link, bool suspended) {
    ChainState& state = live.state;
    const std::optional<ChainLeaf> before = tree_.leaf(state.slot);
    if (!before || before->chain_id != live.id)
        return corrupt_registry("a slot is not its chain's");
    ChainLeaf leaf = *before;
    if (link) {
        leaf.link = *link;
        leaf.link_height = height_;
    }
    StatusFacts facts;
    facts.age = height_.since(state.genesis);
    facts.retention = state.retention;
    facts.misses = state.misses.sum();
    facts.removal_requested = state.removal_at <= height_.value;
    facts.suspended = suspended || state.audits_missed > 0;
    facts.part_taken = state.taken_at <= height_.value;
    leaf.status = status_in_digest(params_, facts);
    if (leaf != *before) tree_.set(state.slot, leaf);
    ++counts_.total;
    switch (leaf.status) {
        case ChainStatus::kActive:
            ++counts_.active;
            break;
        case ChainStatus::kLate:
            ++counts_.late;
            break;
        case ChainStatus::kRemoving:
            ++counts_.removing;
            break;
        case ChainStatus::kExpired:
            ++counts_.expired;
            break;
    }
    if (leaf.status != ChainStatus::kExpired) return {};
    note(EffectKind::kExpired, live.id, facts.misses);
    const Height vacant = height_ + 1;
    state.vacant_from = vacant.value;
    live.changed = true;
    return schedule(txn_, {vacant, AgendaItem::kVacate, live.id, 0});
}

Status Closing::store_chains() {
    for (const Live& live : live_) {
        if (!live.changed) continue;
        HOLDFAST_TRY(save(txn_, Table::kStates, chain_key(live.id), live.state));
    }
    return {};
}

// --- the tree ------------------------------------------------------------------------------------

Status Closing::store_tree() {
    const std::vector<HierarchyTree::GroupPlace> changed = tree_.rehash(threads_);
    for (const HierarchyTree::GroupPlace& place : changed) {
        const HierarchyTree::GroupView group = tree_.group(place);
        HOLDFAST_TRY(save(txn_, Table::kLeaves, group_height_key(place, height_),
                          GroupRecord{group.active, group.leaves}));
        // Older leaves of the group, but for those that the oldest kept height needs.
        HOLDFAST_ASSIGN(oldest,
                        txn_.last_at_most(Table::kLeaves, group_key(place).bytes(),
                                          group_height_key(place, height_ - kept_).bytes()));
        if (!oldest) continue;
        const Bytes keep = oldest->first;
        HOLDFAST_TRY(
            txn_.erase_range(Table::kLeaves, group_height_key(place, Height(0)).bytes(), keep));
    }
    HOLDFAST_TRY(
        txn_.put(Table::kRegions, height_key(height_).bytes(), encode_regions(summaries(tree_))));
    HOLDFAST_TRY(txn_.put(Table::kEffects, height_key(height_).bytes(), encode_effects(effects_)));
    GlobalHeader header;
    header.height = height_;
    header.block_hash = block_.info.hash;
    header.y = block_.info.y.value_or(VdfOutput{});
    HOLDFAST_ASSIGN(previous, w_.impl.global_before(txn_, height_));
    header.previous = previous;
    block_.info.global = tree_.global(network_id_, header);
    block_.info.regions = tree_.regions();
    block_.info.counts = counts_;
    return save(txn_, Table::kBlocks, height_key(height_), block_);
}

Status Closing::forget() {
    const Height none(0);
    if (height_.since(params_.genesis_height) >= params_.proof_deadline) {
        const Key settled = height_key(height_ - params_.proof_deadline + 1);
        for (const Table table : {Table::kLinks, Table::kMisses}) {
            HOLDFAST_TRY(txn_.erase_range(table, height_key(none).bytes(), settled.bytes()));
        }
    }
    const Key remembered = height_key(height_ - params_.liability_blocks);
    HOLDFAST_TRY(
        txn_.erase_range(Table::kCheckpoints, height_key(none).bytes(), remembered.bytes()));
    const Key oldest = height_key(height_ - kept_);
    for (const Table table : {Table::kRegions, Table::kEffects}) {
        HOLDFAST_TRY(txn_.erase_range(table, height_key(none).bytes(), oldest.bytes()));
    }
    return {};
}

}  // namespace holdfast
