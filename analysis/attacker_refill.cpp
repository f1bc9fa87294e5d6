#include "analysis/attacker_refill.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <thread>

#include "core/keystream.hpp"

#include "core/codec.hpp"
#include "core/fill_kernel.hpp"
#include "storage/parallel.hpp"

namespace holdfast {
namespace {

/// How many columns ahead a kept reference is fetched.
constexpr std::uint64_t kFetchAhead = 3;

/// Quarter `quarter` of a one-lane fill, as kernels see it.
FillRun quarter_run(std::uint8_t* memory, std::uint64_t blocks, std::uint64_t quarter) {
    FillRun run{};
    run.memory = memory;
    run.segment_blocks = blocks / kFillSlices;
    run.lanes = 1;
    run.slice = static_cast<std::uint32_t>(quarter % kFillSlices);
    run.first_pass = quarter < kFillSlices;
    return run;
}

/// First column of a quarter that is computed: the first two blocks come from hashing.
std::uint64_t first_column(std::uint64_t quarter) { return quarter == 0 ? 2 : 0; }

std::uint64_t block_index(const std::uint8_t* memory, const std::uint8_t* block) {
    return static_cast<std::uint64_t>(block - memory) / kBlockBytes;
}

/// Runs the true fill and hands every finished quarter pass to `visit` while its blocks stand in
/// memory: visit(quarter, first step of it).
Status fill_by_quarters(const ReplicaId& replica, const Window& window, MutByteView memory,
                        const FillOptions& options,
                        const std::function<void(std::uint64_t, std::uint64_t)>& visit) {
    const std::uint64_t quarter_blocks = window.blocks() / kFillSlices;
    FillOptions own = options;
    own.progress = [&](std::uint64_t done, std::uint64_t total) {
        visit(done / quarter_blocks - 1, done - quarter_blocks);
        if (options.progress) options.progress(done, total);
    };
    return fill_keystream(replica, window, memory, own);
}

/// Longest chain to each block of the matrix, step after step; `longer` says what becomes of a
/// block whose chain would have that length: true keeps it.
template <class Keep>
std::uint64_t follow_chains(const FillTrace& trace, const Keep& keep) {
    std::vector<std::uint32_t> depth(trace.blocks);
    std::uint32_t longest = 0;
    std::uint64_t before = 1;
    std::uint64_t at = 2;
    for (std::uint64_t step = 2; step < trace.steps(); ++step) {
        // Before it is overwritten a block's entry is that of the pass before; 0 in the first pass.
        const std::uint32_t length =
            1 + std::max({depth[before], depth[trace.reference[step]], depth[at]});
        depth[at] = keep(step, length) ? 0 : length;
        longest = std::max(longest, depth[at]);
        before = at;
        at = at + 1 == trace.blocks ? 0 : at + 1;
    }
    return longest;
}

/// Walks along a plan's steps in ascending order.
class KeptSteps {
  public:
    explicit KeptSteps(const RefillPlan& plan) : plan_(plan) {}
    /// Steps must not fall from call to call.
    bool holds(std::uint64_t step) {
        while (next_ < plan_.kept.size() && plan_.kept[next_] < step) ++next_;
        return next_ < plan_.kept.size() && plan_.kept[next_] == step;
    }

  private:
    const RefillPlan& plan_;
    std::size_t next_ = 0;
};

std::vector<bool> as_bits(const RefillPlan& plan, std::uint64_t steps) {
    std::vector<bool> bits(steps);
    for (const std::uint64_t step : plan.kept) bits[step] = true;
    return bits;
}

bool plan_fits(const RefillPlan& plan, std::uint64_t steps) {
    return plan.kept.size() >= 2 && plan.kept[0] == 0 && plan.kept[1] == 1 &&
           plan.kept.back() < steps &&
           std::adjacent_find(plan.kept.begin(), plan.kept.end(), std::greater_equal<>()) ==
               plan.kept.end();
}

/// One worker's turn at a chain of the current quarter: columns first … end - 1.
struct Chain {
    std::uint64_t column = 0;
    std::uint64_t end = 0;
    std::uint64_t reference = 0;  // of `column`: index in the matrix
};

/// A refill in progress. Quarters are done one after another, as in a fill of several lanes: within
/// one nothing is overwritten that it refers to.
class Refilling {
  public:
    Refilling(const RefillHints& hints, MutByteView memory, const RefillOptions& options)
        : hints_(hints),
          memory_(memory),
          kernel_(options.kernel != nullptr ? *options.kernel : best_fill_kernel()),
          threads_(std::max(1U, options.threads)),
          chains_(std::max(1U, options.chains)),
          quarter_blocks_(hints.window.blocks() / kFillSlices),
          done_(std::make_unique<std::atomic<std::uint32_t>[]>(quarter_blocks_)) {}

