// Following the host: which heights lack y, their evaluation side by side, and what a
// reorganisation does to them.
#include <algorithm>
#include <chrono>

#include "clock/vdf_clock_impl.hpp"
#include "core/hash.hpp"
#include "storage/parallel.hpp"
#include "vdf/evaluate.hpp"

namespace holdfast {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Heights that one plan looks for beyond those evaluated at once: others' proofs may have them.
constexpr std::size_t kLookAhead = 8;
// Heights without an answer of the host or the beacon after which a plan looks no further.
constexpr std::size_t kMaxWaiting = 16;
// Rounds of evaluation that a change at the host ended before anything was finished, after which
// the caller gets control back.
constexpr std::size_t kMaxIdleRounds = 256;

bool was_interrupted(const Status& status) {
    return !status && status.error().code == ErrorCode::kInterrupted;
}

/// Asks the host now and then whether the blocks that evaluations work for are still there.
class Watch {
  public:
    /// What is to be done with one evaluation.
    struct Job {
        const VdfContext* context = nullptr;
        std::atomic<bool> dropped{false};
        std::atomic<bool> finished{false};
    };
    /// True for a context that is still wanted. May be called from any thread.
    using Wanted = std::function<bool(const VdfContext& context)>;
    /// True when there is more to do than what is in progress.
    using MoreToDo = std::function<bool()>;

    Watch(const std::vector<VdfContext>& contexts, std::uint32_t poll_ms, Wanted wanted,
          MoreToDo more)
        : jobs_(contexts.size()),
          poll_(std::chrono::milliseconds(poll_ms)),
          wanted_(std::move(wanted)),
          more_(std::move(more)),
          next_((SteadyClock::now() + poll_).time_since_epoch().count()) {
        for (std::size_t j = 0; j < contexts.size(); ++j) jobs_[j].context = &contexts[j];
    }

    void poll() {
        const auto now = SteadyClock::now();
        if (now.time_since_epoch().count() < next_ || asking_.test_and_set()) return;
        bool change = more_();
        for (Job& job : jobs_) {
            if (job.dropped || job.finished || wanted_(*job.context)) continue;
            job.dropped = true;
            change = true;
        }
        if (change) changed_ = true;
        next_ = (SteadyClock::now() + poll_).time_since_epoch().count();
        asking_.clear();
    }
    /// Everybody lays down work at the next checkpoint.
    [[nodiscard]] bool changed() const { return changed_; }
    /// Nobody looks at this one any more.
    void finished(const VdfContext& context) {
        for (Job& job : jobs_) {
            if (job.context == &context) job.finished = true;
        }
    }
    [[nodiscard]] std::size_t dropped_count() const {
        return static_cast<std::size_t>(std::count_if(
            jobs_.begin(), jobs_.end(), [](const Job& j) { return j.dropped.load(); }));
    }

  private:
    std::vector<Job> jobs_;
    std::chrono::nanoseconds poll_;
    Wanted wanted_;
    MoreToDo more_;
    std::atomic<SteadyClock::rep> next_;
    std::atomic_flag asking_;
    std::atomic<bool> changed_{false};
};

/// Steps done by several groups, as one number for one listener.
class SharedProgress {
  public:
    SharedProgress(const VdfClockWork& work, std::size_t groups) : work_(work), groups_(groups) {}
    void update(std::size_t group, std::uint64_t done, std::uint64_t total) {
        if (!work_.progress) return;
        groups_[group].done = done;
        groups_[group].total = total;
        std::uint64_t all_done = 0;
        std::uint64_t all = 0;
        for (const Group& g : groups_) {
            all_done += g.done;
            all += g.total;
        }
        work_.progress("evaluating", all_done, all);
    }

  private:
    struct Group {
        std::atomic<std::uint64_t> done{0};
        std::atomic<std::uint64_t> total{0};
    };
    const VdfClockWork& work_;
    std::vector<Group> groups_;
};

/// Some evaluations that share a thread, each with its own file of checkpoints. Those that end
/// leave the group at once: nobody waits for its neighbours.
class Group {
  public:
    struct Hooks {
        std::function<bool()> user_stop;
        std::function<void()> poll;
        std::function<bool()> lay_down;  // at a checkpoint
        std::function<void(std::uint64_t done, std::uint64_t total)> progress;
        std::function<void(std::uint32_t i)> checkpoint;
        std::function<Status(const VdfContext&, std::vector<Digest>)> finished;
    };

