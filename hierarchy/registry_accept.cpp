// What others hand in. Each call: what is needed is read, the verifier set judges without any
// transaction open, then one writing transaction looks again at whatever a block in between may
// have changed, and writes.
#include <algorithm>
#include <map>
#include <utility>

#include "hierarchy/registry_impl.hpp"
#include "proofs/batch.hpp"

namespace holdfast {
namespace {

Verdict receipt_timing(const MachineState& machine, Height height) {
    if (machine.tip == kNever || height.value > machine.tip) return Reason::kTooEarly;
    if (machine.closed != kNever && height.value <= machine.closed) return Reason::kTooLate;
    return Verdict::ok();
}

}  // namespace

// --- registrations, updates, removals ------------------------------------------------------------

Result<Verdict> Registry::accept_registration(const Registration& registration) {
    const Verdict form = check_registration(impl_->params, impl_->network_id, registration);
    if (!form) return form;
    const std::lock_guard writing(impl_->writer);
    HOLDFAST_ASSIGN(txn, impl_->store->write());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    if (machine.tip == kNever) return Verdict(Reason::kTooEarly);
    const Height accepted(machine.tip);
    HOLDFAST_ASSIGN(
        genesis, load<StoredBlock>(txn, Table::kBlocks, height_key(registration.genesis_height)));
    const std::optional<BlockHash> hash =
        genesis ? std::optional(genesis->info.hash) : std::nullopt;
    const Verdict timely = check_acceptance(registration, hash, accepted);
    if (!timely) return timely;
    const ChainId chain_id = registration.chain_id(impl_->network_id);
    const ReplicaId replica_id = registration.replica_id(impl_->network_id);
    HOLDFAST_ASSIGN(chain_held, txn.contains(Table::kChains, view(chain_id)));
    HOLDFAST_ASSIGN(replica_held, txn.contains(Table::kReplicas, view(replica_id)));
    if (chain_held || replica_held) return Verdict(Reason::kAlreadyRegistered);

    ChainRecord record;
    record.registration = registration;
    record.accepted = accepted;
    const Height challenge = accepted + impl_->params.seal_delay;
    ChainState state;
    state.challenge_from = challenge.value;
    state.genesis = registration.genesis_height;
    state.retention = registration.retention;
    HOLDFAST_TRY(save(txn, Table::kChains, chain_key(chain_id), record));
    HOLDFAST_TRY(save(txn, Table::kStates, chain_key(chain_id), state));
    HOLDFAST_TRY(txn.put(Table::kReplicas, view(replica_id), view(chain_id)));
    HOLDFAST_TRY(schedule(txn, {challenge, AgendaItem::kSealChallenge, chain_id, 0}));
    ++machine.registrations;
    ++machine.pending;
    HOLDFAST_TRY(save_machine(txn, machine));
    HOLDFAST_TRY(txn.commit());
    return Verdict::ok();
}

namespace {

/// A chain that may still sign updates and removals: pending or sealed.
struct SigningChain {
    ChainRecord record;
    ChainState state;
    ChainHistory history;
};

Result<Checked<SigningChain>> load_signing_chain(const Transaction& txn, const ChainId& chain_id) {
    HOLDFAST_ASSIGN(record, load<ChainRecord>(txn, Table::kChains, chain_key(chain_id)));
    if (!record) return Checked<SigningChain>(refuse(Reason::kUnknownChain));
    HOLDFAST_ASSIGN(state, load<ChainState>(txn, Table::kStates, chain_key(chain_id)));
    if (!state || state->phase == ChainPhase::kLiable) {
        return Checked<SigningChain>(refuse(Reason::kNoSlot));
    }
    HOLDFAST_ASSIGN(commitments, load_commitments(txn, chain_id, record->registration));
    ChainHistory history{chain_id, record->registration.header.prover, state->last_sequence,
                         commitments.back().base};
    return Checked<SigningChain>(SigningChain{*record, *state, history});
}

}  // namespace

Result<Verdict> Registry::accept_update(const Update& update) {
    const std::lock_guard writing(impl_->writer);
    HOLDFAST_ASSIGN(txn, impl_->store->write());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    HOLDFAST_ASSIGN(found, load_signing_chain(txn, update.chain_id));
    if (!found) return found.error();
    const Verdict v =
        check_update(impl_->params, impl_->network_id, update, found->history, Height(machine.tip));
    if (!v) return v;
    found->state.last_sequence = update.sequence;
    HOLDFAST_TRY(save(txn, Table::kStates, chain_key(update.chain_id), found->state));
    HOLDFAST_TRY(save(txn, Table::kUpdates, update_key(update.chain_id, update.sequence), update));
    HOLDFAST_TRY(txn.commit());
    return Verdict::ok();
}

Result<Verdict> Registry::accept_removal(const Removal& removal) {
    const std::lock_guard writing(impl_->writer);
    HOLDFAST_ASSIGN(txn, impl_->store->write());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    HOLDFAST_ASSIGN(found, load_signing_chain(txn, removal.chain_id));
    if (!found) return found.error();
    ChainState& state = found->state;
    if (state.phase == ChainPhase::kPending) return Verdict(Reason::kNoSlot);
    if (state.removal_at != kNever) return Verdict(Reason::kAlreadyRemoved);
    const Height accepted(machine.tip);
    const Verdict v = check_removal(impl_->network_id, removal, found->history, accepted);
    if (!v) return v;
    const Height vacant = accepted + impl_->params.removal_delay;
    state.last_sequence = removal.sequence;
    state.removal_at = accepted.value;
    state.vacant_from = std::min(state.vacant_from, vacant.value);
    HOLDFAST_TRY(save(txn, Table::kStates, chain_key(removal.chain_id), state));
    HOLDFAST_TRY(save(txn, Table::kRemovals, chain_key(removal.chain_id), removal));
    HOLDFAST_TRY(schedule(txn, {vacant, AgendaItem::kVacate, removal.chain_id, 0}));
    HOLDFAST_TRY(txn.commit());
    return Verdict::ok();
}

// --- seal proofs ---------------------------------------------------------------------------------

namespace {

/// The duties that a proof for y of `y_height` answers, or why it answers none.
Checked<std::vector<SealDuty>> duties_for(const std::vector<SealDuty>& duties,
                                          const MachineState& machine, Height y_height) {
    std::vector<SealDuty> out;
    for (const SealDuty& duty : duties) {
        if (duty.y_height == y_height) out.push_back(duty);
    }
    if (out.empty()) return refuse(Reason::kWrongHeight);
    if (out.front().deadline->value < machine.tip) return refuse(Reason::kTooLate);
    return out;
}

}  // namespace

Result<Verdict> Registry::accept_seal_proof(ByteView body) {
    Reader r(body);
    const auto chain_id = r.fixed<ChainId>();
    const Height y_height = r.height();
    if (r.failed()) return r.verdict();
    return accept_seal_proof(
        chain_id, y_height, [&](const Registration& registration, const SealContext& known) {
            return verify_seal_proof(impl_->params, impl_->network_id, registration, known, body);
        });
}

Result<Verdict> Registry::accept_seal_proof(const ChainId& chain_id, Height y_height,
                                            const SealCheck& check) {
    SealContext known;
    ChainRecord chain;
    {
        HOLDFAST_ASSIGN(txn, impl_->store->read());
        HOLDFAST_ASSIGN(machine, load_machine(txn));
        HOLDFAST_ASSIGN(record, load<ChainRecord>(txn, Table::kChains, chain_key(chain_id)));
        if (!record) return Verdict(Reason::kUnknownChain);
        if (record->end == ChainPhase::kVoid) return Verdict(Reason::kTooLate);
        HOLDFAST_ASSIGN(duties, impl_->duties(txn, chain_id));
        const auto due = duties_for(duties, machine, y_height);
        if (!due) return due.error();
        chain = *record;
        known = {y_height, *due->front().y, due->front().kind};
    }
    HOLDFAST_ASSIGN(checked, check(chain.registration, known));
    if (!checked) return checked;

    const std::lock_guard writing(impl_->writer);
    HOLDFAST_ASSIGN(txn, impl_->store->write());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    HOLDFAST_ASSIGN(duties, impl_->duties(txn, chain_id));
    const auto due = duties_for(duties, machine, y_height);
    if (!due) {
        // Due when it was checked: a block has passed the deadline since, or a twin was faster.
        return Verdict(due.error().reason == Reason::kTooLate ? Reason::kTooLate
                                                              : Reason::kAlreadySettled);
    }
    for (const SealDuty& duty : *due) {
        if (duty.kind == SealProofKind::kAudit) {
            HOLDFAST_TRY(txn.erase(Table::kAudits, chain_height_key(chain_id, duty.drawn).bytes()));
            continue;
        }
        HOLDFAST_ASSIGN(state, load<ChainState>(txn, Table::kStates, chain_key(chain_id)));
        if (!state) return corrupt_registry("a chain's state is missing");
        state->phase = ChainPhase::kSealed;
        state->sealed_at = machine.tip;
        --machine.pending;
        ++machine.sealed;
        HOLDFAST_TRY(save(txn, Table::kStates, chain_key(chain_id), *state));
        HOLDFAST_TRY(schedule(txn, {Height(machine.tip), AgendaItem::kPlace, chain_id, 0}));
        HOLDFAST_TRY(save_machine(txn, machine));
    }
    HOLDFAST_TRY(txn.commit());
    return Verdict::ok();
}

// --- receipts ------------------------------------------------------------------------------------

namespace {

/// Whether a receipt may be taken now, before its signature is looked at.
Result<Verdict> admit_receipt(const Transaction& txn, const MachineState& machine,
                              const SubmittedReceipt& submitted) {
    const Height height = submitted.receipt.height;
    const Verdict timing = receipt_timing(machine, height);
    if (!timing) return timing;
    const Key key = chain_key(submitted.chain_id);
    HOLDFAST_ASSIGN(state, load<ChainState>(txn, Table::kStates, key));
    if (state) return Verdict(state->in_digest(height) ? Reason::kOk : Reason::kNoSlot);
    HOLDFAST_ASSIGN(known, txn.contains(Table::kChains, key.bytes()));
    return Verdict(known ? Reason::kNoSlot : Reason::kUnknownChain);
}

Status store_receipt(Transaction& txn, const SubmittedReceipt& submitted, ReceiptOutcome& out) {
    const Key key = height_chain_key(submitted.receipt.height, submitted.chain_id);
    HOLDFAST_ASSIGN(found, load<ReceiptRecord>(txn, Table::kReceipts, key));
    if (found && found->receipt.link == submitted.receipt.link) {
        out.already_known = true;
        return {};
    }
    if (found) {
        out.conflicting = found->receipt;
        if (found->receipt.link < submitted.receipt.link) return {};
    }
    return save(txn, Table::kReceipts, key, ReceiptRecord{submitted.receipt, LinkProof::kNone});
}

}  // namespace

Result<std::vector<ReceiptOutcome>> Registry::accept_receipts(
    std::span<const SubmittedReceipt> receipts) {
    std::vector<ReceiptOutcome> out(receipts.size());
    {
        HOLDFAST_ASSIGN(txn, impl_->store->read());
        HOLDFAST_ASSIGN(machine, load_machine(txn));
        std::map<Height, KnownHeight> heights;
        std::map<ChainId, KnownChain> chains;
        std::vector<ReceiptItem> items;
        std::vector<std::size_t> positions;
        for (std::size_t i = 0; i < receipts.size(); ++i) {
            const Height height = receipts[i].receipt.height;
            HOLDFAST_ASSIGN(admitted, admit_receipt(txn, machine, receipts[i]));
            out[i].verdict = admitted;
            if (!admitted) continue;
            if (!heights.contains(height)) {
                HOLDFAST_ASSIGN(known, impl_->known_height(txn, height));
                heights.emplace(height, known);
            }
            const ChainId& id = receipts[i].chain_id;
            if (!chains.contains(id)) {
                HOLDFAST_ASSIGN(record, load<ChainRecord>(txn, Table::kChains, chain_key(id)));
                if (!record) return corrupt_registry("a chain is missing");
                chains.emplace(id, KnownChain::of(impl_->network_id, record->registration));
            }
            items.push_back({&chains.at(id), &heights.at(height), &receipts[i].receipt});
            positions.push_back(i);
        }
        const std::vector<Verdict> verdicts =
            verify_receipts(impl_->network_id, items, impl_->options.threads);
        for (std::size_t i = 0; i < items.size(); ++i) out[positions[i]].verdict = verdicts[i];
    }
    const std::lock_guard writing(impl_->writer);
    HOLDFAST_ASSIGN(txn, impl_->store->write());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    for (std::size_t i = 0; i < receipts.size(); ++i) {
        if (!out[i].verdict) continue;
        HOLDFAST_ASSIGN(admitted, admit_receipt(txn, machine, receipts[i]));
        out[i].verdict = admitted;
        if (admitted) HOLDFAST_TRY(store_receipt(txn, receipts[i], out[i]));
    }
    HOLDFAST_TRY(txn.commit());
    return out;
}

// --- proofs of links -----------------------------------------------------------------------------

namespace {

/// What stands for the link that a proof is about, or why the proof is not looked at.
Result<Checked<ReceiptRecord>> admit_proof(const Transaction& txn, const MachineState& machine,
                                           Height last_tip, const AnyProof& proof) {
    using Admitted = Checked<ReceiptRecord>;
    const Receipt& receipt = receipt_of(proof);
    const Height height = receipt.height;
    if (machine.closed == kNever || height.value > machine.closed) {
        return Admitted(refuse(Reason::kTooEarly));
    }
    if (machine.tip > last_tip.value) return Admitted(refuse(Reason::kTooLate));
    HOLDFAST_ASSIGN(known, txn.contains(Table::kChains, view(chain_of(proof))));
    if (!known) return Admitted(refuse(Reason::kUnknownChain));
    HOLDFAST_ASSIGN(record, load<ReceiptRecord>(txn, Table::kReceipts,
                                                height_chain_key(height, chain_of(proof))));
    // Of a closed height only those whose link went into its digest are left.
    if (!record || record->receipt.link != receipt.link) {
        return Admitted(refuse(Reason::kNotInDigest));
    }
    return Admitted(*record);
}

Status note_proven_reveal(Transaction& txn, const KnownChain& chain, Height height,
                          const Reveal& reveal) {
    if (!chain.reveals) return {};
    const Key key = chain_height_key(chain.id, chain.reveals->base);
    const std::uint64_t i = height.since(chain.reveals->base);
    HOLDFAST_ASSIGN(stored, txn.get(Table::kReveals, key.bytes()));
    if (stored) {
        HOLDFAST_ASSIGN(known, decode_known_reveal(*stored));
        if (known.i >= i) return {};
    }
    return txn.put(Table::kReveals, key.bytes(), encode_known_reveal({i, reveal}));
}

LinkProof proof_kind(const AnyProof& proof) {
    return std::holds_alternative<Full>(proof) ? LinkProof::kFull : LinkProof::kCompact;
}

}  // namespace

Result<std::vector<Verdict>> Registry::accept_proofs(std::span<const AnyProof> proofs) {
    std::vector<Verdict> out(proofs.size());
    std::vector<std::optional<KnownChain>> chains(proofs.size());
    {
        HOLDFAST_ASSIGN(txn, impl_->store->read());
        HOLDFAST_ASSIGN(machine, load_machine(txn));
        std::map<Height, KnownHeight> common;
        std::map<Height, StoredLeaves> anchors;
        std::vector<KnownHeight> heights(proofs.size());
        std::vector<ProofItem> items;
        std::vector<std::size_t> positions;
        for (std::size_t i = 0; i < proofs.size(); ++i) {
            const Height height = receipt_of(proofs[i]).height;
            const ChainId& chain_id = chain_of(proofs[i]);
            HOLDFAST_ASSIGN(admitted,
                            admit_proof(txn, machine, impl_->last_proof_tip(height), proofs[i]));
            out[i] = admitted ? Verdict::ok() : admitted.error();
            if (!admitted) continue;
            HOLDFAST_ASSIGN(slot, load_slot(txn, chain_id));
            if (!slot) return corrupt_registry("a chain with a link has no slot");
            if (!common.contains(height)) {
                HOLDFAST_ASSIGN(known, impl_->known_height(txn, height));
                common.emplace(height, known);
            }
            heights[i] = common.at(height);
            heights[i].link_before = Link(chain_id);
            if (const auto at = anchor_height(impl_->params, height)) {
                StoredLeaves& leaves =
                    anchors.try_emplace(*at, txn, impl_->shape(), *at).first->second;
                HOLDFAST_ASSIGN(leaf, leaves.leaf(*slot));
                if (leaf && leaf->chain_id == chain_id) heights[i].link_before = leaf->link;
            }
            HOLDFAST_ASSIGN(record, load<ChainRecord>(txn, Table::kChains, chain_key(chain_id)));
            if (!record) return corrupt_registry("a chain is missing");
            HOLDFAST_ASSIGN(chain, load_known_chain(txn, impl_->network_id, chain_id,
                                                    record->registration, height));
            chains[i] = chain;
            items.push_back({&*chains[i], &heights[i], &proofs[i]});
            positions.push_back(i);
        }
        const std::vector<Verdict> verdicts =
            verify_proofs(impl_->params, impl_->network_id, items, impl_->options.threads);
        for (std::size_t i = 0; i < items.size(); ++i) out[positions[i]] = verdicts[i];
    }
    const std::lock_guard writing(impl_->writer);
    HOLDFAST_ASSIGN(txn, impl_->store->write());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    for (std::size_t i = 0; i < proofs.size(); ++i) {
        if (!out[i]) continue;
        const Height height = receipt_of(proofs[i]).height;
        HOLDFAST_ASSIGN(admitted,
                        admit_proof(txn, machine, impl_->last_proof_tip(height), proofs[i]));
        if (!admitted) {
            out[i] = admitted.error();
            continue;
        }
        admitted->proof = std::max(admitted->proof, proof_kind(proofs[i]));
        HOLDFAST_TRY(
            save(txn, Table::kReceipts, height_chain_key(height, chain_of(proofs[i])), *admitted));
        HOLDFAST_TRY(note_proven_reveal(txn, *chains[i], height, reveal_of(proofs[i])));
    }
    HOLDFAST_TRY(txn.commit());
    return out;
}

Result<Verdict> Registry::accept_reveal(const ChainId& chain_id, Height height,
                                        const Reveal& reveal) {
    const std::lock_guard writing(impl_->writer);
    HOLDFAST_ASSIGN(txn, impl_->store->write());
    HOLDFAST_ASSIGN(record, load<ChainRecord>(txn, Table::kChains, chain_key(chain_id)));
    if (!record) return Verdict(Reason::kUnknownChain);
    HOLDFAST_ASSIGN(
        chain, load_known_chain(txn, impl_->network_id, chain_id, record->registration, height));
    if (!chain.reveals) return Verdict(Reason::kNoEntropy);
    const Checked<std::uint64_t> i = reveal_index(chain.reveals->base, height);
    if (!i) return i.error();
    const Verdict v = check_reveal(impl_->network_id, view(chain.replica_id), chain.reveals->known,
                                   *i, reveal, reveal_limit(impl_->params));
    if (!v) return v;
    HOLDFAST_TRY(note_proven_reveal(txn, chain, height, reveal));
    HOLDFAST_TRY(txn.commit());
    return Verdict::ok();
}

// --- availability --------------------------------------------------------------------------------

Result<Verdict> Registry::note_invalid_response(const ChainId& chain_id, Height height) {
    const std::lock_guard writing(impl_->writer);
    HOLDFAST_ASSIGN(txn, impl_->store->write());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    if (machine.tip == kNever || height.value > machine.tip) return Verdict(Reason::kTooEarly);
    const Height settled = height + impl_->params.proof_deadline;
    if (machine.closed != kNever && settled.value <= machine.closed) {
        return Verdict(Reason::kTooLate);
    }
    HOLDFAST_ASSIGN(known, txn.contains(Table::kChains, view(chain_id)));
    if (!known) return Verdict(Reason::kUnknownChain);
    const Key key = height_chain_key(height, chain_id);
    HOLDFAST_ASSIGN(found, load<MissRecord>(txn, Table::kMisses, key));
    MissRecord record = found.value_or(MissRecord{});
    if (record.invalid_response) return Verdict(Reason::kAlreadySettled);
    record.invalid_response = true;
    HOLDFAST_TRY(save(txn, Table::kMisses, key, record));
    HOLDFAST_TRY(txn.commit());
    return Verdict::ok();
}

}  // namespace holdfast
