// The sequential function, without a chain and without a disk.
#include "capi/network.hpp"
#include "capi/signer.hpp"
#include "clock/arena_cache.hpp"
#include "proofs/entropy.hpp"
#include "storage/parallel.hpp"
#include "storage/randomness.hpp"
#include "vdf/evaluate.hpp"
#include "vdf/proof.hpp"
#include "vdf/verify.hpp"

struct holdfast_vdf : holdfast::capi::Handle<0x666476666f686464> {
    holdfast_vdf(const holdfast::NetworkParams& from, std::uint64_t memory_bytes,
                 std::uint32_t wanted_threads)
        : params(from), id(from.id()), threads(wanted_threads), arenas(memory_bytes) {}
    const holdfast::NetworkParams params;
    const holdfast::NetworkId id;
    const std::uint32_t threads;
    holdfast::ArenaCache arenas;
};

namespace holdfast::capi {
namespace {

constexpr std::size_t kVdfProofFixedBytes = 2 + 193;  // standing alone, without checkpoints

Got<VdfContext> context_of(const holdfast_vdf& vdf, Height height, const std::uint8_t* input,
                           const std::uint8_t* epoch_source) {
    HOLDFAST_ASSIGN(seed, fixed_of<Seed>(input, "input"));
    if (height < vdf.params.genesis_height) {
        return bad_argument("height " + std::to_string(height.value) +
                            " is below the network's first");
    }
    if (epoch_of(vdf.params, height) == 0) {
        return make_vdf_context(vdf.params, vdf.id, height, seed, genesis_output(vdf.id));
    }
    HOLDFAST_ASSIGN(source, fixed_of<VdfOutput>(epoch_source, "epoch_source"));
    return make_vdf_context(vdf.params, vdf.id, height, seed, source);
}

Result<std::shared_ptr<const VdfArena>> arena_of(holdfast_vdf& vdf, const VdfContext& context,
                                                 Control& work) {
    FillOptions fill;
    fill.parallel = pool_parallel(vdf.threads);
    fill.stop = work.stop();
    fill.progress = work.progress_of("filling the arena");
    return vdf.arenas.get(vdf.params.vdf, context.epoch, context.epoch_seed, fill);
}

Result<Verdict> verify_segments(const VdfContext& context, const VdfProof& proof,
                                std::uint32_t segments, const ArenaView& arena,
                                const VdfVerifyOptions& options) {
    if (segments == 0) return verify_vdf_full(context, proof, arena, options);
    Digest randomness;
    HOLDFAST_TRY(random_bytes(MutByteView(randomness.bytes)));
    const auto drawn = pick_spot_segments(randomness, context.params.vdf.checkpoints, segments);
    return verify_vdf_spot(context, proof, drawn, arena, options);
}

}  // namespace
}  // namespace holdfast::capi

using namespace holdfast;
using namespace holdfast::capi;

holdfast_status holdfast_vdf_new(const holdfast_network* network, uint64_t memory_bytes,
                                 uint32_t threads, holdfast_vdf** out) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(network, "network"));
        if (out == nullptr) return missing("out");
        if (!network->params.has_vdf) {
            return failure(HOLDFAST_UNSUPPORTED, "this network has no VDF: y is the input");
        }
        const std::uint64_t arena = network->params.vdf.arena_bytes();
        if (memory_bytes != 0 && memory_bytes < arena) {
            return bad_argument("memory_bytes is less than one arena, " + std::to_string(arena));
        }
        *out = new holdfast_vdf(network->params, memory_bytes == 0 ? 2 * arena : memory_bytes,
                                threads);
        return {};
    });
}

void holdfast_vdf_free(holdfast_vdf* vdf) { free_handle(vdf); }

