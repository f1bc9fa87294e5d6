// Attack: offend where no node acts on the evidence. Blocks list evidence of every kind; a node
// that leaves some of them to "whoever runs a court" lets the offender keep its bond, and nodes
// that do otherwise come to another digest.
//
// Bound: every node judges every kind, once, by the state that all of them have (spec 15.6).
#include <gtest/gtest.h>

#include <set>

#include "support/offence_world.hpp"

namespace holdfast::test {
namespace {

TEST(AttackUnheardEvidence, OfEveryKindIsJudgedByEveryNodeOnce) {
    std::set<EvidenceKind> kinds;
    for (const OffenceOf& offence : all_offences()) {
        SCOPED_TRACE(offence.name);
        OffenceWorld steady;
        OffenceWorld restarted;
        const Evidence evidence = offence.make(steady);
        EXPECT_EQ(offence.make(restarted), evidence);
        EXPECT_EQ(evidence.kind(), offence.kind);
        kinds.insert(offence.kind);
        ASSERT_TRUE(steady.holds_part(offence.role));
        restarted.world.open();
        EXPECT_EQ(steady.judge(evidence), Verdict::ok());
        EXPECT_EQ(restarted.judge(evidence), Verdict::ok());
        restarted.world.open();  // while the block that lists it is the tip
        EXPECT_EQ(steady.holds_part(offence.role), !offence.costs_the_part);
        // What costs nothing is not noted, so that it shuts out nothing.
        const Reason again = offence.costs_the_part ? Reason::kAlreadySettled : Reason::kOk;
        EXPECT_EQ(steady.judge(evidence).reason, again);
        EXPECT_EQ(restarted.judge(evidence).reason, again);
        EXPECT_EQ(must(steady.world->export_state()), must(restarted.world->export_state()));
        std::size_t slashes = 0;
        for (const Decision& d : must(steady.world->decisions(0, 100))) {
            if (d.kind != CaseKind::kOffence) continue;
            EXPECT_EQ(d.steps.at(0).kind, DecidedStep::Kind::kSlash);
            ++slashes;
        }
        EXPECT_EQ(slashes, offence.costs_the_part ? 1U : 0U);
        // Nobody else has lost anything.
        for (const BondPurpose role : {BondPurpose::kStorage, BondPurpose::kEvaluator,
                                       BondPurpose::kCheckpoint, BondPurpose::kOperator}) {
            if (role != offence.role) {
                EXPECT_TRUE(steady.holds_part(role)) << to_string(role);
            }
        }
    }
    EXPECT_EQ(kinds.size(), 11U);
}

TEST(AttackUnheardEvidence, WhatCostsAFillIsHeardOnlyWithADeposit) {
    for (const OffenceOf& offence : all_offences()) {
        OffenceWorld w;
        const Evidence evidence = offence.make(w);
        if (!needs_fill(evidence)) continue;
        SCOPED_TRACE(offence.name);
        EXPECT_EQ(w.world.judge(Kind::kEvidence, evidence), Verdict(Reason::kNoBond));
        EXPECT_TRUE(w.holds_part(offence.role));
        EXPECT_EQ(w.judge(evidence), Verdict::ok());
        EXPECT_FALSE(w.holds_part(offence.role));
    }
}

TEST(AttackUnheardEvidence, AnAccusationThatCostsNothingShutsOutNone) {
    // A prover lists that it used another y under one link, which costs it nothing, so that the
    // wrong cell under its other link of the height is one offence with it, and settled.
    OffenceWorld w;
    std::optional<Evidence> harmless;
    std::optional<Evidence> costly;
    for (const OffenceOf& offence : all_offences()) {
        if (offence.kind != EvidenceKind::kBadOpening) continue;
        auto& made = offence.costs_the_part ? costly : harmless;
        if (!made) made = offence.make(w);
    }
    ASSERT_TRUE(harmless && costly);
    EXPECT_EQ(accused_offence(w.network_id, *harmless), accused_offence(w.network_id, *costly));
    EXPECT_EQ(w.judge(*harmless), Verdict::ok());
    EXPECT_TRUE(w.holds_part(BondPurpose::kStorage));
    EXPECT_EQ(w.judge(*costly), Verdict::ok());
    EXPECT_FALSE(w.holds_part(BondPurpose::kStorage));
}

}  // namespace
}  // namespace holdfast::test
