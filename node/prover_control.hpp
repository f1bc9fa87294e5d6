// The commands that a running prover takes over its control socket and its API: those of every
// daemon (node/daemon_control.hpp), and list, add, remove, rescan, trust, scrub, pause, resume,
// drain.
//
// add and remove take {"path": replica or folder}; remove with "end": true also asks the network
// for the end of the chains; scrub may name one, and reads everything otherwise. pause: nothing is
// linked, proven or scrubbed until resume, and what falls due is missed; challenges and readers are
// answered. drain: it ends when all that it has begun is handed over and acknowledged, after
// "wait_s" at the latest. Paths are absolute: the daemon's folder is not the caller's.
// Threading: as node/control.hpp calls it; waits for a block that is being worked at. Spec:
// docs/spec.md section 5.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>

#include "json/json.hpp"
#include "node/daemon_control.hpp"
#include "node/own_chains.hpp"
#include "node/prover_hosts.hpp"
#include "node/prover_work.hpp"
#include "node/replica_stock.hpp"
#include "node/scrubber.hpp"

namespace holdfast::node {

using json::Json;

class ProverControl {
  public:
    /// `trust`: believes the nodes again.
    ProverControl(const Identity& identity, ReplicaStock& stock, FollowClient& client,
                  GuardedDuties& source, OwnChains& chains, ProverWork& work, Scrubber& scrubber,
                  DaemonControl& daemon, std::function<void()> trust, Log& log);

    /// kInvalidArgument for a command or argument that there is not; the errors of what is done.
    [[nodiscard]] Result<Json> handle(const std::string& command, const Json& arguments);
    /// How long a drain that was asked for may take; none was.
    [[nodiscard]] std::optional<std::chrono::seconds> drain_wanted() const;
    /// What /api/v1 of a prover has.
    [[nodiscard]] static std::vector<ApiRoute> routes();
    /// Asks for the end of a chain: it counts from the block that lists it.
    [[nodiscard]] Status end(const ChainId& chain);

  private:
    [[nodiscard]] Result<Json> add(const Json& arguments);
    [[nodiscard]] Result<Json> remove(const Json& arguments);
    [[nodiscard]] Result<Json> pause(bool paused);
    [[nodiscard]] Result<Json> scrub(const Json& arguments);

    const Identity& identity_;
    ReplicaStock& stock_;
    FollowClient& client_;
    GuardedDuties& source_;
    OwnChains& chains_;
    ProverWork& work_;
    Scrubber& scrubber_;
    DaemonControl& daemon_;
    const std::function<void()> trust_;
    Log& log_;
    std::atomic<std::int64_t> drain_s_{-1};
};

}  // namespace holdfast::node
