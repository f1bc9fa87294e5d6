#include "proofs/latency.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace holdfast {
namespace {

using Samples = std::vector<std::uint64_t>;

TEST(Latency, NeedsFiveSamples) {
    for (std::size_t n = 0; n < kMinLatencySamples; ++n) {
        const auto summary = summarize_latency(Samples(n, 7));
        ASSERT_FALSE(summary.has_value());
        EXPECT_EQ(summary.error().reason, Reason::kTooFewSamples);
    }
    EXPECT_TRUE(summarize_latency(Samples(kMinLatencySamples, 7)).has_value());
}

TEST(Latency, RefusesMoreSamplesThanItsArithmeticHolds) {
    EXPECT_TRUE(summarize_latency(Samples(kMaxLatencySamples, UINT64_MAX)).has_value());
    const auto summary = summarize_latency(Samples(kMaxLatencySamples + 1, 1));
    ASSERT_FALSE(summary.has_value());
    EXPECT_EQ(summary.error().reason, Reason::kTooLarge);
}

TEST(Latency, TakesTheLowerMedian) {
    EXPECT_EQ(summarize_latency(Samples{9, 1, 5, 3, 7})->median, 5U);
    EXPECT_EQ(summarize_latency(Samples{9, 1, 5, 3, 7, 8})->median, 5U);
    EXPECT_EQ(summarize_latency(Samples{9, 1, 5, 3, 7, 8})->minimum, 1U);
}

TEST(Latency, SpreadIsExactAtItsBorder) {
    // Half at 70, half at 130: the coefficient of variation is exactly 0.3.
    EXPECT_TRUE(summarize_latency(Samples{70, 130, 70, 130, 70, 130})->spread_within);
    EXPECT_FALSE(summarize_latency(Samples{69, 131, 69, 131, 69, 131})->spread_within);
    // The same at the largest scale: any rounding would show.
    constexpr std::uint64_t kScale = UINT64_MAX / 131;
    const std::uint64_t low = 70 * kScale;
    const std::uint64_t high = 130 * kScale;
    EXPECT_TRUE(summarize_latency(Samples{low, high, low, high, low, high})->spread_within);
    EXPECT_FALSE(summarize_latency(Samples{low, high + 1, low, high, low, high})->spread_within);
    EXPECT_FALSE(summarize_latency(Samples{low - 1, high, low, high, low, high})->spread_within);
}

TEST(Latency, SpreadAgreesWithTheFormula) {
    std::mt19937_64 random(1);
    int within = 0;
    for (int round = 0; round < 2'000; ++round) {
        Samples samples(5 + random() % 20);
        const std::uint64_t width = 1 + random() % 150;
        for (std::uint64_t& x : samples) x = 100 + random() % width;
        std::uint64_t sum = 0;
        std::uint64_t squares = 0;
        for (const std::uint64_t x : samples) {
            sum += x;
            squares += x * x;
        }
        const bool expected = 100 * (samples.size() * squares - sum * sum) <= 9 * sum * sum;
        EXPECT_EQ(summarize_latency(samples)->spread_within, expected);
        within += expected ? 1 : 0;
    }
    EXPECT_GT(within, 100);
    EXPECT_LT(within, 1'999);
}

TEST(Latency, AllZeroHasNoSpread) {
    EXPECT_EQ(*summarize_latency(Samples(5, 0)), (LatencySummary{0, 0, true}));
}

TEST(Latency, LightDecidesWhichPlacesArePossible) {
    EXPECT_TRUE(place_possible(10'000'000, 1'498'962));
    EXPECT_FALSE(place_possible(10'000'000, 1'498'963));
    EXPECT_TRUE(place_possible(0, 0));
    EXPECT_FALSE(place_possible(0, 1));
    EXPECT_TRUE(place_possible(UINT64_MAX, 20'000'000));
    EXPECT_FALSE(place_possible(1, UINT64_MAX));
}

TEST(Latency, OneVantageSufficesToRefuseAPlace) {
    const std::vector<PlaceMeasurement> vantages{
        {10'000'000, 1'000}, {10'000'000, 1'498'962}, {9'000'000, 1'498'962}};
    EXPECT_TRUE(check_place({vantages.data(), 2}).accepted());
    EXPECT_EQ(check_place(vantages), Verdict(Reason::kImpossiblePlace, 2));
    EXPECT_TRUE(check_place({}).accepted());
}

}  // namespace
}  // namespace holdfast