    Status run(const StopCheck& stop) {
        const std::uint64_t quarters = std::uint64_t{hints_.window.passes} * kFillSlices;
        for (std::uint64_t quarter = 0; quarter < quarters; ++quarter) {
            begin(quarter);
            HOLDFAST_TRY(run_workers(threads_, threads_, stop, [this](unsigned, std::uint64_t) {
                work();
                return Status{};
            }));
        }
        return {};
    }

  private:
    /// Puts the quarter's kept blocks in place; what lies between two of them is a chain.
    void begin(std::uint64_t quarter) {
        run_ = quarter_run(memory_.data(), hints_.window.blocks(), quarter);
        place_ = fill_place(run_);
        stamp_ = static_cast<std::uint32_t>(quarter + 1);
        first_step_ = quarter * quarter_blocks_;
        bounds_.clear();
        std::uint64_t chain_from = 0;
        const auto close_chain = [&](std::uint64_t end) {
            if (chain_from < end) bounds_.push_back({chain_from, end});
        };
        const auto& kept = hints_.plan.kept;
        for (; next_kept_ < kept.size() && kept[next_kept_] < first_step_ + quarter_blocks_;
             ++next_kept_) {
            const std::uint64_t column = kept[next_kept_] - first_step_;
            std::memcpy(place_.own + (place_.segment_start + column) * kBlockBytes,
                        hints_.blocks.data() + next_kept_ * kBlockBytes, kBlockBytes);
            done_[column].store(stamp_, std::memory_order_relaxed);
            close_chain(column);
            chain_from = column + 1;
        }
        close_chain(quarter_blocks_);
        next_chain_.store(0);
    }

    void work() {
        std::vector<Chain> held(chains_);
        std::size_t busy = 0;
        do {
            busy = 0;
            bool moved = false;
            for (Chain& chain : held) {
                if (chain.column == chain.end && !take(chain)) continue;
                ++busy;
                moved = advance(chain) || moved;
            }
            // The lowest unfinished chain never waits, and somebody works on it.
            if (busy != 0 && !moved) std::this_thread::yield();
        } while (busy != 0);
    }

    bool take(Chain& chain) {
        const std::uint64_t n = next_chain_.fetch_add(1);
        if (n >= bounds_.size()) return false;
        chain.column = bounds_[n].column;
        chain.end = bounds_[n].end;
        look_up(chain);
        return true;
    }

    /// Finds out what the chain's next block refers to, and asks memory for it.
    void look_up(Chain& chain) const {
        const std::uint8_t* previous = fill_previous(place_, chain.column);
        const std::uint8_t* block = fill_reference(run_, place_, chain.column, load_le64(previous));
        chain.reference = block_index(memory_.data(), block);
        if (chains_ > 1) fetch(chain.reference);
    }

    void fetch(std::uint64_t index) const {
        const std::uint8_t* block = memory_.data() + index * kBlockBytes;
        for (std::size_t at = 0; at < kBlockBytes; at += 64) __builtin_prefetch(block + at);
    }

    /// One block, if what it refers to is there.
    bool advance(Chain& chain) {
        if (!ready(chain)) return false;
        if (!hints_.reference.empty() && chain.column + kFetchAhead < chain.end) {
            fetch(hints_.reference[first_step_ + chain.column + kFetchAhead]);
        }
        FillRun one = run_;
        one.first = chain.column;
        one.end = chain.column + 1;
        kernel_.run(one);
        done_[chain.column].store(stamp_, std::memory_order_release);
        if (++chain.column < chain.end) look_up(chain);
        return true;
    }

