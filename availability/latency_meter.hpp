// How far away a peer is, and whether it seems to fetch its data from elsewhere.
//
// Pings and requests for one random chunk each take turns on one connection, as the Network
// measures them beside one another. Every chunk is verified, so that only a peer that has the data
// is measured. Service minus ping is a hint at a relay, never evidence: a relay that delays its
// pings as long as its fetches take cannot be told from a slow disk, and a store that answers
// within hint_us of the pings cannot be told from a local one.
//
// Threading: as the Network. Spec: docs/spec.md section 8.
#pragma once

#include <functional>

#include "callbacks/network.hpp"
#include "proofs/latency.hpp"
#include "proofs/reading_verify.hpp"

namespace holdfast {

struct LatencyPlan {
    ChainId chain_id;     // whose chunks are asked for
    ReadContext replica;  // its sealed root and chunks
    std::uint32_t samples = 21;
    std::uint32_t deadline_ms = 500;                         // of each request
    std::uint64_t median_limit_ns = kDefaultLatencyLimitNs;  // of pings
    std::uint32_t hint_us = 20'000;  // median of service minus ping, from which it is a hint
};

struct LatencyMeasurement {
    LatencySummary ping_us;
    LatencySummary service_us;
    std::uint64_t beyond_ping_us = 0;  // median of service less median of ping
    std::uint32_t answered = 0;        // of the samples; the others were not answered in time
    bool far = false;                  // the median ping is over the limit
    bool unstable = false;             // spread of the pings over 0.3: do not trust the medians
    bool relay_hint = false;
};

/// kRefused: the peer's answer (kTooFewSamples when fewer than five were answered in time,
/// kProofLength or kBadMultiproof for a false chunk, the peer's own reason where it refuses).
/// Errors of the network that are not the peer's silence end it.
[[nodiscard]] Result<LatencyMeasurement> measure_peer(Network& network, const PublicKey& peer,
                                                      const LatencyPlan& plan,
                                                      const std::function<std::uint64_t()>& random);

/// For hosts whose terms name a place: several vantages against one claimed place. kImpossiblePlace (index: the vantage) when one rules
/// it out, kTooFewSamples when fewer than `least` could measure; ok: not ruled out.
[[nodiscard]] Result<Verdict> check_claimed_place(Network& network, const PublicKey& peer,
                                                  const Place& claimed, std::size_t least,
                                                  std::uint32_t timeout_ms);

}  // namespace holdfast
