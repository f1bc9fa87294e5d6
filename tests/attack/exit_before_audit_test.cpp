// Attack 23, second half: seal honestly, drop the data as soon as the seal proof is through, and
// ask for removal before an audit comes.
//
// The bond stays liable, and audits go on, for liability_blocks after the slot is vacant; whoever
// cannot answer one loses the bond. The naive scheme gives the bond back with the slot.
#include <gtest/gtest.h>

#include "support/forged_replica.hpp"
#include "support/registry_world.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kLeavers = 60;
constexpr std::uint32_t kRemovalDelay = 1;  // heights with a slot, after the removal

NetworkParams audited_network(std::uint32_t liability_blocks) {
    NetworkParams p = short_network();
    p.seal_presets = {{16, 512}};
    p.seal_windows = p.audit_windows = 1;
    p.seal_cells = 8;
    p.audits_per_block = 20;  // one chain in four at every height, up to 80 chains
    p.rate_window = 200;
    p.misses_late = 3;
    p.misses_expired = 200;
    p.removal_delay = kRemovalDelay;
    p.liability_blocks = liability_blocks;
    return p;
}

struct Left {
    std::uint64_t forfeited = 0;
    std::uint64_t released = 0;
};

/// All register, seal, leave at once and never answer an audit.
Left leave(std::uint32_t liability_blocks) {
    RegistryWorld world(audited_network(liability_blocks));
    world.feed_to(Height(110));
    std::vector<TestChain> leavers;
    for (std::uint64_t i = 0; i < kLeavers; ++i) {
        leavers.emplace_back(world.params(), i, Height(108));
        world.add(leavers.back());
    }
    world.feed_to(world.tip() + world.params().seal_delay);
    for (const TestChain& chain : leavers) {
        EXPECT_EQ(world.answer_duties(chain), 1U);
        const Removal removal =
            make_removal(world->network_id(), chain.id(), 1, world.tip(), chain.key());
        EXPECT_EQ(must(world->accept_removal(removal)), Verdict::ok());
    }
    Left left;
    const Height end = world.tip() + liability_blocks + 40;
    while (world.tip() < end) {
        world.feed();
        for (const Effect& effect : must(world->effects(world.closed()))) {
            left.forfeited += effect.kind == EffectKind::kBondForfeited ? 1 : 0;
            left.released += effect.kind == EffectKind::kBondReleased ? 1 : 0;
        }
    }
    return left;
}

TEST(AttackExitBeforeAudit, TheBondStaysLiable) {
    for (const std::uint32_t liability : {2U, 6U, 12U}) {
        const Left left = leave(liability);
        EXPECT_EQ(left.forfeited + left.released, kLeavers);
        char what[64];
        std::snprintf(what, sizeof what, "liable for %u heights: bonds kept", liability);
        expect_rate(what, left.released, kLeavers, std::pow(0.75, kRemovalDelay + liability));
    }
}

TEST(AttackExitBeforeAudit, WhoKeptTheDataLeavesWithTheBond) {
    RegistryWorld world(audited_network(30));
    world.feed_to(Height(110));
    const ForgedReplica honest(world.params(), raw_chunks_of(64, "leaver"), "leaver", seal_window,
                               0, Height(108), test_hash(Height(108)));
    ASSERT_TRUE(must(world->accept_registration(honest.registration)));
    bool leaving = false;
    std::uint64_t audits = 0;
    std::uint64_t released = 0;
    while (world.tip() < Height(170)) {
        world.feed();
        for (const SealDuty& duty : must(world->seal_duties(honest.chain_id))) {
            if (!duty.y_height) continue;
            const Bytes body = honest.seal_proof(*duty.y_height, *duty.y, duty.kind).encode();
            EXPECT_EQ(must(world->accept_seal_proof(body)), Verdict::ok());
            audits += duty.kind == SealProofKind::kAudit ? 1 : 0;
            if (leaving) continue;
            leaving = true;
            EXPECT_TRUE(must(world->accept_removal(
                make_removal(honest.network_id, honest.chain_id, 1, world.tip(), honest.key))));
        }
        released += count_effects(must(world->effects(world.closed())), EffectKind::kBondReleased,
                                  honest.chain_id);
    }
    EXPECT_GT(audits, 0U);
    EXPECT_EQ(released, 1U);
}

TEST(AttackExitBeforeAudit, NaiveSchemeGivesTheBondBackAtOnce) {
    // Only an audit that was drawn while the slot was still held can catch anybody.
    const Left left = leave(0);
    expect_rate("not liable at all: bonds kept", left.released, kLeavers,
                std::pow(0.75, kRemovalDelay));
}

}  // namespace
}  // namespace holdfast::test
