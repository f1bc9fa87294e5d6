// What it costs a prover to keep one raw copy and fill windows on demand, beside storing its sealed
// replica.
//
// Pure functions, any thread. Floating point: nothing here is hashed, signed or part of a verdict.
// Money has no unit: whatever the prices are given in. Spec: docs/security.md section 3.5.
#pragma once

#include <cstdint>

#include "core/geometry.hpp"
#include "core/params.hpp"

namespace holdfast {

/// Windows that `heights` links of one chain touch together, in expectation: each link opens 16
/// different chunks (fewer where there are fewer), links are independent of one another.
[[nodiscard]] double windows_touched(const WindowPlan& plan, std::uint64_t heights,
                                     std::uint32_t chunks_per_link = kChunksPerLink);

/// Links of one chain whose draws can be known before the first of them is due:
/// link_lag + 1 + finality_blocks.
[[nodiscard]] std::uint64_t links_in_a_batch(const NetworkParams& params);

/// Estimates, all of them; docs/security.md says where the defaults come from.
struct SealPrices {
    double core_hour = 0.02;    // one rented core for an hour
    double disk_tb = 50;        // 10^12 bytes of disk
    double disk_months = 60;    // how long the disk lasts
    double kwh = 0.15;          // of electricity
    double watts = 10;          // of whatever fills one window at a time
    double attacker_speed = 1;  // how many times faster than here the attacker fills a window
};

/// One way of answering links from the raw copy.
struct RefillBill {
    double windows_a_link = 0;
    double core_seconds_a_link = 0;  // at the speed measured here
    double core_hours_a_month = 0;
    double rent_a_month = 0;    // core hours at core_hour, divided by attacker_speed
    double energy_a_month = 0;  // the same hours at watts and kwh: who owns the machine
    double rent_ratio = 0;      // to storing
    double energy_ratio = 0;
};

struct SealEconomy {
    double links_a_month = 0;
    double storing_a_month = 0;
    RefillBill one_by_one;
    RefillBill batched;
};

/// `seconds_a_window`: one fill of the largest window on one core. `params` gives block time and
/// batch. A month has 30 days.
[[nodiscard]] SealEconomy seal_economy(const NetworkParams& params, const WindowPlan& plan,
                                       double seconds_a_window, const SealPrices& prices);

}  // namespace holdfast
