// A prover's state as JSON, as metrics and in words: what /status, /metrics, /health and `holdfast
// prover status|list` show.
//
// Pure functions of the parts' own states.
#pragma once

#include "json/json.hpp"
#include "node/chain_book.hpp"
#include "node/height_timeline.hpp"
#include "node/history_comparison.hpp"
#include "node/monitor.hpp"
#include "node/own_chains.hpp"
#include "node/promise_watch.hpp"
#include "node/prover_hosts.hpp"
#include "node/prover_work.hpp"
#include "node/registrar.hpp"
#include "node/replica_stock.hpp"
#include "node/verified_output.hpp"

namespace holdfast::node {

using json::Json;

/// What is at hand, once for each request.
struct StockView {
    std::vector<StockedReplica> replicas;
    std::vector<StockedFolder> folders;
    std::vector<FollowedChain> unheld;
    /// A replica whose chain owes nothing any more.
    struct Over {
        std::filesystem::path replica;
        FollowedChain chain;
    };
    std::vector<Over> over;
    [[nodiscard]] static StockView of(const ReplicaStock& stock, const OwnChains& chains);
    [[nodiscard]] static StockView of(std::vector<StockedReplica> replicas,
                                      std::vector<StockedFolder> folders, const OwnChains& chains);
    [[nodiscard]] std::vector<ChainId> chains() const;
};

/// "chains", "missing", "folders", "unheld", "over": the first hundred of each list, and how many.
void append_stock(Json& out, const StockView& view);
[[nodiscard]] Json to_json(const ProverCounts& counts);
[[nodiscard]] Json to_json(const RegistrarCounts& counts);
[[nodiscard]] Json to_json(const OutboxStatus& status);
[[nodiscard]] Json to_json(const PromiseWatchStatus& status);
[[nodiscard]] Json hosts_json(const std::vector<HostState>& states,
                              const std::optional<SplitHistory>& split);
[[nodiscard]] Json to_json(const DiskFacts& disk, std::uint64_t links_ms);
[[nodiscard]] Json to_json(const HeightTimes& times);
/// "bars": lowest height, links owed, links missed; each of "heights_a_bar" heights.
[[nodiscard]] Json misses_json(const std::vector<HeightCount>& counts);
/// Every replica and how its chain stands at the followed node.
[[nodiscard]] Json list_json(const StockView& view, const OwnChains& chains);

void append_metrics(std::vector<Metric>& out, const StockView& view);
void append_metrics(std::vector<Metric>& out, const ProverCounts& counts);
/// y, and how far it is behind the tip.
void append_metrics(std::vector<Metric>& out, const VerifiedOutputStatus& status,
                    std::optional<Height> tip);
/// No series a chain.
void append_metrics(std::vector<Metric>& out, const std::vector<FollowedChain>& chains);
void append_metrics(std::vector<Metric>& out, const OutboxStatus& status);
void append_metrics(std::vector<Metric>& out, const PromiseWatchStatus& status);
void append_metrics(std::vector<Metric>& out, const std::vector<HostState>& states, bool split);

[[nodiscard]] std::vector<std::string> problems(const StockView& view);
[[nodiscard]] std::vector<std::string> problems(const ProverCounts& counts);
[[nodiscard]] std::vector<std::string> problems(const RegistrarCounts& counts);
[[nodiscard]] std::vector<std::string> problems(const PromiseWatchStatus& status);

}  // namespace holdfast::node
