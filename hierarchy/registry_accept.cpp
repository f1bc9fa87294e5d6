// What others hand in. Each call: what is needed is read, the trusted rooms judge without any
// transaction open, then one writing transaction looks again at whatever a block in between may
// have changed, and writes.
#include <algorithm>
#include <utility>

#include "hierarchy/checkpoints.hpp"
#include "hierarchy/registry_impl.hpp"
#include "storage/parallel.hpp"

namespace holdfast {

// --- registrations, updates, removals ------------------------------------------------------------

namespace {

/// A registration and what follows from its bytes alone.
struct JudgedRegistration {
    const Registration* registration = nullptr;
    Verdict form;
    ChainId chain_id;
    ReplicaId replica_id;
};

std::vector<JudgedRegistration> judge_registrations(const NetworkParams& params,
                                                    const NetworkId& network_id,
                                                    std::span<const Registration> registrations,
                                                    unsigned threads) {
    std::vector<JudgedRegistration> out(registrations.size());
    for_each_parallel(out.size(), threads, [&](std::size_t i) {
        const Registration& r = registrations[i];
        out[i] = {&r, check_registration(params, network_id, r), {}, {}};
        if (!out[i].form) return;
        out[i].chain_id = r.chain_id(network_id);
        out[i].replica_id = r.replica_id(network_id);
    });
    return out;
}

/// Accepts a registration of good form at the tip, or says why not.
Result<Verdict> admit_registration(Transaction& txn, MachineState& machine,
                                   const NetworkParams& params, const JudgedRegistration& judged) {
    const Registration& registration = *judged.registration;
    const Height accepted(machine.tip);
    HOLDFAST_ASSIGN(
        genesis, load<StoredBlock>(txn, Table::kBlocks, height_key(registration.genesis_height)));
    const std::optional<BlockHash> hash =
        genesis ? std::optional(genesis->info.hash) : std::nullopt;
    const Verdict timely = check_acceptance(registration, hash, accepted);
    if (!timely) return timely;
    HOLDFAST_ASSIGN(chain_held, txn.contains(Table::kChains, view(judged.chain_id)));
    HOLDFAST_ASSIGN(replica_held, txn.contains(Table::kReplicas, view(judged.replica_id)));
    if (chain_held || replica_held) return Verdict(Reason::kAlreadyRegistered);

    ChainRecord record;
    record.registration = registration;
    record.accepted = accepted;
    const Height challenge = accepted + params.seal_delay;
    ChainState state;
    state.challenge_from = challenge.value;
    state.genesis = registration.genesis_height;
    state.retention = registration.retention;
    const Key key = chain_key(judged.chain_id);
    HOLDFAST_TRY(save(txn, Table::kChains, key, record));
    HOLDFAST_TRY(save(txn, Table::kStates, key, state));
    HOLDFAST_TRY(txn.put(Table::kReplicas, view(judged.replica_id), view(judged.chain_id)));
    HOLDFAST_TRY(schedule(txn, {challenge, AgendaItem::kSealChallenge, judged.chain_id, 0}));
    ++machine.registrations;
    ++machine.pending;
    return Verdict::ok();
}

}  // namespace

Result<Verdict> Registry::accept_registration(const Registration& registration) {
    HOLDFAST_ASSIGN(verdicts, accept_registrations({&registration, 1}));
    return verdicts[0];
}

Result<std::vector<Verdict>> Registry::accept_registrations(
    std::span<const Registration> registrations) {
    const std::vector<JudgedRegistration> judged = judge_registrations(
        impl_->params, impl_->network_id, registrations, impl_->options.threads);
    std::vector<Verdict> out;
    out.reserve(judged.size());
    const std::lock_guard writing(impl_->writer);
    HOLDFAST_ASSIGN(txn, impl_->store->write());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    const std::uint64_t before = machine.registrations;
    for (const JudgedRegistration& j : judged) {
        if (!j.form || machine.tip == kNever) {
            out.push_back(j.form ? Verdict(Reason::kTooEarly) : j.form);
            continue;
        }
        HOLDFAST_ASSIGN(verdict, admit_registration(txn, machine, impl_->params, j));
        out.push_back(verdict);
    }
    if (machine.registrations == before) return out;
    HOLDFAST_TRY(save_machine(txn, machine));
    HOLDFAST_TRY(txn.commit());
    return out;
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
    const SubmittedSealProof one[] = {{chain_id, y_height, check}};
    HOLDFAST_ASSIGN(verdicts, accept_seal_proofs(one));
    return verdicts[0];
}

namespace {

/// What the check of a submitted proof is given, or why it is not made.
Result<Checked<OpenSealDuty>> find_duty(const Registry::Impl& impl, const Transaction& txn,
                                        const MachineState& machine, const ChainId& id,
                                        Height y_height) {
    HOLDFAST_ASSIGN(record, load<ChainRecord>(txn, Table::kChains, chain_key(id)));
    if (!record) return Checked<OpenSealDuty>(refuse(Reason::kUnknownChain));
    if (record->end == ChainPhase::kVoid) return Checked<OpenSealDuty>(refuse(Reason::kTooLate));
    HOLDFAST_ASSIGN(duties, impl.duties(txn, id));
    const auto due = duties_for(duties, machine, y_height);
    if (!due) return Checked<OpenSealDuty>(refuse(due.error()));
    const SealDuty& first = due->front();
    return Checked<OpenSealDuty>(
        OpenSealDuty{record->registration, {y_height, *first.y, first.kind}, *first.deadline});
}

/// Settles whatever a proof that was checked answers.
Result<Verdict> settle_duty(const Registry::Impl& impl, Transaction& txn, MachineState& machine,
                            const SubmittedSealProof& submitted) {
    const ChainId& id = submitted.chain_id;
    HOLDFAST_ASSIGN(duties, impl.duties(txn, id));
    const auto due = duties_for(duties, machine, submitted.y_height);
    if (!due) {
        // Due when it was checked: a block has passed the deadline since, or a twin was faster.
        return Verdict(due.error().reason == Reason::kTooLate ? Reason::kTooLate
                                                              : Reason::kAlreadySettled);
    }
    for (const SealDuty& duty : *due) {
        if (duty.kind == SealProofKind::kAudit) {
            HOLDFAST_TRY(txn.erase(Table::kAudits, chain_height_key(id, duty.drawn).bytes()));
            continue;
        }
        HOLDFAST_ASSIGN(state, load<ChainState>(txn, Table::kStates, chain_key(id)));
        if (!state) return corrupt_registry("a chain's state is missing");
        state->phase = ChainPhase::kSealed;
        state->sealed_at = machine.tip;
        --machine.pending;
        ++machine.sealed;
        HOLDFAST_TRY(save(txn, Table::kStates, chain_key(id), *state));
        HOLDFAST_TRY(schedule(txn, {Height(machine.tip), AgendaItem::kPlace, id, 0}));
    }
    return Verdict::ok();
}

}  // namespace

Result<Checked<OpenSealDuty>> Registry::open_seal_duty(const ChainId& chain_id,
                                                       Height y_height) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    return find_duty(*impl_, txn, machine, chain_id, y_height);
}

