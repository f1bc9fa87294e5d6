// Attack 18: a challenger picks the nonce under which its friend looks good (nonce_aim); a prover
// that stores nothing prepares what it expects to be asked for as soon as y is known (prewarm).
#include <cmath>
#include <set>

#include "support/availability_world.hpp"

namespace holdfast {
namespace {

using test::AvailabilityWorld;
using test::must;

constexpr std::uint64_t kChunks = 16;
constexpr double kFits = 70.0 / 1820.0;  // C(8, 4) / C(16, 4): all four asked for are held

using Chunks = std::vector<std::uint64_t>;

Chunks asked_for(const NetworkParams& p, Height h, const ChainId& chain, const PublicKey& by,
                 const ChallengeNonce& nonce) {
    return challenged_chunks(p, p.id(), test::test_y(h), chain, by, nonce, ChunkCount(kChunks));
}
Chunks asked_for(const NetworkParams& p, const Challenge2& c) {
    return asked_for(p, c.height, c.chain_id, c.challenger, c.nonce);
}
bool first_half(const Chunks& asked) {
    return std::all_of(asked.begin(), asked.end(), [](std::uint64_t i) { return i < 8; });
}
/// The prover answers when it holds what is asked, and is silent otherwise.
void answer_if(AvailabilityWorld& w, const std::function<bool(const Challenge2&)>& holds) {
    auto& handle = w.peer(0).handle;
    handle = [holds, honest = handle](const PublicKey& from, ByteView object) -> Result<Bytes> {
        const auto c = Challenge2::decode(unwrap_object(Kind::kChallenge2, object).value()).value();
        if (!holds(c)) return fail(ErrorCode::kTimeout, "has not got it");
        return honest(from, object);
    };
}
void expect_rate(std::uint64_t hits, std::uint64_t of, double rate, const char* what) {
    const auto n = static_cast<double>(of);
    EXPECT_NEAR(static_cast<double>(hits), n * rate, 4 * std::sqrt(n * rate * (1 - rate))) << what;
}
Digest owner(const PublicKey& key) {
    Digest d;
    d.bytes = key.bytes;
    return d;
}

/// The nonce that suits the friend, and the made-up reveal that gives it.
std::pair<Reveal, ChallengeNonce> aim(const NetworkParams& p, Height h, const ChainId& chain,
                                      const PublicKey& by, std::uint64_t& tries) {
    for (std::uint64_t n = 0;; ++n, ++tries) {
        const Reveal reveal(tagged_hash("test/aimed", h, n));
        const ChallengeNonce nonce = challenge_nonce(reveal, chain);
        if (first_half(asked_for(p, h, chain, by, nonce))) return {reveal, nonce};
    }
}

TEST(NonceAim, AnAimedChallengeIsAnsweredAndListedAndCountsForNothing) {
    AvailabilityWorld w(1, 1);
    answer_if(w, [&w](const Challenge2& c) { return first_half(asked_for(w.params, c)); });
    AvailabilityWorld::Challenging& cheater = w.challengers[0];
    const PublicKey own = cheater.key.public_key();
    const ChainId friend_chain = w.provers[0].chain->id();
    RevealChain reveals =
        RevealChain::make(w.params.id(), owner(own), cheater.base, cheater.key).value();
    constexpr std::uint64_t kHeights = 60;
    std::uint64_t tries = 0, served = 0, served_by_true_nonce = 0;
    std::vector<Submission> made;  // of the height before
    const auto publish = [&] {
        for (const Submission& s : std::exchange(made, {})) must(w.door.submit(s.kind, s.object));
    };
    for (std::uint64_t i = 0; i < kHeights; ++i) {
        w.feed();
        publish();
        const Height h = w.world.tip() - 1;
        const Reveal true_reveal = reveals.at_height(h).value();
        served_by_true_nonce += first_half(
            asked_for(w.params, h, friend_chain, own, challenge_nonce(true_reveal, friend_chain)));
        const auto [reveal, nonce] = aim(w.params, h, friend_chain, own, tries);
        const Challenge2 c = make_challenge2(w.params.id(), friend_chain, h, test::test_hash(h),
                                             test::test_y(h), reveal, cheater.key)
                                 .value();
        ASSERT_EQ(c.nonce, nonce);
        const Bytes object = wrap_object(Kind::kChallenge2, c.encode());
        const auto reply = cheater.network->send_challenge(w.key_of_prover(0), object, 500);
        ASSERT_TRUE(reply);
        ++served;
        made.push_back({Kind::kChallenge2, object});
        const Response response =
            Response::decode(unwrap_object(Kind::kResponse, reply->response).value()).value();
        for (const Reveal& shown : {true_reveal, reveal}) {
            const Outcome2 o = make_outcome2(c.id(w.params.id()), shown, OutcomeKind::kServed,
                                             28'000, 20'000, &response, cheater.key)
                                   .value();
            made.push_back({Kind::kOutcome2, wrap_object(Kind::kOutcome2, o.encode())});
        }
        // Taken from h + 2 on, while the next height is challenged.
        w.time.pass_us(w.params.block_ms * 1'000ULL);
    }
    w.feed();
    publish();
    for (int i = 0; i < 3; ++i) w.feed();
    // Whoever looks at the challenge and its answer alone (the naive scheme) takes the friend for a
    // store that serves every time; by its true nonces it does now and then.
    EXPECT_EQ(served, kHeights);
    expect_rate(served_by_true_nonce, kHeights, kFits, "by true nonces");
    EXPECT_EQ(w.verdicts[Reason::kTooEarly], 0U);
    EXPECT_EQ(w.verdicts[Reason::kOk], kHeights) << "the challenges";
    EXPECT_EQ(w.verdicts[Reason::kBadNonce], kHeights) << "outcomes with the true reveal";
    EXPECT_EQ(w.verdicts[Reason::kBadReveal], kHeights) << "outcomes with the aimed one";
    EXPECT_TRUE(must(w.world->outcomes(friend_chain)).empty());
    EXPECT_EQ(must(w.token->balance(own)), 0U);
    RecordProperty("tries_per_height", static_cast<int>(tries / kHeights));
}

TEST(NonceAim, AFriendWhoKeepsSilentHidesItsOwnTestimonyAndNoOthers) {
    for (const std::size_t friends : {2, 4}) {
        AvailabilityWorld w(1, 5);
        answer_if(w, [](const Challenge2&) { return false; });
        for (std::size_t i = 0; i < friends; ++i) {
            w.silent.insert(w.challengers[i].key.public_key());
        }
        w.blocks(40);
        // What the others say decides, however few they are.
        EXPECT_TRUE(w.is_suspended(0)) << friends;
        EXPECT_EQ(w.outcomes(0, OutcomeKind::kServed), 0U);
        for (std::size_t i = 0; i < friends; ++i) {
            EXPECT_EQ(must(w.token->balance(w.challengers[i].key.public_key())), 0U);
        }
        EXPECT_GT(must(w.token->balance(w.challengers[4].key.public_key())), 0U);
    }
}

TEST(Prewarm, WhatIsPreparedWhenYIsKnownIsNotWhatIsAskedFor) {
    AvailabilityWorld w(1, 3);
    const ChainId chain = w.provers[0].chain->id();
    // Half of the chunks, by the best guess that y and all public facts allow.
    const auto prepared = [&](const NetworkParams& params, Height h, const PublicKey& by) {
        std::set<std::uint64_t> held;
        for (std::uint64_t n = 0; held.size() < 8; ++n) {
            const ChallengeNonce guess(tagged_hash("test/guess", n));
            for (const std::uint64_t i : asked_for(params, h, chain, by, guess)) {
                if (held.size() < 8) held.insert(i);
            }
        }
        return held;
    };
    const auto holds = [&](const Challenge2& c) {
        const auto held = prepared(w.params, c.height, c.challenger);
        const auto asked = asked_for(w.params, c);
        return std::all_of(asked.begin(), asked.end(),
                           [&](std::uint64_t i) { return held.contains(i); });
    };
    answer_if(w, holds);
    w.blocks(60);
    EXPECT_EQ(w.report.sent, 60U);
    expect_rate(w.report.served, w.report.sent, kFits, "through the engine");
    EXPECT_TRUE(w.is_suspended(0));

    // Many more draws of true reveals, and whether a challenge comes at all, by the draw.
    NetworkParams p = w.params;
    p.availability_n = 1;
    p.availability_d = 10;
    const KeyPair& key = w.challengers[0].key;
    const PublicKey by = key.public_key();
    RevealChain reveals = RevealChain::make(p.id(), owner(by), Height(1'000), key).value();
    std::uint64_t draws = 0, fits = 0, foreseen = 0, come_when_foreseen = 0, naive_fits = 0;
    for (Height h(1'001); h < Height(5'001); ++h, ++draws) {
        const VdfOutput y = test::test_y(h);
        const ChallengeNonce nonce = challenge_nonce(reveals.at_height(h).value(), chain);
        const auto held = prepared(p, h, by);
        const Chunks asked = asked_for(p, h, chain, by, nonce);
        const auto in_hand = [&](std::uint64_t i) { return held.contains(i); };
        fits += std::all_of(asked.begin(), asked.end(), in_hand) ? 1 : 0;
        const ChallengeNonce guess(tagged_hash("test/guess", std::uint64_t{0}));
        if (challenge_is_drawn(p, p.id(), y, chain, by, guess)) {
            ++foreseen;
            come_when_foreseen += challenge_is_drawn(p, p.id(), y, chain, by, nonce) ? 1 : 0;
        }
        // The naive scheme draws the chunks from y alone, and that guess is right every time.
        const Chunks from_y = asked_for(p, h, chain, by, guess);
        naive_fits += std::all_of(from_y.begin(), from_y.end(), in_hand) ? 1 : 0;
    }
    expect_rate(fits, draws, kFits, "4,000 draws");
    expect_rate(come_when_foreseen, foreseen, 0.1, "challenges that were foreseen");
    EXPECT_EQ(naive_fits, draws);
    RecordProperty("fits_of_4000", static_cast<int>(fits));
    RecordProperty("foreseen", static_cast<int>(foreseen));
    RecordProperty("came", static_cast<int>(come_when_foreseen));
}

}  // namespace
}  // namespace holdfast
