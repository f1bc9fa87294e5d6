// Availability in networks of version 2: assignment by part, challenges that name their y, outcomes
// that name their response, audits.
#include <gtest/gtest.h>

#include <map>

#include "core/selection.hpp"
#include "support/evidence_world.hpp"

namespace holdfast {
namespace {

using namespace test;

NetworkParams version_2(NetworkParams p) {
    p.version = kParamsVersion2;
    p.least_challenger_part = p.max_challengers = 1;
    p.availability_n = p.availability_d = 1;  // every challenge is drawn
    return p;
}

/// One challenge of the world's chain, with all that its parties know.
struct Challenged {
    const EvidenceWorld& w = evidence_world();
    NetworkParams params = version_2(w.params);
    NetworkId id = params.id();
    KeyPair challenger = key_of("challenger");
    Reveal reveal{sha256(view("reveal"))};
    ChallengerDraw draw{{{challenger.public_key(), 5}}};
    Challenge2 challenge = of(w.y);
    Challenge2Context known{params, id, w.chain_id, w.height, w.block_hash, w.y, draw};

    [[nodiscard]] Challenge2 of(const VdfOutput& y) const {
        return make_challenge2(id, w.chain_id, w.height, w.block_hash, y, reveal, challenger)
            .value();
    }
    [[nodiscard]] ResponseContext context() const {
        return {challenge.id(id), w.prover.public_key(), w.registration.sealed_root,
                w.registration.header.chunks,
                challenged_chunks(params, id, w.y, w.chain_id, challenge.challenger,
                                  challenge.nonce, w.registration.header.chunks)};
    }
    [[nodiscard]] Response response(bool right = true) const {
        auto chunks = context().selected;
        std::sort(chunks.begin(), chunks.end());
        Writer payload;
        std::vector<std::uint64_t> cells;
        for (const std::uint64_t chunk : chunks) {
            payload.raw({w.sealed.data() + chunk * kChunkBytes, kChunkBytes});
            for (std::uint64_t i = 0; i < kCellsPerChunk; ++i) {
                cells.push_back(chunk * kCellsPerChunk + i);
            }
        }
        payload.digests(w.sealed_tree.multiproof(cells));
        Bytes bytes = payload.take();
        if (!right) bytes[5] ^= 1;
        return sign_response(challenge.id(id), std::move(bytes), w.prover).value();
    }
    [[nodiscard]] Outcome2 outcome(OutcomeKind kind, const Response* r) const {
        return make_outcome2(challenge.id(id), reveal, kind, 1'000, 10, r, challenger).value();
    }
    [[nodiscard]] Verdict check(const Outcome2& o) const {
        const Outcome2Context context{params,   id,         challenge, w.prover.public_key(),
                                      w.height, {0, reveal}};
        const auto decoded = Outcome2::decode(o.encode());
        return decoded ? check_outcome(context, *decoded) : decoded.error();
    }
};

TEST(ChallengerDraw, IsTheDrawOfSection4OverTheSumOfParts) {
    const PublicKey a = std::min(key_of("a").public_key(), key_of("b").public_key());
    const PublicKey b = std::max(key_of("a").public_key(), key_of("b").public_key());
    const ChallengerDraw draw({{b, 3}, {a, 1}});
    std::map<PublicKey, int> times;
    for (std::uint64_t i = 0; i < 4'000; ++i) {
        const ChainId chain(tagged_hash("chain", i));
        const auto assigned = draw.assigned(evidence_world().network_id, evidence_world().y, chain);
        const Digest e = tagged_hash("availability/assign", evidence_world().network_id,
                                     evidence_world().y, chain);
        const std::uint64_t drawn = select_v2(e, 4, 1)->front();
        ASSERT_EQ(assigned, drawn < 1 ? a : b);
        ++times[*assigned];
    }
    EXPECT_NEAR(times[a], 1'000, 120);
}

TEST(ChallengerDraw, NobodyOrNoWeightIsNobody) {
    const auto assigned = [](std::vector<ChallengerPart> in_force) {
        return ChallengerDraw(std::move(in_force))
            .assigned(evidence_world().network_id, evidence_world().y, evidence_world().chain_id);
    };
    EXPECT_EQ(assigned({}), std::nullopt);
    EXPECT_EQ(assigned({{key_of("a").public_key(), 0}}), std::nullopt);
    EXPECT_EQ(assigned({{key_of("a").public_key(), 0}, {key_of("b").public_key(), 1}}),
              key_of("b").public_key());
}

TEST(ChallengerDraw, PartsBeyondTheRangeOfTheDrawAreCapped) {
    const PublicKey a = key_of("a").public_key();
    const PublicKey b = key_of("b").public_key();
    const ChallengerDraw draw({{a, UINT64_MAX}, {b, UINT64_MAX}});
    int times = 0;
    for (std::uint64_t i = 0; i < 400; ++i) {
        times += draw.assigned(evidence_world().network_id, evidence_world().y,
                               ChainId(tagged_hash("c", i))) == a;
    }
    EXPECT_NEAR(times, 200, 60);
    EXPECT_EQ(ChallengerDraw({{a, UINT64_MAX}})
                  .assigned(evidence_world().network_id, evidence_world().y, {}),
              a);
}

TEST(Challenge2, NamesTheYOfItsDraw) {
    const Challenged c;
    EXPECT_EQ(c.challenge.encode().size(), 232U);
    EXPECT_EQ(check_challenge(c.known, c.challenge), Verdict::ok());
    EXPECT_EQ(check_challenge(c.known, c.of(VdfOutput(sha256(view("false"))))),
              Reason::kWrongOutput);
    Bytes body = c.challenge.encode();
    for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
        body[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        EXPECT_FALSE(check_challenge(c.known, *Challenge2::decode(body))) << "bit " << bit;
        body[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    }
}

TEST(Challenge2, SignatureBeforeRank) {
    Challenged c;
    c.draw = ChallengerDraw({{key_of("another").public_key(), 1}});
    EXPECT_EQ(check_challenge(c.known, c.challenge), Reason::kNotAssigned);
    c.challenge.signature[0] ^= 1;
    EXPECT_EQ(check_challenge(c.known, c.challenge), Reason::kBadSignature);
    Challenged rare;
    rare.params.availability_n = 0;
    EXPECT_EQ(check_challenge(rare.known, rare.challenge), Reason::kNotDrawn);
}

TEST(Outcome2, SpeaksOfAResponseInTheProversOwnSignature) {
    const Challenged c;
    const Response right = c.response();
    const Outcome2 served = c.outcome(OutcomeKind::kServed, &right);
    EXPECT_EQ(served.encode().size(), 233U);
    EXPECT_EQ(c.check(served), Verdict::ok());
    EXPECT_EQ(c.check(c.outcome(OutcomeKind::kLate, nullptr)), Verdict::ok());
    EXPECT_EQ(c.check(c.outcome(OutcomeKind::kUnreachable, nullptr)), Verdict::ok());

    // A challenger that never asked has nobody's signature.
    Response forged = right;
    forged.signature = c.challenger.sign(view(forged.digest())).value();
    EXPECT_EQ(c.check(c.outcome(OutcomeKind::kServed, &forged)), Reason::kBadSignature);
    Bytes body = served.encode();
    for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
        body[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
        const auto flipped = Outcome2::decode(body);
        if (flipped) {
            EXPECT_FALSE(c.check(*flipped)) << "bit " << bit;
        }
        body[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    }
}

TEST(Outcome2, HasOneForm) {
    const Challenged c;
    const Response right = c.response();
    Outcome2 late = c.outcome(OutcomeKind::kLate, nullptr);
    late.response_hash = response_hash(right);
    EXPECT_EQ(Outcome2::decode(late.encode()).error(), Reason::kNotCanonical);
    Bytes body = late.encode();
    body[64] = 0;
    EXPECT_EQ(Outcome2::decode(body).error(), Reason::kBadOutcome);
    body[64] = 5;
    EXPECT_EQ(Outcome2::decode(body).error(), Reason::kBadOutcome);
}

TEST(Outcome2, ItsAuditNeedsTheWholeResponseAndThatItIsRight) {
    const Challenged c;
    const Response right = c.response();
    const Response wrong = c.response(false);
    const auto audited = [&](const Outcome2& outcome, const Response& shown) {
        return check_audited_response(c.context(), outcome, shown).reason;
    };
    const Outcome2 served = c.outcome(OutcomeKind::kServed, &right);
    EXPECT_EQ(audited(served, right), Reason::kOk);
    EXPECT_EQ(audited(served, wrong), Reason::kWrongResponse);
    EXPECT_EQ(audited(c.outcome(OutcomeKind::kServed, &wrong), wrong), Reason::kBadMultiproof);
    EXPECT_EQ(audited(c.outcome(OutcomeKind::kInvalid, &wrong), wrong), Reason::kOk);
    EXPECT_EQ(audited(c.outcome(OutcomeKind::kInvalid, &right), right), Reason::kNoOffence);
    EXPECT_EQ(audited(c.outcome(OutcomeKind::kLate, nullptr), right), Reason::kWrongResponse);
    Outcome2 other = served;
    other.id = ChallengeId{};
    EXPECT_EQ(audited(other, right), Reason::kWrongChallenge);
}

TEST(Outcome2, OneInSixteenIsAudited) {
    int drawn = 0;
    for (std::uint64_t i = 0; i < 16'000; ++i) {
        drawn += audit_is_drawn(evidence_world().network_id, evidence_world().y,
                                ChallengeId(tagged_hash("id", i)));
    }
    EXPECT_NEAR(drawn, 1'000, 150);
}

// --- evidence of kind 6 in both versions ---------------------------------------------------------

Reason judged(const NetworkParams& params, const VdfOutput& y, const Evidence& evidence) {
    const EvidenceWorld& w = evidence_world();
    KnownChain chain = KnownChain::of(w.network_id, w.registration);
    const EvidenceFacts facts{params, params.id(), chain, w.block_hash, y, {}, {}};
    const auto decoded = Evidence::decode(evidence.encode());
    return decoded ? judge_without_fill(facts, *decoded).reason : decoded.error().reason;
}

TEST(BadResponse2, AWrongAnswerToTheTrueYIsAnOffence) {
    const Challenged c;
    const Evidence evidence = make_bad_response(c.challenge, c.response(false));
    EXPECT_EQ(judged(c.params, c.w.y, evidence), Reason::kOk);
    EXPECT_EQ(accused_offence(c.id, evidence),
              (Offence{EvidenceKind::kBadResponse, c.w.chain_id, c.w.height}));
    EXPECT_EQ(judged(c.params, c.w.y, make_bad_response(c.challenge, c.response())),
              Reason::kNoOffence);
}

TEST(BadResponse2, WhoeverBelievedAFalseYHasDoneNothing) {
    // The challenge names the false y; the answer is right for it, and wrong for the true one.
    const Challenged c;
    const VdfOutput told(sha256(view("a false y")));
    const Challenge2 challenge = c.of(told);
    const Response answer =
        sign_response(challenge.id(c.id), c.response().chunks_and_siblings, c.w.prover).value();
    EXPECT_EQ(judged(c.params, c.w.y, make_bad_response(challenge, answer)), Reason::kWrongOutput);
}

TEST(BadResponse2, AChallengeOfVersion1AccusesNobodyInVersion2) {
    const Challenged c;
    const Challenge old =
        make_challenge(c.id, c.w.chain_id, c.w.height, c.w.block_hash, c.reveal, c.challenger)
            .value();
    const Response answer = sign_response(old.id(c.id), Bytes{}, c.w.prover).value();
    EXPECT_NE(judged(c.params, c.w.y, make_bad_response(old, answer)), Reason::kOk);
    const Response longer = sign_response(old.id(c.id), Bytes(9'000, 1), c.w.prover).value();
    EXPECT_NE(judged(c.params, c.w.y, make_bad_response(old, longer)), Reason::kOk);
    // Where it was made, it still does.
    NetworkParams before = c.w.params;
    const Challenge there = make_challenge(before.id(), c.w.chain_id, c.w.height, c.w.block_hash,
                                           c.reveal, c.challenger)
                                .value();
    const Response empty = sign_response(there.id(before.id()), Bytes{}, c.w.prover).value();
    EXPECT_EQ(judged(before, c.w.y, make_bad_response(there, empty)), Reason::kOk);
}

}  // namespace
}  // namespace holdfast
