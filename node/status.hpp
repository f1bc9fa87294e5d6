// The daemons' states as JSON, in the names that /status and the final summary use.
//
// Pure functions of the parts' own statistics, but for peers_json(), which asks.
#pragma once

#include "availability/chunk_server.hpp"
#include "availability/responder.hpp"
#include "follow/service.hpp"
#include "json/json.hpp"
#include "node/host_follower.hpp"
#include "node/log.hpp"
#include "transport/tcp_network.hpp"

namespace holdfast::node {

using json::Json;

[[nodiscard]] Json to_json(const FollowerStatus& status);
[[nodiscard]] Json to_json(const Log& log);
[[nodiscard]] Json to_json(const TcpStatistics& statistics);
/// Peers of the settings, those that are not connected first, each with why; 100 of them at most.
[[nodiscard]] Json peers_json(TcpNetwork& network);
[[nodiscard]] Json to_json(const ResponderStatistics& statistics);
[[nodiscard]] Json to_json(const ChunkServerStatistics& statistics);
[[nodiscard]] Json to_json(const FollowServiceStatistics& statistics);

/// How long it is told that another process has used the key.
inline constexpr std::uint64_t kSameKeyToldMs = 600'000;
/// Why the key is not this process's alone; empty when it seems so.
[[nodiscard]] std::vector<std::string> key_problems(const TcpStatistics& statistics);

/// Without a new block for so many block times, something is wrong.
inline constexpr std::uint64_t kStaleBlocks = 3;
/// Why somebody who follows is not at the tip; empty when all is well.
[[nodiscard]] std::vector<std::string> follower_problems(const FollowerStatus& status,
                                                         std::uint32_t block_ms);

}  // namespace holdfast::node
