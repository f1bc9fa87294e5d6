// Evidence and checkpoints that blocks list: judged by every node, once, and what they cost.
#include <gtest/gtest.h>

#include "availability/exchange.hpp"
#include "proofs/evidence.hpp"
#include "support/registry_world.hpp"

namespace holdfast {
namespace {

using test::kTestPart;
using test::must;
using test::RegistryWorld;
using test::test_y;
using test::TestChain;

NetworkParams deposits_network() {
    NetworkParams p = test::patient_network();
    p.least_submitter_part = 7;
    return p;
}

const BondId kDepositBond(tagged_hash("test/deposit"));

class ListedEvidence : public testing::Test {
  protected:
    ListedEvidence() : world(deposits_network()), chain(world.params(), 1, Height(101)) {
        world.feed_to(Height(102));
        world.add_and_seal(chain);
        world.feed();
    }
    /// Two links of the chain for the height at the tip.
    Evidence equivocation() {
        const KnownHeight known = world.known(chain, world.tip());
        return make_equivocation(chain.id(), known.block_hash,
                                 chain.sign(known, Link(tagged_hash("one"))),
                                 chain.sign(known, Link(tagged_hash("two"))));
    }
    static Bytes object(const Evidence& e) { return wrap_object(Kind::kEvidence, e.encode()); }
    BondEvent deposit(const Evidence& e, std::uint64_t amount) const {
        return BondEvent::created(kDepositBond, accuser.public_key(), amount,
                                  BondPurpose::kAccusation, sha256(object(e)));
    }
    bool has_part() { return must(world->part(BondPurpose::kStorage, chain.id())).has_value(); }