    Group(const ClockStore& store, const ArenaView& arena, const NetworkParams& params,
          const NetworkId& network_id, Hooks hooks)
        : store_(store),
          arena_(arena),
          params_(params),
          network_id_(network_id),
          hooks_(std::move(hooks)) {}

    Status add(const VdfContext& context) {
        HOLDFAST_ASSIGN(file, store_.checkpoints(context.height, context.input));
        members_.push_back({&context, std::move(file)});
        return {};
    }
    /// Until all have ended or hooks.lay_down() says so. kInterrupted for the user's stop only.
    Status run();

  private:
    struct Member {
        const VdfContext* context;
        VdfCheckpointFile file;
    };
    Status walk();
    Status take_finished();

    const ClockStore& store_;
    const ArenaView& arena_;
    const NetworkParams& params_;
    const NetworkId& network_id_;
    Hooks hooks_;
    std::vector<Member> members_;
};

/// One stretch of walking: until a member ends, the work is laid down, or all have ended.
Status Group::walk() {
    std::vector<VdfCheckpointFile*> files;
    std::vector<VdfJob> jobs;
    for (Member& m : members_) {
        files.push_back(&m.file);
        jobs.push_back({m.context->height, m.context->input, {}});
    }
    const std::uint32_t last = params_.vdf.checkpoints;
    bool at_checkpoint = true;
    bool one_ended = false;
    VdfEvaluateOptions options;
    options.progress = [&](std::uint64_t done, std::uint64_t total) {
        at_checkpoint = false;
        if (hooks_.progress) hooks_.progress(done, total);
    };
    options.on_checkpoint = [&](std::size_t, std::uint32_t i, const Digest&) -> Status {
        at_checkpoint = true;
        one_ended = one_ended || i == last;
        hooks_.checkpoint(i);
        return {};
    };
    options.stop = [&] {
        if (hooks_.user_stop()) return true;
        hooks_.poll();
        return at_checkpoint && (one_ended || hooks_.lay_down());
    };
    const auto walked = evaluate_durably(files, arena_, params_.vdf, network_id_, jobs, options);
    if (walked || walked.error().code == ErrorCode::kInterrupted) return {};
    return fail(walked.error());
}

Status Group::take_finished() {
    const std::size_t whole = std::size_t{params_.vdf.checkpoints} + 1;
    for (std::size_t m = members_.size(); m-- > 0;) {
        const VdfContext& context = *members_[m].context;
        std::vector<Digest> d = members_[m].file.checkpoints(context.height, context.input);
        if (d.size() != whole) continue;
        HOLDFAST_TRY(hooks_.finished(context, std::move(d)));
        members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(m));
    }
    return {};
}

Status Group::run() {
    while (!members_.empty()) {
        HOLDFAST_TRY(walk());
        HOLDFAST_TRY(take_finished());
        if (members_.empty()) break;
        if (hooks_.user_stop()) {
            return fail(ErrorCode::kInterrupted,
                        "evaluation stopped; its checkpoints are kept, and it goes on from there");
        }
        if (hooks_.lay_down()) break;
    }
    return {};
}

}  // namespace

/// What the outside evaluator delivers and holds is kept; the rest stays in `contexts`.
Status VdfClock::Impl::ask_outside(std::vector<VdfContext>& contexts, const VdfClockWork& work,
                                   VdfClockReport& report) {
    if (!options.outside) return {};
    std::vector<VdfContext> left;
    for (const VdfContext& context : contexts) {
        left.push_back(context);
        Result<std::vector<Digest>> d = options.outside(context, work);
        if (work.stop && work.stop()) {
            return fail(ErrorCode::kInterrupted, "evaluation elsewhere was stopped");
        }
        if (!d) continue;
        Verdict verdict = Reason::kBadField;
        if (d->size() == std::size_t{params.vdf.checkpoints} + 1) {
            HOLDFAST_ASSIGN(proof, make_vdf_proof(params.vdf, network_id, context.height,
                                                  context.input, std::move(*d), *evaluator));
            HOLDFAST_ASSIGN(v, accept(context, proof, true, work));
            verdict = v;
        }
        if (verdict) {
            report.evaluated.push_back(context.height);
            left.pop_back();
        } else {
            note_refused(report, context.height, verdict, "outside");
        }
    }
    contexts = std::move(left);
    return {};
}

