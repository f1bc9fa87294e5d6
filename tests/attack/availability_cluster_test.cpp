// Seven provers, five challengers, fifty blocks: cheaters show as the bounds say, nobody honest
// loses anything, and every unit that was paid is accounted for.
#include <cmath>

#include "support/availability_world.hpp"

namespace holdfast {
namespace {

using test::AvailabilityWorld;
using test::must;
using test::PublishingDoor;

enum Name : std::size_t { kHonest, kSlow, kLossy, kOutsourcing, kPartial, kLying, kCrashing };
constexpr int kBlocks = 50;

/// Keeps the first 12 of 16 chunks and stays silent when it lacks one.
bool lacks_a_chunk(const AvailabilityWorld& world, const Challenge2& c) {
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
        const auto body = unwrap_object(Kind::kChallenge2, object);
        if (body && lacks_a_chunk(world, Challenge2::decode(*body).value())) {
            return fail(ErrorCode::kTimeout, "silent");
        }
        return honest(from, object);
    };
    world.peer(kLying).handle = [&world](const PublicKey&, ByteView object) -> Result<Bytes> {
        const auto c = Challenge2::decode(unwrap_object(Kind::kChallenge2, object).value()).value();
        const Response lie =
            sign_response(c.id(world.params.id()), Bytes(4 * kChunkBytes + 3 * kDigestBytes),
                          world.provers[kLying].chain->key())
                .value();
        return wrap_object(Kind::kResponse, lie.encode());
    };
}

/// How many outcomes of each kind stand for a prover.
using Outcomes = std::map<OutcomeKind, std::uint64_t>;
Outcomes outcomes(AvailabilityWorld& world, std::size_t prover) {
    Outcomes out;
    for (const OutcomeKind kind : {OutcomeKind::kServed, OutcomeKind::kLate, OutcomeKind::kInvalid,
                                   OutcomeKind::kUnreachable}) {
        out[kind] = world.outcomes(prover, kind);
    }
    return out;
}
std::uint64_t all_of(const Outcomes& o) {
    std::uint64_t sum = 0;
    for (const auto& [kind, count] : o) sum += count;
    return sum;
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
    const auto of = [&](Name n) { return outcomes(world, n); };
    EXPECT_EQ(of(kHonest)[OutcomeKind::kServed], all_of(of(kHonest)));
    EXPECT_GE(all_of(of(kHonest)), static_cast<std::uint64_t>(kBlocks));
    EXPECT_EQ(of(kSlow)[OutcomeKind::kServed], 0U);
    EXPECT_TRUE(world.is_suspended(kSlow));
    EXPECT_TRUE(world.is_suspended(kPartial));
    EXPECT_FALSE(world.is_suspended(kCrashing)) << "it is back and serves";
    EXPECT_GE(crashed_suspended, 3);
    EXPECT_EQ(of(kOutsourcing)[OutcomeKind::kServed], all_of(of(kOutsourcing)))
        << "a fetch of 40 ms is in time: bounded only";
    const double serves = 495.0 / 1820.0;  // C(12, 4) / C(16, 4)
    const auto all = static_cast<double>(all_of(of(kPartial)));
    EXPECT_NEAR(static_cast<double>(of(kPartial)[OutcomeKind::kServed]), all * serves,
                4 * std::sqrt(all * serves * (1 - serves)));
    EXPECT_EQ(of(kLying)[OutcomeKind::kInvalid], all_of(of(kLying)));

    // Who loses what: only who signed a false response.
    for (const Name n : {kHonest, kSlow, kLossy, kOutsourcing, kPartial, kCrashing}) {
        EXPECT_EQ(world.held(n), AvailabilityWorld::kBond) << n;
    }
    EXPECT_EQ(world.held(kLying), 0U);

    // Every unit: each outcome is paid, at once or after the audit that its challenger answered.
    std::uint64_t counted = 0;
    std::uint64_t to_provers = 0;
    for (std::size_t i = 0; i < world.provers.size(); ++i) {
        counted += all_of(outcomes(world, i));
        EXPECT_LE(world.paid(i), outcomes(world, i)[OutcomeKind::kServed]);
        to_provers += must(world.token->balance(world.key_of_prover(i)));
    }
    std::uint64_t to_challengers = 0;
    for (const auto& c : world.challengers) {
        to_challengers += must(world.token->balance(c.key.public_key()));
    }
    EXPECT_GT(world.audits_answered, 5U);
    EXPECT_EQ(to_challengers % AvailabilityWorld::kTerms.challenger_reward, 0U);
    EXPECT_GT(to_challengers,
              (counted - 8 * world.provers.size()) * AvailabilityWorld::kTerms.challenger_reward)
        << "only the last heights' are still to be paid";
    const std::uint64_t accusers =
        AvailabilityWorld::kBond / 10 + world.door.deposits * PublishingDoor::kDeposit;
    EXPECT_EQ(must(world.token->balance(world.door.accuser)), accusers);
    const BondLedger::Totals totals = must(world.token->totals());
    EXPECT_EQ(totals.in_accounts, to_provers + to_challengers + accusers);
    EXPECT_EQ(totals.in_pool, 1'000'000 + AvailabilityWorld::kBond - AvailabilityWorld::kBond / 10 -
                                  to_provers - to_challengers);
    EXPECT_EQ(totals.issued, totals.in_accounts + totals.in_bonds + totals.in_pool);
    ASSERT_TRUE(world.token->audit());
    EXPECT_LE(counted, world.report.sent);
    EXPECT_GE(counted, world.report.sent - 4 * world.provers.size())
        << "the newest heights are in flight, and what came after the liar's end";
    EXPECT_EQ(world.report.abandoned, 0U);
}

}  // namespace
}  // namespace holdfast
