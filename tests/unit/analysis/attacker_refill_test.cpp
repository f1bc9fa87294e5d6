// Refilling a window from what was kept of it gives the true window, on any number of threads; and
// what is computed about plans holds against the definition.
#include "analysis/attacker_refill.hpp"

#include <gtest/gtest.h>

#include "core/hash.hpp"
#include "core/keystream.hpp"
#include "support/refused.hpp"

namespace holdfast::test {
namespace {

constexpr SealParams kSmall{16, 512};  // 64 blocks, 8 passes

struct RefillWorld {
    Window window;
    ReplicaId replica{sha256(view("refill"))};
    FillMemory memory;
    FillMemory again;
    FillTrace trace;
    Bytes truth;

    explicit RefillWorld(const SealParams& params, std::uint64_t chunks)
        : window(WindowPlan(ChunkCount(chunks), params).window(0)),
          memory(*FillMemory::allocate(window.bytes())),
          again(*FillMemory::allocate(window.bytes())),
          trace(*trace_fill(replica, window, view_of(memory))),
          truth(memory.bytes().begin(), memory.bytes().end()) {
        EXPECT_TRUE(fill_keystream(replica, window, view_of(again)));
        EXPECT_TRUE(std::equal(truth.begin(), truth.end(), again.data()));
    }
    static MutByteView view_of(const FillMemory& m) { return {m.data(), m.bytes().size()}; }

