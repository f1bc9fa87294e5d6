// What a drand chain is, and whether a round is its: what has to be right, and needs no network.
//
// Two of drand's schemes are served. A round's signature is over a message, and its randomness is
// SHA-256 of the signature:
//
//   pedersen-bls-chained       SHA-256(previous signature || u64 round)
//                              key in G1 (48 bytes), signature in G2 (96)
//   bls-unchained-g1-rfc9380   SHA-256(u64 round)
//                              key in G2 (96 bytes), signature in G1 (48)
//
// u64 most significant byte first here, which is drand's rule. Before round 1 the chained scheme
// has the group hash in place of a signature. In a BeaconRound `proof` is the signature, followed
// in the chained scheme by the previous one. One round of a chain has one valid signature, so a
// value that verifies is the value.
//
// Threading   pure functions.
#pragma once

#include <string>

#include "callbacks/beacon.hpp"
#include "core/params.hpp"

namespace holdfast {

enum class DrandScheme : std::uint8_t { kChained = 1, kQuicknet = 2 };

/// One drand chain, as its /info tells it.
struct DrandChain {
    DrandScheme scheme = DrandScheme::kQuicknet;
    Bytes public_key;       // compressed: 48 bytes (chained) or 96 (quicknet)
    Digest group_hash;      // drand's "groupHash"
    std::string beacon_id;  // drand's "beaconID", at most 64 bytes; "default" is written as empty
    std::uint64_t genesis_s = 0;
    std::uint32_t period_s = 0;
    friend bool operator==(const DrandChain&, const DrandChain&) = default;

    /// drand's own name of the chain, under which its servers know it.
    [[nodiscard]] Digest chain_hash() const;

    /// The `beacon_key` of network parameters: u8 scheme || group hash 32 || public key || id.
    [[nodiscard]] Bytes beacon_key() const;

    /// From a network's parameters, which name genesis and period beside the key. kInvalidArgument
    /// for a network without a beacon, or whose beacon_key is none of these.
    static Result<DrandChain> from_params(const NetworkParams& params);

    /// From the JSON of /info. kCorrupt where it is none, kUnsupported for another scheme.
    static Result<DrandChain> from_info(std::string_view json);
};

/// A round out of the JSON of /public/ROUND: unverified. kCorrupt where it is none.
[[nodiscard]] Result<BeaconRound> drand_round(const DrandChain& chain, std::string_view json);

/// Success when `value` is the chain's value of `round`; kRefused (kBadBeacon) otherwise.
[[nodiscard]] Status verify_drand(const DrandChain& chain, std::uint64_t round,
                                  const BeaconRound& value);

}  // namespace holdfast
