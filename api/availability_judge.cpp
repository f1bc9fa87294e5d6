#include "api/availability_judge.hpp"

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

bool may_be_challenged(const ChainInfo& chain, Height h) {
    if (!chain.sealed_at || *chain.sealed_at >= h) return false;
    return !chain.vacant_from || *chain.vacant_from > h;
}

AvailabilityJudge::AvailabilityJudge(Registry& registry, AvailabilityBook& book, Token* token,
                                     std::uint64_t min_bond)
    : registry_(registry), book_(book), token_(token), min_bond_(min_bond) {}

Result<Verdict> AvailabilityJudge::take_challenger(const Challenger& challenger) {
    HOLDFAST_ASSIGN(tip, registry_.tip());
    if (!tip) return Verdict(Reason::kTooEarly);
    if (token_ != nullptr) {
        const Result<BondInfo> bond = token_->bond_info(challenger.bond_id);
        if (!bond && bond.error().code == ErrorCode::kNotFound) return Verdict(Reason::kNoBond);
        if (!bond) return fail(bond.error());
        const bool good = bond->owner == challenger.key && bond->state == BondState::kHeld &&
                          bond->purpose == BondPurpose::kChallenger &&
                          bond->held_amount >= min_bond_;
        if (!good) return Verdict(Reason::kNoBond);
    }
    return book_.accept_challenger(challenger, *tip);
}

Result<Verdict> AvailabilityJudge::take_challenge(const Challenge& challenge) {
    HOLDFAST_ASSIGN(tip, registry_.tip());
    if (!tip) return Verdict(Reason::kTooEarly);
    const Verdict when = check_listing_height(registry_.params(), challenge.height, *tip);
    if (!when) return when;
    HOLDFAST_ASSIGN(info, registry_.chain(challenge.chain_id));
    if (!info) return Verdict(Reason::kUnknownChain);
    if (!may_be_challenged(*info, challenge.height)) return Verdict(Reason::kNoSlot);
    HOLDFAST_ASSIGN(block, registry_.block(challenge.height));
    if (!block) return Verdict(Reason::kWrongHeight);
    return book_.accept_challenge({block->hash, block->y, info->registration.header.prover},
                                  challenge, *tip);
}

Result<Verdict> AvailabilityJudge::take_outcome(const Outcome& outcome) {
    HOLDFAST_ASSIGN(tip, registry_.tip());
    if (!tip) return Verdict(Reason::kTooEarly);
    return book_.accept_outcome(outcome, *tip);
}

Result<Verdict> AvailabilityJudge::take_bad_response(const Evidence& evidence) {
    const auto* bad = std::get_if<BadResponse>(&evidence.body);
    if (bad == nullptr) return Verdict(Reason::kBadKind);
    HOLDFAST_ASSIGN(judgement,
                    judge_evidence_without_fill(registry_knowledge(registry_), evidence));
    if (!judgement.verdict) return judgement.verdict;
    return registry_.note_invalid_response(bad->challenge.chain_id, bad->challenge.height);
}

Result<std::vector<ChainId>> AvailabilityJudge::suspended(Height h) const {
    return book_.suspended(h);
}

Result<std::optional<ChallengeRound>> AvailabilityJudge::round(Height height) const {
    HOLDFAST_ASSIGN(block, registry_.block(height));
    if (!block || !block->y) return std::optional<ChallengeRound>();
    ChallengeRound out{height, block->hash, *block->y, {}, {}};
    HOLDFAST_ASSIGN(challengers, book_.challengers_at(height));
    for (const Challenger& c : challengers) out.challengers.push_back(c.key);
    HOLDFAST_TRY(registry_.for_each_chain([&](const ChainInfo& info) {
        if (may_be_challenged(info, height)) {
            const Registration& r = info.registration;
            out.chains.push_back({info.chain_id, r.header.prover, r.sealed_root, r.header.chunks});
        }
        return true;
    }));
    return std::optional(std::move(out));
}

}  // namespace holdfast