Result<std::vector<Verdict>> Registry::accept_seal_proofs(
    std::span<const SubmittedSealProof> proofs, unsigned at_once) {
    std::vector<Result<Verdict>> checked(proofs.size(), Verdict::ok());
    std::vector<std::optional<OpenSealDuty>> duties(proofs.size());
    {
        HOLDFAST_ASSIGN(txn, impl_->store->read());
        HOLDFAST_ASSIGN(machine, load_machine(txn));
        for (std::size_t i = 0; i < proofs.size(); ++i) {
            HOLDFAST_ASSIGN(
                duty, find_duty(*impl_, txn, machine, proofs[i].chain_id, proofs[i].y_height));
            if (duty) {
                duties[i] = std::move(*duty);
            } else {
                checked[i] = duty.error();
            }
        }
    }
    for_each_parallel(proofs.size(), at_once, [&](std::size_t i) {
        if (duties[i]) checked[i] = proofs[i].check(duties[i]->registration, duties[i]->known);
    });
    std::vector<Verdict> out;
    out.reserve(proofs.size());
    const std::lock_guard writing(impl_->writer);
    HOLDFAST_ASSIGN(txn, impl_->store->write());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    bool settled = false;
    for (std::size_t i = 0; i < proofs.size(); ++i) {
        if (!checked[i]) return fail(checked[i].error());
        Verdict verdict = *checked[i];
        if (verdict) {
            HOLDFAST_ASSIGN(done, settle_duty(*impl_, txn, machine, proofs[i]));
            verdict = done;
        }
        settled = settled || verdict.accepted();
        out.push_back(verdict);
    }
    if (!settled) return out;
    HOLDFAST_TRY(save_machine(txn, machine));
    HOLDFAST_TRY(txn.commit());
    return out;
}

// --- checkpoints ---------------------------------------------------------------------------------

Result<CheckpointOutcome> Registry::accept_checkpoint(const Checkpoint& checkpoint) {
    CheckpointOutcome out;
    HOLDFAST_ASSIGN(judged, judge_checkpoint(*this, checkpoint));
    out.verdict = judged;
    // Only these two are signed statements about a final block whose digest is known.
    if (!judged && judged.reason != Reason::kGlobalMismatch) return out;
    const std::lock_guard writing(impl_->writer);
    HOLDFAST_ASSIGN(txn, impl_->store->write());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    if (machine.closed - checkpoint.height.value > impl_->kept) {
        out.verdict = Reason::kTooLate;
        return out;
    }
    const Key key = Key().height(checkpoint.height).fixed(checkpoint.submitter);
    HOLDFAST_ASSIGN(stored, txn.get(Table::kCheckpoints, key.bytes()));
    if (!stored) {
        HOLDFAST_TRY(txn.put(Table::kCheckpoints, key.bytes(), checkpoint.encode()));
        HOLDFAST_TRY(txn.commit());
        return out;
    }
    const Checked<Checkpoint> first = Checkpoint::decode(*stored);
    if (!first) return corrupt_registry("a checkpoint does not decode");
    const bool same =
        first->global == checkpoint.global && first->total_chains == checkpoint.total_chains;
    out.already_known = same;
    if (!same) out.conflicting = *first;
    return out;
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
