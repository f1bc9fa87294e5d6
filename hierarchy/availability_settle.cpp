// Outcomes: what counts as testimony, whom the quorum suspends, what is paid, what is audited
// (spec 15.8).
#include <algorithm>

#include "core/hash.hpp"
#include "hierarchy/availability_state.hpp"
#include "hierarchy/registry_impl.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kRewardsForfeited = 32;

bool is_bad(OutcomeKind outcome) {
    return outcome == OutcomeKind::kLate || outcome == OutcomeKind::kUnreachable;
}

/// The height and chain that an id stands for, as a key of the challenges.
Result<Key> key_of_id(ByteView value) {
    if (value.size() != Key().height(Height(0)).fixed(ChainId{}).bytes().size()) {
        return corrupt_registry("a challenge's id does not decode");
    }
    return Key().raw(value);
}

ResponseContext context_of(const NetworkParams& params, const NetworkId& network_id,
                           const ListedChallenge& about) {
    const Challenge2& c = about.challenge;
    return {c.id(network_id), about.prover, about.sealed_root, about.chunks,
            challenged_chunks(params, network_id, c.y, c.chain_id, c.challenger, c.nonce,
                              about.chunks)};
}

}  // namespace

CaseId outcome_case(const NetworkId& network_id, const ChallengeId& id) {
    return CaseId(tagged_hash("settle/outcome", network_id, id));
}

std::uint64_t forfeit_of(const NetworkParams& params) {
    const std::uint64_t least = params.least_challenger_part;
    return least / kRewardsForfeited + (least % kRewardsForfeited == 0 ? 0 : 1);
}

void judge_signatures(const NetworkId& network_id, JudgedOutcome& judged) {
    judged.signatures = judged.about
                            ? check_outcome_signatures(network_id, judged.about->challenge,
                                                       judged.about->prover, judged.outcome)
                            : Verdict(Reason::kWrongChallenge);
}

Result<std::vector<OutcomeRecord>> load_outcomes(const Transaction& txn, const ChainId& chain_id) {
    std::vector<OutcomeRecord> out;
    const auto add = [&](ByteView key, ByteView value) -> Result<bool> {
        HOLDFAST_ASSIGN(record, decode_outcome(key, value));
        out.push_back(record);
        return true;
    };
    HOLDFAST_TRY(txn.for_each(Table::kOutcomes, view(chain_id), add));
    return out;
}

Result<std::vector<OutcomeAudit>> load_outcome_audits(const Transaction& txn) {
    std::vector<OutcomeAudit> out;
    const auto add = [&](ByteView key, ByteView value) -> Result<bool> {
        const Height drawn = KeyReader(key).height();
        if (drawn.value == kNever) return false;
        HOLDFAST_ASSIGN(unpaid, UnpaidOutcome::decode(value));
        out.push_back({drawn, unpaid.about.challenge});
        return true;
    };
    HOLDFAST_TRY(txn.for_each(Table::kUnpaid, {}, add));
    return out;
}

// --- outcomes ------------------------------------------------------------------------------------

Result<JudgedOutcome> AvailabilityState::look_up(const Outcome2& outcome) const {
    JudgedOutcome judged{outcome, std::nullopt, Reason::kWrongChallenge};
    HOLDFAST_ASSIGN(place, facts_.txn.get(Table::kChallengeIds, view(outcome.id)));
    if (!place) return judged;
    HOLDFAST_ASSIGN(key, key_of_id(*place));
    HOLDFAST_ASSIGN(listed, load<ListedChallenge>(facts_.txn, Table::kChallenges, key));
    if (!listed) return corrupt_registry("the challenge of an id is missing");
    judged.about = std::move(*listed);
    return judged;
}

Result<Verdict> AvailabilityState::take_outcome(const JudgedOutcome& judged) {
    if (!judged.signatures) return judged.signatures;
    const Outcome2& outcome = judged.outcome;
    const ListedChallenge& about = *judged.about;
    const Challenge2& challenge = about.challenge;
    const Verdict when = check_listing_height(facts_.params, challenge.height, facts_.tip);
    if (!when) return when;
    const Key row = chain_height_key(challenge.chain_id, challenge.height);
    HOLDFAST_ASSIGN(known, facts_.txn.contains(Table::kOutcomes, row.bytes()));
    if (known) return Verdict(Reason::kAlreadySettled);
    HOLDFAST_ASSIGN(found, load_challenger(facts_.txn, challenge.challenger));
    ChallengerBase* base = found ? found->at(challenge.height) : nullptr;
    if (base == nullptr) return Verdict(Reason::kRevealExhausted);
    const Outcome2Context context{facts_.params, facts_.network_id,  challenge,
                                  about.prover,  Height(base->base), base->known};
    const Verdict revealed = check_outcome_reveal(context, outcome.reveal);
    if (!revealed) return revealed;

    const std::uint64_t i = challenge.height.value - base->base;
    if (i > base->known.i) base->known = {i, outcome.reveal};
    if (base == &found->now && found->counted < challenge.height.value) {
        found->counted = challenge.height.value;
    }
    HOLDFAST_TRY(store(challenge.challenger, *found));
    HOLDFAST_TRY(note_outcome(about, outcome.outcome));
    HOLDFAST_TRY(save(facts_.txn, Table::kUnpaid, unpaid_key(kNever, outcome.id),
                      UnpaidOutcome{about, outcome.outcome, outcome.response_hash}));
    return Verdict::ok();
}

