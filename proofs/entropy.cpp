#include "proofs/entropy.hpp"

#include "core/hash.hpp"

namespace holdfast {

// Spec 5: seed_h.
Checked<Seed> make_seed(const NetworkParams& params, const NetworkId& network_id, Height height,
                        const BlockHash& block_hash,
                        const std::optional<BeaconRandomness>& beacon) {
    if (params.has_beacon && !beacon) return refuse(Reason::kNoEntropy);
    if (!params.has_beacon && beacon) return refuse(Reason::kNetworkPolicy);
    TaggedHash h("entropy/seed");
    h.add(network_id).add(height).add(block_hash);
    if (beacon) h.add(beacon->round).add(beacon->randomness);
    return Seed(h.finish());
}

// Spec 5: computed, never chosen.
Checked<std::uint64_t> beacon_round(const NetworkParams& params, std::uint64_t block_time_s) {
    if (!params.has_beacon) return refuse(Reason::kNetworkPolicy);
    const std::uint64_t due_s = block_time_s + params.beacon_delay_s;
    if (due_s < block_time_s) return refuse(Reason::kBadField);
    if (due_s <= params.beacon_genesis_s) return 1;
    const std::uint64_t wait_s = due_s - params.beacon_genesis_s;
    const std::uint64_t period_s = params.beacon_period_s;
    const std::uint64_t before = wait_s / period_s + (wait_s % period_s != 0 ? 1 : 0);
    if (before == UINT64_MAX) return refuse(Reason::kBadField);
    return before + 1;
}

// Spec 5: y_h without a VDF.
VdfOutput seed_as_output(const Seed& seed) { return VdfOutput(seed); }

// Spec 5: E.
Entropy chain_entropy(const NetworkId& network_id, const VdfOutput& y, const ChainId& chain_id,
                      const Reveal& reveal) {
    return Entropy(tagged_hash("entropy/chain", network_id, y, chain_id, reveal));
}

// Spec 1, bounds: the default policy.
Verdict check_entropy_policy(const NetworkParams& params) {
    return params.has_beacon || params.has_vdf ? Reason::kOk : Reason::kNetworkPolicy;
}

}  // namespace holdfast
