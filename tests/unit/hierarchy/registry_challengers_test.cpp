// Challengers through the registry's own doors: blocks list them and their ways out, the journal
// brings what they ask and say (spec 15.2, 15.4, 15.7, 15.8).
#include "proofs/evidence.hpp"
#include "support/challenger_world.hpp"
#include "support/registry_world.hpp"

namespace holdfast::test {
namespace {

NetworkParams challenged_network() {
    NetworkParams p = short_network();
    p.availability_n = p.availability_d = 1;
    p.least_challenger_part = 64;
    p.max_challengers = 4;
    return p;
}

class RegistryChallengers : public ::testing::Test {
  protected:
    RegistryChallengers()
        : world(challenged_network()),
          chain(world.params(), 1, Height(100)),
          challenger(world.params().id(), 1, Height(0)) {
        world.feed_to(Height(101));
        world.add_and_seal(chain);
        challenger.begin_at(world.params().id(), world.tip() + world.params().seal_delay + 1);
        world.list(BondEvent::created(challenger.bond, challenger.key.public_key(), 100,
                                      BondPurpose::kChallenger));
        EXPECT_EQ(world.judge(Kind::kChallenger, challenger.registration(world.params().id())),
                  Verdict());
    }
    Challenge2 asked(Height h) {
        return make_challenge2(world.params().id(), chain.id(), h, test_hash(h), test_y(h),
                               challenger.reveal(h), challenger.key)
            .value();
    }
    ObjectOutcome ask(Height h) {
        return world.accept(wrap_object(Kind::kChallenge2, asked(h).encode()));
    }
    ObjectOutcome say(Height h, OutcomeKind kind) {
        const Outcome2 o = make_outcome2(asked(h).id(world.params().id()), challenger.reveal(h),
                                         kind, 1, 1, nullptr, challenger.key)
                               .value();
        return world.accept(wrap_object(Kind::kOutcome2, o.encode()));
    }
    Verdict leave(std::uint32_t role) {
        return world.judge(Kind::kRemoval,
                           make_removal(world.params().id(), ChainId(challenger.bond), role,
                                        world.tip(), challenger.key)
                               .value());
    }
    RegistryWorld world;
    TestChain chain;
    TestChallenger challenger;
};

TEST_F(RegistryChallengers, AskAndSayThroughTheJournalOnce) {
    const Height h = challenger.base + 1;
    world.feed_to(h + 2);
    EXPECT_EQ(must(world->challengers_in_force(h)),
              (std::vector<ChallengerPart>{{challenger.key.public_key(), 100}}));
    ASSERT_EQ(must(world->challenged_chains(h)).size(), 1U);
    EXPECT_EQ(must(world->challenged_chains(h))[0].id, chain.id());
    const ObjectOutcome first = ask(h);
    EXPECT_EQ(first.verdict, Verdict());
    EXPECT_TRUE(first.entry.has_value());
    const ObjectOutcome again = ask(h);
    EXPECT_EQ(again.verdict, Verdict(Reason::kDuplicateChallenge));
    EXPECT_FALSE(again.entry.has_value()) << "what changes nothing is not appended";
    EXPECT_EQ(say(h, OutcomeKind::kLate).verdict, Verdict());
    EXPECT_EQ(say(h, OutcomeKind::kLate).verdict, Verdict(Reason::kAlreadySettled));
    EXPECT_EQ(must(world->outcomes(chain.id())).size(), 1U);
    const Digest before = must(world->export_state());
    world.open();
    EXPECT_EQ(must(world->export_state()), before);
    world.feed_to(h + 8);
    const auto decisions = must(world->decisions(0, 10));
    ASSERT_EQ(decisions.size(), 1U);
    EXPECT_EQ(decisions[0].id, outcome_case(world.params().id(), asked(h).id(world.params().id())));
}

TEST_F(RegistryChallengers, ObjectsOfTheFirstVersionHaveNoDoor) {
    const Height h = challenger.base + 1;
    world.feed_to(h + 2);
    const Challenge old = make_challenge(world.params().id(), chain.id(), h, test_hash(h),
                                         challenger.reveal(h), challenger.key)
                              .value();
    EXPECT_EQ(world.accept(wrap_object(Kind::kChallenge, old.encode())).verdict,
              Verdict(Reason::kBadKind));
    // And what belongs into the journal has none through a block.
    world.list(Kind::kChallenge2, asked(h));
    EXPECT_EQ(world.listed().back(), Verdict(Reason::kBadKind));
}

TEST_F(RegistryChallengers, GetTheirBondBackWhenTheirLiabilityIsOver) {
    world.feed_to(challenger.base + 1);
    EXPECT_EQ(leave(3), Verdict(Reason::kAlreadyRemoved));
    EXPECT_EQ(leave(2), Verdict());
    const Height left = world.tip();
    EXPECT_EQ(leave(2), Verdict(Reason::kAlreadyRemoved));
    const Height until = left + world.params().seal_delay;
    world.feed_to(until);
    EXPECT_EQ(must(world->challengers_in_force(until - 1)).size(), 1U);
    EXPECT_TRUE(must(world->challengers_in_force(until)).empty());
    world.feed_to(until + world.params().liability_blocks + world.params().closing_blocks());
    const Digest holder{challenger.key.public_key().bytes};
    EXPECT_FALSE(must(world->part(BondPurpose::kChallenger, holder)).has_value());
    const auto decisions = must(world->decisions(0, 10));
    ASSERT_EQ(decisions.size(), 1U);
    EXPECT_EQ(decisions[0].steps[0], DecidedStep::release(challenger.bond, 100));
}

/// A node that it follows tells an honest prover a false y and then challenges it by that y: what
/// the prover signs is no answer to the true challenge, and no offence.
TEST_F(RegistryChallengers, CannotMakeAnOffenceOfAnAnswerToAFalseY) {
    const Height h = challenger.base + 1;
    world.feed_to(h + 4);
    Challenge2 false_one = make_challenge2(world.params().id(), chain.id(), h, test_hash(h),
                                           VdfOutput(tagged_hash("test/false y")),
                                           challenger.reveal(h), challenger.key)
                               .value();
    const Response honest =
        sign_response(false_one.id(world.params().id()), Bytes(64), chain.key()).value();
    const auto accuse = [&](const Challenge2& c) {
        const Response r = sign_response(c.id(world.params().id()), Bytes(64), chain.key()).value();
        return world.judge(Kind::kEvidence, make_bad_response(c, r));
    };
    EXPECT_EQ(world.judge(Kind::kEvidence, make_bad_response(false_one, honest)),
              Verdict(Reason::kWrongOutput));
    EXPECT_TRUE(must(world->part(BondPurpose::kStorage, chain.id())).has_value());
    // By the true y the same bytes cost the part.
    EXPECT_EQ(accuse(asked(h)), Verdict());
    EXPECT_FALSE(must(world->part(BondPurpose::kStorage, chain.id())).has_value());
}

}  // namespace
}  // namespace holdfast::test
