#include "clock/vdf_clock.hpp"

#include <chrono>

#include "clock/vdf_clock_impl.hpp"
#include "core/hash.hpp"
#include "proofs/entropy.hpp"
#include "storage/parallel.hpp"
#include "vdf/walk.hpp"

namespace holdfast {
namespace {

// How often a thread that waits for another's evaluation checks whether it is cancelled.
constexpr std::chrono::milliseconds kAskStopEvery{20};
constexpr std::size_t kMaxRefusedProofs = 1'024;

std::string height_name(Height height) { return "height " + std::to_string(height.value); }

}  // namespace

// Spec 5: seed_h, with a round that is computed and checked.
Result<HeightEntropy> VdfClock::Impl::seed_of(Height height) {
    HeightEntropy out;
    HOLDFAST_ASSIGN(block, chain->block_by_height(height));
    if (block.height != height) {
        return fail_refused(Reason::kWrongBlock,
                            "the host's answer for the block at " + height_name(height));
    }
    out.block = block;
    std::optional<BeaconRandomness> randomness;
    if (params.has_beacon) {
        if (beacon == nullptr) {
            return fail(ErrorCode::kUnavailable,
                        "this network needs a beacon, and none is connected");
        }
        const Checked<std::uint64_t> round = beacon_round(params, block.time_ms / 1000);
        if (!round) return fail_refused(round.error(), "the block's time");
        HOLDFAST_ASSIGN(value, beacon->randomness(*round));
        HOLDFAST_TRY(beacon->verify(*round, value));
        randomness = BeaconRandomness{value.round, value.randomness};
        out.beacon = std::move(value);
    }
    const Checked<Seed> seed = make_seed(params, network_id, height, block.hash, randomness);
    if (!seed) return fail_refused(seed.error(), "the entropy of " + height_name(height));
    out.seed = *seed;
    return out;
}

/// The newest height with y that is no later than the epoch's source; none: y of epoch 0.
/// Spec 5, heights without y: the next earlier height that has one.
Result<std::optional<VdfClock::Impl::EpochSource>> VdfClock::Impl::source_of(std::uint64_t epoch) {
    HOLDFAST_ASSIGN(height, epoch_source_with_y(params, epoch, [&](Height h) -> Result<bool> {
                        if (!options.closed_without_y) return true;
                        HOLDFAST_ASSIGN(without, options.closed_without_y(h));
                        if (!without) {
                            return fail(ErrorCode::kUnavailable,
                                        "the digest of " + height_name(h) +
                                            " has not closed: whether it has y, and with it the "
                                            "seed of epoch " +
                                            std::to_string(epoch) + ", is not decided");
                        }
                        return !*without;
                    }));
    if (!height) return std::nullopt;
    HOLDFAST_ASSIGN(entropy, seed_of(*height));
    return EpochSource{*height, entropy.seed};
}

// Spec 6: e_n.
Result<std::variant<EpochSeed, VdfContext>> VdfClock::Impl::epoch_step(std::uint64_t epoch) {
    // Downwards to an epoch whose seed is known for the current branch, then up again. A block
    // fixes all blocks before it, so that one comparison vouches for everything below.
    std::vector<std::optional<EpochSource>> sources;  // of epoch, epoch - 1, …
    std::uint64_t bottom = epoch;
    std::uint64_t needed = epoch;  // an epoch this low is asked for by a source above
    std::map<std::uint64_t, EpochSeed> seeds;
    for (;; --bottom) {
        HOLDFAST_ASSIGN(source, source_of(bottom));
        if (source && bottom <= needed) {
            const std::lock_guard lock(mutex);
            const auto known = epochs.find(bottom);
            if (known != epochs.end() && known->second.source == source->height &&
                known->second.source_seed == source->seed) {
                seeds[bottom] = known->second.seed;
                break;
            }
        }
        sources.push_back(source);
        if (!source) break;  // y of epoch 0 stands for it
        needed = std::min(needed, epoch_of(params, source->height));
    }
    if (seeds.empty()) {
        // Epochs below one without a source have none either, and may be asked for by name.
        for (std::uint64_t e = std::min(needed, bottom); e <= bottom; ++e) {
            seeds[e] = holdfast::epoch_seed(network_id, e, genesis_output(network_id));
        }
    }
    for (std::uint64_t e = bottom + 1; e <= epoch; ++e) {
        const EpochSource& source = *sources[epoch - e];
        const std::uint64_t of = epoch_of(params, source.height);
        const VdfContext context = context_with(source.height, source.seed, of, seeds.at(of));
        const std::optional<VdfOutput> y = usable(context);
        if (!y) return context;
        seeds[e] = holdfast::epoch_seed(network_id, e, *y);
        const std::lock_guard lock(mutex);
        epochs[e] = {source.height, source.seed, seeds[e]};
    }
    return seeds[epoch];
}

Result<VdfContext> VdfClock::Impl::context(Height height, const Seed& seed,
                                           const VdfClockWork& work) {
    if (height < params.genesis_height) {
        return fail(ErrorCode::kInvalidArgument,
                    height_name(height) + " is below the network's first");
    }
    const std::uint64_t epoch = epoch_of(params, height);
    for (;;) {
        HOLDFAST_ASSIGN(step, epoch_step(epoch));
        if (const auto* known = std::get_if<EpochSeed>(&step)) {
            return context_with(height, seed, epoch, *known);
        }
        HOLDFAST_TRY(obtain(std::get<VdfContext>(step), work));
    }
}

std::optional<VdfOutput> VdfClock::Impl::usable(const VdfContext& context) const {
    const Digest start = vdf_start(network_id, params.vdf, context.epoch_seed, context.input);
    const std::optional<ClockMark> mark = store->mark(context.height, context.input, start);
    if (!mark) return std::nullopt;
    return mark->y;
}

Result<std::shared_ptr<const VdfArena>> VdfClock::Impl::arena_of(const VdfContext& context,
                                                                 const VdfClockWork& work) {
    FillOptions fill;
    fill.parallel = parallel;
    fill.stop = work.stop;
    if (work.progress) {
        fill.progress = [&](std::uint64_t done, std::uint64_t total) {
            work.progress("filling the arena", done, total);
        };
    }
    auto got = arenas->get(params.vdf, context.epoch, context.epoch_seed, fill);
    if (got || got.error().code != ErrorCode::kBusy) return got;
    // What is wanted now goes before what will be wanted.
    arenas->give_up_ahead();
    return arenas->get(params.vdf, context.epoch, context.epoch_seed, fill);
}

/// Full verification, then the mark that makes y usable.
/// Spec 6: full verification, whoever signed.
Result<Verdict> VdfClock::Impl::accept(const VdfContext& context, const VdfProof& proof,
                                       bool evaluated, const VdfClockWork& work) {
    if (const Verdict claim = verify_vdf_claim(context, proof); !claim) return claim;
    HOLDFAST_ASSIGN(filled, arena_of(context, work));
    VdfVerifyOptions verify;
    verify.parallel = parallel;
    verify.stop = work.stop;
    if (work.progress) {
        verify.progress = [&](std::uint64_t done, std::uint64_t total) {
            work.progress("verifying", done, total);
        };
    }
    HOLDFAST_ASSIGN(verdict, verify_vdf_full(context, proof, filled->view(), verify));
    if (!verdict) return verdict;
    HOLDFAST_TRY(store->keep(proof, evaluated));
    {
        const std::lock_guard lock(mutex);
        ++(evaluated ? counters.heights_evaluated : counters.heights_verified);
    }
    changed.notify_all();
    return verdict;
}

void VdfClock::Impl::note_refused(VdfClockReport& report, Height height, const Verdict& verdict,
                                  const char* from) {
    report.refused.push_back({height, verdict, from});
    const std::lock_guard lock(mutex);
    ++counters.refused;
}

Result<std::optional<VdfOutput>> VdfClock::Impl::try_proof(const VdfContext& context,
                                                           const VdfProof& proof, const char* from,
                                                           const VdfClockWork& work,
                                                           VdfClockReport& report) {
    const Digest hash = sha256(proof.encode());
    {
        const std::lock_guard lock(mutex);
        if (refused_proofs.count(hash) > 0) return std::nullopt;  // verified once is enough
    }
    HOLDFAST_ASSIGN(verdict, accept(context, proof, false, work));
    if (verdict) {
        report.verified.push_back(context.height);
        return proof.y;
    }
    note_refused(report, context.height, verdict, from);
    const std::lock_guard lock(mutex);
    if (refused_proofs.size() >= kMaxRefusedProofs) refused_proofs.clear();
    refused_proofs.insert(hash);
    return std::nullopt;
}

Result<std::optional<VdfOutput>> VdfClock::Impl::find(const VdfContext& context,
                                                      const VdfClockWork& work,
                                                      VdfClockReport& report) {
    if (const auto y = usable(context)) return y;
    const Result<VdfProof> stored = store->file(context.height);
    if (stored && stored->input == context.input) {
        HOLDFAST_ASSIGN(y, try_proof(context, *stored, "folder", work, report));
        if (y) return y;
    } else if (!stored && stored.error().code != ErrorCode::kNotFound &&
               stored.error().code != ErrorCode::kRefused &&
               stored.error().code != ErrorCode::kInvalidArgument) {
        return fail(stored.error());  // a damaged file is replaced; a disk that fails is not hidden
    }
    if (!options.proofs) return std::nullopt;
    const Result<VdfProof> foreign = options.proofs(context.height, context.input);
    if (!foreign) return std::nullopt;
    return try_proof(context, *foreign, "proofs", work, report);
}

VdfClock::Impl::Turn::~Turn() {
    if (impl_ == nullptr) return;
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->evaluating = false;
    }
    impl_->changed.notify_all();
}

