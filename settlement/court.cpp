#include "settlement/court.hpp"

namespace holdfast {
namespace {

/// What becomes of a deposit whose offence somebody else has shown, or whose accusation was wrong.
SettlementCase deposit_case(const CaseId& id, const SettlementStep& step) {
    return {id, CaseKind::kAccusation, {step}};
}

}  // namespace

std::vector<LiableBond> bonds_in_evidence(const Evidence& evidence) {
    std::vector<LiableBond> out;
    const auto add = [&](const BondId& bond, const PublicKey& owner) {
        const LiableBond liable{bond, owner};
        if (std::find(out.begin(), out.end(), liable) == out.end()) out.push_back(liable);
    };
    if (const auto* seal = std::get_if<BadSeal>(&evidence.body)) {
        add(seal->registration.bond_id, seal->registration.header.prover);
    } else if (const auto* conflict = std::get_if<CheckpointConflict>(&evidence.body)) {
        add(conflict->smaller.bond_id, conflict->smaller.submitter);
        add(conflict->larger.bond_id, conflict->larger.submitter);
    } else if (const auto* twice = std::get_if<DoubleSlot>(&evidence.body)) {
        add(twice->checkpoint.bond_id, twice->checkpoint.submitter);
    }
    return out;
}

Court::Court(EvidenceKnowledge knowledge, BondsOf bonds, SettlementLedger& ledger, Token& token,
             const CourtTerms& terms)
    : knowledge_(std::move(knowledge)),
      bonds_(std::move(bonds)),
      ledger_(ledger),
      token_(token),
      terms_(terms) {}

// Spec 11, settlement: kinds 3 and 4 cost a fill; a deposit comes first.
Result<Verdict> Court::check_deposit(const PublicKey& accuser,
                                     const std::optional<BondId>& deposit) const {
    if (!deposit) return Verdict(Reason::kNoBond);
    const Result<BondInfo> bond = token_.bond_info(*deposit);
    if (!bond && bond.error().code == ErrorCode::kNotFound) return Verdict(Reason::kNoBond);
    if (!bond) return fail(bond.error());
    const bool good = bond->owner == accuser && bond->purpose == BondPurpose::kAccusation &&
                      bond->state == BondState::kHeld && bond->held_amount > 0 &&
                      bond->held_amount >= terms_.accusation_deposit;
    return good ? Verdict::ok() : Verdict(Reason::kNoBond);
}

// Spec 11, settlement: the decision is durable first, once for each offence.
Result<Verdict> Court::decide_offence(const Judgement& judgement, const Evidence& evidence,
                                      const PublicKey& accuser,
                                      const std::optional<Accusation>& accusation) {
    std::vector<LiableBond> bonds = bonds_in_evidence(evidence);
    if (bonds.empty() && bonds_) {
        HOLDFAST_ASSIGN(known, bonds_(judgement.offence));
        bonds = std::move(known);
    }
    SettlementCase decision{CaseId(judgement.id), CaseKind::kOffence, {}};
    for (const LiableBond& liable : bonds) {
        decision.steps.push_back(
            SettlementStep::slash(liable.bond, liable.owner, terms_.slash_amount));
    }
    if (!bonds.empty() && terms_.reward_per_mille > 0) {
        decision.steps.push_back(
            SettlementStep::reward(accuser, UINT64_MAX, terms_.reward_per_mille));
    }
    std::optional<CaseId> closes;
    if (accusation) {
        decision.steps.push_back(SettlementStep::release(accusation->deposit));
        closes = accusation->id(knowledge_.network_id);
    }
    return ledger_.decide(decision, closes);
}

/// A recorded accusation: the fill, and what follows from it.
Result<Ruling> Court::hear(const Accusation& accusation, const Evidence& evidence) {
    const CaseId id = accusation.id(knowledge_.network_id);
    HOLDFAST_ASSIGN(judgement, judge_evidence(knowledge_, evidence));
    Ruling ruling{judgement.verdict, judgement.offence, judgement.id, std::nullopt};
    if (judgement.verdict.accepted()) {
        HOLDFAST_ASSIGN(verdict,
                        decide_offence(judgement, evidence, accusation.accuser, accusation));
        ruling.verdict = verdict;
        if (verdict) {
            ruling.decided = CaseId(judgement.id);
            return ruling;
        }
    }
    // The deposit pays for a fill that has shown no offence, and for nothing else.
    const bool pays = judgement.verdict.reason == Reason::kNoOffence;
    const SettlementStep step = pays ? SettlementStep::slash(accusation.deposit, accusation.accuser,
                                                             terms_.accusation_deposit)
                                     : SettlementStep::release(accusation.deposit);
    HOLDFAST_ASSIGN(noted, ledger_.decide(deposit_case(id, step), id));
    if (noted) ruling.decided = id;
    return ruling;
}

// Spec 11, settlement: what is cheap before the fill.
Result<Ruling> Court::accuse(ByteView evidence_body, const PublicKey& accuser,
                             const std::optional<BondId>& deposit) {
    const Checked<Evidence> evidence = Evidence::decode(evidence_body);
    if (!evidence) return Ruling{evidence.error(), {}, {}, std::nullopt};
    HOLDFAST_ASSIGN(judgement, judge_evidence_without_fill(knowledge_, *evidence));
    Ruling ruling{judgement.verdict, judgement.offence, judgement.id, std::nullopt};
    if (!ruling.verdict) return ruling;
    HOLDFAST_ASSIGN(known, ledger_.find(CaseId(judgement.id)));
    if (known) {
        ruling.verdict = Reason::kAlreadySettled;
        return ruling;
    }
    if (!needs_fill(*evidence)) {
        HOLDFAST_ASSIGN(verdict, decide_offence(judgement, *evidence, accuser, std::nullopt));
        ruling.verdict = verdict;
        if (verdict) ruling.decided = CaseId(judgement.id);
        return ruling;
    }
    HOLDFAST_ASSIGN(good, check_deposit(accuser, deposit));
    ruling.verdict = good;
    if (!good) return ruling;
    const Accusation accusation{Bytes(evidence_body.begin(), evidence_body.end()), accuser,
                                *deposit};
    HOLDFAST_ASSIGN(taken, ledger_.accuse(accusation, terms_.waiting_accusations));
    ruling.verdict = taken;
    if (!taken) return ruling;
    return hear(accusation, *evidence);
}

Result<std::vector<Ruling>> Court::resume() {
    HOLDFAST_ASSIGN(waiting, ledger_.open_accusations());
    std::vector<Ruling> out;
    for (const Accusation& accusation : waiting) {
        const Checked<Evidence> evidence = Evidence::decode(accusation.evidence);
        if (!evidence) {
            return fail(ErrorCode::kCorrupt, "settlement: a recorded accusation does not decode");
        }
        HOLDFAST_ASSIGN(ruling, hear(accusation, *evidence));
        out.push_back(ruling);
    }
    return out;
}

}  // namespace holdfast
