#include "node/public_data.hpp"

#include "proofs/entropy.hpp"

namespace holdfast::node {
namespace {

constexpr std::uint32_t kProverTimeoutMs = 3'000;

}  // namespace

PublicSourceHooks public_hooks(PublicParts parts, std::function<TcpNetwork*()> network) {
    const NetworkParams& params = parts.params;
    PublicSourceHooks hooks;
    if (params.has_operator()) hooks.head = std::move(parts.head);
    if (params.has_beacon) {
        hooks.beacon = [&params, beacon = parts.beacon](
                           const BlockInfo& block) -> Result<std::optional<BeaconRound>> {
            const Checked<std::uint64_t> round = beacon_round(params, block.time_ms / 1'000);
            if (!round) return fail_refused(round.error(), "the block's time");
            const Result<BeaconRound> value = beacon->randomness(*round);
            if (!value) return std::optional<BeaconRound>();  // not published yet
            return std::optional(*value);
        };
    }
    if (params.has_vdf) {
        hooks.output_proof = [clock = parts.clock](Height height) { return clock->proof(height); };
    }
    hooks.ask_prover = [network = std::move(network)](const PublicKey& prover,
                                                      ByteView message) -> Result<Bytes> {
        TcpNetwork* connected = network();
        if (connected == nullptr) return fail(ErrorCode::kUnavailable, "not started yet");
        HOLDFAST_ASSIGN(reply, connected->request(prover, message, kProverTimeoutMs));
        return std::move(reply.response);
    };
    return hooks;
}

}  // namespace holdfast::node
