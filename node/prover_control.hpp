// The commands that a running prover takes over its control socket: status, list, add, remove,
// rescan, trust, stop.
//
// add and remove take {"path": replica or folder}; remove with "end": true also asks the network
// for the end of the chains. Paths are absolute: the daemon's folder is not the caller's.
// Threading: as node/control.hpp calls it; waits for a block that is being worked at. Spec:
// docs/spec.md section 5.
#pragma once

#include <atomic>
#include <functional>

#include "json/json.hpp"
#include "node/own_chains.hpp"
#include "node/prover_hosts.hpp"
#include "node/prover_work.hpp"
#include "node/replica_stock.hpp"

namespace holdfast::node {

using json::Json;

class ProverControl {
  public:
    /// `trust`: believes the nodes again.
    ProverControl(const Identity& identity, ReplicaStock& stock, FollowClient& client,
                  GuardedDuties& source, OwnChains& chains, ProverWork& work,
                  std::function<void()> trust, std::function<Json()> status, Log& log);

    /// kInvalidArgument for a command or argument that there is not; the errors of what is done.
    [[nodiscard]] Result<Json> handle(const std::string& command, const Json& arguments);
    [[nodiscard]] bool stop_wanted() const { return stop_wanted_.load(); }

  private:
    [[nodiscard]] Result<Json> add(const Json& arguments);
    [[nodiscard]] Result<Json> remove(const Json& arguments);
    [[nodiscard]] Status end(const ChainId& chain);

    const Identity& identity_;
    ReplicaStock& stock_;
    FollowClient& client_;
    GuardedDuties& source_;
    OwnChains& chains_;
    ProverWork& work_;
    const std::function<void()> trust_;
    const std::function<Json()> status_;
    Log& log_;
    std::atomic<bool> stop_wanted_{false};
};

}  // namespace holdfast::node
