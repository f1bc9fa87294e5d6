// Reports of blocks and of the registry as JSON.
#pragma once

#include "api/aggregator.hpp"
#include "json/json.hpp"

namespace holdfast::json {

[[nodiscard]] Json json_of(const StatusCounts& counts);
[[nodiscard]] Json json_of(const ObjectOutcome& outcome);
[[nodiscard]] Json json_of(const SetTimes& times);
[[nodiscard]] Json json_of(const SetReport& report);
[[nodiscard]] Json json_of(const BlockForecast& forecast);
[[nodiscard]] Json json_of(const BlockReport& report);
/// Null for none.
[[nodiscard]] Json json_of(const std::optional<Height>& height);
/// What a registry holds, field by field.
[[nodiscard]] Json json_of(const RegistryStatistics& statistics);

}  // namespace holdfast::json
