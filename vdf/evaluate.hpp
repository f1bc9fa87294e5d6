// Evaluation: the K segments of one input, or of several inputs side by side in one arena.
//
// One call runs in the calling thread; calls on one arena may run in many threads. Stops and
// resumes at any checkpoint: what was handed to on_checkpoint is never computed again when it is
// handed back as `resume`. Spec: docs/spec.md section 6.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "core/fill.hpp"
#include "core/result.hpp"
#include "vdf/arena.hpp"
#include "vdf/proof.hpp"
#include "vdf/walk.hpp"
#include "vdf/walk_kernel.hpp"

namespace holdfast {

/// One input to evaluate.
struct VdfJob {
    Height height;
    Seed input;
    /// Leading checkpoints d_0, d_1, … of an earlier, stopped evaluation; empty to start over. They
    /// are trusted to be ours, except that d_0 is compared.
    std::vector<Digest> resume;
};

/// Kernel, stop, progress and durability of an evaluation.
struct VdfEvaluateOptions {
    const WalkKernel* kernel = nullptr;  // nullptr: best_walk_kernel()
    StopCheck stop;                      // asked about every 10 ms
    /// Steps done and steps in all, over all jobs; about every 10 ms.
    std::function<void(std::uint64_t done, std::uint64_t total)> progress;
    /// Called with each new checkpoint d_i (d_0 included) of job number `job` before the next
    /// segment of that job starts. An error ends the evaluation with that error.
    std::function<Status(std::size_t job, std::uint32_t i, const Digest& d_i)> on_checkpoint;
};

/// d_0 … d_K of each job, in their order. All jobs advance together, one step of each at a time.
/// Errors: kInvalidArgument when the arena does not serve `params`, when a resume list is too long
/// or begins with another d_0; kInterrupted when stopped; on_checkpoint's own.
[[nodiscard]] Result<std::vector<std::vector<Digest>>> evaluate_many(
    const ArenaView& arena, const VdfParams& params, const NetworkId& network_id,
    std::span<const VdfJob> jobs, const VdfEvaluateOptions& options = {});

/// The same for one input.
[[nodiscard]] Result<std::vector<Digest>> evaluate(const ArenaView& arena, const VdfParams& params,
                                                   const NetworkId& network_id, const VdfJob& job,
                                                   const VdfEvaluateOptions& options = {});

}  // namespace holdfast
