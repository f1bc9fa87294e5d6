// Seven provers, five challengers, fifty blocks: cheaters show as the bounds say, nobody honest
// loses anything, and every unit that was paid is accounted for.
#include <cmath>

#include "support/availability_world.hpp"

namespace holdfast {
namespace {

using test::AvailabilityWorld;
using test::must;

enum Name : std::size_t { kHonest, kSlow, kLossy, kOutsourcing, kPartial, kLying, kCrashing };
constexpr int kBlocks = 50;

/// Keeps the first 12 of 16 chunks and stays silent when it lacks one.
bool lacks_a_chunk(const AvailabilityWorld& world, const Challenge& c) {
    const auto asked = challenged_chunks(world.params, world.params.id(), test::test_y(c.height),
                                         c.chain_id, c.challenger, c.nonce, ChunkCount(16));
    return std::any_of(asked.begin(), asked.end(), [](std::uint64_t i) { return i >= 12; });
}

void make_cheaters(AvailabilityWorld& world) {
    world.peer(kSlow).service_us = 700'000;
    world.peer(kLossy).lost_percent = 4;
    world.peer(kOutsourcing).service_us += 40'000;
    auto& partial = world.peer(kPartial).handle;
    partial = [&world, honest = partial](const PublicKey& from, ByteView object) -> Result<Bytes> {
        const auto body = unwrap_object(Kind::kChallenge, object);
        if (body && lacks_a_chunk(world, Challenge::decode(*body).value())) {
            return fail(ErrorCode::kTimeout, "silent");
        }
        return honest(from, object);
    };
    world.peer(kLying).handle = [&world](const PublicKey&, ByteView object) -> Result<Bytes> {
        const auto c = Challenge::decode(unwrap_object(Kind::kChallenge, object).value()).value();
        const Response lie =
            sign_response(c.id(world.params.id()), Bytes(4 * kChunkBytes + 3 * kDigestBytes),
                          world.provers[kLying].chain->key());
        return wrap_object(Kind::kResponse, lie.encode());
    };
}

std::uint64_t outcomes(const AvailabilityScore& s) {
    return s.served + s.late + s.invalid + s.unreachable;
}

TEST(AvailabilityCluster, CheatersShowNobodyHonestLosesAndEveryUnitIsAccountedFor) {
    AvailabilityWorld world(7, 5);
    make_cheaters(world);
    int crashed_suspended = 0;
    for (int i = 0; i < kBlocks; ++i) {
        world.peer(kCrashing).down = i >= 10 && i < 25;
        world.block();
        EXPECT_FALSE(world.is_suspended(kHonest)) << "block " << i;
        EXPECT_FALSE(world.is_suspended(kOutsourcing)) << "block " << i;
        crashed_suspended += world.is_suspended(kCrashing) ? 1 : 0;
    }
    world.peer(kCrashing).down = false;
    world.blocks(3);  // what was measured is published and listed

    // Who shows as what.
    EXPECT_EQ(world.score(kHonest).served, outcomes(world.score(kHonest)));
    EXPECT_GE(outcomes(world.score(kHonest)), static_cast<std::uint64_t>(kBlocks));
    EXPECT_EQ(world.score(kSlow).served, 0U);
    EXPECT_TRUE(world.is_suspended(kSlow));
    EXPECT_TRUE(world.is_suspended(kPartial));
    EXPECT_FALSE(world.is_suspended(kCrashing)) << "it is back and serves";
    EXPECT_GE(crashed_suspended, 3);
    EXPECT_EQ(world.score(kOutsourcing).served, outcomes(world.score(kOutsourcing)))
        << "a fetch of 40 ms is in time: bounded only";
    const AvailabilityScore partial = world.score(kPartial);
    const double serves = 495.0 / 1820.0;  // C(12, 4) / C(16, 4)
    const auto all = static_cast<double>(outcomes(partial));
    EXPECT_NEAR(static_cast<double>(partial.served), all * serves,
                4 * std::sqrt(all * serves * (1 - serves)));
    const AvailabilityScore lying = world.score(kLying);
    EXPECT_EQ(lying.invalid, outcomes(lying));

    // Who loses what: only who signed a false response.
    for (const Name n : {kHonest, kSlow, kLossy, kOutsourcing, kPartial, kCrashing}) {
        EXPECT_EQ(world.held(n), AvailabilityWorld::kBond) << n;
    }
    EXPECT_EQ(world.held(kLying), 0U);

    // Every unit.
    std::uint64_t paid = 0;
    std::uint64_t counted = 0;
    for (std::size_t i = 0; i < world.provers.size(); ++i) {
        const AvailabilityScore s = world.score(i);
        counted += outcomes(s);
        paid += s.served * AvailabilityWorld::kTerms.served_reward;
        EXPECT_EQ(must(world.token->balance(world.key_of_prover(i))),
                  s.served * AvailabilityWorld::kTerms.served_reward);
    }
    paid += counted * AvailabilityWorld::kTerms.challenger_reward;
    const std::uint64_t accusers = AvailabilityWorld::kBond / 10;  // a tenth of what was taken
    const BondLedger::Totals totals = must(world.token->totals());
    EXPECT_EQ(totals.in_accounts, paid + accusers);
    EXPECT_EQ(totals.in_pool, 1'000'000 + AvailabilityWorld::kBond - accusers - paid);
    EXPECT_EQ(totals.issued, totals.in_accounts + totals.in_bonds + totals.in_pool);
    ASSERT_TRUE(world.token->audit());
    EXPECT_EQ(counted, world.report.sent - 3 * world.provers.size())
        << "three heights are in flight";
    EXPECT_EQ(world.report.abandoned, 0U);
    EXPECT_EQ(world.verdicts[Reason::kOk], 2 * counted + lying.invalid);
}

}  // namespace
}  // namespace holdfast
