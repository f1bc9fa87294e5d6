// Attack 31: no VDF and no beacon for 3,000 heights, by accident or because somebody keeps the
// evaluators and the beacon from answering, in the hope that chains expire or that the network
// falls back to entropy that can be chosen.
//
// Cost: whatever silences everybody. Bound: a height without y counts for nobody, deadlines run
// from heights with y, and no weaker source stands in. The naive schemes beside it count missed
// heights by the clock, and fall back to the block's hash.
#include <gtest/gtest.h>

#include <map>

#include "embedded/local_beacon.hpp"
#include "settlement/evidence_knowledge.hpp"
#include "support/clock_world.hpp"
#include "support/rates.hpp"
#include "support/sealed_chain.hpp"
#include "unit/api/node_fixture.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kOutage = 3'000;

NetworkParams outage_network() {
    NetworkParams p = short_network();
    p.name = "outage";
    p.block_ms = 52'000;
    p.audits_per_block = 1;
    return p;
}

TEST(AttackOutage, NothingExpiresAndEverythingGoesOnAfterIt) {
    RegistryWorld world(outage_network());
    const SealedChain placed(world.params(), 1);
    const SealedChain waiting(world.params(), 2, {16, 2, false, Height(140), {}});
    enrol(world, {&placed});
    // An honest prover's block: link, full proof of the link whose height has closed, audits.
    std::map<Height, SignedLink> links;
    const auto live = [&] {
        world.feed();
        const Height tip = world.tip();
        links[tip] = placed.honest(known_height(world, placed, tip));
        EXPECT_EQ(submit(world, placed, links[tip].receipt), Verdict::ok());
        const auto closed = links.find(tip - world.params().closing_blocks());
        if (closed != links.end()) {
            EXPECT_EQ(world.prove(to_full(closed->second)), Verdict::ok());
        }
        (void)answer_seal_duties(world, placed);
    };
    while (world.tip() < Height(140)) live();
    ASSERT_EQ(world.judge_registration(waiting.registration()), Verdict::ok());
    const std::uint64_t with_y = must(world->statistics()).heights_with_y;
    const std::uint64_t misses = must(world->chain(placed.id()))->misses;
    const Height begin = world.tip() + 1;

    std::size_t effects = 0;
    std::uint64_t naive_misses = 0;
    std::optional<std::uint64_t> naive_expired;
    for (std::uint64_t n = 0; n < kOutage; ++n) {
        const BlockOutcome outcome = world.feed(false);
        if (outcome.closed) effects += outcome.closed->effects.size();
        if (++naive_misses > world.params().misses_expired && !naive_expired) naive_expired = n + 1;
    }
    EXPECT_EQ(effects, 0U) << "nobody is voided, late, expired, forfeited or released";
    // Those that were open when it began had their y.
    EXPECT_EQ(must(world->statistics()).heights_with_y, with_y + world.params().closing_blocks());
    const auto leaf = must(world->leaf(placed.id(), world.closed()));
    ASSERT_TRUE(leaf);
    EXPECT_EQ(leaf->status, ChainStatus::kActive);
    EXPECT_EQ(must(world->chain(placed.id()))->misses, misses);
    // No y arrives later for what has closed, and no link stands there.
    EXPECT_EQ(must(world->note_y(begin, test_y(begin))).reason, Reason::kTooLate);
    EXPECT_FALSE(must(world->block(begin + 100))->y);
    KnownHeight dark = known_height(world, placed, world.tip());
    EXPECT_FALSE(dark.y);
    dark.y = VdfOutput(dark.block_hash);  // the fallback that somebody would like
    const SignedLink made_up = placed.honest(dark);
    (void)submit(world, placed, made_up.receipt);
    EXPECT_EQ(verify_full(world.params(), placed.network_id(), placed.known(),
                          known_height(world, placed, world.tip()), to_full(made_up))
                  .reason,
              Reason::kNoEntropy);

    // After it the chain that waited is challenged by the first y, and links count.
    for (std::uint64_t n = 0; n < world.params().seal_delay; ++n) live();
    EXPECT_EQ(answer_seal_duties(world, waiting), 1U);
    for (int n = 0; n < 30; ++n) live();
    EXPECT_EQ(must(world->chain(placed.id()))->misses, misses);
    EXPECT_EQ(must(world->leaf(placed.id(), world.closed()))->status, ChainStatus::kActive);
    EXPECT_EQ(must(world->statistics()).voided, 0U);
    std::printf("%llu heights without y: %zu effects; a count by the clock expires it after %llu\n",
                static_cast<unsigned long long>(kOutage), effects,
                static_cast<unsigned long long>(naive_expired.value_or(0)));
    EXPECT_TRUE(naive_expired);
}

/// A beacon that has gone.
struct SilentBeacon final : Beacon {
    Result<BeaconRound> randomness(std::uint64_t) override {
        ++asked;
        return fail(ErrorCode::kUnavailable, "the beacon does not answer");
    }
    Status verify(std::uint64_t, const BeaconRound&) override {
        return fail(ErrorCode::kUnavailable, "the beacon does not answer");
    }
    int asked = 0;
};

class AttackOutageClock : public ClockWorld {};