Result<std::optional<VdfClock::Impl::Turn>> VdfClock::Impl::take_turn(const VdfContext* context,
                                                                      const VdfClockWork& work) {
    for (;;) {
        if (context != nullptr && usable(*context)) return std::nullopt;
        if (work.stop && work.stop()) {
            return fail(ErrorCode::kInterrupted, "waiting for an evaluation was stopped");
        }
        std::unique_lock lock(mutex);
        if (!evaluating) {
            evaluating = true;
            return std::optional<Turn>(Turn(*this));
        }
        changed.wait_for(lock, kAskStopEvery);
    }
}

Result<VdfOutput> VdfClock::Impl::obtain(const VdfContext& context, const VdfClockWork& work) {
    VdfClockReport report;
    HOLDFAST_ASSIGN(found, find(context, work, report));
    if (found) return *found;
    if (!can_evaluate()) {
        return fail(ErrorCode::kUnavailable, "no usable VDF proof of " +
                                                 height_name(context.height) +
                                                 ", and no evaluator key to make one");
    }
    HOLDFAST_ASSIGN(turn, take_turn(&context, work));
    if (turn) HOLDFAST_TRY(evaluate({context}, std::nullopt, work, report));
    if (const auto y = usable(context)) return *y;
    return fail(ErrorCode::kUnavailable, "the block at " + height_name(context.height) +
                                             " was replaced during its evaluation; ask again");
}

