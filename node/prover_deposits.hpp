// Deposits at a prover's daemon: what the settings say, the parts of the daemon that they need, and
// how they are shown.
//
// Until begin() every question that needs the chain is answered with `busy`: the transport listens
// before the other parts are there. Threading: begin() once, before run(); the rest from any
// thread. Spec: docs/spec.md section 16.1.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "deposit/service.hpp"
#include "json/json.hpp"
#include "node/config.hpp"
#include "node/connect.hpp"
#include "node/log.hpp"
#include "node/metrics.hpp"
#include "node/own_chains.hpp"

namespace holdfast::node {

/// The settings, with what [deposits] implies: its folder is looked at as one of [[folders]], and
/// [[depositors]] may connect.
[[nodiscard]] Config with_deposits(const Config& config);

class ProverDeposits {
  public:
    /// What is there only once the daemon runs.
    struct Parts {
        std::function<std::optional<Height>()> tip;
        std::function<std::optional<Height>()> newest_linked;
        std::function<Status(const ChainId& chain)> end_chain;
        std::function<void()> look;
        std::function<void(const std::filesystem::path& replica)> leave;
    };

    /// Null where no folder is set. As DepositService::open.
    [[nodiscard]] static Result<std::unique_ptr<ProverDeposits>> open(const Config& config,
                                                                      const Identity& identity,
                                                                      const OwnChains& chains,
                                                                      Log& log);
    void begin(Parts parts);
    [[nodiscard]] DepositService& service() { return *service_; }

  private:
    ProverDeposits(const OwnChains& chains, Log& log) : chains_(chains), log_(log) {}
    [[nodiscard]] DepositHost host();
    [[nodiscard]] std::optional<DepositChain> chain_of(const ReplicaId& replica) const;
    [[nodiscard]] Status end_chain(const ChainId& chain);

    const OwnChains& chains_;
    Log& log_;
    Parts parts_;
    std::atomic<bool> begun_{false};
    std::map<ChainId, Height> asked_;  // run()'s own: ends that were asked for, and when
    std::unique_ptr<DepositService> service_;
};

/// Hands questions about deposits to the service, everything else on.
[[nodiscard]] TcpHandler taking_deposits(TcpHandler inner, DepositService& service);

[[nodiscard]] json::Json to_json(const DepositCounts& counts);
/// {"deposits": […]}, for the control socket; of null none.
[[nodiscard]] json::Json deposits_json(ProverDeposits* deposits);
void append_metrics(std::vector<Metric>& out, const DepositCounts& counts);
[[nodiscard]] std::vector<std::string> problems(const DepositCounts& counts);

}  // namespace holdfast::node
