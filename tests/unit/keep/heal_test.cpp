// Rebuilding a shard: byte for byte from any k others, resumed after a stop at any request, refused
// where it would change the file.
#include "keep/heal.hpp"

#include <gtest/gtest.h>

#include "storage/file.hpp"
#include "support/memory_prover.hpp"
#include "support/temp_folder.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kShardBytes = (std::uint64_t{3} << 20) + 12'345;

HealOptions quick_heal() {
    HealOptions out;
    out.reading.patience_ms = 300;
    out.reading.slow_ms = 100;
    out.depositing.patience_ms = 300;
    out.depositing.pause_ms = 20;
    return out;
}

ByteView held_by(MemoryProver& prover) {
    const auto& held = prover.deposits.begin()->second;
    return ByteView(held.data).first(held.order.bytes);
}

TEST(Heal, RebuildsEachShardByteForByteFromKOthers) {
    for (unsigned lost = 0; lost < 6; ++lost) {
        KeptWorld world({4, 2}, kShardBytes, 1);
        world.provers[lost]->silent = true;
        world.provers[(lost + 1) % 6]->silent = true;  // so that it has no choice
        const HealOrder order = got(order_heal(world.file, lost, world.provers[6]->address(),
                                               world.owner, world.ask(), quick_heal()));
        const HealReport report =
            got(carry_out_heal(world.file, order, world.owner, world.ask(), quick_heal()));
        EXPECT_EQ(report.sent, kShardBytes);
        EXPECT_TRUE(std::ranges::equal(held_by(*world.provers[6]), world.shards[lost])) << lost;
    }
}

TEST(Heal, GoesOnAfterAStopAtAnyRequestAndSendsNothingTwice) {
    for (const std::uint64_t stop_at : {2U, 3U, 4U, 5U}) {
        KeptWorld world({2, 1}, kShardBytes, 1);
        MemoryProver& target = *world.provers[3];
        const HealOrder order = got(
            order_heal(world.file, 0, target.address(), world.owner, world.ask(), quick_heal()));
        target.silent_after = stop_at;
        EXPECT_FALSE(carry_out_heal(world.file, order, world.owner, world.ask(), quick_heal()));
        target.silent_after.reset();
        const HealReport report =
            got(carry_out_heal(world.file, order, world.owner, world.ask(), quick_heal()));
        EXPECT_EQ(report.sent + report.resumed, kShardBytes) << stop_at;
        EXPECT_EQ(target.deposits.size(), 1U);
        EXPECT_TRUE(std::ranges::equal(held_by(target), world.shards[0])) << stop_at;
        // And again: it is there.
        EXPECT_EQ(
            got(carry_out_heal(world.file, order, world.owner, world.ask(), quick_heal())).sent,
            0U);
    }
}

TEST(Heal, ALiarAmongTheOthersIsNamedAndReplaced) {
    KeptWorld world({2, 2}, kShardBytes, 1);
    world.provers[1]->lies = true;
    const HealOrder order = got(order_heal(world.file, 0, world.provers[4]->address(), world.owner,
                                           world.ask(), quick_heal()));
    const HealReport report =
        got(carry_out_heal(world.file, order, world.owner, world.ask(), quick_heal()));
    EXPECT_TRUE(report.reading.shards[1].lied);
    EXPECT_TRUE(std::ranges::equal(held_by(*world.provers[4]), world.shards[0]));
}

TEST(Heal, WithKMinusOneOthersNothingIsBelieved) {
    KeptWorld world({4, 2}, kShardBytes, 1);
    for (const unsigned i : {1U, 2U}) world.provers[i]->silent = true;
    const HealOrder order = got(order_heal(world.file, 0, world.provers[6]->address(), world.owner,
                                           world.ask(), quick_heal()));
    world.provers[3]->silent = true;
    const auto healed = carry_out_heal(world.file, order, world.owner, world.ask(), quick_heal());
    ASSERT_FALSE(healed);
    EXPECT_EQ(healed.error().code, ErrorCode::kUnavailable) << healed.error().message;
    EXPECT_EQ(world.provers[6]->deposits.begin()->second.phase, DepositPhase::kReceiving);
}

