#include "analysis/cost_measurement.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <thread>

#include "core/hash.hpp"
#include "core/keystream.hpp"
#include "core/merkle.hpp"

namespace holdfast {
namespace {

/// Passes that are enough to learn the time of a block and how blocks depend on one another.
constexpr std::uint32_t kQuickPasses = 10;
/// Blocks of the smallest window that are timed: a few tenths of a second.
constexpr std::uint64_t kSmallestBlocks = 2'000'000;
/// By how much kept blocks are to shorten the longest chain, in percent.
constexpr std::uint64_t kSpeedups[] = {150, 200, 300, 500, 930};
/// The one that is carried out on the cores that there are.
constexpr std::uint64_t kCarriedOut = 200;
/// More is not asked of a plan: hardly a block is left to compute.
constexpr double kMostPercent = 1e6;
/// Work that takes less than this is timed again, and the shortest time counts.
constexpr double kEnoughSeconds = 0.1;
/// How often a plan is drawn tighter until the most threads meet the time.
constexpr int kTightenings = 6;

class Measuring {
  public:
    explicit Measuring(const CostMeasureRequest& request)
        : request_(request), replica_(sha256(view("holdfast cost"))) {}

    Result<CostMeasures> run() {
        out_.window = request_.window;
        timed_ = request_.window;
        if (request_.quick) timed_.passes = std::min(timed_.passes, kQuickPasses);
        if (timed_.blocks() * timed_.passes > kMostStepsMeasured) {
            return fail(ErrorCode::kInvalidArgument,
                        request_.quick ? "a window of this size is too large to be measured"
                                       : "more than 2^27 blocks of work are not measured in full; "
                                         "use --quick");
        }
        out_.measured_passes = timed_.passes;
        HOLDFAST_TRY(time_smallest());
        HOLDFAST_ASSIGN(memory, FillMemory::allocate(timed_.bytes()));
        memory_ = {memory.data(), static_cast<std::size_t>(timed_.bytes())};
        HOLDFAST_TRY(time_fill());
        time_trees();
        HOLDFAST_ASSIGN(trace, trace_fill(replica_, timed_, memory_, options("noting references")));
        truth_ = sha256(memory_);
        HOLDFAST_TRY(make_rows(trace));
        HOLDFAST_TRY(find_least(trace));
        return std::move(out_);
    }

  private:
    using Clock = std::chrono::steady_clock;
    static double since(Clock::time_point start) {
        return std::chrono::duration<double>(Clock::now() - start).count();
    }
    /// Seconds of work that may be repeated: the shortest, where it is short.
    template <class Work>
    static Result<double> time_of(const Work& work) {
        double least = 0;
        double sum = 0;
        do {
            const auto start = Clock::now();
            HOLDFAST_TRY(work());
            const double seconds = since(start);
            least = sum == 0 ? seconds : std::min(least, seconds);
            sum += seconds;
        } while (sum < kEnoughSeconds);
        return least;
    }
    [[nodiscard]] double steps() const {
        return static_cast<double>(timed_.blocks()) * timed_.passes;
    }
    /// From what was measured to the whole window.
    [[nodiscard]] double scale() const {
        return static_cast<double>(request_.window.passes) / timed_.passes;
    }
    [[nodiscard]] double step_s(bool references) const {
        return references ? out_.fetched_step_s : out_.step_s;
    }

    FillOptions options(const char* what) {
        FillOptions o;
        o.stop = request_.stop;
        if (request_.progress) {
            o.progress = [this, what](std::uint64_t done, std::uint64_t total) {
                request_.progress(what, done, total);
            };
        }
        return o;
    }

    Status time_smallest() {
        Window window = request_.smallest;
        const std::uint32_t whole = window.passes;
        const std::uint64_t enough = std::max<std::uint64_t>(1, kSmallestBlocks / window.blocks());
        window.passes = static_cast<std::uint32_t>(std::min<std::uint64_t>(enough, whole));
        HOLDFAST_ASSIGN(memory, FillMemory::allocate(window.bytes()));
        const FillOptions o = options("filling the smallest replica");
        const auto start = Clock::now();
        HOLDFAST_TRY(fill_keystream(replica_, window,
                                    {memory.data(), static_cast<std::size_t>(window.bytes())}, o));
        out_.smallest_fill_s = since(start) * whole / window.passes;
        return {};
    }

    Status time_fill() {
        // A sealer's memory is touched once and used for many windows.
        std::fill(memory_.begin(), memory_.end(), std::uint8_t{0});
        const FillOptions o = options("filling one window");
        HOLDFAST_ASSIGN(seconds,
                        time_of([&] { return fill_keystream(replica_, timed_, memory_, o); }));
        out_.fill_s = seconds * scale();
        out_.step_s = seconds / steps();
        return {};
    }

    void time_trees() {
        std::vector<Digest> roots(timed_.chunks.value);
        const auto start = Clock::now();
        for (int tree = 0; tree < 2; ++tree) chunk_roots(memory_.data(), roots);
        out_.trees_s = since(start);
    }

