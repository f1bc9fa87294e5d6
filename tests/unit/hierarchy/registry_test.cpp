#include "hierarchy/registry.hpp"

#include <gtest/gtest.h>

#include "hierarchy/checkpoints.hpp"
#include "support/registry_world.hpp"

namespace holdfast {
namespace {

using test::must;
using test::RegistryWorld;
using test::short_network;
using test::test_hash;
using test::test_y;
using test::TestChain;

// --- blocks --------------------------------------------------------------------------------------

TEST(RegistryBlocks, EmptyRegistry) {
    RegistryWorld world(short_network());
    EXPECT_FALSE(must(world->tip()));
    EXPECT_FALSE(must(world->closed()));
    EXPECT_TRUE(must(world->open_heights()).empty());
    EXPECT_TRUE(must(world->proof_heights()).empty());
    EXPECT_FALSE(must(world->block(Height(test::kShortGenesis))));
    EXPECT_EQ(must(world->statistics()).registrations, 0U);
    EXPECT_TRUE(must(world->slots()).slots.empty());
    TestChain chain(world.params(), 1, Height(test::kShortGenesis));
    EXPECT_EQ(
        world.accept(test::seal_object(chain.id(), Height(test::kShortGenesis))).verdict.reason,
        Reason::kTooEarly);
    EXPECT_EQ(must(world->note_y(Height(test::kShortGenesis), test_y(Height(test::kShortGenesis))))
                  .reason,
              Reason::kTooEarly);
    EXPECT_EQ(world->known_height(Height(test::kShortGenesis)).error().code,
              ErrorCode::kUnavailable);
    EXPECT_EQ(must(world->anchor(Height(test::kShortGenesis))),
              genesis_global(world->network_id()));
}

TEST(RegistryBlocks, OneAfterAnotherFromTheGenesisHeight) {
    RegistryWorld world(short_network());
    const auto feed = [&](std::uint64_t h, const BlockHash& hash) {
        return world->on_final_block({Height(h), hash, 0, {}});
    };
    EXPECT_EQ(
        feed(test::kShortGenesis + 1, test_hash(Height(test::kShortGenesis + 1))).error().code,
        ErrorCode::kInvalidArgument);
    EXPECT_EQ(
        feed(test::kShortGenesis - 1, test_hash(Height(test::kShortGenesis - 1))).error().code,
        ErrorCode::kInvalidArgument);
    world.feed_to(Height(test::kShortGenesis + 5));
    const Result<BlockOutcome> again =
        feed(test::kShortGenesis + 3, test_hash(Height(test::kShortGenesis + 3)));
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->already_known);
    EXPECT_FALSE(again->closed);
    const Result<BlockOutcome> other = feed(test::kShortGenesis + 3, test_hash(Height(7)));
    EXPECT_EQ(other.error().code, ErrorCode::kRefused);
    EXPECT_EQ(other.error().verdict.reason, Reason::kWrongBlock);
    EXPECT_FALSE(feed(test::kShortGenesis + 7, test_hash(Height(test::kShortGenesis + 7))));
    EXPECT_EQ(world.tip(), Height(test::kShortGenesis + 5));
    EXPECT_EQ(must(world->block(Height(test::kShortGenesis + 3)))->hash,
              test_hash(Height(test::kShortGenesis + 3)));
    EXPECT_EQ(feed(UINT64_MAX, test_hash(Height(1))).error().code, ErrorCode::kInvalidArgument);
}

TEST(RegistryBlocks, TheDigestOfAHeightClosesWithBlockHeightPlusOnePlusLag) {
    RegistryWorld world(short_network());  // link_lag 1
    EXPECT_FALSE(world.feed().closed);     // 100
    EXPECT_FALSE(world.feed().closed);     // 101
    const BlockOutcome third = world.feed();
    ASSERT_TRUE(third.closed);
    EXPECT_EQ(third.closed->block.height, Height(test::kShortGenesis));
    EXPECT_TRUE(third.closed->checkpoint_due);  // 100 is divisible by 5
    EXPECT_FALSE(world.feed().closed->checkpoint_due);
    EXPECT_EQ(must(world->open_heights()), (std::vector{Height(102), Height(103)}));
    EXPECT_EQ(must(world->anchor(Height(102))), third.closed->block.global);
    EXPECT_EQ(must(world->anchor(Height(101))), genesis_global(world->network_id()));
    EXPECT_EQ(world->anchor(Height(104)).error().code, ErrorCode::kUnavailable);
    // Nothing in it: block, y, the digest before, no regions.
    GlobalHeader header;
    header.height = Height(test::kShortGenesis);
    header.block_hash = test_hash(Height(test::kShortGenesis));
    header.y = test_y(Height(test::kShortGenesis));
    header.previous = genesis_global(world->network_id());
    EXPECT_EQ(third.closed->block.global,
              global_digest(world->network_id(), header, empty_tree_root()));
}

TEST(RegistryBlocks, YArrivesUntilTheDigestCloses) {
    RegistryWorld world(short_network());
    world.feed(false);
    EXPECT_EQ(must(world->note_y(Height(101), test_y(Height(101)))).reason, Reason::kTooEarly);
    world.feed(false);
    EXPECT_EQ(must(world->note_y(Height(101), test_y(Height(101)))), Verdict::ok());
    EXPECT_EQ(must(world->note_y(Height(101), test_y(Height(101)))), Verdict::ok());
    EXPECT_EQ(must(world->note_y(Height(101), test_y(Height(9)))).reason, Reason::kWrongOutput);
    const BlockOutcome closing = world.feed();  // closes 100 without y
    EXPECT_EQ(must(world->note_y(Height(100), test_y(Height(100)))).reason, Reason::kTooLate);
    EXPECT_FALSE(closing.closed->block.y);
    GlobalHeader header;
    header.height = Height(test::kShortGenesis);
    header.block_hash = test_hash(Height(test::kShortGenesis));
    header.previous = genesis_global(world->network_id());
    EXPECT_EQ(closing.closed->block.global,
              global_digest(world->network_id(), header, empty_tree_root()));
    EXPECT_EQ(*world.feed().closed->block.y, test_y(Height(101)));
}

// --- registrations and seal proofs ---------------------------------------------------------------

TEST(RegistryRegistrations, AcceptedOncePerReplicaAndChain) {
    RegistryWorld world(short_network());
    world.feed_to(Height(110));
    TestChain chain(world.params(), 1, Height(105));
    world.add(chain);
    world.flush();
    EXPECT_EQ(world.judge_registration(chain).reason, Reason::kAlreadyRegistered);
    TestChain same_replica(world.params(), 1, Height(106));
    EXPECT_EQ(same_replica.replica(), chain.replica());
    EXPECT_NE(same_replica.id(), chain.id());
    EXPECT_EQ(world.judge_registration(same_replica).reason, Reason::kAlreadyRegistered);
    EXPECT_EQ(must(world->chain_of_replica(chain.replica())), chain.id());
    const ChainInfo info = world.info(chain);
    EXPECT_EQ(info.phase, ChainPhase::kPending);
    EXPECT_EQ(info.accepted, Height(110));
    EXPECT_EQ(info.registration, chain.registration());
    EXPECT_FALSE(info.slot || info.status || info.sealed_at);
    EXPECT_EQ(must(world->statistics()).pending, 1U);
}

TEST(RegistryRegistrations, GenesisBlockFinalKnownAndFresh) {
    RegistryWorld world(short_network());
    world.feed_to(Height(205));
    // All in block 205.
    std::vector<std::unique_ptr<TestChain>> chains;
    std::uint64_t number = 0;
    for (const std::uint64_t genesis : {104, 206, 105, 205}) {
        chains.push_back(std::make_unique<TestChain>(world.params(), ++number, Height(genesis)));
        world.list(chains.back()->bond());
        world.list(Kind::kRegistration, chains.back()->registration());
    }
    TestChain other(world.params(), 5, Height(200));
    world.list(other.bond());
    Registration r = other.registration();
    r.genesis_block_hash = test_hash(Height(199));
    world.list(Kind::kRegistration, sign_registration(world.params().id(), r, other.key()).value());
    r = other.registration();
    r.bond_id.bytes[0] ^= 1;
    world.list(Kind::kRegistration, r);
    EXPECT_EQ(world.listed(),
              (std::vector<Verdict>{Reason::kGenesisTooOld, Reason::kGenesisTooOld, Reason::kOk,
                                    Reason::kOk, Reason::kWrongBlock, Reason::kBadSignature}));
}

TEST(RegistrySealing, SlotFromTheHeightOfTheProofOn) {
    RegistryWorld world(short_network());
    world.feed_to(Height(110));
    TestChain chain(world.params(), 1, Height(108));
    world.add(chain);  // accepted at 110: challenge from y of 113, deadline 117
    world.feed_to(Height(112));
    auto duties = must(world->seal_duties(chain.id()));
    ASSERT_EQ(duties.size(), 1U);
    EXPECT_FALSE(duties[0].y_height);
    EXPECT_EQ(duties[0].drawn, Height(110));
    EXPECT_EQ(world.answer(chain, Height(113)).reason, Reason::kWrongHeight);
    world.feed();
    duties = must(world->seal_duties(chain.id()));
    EXPECT_EQ(duties[0].kind, SealProofKind::kSeal);
    EXPECT_EQ(duties[0].y_height, Height(113));
    EXPECT_EQ(duties[0].y, test_y(Height(113)));
    EXPECT_EQ(duties[0].deadline, Height(117));
    EXPECT_EQ(world.answer(chain, Height(112)).reason, Reason::kWrongHeight);
    const Bytes proof = test::seal_object(chain.id(), Height(113));
    const auto accept = [&](const SealCheck& check) {
        return world->accept(ByteView(proof), check);
    };
    const SealCheck fails = [](const Registration&, const SealContext&,
                               ByteView) -> Result<Verdict> {
        return Verdict(Reason::kBadSealing, 5);
    };
    EXPECT_EQ(must(accept(fails)).verdict, Verdict(Reason::kBadSealing, 5));
    const SealCheck breaks = [](const Registration&, const SealContext&,
                                ByteView) -> Result<Verdict> {
        return fail(ErrorCode::kInterrupted, "stopped");
    };
    EXPECT_EQ(accept(breaks).error().code, ErrorCode::kInterrupted);
    SealContext seen;
    const SealCheck looks = [&](const Registration& r, const SealContext& known,
                                ByteView) -> Result<Verdict> {
        EXPECT_EQ(r, chain.registration());
        seen = known;
        return Verdict::ok();
    };
    world.feed();  // 114
    EXPECT_EQ(must(accept(looks)).verdict, Verdict::ok());
    EXPECT_EQ(seen.y_height, Height(113));
    EXPECT_EQ(seen.y, test_y(Height(113)));
    EXPECT_EQ(seen.kind, SealProofKind::kSeal);
    EXPECT_EQ(must(accept(looks)).verdict.reason, Reason::kWrongHeight);
    EXPECT_TRUE(must(world->seal_duties(chain.id())).empty());
    EXPECT_EQ(world.info(chain).sealed_at, Height(114));
    EXPECT_FALSE(world.info(chain).slot);

    world.feed_to(Height(115));  // closes 113
    EXPECT_EQ(must(world->block(Height(113)))->counts.total, 0U);
    const BlockOutcome closing = world.feed();  // closes 114
    EXPECT_EQ(closing.closed->block.counts, (StatusCounts{1, 1, 0, 0, 0}));
    EXPECT_EQ(test::count_effects(closing.closed->effects, EffectKind::kPlaced, chain.id()), 1U);
    EXPECT_EQ(world.info(chain).slot, 0U);
    EXPECT_EQ(world.info(chain).status, ChainStatus::kActive);
    const ChainLeaf first{chain.id(), Link(chain.id()), Height(108), ChainStatus::kActive};
    EXPECT_EQ(must(world->leaf(chain.id(), Height(114))), first);
    EXPECT_EQ(must(world->leaf(chain.id(), Height(113))), std::nullopt);
    EXPECT_EQ(world->path(chain.id(), Height(113)).error().code, ErrorCode::kNotFound);
}

TEST(RegistrySealing, TheNextHeightWithYStandsInAndItsDeadlineRunsFromThere) {
    RegistryWorld world(short_network());
    world.feed_to(Height(110));
    TestChain chain(world.params(), 1, Height(108));
    world.add(chain);
    world.feed_to(Height(112));
    for (int i = 0; i < 3; ++i) world.feed(false);  // 113, 114, 115
    world.feed_to(Height(116));
    // 115 is open and may still get its y: it is not settled yet that 116 stands in.
    EXPECT_FALSE(must(world->seal_duties(chain.id()))[0].y_height);
    world.feed();  // closes 115
    const auto duty = must(world->seal_duties(chain.id()))[0];
    EXPECT_EQ(duty.y_height, Height(116));
    EXPECT_EQ(duty.deadline, Height(120));
    world.feed_to(Height(120));
    EXPECT_EQ(world.answer(chain, Height(116)), Verdict::ok());
}

TEST(RegistrySealing, WithoutAProofInTimeVoidAndBurnt) {
    RegistryWorld world(short_network());
    world.feed_to(Height(110));
    TestChain chain(world.params(), 1, Height(108));
    world.add(chain);
    world.feed_to(Height(117));
    // The last tip at which it would be taken is 117.
    world.feed();
    EXPECT_EQ(world.answer(chain, Height(113)).reason, Reason::kTooLate);
    EXPECT_EQ(world.info(chain).phase, ChainPhase::kPending);  // 117 has not closed
    const BlockOutcome closing = world.feed();                 // 119 closes 117
    EXPECT_EQ(test::count_effects(closing.closed->effects, EffectKind::kVoided, chain.id()), 1U);
    EXPECT_EQ(world.info(chain).phase, ChainPhase::kVoid);
    EXPECT_EQ(world.answer(chain, Height(113)).reason, Reason::kTooLate);
    EXPECT_TRUE(must(world->seal_duties(chain.id())).empty());
    TestChain again(world.params(), 1, Height(118));
    EXPECT_EQ(world.judge_registration(again).reason, Reason::kAlreadyRegistered);
    const RegistryStatistics s = must(world->statistics());
    EXPECT_EQ(s.voided, 1U);
    EXPECT_EQ(s.pending, 0U);
    EXPECT_EQ(s.registrations, 1U);
    EXPECT_EQ(world
                  .judge(Kind::kUpdate, make_update(world->network_id(), chain.id(), 1, Height(200),
                                                    Reveal{}, chain.key())
                                            .value())
                  .reason,
              Reason::kNoSlot);
}

TEST(RegistrySealing, NewChainsTakeTheLowestSlotsByAscendingId) {
    RegistryWorld world(test::patient_network());
    world.feed_to(Height(110));
    std::vector<std::unique_ptr<TestChain>> chains;
    for (std::uint64_t i = 0; i < 7; ++i) {
        chains.push_back(std::make_unique<TestChain>(world.params(), i, Height(108)));
        world.add(*chains.back());
    }
    world.feed_to(Height(113));
    for (const auto& chain : chains) EXPECT_EQ(world.answer_duties(*chain), 1U);
    world.feed_to(Height(115));
    std::sort(chains.begin(), chains.end(),
              [](const auto& a, const auto& b) { return a->id() < b->id(); });
    for (std::uint64_t i = 0; i < 7; ++i) EXPECT_EQ(world.info(*chains[i]).slot, i);
    EXPECT_EQ(must(world->block(Height(113)))->regions, 1U);

    // The lowest two free slots go to the next two.
    world.feed_to(Height(116));
    for (const std::size_t i : {4, 1}) {
        world.list(Kind::kRemoval, make_removal(world.params().id(), chains[i]->id(), 1,
                                                world.tip(), chains[i]->key())
                                       .value());
    }
    EXPECT_EQ(world.listed(), std::vector<Verdict>(2, Verdict::ok()));
    world.feed_to(Height(121));
    TestChain x(world.params(), 20, Height(115));
    TestChain y(world.params(), 21, Height(115));
    TestChain& low = x.id() < y.id() ? x : y;
    TestChain& high = x.id() < y.id() ? y : x;
    world.add(x);
    world.add(y);
    world.feed_to(Height(124));
    world.answer_duties(x);
    world.answer_duties(y);
    world.feed_to(Height(126));
    EXPECT_EQ(world.info(low).slot, 1U);
    EXPECT_EQ(world.info(high).slot, 4U);
}

// --- removal and updates -------------------------------------------------------------------------

TEST(RegistryRemoval, ShowsRemovalThenVacantThenLiableThenReleased) {
    RegistryWorld world(test::patient_network());  // removal_delay 3, liability_blocks 6
    world.feed_to(Height(110));
    TestChain chain(world.params(), 1, Height(108));
    TestChain other(world.params(), 2, Height(108));
    world.add(other);
    world.add_and_seal(chain);  // at 113
    world.answer_duties(other);
    const auto remove = [&](std::uint32_t sequence, std::uint64_t at) {
        world.list(Kind::kRemoval,
                   make_removal(world.params().id(), chain.id(), sequence, Height(at), chain.key())
                       .value());
    };
    world.feed_to(Height(115));
    remove(2, 115);
    remove(1, 116);
    remove(1, 114);  // accepted at 115
    remove(2, 115);
    EXPECT_EQ(world.listed(), (std::vector<Verdict>{Reason::kSequence, Reason::kTooEarly,
                                                    Reason::kOk, Reason::kAlreadyRemoved}));
    for (std::uint64_t h = 116; h <= 130; ++h) {  // 124: the last audit; y of 127 challenges it
        world.feed();
        if (h >= 127) (void)world.answer_duties(chain);
    }
    world.feed_to(Height(132));
    EXPECT_EQ(world.status_at(chain, Height(114)), ChainStatus::kActive);
    EXPECT_EQ(must(world->block(Height(115)))->counts.removing, 1U);
    EXPECT_EQ(must(world->block(Height(117)))->counts.removing, 1U);
    EXPECT_EQ(must(world->block(Height(118)))->counts.removing, 0U);
    EXPECT_EQ(must(world->block(Height(118)))->counts.total, 1U);
    const auto did = [&](EffectKind kind, std::uint64_t height) {
        return test::count_effects(must(world->effects(Height(height))), kind, chain.id());
    };
    EXPECT_EQ(did(EffectKind::kVacated, 118), 1U);
    EXPECT_EQ(did(EffectKind::kAuditDrawn, 124), 1U);
    EXPECT_EQ(did(EffectKind::kBondReleased, 126), 0U);
    EXPECT_EQ(did(EffectKind::kBondReleased, 127), 1U);
    const ChainInfo info = world.info(chain);
    EXPECT_EQ(info.phase, ChainPhase::kEnded);
    EXPECT_EQ(info.removal_at, Height(115));
    EXPECT_EQ(info.vacant_from, Height(118));
    EXPECT_EQ(info.liable_until, Height(124));
    EXPECT_EQ(info.last_sequence, 1U);
    EXPECT_FALSE(info.slot || info.part_taken);
    remove(2, 132);
    EXPECT_EQ(world.listed(), std::vector<Verdict>{Reason::kNoSlot});
    const RegistryStatistics s = must(world->statistics());
    EXPECT_EQ(s.sealed, 1U);
    EXPECT_EQ(s.liable, 0U);
    EXPECT_EQ(s.ended, 1U);
}

TEST(RegistryRemoval, RefusedBeforeTheSealProofAndForUnknownChains) {
    RegistryWorld world(short_network());
    world.feed_to(Height(110));
    TestChain chain(world.params(), 1, Height(108));
    const auto removal = [&] {
        return make_removal(world.params().id(), chain.id(), 1, world.tip(), chain.key()).value();
    };
    world.list(Kind::kRemoval, removal());
    world.list(chain.bond());
    world.list(Kind::kRegistration, chain.registration());
    world.list(Kind::kRemoval, removal());
    EXPECT_EQ(world.listed(),
              (std::vector<Verdict>{Reason::kUnknownChain, Reason::kOk, Reason::kNoSlot}));
    Removal forged = removal();
    forged.signature.bytes[3] ^= 1;
    world.feed_to(Height(113));
    EXPECT_EQ(world.answer_duties(chain), 1U);
    EXPECT_EQ(world.judge(Kind::kRemoval, forged).reason, Reason::kBadSignature);
}

TEST(RegistryRemoval, WithoutDelayASlotIsVacantInTheDigestOfItsRemoval) {
    NetworkParams params = short_network();
    params.removal_delay = 0;
    RegistryWorld world(params);
    world.feed_to(Height(110));
    TestChain chain(world.params(), 1, Height(108));
    world.add_and_seal(chain);  // at 113
    EXPECT_EQ(
        world.judge(Kind::kRemoval,
                    make_removal(params.id(), chain.id(), 1, Height(113), chain.key()).value()),
        Verdict::ok());  // in 114
    world.feed_to(Height(117));
    EXPECT_EQ(must(world->block(Height(113)))->counts.total, 1U);
    EXPECT_EQ(must(world->block(Height(114)))->counts.total, 0U);
    EXPECT_EQ(world.info(chain).phase, ChainPhase::kLiable);
}

TEST(RegistryUpdates, SequencesAndEffectiveHeightsGrow) {
    RegistryWorld world(short_network());  // seal_delay 3
    world.feed_to(Height(110));
    TestChain chain(world.params(), 1, Height(108), Retention::kDefault, true);
    const auto update = [&](std::uint32_t sequence, std::uint64_t effective, bool none = false) {
        const Reveal a(tagged_hash("test/commitment", effective));
        world.list(Kind::kUpdate, make_update(world.params().id(), chain.id(), sequence,
                                              Height(effective), none ? Reveal{} : a, chain.key())
                                      .value());
    };
    update(1, 120);
    world.list(chain.bond());
    world.list(Kind::kRegistration, chain.registration());
    update(0, 120);
    update(1, 112);
    update(1, 113);
    update(1, 120);
    update(2, 118);  // one update a chain and seal_delay
    EXPECT_EQ(world.listed(),
              (std::vector<Verdict>{Reason::kUnknownChain, Reason::kOk, Reason::kSequence,
                                    Reason::kTooEarly, Reason::kOk, Reason::kTooEarly,
                                    Reason::kTooEarly}));
    world.feed_to(Height(113));
    update(1, 120);
    update(2, 113);
    update(2, 118);
    EXPECT_EQ(world.listed(),
              (std::vector<Verdict>{Reason::kSequence, Reason::kTooEarly, Reason::kOk}));
    const auto base = [&](std::uint64_t h) { return world.reveals(chain, Height(h))->base; };
    EXPECT_EQ(base(112), Height(108));
    EXPECT_EQ(base(113), Height(113));
    EXPECT_EQ(base(117), Height(113));
    EXPECT_EQ(base(118), Height(118));
    EXPECT_EQ(world.answer_duties(chain), 1U);
    world.feed_to(Height(116));
    update(3, 125, true);
    EXPECT_EQ(world.listed(), std::vector<Verdict>{Reason::kOk});
    EXPECT_EQ(base(124), Height(118));
    EXPECT_FALSE(world.reveals(chain, Height(125)));
    ASSERT_EQ(must(world->updates(chain.id())).size(), 3U);
    EXPECT_EQ(must(world->updates(chain.id()))[1].effective_height, Height(118));
    EXPECT_EQ(world.info(chain).last_sequence, 3U);
}

// --- opening -------------------------------------------------------------------------------------

TEST(RegistryOpen, AnotherNetworkOrBadParameters) {
    RegistryWorld world(short_network());
    world.feed_to(Height(105));
    world.flush();
    EXPECT_EQ(Registry::open(world.folder(), world.params()).error().code, ErrorCode::kBusy);
    NetworkParams other = world.params();
    other.misses_late = 4;
    const auto refused = Registry::open(world.folder(), other);
    EXPECT_EQ(refused.error().verdict.reason, Reason::kWrongNetwork);
    other.proof_deadline = 1;
    EXPECT_EQ(Registry::open(world.folder(), other).error().verdict.reason, Reason::kBadParameters);
    world.open();
    EXPECT_EQ(world.tip(), Height(105));
}

TEST(RegistryOpen, MissingPartsAreALoss) {
    for (const bool empty : {false, true}) {
        test::TempFolder temp;
        const std::filesystem::path folder = temp / "registry";
        RegistryOptions options;
        options.map_bytes = std::uint64_t{1} << 30;
        {
            must(Registry::open(folder, short_network(), options));
        }
        if (empty) {
            std::filesystem::resize_file(folder / "data.mdb", 0);
        } else {
            std::filesystem::remove(folder / "data.mdb");
        }
        const auto opened = Registry::open(folder, short_network(), options);
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt) << opened.error().message;
    }
}

