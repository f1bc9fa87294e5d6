#include "analysis/seal_cost.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace holdfast {
namespace {

TEST(SealCost, WindowsTouchedFollowTheFormula) {
    const WindowPlan plan(ChunkCount(kMaxChunks), kSealStandard);
    ASSERT_EQ(plan.count(), 32U);
    // With so many chunks, draws with and without replacement agree to four digits.
    EXPECT_NEAR(windows_touched(plan, 1), 32 * (1 - std::pow(31.0 / 32, 16)), 1e-3);
    EXPECT_NEAR(windows_touched(plan, 6), 32 * (1 - std::pow(31.0 / 32, 96)), 1e-3);
    EXPECT_DOUBLE_EQ(windows_touched(plan, 1, 1), 1);
    // One window is touched by every link; sixteen chunks are all drawn.
    EXPECT_DOUBLE_EQ(windows_touched({ChunkCount(100), kSealStandard}, 1), 1);
    EXPECT_DOUBLE_EQ(windows_touched({ChunkCount(16), {16, 512}}, 5), 1);
}

TEST(SealCost, UnequalWindowsAddUp) {
    // 33 chunks in windows of at most 16: three of 11. 34: one of 12 and two of 11.
    const SealParams small{16, 512};
    const auto missed = [](int all, int window) {
        double p = 1;
        for (int i = 0; i < 16; ++i) p *= double(all - window - i) / double(all - i);
        return p;
    };
    EXPECT_NEAR(windows_touched({ChunkCount(33), small}, 1), 3 * (1 - missed(33, 11)), 1e-9);
    EXPECT_NEAR(windows_touched({ChunkCount(34), small}, 2),
                (1 - std::pow(missed(34, 12), 2)) + 2 * (1 - std::pow(missed(34, 11), 2)), 1e-9);
}

TEST(SealCost, BillsFollowThePrices) {
    NetworkParams params;  // 52 s blocks, six links in a batch
    EXPECT_EQ(links_in_a_batch(params), 6U);
    const WindowPlan plan(ChunkCount(kMaxChunks), kSealStandard);
    SealPrices prices;
    const SealEconomy e = seal_economy(params, plan, 4.65, prices);
    EXPECT_NEAR(e.links_a_month, 49'846, 1);
    EXPECT_NEAR(e.storing_a_month, 4.294967296e-3 * 50 / 60, 1e-9);
    EXPECT_NEAR(e.one_by_one.core_seconds_a_link, 59.3, 0.1);
    EXPECT_NEAR(e.one_by_one.core_hours_a_month, 821, 1);
    EXPECT_NEAR(e.batched.core_hours_a_month, 327, 2);
    EXPECT_NEAR(e.one_by_one.rent_ratio, 4'590, 10);
    EXPECT_DOUBLE_EQ(e.one_by_one.rent_a_month, e.one_by_one.core_hours_a_month * 0.02);
    EXPECT_DOUBLE_EQ(e.batched.energy_a_month, e.batched.core_hours_a_month * 0.01 * 0.15);

    prices.attacker_speed = 10;
    prices.disk_tb = 100;
    const SealEconomy faster = seal_economy(params, plan, 4.65, prices);
    EXPECT_DOUBLE_EQ(faster.batched.rent_a_month, e.batched.rent_a_month / 10);
    EXPECT_NEAR(faster.batched.rent_ratio, e.batched.rent_ratio / 20, 1e-6);
    EXPECT_DOUBLE_EQ(faster.batched.core_hours_a_month, e.batched.core_hours_a_month);
}

}  // namespace
}  // namespace holdfast
