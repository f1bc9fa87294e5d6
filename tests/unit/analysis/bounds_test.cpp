#include "analysis/bounds.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

#include "core/hash.hpp"
#include "core/selection.hpp"
#include "proofs/link.hpp"
#include "proofs/seal_proof.hpp"
#include "vdf/verify.hpp"

namespace holdfast {
namespace {

constexpr double kImpossible = -std::numeric_limits<double>::infinity();

double probability(double log2_p) { return std::exp2(log2_p); }

/// Three standard deviations of a frequency over `rounds` rounds.
double three_sigma(double p, int rounds) { return 3.0 * std::sqrt(p * (1.0 - p) / rounds); }

// --- exactness -----------------------------------------------------------------------------------

TEST(Bounds, HypergeometricAgreesWithSmallFractions) {
    EXPECT_NEAR(probability(log2_all_good(10, 3, 2)), 42.0 / 90.0, 1e-15);
    EXPECT_NEAR(probability(log2_all_good(10, 2, 3)), 42.0 / 90.0, 1e-15);
    EXPECT_NEAR(probability(log2_all_good(20, 10, 10)), 1.0 / 184'756.0, 1e-18);
    EXPECT_EQ(log2_all_good(10, 0, 10), 0.0);
    EXPECT_EQ(log2_all_good(10, 10, 0), 0.0);
    EXPECT_EQ(log2_all_good(10, 4, 7), kImpossible);
    EXPECT_EQ(log2_all_good(10, 99, 1), kImpossible);
}

TEST(Bounds, ExactlyBadSumsToOne) {
    for (const std::uint64_t bad : {0U, 1U, 7U, 20U}) {
        double sum = 0.0;
        for (std::uint64_t j = 0; j <= 9; ++j) sum += probability(log2_exactly_bad(20, bad, 9, j));
        EXPECT_NEAR(sum, 1.0, 1e-12);
        EXPECT_NEAR(probability(log2_exactly_bad(20, bad, 9, 0)),
                    probability(log2_all_good(20, bad, 9)), 1e-12);
    }
}

TEST(Bounds, StaysExactWhereProbabilitiesUnderflow) {
    // 2^20 chunks, half of them missing, 10,000 links of 16: far below any double.
    const double log2_p = log2_links_undetected(1U << 20, 1U << 19, 10'000);
    EXPECT_NEAR(log2_p, -160'000.0, 5.0);
    EXPECT_LT(log2_p, -160'000.0) << "drawing without replacement is a little better";
    // A single bad chunk: 1 - 16 / 2^20, where 1 - p rounds away digits.
    EXPECT_NEAR(log2_all_good(1U << 20, 1, 16), std::log1p(-16.0 / (1 << 20)) / std::log(2.0),
                1e-18);
}

TEST(Bounds, BinomialTailsAgreeWithSums) {
    const double p = 0.3;
    double at_most = 0.0;
    for (int k = 0; k <= 4; ++k) {
        at_most += std::exp(std::lgamma(11) - std::lgamma(k + 1) - std::lgamma(11 - k)) *
                   std::pow(p, k) * std::pow(1 - p, 10 - k);
    }
    EXPECT_NEAR(probability(log2_at_most(10, 4, p)), at_most, 1e-12);
    EXPECT_NEAR(probability(log2_more_than(10, 4, p)), 1.0 - at_most, 1e-12);
    EXPECT_EQ(log2_at_most(10, 10, p), 0.0);
    EXPECT_EQ(log2_more_than(10, 10, p), kImpossible);
    EXPECT_EQ(log2_at_most(10, 0, 0.0), 0.0);
    EXPECT_EQ(log2_at_most(10, 9, 1.0), kImpossible);
    EXPECT_EQ(log2_more_than(10, 9, 1.0), 0.0);
    EXPECT_NEAR(log2_more_than(10, 9, 1e-30), 10 * std::log2(1e-30), 1e-9);
}

TEST(Bounds, ClampsWhatMakesNoSense) {
    EXPECT_EQ(log2_all_good(-0.5, 7), 0.0);
    EXPECT_EQ(log2_all_good(1.5, 7), kImpossible);
    EXPECT_EQ(log2_all_good(std::nan(""), 7), 0.0);
    EXPECT_EQ(repetitions_until(0.0, -40.0), UINT64_MAX);
    EXPECT_EQ(repetitions_until(kImpossible, -40.0), 1U);
    EXPECT_EQ(repetitions_until(-1.0, 0.0), 0U);
    EXPECT_EQ(tolerated_garbage(0, 1, GarbageRule::kCompactOnly), 0.0);
    EXPECT_EQ(storable_by_silence(10, 10), 0.0);
}

// --- published figures ---------------------------------------------------------------------------

TEST(Bounds, HundredOfTenThousandBlocksNeed460Challenges) {
    // Ateniese et al. 2007, section 5: 1% of the blocks deleted, 460 challenges for 99%, 300 for
    // 95%.
    const double one_percent = std::log2(0.01);
    EXPECT_EQ(repetitions_until(log2_all_good(0.01, 1), one_percent), 459U);
    EXPECT_LE(log2_all_good(0.01, 460), one_percent);
    EXPECT_LE(log2_all_good(10'000, 100, 460), one_percent);
    EXPECT_LE(log2_all_good(0.01, 300), std::log2(0.05));
}

TEST(Bounds, AWindowOfFiveLinksAtOneThirdMissing) {
    EXPECT_NEAR(log2_all_good(1.0 / 3.0, 80), -46.8, 0.005);
    EXPECT_NEAR(log2_links_undetected(3 << 18, 1 << 18, 5), -46.8, 0.01);
}

TEST(Bounds, LinksUntil2ToTheMinus40) {
    const auto links = [](double missing, std::uint64_t openings) {
        return repetitions_until(log2_all_good(missing, openings), -40.0);
    };
    EXPECT_EQ(links(0.5, 16), 3U);
    EXPECT_EQ(links(0.1, 16), 17U);
    EXPECT_EQ(links(0.01, 16), 173U);
    EXPECT_EQ(links(0.001, 16), 1'733U);
    EXPECT_EQ(links(0.01, 1), 2'759U) << "one opening a link: 16 times longer, but for rounding";
    // Of a replica without replacement: never more, and hardly fewer.
    EXPECT_EQ(links_until(1U << 20, 1U << 19, -40.0), 3U);
    EXPECT_EQ(links_until(1'000'000, 10'000, -40.0), 173U);
    EXPECT_EQ(links_until(1'000'000, 1'000, -40.0), 1'732U);
    EXPECT_EQ(links_until(100, 1, -40.0), 160U);
    EXPECT_EQ(links_until(1'000'000, 0, -40.0), UINT64_MAX);
}

TEST(Bounds, WhatAllowedMissesAreWorth) {
    EXPECT_NEAR(storable_by_silence(2'070, 103), 0.9968, 0.00005);
    EXPECT_NEAR(tolerated_garbage(2'070, 103, GarbageRule::kCompactOnly), 0.0498, 0.0001);
    EXPECT_NEAR(tolerated_garbage(2'070, 103, GarbageRule::kFullNowAndThen), 0.003, 0.0001);
}

TEST(Bounds, FourPlusTwoSurvivesAnyTwo) {
    EXPECT_EQ(log2_file_loss(4, 2, 0.0), kImpossible);
    EXPECT_NEAR(log2_file_loss(4, 2, 1.0), 0.0, 1e-12);
    // 20 p^3 for small p.
    EXPECT_NEAR(log2_file_loss(4, 2, 1e-6), std::log2(20.0) + 3 * std::log2(1e-6), 1e-5);
    EXPECT_NEAR(log2_file_loss(1, 0, 0.25), -2.0, 1e-12);
}

TEST(Bounds, SealProofsAndSpotChecks) {
    // Half of 32 windows unsealed throughout, two drawn: both must be among the good ones.
    EXPECT_NEAR(probability(log2_seal_undetected({32, 16, 524'288, 524'288}, 2, 64)),
                16.0 * 15.0 / (32.0 * 31.0), 1e-12);
    // One window with a tenth of its cells bad.
    EXPECT_NEAR(probability(log2_seal_undetected({1, 1, 1'000, 100}, 2, 64)),
                probability(log2_all_good(1'000, 100, 64)), 1e-15);
    EXPECT_EQ(log2_seal_undetected({4, 0, 100, 0}, 2, 64), 0.0);
    EXPECT_NEAR(probability(log2_spot_undetected(1'024, 31, 16)), 0.61, 0.005);
    EXPECT_EQ(log2_spot_undetected(1'024, 1'024, 1), kImpossible);
}

// --- Monte Carlo over the real selection ---------------------------------------------------------

TEST(Bounds, LinksMissAsOftenAsTheyShould) {
    constexpr int kRounds = 20'000;
    constexpr std::uint64_t kChunks = 100;
    constexpr std::uint64_t kBad = 10;
    int passed = 0;
    for (std::uint64_t i = 0; i < kRounds; ++i) {
        const Entropy e(tagged_hash("test/bounds", i));
        const OpenedCells cells = opened_cells(e, ChunkCount(kChunks));
        const bool hit = std::any_of(cells.begin(), cells.end(),
                                     [](const OpenedCell& c) { return c.chunk.value < kBad; });
        passed += hit ? 0 : 1;
    }
    const double expected = probability(log2_links_undetected(kChunks, kBad, 1));
    EXPECT_NEAR(static_cast<double>(passed) / kRounds, expected, three_sigma(expected, kRounds));
}

TEST(Bounds, SpotChecksMissAsOftenAsTheyShould) {
    constexpr int kRounds = 20'000;
    int passed = 0;
    for (std::uint64_t i = 0; i < kRounds; ++i) {
        const auto picked = pick_spot_segments(tagged_hash("test/spot", i), 64, 8);
        passed += picked.back() < 60 ? 1 : 0;  // segments 60 to 63 are false
    }
    const double expected = probability(log2_spot_undetected(64, 4, 8));
    EXPECT_NEAR(static_cast<double>(passed) / kRounds, expected, three_sigma(expected, kRounds));
}

TEST(Bounds, SealProofsMissAsOftenAsTheyShould) {
    constexpr int kRounds = 4'000;
    NetworkParams params;
    params.seal_presets = {{16, 512}};
    params.seal_windows = 2;
    params.seal_cells = 8;
    Registration registration;
    registration.header.chunks = ChunkCount(96);  // six windows of 256 cells
    registration.header.data_len = 96 * kChunkBytes;
    registration.header.seal = params.seal_presets.front();
    int passed = 0;
    for (std::uint64_t i = 0; i < kRounds; ++i) {
        const VdfOutput y(tagged_hash("test/seal", i));
        const SealChallenge challenge =
            draw_seal_challenge(params, NetworkId{}, registration, y, SealProofKind::kSeal);
        bool hit = false;  // windows 0 to 2: their first 26 cells are not sealed
        for (const auto& drawn : challenge.windows) {
            if (drawn.window.index >= 3) continue;
            hit |= std::any_of(drawn.drawn.begin(), drawn.drawn.end(),
                               [](std::uint64_t cell) { return cell < 26; });
        }
        passed += hit ? 0 : 1;
    }
    const double expected = probability(log2_seal_undetected({6, 3, 256, 26}, 2, 8));
    EXPECT_NEAR(static_cast<double>(passed) / kRounds, expected, three_sigma(expected, kRounds));
}

}  // namespace
}  // namespace holdfast
