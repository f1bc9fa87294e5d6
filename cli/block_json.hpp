// Reports of blocks and of the registry as JSON and text, for the commands that make them.
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
/// Null for none.
[[nodiscard]] Json json_of(const std::optional<Height>& height);
/// What a registry holds, field by field.
void add_statistics(const RegistryStatistics& statistics, Output& out);

}  // namespace holdfast::cli
