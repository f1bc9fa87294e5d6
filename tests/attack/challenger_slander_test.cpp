// Attack 19: challengers speak ill of a prover that serves: false `late`, a hundred challenges for
// one height, a challenge before its time, evidence that shows nothing.
#include "proofs/evidence.hpp"
#include "support/availability_world.hpp"

namespace holdfast {
namespace {

using test::AvailabilityWorld;
using test::must;

constexpr int kBlocks = 40;

struct Slander {
    std::uint64_t challenges = 0;
    std::uint64_t said_late = 0;
    int suspended = 0;  // of kBlocks, once every challenger has spoken
    std::uint64_t held = 0;
};

/// `liars` of five challengers throw every answer away and say `late`. The prover serves them all.
Slander slander(std::size_t liars) {
    AvailabilityWorld w(1, 5);
    std::set<PublicKey> lying;
    for (std::size_t i = 0; i < liars; ++i) lying.insert(w.challengers[i].key.public_key());
    auto& handle = w.peer(0).handle;
    handle = [&lying, honest = handle](const PublicKey& from, ByteView object) -> Result<Bytes> {
        Result<Bytes> answer = honest(from, object);
        if (lying.contains(from)) return fail(ErrorCode::kTimeout, "thrown away");
        return answer;
    };
    w.blocks(20);
    Slander out;
    for (int i = 0; i < kBlocks; ++i) {
        w.block();
        out.suspended += w.is_suspended(0) ? 1 : 0;
    }
    out.said_late = w.outcomes(0, OutcomeKind::kLate);
    out.challenges = w.outcomes(0, OutcomeKind::kServed) + out.said_late;
    out.held = w.held(0);
    EXPECT_EQ(w.provers[0].responder->statistics().answered, w.report.sent);
    EXPECT_EQ(must(w.world->outcomes(w.provers[0].chain->id())).size(), out.challenges);
    return out;
}

TEST(ChallengerSlander, FalseLateIsTestimonyThatAQuorumBoundsAndNothingSlashes) {
    for (const std::size_t liars : {1, 2, 5}) {
        const Slander s = slander(liars);
        // A scheme in which one `late` slashes takes the bond at the first of them.
        EXPECT_GE(s.said_late, 4U) << liars;
        EXPECT_EQ(s.held, AvailabilityWorld::kBond) << liars;
        // Seven of the newest nine must lie: by a binomial draw 0.03% of heights with one liar of
        // five, 2.5% with two, all with five.
        if (liars == 1) {
            EXPECT_EQ(s.suspended, 0);
        }
        if (liars == 2) {
            EXPECT_LE(s.suspended, kBlocks / 4);
        }
        if (liars == 5) {
            EXPECT_EQ(s.suspended, kBlocks);
        }
        RecordProperty("late_of_" + std::to_string(liars), static_cast<int>(s.said_late));
        RecordProperty("challenges_of_" + std::to_string(liars), static_cast<int>(s.challenges));
    }
}

/// A prover and the only challenger, who follows no rule.
class OneSlanderer : public testing::Test {
  protected:
    AvailabilityWorld w{1, 1};
    AvailabilityWorld::Challenging& liar = w.challengers[0];
    const ChainId chain = w.provers[0].chain->id();
    RevealChain reveals = RevealChain::make(w.params.id(), owner(), liar.base, liar.key).value();

