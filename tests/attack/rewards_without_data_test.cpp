// Attack: draw rewards for storage that nobody holds. Challenger and prover are one person; nothing
// is ever asked or read, and the prover signs the hash of bytes that it makes up.
#include <iostream>

#include "support/challenger_world.hpp"
#include "support/registry_world.hpp"

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
        const Response made_up =
            sign_response(asked.id(w.network_id), Bytes{1, 2, 3}, prover.key).value();
        ASSERT_EQ(w.take(make_outcome2(made_up.id, colluder.reveal(h), OutcomeKind::kServed, 1, 1,
                                       &made_up, colluder.key)
                             .value()),
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
    const Response own = sign_response(asked.id(w.network_id), Bytes(8), c.key).value();
    EXPECT_EQ(
        w.take(make_outcome2(own.id, c.reveal(Height(10)), OutcomeKind::kServed, 1, 1, &own, c.key)
                   .value()),
        Verdict(Reason::kBadSignature));
    w.blocks_until(Height(30));
    EXPECT_TRUE(w.decisions().empty());
}

/// The same through the doors of a whole registry, whose chain has a slot, a part and no data.
TEST(RewardsWithoutData, CostTheColludersThePartOfTheChallengerOnAWholeRegistry) {
    constexpr std::uint64_t kHeights = 1'000;
    NetworkParams params = patient_network();
    params.availability_n = params.availability_d = 1;
    params.quorum_window = 2'000;
    params.least_challenger_part = 1'024;
    params.max_challengers = 4;
    RegistryWorld world(params);
    const NetworkId id = params.id();
    const TestChain chain(params, 1, Height(100), Retention::kArchival);
    world.feed_to(Height(101));
    world.add_and_seal(chain);
    world.keep(chain);  // audits of the sealing are another attack's (23)
    TestChallenger colluder(id, 1, world.tip() + params.seal_delay + 1, kHeights + 10);
    world.list(BondEvent::created(colluder.bond, colluder.key.public_key(), 1'000'000,
                                  BondPurpose::kChallenger));
    ASSERT_EQ(world.judge(Kind::kChallenger, colluder.registration(id)), Verdict());
    const Height first = colluder.base + 1;
    world.feed_to(first + 1);
    const auto hand_over = [&](Kind kind, const Bytes& body) {
        return world.accept(wrap_object(kind, body)).verdict;
    };
    for (Height h = first; h < first + kHeights; h = h + 1) {
        world.feed();
        const Challenge2 asked = make_challenge2(id, chain.id(), h, test_hash(h), test_y(h),
                                                 colluder.reveal(h), colluder.key)
                                     .value();
        ASSERT_EQ(hand_over(Kind::kChallenge2, asked.encode()), Verdict());
        const Response made_up = sign_response(asked.id(id), Bytes{1, 2, 3}, chain.key()).value();
        ASSERT_EQ(hand_over(Kind::kOutcome2,
                            make_outcome2(made_up.id, colluder.reveal(h), OutcomeKind::kServed, 1,
                                          1, &made_up, colluder.key)
                                .value()
                                .encode()),
                  Verdict());
        // Whatever they bring when an audit is drawn, they have no chunks.
        for (const OutcomeAudit& audit : must(world->outcome_audits(colluder.key.public_key()))) {
            const Response again =
                sign_response(audit.challenge.id(id), Bytes{1, 2, 3}, chain.key()).value();
            EXPECT_NE(hand_over(Kind::kResponse, again.encode()), Verdict());
        }
    }
    world.feed_to(world.tip() + 20);
    std::uint64_t paid = 0;
    std::uint64_t forfeited = 0;
    for (std::uint64_t n = 0;;) {
        const std::vector<Decision> some = must(world->decisions(n, 256));
        if (some.empty()) break;
        n += some.size();
        for (const Decision& d : some) {
            paid += d.steps[0].kind == DecidedStep::Kind::kPayChallenger ? 1 : 0;
            if (d.steps[0].kind == DecidedStep::Kind::kSlash) forfeited += d.steps[0].amount;
        }
    }
    const std::uint64_t reward = params.least_challenger_part / 32 / 32;  // the most a host may pay
    std::cout << "registry: paid " << paid << " rewards, forfeited " << forfeited / reward << "\n";
    EXPECT_EQ(paid + forfeited / (32 * reward), kHeights);
    EXPECT_GT(forfeited, paid * reward) << "the colluders have gained";
}

}  // namespace
}  // namespace holdfast::test