TEST_F(AttackOutageClock, NoSourceStandsInForAnother) {
    chain_.append(kOutage);
    NetworkParams both = params_;
    both.has_beacon = true;
    const PublicKey beacon_key = key_of(33).public_key();
    both.beacon_key = Bytes(beacon_key.begin(), beacon_key.end());
    both.beacon_genesis_s = 1;
    both.beacon_period_s = 10;
    SilentBeacon silent;
    VdfClock no_beacon =
        must(VdfClock::open(both, chain_, &silent, key_of(9), options("no beacon")));
    VdfClock none_given =
        must(VdfClock::open(both, chain_, nullptr, key_of(9), options("none given")));
    VdfClock no_vdf = open(options("no vdf"), false);
    for (std::uint64_t h = 1; h <= kOutage; h += 7) {
        EXPECT_FALSE(no_beacon.at(Height(h)));
        EXPECT_FALSE(none_given.at(Height(h)));
    }
    EXPECT_EQ(no_beacon.at(Height(5)).error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(none_given.at(Height(5)).error().code, ErrorCode::kUnavailable);
    EXPECT_GT(silent.asked, 400);
    for (const std::uint64_t h : {1, 5, 6, 11, 3'000}) {
        const auto entropy = no_vdf.at(Height(h));  // nobody evaluates and no proof is there
        ASSERT_FALSE(entropy) << h;
        EXPECT_TRUE(entropy.error().code == ErrorCode::kUnavailable ||
                    entropy.error().code == ErrorCode::kNotFound)
            << entropy.error().message;
    }
    EXPECT_EQ(
        make_seed(both, both.id(), Height(5), chain_.block_by_height(Height(5))->hash, std::nullopt)
            .error()
            .reason,
        Reason::kNoEntropy);
}

TEST_F(AttackOutageClock, EpochsWhoseSourcesFellIntoItTakeTheLastHeightBefore) {
    // Sources 2 and 8 and all from 2 to 13 closed without y: epochs 1 and 2 are made of height 1.
    chain_.append(20);
    VdfClockOptions with = options();
    with.first = Height(14);
    with.closed_without_y = [](Height h) -> Result<std::optional<bool>> {
        return std::optional(h >= Height(2) && h < Height(14));
    };
    VdfClock clock = open(with);
    const VdfOutput last = plain_y(Height(1), first_epoch());
    for (const std::uint64_t epoch : {1, 2}) {
        ASSERT_EQ(*epoch_source_height(params_, epoch), Height(epoch * 6 - 4));
    }
    const EpochSeed second = epoch_seed(params_.id(), 2, last);
    EXPECT_EQ(must(clock.at(Height(14))).y, plain_y(Height(14), second));
    // Epoch 3 has height 14 for its source, which has y.
    const EpochSeed third = epoch_seed(params_.id(), 3, plain_y(Height(14), second));
    EXPECT_EQ(must(clock.at(Height(18))).y, plain_y(Height(18), third));
}

class AttackOutageRecord : public Node {
  protected:
    AttackOutageRecord() {
        params_.epoch_blocks = 8;
        params_.epoch_lag = 7;
    }
};

TEST_F(AttackOutageRecord, WhoeverJudgesFromPublicDataFindsTheSameEpochs) {
    VdfClock silent = clock(std::nullopt, "none");
    Aggregator node = aggregator(silent);
    new_blocks(20);
    advance_all(node, {});
    const PublicRecord record = value_of(node.public_record());
    ASSERT_GT(record.heights().size(), 10U);
    const auto seed = epoch_seed_from(record, 1);
    ASSERT_TRUE(seed) << "none down to the genesis height: y of epoch 0";
    EXPECT_EQ(*seed, epoch_seed(params_.id(), 1, genesis_output(params_.id())));
    EXPECT_FALSE(epoch_seed_from(record, 9)) << "a source that the record does not know";
}

TEST(AttackOutage, FallingBackToTheBlockHashIsWorthItsCandidates) {
    const NetworkId id = outage_network().id();
    const ChainId chain(tagged_hash("test/chain", std::uint64_t{1}));
    constexpr std::uint64_t kTrials = 400;
    constexpr std::uint64_t kCandidates = 64;
    const auto passes = [&](const BlockHash& hash) {  // a quarter of 256 chunks is missing
        const Entropy e = chain_entropy(id, VdfOutput(hash), chain, Reveal{});
        for (const OpenedCell& at : opened_cells(e, ChunkCount(256))) {
            if (at.chunk.value < 64) return false;
        }
        return true;
    };
    std::uint64_t one = 0;
    std::uint64_t chosen = 0;
    for (std::uint64_t t = 0; t < kTrials; ++t) {
        bool any = false;
        for (std::uint64_t c = 0; c < kCandidates; ++c) {
            const bool good = passes(BlockHash(tagged_hash("test/candidate", t, c)));
            one += c == 0 && good ? 1 : 0;
            any = any || good;
        }
        chosen += any ? 1 : 0;
    }
    double p = 1;
    for (int i = 0; i < 16; ++i) p *= (192.0 - i) / (256.0 - i);
    expect_rate("a quarter missing, one block", one, kTrials, p);
    expect_rate("a quarter missing, 64 candidate blocks (naive)", chosen, kTrials,
                1 - std::pow(1 - p, double{kCandidates}));
}

}  // namespace
}  // namespace holdfast::test