    /// Seconds of one refill of the whole window.
    Result<double> carry_out(const FillTrace& trace, const RefillPlan& plan, bool references,
                             unsigned threads) {
        HOLDFAST_ASSIGN(hints, keep_hints(replica_, timed_, plan, memory_,
                                          references ? &trace : nullptr, options("keeping hints")));
        RefillOptions o;
        o.threads = threads;
        o.stop = request_.stop;
        HOLDFAST_ASSIGN(seconds, time_of([&] { return refill(hints, memory_, o); }));
        if (sha256(memory_) != truth_) {
            return fail(ErrorCode::kCorrupt,
                        "a refilled window is not the true one: the memory or the processor of "
                        "this machine cannot be trusted");
        }
        return seconds * scale();
    }

    Status make_rows(const FillTrace& trace) {
        const RefillPlan nothing = keep_evenly(trace.steps(), trace.steps());
        HOLDFAST_ASSIGN(fetched, carry_out(trace, nothing, true, 1));
        out_.fetched_step_s = fetched / scale() / steps();
        add_row(trace, nothing, "nothing", false).cells[0] = {out_.fill_s, true};
        add_row(trace, nothing, "references", true).cells[0] = {fetched, true};
        for (const bool references : {false, true}) {
            for (const std::uint64_t percent : kSpeedups) {
                HOLDFAST_TRY(go_on("counting refills"));
                const RefillPlan plan = keep_shallow(trace, percent);
                RefillRow& row = add_row(trace, plan, name(references), references);
                if (percent == kCarriedOut) HOLDFAST_TRY(carry_out_row(trace, plan, row));
            }
        }
        return {};
    }

    Status carry_out_row(const FillTrace& trace, const RefillPlan& plan, RefillRow& row) {
        const unsigned cores = std::clamp(std::thread::hardware_concurrency(), 1U, 2U);
        for (std::size_t i = 0; i < row.cells.size() && kCostThreads[i] <= cores; ++i) {
            HOLDFAST_ASSIGN(seconds, carry_out(trace, plan, row.references, kCostThreads[i]));
            row.cells[i] = {seconds, true};
        }
        return {};
    }

    static const char* name(bool references) {
        return references ? "blocks and references" : "blocks";
    }

    /// Between plans, which say nothing while they are counted.
    Status go_on(const char* what) {
        if (request_.progress) request_.progress(what, 0, 1);
        if (request_.stop && request_.stop())
            return fail(ErrorCode::kInterrupted, "stopped on request");
        return {};
    }

    [[nodiscard]] double kept_part(const RefillPlan& plan, bool references) const {
        // The first two blocks come from hashing: nobody keeps them.
        if (plan.kept.size() == 2 && !references) return 0;
        return static_cast<double>(hint_bytes(timed_, plan, references)) * scale() /
               static_cast<double>(timed_.bytes());
    }
    [[nodiscard]] double counted_s(const FillTrace& trace, const RefillPlan& plan, bool references,
                                   unsigned threads) const {
        return static_cast<double>(makespan(trace, plan, threads)) * step_s(references) * scale();
    }

    RefillRow& add_row(const FillTrace& trace, const RefillPlan& plan, const char* keeps,
                       bool references) {
        RefillRow row{keeps, references, kept_part(plan, references), {}};
        for (const unsigned threads : kCostThreads) {
            row.cells.push_back({counted_s(trace, plan, references, threads), false});
        }
        return out_.rows.emplace_back(std::move(row));
    }

    Status find_least(const FillTrace& trace) {
        for (std::size_t i = 0; i < 2; ++i) {
            const RefillRow& row = out_.rows[i];  // nothing, or references alone, on one thread
            if (row.cells[0].seconds <= request_.allowed_s) {
                offer({true, row.keeps, row.kept, row.cells[0].seconds});
            }
        }
        for (const bool references : {false, true}) HOLDFAST_TRY(tighten(trace, references));
        return {};
    }

    void offer(LeastKept found) {
        if (found.kept >= 1 || (out_.least.possible && out_.least.kept <= found.kept)) return;
        out_.least = std::move(found);
    }

    /// Keeps more and more blocks until the most threads are fast enough.
    Status tighten(const FillTrace& trace, bool references) {
        const unsigned threads = *std::rbegin(kCostThreads);
        double percent = 100 * steps() * step_s(references) * scale() / request_.allowed_s;
        for (int i = 0; i < kTightenings && percent > 100 && percent < kMostPercent; ++i) {
            HOLDFAST_TRY(go_on("looking for the least that must be kept"));
            const RefillPlan plan =
                keep_shallow(trace, static_cast<std::uint64_t>(std::ceil(percent)) + 1);
            const double kept = kept_part(plan, references);
            if (kept >= 1) break;
            const double seconds = counted_s(trace, plan, references, threads);
            if (seconds <= request_.allowed_s) {
                offer({true, name(references), kept, seconds});
                break;
            }
            percent *= 1.01 * seconds / request_.allowed_s;
        }
        return {};
    }

    const CostMeasureRequest& request_;
    const ReplicaId replica_;
    CostMeasures out_;
    Window timed_;
    MutByteView memory_;
    Digest truth_;
};

}  // namespace

Result<CostMeasures> measure_cost(const CostMeasureRequest& request) {
    return Measuring(request).run();
}

}  // namespace holdfast
