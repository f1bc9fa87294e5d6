// Seal and audit proofs: what is due, and what a proof that holds answers.
#include <utility>

#include "hierarchy/registry_impl.hpp"
#include "proofs/seal_proof_verify.hpp"
#include "storage/parallel.hpp"

namespace holdfast {
namespace {

/// The duties that a proof for y of `y_height` answers, or why it answers none.
Checked<std::vector<SealDuty>> duties_for(const std::vector<SealDuty>& duties,
                                          const MachineState& machine, Height y_height) {
    std::vector<SealDuty> out;
    for (const SealDuty& duty : duties) {
        if (duty.y_height == y_height) out.push_back(duty);
    }
    if (out.empty()) return refuse(Reason::kWrongHeight);
    // An audit is answered for as long as it is open.
    const SealDuty& first = out.front();
    if (first.kind == SealProofKind::kSeal && first.deadline->value < machine.tip) {
        return refuse(Reason::kTooLate);
    }
    return out;
}

Status answer_audit(Working& w, const ChainId& id, const SealDuty& duty) {
    HOLDFAST_TRY(w.txn.erase(Table::kAudits, chain_height_key(id, duty.drawn).bytes()));
    HOLDFAST_ASSIGN(state, load<ChainState>(w.txn, Table::kStates, chain_key(id)));
    if (!state) return corrupt_registry("a chain's state is missing");
    if (duty.missed > 0) --state->audits_missed;
    HOLDFAST_TRY(save(w.txn, Table::kStates, chain_key(id), *state));
    // With the last of them its liability is over (spec 15.3).
    return state->last_audit ? schedule(w.txn, {w.tip(), AgendaItem::kLiabilityEnd, id, 0})
                             : Status{};
}

Status answer_registration(Working& w, const ChainId& id) {
    HOLDFAST_ASSIGN(state, load<ChainState>(w.txn, Table::kStates, chain_key(id)));
    if (!state) return corrupt_registry("a chain's state is missing");
    state->phase = ChainPhase::kSealed;
    state->sealed_at = w.machine.tip;
    --w.machine.pending;
    ++w.machine.sealed;
    HOLDFAST_TRY(save(w.txn, Table::kStates, chain_key(id), *state));
    return schedule(w.txn, {w.tip(), AgendaItem::kPlace, id, 0});
}

}  // namespace

/// What the check of a proof is given, or why it is not made.
Result<Checked<OpenSealDuty>> find_seal_duty(const Registry::Impl& impl, const Transaction& txn,
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

Result<Checked<OpenSealDuty>> Registry::open_seal_duty(const ChainId& chain_id,
                                                       Height y_height) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    return find_seal_duty(*impl_, txn, machine, chain_id, y_height);
}

Status take_seal_proofs(Working& w, std::span<Candidate* const> group, const SealCheck& check) {
    struct Job {
        Candidate* candidate;
        OpenSealDuty duty;
        Result<Verdict> verdict;
    };
    std::vector<Job> jobs;
    for (Candidate* c : group) {
        Reader r(c->body);
        c->outcome.chain_id = r.fixed<ChainId>();
        c->outcome.height = r.height();
        if (r.failed()) {
            c->outcome.verdict = r.verdict();
            continue;
        }
        HOLDFAST_ASSIGN(duty, find_seal_duty(w.impl, w.txn, w.machine, *c->outcome.chain_id,
                                             *c->outcome.height));
        c->outcome.verdict = duty ? Verdict::ok() : duty.error();
        if (duty) jobs.push_back({c, std::move(*duty), Verdict::ok()});
    }
    // One at a time by default: each may need the memory of a window.
    const unsigned at_once = check ? w.impl.options.threads : 1;
    for_each_parallel(jobs.size(), at_once, [&](std::size_t i) {
        Job& j = jobs[i];
        j.verdict = check ? check(j.duty.registration, j.duty.known, j.candidate->body)
                          : verify_seal_proof(w.params, w.network_id, j.duty.registration,
                                              j.duty.known, j.candidate->body);
    });
    for (Job& j : jobs) {
        if (!j.verdict) return fail(j.verdict.error());
        j.candidate->outcome.verdict = *j.verdict;
        if (!*j.verdict) continue;
        const ChainId& id = *j.candidate->outcome.chain_id;
        HOLDFAST_ASSIGN(duties, w.impl.duties(w.txn, id));
        const auto due = duties_for(duties, w.machine, j.duty.known.y_height);
        if (!due) return corrupt_registry("a duty that was due is gone");
        for (const SealDuty& duty : *due) {
            HOLDFAST_TRY(duty.kind == SealProofKind::kAudit ? answer_audit(w, id, duty)
                                                            : answer_registration(w, id));
        }
        HOLDFAST_TRY(appended(w, *j.candidate));
    }
    return {};
}

}  // namespace holdfast