    [[nodiscard]] bool ready(const Chain& chain) const {
        const std::uint64_t column = chain.reference - place_.segment_start;
        if (chain.reference < place_.segment_start || column >= quarter_blocks_) return true;
        return done_[column].load(std::memory_order_acquire) == stamp_;
    }

    const RefillHints& hints_;
    MutByteView memory_;
    const FillKernel& kernel_;
    const unsigned threads_;
    const unsigned chains_;
    const std::uint64_t quarter_blocks_;
    std::unique_ptr<std::atomic<std::uint32_t>[]> done_;  // stamp of the quarter that made it
    FillRun run_{};
    FillPlace place_{};
    std::uint32_t stamp_ = 0;
    std::uint64_t first_step_ = 0;
    std::size_t next_kept_ = 0;
    std::vector<Chain> bounds_;
    std::atomic<std::uint64_t> next_chain_ = 0;
};

}  // namespace

Result<FillTrace> trace_fill(const ReplicaId& replica, const Window& window, MutByteView memory,
                             const FillOptions& options) {
    FillTrace trace{window.blocks(), window.passes, {}};
    try {
        trace.reference.resize(trace.steps());
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::kOutOfMemory, "not enough memory to note a fill's references");
    }
    const auto note = [&](std::uint64_t quarter, std::uint64_t first_step) {
        const FillRun run = quarter_run(memory.data(), trace.blocks, quarter);
        const FillPlace place = fill_place(run);
        for (std::uint64_t column = first_column(quarter); column < run.segment_blocks; ++column) {
            const std::uint64_t word = load_le64(fill_previous(place, column));
            trace.reference[first_step + column] = static_cast<std::uint32_t>(
                block_index(memory.data(), fill_reference(run, place, column, word)));
        }
    };
    HOLDFAST_TRY(fill_by_quarters(replica, window, memory, options, note));
    return trace;
}

RefillPlan keep_evenly(std::uint64_t steps, std::uint64_t spacing) {
    RefillPlan plan{{0, 1}};
    if (spacing == 0) spacing = 1;
    for (std::uint64_t step = spacing; step < steps; step += spacing) {
        if (step > 1) plan.kept.push_back(step);
        if (steps - step <= spacing) break;  // no overflow
    }
    return plan;
}

RefillPlan keep_shallow(const FillTrace& trace, std::uint64_t speedup_percent) {
    HOLDFAST_CHECK(speedup_percent > 100);
    RefillPlan plan{{0, 1}};
    const std::uint64_t slack = 1 + trace.steps() / 512;
    follow_chains(trace, [&](std::uint64_t step, std::uint64_t length) {
        const bool keep = length > slack + step * 100 / speedup_percent;
        if (keep) plan.kept.push_back(step);
        return keep;
    });
    return plan;
}

std::uint64_t longest_chain(const FillTrace& trace, const RefillPlan& plan) {
    KeptSteps kept(plan);
    return follow_chains(trace,
                         [&](std::uint64_t step, std::uint64_t) { return kept.holds(step); });
}

std::uint64_t makespan(const FillTrace& trace, const RefillPlan& plan, std::uint64_t threads) {
    constexpr std::size_t kNobody = SIZE_MAX;
    const std::uint64_t quarter = trace.blocks / kFillSlices;
    std::vector<std::uint64_t> finished(trace.blocks);
    std::vector<std::uint64_t> free_at(std::max<std::uint64_t>(threads, 1));
    KeptSteps kept(plan);
    std::uint64_t clock = 0;
    for (std::uint64_t start = 0; start < trace.steps(); start += quarter) {
        const std::uint64_t base = start % trace.blocks;
        std::fill(free_at.begin(), free_at.end(), clock);
        std::size_t worker = kNobody;  // of the chain that the step belongs to
        for (std::uint64_t column = start == 0 ? 2 : 0; column < quarter; ++column) {
            if (kept.holds(start + column)) {
                finished[base + column] = 0;
                worker = kNobody;
                continue;
            }
            if (worker == kNobody) {
                worker = static_cast<std::size_t>(std::min_element(free_at.begin(), free_at.end()) -
                                                  free_at.begin());
            }
            // Blocks of earlier quarters were finished by `clock`, which no thread is behind.
            const std::uint64_t needed = finished[trace.reference[start + column]];
            free_at[worker] = std::max(free_at[worker], needed) + 1;
            finished[base + column] = free_at[worker];
        }
        clock = *std::max_element(free_at.begin(), free_at.end());
    }
    return clock;
}

