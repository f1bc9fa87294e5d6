// Attack 1: whoever has sealed a window keeps some of its blocks on the way, drops the window, and
// fills it again from there on many threads when it is challenged.
//
// A window that was kept costs its size; the attack is worth something when what is kept in its
// place is smaller and the answer still comes within the availability deadline. Two things can be
// kept. References let one thread ask memory for a block long before it is needed: a fill of a
// window that no cache holds spends most of its time waiting. Blocks cut the one long chain of
// computations into pieces for many threads; what is left of it follows from the window's own
// references and is counted here, so that this bound depends on no machine. The refill itself is
// carried out too, and gives the true window.
//
// The naive scheme beside it is few passes over a large window: the same blocks kept are then a
// larger part of all that are computed, and a fifteenth of the window buys three times the speed.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>

#include "analysis/attacker_refill.hpp"
#include "core/hash.hpp"
#include "core/keystream.hpp"
#include "core/params.hpp"

namespace holdfast::test {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// A window of a preset (or of a smaller one with the same number of passes), and its references.
struct Target {
    Window window;
    ReplicaId replica{sha256(view("hints"))};
    FillMemory memory;
    FillTrace trace;
    Digest keystream;

    explicit Target(const SealParams& params)
        : window(WindowPlan(ChunkCount(params.window_chunks), params).window(0)),
          memory(*FillMemory::allocate(window.bytes())),
          trace(*trace_fill(replica, window, bytes())),
          keystream(sha256(bytes())) {}
    [[nodiscard]] MutByteView bytes() const {
        return {memory.data(), static_cast<std::size_t>(memory.size())};
    }
    [[nodiscard]] double part(std::uint64_t stored) const {
        return static_cast<double>(stored) / static_cast<double>(window.bytes());
    }
};

struct Row {
    double kept = 0;   // of the window's size
    double chain = 0;  // of all steps: the least time on any number of threads
};

Row print_row(const Target& target, const char* what, const RefillPlan& plan) {
    const auto steps = static_cast<double>(target.trace.steps());
    const Row row{target.part(hint_bytes(target.window, plan, false)),
                  static_cast<double>(longest_chain(target.trace, plan)) / steps};
    std::printf("  %-22s %5.3f kept; times faster on", what, row.kept);
    for (const std::uint64_t threads : {1U, 2U, 4U, 8U, 16U}) {
        std::printf("  %2llu: %5.2f", static_cast<unsigned long long>(threads),
                    steps / static_cast<double>(makespan(target.trace, plan, threads)));
    }
    std::printf("  any: %5.2f\n", 1 / row.chain);
    return row;
}

std::vector<Row> print_table(const Target& target, const char* name) {
    std::printf("%s: %llu blocks, %u passes; references alone, packed: %.3f of the window\n", name,
                static_cast<unsigned long long>(target.trace.blocks), target.trace.passes,
                target.part(hint_bytes(target.window, {}, true)));
    std::vector<Row> rows;
    for (const std::uint64_t percent : {120U, 150U, 200U, 300U, 500U, 930U}) {
        char what[64];
        std::snprintf(what, sizeof what, "shallow, %.1f times", static_cast<double>(percent) / 100);
        rows.push_back(print_row(target, what, keep_shallow(target.trace, percent)));
    }
    for (const std::uint64_t quarters : {1U, 2U, 3U, 4U}) {
        const std::uint64_t spacing = std::uint64_t{target.trace.passes} * 4 / quarters;
        char what[64];
        std::snprintf(what, sizeof what, "every %llu-th block",
                      static_cast<unsigned long long>(spacing));
        rows.push_back(print_row(target, what, keep_evenly(target.trace.steps(), spacing)));
    }
    return rows;
}

/// The refill itself: seconds, and whether the window is the true one.
double carry_out(const Target& target, const RefillPlan& plan, const RefillOptions& options,
                 bool references) {
    const auto hints = keep_hints(target.replica, target.window, plan, target.bytes(),
                                  references ? &target.trace : nullptr);
    EXPECT_TRUE(hints.has_value());
    std::fill_n(target.memory.data(), target.memory.size(), std::uint8_t{0});
    const auto start = Clock::now();
    EXPECT_TRUE(refill(*hints, target.bytes(), options));
    const double seconds = seconds_since(start);
    EXPECT_EQ(sha256(target.bytes()), target.keystream);
    std::printf("  refilled on %u thread(s), %u chain(s) each%s, %.3f kept: %.3f s\n",
                options.threads, options.chains, references ? ", with references" : "",
                target.part(hints->bytes()), seconds);
    return seconds;
}

TEST(AttackHintsParallelRefill, SmallWindowWithAsManyPassesAsStandard) {
    const Target target({256, 80 * 1'024});
    print_table(target, "1 MiB window with the passes of standard");
    const RefillPlan nothing = keep_evenly(target.trace.steps(), target.trace.steps());
    EXPECT_EQ(longest_chain(target.trace, nothing), target.trace.steps() - 2);
    for (const RefillPlan& plan :
         {nothing, keep_evenly(target.trace.steps(), 80), keep_shallow(target.trace, 200)}) {
        for (const unsigned threads : {1U, 2U, 16U}) {
            RefillOptions options;
            options.threads = threads;
            carry_out(target, plan, options, threads == 2);
        }
    }
    // Most of the window lies behind every chunk, whatever is kept: there is no small part to fill.
    for (const std::uint64_t chunk : {0U, 100U, 255U}) {
        const std::uint64_t behind =
            blocks_behind_chunk(target.trace, keep_evenly(target.trace.steps(), 100), chunk);
        EXPECT_GT(behind * 10, target.trace.steps() * 9) << chunk;
    }
}

/// Prints the least that has to be kept for an answer within the deadline at a speed of one step.
void print_least_kept(const Target& target, double seconds_a_step, bool references,
                      std::uint64_t threads) {
    constexpr double kDeadlineSeconds = 0.5;
    for (std::uint64_t percent = 110; percent <= 1'200; percent += 50) {
        const RefillPlan plan = keep_shallow(target.trace, percent);
        const auto steps = static_cast<double>(makespan(target.trace, plan, threads));
        if (steps * seconds_a_step > kDeadlineSeconds) continue;
        std::printf("  %s, %llu threads at %.0f ns a step: 0.5 s from %.2f of the window kept\n",
                    references ? "blocks and references" : "blocks alone",
                    static_cast<unsigned long long>(threads), 1e9 * seconds_a_step,
                    target.part(hint_bytes(target.window, plan, references)));
        return;
    }
    std::printf("  %s, %llu threads at %.0f ns a step: never within 0.5 s\n",
                references ? "blocks and references" : "blocks alone",
                static_cast<unsigned long long>(threads), 1e9 * seconds_a_step);
}

TEST(AttackHintsParallelRefill, Standard) {
    const auto start = Clock::now();
    const Target target(kSealStandard);
    const double honest_s = seconds_since(start);
    const auto rows = print_table(target, "standard");
    std::printf("  the fill itself, with notes: %.2f s\n", honest_s);
    // Blocks alone, at most nine tenths of the window: however many threads there are, the chain
    // that is left is longer than a sixth of the fill. To get below a ninth costs more than the
    // window.
    for (const Row& row : rows) {
        EXPECT_TRUE(row.kept > 0.9 || row.chain > 1.0 / 6) << row.kept;
    }
    const RefillPlan deep = keep_shallow(target.trace, 930);
    EXPECT_GT(hint_bytes(target.window, deep, false), target.window.bytes());

    // References alone, one thread.
    const auto steps = static_cast<double>(target.trace.steps());
    const RefillPlan nothing = keep_evenly(target.trace.steps(), target.trace.steps());
    EXPECT_LT(target.part(hint_bytes(target.window, nothing, true)), 0.18);
    const double fetched_s = carry_out(target, nothing, {}, true);
    RefillOptions two;
    two.threads = 2;
    carry_out(target, keep_shallow(target.trace, 200), two, true);
    for (const std::uint64_t threads : {4U, 8U, 16U}) {
        print_least_kept(target, honest_s / steps, false, threads);
        print_least_kept(target, fetched_s / steps, true, threads);
    }
}

TEST(AttackHintsParallelRefill, EconomyIsTheNaiveScheme) {
    // Ten passes over 256 MiB: a refill in parallel beats the deadline from an eighth of the
    // window.
    const Target target({65'536, kSealEconomy.work_blocks});
    const RefillPlan plan = keep_shallow(target.trace, 300);
    const Row row = print_row(target, "economy, shallow, 3 times", plan);
    EXPECT_LT(row.kept, 0.15);
    EXPECT_LT(row.chain, 0.34);
}

}  // namespace
}  // namespace holdfast::test