TEST(RegistryOpen, AFileInTheWayIsAnError) {
    test::TempFolder temp;
    test::spill(temp / "registry", Bytes{1, 2, 3});
    const auto opened = Registry::open(temp / "registry", short_network());
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().code, ErrorCode::kCorrupt) << opened.error().message;
}

TEST(RegistryOpen, AFullMapIsReportedAndChangesNothing) {
    NetworkParams params = short_network();
    RegistryOptions options;
    options.map_bytes = 400 * 1024;
    test::TempFolder temp;
    const std::filesystem::path folder = temp / "registry";
    std::unique_ptr<Registry> registry = must(Registry::open(folder, params, options));
    Height h = params.genesis_height;
    for (;; ++h) {
        const auto fed = registry->on_final_block({h, test_hash(h), 0, {}});
        if (fed) continue;
        EXPECT_EQ(fed.error().code, ErrorCode::kOutOfSpace) << fed.error().message;
        break;
    }
    ASSERT_GT(h.value, test::kShortGenesis + 20);
    EXPECT_EQ(must(registry->tip()), h - 1);
    const auto block = must(registry->block(must(registry->closed()).value()));
    options.map_bytes = std::uint64_t{1} << 30;
    registry.reset();
    registry = must(Registry::open(folder, params, options));
    EXPECT_EQ(must(registry->block(must(registry->closed()).value())), block);
    EXPECT_TRUE(registry->on_final_block({h, test_hash(h), 0, {}}));
}

