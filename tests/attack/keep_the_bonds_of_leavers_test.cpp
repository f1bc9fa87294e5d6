// Attack: let nobody out. Where a role has no way to end, whoever ever held it is hostage of
// whatever the network becomes, and a bond stays for ever.
//
// Bound: everybody but a chain (attack 23) leaves by a removal that names the bond and the role,
// and has its part back after the liability; what is free goes back at once (spec 15.4).
#include <gtest/gtest.h>

#include "support/offence_world.hpp"

namespace holdfast::test {
namespace {

std::vector<DecidedStep> released(RegistryWorld& world) {
    std::vector<DecidedStep> out;
    for (const Decision& d : must(world->decisions(0, 100))) {
        for (const DecidedStep& s : d.steps) {
            if (s.kind == DecidedStep::Kind::kRelease) out.push_back(s);
        }
    }
    return out;
}

TEST(AttackKeepTheBondsOfLeavers, ASubmitterAnEvaluatorAndAnOperatorLeaveAfterTheirLiability) {
    struct Leaver {
        BondPurpose role;
        const char* bond;
        std::uint64_t part;
    };
    for (const Leaver& leaver : {Leaver{BondPurpose::kCheckpoint, "test/submitter's bond", 7},
                                 Leaver{BondPurpose::kEvaluator, "test/evaluator's bond", 5},
                                 Leaver{BondPurpose::kOperator, "test/operator's bond", 9}}) {
        SCOPED_TRACE(leaver.bond);
        OffenceWorld w;
        const BondId bond(tagged_hash(leaver.bond));
        const KeyPair operator_key = test_operator();
        const KeyPair& key = leaver.role == BondPurpose::kCheckpoint  ? w.submitter
                             : leaver.role == BondPurpose::kEvaluator ? w.evaluator
                                                                      : operator_key;
        const auto removal = [&](const KeyPair& by) {
            return make_removal(w.network_id, ChainId(bond),
                                static_cast<std::uint32_t>(leaver.role), w.world.tip(), by)
                .value();
        };
        EXPECT_EQ(w.world.judge(Kind::kRemoval, removal(w.accuser)).reason, Reason::kBadSignature);
        EXPECT_EQ(w.world.judge(Kind::kRemoval, removal(key)), Verdict::ok());
        const Height left = w.world.tip();
        const std::uint64_t liable = w.params.seal_delay + w.params.liability_blocks;
        w.world.feed_to(left + liable + w.params.closing_blocks() - 1);
        EXPECT_TRUE(w.holds_part(leaver.role)) << "liable until then";
        EXPECT_TRUE(released(w.world).empty());
        w.world.feed();
        w.world.feed();
        EXPECT_FALSE(w.holds_part(leaver.role));
        EXPECT_EQ(released(w.world), std::vector{DecidedStep::release(bond, leaver.part)});
    }
}

TEST(AttackKeepTheBondsOfLeavers, AnOffenceThatIsShownDuringTheLiabilityCostsThePart) {
    OffenceWorld w;
    const BondId bond(tagged_hash("test/operator's bond"));
    EXPECT_EQ(
        w.world.judge(
            Kind::kRemoval,
            make_removal(w.network_id, ChainId(bond), 6, w.world.tip(), test_operator()).value()),
        Verdict::ok());
    w.world.feed_to(w.world.tip() + w.params.seal_delay + 1);  // no operator any more, but liable
    EXPECT_EQ(w.judge(make_head_conflict(w.head("one"), w.head("another"))), Verdict::ok());
    w.world.feed_to(w.world.tip() + 20);
    EXPECT_TRUE(released(w.world).empty());
}

TEST(AttackKeepTheBondsOfLeavers, AnAccuserHasItsDepositBackWhateverBecameOfTheEvidence) {
    OffenceWorld w;
    const BondId deposit(tagged_hash("test/deposit of nothing"));
    w.world.list(BondEvent::created(deposit, w.accuser.public_key(), 30, BondPurpose::kAccusation,
                                    tagged_hash("evidence that nobody ever lists")));
    w.world.feed();
    const auto rest = [&] {
        return w.world.judge(
            Kind::kRemoval,
            make_removal(w.network_id, ChainId(deposit), 0, w.world.tip(), w.accuser).value());
    };
    EXPECT_EQ(rest(), Verdict::ok());
    EXPECT_EQ(released(w.world), std::vector{DecidedStep::release(deposit, 30)});
    EXPECT_EQ(rest().reason, Reason::kNoBond) << "once";
    // With the evidence: more than it had to be.
    const Evidence evidence = w.accuse_cell(kUnsealedCell);
    const Digest subject = sha256(wrap_object(Kind::kEvidence, evidence.encode()));
    const BondId larger(tagged_hash("test/larger deposit"));
    w.world.list(BondEvent::created(larger, w.accuser.public_key(), 3 * kTestPart,
                                    BondPurpose::kAccusation, subject));
    EXPECT_EQ(w.world.judge(Kind::kEvidence, evidence), Verdict::ok());
    EXPECT_EQ(released(w.world).back(), DecidedStep::release(larger, 3 * kTestPart));
}

}  // namespace
}  // namespace holdfast::test
