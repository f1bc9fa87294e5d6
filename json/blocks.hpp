// Reports of blocks and of the registry as JSON.
#pragma once

#include "api/aggregator.hpp"
#include "json/json.hpp"
#include "settlement/settlement_ledger.hpp"

namespace holdfast::json {

[[nodiscard]] Json json_of(const StatusCounts& counts);
[[nodiscard]] Json json_of(const ObjectOutcome& outcome);
[[nodiscard]] Json json_of(const SetTimes& times);
[[nodiscard]] Json json_of(const SetReport& report);
[[nodiscard]] Json json_of(const BlockForecast& forecast);
[[nodiscard]] Json json_of(const BlockReport& report);
/// Null for none.
[[nodiscard]] Json json_of(const std::optional<Height>& height);
/// A chain as the registry knows it now.
[[nodiscard]] Json json_of(const ChainInfo& info);
/// What was decided, and what became of it.
[[nodiscard]] Json json_of(const SettlementCase& settled);
/// What a registry holds, field by field.
[[nodiscard]] Json json_of(const RegistryStatistics& statistics);

}  // namespace holdfast::json