// --- checkpoints ---------------------------------------------------------------------------------

TEST(RegistryCheckpoints, BuiltFromClosedHeightsAndJudged) {
    RegistryWorld world(short_network());  // every 5
    EXPECT_FALSE(must(newest_checkpoint_height(world.registry())));
    world.feed_to(Height(110));
    TestChain chain(world.params(), 1, Height(108));
    world.add_and_seal(chain);
    world.feed_to(Height(117));
    EXPECT_EQ(must(newest_checkpoint_height(world.registry())), Height(115));
    const KeyPair key = KeyPair::from_secret(view(tagged_hash("test/submitter")));
    const BondId bond(tagged_hash("test/bond"));
    const auto built = [&](std::uint64_t h) {
        return build_checkpoint(world.registry(), Height(h), bond, key);
    };
    EXPECT_EQ(built(114).error().verdict.reason, Reason::kNotCheckpointHeight);
    EXPECT_EQ(built(120).error().code, ErrorCode::kUnavailable);
    const Checkpoint good = must(built(115));
    EXPECT_EQ(good.total_chains, 1U);
    EXPECT_EQ(good.global, must(world->block(Height(115)))->global);
    EXPECT_EQ(must(judge_checkpoint(world.registry(), good)), Verdict::ok());
    const auto judged = [&](std::uint64_t h, const BlockHash& hash, const GlobalDigest& global,
                            std::uint64_t total) {
        return must(judge_checkpoint(world.registry(),
                                     make_checkpoint(world->network_id(), Height(h), hash, global,
                                                     total, bond, key)
                                         .value()))
            .reason;
    };
    EXPECT_EQ(judged(115, good.block_hash, good.global, 2), Reason::kGlobalMismatch);
    EXPECT_EQ(judged(115, good.block_hash, GlobalDigest{}, 1), Reason::kGlobalMismatch);
    EXPECT_EQ(judged(115, test_hash(Height(114)), good.global, 1), Reason::kWrongBlock);
    EXPECT_EQ(judged(120, good.block_hash, good.global, 1), Reason::kNoEntropy);
    EXPECT_EQ(judged(116, good.block_hash, good.global, 1), Reason::kNotCheckpointHeight);
}

}  // namespace
}  // namespace holdfast