    bool refills(const RefillPlan& plan, const RefillOptions& options, bool references = false) {
        const auto hints =
            keep_hints(replica, window, plan, view_of(memory), references ? &trace : nullptr);
        if (!hints) return false;
        std::fill_n(again.data(), again.size(), std::uint8_t{0xee});
        return refill(*hints, view_of(again), options) &&
               std::equal(truth.begin(), truth.end(), again.data());
    }
};

TEST(Refill, GivesTheTrueWindowWhateverIsKept) {
    RefillWorld world(kSmall, 16);
    const std::uint64_t steps = world.trace.steps();
    for (const std::uint64_t spacing : {1U, 2U, 3U, 7U, 16U, 63U, 64U, 1'000U}) {
        for (const unsigned threads : {1U, 2U, 4U}) {
            for (const unsigned chains : {1U, 3U}) {
                RefillOptions options;
                options.threads = threads;
                options.chains = chains;
                EXPECT_TRUE(world.refills(keep_evenly(steps, spacing), options, spacing % 2 == 1))
                    << spacing << " on " << threads;
            }
        }
    }
    for (const FillKernel& kernel : fill_kernels()) {
        if (find_fill_kernel(kernel.name) == nullptr) continue;
        RefillOptions options;
        options.kernel = &kernel;
        options.threads = 2;
        EXPECT_TRUE(world.refills(keep_shallow(world.trace, 200), options)) << kernel.name;
    }
}

TEST(Refill, LargerWindowOnManyThreads) {
    RefillWorld world(kSealDev, 256);
    RefillOptions options;
    options.threads = 4;
    options.chains = 2;
    EXPECT_TRUE(world.refills(keep_shallow(world.trace, 300), options, true));
    EXPECT_TRUE(world.refills(keep_evenly(world.trace.steps(), 40), options));
}

TEST(Refill, OneWrongHintSpoilsIt) {
    RefillWorld world(kSmall, 16);
    auto hints = keep_hints(world.replica, world.window, keep_evenly(world.trace.steps(), 16),
                            RefillWorld::view_of(world.memory));
    ASSERT_TRUE(hints);
    hints->blocks[5 * kBlockBytes] ^= 1;
    ASSERT_TRUE(refill(*hints, RefillWorld::view_of(world.again)));
    EXPECT_FALSE(std::equal(world.truth.begin(), world.truth.end(), world.again.data()));
}

TEST(Refill, ReferencesAreThoseOfTheDefinition) {
    RefillWorld world(kSmall, 16);
    const FillTrace& trace = world.trace;
    ASSERT_EQ(trace.steps(), 512U);
    for (std::uint64_t step = 2; step < trace.steps(); ++step) {
        const std::uint64_t at = step % 64;
        const std::uint64_t r = trace.reference[step];
        ASSERT_LT(r, 64U);
        EXPECT_NE(r, at);                      // never what it overwrites
        EXPECT_NE(r, (at + 63) % 64) << step;  // never its predecessor
        // In the first pass nothing else is there yet; later a quarter's older blocks are withheld.
        EXPECT_TRUE(step >= 64 || r < at) << step;
        EXPECT_TRUE(r < at || r / 16 != at / 16) << step;
    }
}

/// The longest chain by recursion over the definition, for a window small enough.
std::uint64_t chain_to(const FillTrace& t, const std::vector<bool>& kept, std::uint64_t step,
                       std::vector<std::uint64_t>& known) {
    if (step < 2 || kept[step]) return 0;
    if (known[step] != 0) return known[step];
    const std::uint64_t at = step % t.blocks;
    const std::uint64_t r = t.reference[step];
    const std::uint64_t reference_step = step - at + r - (r > at ? t.blocks : 0);
    std::uint64_t longest =
        std::max(chain_to(t, kept, step - 1, known), chain_to(t, kept, reference_step, known));
    if (step >= t.blocks) longest = std::max(longest, chain_to(t, kept, step - t.blocks, known));
    return known[step] = longest + 1;
}

TEST(Refill, ChainsAndConesAgreeWithTheDefinition) {
    RefillWorld world(kSmall, 16);
    const FillTrace& trace = world.trace;
    for (const std::uint64_t spacing : {5U, 11U, 40U, 600U}) {
        const RefillPlan plan = keep_evenly(trace.steps(), spacing);
        std::vector<bool> kept(trace.steps());
        for (const std::uint64_t step : plan.kept) kept[step] = true;
        std::vector<std::uint64_t> known(trace.steps());
        std::uint64_t longest = 0;
        for (std::uint64_t step = 0; step < trace.steps(); ++step) {
            longest = std::max(longest, chain_to(trace, kept, step, known));
        }
        EXPECT_EQ(longest_chain(trace, plan), longest);

        std::fill(known.begin(), known.end(), 0);
        const std::uint64_t last_pass = trace.steps() - trace.blocks;
        for (std::uint64_t i = 0; i < 4; ++i) chain_to(trace, kept, last_pass + 12 + i, known);
        const auto behind =
            std::count_if(known.begin(), known.end(), [](auto n) { return n != 0; });
        EXPECT_EQ(blocks_behind_chunk(trace, plan, 3), static_cast<std::uint64_t>(behind));
    }
}

TEST(Refill, MoreThreadsHelpUpToTheLongestChain) {
    RefillWorld world(kSealDev, 256);
    const FillTrace& trace = world.trace;
    const std::uint64_t all = trace.steps();
    const RefillPlan nothing = keep_evenly(all, all);
    EXPECT_EQ(nothing.kept.size(), 2U);
    EXPECT_EQ(longest_chain(trace, nothing), all - 2);
    EXPECT_EQ(makespan(trace, nothing, 16), all - 2);  // without kept blocks there is one chain

    const RefillPlan plan = keep_shallow(trace, 300);
    const std::uint64_t chain = longest_chain(trace, plan);
    EXPECT_LE(chain, all / 3 + all / 512 + 1);
    EXPECT_EQ(makespan(trace, plan, 1), all - plan.kept.size());
    std::uint64_t before = makespan(trace, plan, 1);
    for (const std::uint64_t threads : {2U, 4U, 16U, 64U}) {
        const std::uint64_t now = makespan(trace, plan, threads);
        EXPECT_LE(now, before);
        EXPECT_GE(now, chain);
        EXPECT_GE(now * threads, all - plan.kept.size());
        before = now;
    }
}

TEST(Refill, CountsEveryByteOfTheHints) {
    RefillWorld world(kSmall, 16);
    const RefillPlan plan = keep_evenly(512, 100);
    ASSERT_EQ(plan.kept, (std::vector<std::uint64_t>{0, 1, 100, 200, 300, 400, 500}));
    EXPECT_EQ(hint_bytes(world.window, plan, false), 7 * 1'024 + 64U);
    EXPECT_EQ(hint_bytes(world.window, plan, true), 7 * 1'024 + 64 * (1 + 6U));
}

TEST(Refill, RefusesWhatDoesNotFit) {
    RefillWorld world(kSmall, 16);
    const MutByteView memory = RefillWorld::view_of(world.memory);
    const auto keep = [&](std::vector<std::uint64_t> kept) {
        return keep_hints(world.replica, world.window, RefillPlan{std::move(kept)}, memory);
    };
    for (const auto& kept : std::vector<std::vector<std::uint64_t>>{
             {}, {0}, {1, 2}, {0, 1, 512}, {0, 1, 9, 9}, {0, 1, 9, 8}}) {
        const auto hints = keep(kept);
        ASSERT_FALSE(hints);
        EXPECT_EQ(hints.error().code, ErrorCode::kInvalidArgument);
    }
    auto hints = *keep({0, 1, 9});
    const auto refused = [&](const RefillHints& h, MutByteView m) {
        const Status done = refill(h, m);
        return !done && done.error().code == ErrorCode::kInvalidArgument;
    };
    EXPECT_TRUE(refused(hints, memory.first(memory.size() - kBlockBytes)));
    RefillHints shorter = hints;
    shorter.blocks.pop_back();
    EXPECT_TRUE(refused(shorter, memory));
    RefillHints indexed = hints;
    indexed.reference.resize(3);
    EXPECT_TRUE(refused(indexed, memory));
    RefillOptions options;
    options.stop = [] { return true; };
    const Status stopped = refill(hints, memory, options);
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace holdfast::test
