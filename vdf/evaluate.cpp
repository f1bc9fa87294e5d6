#include "vdf/evaluate.hpp"

#include <algorithm>
#include <string>

namespace holdfast {
namespace {

// Steps between two questions to stop and progress: about 10 ms on one state.
constexpr std::uint64_t kSliceSteps = std::uint64_t{1} << 16;

/// All jobs of one call; `states` holds only those that still walk, `owner` whose each is.
class Evaluation {
  public:
    Evaluation(const ArenaView& arena, const VdfParams& params, const VdfEvaluateOptions& options)
        : arena_(arena), params_(params), options_(options) {}

    Status start(const NetworkId& network_id, std::span<const VdfJob> jobs);
    Status run();
    [[nodiscard]] std::vector<std::vector<Digest>> take() { return std::move(checkpoints_); }

  private:
    Status record(std::size_t job, const Digest& d);
    Status finish_segments();
    void drop_finished();

    const ArenaView& arena_;
    const VdfParams& params_;
    const VdfEvaluateOptions& options_;
    std::vector<std::vector<Digest>> checkpoints_;
    std::vector<std::size_t> owner_;
    std::vector<WalkState> states_;
    std::uint64_t done_ = 0;
    std::uint64_t total_ = 0;
};

Status Evaluation::record(std::size_t job, const Digest& d) {
    const auto i = static_cast<std::uint32_t>(checkpoints_[job].size());
    if (options_.on_checkpoint) HOLDFAST_TRY(options_.on_checkpoint(job, i, d));
    checkpoints_[job].push_back(d);
    return {};
}

Status Evaluation::start(const NetworkId& network_id, std::span<const VdfJob> jobs) {
    const std::size_t most = std::size_t{params_.checkpoints} + 1;
    checkpoints_.resize(jobs.size());
    total_ = params_.total_steps() * jobs.size();
    for (std::size_t j = 0; j < jobs.size(); ++j) {
        const Digest d_0 = vdf_start(network_id, params_, arena_.epoch_seed, jobs[j].input);
        const std::vector<Digest>& resume = jobs[j].resume;
        if (resume.size() > most || (!resume.empty() && resume.front() != d_0)) {
            return fail(ErrorCode::kInvalidArgument,
                        "checkpoints to resume from belong to another evaluation (height " +
                            std::to_string(jobs[j].height.value) + "); start over");
        }
        checkpoints_[j].reserve(most);
        checkpoints_[j] = resume;
        if (resume.empty()) HOLDFAST_TRY(record(j, d_0));
        done_ += (checkpoints_[j].size() - 1) * params_.steps_per_checkpoint;
        if (checkpoints_[j].size() < most) {
            owner_.push_back(j);
            states_.push_back(vdf_expand(checkpoints_[j].back()));
        }
    }
    return {};
}

Status Evaluation::finish_segments() {
    for (std::size_t s = 0; s < states_.size(); ++s) {
        const std::size_t job = owner_[s];
        const Digest d = vdf_gate(states_[s], checkpoints_[job].size());
        HOLDFAST_TRY(record(job, d));
        states_[s] = vdf_expand(d);
    }
    drop_finished();
    return {};
}

void Evaluation::drop_finished() {
    std::size_t kept = 0;
    for (std::size_t s = 0; s < states_.size(); ++s) {
        if (checkpoints_[owner_[s]].size() > params_.checkpoints) continue;
        states_[kept] = states_[s];
        owner_[kept++] = owner_[s];
    }
    states_.resize(kept);
    owner_.resize(kept);
}

Status Evaluation::run() {
    while (!states_.empty()) {
        for (std::uint64_t left = params_.steps_per_checkpoint; left > 0;) {
            if (options_.stop && options_.stop()) {
                return fail(ErrorCode::kInterrupted,
                            "evaluation stopped; resume at its checkpoint");
            }
            const std::uint64_t steps = std::min(left, kSliceSteps);
            walk_states(options_.kernel, arena_, states_, steps);
            left -= steps;
            done_ += steps * states_.size();
            if (options_.progress) options_.progress(done_, total_);
        }
        HOLDFAST_TRY(finish_segments());
    }
    return {};
}

}  // namespace

Result<std::vector<std::vector<Digest>>> evaluate_many(const ArenaView& arena,
                                                       const VdfParams& params,
                                                       const NetworkId& network_id,
                                                       std::span<const VdfJob> jobs,
                                                       const VdfEvaluateOptions& options) {
    if (!params.validate().accepted() || !arena.serves(params, arena.epoch, arena.epoch_seed)) {
        return fail(ErrorCode::kInvalidArgument, "the arena was filled for other VDF parameters");
    }
    Evaluation evaluation(arena, params, options);
    HOLDFAST_TRY(evaluation.start(network_id, jobs));
    HOLDFAST_TRY(evaluation.run());
    return evaluation.take();
}

Result<std::vector<Digest>> evaluate(const ArenaView& arena, const VdfParams& params,
                                     const NetworkId& network_id, const VdfJob& job,
                                     const VdfEvaluateOptions& options) {
    HOLDFAST_ASSIGN(all, evaluate_many(arena, params, network_id, {&job, 1}, options));
    return std::move(all.front());
}

}  // namespace holdfast
