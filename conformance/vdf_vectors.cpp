// vdf: the step, epochs, evaluations with every checkpoint, proofs and segments.
#include "conformance/vector_file.hpp"
#include "core/codec.hpp"
#include "core/hash.hpp"
#include "vdf/arena.hpp"
#include "vdf/evaluate.hpp"
#include "vdf/proof.hpp"
#include "vdf/verify.hpp"

namespace holdfast::conformance {
namespace {

void check_step(Checker& check, const Value& cases) {
    const auto input = cases["f_input"].fixed<FixedBytes<64>>();
    Reader r(view(input));
    WalkState state;
    for (std::uint32_t& word : state.words) word = r.u32();
    Writer w;
    for (const std::uint32_t word : vdf_f(state).words) w.u32(word);
    check.equal(cases["f_output"], w.bytes());
}

void check_epoch(Checker& check, const Value& v, const Network& network) {
    if (!network.params.has_vdf) v.malformed("tells an epoch of a network without a VDF");
    const std::uint64_t epoch = epoch_of(network.params, v["height"].height());
    check.equal(v["epoch"], epoch);
    const std::optional<Height> source = epoch_source_height(network.params, epoch);
    const Value expected = v["source_height"];
    if (expected.is_null()) {
        check.holds(expected.where(), !source, "computed a height, the file has none");
    } else {
        check.holds(expected.where(), source && source->value == expected.u64(),
                    "computed " + (source ? std::to_string(source->value) : "none") +
                        ", the file has " + std::to_string(expected.u64()));
    }
}

void check_params(Checker& check, const Value& v, const VdfParams& params) {
    check.equal(v["arena_kib"], std::uint64_t{params.arena_kib});
    check.equal(v["passes"], std::uint64_t{params.passes});
    check.equal(v["lanes"], std::uint64_t{params.lanes});
    check.equal(v["steps_per_checkpoint"], params.steps_per_checkpoint);
    check.equal(v["checkpoints"], std::uint64_t{params.checkpoints});
}

void check_arena(Checker& check, const Value& v, ByteView arena) {
    check.equal(v["arena_sha256"], sha256(arena));
    check.equal(v["arena_first_line"], arena.first(kVdfLineBytes));
    check.equal(v["arena_last_line"], arena.last(kVdfLineBytes));
}

/// Every kernel that this machine can run gives the checkpoints of the file.
void check_checkpoints(Checker& check, const Value& v, const Network& network,
                       const ArenaView& arena, Height height, const Seed& input) {
    for (const WalkKernel& kernel : walk_kernels()) {
        if (!kernel.usable()) continue;
        VdfEvaluateOptions options;
        options.kernel = &kernel;
        options.stop = check.stop();
        const VdfJob job{height, input, {}};
        check.equal(v["d"], check.need(v.where(), evaluate(arena, network.params.vdf, network.id,
                                                           job, options)));
    }
}

void check_segment(Checker& check, const Value& v, const VdfProof& proof, const VdfContext& context,
                   const ArenaView& arena) {
    const std::uint32_t i = v["i"].u32();
    if (i >= proof.params.checkpoints) v["i"].malformed("is not below the number of segments");
    check.equal(v["body"], make_segment(proof, i).encode());
    const Digest root = checkpoints_root(proof.checkpoints);
    VdfVerifyOptions options;
    options.stop = check.stop();
    check.refusals_if_any(v, "refused", v["body"].bytes(), [&](ByteView body) -> Verdict {
        const auto segment = VdfSegment::decode(body);
        if (!segment) return segment.error();
        return check.need(v.where(), verify_vdf_segment(context, *segment, root, arena, options));
    });
}

void check_evaluation(Checker& check, const Value& v, const Network& network) {
    const NetworkParams& params = network.params;
    if (!params.has_vdf) v.malformed("tells an evaluation in a network without a VDF");
    check_params(check, v, params.vdf);
    const Height height = v["height"].height();
    const std::uint64_t epoch = epoch_of(params, height);
    const auto input = v["input"].id<Seed>();
    const auto source = v["epoch_source"].id<VdfOutput>();
    check.equal(v["epoch"], epoch);
    if (epoch == 0) check.equal(v["epoch_source"], genesis_output(network.id));
    const VdfContext context = make_vdf_context(params, network.id, height, input, source);
    check.equal(v["epoch_seed"], context.epoch_seed);
    FillOptions fill_options;
    fill_options.stop = check.stop();
    const auto arena =
        check.need(v.where(), VdfArena::fill(params.vdf, epoch, context.epoch_seed, fill_options));
    check_arena(check, v, arena->bytes());
    check_checkpoints(check, v, network, arena->view(), height, input);

    const std::vector<Digest> d = v["d"].digests();
    if (d.size() != std::size_t{params.vdf.checkpoints} + 1) {
        v["d"].malformed("should hold one digest more than there are segments");
    }
    check.equal(v["root"], checkpoints_root(d));
    check.equal(v["y"], vdf_output(d.back(), params.vdf));
    const KeyPair key = KeyPair::from_secret(view(v["secret_key"].digest()));
    const VdfProof proof = make_vdf_proof(params.vdf, network.id, height, input, d, key).value();
    check.equal(v["proof"], proof.encode());
    VdfVerifyOptions options;
    options.stop = check.stop();
    check.refusals_if_any(v, "refused", v["proof"].bytes(), [&](ByteView body) -> Verdict {
        const auto decoded = VdfProof::decode(body);
        if (!decoded) return decoded.error();
        return check.need(v.where(), verify_vdf_full(context, *decoded, arena->view(), options));
    });
    for (const Value& segment : v["segments"].items()) {
        check_segment(check, segment, proof, context, arena->view());
    }
}

}  // namespace

void check_vdf(Checker& check, const Network& file_network, const Value& cases) {
    check.run_case(cases, [&] { check_step(check, cases); });
    for (const Value& v : cases["epochs"].items()) {
        check.run_case(v, [&] { check_epoch(check, v, check.network_or(v, file_network)); });
    }
    for (const Value& v : cases["evaluations"].items()) {
        check.run_case(v, [&] { check_evaluation(check, v, check.network_or(v, file_network)); });
    }
}

}  // namespace holdfast::conformance
