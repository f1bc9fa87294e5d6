// Attack: draw rewards for storage that nobody holds. Challenger and prover are one person; nothing
// is ever asked or read, and the prover signs the hash of bytes that it makes up.
#include <iostream>

#include "support/challenger_world.hpp"

namespace holdfast::test {
namespace {

TEST(RewardsWithoutData, CostColludersMoreThanTheyBringOverAThousandHeights) {
    NetworkParams params = challenger_network();
    params.quorum_window = 2'000;
    params.least_challenger_part = 1'024'000;
    ChallengerWorld w(params);
    const TestProver prover(1);
    w.add_chain(prover);
    const TestChallenger colluder(w.network_id, 1, Height(8), 1'100);
    w.blocks_until(Height(2));
    ASSERT_TRUE(w.join(colluder, 10'000'000));
    w.blocks_until(Height(12));
    for (Height h(10); h < Height(1'010); ++h) {
        const Challenge2 asked = w.challenge(colluder, prover, h);
        ASSERT_EQ(w.take(asked), Verdict());
        const Response made_up = sign_response(asked.id(w.network_id), Bytes{1, 2, 3}, prover.key);
        ASSERT_EQ(w.take(make_outcome2(made_up.id, colluder.reveal(h), OutcomeKind::kServed, 1, 1,
                                       &made_up, colluder.key)),
                  Verdict());
        w.block();
    }
    w.blocks_until(Height(1'040));
    // The most that a host may pay for one outcome, to both together (spec 15.8).
    const std::uint64_t reward = forfeit_of(params) / 32;
    std::uint64_t paid = 0;
    std::uint64_t taken = 0;
    for (const Decision& d : w.decisions()) {
        if (d.steps[0].kind == DecidedStep::Kind::kSlash) taken += d.steps[0].amount;
        if (d.steps[0].kind == DecidedStep::Kind::kPayChallenger) paid += reward;
    }
    EXPECT_EQ(paid / reward + taken / forfeit_of(params), 1'000U);
    EXPECT_LT(paid, taken) << "the colluders have gained";
    EXPECT_EQ(w.part(colluder), 10'000'000 - taken);

    std::cout << "paid " << paid / reward << " rewards, forfeited " << taken / reward << "\n";
}

TEST(RewardsWithoutData, AreNotPaidForTheChallengersWordAlone) {
    ChallengerWorld w;
    const TestProver prover(1);
    w.add_chain(prover);
    const TestChallenger c(w.network_id, 1, Height(8));
    w.blocks_until(Height(2));
    ASSERT_TRUE(w.join(c, 10'000));
    w.blocks_until(Height(12));
    const Challenge2 asked = w.challenge(c, prover, Height(10));
    ASSERT_EQ(w.take(asked), Verdict());
    // Signed by the challenger in the prover's place.
    const Response own = sign_response(asked.id(w.network_id), Bytes(8), c.key);
    EXPECT_EQ(w.take(make_outcome2(own.id, c.reveal(Height(10)), OutcomeKind::kServed, 1, 1, &own,
                                   c.key)),
              Verdict(Reason::kBadSignature));
    w.blocks_until(Height(30));
    EXPECT_TRUE(w.decisions().empty());
}

}  // namespace
}  // namespace holdfast::test