TEST(Heal, AManifestThatDoesNotFitTheShardsIsRefusedByTheProver) {
    KeptWorld world({2, 1}, kShardBytes, 1);
    world.file.manifest.roots[0].bytes[0] ^= 1;
    ASSERT_TRUE(world.file.sign(world.owner));
    const HealOrder order = got(order_heal(world.file, 0, world.provers[3]->address(), world.owner,
                                           world.ask(), quick_heal()));
    EXPECT_FALSE(carry_out_heal(world.file, order, world.owner, world.ask(), quick_heal()));
    EXPECT_EQ(world.provers[3]->deposits.begin()->second.phase, DepositPhase::kReceiving);
}

TEST(Heal, OrdersNothingFromAProverThatHasAShardOrIsNotHot) {
    KeptWorld world({2, 1}, kShardBytes, 1);
    EXPECT_EQ(order_heal(world.file, 0, world.provers[1]->address(), world.owner, world.ask(),
                         quick_heal())
                  .error()
                  .code,
              ErrorCode::kInvalidArgument);
    world.provers[3]->hot = false;
    EXPECT_EQ(order_heal(world.file, 0, world.provers[3]->address(), world.owner, world.ask(),
                         quick_heal())
                  .error()
                  .code,
              ErrorCode::kRefused);
}

TEST(Heal, TheNewManifestNamesTheNewPlaceAndNothingElseChanges) {
    KeptWorld world({2, 1}, kShardBytes, 1);
    MemoryProver& target = *world.provers[3];
    const HealOrder order =
        got(order_heal(world.file, 1, target.address(), world.owner, world.ask(), quick_heal()));
    (void)got(carry_out_heal(world.file, order, world.owner, world.ask(), quick_heal()));
    const DepositClient client(world.network, target.key.public_key(), world.owner,
                               world.ask()(target.address()), quick_heal().depositing);
    const DepositState state = got(client.state(order.segments[0]));
    const KeptFile healed = got(healed_file(world.file, order, {&state, 1}, world.owner));
    EXPECT_EQ(healed.counter, world.file.counter + 1);
    EXPECT_EQ(healed.id(), world.file.id());
    EXPECT_EQ(healed.at(1, 0).prover, target.key.public_key());
    EXPECT_EQ(healed.at(1, 0).chain, state.chain);
    EXPECT_EQ(healed.at(0, 0), world.file.at(0, 0));
    EXPECT_EQ(healed.at(2, 0), world.file.at(2, 0));
    EXPECT_EQ(got(KeptFile::decode(healed.encode())), healed);
}

TEST(Heal, OrdersSurviveAndDamagedOnesAreNamed) {
    const TempFolder folder;
    KeptWorld world({2, 1}, kShardBytes, 1);
    EXPECT_TRUE(got(read_heal_orders(folder / "none")).empty());
    const HealOrder order = got(order_heal(world.file, 0, world.provers[3]->address(), world.owner,
                                           world.ask(), quick_heal()));
    ASSERT_TRUE(write_heal_order(folder.path(), order));
    ASSERT_EQ(got(read_heal_orders(folder.path())).size(), 1U);
    EXPECT_EQ(got(read_heal_orders(folder.path()))[0], order);
    const Bytes bytes = order.encode();
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
        EXPECT_FALSE(HealOrder::decode(ByteView(bytes).first(cut))) << cut;
    }
    Bytes longer = bytes;
    longer.push_back(0);
    EXPECT_FALSE(HealOrder::decode(longer));
    const auto path = heal_order_path(folder.path(), order.file, 0);
    ASSERT_TRUE(write_file(path, ByteView(bytes).first(40), true));
    EXPECT_EQ(read_heal_orders(folder.path()).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace holdfast::test