std::uint64_t blocks_behind_chunk(const FillTrace& trace, const RefillPlan& plan,
                                  std::uint64_t chunk) {
    const std::uint64_t last_pass = trace.steps() - trace.blocks;
    HOLDFAST_CHECK((chunk + 1) * kBlocksPerChunk <= trace.blocks);
    const std::vector<bool> kept = as_bits(plan, trace.steps());
    std::vector<bool> needed(trace.blocks);  // the newest version of that block that is still to do
    for (std::uint64_t i = 0; i < kBlocksPerChunk; ++i) needed[chunk * kBlocksPerChunk + i] = true;
    std::uint64_t count = 0;
    for (std::uint64_t step = last_pass + (chunk + 1) * kBlocksPerChunk; step-- > 2;) {
        const std::uint64_t at = step % trace.blocks;
        if (!needed[at]) continue;
        // What stood there before is needed in turn, except in the first pass.
        needed[at] = !kept[step] && step >= trace.blocks;
        if (kept[step]) continue;
        ++count;
        needed[at == 0 ? trace.blocks - 1 : at - 1] = true;
        needed[trace.reference[step]] = true;
    }
    return count;
}

std::uint64_t hint_bytes(const Window& window, const RefillPlan& plan, bool references) {
    const std::uint64_t steps = window.blocks() * window.passes;
    const std::uint64_t index_bits =
        references ? static_cast<std::uint64_t>(std::bit_width(window.blocks() - 1)) : 0;
    return plan.kept.size() * kBlockBytes + (steps * (1 + index_bits) + 7) / 8;
}

std::uint64_t RefillHints::bytes() const { return hint_bytes(window, plan, !reference.empty()); }

Result<RefillHints> keep_hints(const ReplicaId& replica, const Window& window, RefillPlan plan,
                               MutByteView memory, const FillTrace* trace,
                               const FillOptions& options) {
    if (!plan_fits(plan, window.blocks() * window.passes)) {
        return fail(ErrorCode::kInvalidArgument, "the plan's steps do not fit the window");
    }
    RefillHints hints{window, std::move(plan), {}, {}};
    try {
        hints.blocks.resize(hints.plan.kept.size() * kBlockBytes);
        if (trace != nullptr) hints.reference = trace->reference;
    } catch (const std::bad_alloc&) {
        return fail(ErrorCode::kOutOfMemory, "not enough memory for the hints");
    }
    const std::uint64_t quarter_blocks = window.blocks() / kFillSlices;
    std::size_t next = 0;
    const auto copy = [&](std::uint64_t, std::uint64_t first_step) {
        const auto& kept = hints.plan.kept;
        for (; next < kept.size() && kept[next] < first_step + quarter_blocks; ++next) {
            std::memcpy(hints.blocks.data() + next * kBlockBytes,
                        memory.data() + kept[next] % window.blocks() * kBlockBytes, kBlockBytes);
        }
    };
    HOLDFAST_TRY(fill_by_quarters(replica, window, memory, options, copy));
    return hints;
}

Status refill(const RefillHints& hints, MutByteView memory, const RefillOptions& options) {
    const std::uint64_t steps = hints.window.blocks() * hints.window.passes;
    if (memory.size() != hints.window.bytes() || !plan_fits(hints.plan, steps) ||
        hints.blocks.size() != hints.plan.kept.size() * kBlockBytes ||
        (!hints.reference.empty() && hints.reference.size() != steps)) {
        return fail(ErrorCode::kInvalidArgument, "the hints do not fit the window or its memory");
    }
    HOLDFAST_CHECK(reinterpret_cast<std::uintptr_t>(memory.data()) % 64 == 0);
    return Refilling(hints, memory, options).run(options.stop);
}

}  // namespace holdfast
