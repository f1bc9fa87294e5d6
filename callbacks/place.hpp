// Distances between places, for what a vantage may conclude from a time. Pure; any thread.
#pragma once

#include <cstdint>

#include "callbacks/network.hpp"

namespace holdfast {

[[nodiscard]] bool is_on_earth(const Place& place);

/// Great-circle distance in metres, rounded down to the kilometre below, so that no honest place is
/// ever ruled out by rounding.
[[nodiscard]] std::uint64_t place_distance_m(const Place& a, const Place& b);

}  // namespace holdfast
