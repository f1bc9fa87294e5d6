// Durability: how likely a file of k + m shards is lost within a time, when shards fail and are
// rebuilt.
//
// The model is a birth-death chain in continuous time. Its state is the number of shards that are
// lost: 0 to m, and m + 1, from which nothing returns. In state j each of the k + m - j others
// fails at the rate f, independently, and min(j, at once) rebuilds run, each ending at the rate
// 1/r (exponential with mean r, detection and sealing included). All shards are whole at the
// beginning. Solved exactly for any time, without the usual approximation by the mean:
// exp(t Q) of the generator Q by uniformisation and repeated squaring, in which nothing is ever
// subtracted, so that the relative error stays near that of the arithmetic however unlikely the
// loss is (Jensen 1953; Xue and Ye, Math. Comp. 82 (2013), 1577).
//
// Pure functions, any thread. Probabilities are logarithms to base 2 (0: certain, -infinity:
// impossible, or below 2^-16000). Nothing here is hashed or part of a verdict.
// What is assumed: docs/security.md, "Losing a file".
#pragma once

#include <cstdint>

#include "core/result.hpp"

namespace holdfast {

/// A file's code and how shards come and go; times in years.
struct DurabilityModel {
    std::uint32_t data = 4;              // k
    std::uint32_t parity = 2;            // m
    double failures_a_year = 0.1;        // f, of one shard
    double repair_years = 1.0 / 365.25;  // r, from the failure until the shard is proven again
    std::uint32_t repairs_at_once = 1;   // of one file
};

inline constexpr std::uint32_t kMostDurabilityShards = 255;

/// kInvalidArgument unless 1 <= k, k + m <= 255, the rate is finite and above 0 (at most 10^6), the
/// repair time is above 0 and at most 10^6 (infinity: nothing is rebuilt) and no shorter than
/// 10^-9, and at least one rebuild may run.
[[nodiscard]] Status check_durability_model(const DurabilityModel& model);

/// That the file is lost within `years` (above 0, at most 10^6; otherwise kInvalidArgument). About
/// (m + 2)^3 multiplications for each doubling of the largest rate times `years`: microseconds for
/// 4+2, a second for m = 200.
[[nodiscard]] Result<double> log2_loss_within(const DurabilityModel& model, double years);

/// Years until it is lost, on average: the sum over j of the time from j to j + 1 shards lost.
/// Infinity where that is above 10^308. kInvalidArgument as above.
[[nodiscard]] Result<double> mean_years_to_loss(const DurabilityModel& model);

}  // namespace holdfast