Status VdfClock::Impl::evaluate(std::vector<VdfContext> contexts,
                                const std::optional<Height>& planned_tip, const VdfClockWork& work,
                                VdfClockReport& report) {
    HOLDFAST_TRY(ask_outside(contexts, work, report));
    if (contexts.empty()) return {};
    HOLDFAST_ASSIGN(arena, arena_of(contexts.front(), work));
    const ArenaView view = arena->view();
    const auto wanted = [this](const VdfContext& context) {
        if (usable(context)) return false;  // somebody's proof has come in
        const Result<HeightEntropy> now = seed_of(context.height);
        // A host that does not answer has not replaced anything.
        if (!now) return now.error().code != ErrorCode::kNotFound;
        return now->seed == context.input;
    };
    const auto more = [&] {
        if (!planned_tip || contexts.size() >= options.at_once) return false;
        const Result<Height> tip = chain->current_height();
        return tip && *tip > *planned_tip;
    };
    Watch watch(contexts, options.poll_ms, wanted, more);

    const std::size_t count =
        std::min(worker_count(options.threads, contexts.size()), worker_count(0, contexts.size()));
    SharedProgress progress(work, count);
    std::mutex report_mutex;
    std::atomic<bool> failed{false};
    std::vector<Group> groups;
    groups.reserve(count);
    const auto started = SteadyClock::now();
    std::atomic<std::uint64_t> segments{0};
    for (std::size_t g = 0; g < count; ++g) {
        Group::Hooks hooks;
        hooks.user_stop = [&] { return failed || (work.stop && work.stop()); };
        hooks.poll = [&] { watch.poll(); };
        hooks.lay_down = [&] { return watch.changed(); };
        hooks.progress = [&, g](std::uint64_t done, std::uint64_t total) {
            progress.update(g, done, total);
        };
        hooks.checkpoint = [&](std::uint32_t i) {
            if (i == 0) return;
            ++segments;
            const std::lock_guard lock(mutex);
            ++counters.segments_evaluated;
        };
        hooks.finished = [&](const VdfContext& context, std::vector<Digest> d) -> Status {
            watch.finished(context);
            HOLDFAST_ASSIGN(proof, make_vdf_proof(params.vdf, network_id, context.height,
                                                  context.input, std::move(d), *evaluator));
            HOLDFAST_ASSIGN(verdict, accept(context, proof, true, work));
            HOLDFAST_TRY(store->forget_checkpoints(context.height, context.input));
            const std::lock_guard lock(report_mutex);
            if (verdict) {
                report.evaluated.push_back(context.height);
                return {};
            }
            note_refused(report, context.height, verdict, "evaluation");
            return fail(ErrorCode::kCorrupt,
                        "the evaluation of height " + std::to_string(context.height.value) +
                            " does not hold (" + to_string(verdict) +
                            "): its checkpoints or this machine's memory are damaged; nothing was "
                            "signed, and it starts over with the next call");
        };
        groups.emplace_back(*store, view, params, network_id, std::move(hooks));
    }
    for (std::size_t c = 0; c < contexts.size(); ++c) {
        HOLDFAST_TRY(groups[c % count].add(contexts[c]));
    }
    std::vector<Status> results(count);
    const auto run = [&](std::size_t g) {
        results[g] = groups[g].run();
        if (!results[g] && !was_interrupted(results[g])) failed = true;
    };
    if (count == 1) {
        run(0);
    } else {
        parallel(count, run);
    }
    {
        const double seconds = std::chrono::duration<double>(SteadyClock::now() - started).count();
        const std::lock_guard lock(mutex);
        counters.abandoned += watch.dropped_count();
        if (segments > 0 && seconds > 0) {
            counters.steps_per_second = static_cast<double>(segments) *
                                        static_cast<double>(params.vdf.steps_per_checkpoint) /
                                        seconds / static_cast<double>(contexts.size());
        }
    }
    for (const Status& result : results) {
        if (!result && !was_interrupted(result)) return fail(result.error());
    }
    for (const Status& result : results) HOLDFAST_TRY(result);
    return {};
}

