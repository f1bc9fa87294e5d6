// Latency of a vantage, and what a round trip says about a claimed place.
//
// Exact integers throughout: no sample, however large, overflows or rounds. Pure, any thread; part
// of the trusted rooms. Samples may be in any one unit; the functions that need a unit name it.
// Spec: docs/spec.md section 8.
#pragma once

#include <span>

#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

inline constexpr std::size_t kMinLatencySamples = 5;
inline constexpr std::size_t kMaxLatencySamples = std::size_t{1} << 20;
/// Median above which a peer counts as far away, unless the caller says otherwise.
inline constexpr std::uint64_t kDefaultLatencyLimitNs = 100'000'000;

/// What the samples of one vantage say.
struct LatencySummary {
    std::uint64_t minimum = 0;
    std::uint64_t median = 0;    // the lower one: element floor((m-1)/2), ascending
    bool spread_within = false;  // coefficient of variation at most 0.3
    friend bool operator==(const LatencySummary&, const LatencySummary&) = default;
};

/// kTooFewSamples below five samples, kTooLarge above kMaxLatencySamples.
[[nodiscard]] Checked<LatencySummary> summarize_latency(std::span<const std::uint64_t> samples);

/// False when light in vacuum could not have gone there and back in the measured time.
[[nodiscard]] bool place_possible(std::uint64_t rtt_ns, std::uint64_t distance_m);

/// What one vantage measured against the place that a peer claims.
struct PlaceMeasurement {
    std::uint64_t rtt_ns = 0;
    std::uint64_t distance_m = 0;
};

/// kImpossiblePlace (index: the vantage) when any vantage rules the place out.
[[nodiscard]] Verdict check_place(std::span<const PlaceMeasurement> vantages);

}  // namespace holdfast
