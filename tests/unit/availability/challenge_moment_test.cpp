// When a planned challenge leaves, and when it must not leave any more.

#include <gtest/gtest.h>

#include "support/availability_world.hpp"

namespace holdfast::test {
namespace {

TEST(ChallengeMoment, AChallengeThatCouldNotLeaveInTimeIsAbandoned) {
    const NetworkParams params = availability_network();
    const KeyPair key =
        KeyPair::from_secret(view(tagged_hash("test/challenger", std::uint64_t{0})));
    const PublicKey prover = KeyPair::from_secret(view(tagged_hash("test/prover"))).public_key();
    const std::uint64_t latest_ms = params.block_ms - challenge_margin_ms(params) / 2;
    for (const bool in_time : {true, false}) {
        SimTime time;
        TempFolder folder;
        std::map<PublicKey, SimPeer> peers;
        peers[prover].down = true;
        SimNetwork network(time, key.public_key(), peers);
        const auto journal = must(ChallengeJournal::open(folder / "journal", params.id()));
        AvailabilityChallenger engine(params, key, Height(100), *journal, network, time.clock());
        engine.on_final_block(Height(111));
        const ChallengeRound round{
            {Height(110), test_hash(Height(110)), test_y(Height(110)), {{key.public_key(), 1}}},
            {{ChainId(tagged_hash("test/chain")), prover, Root(), ChunkCount(16)}}};
        ASSERT_EQ(must(engine.draw(round)), 1U);
        time.pass_us(1'000 * (latest_ms - (in_time ? 1 : 0)));
        EXPECT_EQ(must(engine.next_due_ms()), 0U);
        const ChallengerReport report = must(engine.work());
        EXPECT_EQ(report.sent, in_time ? 1U : 0U);
        EXPECT_EQ(report.unreachable, in_time ? 1U : 0U);
        EXPECT_EQ(report.abandoned, in_time ? 0U : 1U);
        EXPECT_FALSE(must(engine.next_due_ms()).has_value());
    }
}

}  // namespace
}  // namespace holdfast::test
