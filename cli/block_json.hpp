// Reports of blocks as JSON, for the commands that make them.
#pragma once

#include "api/aggregator.hpp"
#include "cli/console.hpp"

namespace holdfast::cli {

[[nodiscard]] Json json_of(const StatusCounts& counts);
[[nodiscard]] Json json_of(const ObjectOutcome& outcome);
[[nodiscard]] Json json_of(const SetTimes& times);
[[nodiscard]] Json json_of(const SetReport& report);
[[nodiscard]] Json json_of(const BlockForecast& forecast);
[[nodiscard]] Json json_of(const BlockReport& report);

}  // namespace holdfast::cli
