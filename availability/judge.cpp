#include "availability/judge.hpp"

#include <algorithm>

#include "storage/parallel.hpp"

namespace holdfast {

EvidenceKnowledge registry_knowledge(const Registry& registry) {
    EvidenceKnowledge k;
    k.params = registry.params();
    k.network_id = registry.network_id();
    k.chain = [&registry](const ChainId& id, Height h) -> Result<std::optional<KnownChain>> {
        HOLDFAST_ASSIGN(info, registry.chain(id));
        if (!info) return std::optional<KnownChain>();
        HOLDFAST_ASSIGN(known, registry.known_chain(id, h));
        return std::optional(std::move(known));
    };
    k.final_block = [&registry](Height h) -> Result<std::optional<BlockHash>> {
        HOLDFAST_ASSIGN(block, registry.block(h));
        return block ? std::optional(block->hash) : std::nullopt;
    };
    k.y = [&registry](Height h) -> Result<std::optional<VdfOutput>> {
        HOLDFAST_ASSIGN(block, registry.block(h));
        return block ? block->y : std::nullopt;
    };
    return k;
}

Court::BondsOf registry_bonds(const Registry& registry) {
    return [&registry](const Offence& offence) -> Result<std::vector<LiableBond>> {
        std::vector<LiableBond> out;
        HOLDFAST_ASSIGN(info, registry.chain(ChainId(offence.offender)));
        if (info) {
            out.push_back({info->registration.bond_id, info->registration.header.prover});
        }
        return out;
    };
}

// Spec 8, draw: chains that hold a slot.
bool may_be_challenged(const ChainInfo& chain, Height h) {
    if (!chain.sealed_at || *chain.sealed_at >= h) return false;
    return !chain.vacant_from || *chain.vacant_from > h;
}

std::uint64_t availability_lag(const NetworkParams& params) {
    constexpr std::uint32_t kListedAfter = 2;  // blocks after its height
    const std::uint32_t known_before = std::max(params.seal_delay, kListedAfter) - kListedAfter;
    return std::min(std::max(params.link_lag, kListedAfter) - kListedAfter, known_before);
}

Result<std::vector<ChallengedChain>> challengeable_chains(const Registry& registry, Height h) {
    std::vector<ChallengedChain> out;
    HOLDFAST_TRY(registry.for_each_chain([&](const ChainInfo& info) {
        if (may_be_challenged(info, h)) {
            const Registration& r = info.registration;
            out.push_back({info.chain_id, r.header.prover, r.sealed_root, r.header.chunks});
        }
        return true;
    }));
    return out;
}

bool is_availability_object(const Submission& submission) {
    switch (submission.kind) {
        case Kind::kChallenger:
        case Kind::kChallenge:
        case Kind::kOutcome:
            return true;
        case Kind::kEvidence: {
            const Checked<Evidence> evidence = decode_listed<Evidence>(submission);
            return evidence && evidence->kind() == EvidenceKind::kBadResponse;
        }
        default:
            return false;
    }
}

AvailabilityJudge::AvailabilityJudge(Registry& registry, AvailabilityBook& book, Token* token,
                                     std::uint64_t min_bond, Court* court)
    : registry_(registry), book_(book), token_(token), min_bond_(min_bond), court_(court) {}

AvailabilityJudge::Prepared AvailabilityJudge::prepare_challenger(const Submission& listed,
                                                                  ObjectOutcome& out) {
    const Checked<Challenger> challenger = decode_listed<Challenger>(listed);
    if (!challenger) return refuse(challenger.error());
    out.height = challenger->base;
    if (token_ != nullptr) {
        const Result<BondInfo> bond = token_->bond_info(challenger->bond_id);
        if (!bond && bond.error().code == ErrorCode::kNotFound) return refuse(Reason::kNoBond);
        if (!bond) return fail(bond.error());
        const bool good = bond->owner == challenger->key && bond->state == BondState::kHeld &&
                          bond->purpose == BondPurpose::kChallenger &&
                          bond->held_amount >= min_bond_;
        if (!good) return refuse(Reason::kNoBond);
    }
    return *challenger;
}

AvailabilityJudge::Prepared AvailabilityJudge::prepare_challenge(const Submission& listed,
                                                                 Height listed_at,
                                                                 ObjectOutcome& out) {
    const Checked<Challenge> challenge = decode_listed<Challenge>(listed);
    if (!challenge) return refuse(challenge.error());
    const Height height = challenge->height;
    out.chain_id = challenge->chain_id;
    out.height = height;
    const Verdict when = check_listing_height(registry_.params(), height, listed_at);
    if (!when) return refuse(when);
    HOLDFAST_ASSIGN(info, registry_.chain(challenge->chain_id));
    if (!info) return refuse(Reason::kUnknownChain);
    if (!may_be_challenged(*info, height)) return refuse(Reason::kNoSlot);
    HOLDFAST_ASSIGN(block, registry_.block(height));
    if (!block) return refuse(Reason::kWrongHeight);
    return ChallengeWithFacts{*challenge,
                              {block->hash, block->y, info->registration.header.prover}};
}

/// The miss first, then the offence; each is known by its store if it was noted before.
Result<Verdict> AvailabilityJudge::take_bad_response(const Submission& listed, Height listed_at,
                                                     ObjectOutcome& out) {
    const Checked<Evidence> evidence = decode_listed<Evidence>(listed);
    if (!evidence) return evidence.error();
    const auto& accused = std::get<BadResponse>(evidence->body);
    out.chain_id = accused.chain_id;
    out.height = accused.height;
    const Checked<Exchange> exchange = exchange_of(registry_.params(), accused);
    if (!exchange) return exchange.error();
    const Verdict when = check_listing_height(registry_.params(), accused.height, listed_at);
    if (when.reason == Reason::kTooEarly) return when;
    HOLDFAST_ASSIGN(judgement,
                    judge_evidence_without_fill(registry_knowledge(registry_), *evidence));
    if (!judgement.verdict) return judgement.verdict;
    HOLDFAST_ASSIGN(miss, registry_.note_invalid_response(accused.chain_id, accused.height));
    if (court_ == nullptr) return miss;
    HOLDFAST_ASSIGN(ruling, court_->accuse(evidence->encode(), exchange->challenger()));
    return ruling.verdict.accepted() ? ruling.verdict : miss;
}

Result<std::vector<ObjectOutcome>> AvailabilityJudge::take_block(
    Height height, std::span<const Submission> submissions) {
    std::vector<ObjectOutcome> outcomes;
    std::vector<BookObject> good;
    std::vector<std::size_t> places;  // in `outcomes`, of `good`
    const auto prepare = [&](const Submission& listed, ObjectOutcome& out) -> Prepared {
        if (listed.kind == Kind::kChallenger) return prepare_challenger(listed, out);
        if (listed.kind == Kind::kChallenge) return prepare_challenge(listed, height, out);
        const Checked<Outcome> outcome = decode_listed<Outcome>(listed);
        if (!outcome) return refuse(outcome.error());
        return *outcome;
    };
    for (const Submission& listed : submissions) {
        if (!is_availability_object(listed)) continue;
        ObjectOutcome& out = outcomes.emplace_back();
        out.kind = listed.kind;
        if (listed.kind == Kind::kEvidence) {
            HOLDFAST_ASSIGN(verdict, take_bad_response(listed, height, out));
            out.verdict = verdict;
            continue;
        }
        HOLDFAST_ASSIGN(prepared, prepare(listed, out));
        if (!prepared) {
            out.verdict = prepared.error();
            continue;
        }
        places.push_back(outcomes.size() - 1);
        good.push_back(std::move(*prepared));
    }
    HOLDFAST_ASSIGN(verdicts, book_.take_block(height, good));
    for (std::size_t i = 0; i < verdicts.size(); ++i) outcomes[places[i]].verdict = verdicts[i];
    return outcomes;
}

Result<std::vector<ObjectOutcome>> AvailabilityJudge::catch_up(Blockchain& chain, Height next,
                                                               const StopCheck& stop) {
    std::vector<ObjectOutcome> outcomes;
    const Height first = registry_.params().genesis_height;
    const std::optional<Height> taken = book_.taken();
    if (taken && *taken >= next) {
        return fail(ErrorCode::kCorrupt,
                    "the availability book has taken block " + std::to_string(taken->value) +
                        ", and block " + std::to_string(next.value) +
                        " comes next here: remove the book's folder and its .begun marker, and it "
                        "is made again from "
                        "the host chain");
    }
    const std::uint64_t lag = availability_lag(registry_.params());
    for (Height h = taken ? *taken + 1 : first; h + lag < next; ++h) {
        if (stop && stop()) return interrupted();
        HOLDFAST_ASSIGN(submissions, chain.submissions_at(h));
        HOLDFAST_ASSIGN(done, take_block(h, submissions));
        if (h + kReported >= next) outcomes.insert(outcomes.end(), done.begin(), done.end());
    }
    return outcomes;
}

Result<std::vector<ChainId>> AvailabilityJudge::suspended(Height h) const {
    return book_.suspended(h);
}

Result<std::optional<ChallengeRound>> AvailabilityJudge::round(Height height) const {
    HOLDFAST_ASSIGN(block, registry_.block(height));
    if (!block || !block->y) return std::optional<ChallengeRound>();
    ChallengeRound out{{height, block->hash, block->y, {}}, {}};
    HOLDFAST_ASSIGN(challengers, book_.challengers_at(height));
    for (const Challenger& c : challengers) out.challengers.push_back(c.key);
    HOLDFAST_ASSIGN(chains, challengeable_chains(registry_, height));
    out.chains = std::move(chains);
    return std::optional(std::move(out));
}

}  // namespace holdfast
