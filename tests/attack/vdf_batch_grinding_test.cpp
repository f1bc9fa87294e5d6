// Attack 16: a block producer evaluates the outputs of 64 candidate blocks side by side in one
// arena and publishes the one that suits it.
//
// The arena is shared, so that many candidates cost little more time than one: the VDF delays
// grinding and does not price it. Within T a producer gets its candidates' outputs or none; what it
// gains from n of them is 1 - (1 - p)^n for an outcome of chance p. The naive scheme, y = seed,
// gives outputs at the speed of a hash.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "support/vdf_world.hpp"

namespace holdfast::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kCandidates = 64;

Seed candidate(std::uint64_t trial, std::uint64_t i) {
    return Seed{tagged_hash("test/candidate", trial, i)};
}

std::vector<VdfJob> candidates(const VdfWorld& world, std::uint64_t trial, std::size_t count) {
    std::vector<VdfJob> jobs;
    for (std::size_t i = 0; i < count; ++i) jobs.push_back({world.height, candidate(trial, i), {}});
    return jobs;
}

/// What the producer is after, of chance 1/16.
bool suits(const Digest& y) { return (y[0] & 15) == 0; }

std::vector<VdfOutput> outputs(const VdfWorld& world, const std::vector<VdfJob>& jobs) {
    const auto d = evaluate_many(world.arena->view(), world.params.vdf, world.network_id, jobs);
    EXPECT_TRUE(d.has_value());
    std::vector<VdfOutput> out;
    for (const auto& checkpoints : *d) {
        out.push_back(vdf_output(checkpoints.back(), world.params.vdf));
    }
    return out;
}

double seconds_of(const VdfWorld& world, std::size_t count) {
    double best = 1e9;
    for (std::uint64_t repeat = 0; repeat < 7; ++repeat) {
        const auto jobs = candidates(world, 1'000 + repeat, count);
        const auto t = Clock::now();
        outputs(world, jobs);
        best = std::min(best, std::chrono::duration<double>(Clock::now() - t).count());
    }
    return best;
}

TEST(AttackVdfBatchGrinding, CandidatesPerEvaluationTime) {
    // An arena beyond the nearer caches, so that side by side means waiting side by side.
    const VdfWorld world({32'768, 1, 1, 10'000, 1});
    const double one = seconds_of(world, 1);
    const double all = seconds_of(world, kCandidates);
    const double per_t = kCandidates * one / all;
    std::printf("64 candidates take %.1f times as long as one: %.1f candidates per T and core\n",
                all / one, per_t);
    // More than one (it does not price grinding), never more than the candidates that were walked.
    EXPECT_GT(per_t, 1.5);
    EXPECT_LT(per_t, kCandidates);

    // Naive: y is the seed itself. As many candidates as hashes fit into the same time.
    const auto t = Clock::now();
    std::uint64_t hashed = 0;
    while (std::chrono::duration<double>(Clock::now() - t).count() < one) {
        static_cast<void>(candidate(0, hashed++));
    }
    std::printf("without a VDF: %llu candidates in the same time\n",
                static_cast<unsigned long long>(hashed));
    EXPECT_GT(static_cast<double>(hashed), 10 * per_t);
}

TEST(AttackVdfBatchGrinding, BiasIsThatOfTheFormula) {
    const VdfWorld world({64, 1, 1, 16, 2});
    constexpr std::uint64_t kTrials = 1'200;
    for (const std::size_t n : {std::size_t{1}, std::size_t{8}, kCandidates}) {
        std::uint64_t suited = 0;
        for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
            const auto ys = outputs(world, candidates(world, trial, n));
            suited += std::any_of(ys.begin(), ys.end(), suits) ? 1 : 0;
        }
        const double p = 1 - std::pow(15.0 / 16.0, static_cast<double>(n));
        const double sigma = std::sqrt(kTrials * p * (1 - p));
        std::printf("%2zu candidates: suited %llu of %llu, formula %.1f +- %.1f\n", n,
                    static_cast<unsigned long long>(suited),
                    static_cast<unsigned long long>(kTrials), kTrials * p, sigma);
        EXPECT_NEAR(static_cast<double>(suited), kTrials * p, 3 * sigma) << n;
    }
}

TEST(AttackVdfBatchGrinding, BeforeTheLastStepThereIsNothingToChooseFrom) {
    const VdfWorld world({64, 1, 1, 70'000, 2});
    const std::vector<VdfJob> jobs = candidates(world, 0, kCandidates);
    // A producer that may not withhold its block for T: it stops at the last slice of the last
    // segment.
    std::vector<std::vector<Digest>> known(kCandidates);
    std::uint64_t progress = 0;
    VdfEvaluateOptions options;
    options.on_checkpoint = [&](std::size_t job, std::uint32_t, const Digest& d) -> Status {
        known[job].push_back(d);
        return {};
    };
    options.progress = [&](std::uint64_t done, std::uint64_t) { progress = done; };
    options.stop = [&] { return progress >= kCandidates * 135'000; };
    const auto stopped =
        evaluate_many(world.arena->view(), world.params.vdf, world.network_id, jobs, options);
    ASSERT_FALSE(stopped.has_value());
    EXPECT_GE(progress, kCandidates * 135'000);
    // What is known by then says nothing about y: it leads to the outputs of no candidate.
    const std::vector<VdfOutput> ys = outputs(world, jobs);
    std::size_t agree = 0;
    for (std::size_t j = 0; j < kCandidates; ++j) {
        ASSERT_EQ(known[j].size(), 2U);
        const VdfOutput guess = vdf_output(known[j].back(), world.params.vdf);
        EXPECT_NE(guess, ys[j]);
        agree += suits(guess) == suits(ys[j]) && suits(guess) ? 1 : 0;
    }
    EXPECT_LE(agree, 4U);
}

}  // namespace
}  // namespace holdfast::test
