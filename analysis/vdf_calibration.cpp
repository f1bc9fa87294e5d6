#include "analysis/vdf_calibration.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>

#include "core/codec.hpp"
#include "core/hash.hpp"
#include "storage/parallel.hpp"
#include "vdf/arena.hpp"
#include "vdf/walk_kernel.hpp"

namespace holdfast {
namespace {

// Steps of one sample of evaluation and of each segment of one of verification: a millisecond or
// two, long enough for any clock and shorter than the time that a busy system leaves a thread
// alone.
constexpr std::uint64_t kEvaluateSteps = std::uint64_t{1} << 13;
constexpr std::uint64_t kVerifySteps = std::uint64_t{1} << 12;
// By how much more work at once may be slower, each piece of it, than less: cores that share a
// unit gain next to nothing, and a sample is not exact.
constexpr double kTolerance = 1.1;
// An arena that the first-level cache holds: what is left of a step there is F.
constexpr VdfParams kCachedArena{8, 1, 1, 1, 1};

/// States that nobody has walked before: the lines of an earlier sample would be cached.
class FreshStates {
  public:
    std::vector<WalkState> take(std::size_t count) {
        std::vector<WalkState> states;
        states.reserve(count);
        while (states.size() < count) states.push_back(vdf_expand(tagged_hash("calibrate", ++n_)));
        return states;
    }

  private:
    std::uint64_t n_ = 0;
};

struct Sampled {
    std::function<void()> run;
    double units = 1;  // steps or reads of one run
    std::vector<double> ns;

    /// What others do on the machine only ever adds to a time.
    [[nodiscard]] double least() const { return *std::min_element(ns.begin(), ns.end()); }
    [[nodiscard]] double median() const {
        std::vector<double> sorted = ns;
        std::sort(sorted.begin(), sorted.end());
        return sorted[sorted.size() / 2];
    }
};

/// Everything in turns, so that what is compared sees the same moments of the machine.
Status sample(std::vector<Sampled>& all, const VdfMeasureOptions& options) {
    using Clock = std::chrono::steady_clock;
    for (unsigned round = 0; round <= options.rounds; ++round) {
        for (Sampled& s : all) {
            if (options.stop && options.stop()) {
                return fail(ErrorCode::kInterrupted, "measuring was stopped");
            }
            const auto start = Clock::now();
            s.run();
            const std::chrono::duration<double, std::nano> took = Clock::now() - start;
            if (round > 0) s.ns.push_back(took.count() / s.units);
        }
        if (options.progress) options.progress(round + 1, std::uint64_t{options.rounds} + 1);
    }
    return {};
}

/// The samples of one measurement, in the order in which measure() reads them.
class Measurement {
  public:
    Measurement(const VdfArena& arena, const VdfArena& cached, unsigned threads)
        : arena_(arena.view()), cached_(cached.view()), most_threads_(threads) {}

    Result<VdfSpeed> run(const VdfMeasureOptions& options);

  private:
    void add(double units, std::function<void()> body) {
        samples_.push_back({std::move(body), units, {}});
    }
    void add_limits(const WalkKernel& best);
    void add_kernel(const WalkKernel& kernel);
    void add_threads(const WalkKernel& best, unsigned threads);
    double next() { return samples_[read_++].least(); }

