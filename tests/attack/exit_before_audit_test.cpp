// Attack 23, second half: seal honestly, drop everything as soon as the seal proof is through, and
// ask for removal before an audit comes.
//
// The part stays reserved, and audits go on, for liability_blocks after the slot is vacant; then a
// last audit is drawn whatever the draw says, and the part goes back when nothing is open any more.
// The naive scheme gives it back to whoever the draw has spared.
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
    std::uint64_t by_the_draw = 0;  // lost the part to an audit that was drawn by lot
    std::uint64_t by_the_last = 0;  // to the one before release
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
    for (const TestChain& chain : leavers) EXPECT_EQ(world.answer_duties(chain), 1U);
    for (const TestChain& chain : leavers) {
        world.list(
            Kind::kRemoval,
            make_removal(world.params().id(), chain.id(), 1, world.tip(), chain.key()).value());
    }
    for (const Verdict& v : world.listed()) EXPECT_EQ(v, Verdict::ok());
    Left left;
    const Height end = world.tip() + liability_blocks + 60;
    while (world.tip() < end) {
        world.feed();
        for (const Effect& e : must(world->effects(world.closed()))) {
            if (e.kind == EffectKind::kBondReleased) ++left.released;
            if (e.kind != EffectKind::kBondForfeited) continue;
            const Height liable_until = must(world->chain(e.chain_id))->liable_until.value();
            ++(Height(e.value) < liable_until ? left.by_the_draw : left.by_the_last);
        }
    }
    return left;
}

TEST(AttackExitBeforeAudit, NobodyLeavesWithoutAnAudit) {
    for (const std::uint32_t liability : {1U, 6U, 12U}) {
        const Left left = leave(liability);
        EXPECT_EQ(left.released, 0U) << "kept the part without the data";
        EXPECT_EQ(left.by_the_draw + left.by_the_last, kLeavers);
        // Where the spared got their part back, so many kept it.
        char what[64];
        std::snprintf(what, sizeof what, "liable for %u heights: spared by the draw", liability);
        expect_rate(what, left.by_the_last, kLeavers, std::pow(0.75, kRemovalDelay + liability));
    }
}

TEST(AttackExitBeforeAudit, WhoKeptTheDataLeavesWithTheBond) {
    RegistryWorld world(audited_network(30));
    world.feed_to(Height(110));
    const ForgedReplica honest(world.params(), raw_chunks_of(64, "leaver"), "leaver", seal_window,
                               0, Height(108), test_hash(Height(108)));
    ASSERT_TRUE(world.judge_registration(honest.registration));
    bool leaving = false;
    std::uint64_t audits = 0;
    std::uint64_t released = 0;
    while (world.tip() < Height(170)) {
        world.feed();
        for (const SealDuty& duty : must(world->seal_duties(honest.chain_id))) {
            if (!duty.y_height) continue;
            const Bytes body = honest.seal_proof(*duty.y_height, *duty.y, duty.kind).encode();
            EXPECT_EQ(world.prove_sealing(body), Verdict::ok());
            audits += duty.kind == SealProofKind::kAudit ? 1 : 0;
            if (leaving) continue;
            leaving = true;
            EXPECT_TRUE(world.judge(Kind::kRemoval, make_removal(honest.network_id, honest.chain_id,
                                                                 1, world.tip(), honest.key)
                                                        .value()));
        }
        released += count_effects(must(world->effects(world.closed())), EffectKind::kBondReleased,
                                  honest.chain_id);
    }
    EXPECT_GT(audits, 0U);
    EXPECT_EQ(released, 1U);
}

}  // namespace
}  // namespace holdfast::test