holdfast_status holdfast_vdf_input(const holdfast_network* network, uint64_t height,
                                   const uint8_t block_hash[32], uint64_t beacon_round,
                                   const uint8_t* beacon_randomness, uint8_t out[32]) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(network, "network"));
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(hash, fixed_of<BlockHash>(block_hash, "block_hash"));
        std::optional<BeaconRandomness> beacon;
        if (beacon_randomness != nullptr) {
            HOLDFAST_ASSIGN(given, fixed_of<Digest>(beacon_randomness, "beacon_randomness"));
            beacon = BeaconRandomness{beacon_round, given};
        }
        const Checked<Seed> seed =
            make_seed(network->params, network->id, Height(height), hash, beacon);
        if (!seed) return refused(seed.error(), "the input of height " + std::to_string(height));
        put_fixed(out, *seed);
        return {};
    });
}

holdfast_status holdfast_vdf_epoch_source(const holdfast_network* network, uint64_t height,
                                          uint64_t* out, uint32_t* out_has) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(network, "network"));
        if (out == nullptr || out_has == nullptr) return missing("out");
        const NetworkParams& params = network->params;
        if (!params.has_vdf) return failure(HOLDFAST_UNSUPPORTED, "this network has no VDF");
        const auto source = epoch_source_height(params, epoch_of(params, Height(height)));
        *out = source ? source->value : 0;
        *out_has = source ? 1 : 0;
        return {};
    });
}

holdfast_status holdfast_vdf_evaluate(holdfast_vdf* vdf, const holdfast_signer* evaluator,
                                      uint64_t height, const uint8_t input[32],
                                      const uint8_t* epoch_source, const holdfast_control* control,
                                      uint8_t* out, size_t* out_bytes, uint8_t y[32]) {
    return run_controlled(control, [&](Control& work) -> Done {
        HOLDFAST_TRY(check_handle(vdf, "vdf"));
        HOLDFAST_TRY(check_handle(evaluator, "evaluator"));
        HOLDFAST_ASSIGN(context, context_of(*vdf, Height(height), input, epoch_source));
        const VdfParams& params = vdf->params.vdf;
        const std::size_t points = std::size_t{params.checkpoints} + 1;
        HOLDFAST_TRY(need_room(kVdfProofFixedBytes + points * Digest::kSize, out, out_bytes));
        HOLDFAST_ASSIGN(arena, arena_of(*vdf, context, work));
        VdfEvaluateOptions options;
        options.stop = work.stop();
        options.progress = work.progress_of("evaluating");
        const VdfJob job{context.height, context.input, {}};
        HOLDFAST_ASSIGN(checkpoints, evaluate(arena->view(), params, vdf->id, job, options));
        HOLDFAST_ASSIGN(proof, make_vdf_proof(params, vdf->id, context.height, context.input,
                                              std::move(checkpoints), *evaluator->key));
        put_optional(y, proof.y);
        return put_bytes(wrap_object(Kind::kVdfProof, proof.encode()), out, out_bytes);
    });
}

holdfast_status holdfast_vdf_verify(holdfast_vdf* vdf, uint64_t height, const uint8_t input[32],
                                    const uint8_t* epoch_source, const uint8_t* proof,
                                    size_t proof_bytes, uint32_t segments,
                                    const holdfast_control* control, holdfast_verdict* out,
                                    uint8_t y[32]) {
    return run_controlled(control, [&](Control& work) -> Done {
        HOLDFAST_TRY(check_handle(vdf, "vdf"));
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(context, context_of(*vdf, Height(height), input, epoch_source));
        HOLDFAST_ASSIGN(object, view_of(proof, proof_bytes, "proof"));
        const Checked<ByteView> body = unwrap_object(Kind::kVdfProof, object);
        const Checked<VdfProof> decoded =
            body ? VdfProof::decode(*body) : Checked<VdfProof>(refuse(body.error()));
        Verdict verdict = decoded ? verify_vdf_claim(context, *decoded) : decoded.error();
        if (verdict) {  // nothing is filled for a proof that fails without
            HOLDFAST_ASSIGN(arena, arena_of(*vdf, context, work));
            VdfVerifyOptions options;
            options.parallel = pool_parallel(vdf->threads);
            options.stop = work.stop();
            options.progress = work.progress_of("verifying");
            HOLDFAST_ASSIGN(judged,
                            verify_segments(context, *decoded, segments, arena->view(), options));
            verdict = judged;
        }
        *out = to_c(verdict);
        if (decoded) put_optional(y, decoded->y);
        return {};
    });
}
