// What falls due in the digest of a height: ends, new chains, seal challenges and deadlines,
// audits, liability.
#include "hierarchy/registry_closing_impl.hpp"

namespace holdfast {

// --- what falls due ------------------------------------------------------------------------------

Status Closing::run_agenda() {
    // One entry may put others on the agenda of this very height: always the lowest that is left.
    const Key prefix = height_key(height_);
    for (;;) {
        HOLDFAST_ASSIGN(key, txn_.first_key(Table::kAgenda, prefix.bytes()));
        if (!key) return {};
        HOLDFAST_TRY(txn_.erase(Table::kAgenda, *key));
        HOLDFAST_TRY(run_entry(AgendaEntry::of_key(*key)));
    }
}

Status Closing::run_entry(const AgendaEntry& entry) {
    const Key key = chain_key(entry.chain_id);
    HOLDFAST_ASSIGN(found, load<ChainState>(txn_, Table::kStates, key));
    if (!found) return {};  // ended since the entry was made
    ChainState& state = *found;
    switch (entry.item) {
        case AgendaItem::kVacate:
            return vacate(entry, state);
        case AgendaItem::kPlace:
            return place(entry, state);
        case AgendaItem::kSealChallenge:
            return seal_challenge(entry, state);
        case AgendaItem::kSealDeadline:
            return seal_deadline(entry, state);
        case AgendaItem::kAuditChallenge:
            return audit_challenge(entry);
        case AgendaItem::kAuditDeadline:
            return audit_deadline(entry, state);
        case AgendaItem::kLiabilityEnd:
            return liability_end(entry, state);
    }
    return corrupt_registry("the agenda holds an unknown item");
}

// Spec 10.5.
Status Closing::vacate(const AgendaEntry& entry, ChainState& state) {
    // Another end may have come before this one; a chain that has not been placed yet never will
    // be.
    if (!state.holds_slot() || state.vacant_from != height_.value) return {};
    tree_.clear(state.slot);
    slots_.free(state.slot);
    note(EffectKind::kVacated, entry.chain_id, state.slot);
    return make_liable(entry.chain_id, state);
}

// Spec 10.1.
Status Closing::place(const AgendaEntry& entry, ChainState& state) {
    if (state.vacant_from <= height_.value) return make_liable(entry.chain_id, state);
    state.slot = slots_.take_lowest();
    tree_.set(state.slot,
              {entry.chain_id, Link(entry.chain_id), state.genesis, ChainStatus::kActive});
    note(EffectKind::kPlaced, entry.chain_id, state.slot);
    return save(txn_, Table::kStates, chain_key(entry.chain_id), state);
}

Status Closing::make_liable(const ChainId& chain_id, ChainState& state) {
    state.phase = ChainPhase::kLiable;
    const Height until = height_ + params_.liability_blocks;
    state.liable_until = until.value;
    state.misses = {};
    --machine_.sealed;
    ++machine_.liable;
    HOLDFAST_TRY(schedule(txn_, {until, AgendaItem::kLiabilityEnd, chain_id, 0}));
    return save(txn_, Table::kStates, chain_key(chain_id), state);
}

// Spec 3.1: q, or the next later height with y.
Status Closing::seal_challenge(const AgendaEntry& entry, ChainState& state) {
    if (state.phase != ChainPhase::kPending) return {};
    if (block_.info.y) {
        const Height deadline = height_ + params_.seal_deadline;
        return schedule(txn_, later(entry, deadline, AgendaItem::kSealDeadline));
    }
    state.challenge_from = height_.value + 1;
    HOLDFAST_TRY(save(txn_, Table::kStates, chain_key(entry.chain_id), state));
    return schedule(txn_, later(entry, height_ + 1, AgendaItem::kSealChallenge));
}

// Spec 3.1: without a proof in time the registration is void.
Status Closing::seal_deadline(const AgendaEntry& entry, const ChainState& state) {
    if (state.phase != ChainPhase::kPending) return {};
    --machine_.pending;
    ++machine_.voided;
    note(EffectKind::kVoided, entry.chain_id);
    return end_chain(entry.chain_id, state, ChainPhase::kVoid);
}

Status Closing::audit_challenge(const AgendaEntry& entry) {
    const Key key = chain_height_key(entry.chain_id, Height(entry.argument));
    HOLDFAST_ASSIGN(audit, load<AuditRecord>(txn_, Table::kAudits, key));
    if (!audit) return {};  // answered
    if (block_.info.y) {
        const Height deadline = height_ + params_.seal_deadline;
        return schedule(txn_, later(entry, deadline, AgendaItem::kAuditDeadline));
    }
    audit->from = height_.value + 1;
    HOLDFAST_TRY(save(txn_, Table::kAudits, key, *audit));
    return schedule(txn_, later(entry, height_ + 1, AgendaItem::kAuditChallenge));
}

// Spec 3.1, audits: misses, or the bond where only liability is left.
Status Closing::audit_deadline(const AgendaEntry& entry, ChainState& state) {
    const Key key = chain_height_key(entry.chain_id, Height(entry.argument));
    HOLDFAST_ASSIGN(open, txn_.contains(Table::kAudits, key.bytes()));
    if (!open) return {};
    HOLDFAST_TRY(txn_.erase(Table::kAudits, key.bytes()));
    if (state.phase == ChainPhase::kSealed) {
        note(EffectKind::kAuditMissed, entry.chain_id, entry.argument);
        const Key at = height_chain_key(height_, entry.chain_id);
        HOLDFAST_ASSIGN(record, load<MissRecord>(txn_, Table::kMisses, at));
        MissRecord misses = record.value_or(MissRecord{});
        ++misses.audits;
        return save(txn_, Table::kMisses, at, misses);
    }
    if (state.bond_forfeited) return {};
    state.bond_forfeited = true;
    note(EffectKind::kBondForfeited, entry.chain_id, entry.argument);
    return save(txn_, Table::kStates, chain_key(entry.chain_id), state);
}

// Spec 10.5.
Status Closing::liability_end(const AgendaEntry& entry, const ChainState& state) {
    HOLDFAST_ASSIGN(audit, txn_.first_key(Table::kAudits, view(entry.chain_id)));
    if (audit) return schedule(txn_, later(entry, height_ + 1, AgendaItem::kLiabilityEnd));
    --machine_.liable;
    ++machine_.ended;
    if (!state.bond_forfeited) note(EffectKind::kBondReleased, entry.chain_id);
    return end_chain(entry.chain_id, state, ChainPhase::kEnded);
}

Status Closing::end_chain(const ChainId& chain_id, const ChainState& state, ChainPhase end) {
    const Key key = chain_key(chain_id);
    HOLDFAST_ASSIGN(record, load<ChainRecord>(txn_, Table::kChains, key));
    if (!record) return corrupt_registry("a chain is missing");
    record->end = end;
    record->last_sequence = state.last_sequence;
    record->sealed_at = state.sealed_at;
    record->slot = state.slot;
    record->removal_at = state.removal_at;
    record->vacant_from = state.vacant_from;
    record->liable_until = state.liable_until;
    record->bond_forfeited = state.bond_forfeited;
    HOLDFAST_TRY(save(txn_, Table::kChains, key, *record));
    return txn_.erase(Table::kStates, key.bytes());
}

}  // namespace holdfast
