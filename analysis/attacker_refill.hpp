// The cheater's side of sealing: fill a window again with the help of what was kept of its first
// fill.
//
// Argon2d chooses its references by data only the first time. Whoever has filled a window can keep
// every reference, and any of the blocks on the way; the blocks between two kept ones form a chain,
// and chains can be computed at the same time, each waiting only for the references that others
// have yet to make. What that costs and saves is what the assumption *latency* of docs/security.md
// section 3.4 stands on. Attack tests and `holdfast cost` use it; no proof and no verifier does.
//
// A step is one computed block: step = pass * blocks + index. Functions are pure but for the memory
// that they are given, unless they say that they start threads; any thread. No floating point:
// speed-ups are in percent. Spec: docs/spec.md sections 2 and 3.
#pragma once

#include <cstdint>
#include <vector>

#include "core/fill.hpp"
#include "core/geometry.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// Which block every step of one fill referred to.
struct FillTrace {
    std::uint64_t blocks = 0;
    std::uint32_t passes = 0;
    /// Index of the block in the matrix, by step; the first two steps have none.
    std::vector<std::uint32_t> reference;

    [[nodiscard]] std::uint64_t steps() const { return blocks * passes; }
};

/// Fills the window in `memory` (its keystream stands there afterwards) and notes every reference:
/// 4 bytes a step. Errors of fill_keystream, kOutOfMemory.
[[nodiscard]] Result<FillTrace> trace_fill(const ReplicaId& replica, const Window& window,
                                           MutByteView memory, const FillOptions& options = {});

/// Which steps' blocks a cheater keeps: strictly ascending, always steps 0 and 1.
struct RefillPlan {
    std::vector<std::uint64_t> kept;
};

/// Every `spacing`-th step (>= 1); spacing >= steps keeps the first two alone.
[[nodiscard]] RefillPlan keep_evenly(std::uint64_t steps, std::uint64_t spacing);

/// Keeps a block whenever the longest chain of computations that leads to it would exceed
/// step * 100 / speedup_percent (with a little slack): the fewest blocks known to shorten the whole
/// fill's longest chain that much. speedup_percent > 100. Needs the trace.
[[nodiscard]] RefillPlan keep_shallow(const FillTrace& trace, std::uint64_t speedup_percent);

/// The longest chain of block computations when the plan's blocks are there: what no number of
/// threads gets below.
[[nodiscard]] std::uint64_t longest_chain(const FillTrace& trace, const RefillPlan& plan);

/// Block computations that `threads` threads take from beginning to end when chains are handed out
/// in order, every computation takes one unit and waiting costs nothing else. refill() works this
/// way.
[[nodiscard]] std::uint64_t makespan(const FillTrace& trace, const RefillPlan& plan,
                                     std::uint64_t threads);

/// Block computations that one chunk of the finished window (counted from its first) needs: those
/// that its four blocks depend on and that are not kept.
[[nodiscard]] std::uint64_t blocks_behind_chunk(const FillTrace& trace, const RefillPlan& plan,
                                                std::uint64_t chunk);

/// What a cheater stores in place of a window.
struct RefillHints {
    Window window;
    RefillPlan plan;
    Bytes blocks;                          // of the plan's steps, one behind another
    std::vector<std::uint32_t> reference;  // FillTrace::reference, or empty: not kept

    /// Bytes of storage: blocks, a bit for each step to say which are kept, and, where references
    /// are kept, the bits that an index takes for each step.
    [[nodiscard]] std::uint64_t bytes() const;
};
/// The same of a plan that is not carried out.
[[nodiscard]] std::uint64_t hint_bytes(const Window& window, const RefillPlan& plan,
                                       bool references);

/// Fills the window in `memory` and keeps the plan's blocks; with a trace its references too.
/// Errors of fill_keystream, kOutOfMemory.
[[nodiscard]] Result<RefillHints> keep_hints(const ReplicaId& replica, const Window& window,
                                             RefillPlan plan, MutByteView memory,
                                             const FillTrace* trace = nullptr,
                                             const FillOptions& options = {});

struct RefillOptions {
    unsigned threads = 1;
    /// Chains that one thread works on in turns, so that one computes while another's reference
    /// comes from memory; at least 1.
    unsigned chains = 1;
    const FillKernel* kernel = nullptr;  // nullptr: best_fill_kernel()
    StopCheck stop;                      // asked 4 times a pass
};

/// Fills the window from its hints, without its replica id: the same bytes as fill_keystream.
/// Starts threads and joins them. `memory` is exactly the window's bytes, 64-byte aligned.
/// kInterrupted, kInvalidArgument for a memory of another size or hints that do not fit their
/// window.
[[nodiscard]] Status refill(const RefillHints& hints, MutByteView memory,
                            const RefillOptions& options = {});

}  // namespace holdfast
