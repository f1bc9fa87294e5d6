// Attack 19: challengers speak ill of a prover that serves: false `late`, a hundred challenges for
// one height, a challenge before its time, evidence that shows nothing.
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
    std::uint32_t score = 0;
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
    const AvailabilityScore score = w.score(0);
    out.challenges = score.served + score.late;
    out.said_late = score.late;
    out.held = w.held(0);
    out.score = score.per_mille();
    EXPECT_EQ(w.provers[0].responder->statistics().answered, w.report.sent);
    EXPECT_EQ(score.invalid + score.unreachable, 0U);
    return out;
}

TEST(ChallengerSlander, FalseLateIsTestimonyThatAQuorumBoundsAndNothingSlashes) {
    for (const std::size_t liars : {1, 2, 3}) {
        const Slander s = slander(liars);
        // A scheme in which one `late` slashes takes the bond at the first of them.
        EXPECT_GE(s.said_late, 4U) << liars;
        EXPECT_EQ(s.held, AvailabilityWorld::kBond) << liars;
        // Two of five move the score that operators see, and nothing else; three are the quorum:
        // what is assumed is that fewer than that lie.
        EXPECT_EQ(s.suspended, liars < 3 ? 0 : kBlocks) << liars;
        RecordProperty("late_of_" + std::to_string(liars), static_cast<int>(s.said_late));
        RecordProperty("challenges_of_" + std::to_string(liars), static_cast<int>(s.challenges));
        RecordProperty("score_of_" + std::to_string(liars), static_cast<int>(s.score));
    }
}

/// A prover and the only challenger, who follows no rule.
class OneSlanderer : public testing::Test {
  protected:
    AvailabilityWorld w{1, 1};
    AvailabilityWorld::Challenging& liar = w.challengers[0];
    const ChainId chain = w.provers[0].chain->id();
    RevealChain reveals{w.params.id(), owner(), liar.base, liar.key};

    [[nodiscard]] Digest owner() const {
        Digest d;
        d.bytes = liar.key.public_key().bytes;
        return d;
    }
    Challenge challenge(Height h, const Reveal& reveal) {
        return make_challenge(w.params.id(), chain, h, test::test_hash(h), reveal, liar.key);
    }
    Result<ChallengeReply> send(const Challenge& c) {
        return liar.network->send_challenge(w.key_of_prover(0),
                                            wrap_object(Kind::kChallenge, c.encode()), 500);
    }
    void list(const Challenge& c) {
        must(w.chain.submit(Kind::kChallenge, wrap_object(Kind::kChallenge, c.encode())));
    }
    void list_late(const Challenge& c, const Reveal& reveal) {
        const Outcome o =
            make_outcome(c.id(w.params.id()), reveal, OutcomeKind::kLate, 0, 0, liar.key);
        must(w.chain.submit(Kind::kOutcome, wrap_object(Kind::kOutcome, o.encode())));
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
    std::vector<std::pair<Challenge, Reveal>> all;
    for (std::uint64_t n = 0; n < 100; ++n) {
        const Reveal reveal = n == 0 ? true_reveal : Reveal(tagged_hash("test/reveal", n));
        all.emplace_back(challenge(h, reveal), reveal);
    }
    std::uint64_t answered = 0;
    for (const auto& [c, reveal] : all) answered += send(c).has_value() ? 1 : 0;
    EXPECT_EQ(answered, 1U);
    const ResponderStatistics statistics = w.provers[0].responder->statistics();
    EXPECT_EQ(statistics.answered, 1U);
    // Listed, each with an outcome that says late.
    w.feed();
    for (const auto& [c, reveal] : all) {
        list(c);
        list_late(c, reveal);
    }
    w.feed();
    w.feed();
    EXPECT_EQ(w.verdicts[Reason::kDuplicateChallenge], 99U);
    EXPECT_EQ(w.verdicts[Reason::kWrongChallenge], 99U) << "outcomes of what is not listed";
    EXPECT_EQ(w.verdicts[Reason::kOk], 2U);
    EXPECT_EQ(w.score(0).late, 1U);
    EXPECT_EQ(must(w.book->outcomes(chain)).size(), 1U);
}

TEST_F(OneSlanderer, AChallengeBeforeItsTimeNeedsNoAnswerAndCountsForNothing) {
    w.feed();
    const Height h = w.world.tip();  // h + 1 has not come
    const Reveal reveal = reveals.at_height(h).value();
    const Challenge c = challenge(h, reveal);
    EXPECT_FALSE(send(c));
    EXPECT_EQ(w.provers[0].responder->statistics().answered, 0U);
    list(c);
    list_late(c, reveal);
    w.feed();  // h + 1 lists both: too early
    EXPECT_TRUE(send(c)) << "in its time the same challenge is answered";
    w.feed();
    EXPECT_EQ(w.verdicts[Reason::kTooEarly], 1U);
    EXPECT_EQ(w.verdicts[Reason::kWrongChallenge], 1U);
    EXPECT_EQ(w.score(0), AvailabilityScore{});
}

TEST_F(OneSlanderer, EvidenceWithoutAFalseSignedResponseIsRefused) {
    w.feed();
    const Height h = w.world.tip() - 1;
    const Challenge c = challenge(h, reveals.at_height(h).value());
    const auto reply = send(c);
    ASSERT_TRUE(reply);
    const Response honest =
        Response::decode(unwrap_object(Kind::kResponse, reply->response).value()).value();
    w.feed();
    std::uint64_t forms = 0;
    const auto accuse = [&](const Challenge& challenged, const Response& response) {
        const Evidence e = make_bad_response(challenged, response);
        must(w.chain.submit(Kind::kEvidence, wrap_object(Kind::kEvidence, e.encode())));
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
    accuse(c, sign_response(c.id(w.params.id()), Bytes(kChunkBytes), liar.key));
    accuse(challenge(h, Reveal(tagged_hash("test/other"))), honest);
    accuse(challenge(h - 1, reveals.at_height(h - 1).value()), honest);
    Challenge other_block = c;
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
