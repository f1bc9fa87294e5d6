// What both sides of a challenge need: a height as they are told it, and a clock. Any thread.
#pragma once

#include "availability/exchange.hpp"
#include "capi/border.hpp"

namespace holdfast::capi {

[[nodiscard]] Got<ChallengeHeight> challenge_height_from(const holdfast_challenge_height* in);

/// The machine's monotonic clock.
[[nodiscard]] std::uint64_t steady_ns();

}  // namespace holdfast::capi
