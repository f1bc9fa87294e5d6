// Entries: what a final block does, and y. Objects are in registry_objects.cpp.
#include <utility>

#include "hierarchy/availability_state.hpp"
#include "hierarchy/checkpoints.hpp"
#include "hierarchy/registry_closing_impl.hpp"
#include "proofs/entropy.hpp"
#include "proofs/journal.hpp"

namespace holdfast {
namespace {

/// Above this no deadline or effective height could be computed any more.
constexpr std::uint64_t kMaxHeight = std::uint64_t{1} << 62;

/// Whether the block was fed before; an error unless it is that or the next one.
Result<bool> known_block(const Transaction& txn, const MachineState& machine, Height first,
                         const FinalBlock& block) {
    if (block.height.value >= kMaxHeight) {
        return fail(ErrorCode::kInvalidArgument, "no block has a height over 2^62");
    }
    const Height next = machine.tip == kNever ? first : Height(machine.tip) + 1;
    if (block.height < next && block.height >= first) {
        HOLDFAST_ASSIGN(known, load<StoredBlock>(txn, Table::kBlocks, height_key(block.height)));
        if (!known) return corrupt_registry("a block is missing");
        if (known->info.hash == block.hash) return true;
        return fail_refused(Reason::kWrongBlock,
                            "block " + std::to_string(block.height.value) +
                                ": another one is final here, and final blocks stay");
    }
    if (block.height == next) return false;
    return fail(ErrorCode::kInvalidArgument, "block " + std::to_string(block.height.value) +
                                                 " was fed where " + std::to_string(next.value) +
                                                 " comes next");
}

/// y of networks whose y follows from the block.
VdfOutput seed_of(const Registry::Impl& impl, const FinalBlock& block) {
    return seed_as_output(
        make_seed(impl.params, impl.network_id, block.height, block.hash, std::nullopt).value());
}

}  // namespace

/// Spec 15.2, in its order.
Status Registry::Impl::take_block(Transaction& txn, MachineState& machine, const FinalBlock& block,
                                  const SealCheck& check, BlockOutcome& out) {
    Working w(*this, txn, machine);
    if (const std::optional<Height> closes = anchor_height(params, block.height)) {
        HOLDFAST_ASSIGN(closed, Closing(w, *closes).run());
        out.closed = std::move(closed);
    }
    StoredBlock stored;
    stored.info.height = block.height;
    stored.info.hash = block.hash;
    stored.info.time_ms = block.time_ms;
    if (!params.has_operator() && !params.has_vdf) stored.info.y = seed_of(*this, block);
    HOLDFAST_TRY(save(txn, Table::kBlocks, height_key(block.height), stored));
    machine.tip = block.height.value;
    for (const BondEvent& event : block.listed.bonds) {
        HOLDFAST_TRY(w.bonds.take_event(event, block.height));
    }
    HOLDFAST_TRY(take_listed(w, block, check, out.objects));
    HOLDFAST_TRY(availability_of(w).on_block());
    HOLDFAST_TRY(append_block(txn, {block.height, block.hash, block.time_ms}));
    HOLDFAST_TRY(save_machine(txn, machine));
    if (out.closed) HOLDFAST_TRY(store_head(w, *out.closed));
    return forget_entries(*this, txn, block.height);
}

Result<BlockOutcome> Registry::on_final_block(const FinalBlock& block, const SealCheck& check) {
    const std::lock_guard writing(impl_->writer);
    if (impl_->broken) return fail(*impl_->broken);
    HOLDFAST_ASSIGN(txn, impl_->store->write());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    HOLDFAST_ASSIGN(known, known_block(txn, machine, impl_->params.genesis_height, block));
    BlockOutcome outcome;
    outcome.already_known = known;
    if (known) return outcome;
    impl_->store->forget_dead_readers();
    const std::unique_lock changing(impl_->memory);
    Status done = impl_->take_block(txn, machine, block, check, outcome);
    if (done) done = txn.commit();
    if (done) return outcome;
    // Nothing was written, but the tree in memory may have gone ahead.
    const Status back = impl_->reload();
    if (!back) impl_->broken = back.error();
    return fail(done.error());
}

Result<Verdict> take_output(Transaction& txn, Height height, const VdfOutput& y, bool& changed) {
    changed = false;
    HOLDFAST_ASSIGN(block, load<StoredBlock>(txn, Table::kBlocks, height_key(height)));
    if (!block) return Verdict(Reason::kTooEarly);
    if (block->info.y) {
        return Verdict(*block->info.y == y ? Reason::kOk : Reason::kWrongOutput);
    }
    if (block->info.closed) return Verdict(Reason::kTooLate);
    block->info.y = y;
    changed = true;
    HOLDFAST_TRY(save(txn, Table::kBlocks, height_key(height), *block));
    return Verdict::ok();
}

Result<Verdict> Registry::note_y(Height height, const VdfOutput& y) {
    if (!impl_->params.has_operator()) return Verdict(Reason::kNotOperator);
    const std::lock_guard writing(impl_->writer);
    HOLDFAST_ASSIGN(txn, impl_->store->write());
    bool changed = false;
    HOLDFAST_ASSIGN(verdict, take_output(txn, height, y, changed));
    if (!changed) return verdict;
    HOLDFAST_TRY(append_entry(txn, encode_entry(OutputEntry{height, y})));
    HOLDFAST_TRY(txn.commit());
    return Verdict::ok();
}

}  // namespace holdfast