/// Into the chain's testimony, out of which goes what cannot count any more.
Status AvailabilityState::note_outcome(const ListedChallenge& about, OutcomeKind outcome) {
    const Challenge2& challenge = about.challenge;
    const ChainId& chain_id = challenge.chain_id;
    // What the next digest may look at, and what shows that a challenge has its outcome.
    const std::uint64_t kept =
        std::max(std::uint64_t{facts_.params.quorum_window} + facts_.params.closing_blocks(),
                 kListedAfter + std::uint64_t{facts_.params.proof_deadline});
    HOLDFAST_TRY(facts_.txn.erase_range(Table::kOutcomes,
                                        chain_height_key(chain_id, Height(0)).bytes(),
                                        chain_height_key(chain_id, facts_.tip - kept).bytes()));
    HOLDFAST_TRY(facts_.txn.put(Table::kOutcomes,
                                chain_height_key(chain_id, challenge.height).bytes(),
                                encode_outcome({challenge.height, challenge.challenger, outcome})));
    // A good outcome can only end a suspension.
    HOLDFAST_ASSIGN(suspended, facts_.txn.contains(Table::kSuspended, view(chain_id)));
    if (!suspended && !is_bad(outcome)) return {};
    return due(challenge.height, ChallengerItem::kJudgeQuorum, chain_id);
}

/// An audit is drawn in a digest that has closed, and runs out with one closing_blocks after the
/// last tip at which it can be answered.
Result<Verdict> AvailabilityState::take_response(const Response& response) {
    const std::uint64_t closing = facts_.params.closing_blocks();
    const std::uint64_t open = closing + std::uint64_t{facts_.params.proof_deadline};
    const std::uint64_t tip = facts_.tip.value;
    if (tip < closing) return Verdict(Reason::kWrongChallenge);
    const std::uint64_t oldest = (facts_.tip - (open + closing)).value;
    for (std::uint64_t g = tip - closing + 1; g-- > oldest;) {
        const Key key = unpaid_key(g, response.id);
        HOLDFAST_ASSIGN(unpaid, load<UnpaidOutcome>(facts_.txn, Table::kUnpaid, key));
        if (!unpaid) continue;
        if (tip > g + open) return Verdict(Reason::kTooLate);
        Outcome2 outcome;
        outcome.id = response.id;
        outcome.outcome = unpaid->outcome;
        outcome.response_hash = unpaid->response_hash;
        const Verdict v = check_audited_response(
            context_of(facts_.params, facts_.network_id, unpaid->about), outcome, response);
        if (!v) return v;
        HOLDFAST_TRY(facts_.txn.erase(Table::kUnpaid, key.bytes()));
        HOLDFAST_TRY(pay(response.id, *unpaid));
        return Verdict::ok();
    }
    return Verdict(Reason::kWrongChallenge);
}

// --- closing -------------------------------------------------------------------------------------

Result<std::vector<ChainId>> AvailabilityState::close(Height g,
                                                      const std::optional<VdfOutput>& y_g) {
    const std::uint64_t open =
        facts_.params.closing_blocks() + std::uint64_t{facts_.params.proof_deadline};
    if (g.value >= open) HOLDFAST_TRY(run_out(g - open));
    if (y_g) HOLDFAST_TRY(settle_waiting(g, *y_g));
    HOLDFAST_TRY(judge_quorum(g));
    std::vector<ChainId> suspended;
    HOLDFAST_TRY(
        facts_.txn.for_each(Table::kSuspended, {}, [&](ByteView key, ByteView) -> Result<bool> {
            suspended.push_back(KeyReader(key).fixed<ChainId>());
            return true;
        }));
    return suspended;
}

Result<std::vector<AvailabilityState::Audited>> AvailabilityState::unpaid_of(
    std::uint64_t height) const {
    std::vector<Audited> out;
    const auto add = [&](ByteView key, ByteView value) -> Result<bool> {
        HOLDFAST_ASSIGN(unpaid, UnpaidOutcome::decode(value));
        out.push_back({Key().raw(key), std::move(unpaid)});
        return true;
    };
    HOLDFAST_TRY(facts_.txn.for_each(Table::kUnpaid, Key().u64(height).bytes(), add));
    return out;
}

