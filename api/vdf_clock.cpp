#include "api/vdf_clock.hpp"

#include "core/file.hpp"
#include "core/parallel.hpp"
#include "proofs/entropy.hpp"
#include "vdf/evaluate.hpp"

namespace holdfast {
namespace {

/// The largest VDF proof that any network can have: parameters, K + 1 checkpoints, ends.
constexpr std::uint64_t kMaxVdfProofBytes = 2 + kVdfParamsBytes + 8 + 32 +
                                            (std::uint64_t{kMaxCheckpoints} + 1) * kDigestBytes +
                                            32 + 32 + 64;

}  // namespace

struct VdfClock::Impl {
    NetworkParams params;
    NetworkId network_id;
    Blockchain* chain = nullptr;
    Beacon* beacon = nullptr;
    std::optional<KeyPair> evaluator;
    VdfClockOptions options;
    ParallelFor parallel;
    std::shared_ptr<const VdfArena> arena;

    Result<HeightEntropy> seed_of(Height height);
    Result<VdfOutput> epoch_source(std::uint64_t epoch, const VdfClockWork& work);
    Result<VdfContext> context(Height height, const Seed& seed, const VdfClockWork& work);
    Result<std::shared_ptr<const VdfArena>> arena_of(const VdfContext& context,
                                                     const VdfClockWork& work);
    Result<VdfOutput> y_of(const VdfContext& context, const VdfClockWork& work);
    Result<std::optional<VdfOutput>> stored_y(const VdfContext& context, const VdfClockWork& work);
    Result<VdfOutput> evaluate_y(const VdfContext& context, const VdfClockWork& work);
    Status store(const VdfProof& proof) const;
    Result<HeightEntropy> at(Height height, const VdfClockWork& work);
};

Result<HeightEntropy> VdfClock::Impl::seed_of(Height height) {
    HeightEntropy out;
    HOLDFAST_ASSIGN(block, chain->block_by_height(height));
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
    if (!seed)
        return fail_refused(seed.error(), "the entropy of height " + std::to_string(height.value));
    out.seed = *seed;
    return out;
}

Result<VdfOutput> VdfClock::Impl::epoch_source(std::uint64_t epoch, const VdfClockWork& work) {
    const std::optional<Height> source = epoch_source_height(params, epoch);
    if (!source) return genesis_output(network_id);
    HOLDFAST_ASSIGN(entropy, at(*source, work));
    return entropy.y;
}

Result<VdfContext> VdfClock::Impl::context(Height height, const Seed& seed,
                                           const VdfClockWork& work) {
    HOLDFAST_ASSIGN(source, epoch_source(epoch_of(params, height), work));
    return make_vdf_context(params, network_id, height, seed, source);
}

Result<std::shared_ptr<const VdfArena>> VdfClock::Impl::arena_of(const VdfContext& context,
                                                                 const VdfClockWork& work) {
    if (arena && arena->view().serves(params.vdf, context.epoch, context.epoch_seed)) return arena;
    arena.reset();  // before the next one is filled: one arena's memory, not two
    FillOptions fill;
    fill.parallel = parallel;
    fill.stop = work.stop;
    if (work.progress) {
        fill.progress = [&](std::uint64_t done, std::uint64_t total) {
            work.progress("filling the arena", done, total);
        };
    }
    HOLDFAST_ASSIGN(filled, VdfArena::fill(params.vdf, context.epoch, context.epoch_seed, fill));
    arena = filled;
    return arena;
}

Result<std::optional<VdfOutput>> VdfClock::Impl::stored_y(const VdfContext& context,
                                                          const VdfClockWork& work) {
    const Result<VdfProof> stored = read_vdf_proof(proof_file(options.folder, context.height));
    if (!stored) {
        // A damaged file of ours is evaluated again; a disk that fails is not hidden.
        const ErrorCode code = stored.error().code;
        if (code == ErrorCode::kNotFound || code == ErrorCode::kRefused) return std::nullopt;
        return fail(stored.error());
    }
    if (!verify_vdf_claim(context, *stored)) return std::nullopt;
    if (evaluator && stored->evaluator == evaluator->public_key()) return stored->y;
    HOLDFAST_ASSIGN(filled, arena_of(context, work));
    VdfVerifyOptions verify;
    verify.parallel = parallel;
    verify.stop = work.stop;
    HOLDFAST_ASSIGN(verdict, verify_vdf_full(context, *stored, filled->view(), verify));
    if (!verdict) return std::nullopt;
    return stored->y;
}

Result<VdfOutput> VdfClock::Impl::evaluate_y(const VdfContext& context, const VdfClockWork& work) {
    HOLDFAST_ASSIGN(filled, arena_of(context, work));
    VdfEvaluateOptions evaluation;
    evaluation.stop = work.stop;
    if (work.progress) {
        evaluation.progress = [&](std::uint64_t done, std::uint64_t total) {
            work.progress("evaluating", done, total);
        };
    }
    HOLDFAST_ASSIGN(checkpoints, evaluate(filled->view(), params.vdf, network_id,
                                          VdfJob{context.height, context.input, {}}, evaluation));
    const VdfProof proof = make_vdf_proof(params.vdf, network_id, context.height, context.input,
                                          std::move(checkpoints), *evaluator);
    HOLDFAST_TRY(store(proof));
    return proof.y;
}

Result<VdfOutput> VdfClock::Impl::y_of(const VdfContext& context, const VdfClockWork& work) {
    HOLDFAST_ASSIGN(stored, stored_y(context, work));
    if (stored) return *stored;
    if (!evaluator) {
        return fail(ErrorCode::kUnavailable, "no usable VDF proof of height " +
                                                 std::to_string(context.height.value) +
                                                 ", and no evaluator key to make one");
    }
    return evaluate_y(context, work);
}

Status VdfClock::Impl::store(const VdfProof& proof) const {
    return write_file(proof_file(options.folder, proof.height),
                      wrap_object(Kind::kVdfProof, proof.encode()), true);
}

Result<HeightEntropy> VdfClock::Impl::at(Height height, const VdfClockWork& work) {
    HOLDFAST_ASSIGN(out, seed_of(height));
    if (!params.has_vdf) {
        out.y = seed_as_output(out.seed);
        return out;
    }
    HOLDFAST_ASSIGN(known, context(height, out.seed, work));
    HOLDFAST_ASSIGN(y, y_of(known, work));
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
    auto impl = std::make_unique<Impl>();
    impl->params = params;
    impl->network_id = params.id();
    impl->chain = &chain;
    impl->beacon = beacon;
    impl->evaluator = std::move(evaluator);
    impl->options = options;
    impl->parallel = pool_parallel(options.threads);
    if (params.has_vdf) {
        std::error_code error;
        std::filesystem::create_directories(options.folder, error);
        if (error) return fail_errno(error.value(), options.folder.string());
    }
    return VdfClock(std::move(impl));
}

Result<HeightEntropy> VdfClock::at(Height height, const VdfClockWork& work) {
    return impl_->at(height, work);
}

Result<VdfProof> VdfClock::proof(Height height) const {
    return read_vdf_proof(proof_file(impl_->options.folder, height));
}

Result<Verdict> VdfClock::import(const VdfProof& proof, const VdfClockWork& work) {
    HOLDFAST_ASSIGN(known, context(proof.height, work));
    if (const Verdict claim = verify_vdf_claim(known, proof); !claim) return claim;
    HOLDFAST_ASSIGN(filled, impl_->arena_of(known, work));
    VdfVerifyOptions verify;
    verify.parallel = impl_->parallel;
    verify.stop = work.stop;
    if (work.progress) {
        verify.progress = [&](std::uint64_t done, std::uint64_t total) {
            work.progress("verifying", done, total);
        };
    }
    HOLDFAST_ASSIGN(verdict, verify_vdf_full(known, proof, filled->view(), verify));
    if (verdict) HOLDFAST_TRY(impl_->store(proof));
    return verdict;
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

std::filesystem::path VdfClock::proof_file(const std::filesystem::path& folder, Height height) {
    return folder / (std::to_string(height.value) + ".vdfproof");
}

Result<VdfProof> read_vdf_proof(const std::filesystem::path& file) {
    HOLDFAST_ASSIGN(object, read_file(file, kMaxVdfProofBytes));
    const Checked<ByteView> body = unwrap_object(Kind::kVdfProof, object);
    if (!body) return fail_refused(body.error(), file.string());
    Checked<VdfProof> proof = VdfProof::decode(*body);
    if (!proof) return fail_refused(proof.error(), file.string());
    return std::move(*proof);
}

}  // namespace holdfast
