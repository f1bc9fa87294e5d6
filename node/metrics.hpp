// Statistics of the engine as metrics: what a scrape of a daemon shows.
//
// Each function appends what one struct holds at this moment; nothing is kept or summed here. Names
// begin with holdfast_; counters count from the start of the process. Pure but for
// process_metrics(); any thread.
#pragma once

#include "availability/challenger.hpp"
#include "availability/chunk_server.hpp"
#include "availability/responder.hpp"
#include "node/host_follower.hpp"
#include "node/host_work.hpp"
#include "node/log.hpp"
#include "node/monitor.hpp"
#include "transport/tcp_network.hpp"

namespace holdfast::node {

void append_metrics(std::vector<Metric>& out, const TcpStatistics& statistics);
void append_metrics(std::vector<Metric>& out, const ResponderStatistics& statistics);
void append_metrics(std::vector<Metric>& out, const ChunkServerStatistics& statistics);
/// Of all work since the start: the caller sums the reports.
void append_metrics(std::vector<Metric>& out, const ChallengerReport& report);
void append_metrics(std::vector<Metric>& out, const FollowerStatus& status);
void append_metrics(std::vector<Metric>& out, const FollowServiceStatistics& statistics);
void append_metrics(std::vector<Metric>& out, const HostCounts& counts);
void append_metrics(std::vector<Metric>& out, const Log& log);
/// Memory and descriptors of this process, under the names that Prometheus'
/// own clients use (process_resident_memory_bytes, …). What the system does not tell is left out.
void append_process_metrics(std::vector<Metric>& out);

}  // namespace holdfast::node
