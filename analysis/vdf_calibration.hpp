// What the VDF costs on this machine, and which parameters follow from that.
//
// Measuring reads a clock, starts threads (within the call) and fills an arena of the size asked
// for; nothing here is hashed or decides a verdict. Every time is that of the least disturbed of
// short samples taken in turns, in nanoseconds unless named otherwise; every kernel is compared
// with the plain walk before its time is taken. Thread-safe, but two measurements at once disturb
// each other.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/fill.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "vdf/walk.hpp"

namespace holdfast {

/// One kernel of the walk on one core.
struct WalkSpeed {
    std::string_view kernel;
    double evaluate_ns = 0;  // a step, one input
    double verify_ns = 0;    // a step, as many segments side by side as verification walks
};

/// Full verification, and as many heights as threads evaluated at once, with the best kernel.
struct ThreadSpeed {
    unsigned threads = 1;
    double verify_ns = 0;    // a step of all threads together
    double evaluate_ns = 0;  // a step of each height
};

struct VdfSpeed {
    VdfParams arena;  // arena_kib, passes and lanes count
    bool huge_pages = false;
    std::string_view fill_kernel;
    std::string_view walk_kernel;
    double fill_seconds = 0;  // all passes, all threads
    double read_ns = 0;       // one dependent 64-byte read in the arena
    double f_ns = 0;          // latency of F
    double median_ns = 0;     // of the samples of best().evaluate_ns: how disturbed the machine was
    std::vector<WalkSpeed> kernels;
    std::vector<ThreadSpeed> threads;  // 1 (best() itself), 2, 4, … up to all
    [[nodiscard]] const WalkSpeed& best() const { return kernels.back(); }
};

struct VdfMeasureOptions {
    unsigned threads = 0;  // at most; 0: all cores
    unsigned rounds = 41;  // samples of each time, after one that does not count
    StopCheck stop;
    std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // in rounds
};

/// Errors: kRefused (kVdfPolicy), kOutOfMemory, kInterrupted.
[[nodiscard]] Result<VdfSpeed> measure_vdf(const VdfParams& arena,
                                           const VdfMeasureOptions& options = {});

/// What in the figures no idle machine can show, each in a sentence: something else
/// was at work, and nothing should be derived from them. Empty when they fit together.
[[nodiscard]] std::vector<std::string> vdf_contradictions(const VdfSpeed& speed);

/// `count` reads in the arena, each at the address that the one before gave. The time of each is
/// the latency that no evaluator on this machine can go below.
void vdf_dependent_reads(const ArenaView& arena, std::uint32_t count, std::uint64_t& x);

/// Somebody who evaluates on better hardware: what one step costs at the least. The defaults are an
/// estimate for a chip that holds the arena in its own memory.
struct VdfAttacker {
    double memory_latency_ns = 5;
    double f_latency_ns = 8;
    [[nodiscard]] double step_ns() const { return memory_latency_ns + f_latency_ns; }
};

/// Parameters for an evaluation of about so many seconds on the machine that was measured.
struct VdfAdvice {
    VdfParams params;
    double evaluate_seconds = 0;
    std::vector<double> verify_seconds;  // for each entry of VdfSpeed::threads
    std::uint64_t heights_at_once = 1;   // that keep up with the chain's blocks
    double heights_seconds = 0;          // each, with so many at once on the cores measured
    double attacker_seconds = 0;         // the delay that is left against the attacker
    double attacker_times_faster = 0;
};

/// Errors: kInvalidArgument for numbers that make no sense, or parameters that no network may have.
/// `speed` is believed: ask vdf_contradictions() first.
[[nodiscard]] Result<VdfAdvice> advise_vdf(const VdfSpeed& speed, double seconds,
                                           double block_seconds, const VdfAttacker& attacker = {});

}  // namespace holdfast
