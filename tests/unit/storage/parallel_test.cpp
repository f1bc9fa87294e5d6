// Numbered work over threads: everything once, the first error, a stop, an exception.
#include "storage/parallel.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <stdexcept>
#include <vector>

namespace holdfast {
namespace {

constexpr std::array<unsigned, 4> kThreads{0, 1, 2, 16};

TEST(Parallel, WorkerCountStaysBetweenOneAndTheItems) {
    EXPECT_EQ(worker_count(16, 3), 3U);
    EXPECT_EQ(worker_count(2, 3), 2U);
    EXPECT_EQ(worker_count(1, 0), 1U);
    EXPECT_GE(worker_count(0, 1'000'000), 1U);
    EXPECT_EQ(worker_count(0, 1), 1U);
}

TEST(Parallel, EveryItemIsDoneOnceInEachForm) {
    constexpr std::size_t kItems = 1'000;
    for (const unsigned threads : kThreads) {
        std::vector<std::atomic<int>> done(kItems);
        const unsigned workers = worker_count(threads, kItems);
        ASSERT_TRUE(run_workers(workers, kItems, {}, [&](unsigned worker, std::uint64_t i) {
            EXPECT_LT(worker, workers);
            ++done[i];
            return Status{};
        }));
        pool_parallel(threads)(kItems, [&](std::size_t i) { ++done[i]; });
        for_each_parallel(kItems, threads, [&](std::size_t i) { ++done[i]; });
        for (const auto& times : done) ASSERT_EQ(times, 3);
        for_each_parallel(0, threads, [](std::size_t) { FAIL(); });
        ASSERT_TRUE(run_workers(workers, 0, {}, [](unsigned, std::uint64_t) {
            return Status(fail(ErrorCode::kIo, "nothing to do"));
        }));
    }
}

TEST(Parallel, NoTwoItemsShareAWorkerAtATime) {
    std::array<std::atomic<bool>, 4> busy{};
    ASSERT_TRUE(run_workers(4, 200, {}, [&](unsigned worker, std::uint64_t) {
        EXPECT_FALSE(busy[worker].exchange(true));
        busy[worker] = false;
        return Status{};
    }));
}

TEST(Parallel, TheFirstErrorEndsTheWork) {
    std::atomic<int> started = 0;
    const Status one = run_workers(1, 100, {}, [&](unsigned, std::uint64_t i) -> Status {
        ++started;
        if (i == 7) return fail(ErrorCode::kOutOfSpace, "item 7");
        return {};
    });
    ASSERT_FALSE(one);
    EXPECT_EQ(one.error().code, ErrorCode::kOutOfSpace);
    EXPECT_EQ(started, 8);
    const Status many = run_workers(4, 100, {}, [&](unsigned, std::uint64_t) -> Status {
        throw std::runtime_error("thrown by an item");
    });
    ASSERT_FALSE(many);
    EXPECT_EQ(many.error().message, "thrown by an item");
}

TEST(Parallel, AStopComesBeforeTheNextItem) {
    std::atomic<int> done = 0;
    const Status stopped = run_workers(
        2, 1'000, [&] { return done >= 10; },
        [&](unsigned, std::uint64_t) {
            ++done;
            return Status{};
        });
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
    EXPECT_LE(done, 12);
}

}  // namespace
}  // namespace holdfast
