#include "capi/clock.hpp"

#include "capi/host.hpp"
#include "capi/network.hpp"
#include "capi/signer.hpp"

namespace holdfast::capi {

VdfClockWork clock_work(Control& work) { return {work.stop(), work.progress()}; }

namespace {

Got<VdfClockOptions> clock_options(const NetworkParams& params,
                                   const holdfast_clock_options* options) {
    HOLDFAST_ASSIGN(given, read_optional(options, "options"));
    VdfClockOptions out;
    if (given.folder != nullptr) out.folder = given.folder;
    if (out.folder.empty() && params.has_vdf) return missing("options->folder");
    out.threads = given.threads;
    if (given.at_once != 0) out.at_once = given.at_once;
    out.arena_ceiling_bytes = given.memory_bytes;
    out.keep_proofs = given.keep_proofs;
    if (given.has_first != 0) out.first = Height(given.first);
    return out;
}

}  // namespace
}  // namespace holdfast::capi

using namespace holdfast;
using namespace holdfast::capi;

holdfast_status holdfast_clock_open(const holdfast_network* network, holdfast_blockchain* chain,
                                    holdfast_beacon* beacon, const holdfast_signer* evaluator,
                                    const holdfast_clock_options* options, holdfast_clock** out) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(network, "network"));
        HOLDFAST_TRY(check_handle(chain, "chain"));
        if (beacon != nullptr) HOLDFAST_TRY(check_handle(beacon, "beacon"));
        if (evaluator != nullptr) HOLDFAST_TRY(check_handle(evaluator, "evaluator"));
        if (out == nullptr) return missing("out");
        if (network->params.has_beacon && beacon == nullptr) return missing("beacon");
        HOLDFAST_ASSIGN(how, clock_options(network->params, options));
        const std::shared_ptr<Beacon> rounds = beacon == nullptr ? nullptr : beacon->host;
        std::optional<KeyPair> key;
        if (evaluator != nullptr) key = evaluator->own();
        HOLDFAST_ASSIGN(clock, VdfClock::open(network->params, *chain->host, rounds.get(),
                                              std::move(key), how));
        auto handle = std::make_unique<holdfast_clock>();
        handle->state = std::make_shared<ClockState>(
            ClockState{network->id, chain->host, rounds, std::move(clock)});
        *out = handle.release();
        return {};
    });
}

void holdfast_clock_free(holdfast_clock* clock) { free_handle(clock); }

holdfast_status holdfast_clock_at(holdfast_clock* clock, uint64_t height,
                                  const holdfast_control* control, holdfast_block* block,
                                  uint8_t input[32], uint8_t y[32]) {
    return run_controlled(control, [&](Control& work) -> Done {
        HOLDFAST_TRY(check_handle(clock, "clock"));
        if (block != nullptr) HOLDFAST_TRY(check_out(block, "block"));
        // Not copied out of its Result: g++ 12 takes the optional beacon for uninitialised then.
        const Result<HeightEntropy> found =
            clock->state->clock.at(Height(height), clock_work(work));
        if (!found) return tl::make_unexpected(Failure(found.error()));
        put_optional(input, found->seed);
        put_optional(y, found->y);
        if (block == nullptr) return {};
        holdfast_block out{};
        out.height = found->block.height.value;
        put_fixed(out.hash, found->block.hash);
        put_fixed(out.parent, found->block.parent);
        out.time_ms = found->block.time_ms;
        out.final = found->block.final ? 1 : 0;
        write_struct(block, out);
        return {};
    });
}

holdfast_status holdfast_clock_advance(holdfast_clock* clock, const holdfast_control* control,
                                       uint64_t* evaluated) {
    return run_controlled(control, [&](Control& work) -> Done {
        HOLDFAST_TRY(check_handle(clock, "clock"));
        HOLDFAST_ASSIGN(report, clock->state->clock.advance(clock_work(work)));
        put_number(evaluated, report.evaluated.size());
        return {};
    });
}

holdfast_status holdfast_clock_proof(const holdfast_clock* clock, uint64_t height, uint8_t* out,
                                     size_t* out_bytes) {
    return run([&]() -> Done {
        HOLDFAST_TRY(check_handle(clock, "clock"));
        HOLDFAST_ASSIGN(proof, clock->state->clock.proof(Height(height)));
        return put_bytes(wrap_object(Kind::kVdfProof, proof.encode()), out, out_bytes);
    });
}

holdfast_status holdfast_clock_import(holdfast_clock* clock, const uint8_t* proof,
                                      size_t proof_bytes, const holdfast_control* control,
                                      holdfast_verdict* out) {
    return run_controlled(control, [&](Control& work) -> Done {
        HOLDFAST_TRY(check_handle(clock, "clock"));
        if (out == nullptr) return missing("out");
        HOLDFAST_ASSIGN(object, view_of(proof, proof_bytes, "proof"));
        const Checked<ByteView> body = unwrap_object(Kind::kVdfProof, object);
        const Checked<VdfProof> decoded =
            body ? VdfProof::decode(*body) : Checked<VdfProof>(refuse(body.error()));
        if (!decoded) {
            *out = to_c(decoded.error());
            return {};
        }
        HOLDFAST_ASSIGN(verdict, clock->state->clock.import(*decoded, clock_work(work)));
        *out = to_c(verdict);
        return {};
    });
}
