// Entropy of heights and chains: the seed of a height, its beacon round, and E of one chain.
//
// Pure functions; part of the trusted rooms; any thread. A required source that is missing is
// refused with kNoEntropy and never replaced by zeros. Spec: docs/spec.md section 5.
#pragma once

#include <optional>

#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// The randomness of one beacon round, already checked by the Beacon callback.
struct BeaconRandomness {
    std::uint64_t round = 0;
    Digest randomness;
    friend bool operator==(const BeaconRandomness&, const BeaconRandomness&) = default;
};

/// seed_h, the VDF's input. kNoEntropy where the network has a beacon and `beacon` is empty,
/// kNetworkPolicy where it has none and `beacon` is given.
[[nodiscard]] Checked<Seed> make_seed(const NetworkParams& params, const NetworkId& network_id,
                                      Height height, const BlockHash& block_hash,
                                      const std::optional<BeaconRandomness>& beacon);

/// The one beacon round that serves a block of this time: the first r >= 1 with
/// beacon_genesis_s + (r-1) * beacon_period_s >= block_time_s + beacon_delay_s.
/// kNetworkPolicy without a beacon, kBadField for a time whose round is no u64.
[[nodiscard]] Checked<std::uint64_t> beacon_round(const NetworkParams& params,
                                                  std::uint64_t block_time_s);

/// y_h of a network without a VDF: the seed itself. With one, y is the VDF's output for that input.
[[nodiscard]] VdfOutput seed_as_output(const Seed& seed);

/// E of one chain and height; `reveal` is zeros for a chain without a commitment.
[[nodiscard]] Entropy chain_entropy(const NetworkId& network_id, const VdfOutput& y,
                                    const ChainId& chain_id, const Reveal& reveal);

/// Default policy: kNetworkPolicy for a network with neither beacon nor VDF, whose block producers
/// would choose the entropy.
[[nodiscard]] Verdict check_entropy_policy(const NetworkParams& params);

}  // namespace holdfast
