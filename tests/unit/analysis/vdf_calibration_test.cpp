// What follows from measured figures, and which figures nothing may follow from.
#include "analysis/vdf_calibration.hpp"

#include <gtest/gtest.h>

namespace holdfast::test {
namespace {

/// An idle machine.
VdfSpeed figures() {
    VdfSpeed speed;
    speed.read_ns = 100;
    speed.f_ns = 50;
    speed.median_ns = 160;
    speed.kernels = {{"portable", 200, 60}, {"fast", 150, 15}};
    speed.threads = {{1, 15, 150}, {2, 8, 155}, {4, 5, 170}};
    return speed;
}

TEST(Calibrate, FiguresOfAMachineAtRestFitTogether) {
    EXPECT_TRUE(vdf_contradictions(figures()).empty());
    // Two threads of one core gain nothing, and a sample is not exact.
    VdfSpeed shared = figures();
    shared.threads = {{1, 15, 150}, {2, 15.5, 145}};
    EXPECT_TRUE(vdf_contradictions(shared).empty());
}

TEST(Calibrate, EveryContradictionIsNamed) {
    const auto only = [](void (*spoil)(VdfSpeed&), const std::string& words) {
        VdfSpeed speed = figures();
        spoil(speed);
        const std::vector<std::string> found = vdf_contradictions(speed);
        ASSERT_EQ(found.size(), 1U) << words;
        EXPECT_NE(found[0].find(words), std::string::npos) << found[0];
    };
    only([](VdfSpeed& s) { s.read_ns = 151; }, "read takes longer than a whole step: 151.0 ns");
    only([](VdfSpeed& s) { s.f_ns = 151; }, "F takes longer than a whole step");
    only([](VdfSpeed& s) { s.kernels.back().verify_ns = 151; }, "side by side");
    only([](VdfSpeed& s) { s.threads[1].verify_ns = 17; }, "2 cores verify slower than 1");
    only([](VdfSpeed& s) { s.threads[2].verify_ns = 9; }, "4 cores verify slower than 2");
    only([](VdfSpeed& s) { s.threads[1].evaluate_ns = 130; }, "each of several on 2 cores");
}

TEST(Calibrate, AdviceIsForTheSecondsAskedFor) {
    VdfSpeed speed = figures();
    speed.arena = VdfParams{};
    const auto advice = advise_vdf(speed, 40, 52, {5, 8});
    ASSERT_TRUE(advice.has_value()) << advice.error().message;
    EXPECT_NEAR(advice->evaluate_seconds, 40, 0.05);
    EXPECT_LE(advice->evaluate_seconds, 40);
    EXPECT_EQ(advice->heights_at_once, 1U);
    EXPECT_DOUBLE_EQ(advice->heights_seconds, advice->evaluate_seconds);
    ASSERT_EQ(advice->verify_seconds.size(), 3U);
    EXPECT_NEAR(advice->verify_seconds[0], 4, 0.01);
    EXPECT_NEAR(advice->attacker_times_faster, 150.0 / 13, 1e-9);
    // Blocks that come faster than an evaluation ends: several at once.
    EXPECT_EQ(advise_vdf(speed, 40, 6, {5, 8})->heights_at_once, 7U);
    for (const auto& [seconds, block, attacker] :
         std::vector<std::tuple<double, double, VdfAttacker>>{
             {0, 52, {}}, {40, 0, {}}, {40, 52, {0, 0}}, {40, 52, {-1, 8}}, {1e12, 52, {}}}) {
        const auto none = advise_vdf(speed, seconds, block, attacker);
        ASSERT_FALSE(none.has_value());
        EXPECT_EQ(none.error().code, ErrorCode::kInvalidArgument);
    }
}

TEST(Calibrate, MeasuresASmallArena) {
    VdfMeasureOptions options;
    options.rounds = 1;
    options.threads = 2;
    std::uint64_t last = 0;
    options.progress = [&](std::uint64_t done, std::uint64_t total) {
        EXPECT_EQ(done, ++last);
        EXPECT_EQ(total, 2U);
    };
    const VdfParams arena{64, 1, 4, 1, 1};
    const auto speed = measure_vdf(arena, options);
    ASSERT_TRUE(speed.has_value()) << speed.error().message;
    EXPECT_EQ(last, 2U);
    EXPECT_EQ(speed->arena, arena);
    EXPECT_GT(speed->read_ns, 0);
    EXPECT_GE(speed->median_ns, speed->best().evaluate_ns);
    EXPECT_EQ(speed->best().kernel, speed->walk_kernel);
    // The figures of one core stand in one place.
    ASSERT_FALSE(speed->threads.empty());
    EXPECT_EQ(speed->threads[0].threads, 1U);
    EXPECT_EQ(speed->threads[0].verify_ns, speed->best().verify_ns);

    options.progress = nullptr;
    options.stop = [] { return true; };
    EXPECT_EQ(measure_vdf(arena, options).error().code, ErrorCode::kInterrupted);
    options.stop = nullptr;
    options.rounds = 0;
    EXPECT_EQ(measure_vdf(arena, options).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(measure_vdf({3, 1, 4, 1, 1}, {}).error().code, ErrorCode::kRefused);
}

}  // namespace
}  // namespace holdfast::test
