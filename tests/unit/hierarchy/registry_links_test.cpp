// Links, proofs, misses, statuses, audits and suspension in a registry.
#include <gtest/gtest.h>

#include "hierarchy/registry.hpp"
#include "support/registry_world.hpp"

namespace holdfast {
namespace {

using test::must;
using test::RegistryWorld;
using test::short_network;
using test::test_y;
using test::TestChain;

bool needs_full(const RegistryWorld& world, const TestChain& chain, Height h) {
    return full_required(world.params().id(), test_y(compact_draw_height(world.params(), h)),
                         chain.id());
}

/// A chain that may prove every height of the range with a compact proof.
std::unique_ptr<TestChain> chain_without_full(const RegistryWorld& world, Height genesis,
                                              Height first, Height last) {
    for (std::uint64_t seed = 1;; ++seed) {
        auto chain = std::make_unique<TestChain>(world.params(), seed, genesis);
        bool clean = true;
        for (Height h = first; h <= last; ++h) clean = clean && !needs_full(world, *chain, h);
        if (clean) return chain;
    }
}

class RegistryLinks : public ::testing::Test {
  protected:
    /// A chain sealed at 113, the tip.
    std::unique_ptr<TestChain> sealed_chain(Height last = Height(140)) {
        world_.feed_to(Height(110));
        auto chain = chain_without_full(world_, Height(108), Height(110), last);
        world_.add_and_seal(*chain);
        world_.keep(*chain);
        return chain;
    }
    RegistryWorld world_{short_network()};
};

TEST_F(RegistryLinks, ReceiptsForOpenHeightsOfSealedChains) {
    world_.feed_to(Height(110));
    TestChain pending(world_.params(), 90, Height(108));
    auto chain = chain_without_full(world_, Height(108), Height(110), Height(140));
    world_.add(pending);
    world_.add(*chain);
    EXPECT_EQ(world_.link(pending, Height(110)).reason, Reason::kNoSlot);
    world_.feed_to(Height(113));
    EXPECT_EQ(world_.answer_duties(*chain), 1U);
    EXPECT_EQ(world_.link(*chain, Height(112)).reason, Reason::kNoSlot);  // sealed at 113
    EXPECT_EQ(world_.link(*chain, Height(113)), Verdict::ok());
    world_.feed_to(Height(115));
    EXPECT_EQ(world_.link(*chain, Height(113)).reason, Reason::kTooLate);
    EXPECT_EQ(world_.link(*chain, Height(114)), Verdict::ok());
    KnownHeight future = world_.known(*chain, Height(115));
    const Receipt receipt = chain->full(future).receipt;
    KnownHeight now = future;
    const auto verdict = [&](const TestChain& by, const KnownHeight& known, const Link& link) {
        const ObjectOutcome out = world_.accept(by.bundle(known, link));
        return (out.verdict && !out.members.empty() ? out.members[0] : out.verdict).reason;
    };
    future.height = Height(116);
    EXPECT_EQ(verdict(*chain, future, receipt.link), Reason::kTooEarly);
    EXPECT_EQ(verdict(TestChain(world_.params(), 77, Height(108)), now, receipt.link),
              Reason::kUnknownChain);
    Bytes forged = chain->bundle(now, receipt.link);
    forged.back() ^= 1;
    EXPECT_EQ(world_.accept(forged).verdict.reason, Reason::kBadSignature);
    KnownHeight moved = now;
    moved.anchor.bytes[0] ^= 1;
    EXPECT_EQ(verdict(*chain, moved, receipt.link), Reason::kWrongAnchor);
    EXPECT_EQ(verdict(*chain, now, receipt.link), Reason::kOk);
    EXPECT_EQ(must(world_->link(chain->id(), Height(115)))->link, receipt.link);
    EXPECT_FALSE(must(world_->link(chain->id(), Height(116))));

    world_.feed_to(Height(117));
    const ChainLeaf leaf = must(world_->leaf(chain->id(), Height(115))).value();
    EXPECT_EQ(leaf.link, receipt.link);
    EXPECT_EQ(leaf.link_height, Height(115));
    EXPECT_EQ(world_.known(*chain, Height(117)).link_before, receipt.link);
}

TEST_F(RegistryLinks, OneLinkAHeightTheSmallerStandsAndTheOtherIsEvidence) {
    auto chain = sealed_chain();
    const KnownHeight known = world_.known(*chain, Height(113));
    const Receipt honest = chain->full(known).receipt;
    Link other = honest.link;
    other.bytes[0] ^= 0x80;
    const Receipt second = chain->sign(known, other);
    EXPECT_EQ(world_.link_as(*chain, Height(113), honest.link), Verdict::ok());
    EXPECT_EQ(world_.link_as(*chain, Height(113), honest.link), Verdict::ok());
    const bool smaller = second.link < honest.link;
    EXPECT_EQ(world_.link_as(*chain, Height(113), second.link).reason,
              smaller ? Reason::kOk : Reason::kAlreadySettled);
    EXPECT_EQ(world_.link_as(*chain, Height(113), honest.link).reason,
              smaller ? Reason::kAlreadySettled : Reason::kOk);
    const Receipt& stands = smaller ? second : honest;
    EXPECT_EQ(must(world_->link(chain->id(), Height(113)))->link, stands.link);
    world_.feed_to(Height(115));
    EXPECT_EQ(must(world_->leaf(chain->id(), Height(113)))->link, stands.link);
}

TEST_F(RegistryLinks, ProofsFromTheClosingUntilTheDeadline) {
    auto chain = sealed_chain();
    // Height 114 closes with 116; y_c is that of 117; the deadline is 114 + 1 + 1 + 4 = 120.
    world_.feed();
    ASSERT_EQ(world_.link(*chain, Height(114)), Verdict::ok());
    world_.feed();
    const Full early = chain->full(world_.known(*chain, Height(114)));
    EXPECT_EQ(world_.prove(early).reason, Reason::kTooEarly);
    world_.feed_to(Height(116));
    EXPECT_EQ(must(world_->proof_heights()),
              (std::vector{Height(111), Height(112), Height(113), Height(114)}));
    EXPECT_EQ(world_.prove(early), Verdict::ok());
    world_.feed_to(Height(117));
    const KnownHeight known = world_.known(*chain, Height(114));
    const PathProof path = must(world_->path(chain->id(), Height(114)));
    const Compact compact = chain->compact(known, path);
    EXPECT_EQ(world_.prove(compact), Verdict::ok());
    Compact moved = compact;
    moved.chain_id = ChainId(tagged_hash("nobody"));
    EXPECT_EQ(world_.prove(moved).reason, Reason::kUnknownChain);
    Compact changed = compact;
    changed.cell[7] ^= 1;
    EXPECT_EQ(world_.prove(changed).reason, Reason::kSealedMismatch);
    changed = compact;
    changed.receipt.link.bytes[1] ^= 1;
    EXPECT_EQ(world_.prove(changed).reason, Reason::kNotInDigest);
    Full before = early;
    before.link_before.bytes[0] ^= 1;
    EXPECT_EQ(world_.prove(before).reason, Reason::kBadLinkBefore);
    EXPECT_EQ(world_.prove_full(*chain, Height(113)).reason, Reason::kNotInDigest);  // no receipt
    world_.feed_to(Height(119));
    EXPECT_EQ(world_.prove(compact), Verdict::ok());
    world_.feed();
    EXPECT_EQ(world_.prove(compact).reason, Reason::kTooLate);
    EXPECT_EQ(world_.prove(early).reason, Reason::kTooLate);
}

TEST_F(RegistryLinks, SilenceMakesLateAndExpiredAtExactlyTheirHeights) {
    auto chain = sealed_chain();  // sealed at 113: misses count from 114 on
    // late when misses exceed 3: 114 to 117, counted with proof_deadline 4 in the digest of 121.
    // expired when they exceed 8: 114 to 122, in the digest of 126; vacant from 127.
    world_.feed_to(Height(132));
    for (std::uint64_t h = 114; h <= 126; ++h) {
        const ChainStatus expected = h < 121   ? ChainStatus::kActive
                                     : h < 126 ? ChainStatus::kLate
                                               : ChainStatus::kExpired;
        EXPECT_EQ(world_.status_at(*chain, Height(h)), expected) << h;
    }
    EXPECT_EQ(world_.status_at(*chain, Height(127)), std::nullopt);
    const auto did = [&](EffectKind kind, std::uint64_t h) {
        return test::count_effects(must(world_->effects(Height(h))), kind, chain->id());
    };
    EXPECT_EQ(did(EffectKind::kExpired, 126), 1U);
    EXPECT_EQ(did(EffectKind::kVacated, 127), 1U);
    EXPECT_EQ(world_.info(*chain).phase, ChainPhase::kLiable);
    EXPECT_EQ(world_.info(*chain).vacant_from, Height(127));
    EXPECT_EQ(world_.info(*chain).liable_until, Height(133));
    EXPECT_EQ(world_.link(*chain, Height(132)).reason, Reason::kNoSlot);
}

TEST_F(RegistryLinks, LinksOfHonestChainsCountAndOldMissesFallOut) {
    auto chain = sealed_chain(Height(180));
    // Four misses at first, then compact proofs only: late from 121 until they leave the window
    // of 20.
    for (Height h(118); h <= Height(160); ++h) {
        world_.feed_to(h);
        ASSERT_EQ(world_.link(*chain, h), Verdict::ok());
        if (h >= Height(121)) {
            ASSERT_EQ(world_.prove_compact(*chain, h - 3), Verdict::ok());
        }
    }
    // In the digest of h the window is h-23 to h-4: height 114 leaves it with 138.
    for (std::uint64_t h = 114; h <= 158; ++h) {
        const bool late = h >= 121 && h < 138;
        EXPECT_EQ(world_.status_at(*chain, Height(h)),
                  late ? ChainStatus::kLate : ChainStatus::kActive)
            << h;
    }
    EXPECT_EQ(world_.info(*chain).misses, 0U);
}

TEST_F(RegistryLinks, WhereAFullProofIsDueItsAbsenceIsSixteenMisses) {
    world_.feed_to(Height(110));
    // The height after the slot is taken wants a full proof, the next do not.
    std::unique_ptr<TestChain> chain;
    for (std::uint64_t seed = 1;; ++seed) {
        chain = std::make_unique<TestChain>(world_.params(), seed, Height(108));
        if (needs_full(world_, *chain, Height(114)) && !needs_full(world_, *chain, Height(115))) {
            break;
        }
    }
    world_.add_and_seal(*chain);
    for (Height h(114); h <= Height(117); ++h) {
        world_.feed_to(h);
        ASSERT_EQ(world_.link(*chain, h), Verdict::ok());
    }
    EXPECT_EQ(world_.prove_compact(*chain, Height(114)).reason, Reason::kCompactNotAllowed);
    world_.feed_to(Height(121));
    // 16 exceed misses_expired at once: counted in the digest of 118.
    EXPECT_EQ(world_.status_at(*chain, Height(117)), ChainStatus::kActive);
    EXPECT_EQ(world_.status_at(*chain, Height(118)), ChainStatus::kExpired);
    EXPECT_EQ(world_.status_at(*chain, Height(119)), std::nullopt);
}

TEST_F(RegistryLinks, AFullProofCountsEverywhere) {
    world_.feed_to(Height(110));
    TestChain chain(world_.params(), 4, Height(108));
    world_.add_and_seal(chain);
    world_.keep(chain);
    bool some_needed = false;
    for (Height h(114); h <= Height(160); ++h) {
        world_.feed_to(h);
        ASSERT_EQ(world_.link(chain, h), Verdict::ok());
        some_needed = some_needed || needs_full(world_, chain, h);
        if (h >= Height(116)) {
            ASSERT_EQ(world_.prove_full(chain, h - 2), Verdict::ok());
        }
        EXPECT_EQ(world_.info(chain).misses, 0U);
    }
    EXPECT_TRUE(some_needed);
}

TEST_F(RegistryLinks, AReceiptWithoutAProofDoesNotCount) {
    auto chain = sealed_chain();
    for (Height h(114); h <= Height(124); ++h) {
        world_.feed_to(h);
        const KnownHeight known = world_.known(*chain, h);
        EXPECT_TRUE(world_.accept(chain->bundle(known, Link(tagged_hash("garbage", h)))).verdict);
    }
    EXPECT_EQ(world_.status_at(*chain, Height(120)), ChainStatus::kActive);
    EXPECT_EQ(world_.status_at(*chain, Height(121)), ChainStatus::kLate);
    // And no proof can be made for it.
    Full proof = chain->full(world_.known(*chain, Height(121)));
    EXPECT_EQ(world_.prove(proof).reason, Reason::kNotInDigest);
    proof.receipt = chain->sign(world_.known(*chain, Height(121)),
                                must(world_->link(chain->id(), Height(121)))->link);
    EXPECT_EQ(world_.prove(proof).reason, Reason::kBadLink);
}

TEST_F(RegistryLinks, AnOutageCostsNobodyAnything) {
    auto chain = sealed_chain(Height(150));
    world_.feed_to(Height(116));  // 114, 115 and 116 are missed so far
    for (int i = 0; i < 300; ++i) world_.feed(false);
    EXPECT_EQ(world_.status_at(*chain, world_.closed()), ChainStatus::kActive);
    // y_c of 115 and 116 are missing for good: they give no miss, only 114 does (its y_c is 117's,
    // and that is missing too).
    EXPECT_EQ(world_.info(*chain).misses, 0U);
    EXPECT_EQ(must(world_->statistics()).heights_with_y, 17U);  // 100 to 116
    // A link at a height without y stands nowhere, and nothing is kept of it.
    KnownHeight known = world_.known(*chain, world_.tip());
    known.y = test_y(known.height);
    EXPECT_TRUE(world_.accept(chain->bundle(known, chain->full(known).receipt.link)).verdict);
    const Height h = world_.tip();
    world_.feed(false);
    world_.feed(false);
    EXPECT_EQ(must(world_->leaf(chain->id(), h))->link, Link(chain->id()));
    EXPECT_FALSE(must(world_->link(chain->id(), h)));
    // The first heights after it count again.
    while (world_.status_at(*chain, world_.closed()) == ChainStatus::kActive) world_.feed();
    EXPECT_GE(must(world_->statistics()).heights_with_y, 17U + 4U);
}

TEST_F(RegistryLinks, RetentionEnds) {
    world_.feed_to(Height(110));
    TestChain chain(world_.params(), 4, Height(108), Retention::kTemporary);  // 40 blocks
    world_.add_and_seal(chain);
    world_.keep(chain);
    for (Height h(114); h <= Height(152); ++h) {
        world_.feed_to(h);
        if (h < Height(148)) {
            ASSERT_EQ(world_.link(chain, h), Verdict::ok());
        }
        if (h >= Height(116) && h < Height(149)) {
            ASSERT_EQ(world_.prove_full(chain, h - 2), Verdict::ok());
        }
    }
    EXPECT_EQ(world_.status_at(chain, Height(147)), ChainStatus::kActive);
    EXPECT_EQ(world_.status_at(chain, Height(148)), ChainStatus::kExpired);
    EXPECT_EQ(world_.status_at(chain, Height(149)), std::nullopt);
}

// --- reveals -------------------------------------------------------------------------------------

TEST_F(RegistryLinks, RevealsFollowTheCommitmentInForce) {
    world_.feed_to(Height(110));
    TestChain chain(world_.params(), 4, Height(108), Retention::kDefault, true);
    world_.add_and_seal(chain);
    const Update update = make_update(world_->network_id(), chain.id(), 1, Height(120),
                                      chain.reveals_at(Height(120)).commitment(), chain.key())
                              .value();
    ASSERT_EQ(world_.judge(Kind::kUpdate, update), Verdict::ok());  // in 114
    for (Height h(114); h <= Height(127); ++h) {
        world_.feed_to(h);
        ASSERT_EQ(world_.link(chain, h), Verdict::ok());
        const Height proven = h - 2;
        if (proven < Height(114)) continue;
        Full proof = chain.full(world_.known(chain, proven), world_.reveals(chain, proven));
        Full wrong = proof;
        wrong.reveal = chain.reveals_at(Height(108)).at_height(proven + 1).value();
        EXPECT_EQ(world_.prove(wrong).reason, Reason::kBadReveal);
        ASSERT_EQ(world_.prove(proof), Verdict::ok());
        EXPECT_EQ(world_.prove(proof), Verdict::ok());  // known now, still true
        const RevealState state = world_.reveals(chain, proven).value();
        EXPECT_EQ(state.base, proven < Height(120) ? Height(108) : Height(120));
        EXPECT_EQ(state.known.i, proven.value - state.base.value);
    }
}

TEST_F(RegistryLinks, ANewBaseBridgesALongSilence) {
    NetworkParams params = short_network();
    params.misses_late = params.misses_expired = 1'000;
    RegistryWorld world(params);  // rate_window 20: at most 21 hashes a step
    world.feed_to(Height(110));
    TestChain chain(world.params(), 4, Height(108), Retention::kDefault, true);
    world.add_and_seal(chain);
    world.feed_to(Height(160));
    ASSERT_EQ(world.link(chain, Height(160)), Verdict::ok());
    world.feed_to(Height(162));
    EXPECT_EQ(world.prove_full(chain, Height(160)).reason, Reason::kRevealTooFar);
    const Height base(166);
    ASSERT_EQ(
        world.judge(Kind::kUpdate, make_update(params.id(), chain.id(), 1, base,
                                               chain.reveals_at(base).commitment(), chain.key())
                                       .value()),
        Verdict::ok());
    world.feed_to(Height(167));
    ASSERT_EQ(world.link(chain, Height(167)), Verdict::ok());
    world.feed_to(Height(169));
    EXPECT_EQ(world.prove_full(chain, Height(167)), Verdict::ok());
}

// --- audits --------------------------------------------------------------------------------------

class RegistryAudits : public ::testing::Test {
  protected:
    static NetworkParams params() {
        NetworkParams p = short_network();
        p.audits_per_block = 1;  // few chains: one audit in misses_late + 1 = 4 heights each
        return p;
    }
    RegistryWorld world_{params()};
};

TEST_F(RegistryAudits, DrawnByTheHeightsYAndAnsweredInTime) {
    world_.feed_to(Height(110));
    TestChain chain(world_.params(), 4, Height(108));
    world_.add_and_seal(chain);
    std::size_t drawn = 0;
    for (Height h(114); h <= Height(170); ++h) {
        world_.feed_to(h);
        ASSERT_EQ(world_.link(chain, h), Verdict::ok());
        if (h >= Height(116)) {
            ASSERT_EQ(world_.prove_full(chain, h - 2), Verdict::ok());
        }
        const Height closed = h - 2;
        const bool expected = closed >= Height(113) &&
                              is_audited(world_.params(), world_->network_id(), test_y(closed),
                                         chain.id(), must(world_->block(closed - 2))->counts.total);
        EXPECT_EQ(
            test::count_effects(must(world_->effects(closed)), EffectKind::kAuditDrawn, chain.id()),
            expected ? 1U : 0U);
        drawn += expected ? 1 : 0;
        for (const SealDuty& duty : must(world_->seal_duties(chain.id()))) {
            EXPECT_EQ(duty.kind, SealProofKind::kAudit);
            EXPECT_EQ(duty.y_height.value_or(duty.drawn + 3), duty.drawn + 3);
        }
        world_.answer_duties(chain);
    }
    EXPECT_GE(drawn, 5U);
    EXPECT_EQ(world_.info(chain).misses, 0U);
    EXPECT_EQ(world_.info(chain).phase, ChainPhase::kSealed);
}

TEST_F(RegistryAudits, AMissedOneMakesLateAtItsDeadline) {
    world_.feed_to(Height(110));
    TestChain chain(world_.params(), 4, Height(108));
    world_.add_and_seal(chain);
    std::optional<Height> first;
    for (Height h(114); h <= Height(170); ++h) {
        world_.feed_to(h);
        ASSERT_EQ(world_.link(chain, h), Verdict::ok());
        if (h >= Height(116)) {
            ASSERT_EQ(world_.prove_full(chain, h - 2), Verdict::ok());
        }
        const auto duties = must(world_->seal_duties(chain.id()));
        if (!first && !duties.empty()) first = duties.front().drawn;
        if (first && h == *first + 15) break;
    }
    ASSERT_TRUE(first);
    // Drawn at f, y of f+3, deadline f+7: late from then on until it is answered.
    const Height deadline = *first + 7;
    EXPECT_EQ(
        test::count_effects(must(world_->effects(deadline)), EffectKind::kAuditMissed, chain.id()),
        1U);
    EXPECT_EQ(must(world_->effects(deadline - 1)).size(),
              test::count_effects(must(world_->effects(deadline - 1)), EffectKind::kAuditDrawn,
                                  chain.id()));
    EXPECT_EQ(world_.status_at(chain, deadline - 1), ChainStatus::kActive);
    EXPECT_EQ(world_.status_at(chain, deadline), ChainStatus::kLate);
}

TEST_F(RegistryAudits, WhileOnlyLiabilityIsLeftAMissForfeitsTheBond) {
    NetworkParams p = params();
    p.liability_blocks = 60;
    p.removal_delay = 1;
    RegistryWorld world(p);
    world.feed_to(Height(110));
    TestChain careless(world.params(), 4, Height(108));
    TestChain careful(world.params(), 5, Height(108));
    world.add(careful);
    world.add_and_seal(careless);
    world.answer_duties(careful);
    for (const TestChain* chain : {&careless, &careful}) {
        ASSERT_EQ(world.judge(Kind::kRemoval, make_removal(world.params().id(), chain->id(), 1,
                                                           world.tip(), chain->key())
                                                  .value()),
                  Verdict::ok());
    }
    std::size_t forfeited = 0;
    std::size_t released = 0;
    for (Height h(116); h <= Height(210); ++h) {
        world.feed_to(h);
        world.answer_duties(careful);
        const auto effects = must(world->effects(world.closed()));
        forfeited += test::count_effects(effects, EffectKind::kBondForfeited, careless.id());
        released += test::count_effects(effects, EffectKind::kBondReleased, careful.id());
        EXPECT_EQ(test::count_effects(effects, EffectKind::kBondForfeited, careful.id()), 0U);
        EXPECT_EQ(test::count_effects(effects, EffectKind::kBondReleased, careless.id()), 0U);
    }
    EXPECT_EQ(forfeited, 1U);
    EXPECT_EQ(released, 1U);
    EXPECT_TRUE(world.info(careless).part_taken);
    EXPECT_EQ(world.info(careless).phase, ChainPhase::kEnded);
    EXPECT_FALSE(world.info(careful).part_taken);
}

}  // namespace
}  // namespace holdfast
