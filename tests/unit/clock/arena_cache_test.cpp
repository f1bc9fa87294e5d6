// The arena cache: one fill for all who ask, a ceiling that holds, eviction of what nobody uses.
#include "clock/arena_cache.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <set>
#include <thread>

#include "support/vdf_world.hpp"

namespace holdfast::test {
namespace {

constexpr VdfParams kSmall{64, 1, 4, 16, 5};
constexpr std::uint64_t kArenaBytes = 64 * 1024;

EpochSeed seed_of(std::uint64_t epoch) {
    return EpochSeed{digest_of("epoch " + std::to_string(epoch))};
}

TEST(ArenaCache, FillsOnceAndSharesByEpochAndArenaParameters) {
    ArenaCache cache(8 * kArenaBytes);
    const auto first = cache.get(kSmall, 1, seed_of(1));
    ASSERT_TRUE(first.has_value());
    VdfParams longer = kSmall;
    longer.steps_per_checkpoint = 1'000;
    longer.checkpoints = 77;
    EXPECT_EQ(cache.get(longer, 1, seed_of(1)).value(), *first);
    EXPECT_EQ(cache.fills(), 1U);
    std::set<const VdfArena*> others{first->get()};
    VdfParams passes = kSmall;
    passes.passes = 2;
    VdfParams lanes = kSmall;
    lanes.lanes = 2;
    const auto a = cache.get(passes, 1, seed_of(1));
    const auto b = cache.get(lanes, 1, seed_of(1));
    const auto c = cache.get(kSmall, 2, seed_of(1));
    const auto d = cache.get(kSmall, 1, seed_of(2));
    for (const auto* arena : {&a, &b, &c, &d}) {
        ASSERT_TRUE(arena->has_value());
        EXPECT_TRUE(others.insert((*arena)->get()).second);
    }
    EXPECT_EQ(cache.fills(), 5U);
    EXPECT_EQ(cache.used_bytes(), 5 * kArenaBytes);
}

TEST(ArenaCache, DropsTheLeastRecentlyUsedThatNobodyHolds) {
    ArenaCache cache(2 * kArenaBytes);
    ASSERT_TRUE(cache.get(kSmall, 1, seed_of(1)).has_value());
    ASSERT_TRUE(cache.get(kSmall, 2, seed_of(2)).has_value());
    ASSERT_TRUE(cache.get(kSmall, 1, seed_of(1)).has_value());
    ASSERT_TRUE(cache.get(kSmall, 3, seed_of(3)).has_value());  // 2 goes
    EXPECT_EQ(cache.used_bytes(), 2 * kArenaBytes);
    EXPECT_EQ(cache.fills(), 3U);
    ASSERT_TRUE(cache.get(kSmall, 1, seed_of(1)).has_value());
    EXPECT_EQ(cache.fills(), 3U);
    ASSERT_TRUE(cache.get(kSmall, 2, seed_of(2)).has_value());
    EXPECT_EQ(cache.fills(), 4U);
}

TEST(ArenaCache, NeverExceedsItsCeilingForArenasInUse) {
    ArenaCache cache(2 * kArenaBytes);
    auto one = cache.get(kSmall, 1, seed_of(1));
    auto two = cache.get(kSmall, 2, seed_of(2));
    ASSERT_TRUE(one.has_value() && two.has_value());
    const Digest bytes = sha256((*one)->bytes());
    auto three = cache.get(kSmall, 3, seed_of(3));
    ASSERT_FALSE(three.has_value());
    EXPECT_EQ(three.error().code, ErrorCode::kBusy);
    EXPECT_EQ(sha256((*one)->bytes()), bytes);
    one->reset();
    EXPECT_TRUE(cache.get(kSmall, 3, seed_of(3)).has_value());
    EXPECT_EQ(cache.used_bytes(), 2 * kArenaBytes);

    VdfParams large = kSmall;
    large.arena_kib = 256;
    EXPECT_EQ(cache.get(large, 1, seed_of(1)).error().code, ErrorCode::kBusy);
    large.arena_kib = 3;
    EXPECT_EQ(cache.get(large, 1, seed_of(1)).error().verdict.reason, Reason::kVdfPolicy);
}

TEST(ArenaCache, ManyThreadsShareOneFill) {
    ArenaCache cache(3 * kArenaBytes);
    std::vector<std::shared_ptr<const VdfArena>> got(8);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < got.size(); ++t) {
        threads.emplace_back([&, t] {
            auto arena = cache.get(kSmall, 1, seed_of(1));
            if (arena) got[t] = *arena;
        });
    }
    for (std::thread& t : threads) t.join();
    for (const auto& arena : got) EXPECT_EQ(arena, got[0]);
    ASSERT_NE(got[0], nullptr);
    EXPECT_EQ(cache.fills(), 1U);
}

TEST(ArenaCache, AStoppedFillLeavesNothingAndTheNextOneFills) {
    ArenaCache cache(kArenaBytes);
    FillOptions stopped;
    stopped.stop = [] { return true; };
    EXPECT_EQ(cache.get(kSmall, 1, seed_of(1), stopped).error().code, ErrorCode::kInterrupted);
    EXPECT_EQ(cache.used_bytes(), 0U);
    EXPECT_TRUE(cache.get(kSmall, 1, seed_of(1)).has_value());
}

TEST(ArenaCache, WhoWaitsForAFillThatIsStoppedFillsItself) {
    ArenaCache cache(2 * kArenaBytes);
    std::atomic<bool> filling{false};
    std::atomic<bool> give_up{false};
    FillOptions slow;
    slow.stop = [&] {
        filling = true;
        while (!give_up) std::this_thread::yield();
        return true;
    };
    std::thread first([&] {
        EXPECT_EQ(cache.get(kSmall, 1, seed_of(1), slow).error().code, ErrorCode::kInterrupted);
    });
    while (!filling) std::this_thread::yield();
    // A waiting call can be stopped too.
    FillOptions stopped;
    stopped.stop = [] { return true; };
    EXPECT_EQ(cache.get(kSmall, 1, seed_of(1), stopped).error().code, ErrorCode::kInterrupted);
    std::thread second([&] { EXPECT_TRUE(cache.get(kSmall, 1, seed_of(1)).has_value()); });
    give_up = true;
    first.join();
    second.join();
    EXPECT_EQ(cache.fills(), 1U);
    EXPECT_EQ(cache.used_bytes(), kArenaBytes);
}

TEST(ArenaCache, FillsTheNextEpochAhead) {
    ArenaCache cache(2 * kArenaBytes);
    const auto now = cache.get(kSmall, 1, seed_of(1));
    ASSERT_TRUE(now.has_value());
    cache.fill_ahead(kSmall, 2, seed_of(2));
    cache.fill_ahead(kSmall, 2, seed_of(2));
    while (cache.fills() < 2) std::this_thread::yield();
    const auto next = cache.get(kSmall, 2, seed_of(2));
    ASSERT_TRUE(next.has_value());
    EXPECT_EQ(cache.fills(), 2U);
    EXPECT_EQ(sha256((*next)->bytes()),
              sha256(VdfArena::fill(kSmall, 2, seed_of(2)).value()->bytes()));
}

TEST(ArenaCache, AFillAheadIsGivenUpForAnotherAndAtTheEnd) {
    ArenaCache cache(3 * kArenaBytes);
    VdfParams endless = kSmall;
    endless.passes = 64;
    std::atomic<int> asked{0};
    FillOptions slow;
    slow.stop = [&] {
        ++asked;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return false;
    };
    cache.fill_ahead(endless, 1, seed_of(1), slow);
    while (asked == 0) std::this_thread::yield();
    cache.fill_ahead(kSmall, 2, seed_of(2));
    while (cache.fills() < 1) std::this_thread::yield();
    EXPECT_EQ(cache.used_bytes(), kArenaBytes);
    cache.fill_ahead(endless, 3, seed_of(3), slow);
}

}  // namespace
}  // namespace holdfast::test