Result<HeightEntropy> VdfClock::Impl::at(Height height, const VdfClockWork& work) {
    HOLDFAST_ASSIGN(out, seed_of(height));
    if (!params.has_vdf) {
        out.y = seed_as_output(out.seed);
        return out;
    }
    HOLDFAST_ASSIGN(known, context(height, out.seed, work));
    HOLDFAST_ASSIGN(y, obtain(known, work));
    out.y = y;
    return out;
}

VdfClock::VdfClock(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
VdfClock::VdfClock(VdfClock&&) noexcept = default;
VdfClock& VdfClock::operator=(VdfClock&&) noexcept = default;
VdfClock::~VdfClock() = default;

Result<VdfClock> VdfClock::open(const NetworkParams& params, Blockchain& chain, Beacon* beacon,
                                std::optional<KeyPair> evaluator, const VdfClockOptions& options) {
    if (const Verdict v = params.validate(); !v) return fail_refused(v, "network parameters");
    if (options.outside && !evaluator) {
        return fail(ErrorCode::kInvalidArgument,
                    "an outside evaluator needs a key of this node that signs its proofs");
    }
    auto impl = std::make_unique<Impl>();
    impl->params = params;
    impl->network_id = params.id();
    impl->chain = &chain;
    impl->beacon = beacon;
    impl->evaluator = std::move(evaluator);
    impl->options = options;
    impl->options.at_once = std::max(options.at_once, 1U);
    impl->parallel = pool_parallel(options.threads);
    if (params.has_vdf) {
        const std::uint64_t one = params.vdf.arena_bytes();
        std::uint64_t& ceiling = impl->options.arena_ceiling_bytes;
        if (ceiling == 0) ceiling = 2 * one;
        if (ceiling < one) {
            return fail(ErrorCode::kInvalidArgument,
                        "the network's arena has " + std::to_string(one >> 10) +
                            " KiB, more than the memory ceiling of " +
                            std::to_string(ceiling >> 10) + " KiB; raise the ceiling");
        }
        impl->arenas = std::make_unique<ArenaCache>(ceiling);
        const KeyPair* owner = impl->evaluator ? &*impl->evaluator : nullptr;
        HOLDFAST_ASSIGN(store,
                        ClockStore::open(options.folder, options.access, impl->network_id, owner));
        impl->store = std::move(store);
    }
    return VdfClock(std::move(impl));
}

Result<HeightEntropy> VdfClock::at(Height height, const VdfClockWork& work) {
    return impl_->at(height, work);
}

Result<VdfClockReport> VdfClock::advance(const VdfClockWork& work) {
    if (!impl_->params.has_vdf) return VdfClockReport{};
    return impl_->advance(work);
}

Result<VdfProof> VdfClock::proof(Height height) const {
    if (!impl_->params.has_vdf) return fail(ErrorCode::kNotFound, "this network has no VDF");
    return impl_->store->proof(height);
}

Result<Verdict> VdfClock::import(const VdfProof& proof, const VdfClockWork& work) {
    // Before anything is evaluated or filled for a stranger's proof.
    if (const Verdict v = impl_->params.check_vdf(proof.params); !v) return v;
    HOLDFAST_ASSIGN(known, context(proof.height, work));
    return impl_->accept(known, proof, false, work);
}

// Spec 6: a spot check makes no y usable by itself (15.8 says what else it takes).
Result<Verdict> VdfClock::spot_check(const VdfProof& proof, std::uint32_t segments,
                                     const Digest& randomness, const VdfClockWork& work) {
    if (const Verdict v = impl_->params.check_vdf(proof.params); !v) return v;
    HOLDFAST_ASSIGN(known, context(proof.height, work));
    if (const Verdict claim = verify_vdf_claim(known, proof); !claim) return claim;
    HOLDFAST_ASSIGN(filled, impl_->arena_of(known, work));
    VdfVerifyOptions verify;
    verify.parallel = impl_->parallel;
    verify.stop = work.stop;
    return verify_vdf_spot(known, proof,
                           pick_spot_segments(randomness, proof.params.checkpoints, segments),
                           filled->view(), verify);
}

Status VdfClock::prune(Height below) {
    return impl_->params.has_vdf ? impl_->prune(below) : Status{};
}

Result<VdfContext> VdfClock::context(Height height, const VdfClockWork& work) {
    if (!impl_->params.has_vdf) {
        return fail(ErrorCode::kInvalidArgument, "this network has no VDF");
    }
    HOLDFAST_ASSIGN(seeded, impl_->seed_of(height));
    return impl_->context(height, seeded.seed, work);
}

Result<std::shared_ptr<const VdfArena>> VdfClock::arena(const VdfContext& context,
                                                        const VdfClockWork& work) {
    return impl_->arena_of(context, work);
}

void VdfClock::set_closed_without_y(
    std::function<Result<std::optional<bool>>(Height)> closed_without_y) {
    impl_->options.closed_without_y = std::move(closed_without_y);
}

}  // namespace holdfast
