// What falls due in the digest of a height: ends, new chains, seal challenges and deadlines,
// audits, liability.
#include "hierarchy/availability_state.hpp"
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
    if (entry.item == AgendaItem::kLiabilityEnd && entry.argument != 0) return role_end(entry);
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
    HOLDFAST_TRY(
        take_chain_part(w_, entry.chain_id, height_,
                        chain_case(network_id_, entry.chain_id, height_, ChainCase::kVoided),
                        CaseKind::kChain, {}));
    HOLDFAST_ASSIGN(now, load<ChainState>(txn_, Table::kStates, chain_key(entry.chain_id)));
    if (!now) return corrupt_registry("a chain's state is missing");
    return end_chain(entry.chain_id, *now, ChainPhase::kVoid);
}

/// From the next height on whose y can be known to nobody now.
Status Closing::open_audit(const ChainId& chain_id) {
    const Height from = height_ + params_.seal_delay;
    HOLDFAST_TRY(save(txn_, Table::kAudits, chain_height_key(chain_id, height_),
                      AuditRecord{from.value, 0}));
    HOLDFAST_TRY(schedule(txn_, {from, AgendaItem::kAuditChallenge, chain_id, height_.value}));
    note(EffectKind::kAuditDrawn, chain_id);
    return {};
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

/// An audit stays open until it is answered, and is missed at every deadline until then.
Status Closing::audit_deadline(const AgendaEntry& entry, ChainState& state) {
    constexpr std::uint8_t kLastMiss = 3;
    const Key key = chain_height_key(entry.chain_id, Height(entry.argument));
    HOLDFAST_ASSIGN(audit, load<AuditRecord>(txn_, Table::kAudits, key));
    if (!audit) return {};  // answered
    ++audit->missed;
    note(EffectKind::kAuditMissed, entry.chain_id, entry.argument);
    if (state.phase == ChainPhase::kSealed) {
        const Key at = height_chain_key(height_, entry.chain_id);
        HOLDFAST_ASSIGN(record, load<MissRecord>(txn_, Table::kMisses, at));
        MissRecord misses = record.value_or(MissRecord{});
        ++misses.audits;
        HOLDFAST_TRY(save(txn_, Table::kMisses, at, misses));
    }
    if (audit->missed == 1) {
        ++state.audits_missed;
        HOLDFAST_TRY(save(txn_, Table::kStates, chain_key(entry.chain_id), state));
    }
    if (audit->missed == kLastMiss) return third_miss(entry, key);
    HOLDFAST_TRY(save(txn_, Table::kAudits, key, *audit));
    return schedule(txn_,
                    later(entry, height_ + params_.seal_deadline, AgendaItem::kAuditDeadline));
}

Status Closing::third_miss(const AgendaEntry& entry, const Key& audit) {
    HOLDFAST_TRY(txn_.erase(Table::kAudits, audit.bytes()));
    HOLDFAST_ASSIGN(state, load<ChainState>(txn_, Table::kStates, chain_key(entry.chain_id)));
    if (!state) return corrupt_registry("a chain's state is missing");
    --state->audits_missed;
    HOLDFAST_TRY(save(txn_, Table::kStates, chain_key(entry.chain_id), *state));
    if (!state->has_part()) return {};
    note(EffectKind::kBondForfeited, entry.chain_id, entry.argument);
    return take_chain_part(w_, entry.chain_id, height_,
                           chain_case(network_id_, entry.chain_id, height_, ChainCase::kForfeited),
                           CaseKind::kChain, {});
}

/// First the last audit is drawn; when nothing is open any more, the part goes back.
Status Closing::liability_end(const AgendaEntry& entry, ChainState& state) {
    if (state.has_part() && !state.last_audit) {
        state.last_audit = true;
        HOLDFAST_TRY(save(txn_, Table::kStates, chain_key(entry.chain_id), state));
        return open_audit(entry.chain_id);
    }
    HOLDFAST_ASSIGN(open, txn_.first_key(Table::kAudits, view(entry.chain_id)));
    if (open && state.has_part()) return {};  // whoever answers the last one comes back here
    --machine_.liable;
    ++machine_.ended;
    if (state.has_part()) {
        note(EffectKind::kBondReleased, entry.chain_id);
        HOLDFAST_ASSIGN(back, w_.bonds.release(BondPurpose::kStorage, entry.chain_id,
                                               chain_case(network_id_, entry.chain_id, height_,
                                                          ChainCase::kReleased),
                                               CaseKind::kChain));
        (void)back;
    }
    return end_chain(entry.chain_id, state, ChainPhase::kEnded);
}

/// The liability of somebody who has left its role is over.
Status Closing::role_end(const AgendaEntry& entry) {
    const BondId bond(entry.chain_id);
    const auto role = static_cast<BondPurpose>(entry.argument);
    HOLDFAST_ASSIGN(found, w_.bonds.bond(bond));
    if (!found) return corrupt_registry("a bond is missing");
    const Digest holder{found->owner.bytes};
    HOLDFAST_ASSIGN(part, w_.bonds.part(role, holder));
    const bool ending =
        part && part->bond == bond && Height(part->until) + params_.liability_blocks == height_;
    if (!ending) return {};  // taken meanwhile
    HOLDFAST_ASSIGN(back, w_.bonds.release(role, holder,
                                           bond_case(network_id_, bond,
                                                     static_cast<std::uint8_t>(role), height_),
                                           CaseKind::kBond));
    (void)back;
    return {};
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
    record->part_taken = !state.has_part();
    HOLDFAST_TRY(save(txn_, Table::kChains, key, *record));
    for (;;) {  // of a chain that has lost its part, some may be open
        HOLDFAST_ASSIGN(audit, txn_.first_key(Table::kAudits, key.bytes()));
        if (!audit) break;
        HOLDFAST_TRY(txn_.erase(Table::kAudits, *audit));
    }
    HOLDFAST_TRY(availability_of(w_).forget_chain(chain_id));
    return txn_.erase(Table::kStates, key.bytes());
}

}  // namespace holdfast