    [[nodiscard]] Digest owner() const {
        Digest d;
        d.bytes = liar.key.public_key().bytes;
        return d;
    }
    Challenge2 challenge(Height h, const Reveal& reveal) {
        return make_challenge2(w.params.id(), chain, h, test::test_hash(h), test::test_y(h), reveal,
                               liar.key)
            .value();
    }
    Result<ChallengeReply> send(const Challenge2& c) {
        return liar.network->send_challenge(w.key_of_prover(0),
                                            wrap_object(Kind::kChallenge2, c.encode()), 500);
    }
    void list(const Challenge2& c) {
        must(w.door.submit(Kind::kChallenge2, wrap_object(Kind::kChallenge2, c.encode())));
    }
    void list_late(const Challenge2& c, const Reveal& reveal) {
        const Outcome2 o =
            make_outcome2(c.id(w.params.id()), reveal, OutcomeKind::kLate, 0, 0, nullptr, liar.key)
                .value();
        must(w.door.submit(Kind::kOutcome2, wrap_object(Kind::kOutcome2, o.encode())));
    }
    void SetUp() override {
        test::SimPeer& peer = w.peer(0);
        peer.repeated_percent = peer.reordered_percent = 0;
    }
};

TEST_F(OneSlanderer, AHundredChallengesForOneHeightAreOneAnswerAndOneOutcome) {
    w.feed();
    const Height h = w.world.tip() - 1;
    const Reveal true_reveal = reveals.at_height(h).value();
    std::vector<std::pair<Challenge2, Reveal>> all;
    for (std::uint64_t n = 0; n < 100; ++n) {
        const Reveal reveal = n == 0 ? true_reveal : Reveal(tagged_hash("test/reveal", n));
        all.emplace_back(challenge(h, reveal), reveal);
    }
    std::uint64_t answered = 0;
    for (const auto& [c, reveal] : all) answered += send(c).has_value() ? 1 : 0;
    EXPECT_EQ(answered, 1U);
    const ResponderStatistics statistics = w.provers[0].responder->statistics();
    EXPECT_EQ(statistics.answered, 1U);
    // Handed over, each with an outcome that says late.
    w.feed();
    for (const auto& [c, reveal] : all) {
        list(c);
        list_late(c, reveal);
    }
    w.feed();
    w.feed();
    EXPECT_EQ(w.verdicts[Reason::kDuplicateChallenge], 99U);
    EXPECT_EQ(w.verdicts[Reason::kWrongChallenge], 99U) << "outcomes of what was refused";
    EXPECT_EQ(w.verdicts[Reason::kOk], 2U);
    EXPECT_EQ(w.outcomes(0, OutcomeKind::kLate), 1U);
    EXPECT_EQ(must(w.world->outcomes(chain)).size(), 1U);
}

TEST_F(OneSlanderer, AChallengeBeforeItsTimeNeedsNoAnswerAndCountsForNothing) {
    w.feed();
    const Height h = w.world.tip();  // h + 1 has not come
    const Reveal reveal = reveals.at_height(h).value();
    const Challenge2 c = challenge(h, reveal);
    EXPECT_FALSE(send(c));
    EXPECT_EQ(w.provers[0].responder->statistics().answered, 0U);
    list(c);
    list_late(c, reveal);
    w.feed();
    EXPECT_TRUE(send(c)) << "in its time the same challenge is answered";
    w.feed();
    EXPECT_EQ(w.verdicts[Reason::kTooEarly], 1U);
    EXPECT_EQ(w.verdicts[Reason::kWrongChallenge], 1U);
    EXPECT_TRUE(must(w.world->outcomes(chain)).empty());
}

TEST_F(OneSlanderer, EvidenceWithoutAFalseSignedResponseIsRefused) {
    w.feed();
    const Height h = w.world.tip() - 1;
    const Challenge2 c = challenge(h, reveals.at_height(h).value());
    const auto reply = send(c);
    ASSERT_TRUE(reply);
    const Response honest =
        Response::decode(unwrap_object(Kind::kResponse, reply->response).value()).value();
    w.feed();
    std::uint64_t forms = 0;
    const auto accuse = [&](const Challenge2& challenged, const Response& response) {
        const Evidence e = make_bad_response(challenged, response);
        must(w.door.submit(Kind::kEvidence, wrap_object(Kind::kEvidence, e.encode())));
        ++forms;
    };
    accuse(c, honest);  // the truth
    for (std::size_t at = 0; at < honest.chunks_and_siblings.size(); at += 1'111) {
        Response changed = honest;
        changed.chunks_and_siblings[at] ^= 1;
        accuse(c, changed);  // the prover has not signed this
    }
    Response shorter = honest;
    shorter.chunks_and_siblings.resize(kChunkBytes);
    accuse(c, shorter);
    // Signed by the accuser itself, and an answer to one challenge shown for another.
    accuse(c, sign_response(c.id(w.params.id()), Bytes(kChunkBytes), liar.key).value());
    accuse(challenge(h, Reveal(tagged_hash("test/other"))), honest);
    accuse(challenge(h - 1, reveals.at_height(h - 1).value()), honest);
    Challenge2 other_block = c;
    other_block.block_hash[0] ^= 1;
    accuse(other_block, honest);
    w.feed();
    w.feed();
    std::uint64_t refused = 0;
    for (const auto& [reason, count] : w.verdicts) {
        if (reason != Reason::kOk) refused += count;
    }
    EXPECT_EQ(refused, forms);
    EXPECT_EQ(w.verdicts[Reason::kOk], 0U);
    EXPECT_GE(forms, 20U);
    EXPECT_EQ(w.verdicts[Reason::kNoOffence], 1U) << "the truth";
    EXPECT_EQ(w.held(0), AvailabilityWorld::kBond);
    RecordProperty("forms", static_cast<int>(forms));
}

}  // namespace
}  // namespace holdfast