/// The audits of that digest which nobody has answered.
Status AvailabilityState::run_out(Height drawn) {
    HOLDFAST_ASSIGN(missed, unpaid_of(drawn.value));
    for (const Audited& audit : missed) {
        HOLDFAST_TRY(facts_.txn.erase(Table::kUnpaid, audit.key.bytes()));
        const Challenge2& challenge = audit.unpaid.about.challenge;
        const PublicKey& key = challenge.challenger;
        HOLDFAST_ASSIGN(taken,
                        facts_.bonds.take_some(
                            BondPurpose::kChallenger, Digest{key.bytes}, forfeit_of(facts_.params),
                            outcome_case(facts_.network_id, challenge.id(facts_.network_id)),
                            CaseKind::kOutcome));
        if (taken == 0) continue;
        HOLDFAST_ASSIGN(record, load_challenger(facts_.txn, key));
        if (record) HOLDFAST_TRY(store(key, *record));
    }
    return {};
}

Status AvailabilityState::settle_waiting(Height g, const VdfOutput& y_g) {
    HOLDFAST_ASSIGN(waiting, unpaid_of(kNever));
    for (const Audited& one : waiting) {
        HOLDFAST_TRY(facts_.txn.erase(Table::kUnpaid, one.key.bytes()));
        KeyReader r(one.key.bytes());
        (void)r.u64();
        const auto id = r.fixed<ChallengeId>();
        const bool audited = one.unpaid.outcome == OutcomeKind::kServed &&
                             audit_is_drawn(facts_.network_id, y_g, id);
        HOLDFAST_TRY(audited ? save(facts_.txn, Table::kUnpaid, unpaid_key(g.value, id), one.unpaid)
                             : pay(id, one.unpaid));
    }
    return {};
}

/// What a host pays is its own; who is paid is decided here.
Status AvailabilityState::pay(const ChallengeId& id, const UnpaidOutcome& unpaid) {
    Decision decision{outcome_case(facts_.network_id, id), CaseKind::kOutcome, {}};
    decision.steps.push_back(
        DecidedStep::pay(DecidedStep::Kind::kPayChallenger, unpaid.about.challenge.challenger));
    if (unpaid.outcome == OutcomeKind::kServed) {
        decision.steps.push_back(
            DecidedStep::pay(DecidedStep::Kind::kPayProver, unpaid.about.prover));
    }
    return facts_.bonds.decide(decision);
}

// --- the quorum ----------------------------------------------------------------------------------

/// Only chains about which something new was said, or an outcome of whose has grown old.
Status AvailabilityState::judge_quorum(Height g) {
    std::vector<Bytes> keys;
    std::vector<ChainId> chains;
    const auto add = [&](ByteView key, ByteView) -> Result<bool> {
        KeyReader r(key);
        if (r.height() > g) return false;
        if (r.u8() != static_cast<std::uint8_t>(ChallengerItem::kJudgeQuorum)) return true;
        keys.emplace_back(key.begin(), key.end());
        chains.push_back(r.fixed<ChainId>());
        return true;
    };
    HOLDFAST_TRY(facts_.txn.for_each(Table::kChallengerDue, {}, add));
    for (const Bytes& key : keys) HOLDFAST_TRY(facts_.txn.erase(Table::kChallengerDue, key));
    std::sort(chains.begin(), chains.end());
    chains.erase(std::unique(chains.begin(), chains.end()), chains.end());
    for (const ChainId& chain_id : chains) HOLDFAST_TRY(judge_quorum_of(chain_id, g));
    return {};
}

Status AvailabilityState::judge_quorum_of(const ChainId& chain_id, Height g) {
    HOLDFAST_ASSIGN(outcomes, load_outcomes(facts_.txn, chain_id));
    if (!suspended_by_quorum(facts_.params, g, outcomes)) {
        return facts_.txn.erase(Table::kSuspended, view(chain_id));
    }
    HOLDFAST_TRY(facts_.txn.put(Table::kSuspended, view(chain_id), {}));
    // The next height at which one that speaks against it has grown too old to count.
    for (const OutcomeRecord& o : outcomes) {
        const Height old = o.height + facts_.params.quorum_window;
        if (is_bad(o.outcome) && old > g) {
            return due(old, ChallengerItem::kJudgeQuorum, chain_id);
        }
    }
    return corrupt_registry("a chain is suspended by nobody");
}

Status AvailabilityState::forget_chain(const ChainId& chain_id) {
    std::vector<Bytes> keys;
    HOLDFAST_TRY(facts_.txn.for_each(Table::kOutcomes, view(chain_id),
                                     [&](ByteView key, ByteView) -> Result<bool> {
                                         keys.emplace_back(key.begin(), key.end());
                                         return true;
                                     }));
    for (const Bytes& key : keys) HOLDFAST_TRY(facts_.txn.erase(Table::kOutcomes, key));
    return facts_.txn.erase(Table::kSuspended, view(chain_id));
}

}  // namespace holdfast
