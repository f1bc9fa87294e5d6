// Attack 15: evaluation with a part of the arena only, the rest computed when a step asks for it.
//
// With one pass a missing block follows from the block before it and the block that it refers to:
// where most blocks are kept that is an application or two of G, and the cheater is hardly slower
// (the naive scheme). From the second pass on a block also needs what stood in its place before,
// which nobody has any more: the known way is to fill again, which costs a whole arena for one
// line.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <optional>

#include "core/codec.hpp"
#include "core/fill_kernel.hpp"
#include "support/vdf_world.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint32_t kArenaKib = 256;
constexpr std::uint64_t kSteps = 1'500;

/// Which blocks a cheater keeps: about `percent` of them, by lot. What it restores for one step it
/// forgets after it.
std::vector<bool> kept_blocks(std::uint32_t percent) {
    std::vector<bool> kept(kArenaKib);
    for (std::uint64_t b = 0; b < kArenaKib; ++b) {
        kept[b] = tagged_hash("test/kept", b)[0] % 100 < percent;
    }
    return kept;
}

/// An evaluator that holds only some blocks and gets the others from `restore`.
class PartialArena {
  public:
    PartialArena(const VdfArena& whole, std::uint32_t percent)
        : whole_(whole), kept_(kept_blocks(percent)) {
        auto memory = FillMemory::allocate(whole.bytes().size());
        EXPECT_TRUE(memory.has_value());
        memory_.emplace(std::move(*memory));
        for (std::uint64_t b = 0; b < kArenaKib; ++b) {
            if (kept_[b])
                std::memcpy(block(b), whole.bytes().data() + b * kBlockBytes, kBlockBytes);
        }
    }

    [[nodiscard]] double kept_part() const {
        return static_cast<double>(std::count(kept_.begin(), kept_.end(), true)) / kArenaKib;
    }
    /// Blocks computed in all: the extra work.
    [[nodiscard]] std::uint64_t work() const { return work_; }

    void walk(WalkState& x, std::uint64_t steps) {
        for (std::uint64_t step = 0; step < steps; ++step) {
            const std::uint64_t line = x.words[0] & (whole_.params().lines() - 1);
            const std::uint64_t b = line / kVdfLinesPerKib;
            if (!kept_[b]) restore(b);
            const std::uint8_t* at = block(b) + line % kVdfLinesPerKib * kVdfLineBytes;
            for (std::size_t i = 0; i < 16; ++i) x.words[i] ^= load_le32(at + 4 * i);
            x = vdf_f(x);
        }
    }

  private:
    [[nodiscard]] std::uint8_t* block(std::uint64_t b) { return memory_->data() + b * kBlockBytes; }

    void restore(std::uint64_t b) {
        if (whole_.params().passes == 1) {
            recompute(b);
        } else {
            refill();
        }
    }

    /// One pass, one lane: block b = G(block b-1, the block that the first word of b-1 names).
    void recompute(std::uint64_t b) {
        if (b < 2) {
            // The first two come from hashing the seed; a cheater keeps them.
            std::memcpy(block(b), whole_.bytes().data() + b * kBlockBytes, kBlockBytes);
            return;
        }
        const std::uint64_t quarter = kArenaKib / kFillSlices;
        FillRun run{};
        run.memory = memory_->data();
        run.lanes = 1;
        run.segment_blocks = quarter;
        run.slice = static_cast<std::uint32_t>(b / quarter);
        run.first_pass = true;
        run.first = b % quarter;
        run.end = run.first + 1;
        if (!kept_[b - 1]) recompute(b - 1);
        const FillPlace place = fill_place(run);
        const std::uint8_t* reference =
            fill_reference(run, place, run.first, load_le64(block(b - 1)));
        const auto r = static_cast<std::uint64_t>(reference - memory_->data()) / kBlockBytes;
        if (!kept_[r]) recompute(r);
        fill_run_portable(run);
        ++work_;
    }

    void refill() {
        const auto again = VdfArena::fill(whole_.params(), whole_.epoch(), whole_.epoch_seed(), {});
        ASSERT_TRUE(again.has_value());
        work_ += std::uint64_t{whole_.params().passes} * kArenaKib;
        std::memcpy(memory_->data(), (*again)->bytes().data(), whole_.bytes().size());
    }

    const VdfArena& whole_;
    std::vector<bool> kept_;
    std::optional<FillMemory> memory_;
    std::uint64_t work_ = 0;
};

struct Measured {
    double kept;
    double work_per_step;  // blocks computed
    double slowdown;       // of the whole evaluation
};

Measured measure(std::uint32_t passes, std::uint32_t percent) {
    using Clock = std::chrono::steady_clock;
    const VdfWorld world({kArenaKib, passes, 1, kSteps, 1});
    const WalkState begin = vdf_expand(digest_of("partial"));
    WalkState honest = begin;
    double honest_s = 1e9;
    for (int repeat = 0; repeat < 5; ++repeat) {
        honest = begin;
        const auto t = Clock::now();
        vdf_walk(honest, world.arena->view(), kSteps);
        honest_s = std::min(honest_s, std::chrono::duration<double>(Clock::now() - t).count());
    }
    PartialArena cheater(*world.arena, percent);
    WalkState x = begin;
    const auto t = Clock::now();
    cheater.walk(x, kSteps);
    const double cheater_s = std::chrono::duration<double>(Clock::now() - t).count();
    EXPECT_EQ(x, honest);  // it does get there
    const Measured m{cheater.kept_part(), static_cast<double>(cheater.work()) / kSteps,
                     cheater_s / honest_s};
    std::printf(
        "%u pass(es), %5.1f%% kept: %8.2f blocks a step beside the step, %7.1f times slower\n",
        passes, m.kept * 100, m.work_per_step, m.slowdown);
    return m;
}

TEST(AttackVdfPartialArena, ManyPasses) {
    for (const std::uint32_t percent : {99U, 95U, 90U, 50U}) {
        const Measured m = measure(3, percent);
        // Each step misses with the chance of its line being gone, and a miss costs three passes.
        const double misses = m.work_per_step * kSteps / (3 * kArenaKib);
        const double expected = (1 - m.kept) * kSteps;
        EXPECT_NEAR(misses, expected, 3 * std::sqrt(expected * m.kept));
        EXPECT_GT(m.slowdown, 10) << percent;
    }
}

TEST(AttackVdfPartialArena, OnePassIsTheNaiveScheme) {
    const Measured m = measure(1, 90);
    // A tenth of the memory saved for a fraction of a block a step.
    EXPECT_LT(m.work_per_step, 0.5);
    EXPECT_GT(m.work_per_step, 0);
}

}  // namespace
}  // namespace holdfast::test