/// Empty when the height has y. Otherwise what must be evaluated: the height itself, or the source
/// of its epoch.
Result<std::optional<VdfContext>> VdfClock::Impl::missing_at(Height height, const Seed& seed) {
    const std::uint64_t epoch = epoch_of(params, height);
    HOLDFAST_ASSIGN(step, epoch_step(epoch));
    if (const auto* source = std::get_if<VdfContext>(&step)) return std::optional(*source);
    VdfContext context = context_with(height, seed, epoch, std::get<EpochSeed>(step));
    if (usable(context)) return std::nullopt;
    return std::optional(context);
}

/// A final block is never replaced. A host that does so is not followed any further.
Status VdfClock::Impl::check_settled_block() {
    std::optional<BlockInfo> settled;
    {
        const std::lock_guard lock(mutex);
        settled = newest_settled;
    }
    if (!settled) return {};
    HOLDFAST_ASSIGN(now, chain->block_by_height(settled->height));
    if (now.hash == settled->hash) return {};
    return fail_refused(Reason::kWrongBlock, "the host replaced its final block at height " +
                                                 std::to_string(settled->height.value));
}

Status VdfClock::Impl::settle(const BlockInfo& block) {
    {
        const std::lock_guard lock(mutex);
        newest_settled = block;
    }
    HOLDFAST_TRY(store->settle(block.height));
    if (options.keep_proofs == 0 || block.height.value < options.keep_proofs) return {};
    const Height below = block.height - options.keep_proofs + 1;
    const std::uint64_t step = options.keep_proofs / 8 + 1;  // a folder is not listed every time
    {
        const std::lock_guard lock(mutex);
        if (pruned_below && below.since(*pruned_below) < step) return {};
        pruned_below = below;
    }
    return prune(below);
}

Status VdfClock::Impl::prune(Height below) const {
    return store->prune(below, [this](Height height) {
        // Whoever joins later needs the sources of all epochs to build its arenas.
        return epoch_source_height(params, epoch_of(params, height) + 1) == height;
    });
}

Result<VdfClock::Impl::Plan> VdfClock::Impl::make_plan(VdfClockReport& report) {
    Plan plan;
    HOLDFAST_TRY(check_settled_block());
    HOLDFAST_ASSIGN(tip, chain->current_height());
    plan.tip = tip;
    report.waiting.clear();
    std::optional<BlockInfo> settled;
    const Height first =
        std::max(options.first.value_or(params.genesis_height), params.genesis_height);
    const std::optional<Height> before = store->settled();
    bool gapless = true;
    for (Height h = before && *before >= first ? *before + 1 : first; h <= tip; ++h) {
        if (plan.missing.size() >= options.at_once + kLookAhead) break;
        if (report.waiting.size() >= kMaxWaiting) break;
        const Result<HeightEntropy> entropy = seed_of(h);
        if (!entropy) {
            report.waiting.push_back({h, entropy.error()});
            gapless = false;
            continue;
        }
        if (!options.from_tip && !entropy->block.final) break;
        bool wanted = true;
        if (options.closed_without_y) {
            HOLDFAST_ASSIGN(without, options.closed_without_y(h));
            wanted = !without.value_or(false);
        }
        if (wanted) {
            const auto missing = missing_at(h, entropy->seed);
            if (!missing && missing.error().code == ErrorCode::kUnavailable) {
                report.waiting.push_back({h, missing.error()});
                break;  // nor can those of later heights be known
            }
            if (!missing) return fail(missing.error());
            if (*missing) {
                gapless = false;
                const bool planned =
                    std::any_of(plan.missing.begin(), plan.missing.end(), [&](const VdfContext& c) {
                        return c.height == (*missing)->height && c.input == (*missing)->input;
                    });
                if (!planned) plan.missing.push_back(**missing);
                if ((*missing)->height != h) break;  // its epoch's seed comes first
                continue;
            }
        }
        if (gapless && entropy->block.final) settled = entropy->block;
    }
    if (settled) HOLDFAST_TRY(settle(*settled));
    return plan;
}

