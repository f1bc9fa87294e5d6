// Attack 2: register the smallest replica, keep nothing sealed, and fill its one small window anew
// for every challenge.
//
// Passes grow as the window shrinks, so that the work stays what the preset says at every size that
// is allowed; a small window only makes each block cheaper, since it fits a cache. The naive scheme
// is the same number of passes at every size: 64 KiB are then filled within a millisecond or two.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>

#include "core/hash.hpp"
#include "core/keystream.hpp"

namespace holdfast::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kDeadlineSeconds = 0.5;

/// One fill of a window that may have fewer passes than the preset gives it.
double seconds_to_fill(Window window) {
    auto memory = FillMemory::allocate(window.bytes());
    EXPECT_TRUE(memory);
    const ReplicaId replica{sha256(view("small"))};
    const auto start = Clock::now();
    EXPECT_TRUE(fill_keystream(replica, window, {memory->data(), window.bytes()}));
    return std::chrono::duration<double>(Clock::now() - start).count();
}

TEST(AttackSmallWindowRefill, TheWorkIsTheSameAtEveryAllowedSize) {
    for (const SealParams& preset : {kSealStandard, kSealHardened, kSealEconomy}) {
        std::uint64_t least = ~std::uint64_t{0};
        std::uint64_t most = 0;
        for (std::uint64_t chunks = kMinChunks; chunks <= kMaxChunks;
             chunks += chunks < preset.window_chunks + 2 ? 1 : 4'099) {
            const WindowPlan plan(ChunkCount(chunks), preset);
            // Of a plan's windows only the first and the last can differ.
            for (const std::uint64_t w : {std::uint64_t{0}, plan.count() - 1}) {
                const Window window = plan.window(w);
                const std::uint64_t work = window.blocks() * window.passes;
                least = std::min(least, work);
                most = std::max(most, work - window.blocks());
            }
        }
        EXPECT_GE(least, preset.work_blocks);
        EXPECT_LT(most, preset.work_blocks);  // and never a whole pass more than it takes
    }
}

TEST(AttackSmallWindowRefill, TheSmallestReplicaIsPastTheDeadline) {
    const Window window = WindowPlan(ChunkCount(kMinChunks), kSealStandard).window(0);
    ASSERT_EQ(window.bytes(), 65'536U);
    ASSERT_EQ(window.passes, 163'840U);
    const double seconds = seconds_to_fill(window);
    std::printf("64 KiB, %u passes: %.2f s, %.0f ns a block\n", window.passes, seconds,
                1e9 * seconds / static_cast<double>(window.blocks() * window.passes));
    EXPECT_GT(seconds, kDeadlineSeconds);  // would take less than 48 ns a block

    Window naive = window;
    naive.passes = 80;  // as at 128 MiB
    const double naive_seconds = seconds_to_fill(naive);
    std::printf("the same with 80 passes: %.4f s\n", naive_seconds);
    EXPECT_LT(naive_seconds, kDeadlineSeconds);
}

TEST(AttackSmallWindowRefill, LargerWindowsCostNoLess) {
    // A sixteenth of the passes tells what a block costs at each size; printed, not judged.
    for (const std::uint64_t chunks : {16U, 128U, 1'024U, 8'192U, 32'768U}) {
        Window window = WindowPlan(ChunkCount(chunks), kSealStandard).window(0);
        const double blocks = static_cast<double>(window.blocks() * window.passes);
        window.passes /= 16;
        const double seconds = seconds_to_fill(window);
        const double each = seconds / static_cast<double>(window.blocks() * window.passes);
        std::printf("%6llu KiB: %5.0f ns a block, so %.2f s for the whole fill\n",
                    static_cast<unsigned long long>(window.blocks()), 1e9 * each, each * blocks);
        EXPECT_GT(each, 0);
    }
}

}  // namespace
}  // namespace holdfast::test