    RegistryWorld world;
    TestChain chain;
    KeyPair accuser = KeyPair::from_secret(Bytes(32, 7));
};

TEST_F(ListedEvidence, CostsThePartOnceAndEndsTheChain) {
    const Evidence evidence = equivocation();
    EXPECT_EQ(world.judge(Kind::kEvidence, evidence), Verdict::ok());
    const Height at = world.tip();
    EXPECT_FALSE(has_part());
    EXPECT_EQ(world.judge(Kind::kEvidence, evidence).reason, Reason::kAlreadySettled);
    const auto decisions = must(world->decisions(0, 10));
    ASSERT_EQ(decisions.size(), 1U);
    EXPECT_EQ(decisions[0].kind, CaseKind::kOffence);
    EXPECT_EQ(decisions[0].steps,
              std::vector{DecidedStep::slash(chain.registration().bond_id, chain.key().public_key(),
                                             kTestPart)});
    world.feed_to(at + 4);
    EXPECT_EQ(world.status_at(chain, at - 1), ChainStatus::kActive);
    EXPECT_EQ(world.status_at(chain, at), ChainStatus::kExpired);
}

TEST_F(ListedEvidence, WhoeverPutDownADepositForItIsTheAccuser) {
    const Evidence evidence = equivocation();
    world.list(deposit(evidence, 3));
    EXPECT_EQ(world.judge(Kind::kEvidence, evidence), Verdict::ok());
    const auto decisions = must(world->decisions(0, 10));
    ASSERT_EQ(decisions.size(), 2U);
    EXPECT_EQ(decisions[0].steps.at(1), DecidedStep::reward(accuser.public_key(), 100));
    EXPECT_EQ(decisions[1].kind, CaseKind::kDeposit);
    EXPECT_EQ(decisions[1].steps, std::vector{DecidedStep::release(kDepositBond, 3)});
}

TEST_F(ListedEvidence, AgainstSomebodyWithoutAPartIsNotSettled) {
    TestChain nobody(world.params(), 9, Height(101));
    const KnownHeight known = world.known(chain, world.tip());
    const Evidence evidence = make_equivocation(nobody.id(), known.block_hash,
                                                nobody.sign(known, Link(tagged_hash("one"))),
                                                nobody.sign(known, Link(tagged_hash("two"))));
    EXPECT_EQ(world.judge(Kind::kEvidence, evidence).reason, Reason::kNoBond);
    EXPECT_TRUE(must(world->decisions(0, 10)).empty());
}

TEST_F(ListedEvidence, AboutAHeightThatMayStillGetYWaitsForIt) {
    world.feed(false);
    const Height h = world.tip();
    const BlockHash hash = must(world->block(h))->hash;
    const Challenge2 challenge =
        make_challenge2(world->network_id(), chain.id(), h, hash, test_y(h), Reveal{}, accuser)
            .value();
    Response response{challenge.id(world->network_id()), Bytes(5, 1), {}};
    response.signature = chain.key().sign(view(response.digest())).value();
    const Evidence evidence = make_bad_response(challenge, response);
    EXPECT_EQ(world.judge(Kind::kEvidence, evidence).reason, Reason::kNoEntropy);
    EXPECT_TRUE(has_part());
    EXPECT_EQ(must(world->note_y(h, test_y(h))), Verdict::ok());
    EXPECT_TRUE(has_part());
    world.feed();  // closes h
    EXPECT_EQ(world.closed(), h);
    EXPECT_FALSE(has_part());
    // The challenger that the challenge names is the accuser.
    EXPECT_EQ(must(world->decisions(0, 10)).at(0).steps.at(1),
              DecidedStep::reward(accuser.public_key(), 100));
}

TEST_F(ListedEvidence, AFalseYInAChallengeMakesNoOffenceOfItsAnswer) {
    const Height h = world.tip();
    const BlockHash hash = must(world->block(h))->hash;
    const Challenge2 challenge =
        make_challenge2(world->network_id(), chain.id(), h, hash,
                        VdfOutput(tagged_hash("a false y")), Reveal{}, accuser)
            .value();
    Response response{challenge.id(world->network_id()), Bytes(5, 1), {}};
    response.signature = chain.key().sign(view(response.digest())).value();
    EXPECT_EQ(world.judge(Kind::kEvidence, make_bad_response(challenge, response)).reason,
              Reason::kWrongOutput);
    EXPECT_TRUE(has_part());
}

TEST_F(ListedEvidence, TwoCheckpointsOfOneSubmitterAreTheOffenceThemselves) {
    const KeyPair submitter = KeyPair::from_secret(Bytes(32, 8));
    const BondId bond(tagged_hash("test/submitter-bond"));
    world.feed_to(Height(117));
    const BlockRecord closed = must(world->block(Height(115))).value();
    const auto checkpoint = [&](const GlobalDigest& global) {
        return make_checkpoint(world->network_id(), Height(115), closed.hash, global,
                               closed.counts.total, bond, submitter)
            .value();
    };
    const Digest holder{submitter.public_key().bytes};
    const Checkpoint truth = checkpoint(closed.global);
    EXPECT_EQ(world.judge(Kind::kCheckpoint, truth).reason, Reason::kNoBond);
    world.list(BondEvent::created(bond, submitter.public_key(), 10, BondPurpose::kCheckpoint));
    EXPECT_EQ(world.judge(Kind::kCheckpoint, truth), Verdict::ok());
    EXPECT_EQ(must(world->part(BondPurpose::kCheckpoint, holder))->amount, 7U);
    EXPECT_EQ(world.judge(Kind::kCheckpoint, truth), Verdict::ok());  // the same again
    EXPECT_TRUE(must(world->part(BondPurpose::kCheckpoint, holder)));
    const Checkpoint lie = checkpoint(GlobalDigest(tagged_hash("a lie")));
    EXPECT_EQ(world.judge(Kind::kCheckpoint, lie).reason, Reason::kGlobalMismatch);
    EXPECT_FALSE(must(world->part(BondPurpose::kCheckpoint, holder)));
    ASSERT_EQ(must(world->decisions(0, 10)).size(), 1U);
    EXPECT_EQ(must(world->bond(bond))->owed, 7U);
}

TEST_F(ListedEvidence, WhoHasLeftItsRoleGetsItsPartAfterLiability) {
    const KeyPair submitter = KeyPair::from_secret(Bytes(32, 8));
    const BondId bond(tagged_hash("test/submitter-bond"));
    world.feed_to(Height(117));
    const BlockRecord closed = must(world->block(Height(115))).value();
    world.list(BondEvent::created(bond, submitter.public_key(), 10, BondPurpose::kCheckpoint));
    EXPECT_EQ(world.judge(Kind::kCheckpoint,
                          make_checkpoint(world->network_id(), Height(115), closed.hash,
                                          closed.global, closed.counts.total, bond, submitter)
                              .value()),
              Verdict::ok());
    const auto leave = [&](std::uint32_t role, Height signed_at) {
        return world.judge(
            Kind::kRemoval,
            make_removal(world->network_id(), ChainId(bond), role, signed_at, submitter).value());
    };
    const Height claimed = world.tip();
    EXPECT_EQ(leave(3, claimed - 1).reason, Reason::kTooLate);         // from before it was claimed
    EXPECT_EQ(leave(2, world.tip()).reason, Reason::kAlreadyRemoved);  // no part in that role
    Removal forged =
        make_removal(world->network_id(), ChainId(bond), 3, world.tip(), accuser).value();
    EXPECT_EQ(world.judge(Kind::kRemoval, forged).reason, Reason::kBadSignature);
    EXPECT_EQ(leave(0, world.tip()), Verdict::ok());  // what is free, at once
    EXPECT_EQ(must(world->bond(bond))->free, 0U);
    EXPECT_EQ(must(world->decisions(0, 10)).at(0).steps.at(0), DecidedStep::release(bond, 3));
    EXPECT_EQ(leave(3, world.tip()), Verdict::ok());
    const Height left = world.tip();
    EXPECT_EQ(leave(3, world.tip()).reason, Reason::kAlreadyRemoved);
    const std::uint64_t after = world.params().seal_delay + world.params().liability_blocks;
    world.feed_to(left + after + 1);
    const Digest holder{submitter.public_key().bytes};
    EXPECT_TRUE(must(world->part(BondPurpose::kCheckpoint, holder)));
    world.feed();
    world.feed();
    EXPECT_FALSE(must(world->part(BondPurpose::kCheckpoint, holder)));
    EXPECT_EQ(must(world->decisions(0, 10)).back().steps.at(0), DecidedStep::release(bond, 7));
}

}  // namespace
}  // namespace holdfast