/// The arena of the next epoch, once its seed is known and the ceiling has room for two; those of
/// past epochs go when every height of them has its y.
void VdfClock::Impl::fill_ahead(Height tip) {
    if (const auto settled = store->settled()) {
        arenas->release_before(epoch_of(params, *settled + 1));
    }
    if (!options.fill_ahead || options.arena_ceiling_bytes / 2 < params.vdf.arena_bytes()) {
        return;
    }
    const std::uint64_t next = epoch_of(params, tip) + 1;
    const std::optional<Height> source = epoch_source_height(params, next);
    if (!source || *source > tip) return;
    const auto step = epoch_step(next);
    if (!step) return;  // the host will be asked again
    if (const auto* seed = std::get_if<EpochSeed>(&*step)) {
        arenas->fill_ahead(params.vdf, next, *seed);
    }
}

Result<VdfClockReport> VdfClock::Impl::advance(const VdfClockWork& work) {
    HOLDFAST_ASSIGN(turn, take_turn(nullptr, work));
    VdfClockReport report;
    std::size_t idle = 0;
    for (;;) {
        if (work.stop && work.stop()) return fail(ErrorCode::kInterrupted, "the clock was stopped");
        HOLDFAST_ASSIGN(plan, make_plan(report));
        fill_ahead(plan.tip);
        std::vector<VdfContext> todo;
        bool found_one = false;
        for (const VdfContext& context : plan.missing) {
            HOLDFAST_ASSIGN(y, find(context, work, report));
            found_one = found_one || y;
            if (!y) todo.push_back(context);
        }
        if (found_one) continue;  // more may be known now, or settled
        if (todo.empty()) return report;
        if (!can_evaluate()) {
            for (const VdfContext& context : todo) {
                report.waiting.push_back(
                    {context.height, Error{ErrorCode::kUnavailable,
                                           "no proof of this height, and no evaluator key",
                                           {}}});
            }
            return report;
        }
        std::vector<VdfContext> together;  // one arena
        for (const VdfContext& context : todo) {
            if (context.epoch == todo.front().epoch && together.size() < options.at_once) {
                together.push_back(context);
            }
        }
        const std::size_t before = report.evaluated.size();
        HOLDFAST_TRY(evaluate(std::move(together), plan.tip, work, report));
        idle = report.evaluated.size() > before ? 0 : idle + 1;
        if (idle > kMaxIdleRounds) {
            report.waiting.push_back(
                {todo.front().height, Error{ErrorCode::kUnavailable,
                                            "the host replaces its blocks faster than they can be "
                                            "evaluated",
                                            {}}});
            return report;
        }
    }
}

Result<VdfClockStatus> VdfClock::status() const {
    Impl& impl = *impl_;
    VdfClockStatus out;
    {
        const std::lock_guard lock(impl.mutex);
        out = impl.counters;
    }
    HOLDFAST_ASSIGN(tip, impl.chain->current_height());
    out.tip = tip;
    for (Height h = tip; h >= impl.params.genesis_height; h = h - 1) {
        const Result<BlockInfo> block = impl.chain->block_by_height(h);
        if (!block && block.error().code != ErrorCode::kNotFound) return fail(block.error());
        if (block && block->final) {
            out.newest_final = h;
            break;
        }
        // A host that shows less is believed, but not searched forever.
        if (h.value == 0 || tip.since(h) > std::uint64_t{impl.params.finality_blocks} + 1) break;
    }
    if (!impl.params.has_vdf) return out;
    out.settled = impl.store->settled();
    const Height first = impl.options.first.value_or(impl.params.genesis_height);
    for (Height h = out.settled ? std::max(*out.settled + 1, first) : first; h <= tip; ++h) {
        if (impl.store->has_mark(h)) continue;
        ++out.behind_tip;
        if (out.newest_final && h <= *out.newest_final) ++out.behind;
    }
    out.in_progress = impl.store->kept_checkpoints();
    out.segments_in_all = impl.params.vdf.checkpoints;
    out.arena_bytes = impl.arenas->used_bytes();
    out.arena_fills = impl.arenas->fills();
    return out;
}

}  // namespace holdfast