    const ArenaView arena_;
    const ArenaView cached_;
    const unsigned most_threads_;
    FreshStates fresh_;
    std::uint64_t x_ = 1;
    std::uint64_t y_ = 1;
    std::vector<Sampled> samples_;
    std::size_t read_ = 0;
};

void Measurement::add_limits(const WalkKernel& best) {
    constexpr auto kReads = static_cast<std::uint32_t>(kEvaluateSteps);
    add(kReads, [this] { vdf_dependent_reads(arena_, kReads, x_); });
    add(kReads, [this] { vdf_dependent_reads(cached_, kReads, y_); });
    add(kEvaluateSteps, [this, &best] {
        std::vector<WalkState> one = fresh_.take(1);
        walk_states(&best, cached_, one, kEvaluateSteps);
    });
}

void Measurement::add_kernel(const WalkKernel& kernel) {
    add(kEvaluateSteps, [this, &kernel] {
        std::vector<WalkState> one = fresh_.take(1);
        walk_states(&kernel, arena_, one, kEvaluateSteps);
    });
    const auto width = static_cast<double>(kernel.width);
    add(width * kVerifySteps, [this, &kernel] {
        std::vector<WalkState> group = fresh_.take(kernel.width);
        walk_states(&kernel, arena_, group, kVerifySteps);
    });
}

void Measurement::add_threads(const WalkKernel& best, unsigned threads) {
    const ParallelFor parallel = pool_parallel(threads);
    // Two groups a thread, so that one that is late does not decide alone.
    const std::size_t groups = 2 * std::size_t{threads};
    const auto steps = static_cast<double>(groups * best.width * kVerifySteps);
    add(steps, [this, &best, parallel, groups] {
        std::vector<std::vector<WalkState>> states;
        states.reserve(groups);
        for (std::size_t g = 0; g < groups; ++g) states.push_back(fresh_.take(best.width));
        parallel(groups,
                 [&](std::size_t g) { walk_states(&best, arena_, states[g], kVerifySteps); });
    });
    add(kEvaluateSteps, [this, &best, parallel, threads] {
        std::vector<WalkState> states = fresh_.take(threads);
        parallel(threads, [&](std::size_t t) {
            walk_states(&best, arena_, {&states[t], 1}, kEvaluateSteps);
        });
    });
}

Result<VdfSpeed> Measurement::run(const VdfMeasureOptions& options) {
    VdfSpeed out;
    const WalkKernel& best = best_walk_kernel();
    out.walk_kernel = best.name;
    add_limits(best);
    for (const WalkKernel& kernel : walk_kernels()) {
        if (!kernel.usable() || !walk_self_test(kernel)) continue;
        out.kernels.push_back({kernel.name, 0, 0});
        add_kernel(kernel);
    }
    for (unsigned t = 1; t < most_threads_;) {
        t = std::min(2 * t, most_threads_);
        out.threads.push_back({t, 0, 0});
        add_threads(best, t);
    }
    HOLDFAST_TRY(sample(samples_, options));
    out.read_ns = next();
    const double cached_read = next();
    out.f_ns = std::max(0.0, next() - cached_read);
    for (WalkSpeed& k : out.kernels) {
        out.median_ns = samples_[read_].median();
        k.evaluate_ns = next();
        k.verify_ns = next();
    }
    for (ThreadSpeed& t : out.threads) {
        t.verify_ns = next();
        t.evaluate_ns = next();
    }
    out.threads.insert(out.threads.begin(), {1, out.best().verify_ns, out.best().evaluate_ns});
    return out;
}

std::string in_ns(double ns) {
    char text[64];
    std::snprintf(text, sizeof text, "%.1f ns", ns);
    return text;
}

bool positive(double value) { return std::isfinite(value) && value > 0; }

/// Of the entries measured, the one with the most threads that is no more than `wanted`.
const ThreadSpeed& with_threads(const VdfSpeed& speed, std::uint64_t wanted) {
    const ThreadSpeed* found = &speed.threads.front();
    for (const ThreadSpeed& t : speed.threads) {
        if (t.threads <= wanted) found = &t;
    }
    return *found;
}

}  // namespace

void vdf_dependent_reads(const ArenaView& arena, std::uint32_t count, std::uint64_t& x) {
    const std::uint64_t mask = arena.params.lines() - 1;
    for (std::uint32_t i = 0; i < count; ++i) {
        // The counter keeps the chain out of the short cycles that a random function has.
        x = std::uint64_t{load_le32(arena.bytes + (x & mask) * kVdfLineBytes)} + i;
    }
}

std::vector<std::string> vdf_contradictions(const VdfSpeed& speed) {
    std::vector<std::string> out;
    const auto at_most = [&](double ns, double limit, double tolerance, const std::string& what) {
        if (ns <= limit * tolerance) return;
        out.push_back(what + ": " + in_ns(ns) + " against " + in_ns(limit));
    };
    const WalkSpeed& best = speed.best();
    // These two are parts of a step: nothing makes them as long as the whole.
    at_most(speed.read_ns, best.evaluate_ns, 1, "a dependent read takes longer than a whole step");
    at_most(speed.f_ns, best.evaluate_ns, 1, "F takes longer than a whole step");
    at_most(best.verify_ns, best.evaluate_ns, 1,
            "a step of many side by side takes longer than one");
    for (std::size_t i = 1; i < speed.threads.size(); ++i) {
        const ThreadSpeed& fewer = speed.threads[i - 1];
        const ThreadSpeed& more = speed.threads[i];
        const std::string cores = std::to_string(more.threads) + " cores";
        at_most(more.verify_ns, fewer.verify_ns, kTolerance,
                cores + " verify slower than " + std::to_string(fewer.threads));
        at_most(best.evaluate_ns, more.evaluate_ns, kTolerance,
                "a height alone is evaluated slower than each of several on " + cores);
    }
    return out;
}

Result<VdfSpeed> measure_vdf(const VdfParams& params, const VdfMeasureOptions& options) {
    if (options.rounds == 0) {
        return fail(ErrorCode::kInvalidArgument, "at least one round of samples is needed");
    }
    const unsigned threads =
        std::min(worker_count(options.threads, UINT64_MAX), worker_count(0, UINT64_MAX));
    FillOptions fill;
    fill.parallel = pool_parallel(threads);
    fill.stop = options.stop;
    const EpochSeed seed{tagged_hash("calibrate")};
    const auto start = std::chrono::steady_clock::now();
    HOLDFAST_ASSIGN(arena, VdfArena::fill(params, 0, seed, fill));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    HOLDFAST_ASSIGN(cached, VdfArena::fill(kCachedArena, 0, seed));
    HOLDFAST_ASSIGN(out, Measurement(*arena, *cached, threads).run(options));
    out.arena = params;
    out.huge_pages = arena->huge_pages();
    out.fill_kernel = best_fill_kernel().name;
    out.fill_seconds = took.count();
    return out;
}

Result<VdfAdvice> advise_vdf(const VdfSpeed& speed, double seconds, double block_seconds,
                             const VdfAttacker& attacker) {
    if (!positive(seconds) || !positive(block_seconds) || !positive(attacker.step_ns()) ||
        attacker.memory_latency_ns < 0 || attacker.f_latency_ns < 0 || speed.kernels.empty() ||
        speed.threads.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    "seconds, block time and the attacker's latencies must be above zero");
    }
    VdfAdvice out;
    out.params = speed.arena;
    out.params.checkpoints = VdfParams{}.checkpoints;
    const double step_ns = speed.best().evaluate_ns;
    const double steps = seconds * 1e9 / step_ns / out.params.checkpoints;
    if (steps > 0x1p36) {
        return fail(ErrorCode::kInvalidArgument, "no network may have so long an evaluation");
    }
    // To about a thousandth: a rounder number promises no more than the measurement holds.
    const auto unit =
        static_cast<std::uint64_t>(std::exp2(std::max(0.0, std::floor(std::log2(steps)) - 10)));
    out.params.steps_per_checkpoint =
        std::max<std::uint64_t>(1, static_cast<std::uint64_t>(steps) / unit * unit);
    if (const Verdict v = out.params.validate(); !v) {
        return fail(ErrorCode::kInvalidArgument,
                    "the parameters that follow are none that a network may have: " +
                        std::to_string(out.params.total_steps()) + " steps, at most 2^36");
    }
    const auto total = static_cast<double>(out.params.total_steps());
    out.evaluate_seconds = total * step_ns / 1e9;
    for (const ThreadSpeed& t : speed.threads) {
        out.verify_seconds.push_back(total * t.verify_ns / 1e9);
    }
    out.heights_at_once =
        static_cast<std::uint64_t>(std::ceil(out.evaluate_seconds / block_seconds));
    out.heights_seconds = total * with_threads(speed, out.heights_at_once).evaluate_ns / 1e9;
    out.attacker_seconds = total * attacker.step_ns() / 1e9;
    out.attacker_times_faster = step_ns / attacker.step_ns();
    return out;
}

}  // namespace holdfast
