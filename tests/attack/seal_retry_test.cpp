// Attack 23, first half: seal half of the windows, register, and try again until the challenge asks
// for the other half.
//
// Every failure voids the registration, costs the deposit and burns the replica's id, so that the
// next try is a whole new sealing under another nonce. The naive scheme lets the same sealed copy
// be challenged again: a few tries later it passes, at no further work.
#include <gtest/gtest.h>

#include "analysis/bounds.hpp"
#include "support/forged_replica.hpp"
#include "support/registry_world.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kWindows = 8;
constexpr std::uint64_t kAttempts = 150;

NetworkParams retry_network() {
    NetworkParams p = short_network();
    p.seal_presets = {{16, 512}};
    p.seal_windows = 2;
    p.seal_cells = 16;
    return p;
}

void seal_every_other(const ReplicaId& id, const Window& window, MutByteView all) {
    if (window.index % 2 == 0) seal_window(id, window, all);
}

ForgedReplica half_sealed(const NetworkParams& params, std::uint64_t nonce, Height genesis) {
    return {params,
            raw_chunks_of(kWindows * 16, "retry"),
            "retry",
            seal_every_other,
            nonce,
            genesis,
            test_hash(genesis)};
}

TEST(AttackSealRetry, EveryFailureCostsADepositAndASealing) {
    RegistryWorld world(retry_network());
    world.feed_to(Height(105));
    std::vector<ForgedReplica> tries;
    for (std::uint64_t nonce = 0; nonce < kAttempts; ++nonce) {
        tries.push_back(half_sealed(world.params(), nonce, world.tip()));
        world.list_registration(tries.back().registration);
    }
    for (const Verdict& v : world.listed()) ASSERT_EQ(v, Verdict::ok());
    const Height y_height = world.tip() + world.params().seal_delay;
    world.feed_to(y_height);
    std::uint64_t passed = 0;
    for (const ForgedReplica& cheat : tries) {
        const Bytes body = cheat.seal_proof(y_height, test_y(y_height)).encode();
        const Verdict verdict = world.prove_sealing(body);
        EXPECT_TRUE(verdict.accepted() || verdict.reason == Reason::kBadSealing);
        passed += verdict.accepted() ? 1 : 0;
    }
    world.feed_to(y_height + 2 * world.params().seal_deadline);
    const RegistryStatistics after = must(world->statistics());
    EXPECT_EQ(after.voided, kAttempts - passed);  // each one's deposit is lost
    EXPECT_EQ(after.pending, 0U);

    const double p = std::exp2(log2_all_good(kWindows, kWindows / 2, 2));
    expect_rate("half-sealed replicas that pass", passed, kAttempts, p);
    std::printf("  for one that passes: %.2f deposits and sealings lost, formula %.2f\n",
                static_cast<double>(after.voided) / static_cast<double>(passed), (1 - p) / p);

    // A burnt id does not come back: neither as it was nor on another genesis block.
    for (const ForgedReplica& cheat : tries) {
        if (world->chain(cheat.chain_id)->value().phase != ChainPhase::kVoid) continue;
        EXPECT_FALSE(world.judge_registration(cheat.registration));
        Registration again = cheat.registration;
        again.genesis_height = world.tip();
        again.genesis_block_hash = test_hash(world.tip());
        again = sign_registration(cheat.network_id, again, cheat.key).value();
        EXPECT_FALSE(world.judge_registration(again));
        break;
    }
}

TEST(AttackSealRetry, NaiveSchemeChallengesTheSameCopyAgain) {
    const NetworkParams params = retry_network();
    const ForgedReplica cheat = half_sealed(params, 0, Height(100));
    std::uint64_t tries = 0;
    bool passed = false;
    while (!passed) {
        ASSERT_LT(tries, 100U);
        const Height h(1'000 + tries++);
        const auto verdict =
            verify_seal_proof(params, cheat.network_id, cheat.registration, {h, test_y(h)},
                              cheat.seal_proof(h, test_y(h)).encode());
        ASSERT_TRUE(verdict);
        passed = verdict->accepted();
    }
    std::printf("naive: the same half-sealed copy passes at try %llu\n",
                static_cast<unsigned long long>(tries));
}

}  // namespace
}  // namespace holdfast::test
