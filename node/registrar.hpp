// Registers the replicas that the followed node does not know.
//
// The registration is made from the settings' terms and the node's newest final block, written
// whole beside the replica, then handed over, and again every few heights until the node knows the
// chain. Only when it has become too old to be accepted anywhere (spec 3: 100 blocks) is another
// one made: no replica is ever registered twice. A chain that the node knows without a registration
// beside the replica, because the file was lost, is read back.
//
// Threading: pass() from one thread, the rest from any. Ownership: all that is given outlives it.
// Spec: docs/spec.md sections 3 and 5.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "api/duty_source.hpp"
#include "follow/client.hpp"
#include "node/config.hpp"
#include "node/connect.hpp"
#include "node/log.hpp"
#include "node/own_chains.hpp"
#include "node/replica_stock.hpp"

namespace holdfast::node {

struct RegistrarCounts {
    std::uint64_t made = 0;          // registrations written and handed over
    std::uint64_t waiting = 0;       // handed over, and not known to the node yet
    std::uint64_t without_bond = 0;  // not registered for want of [prover] bond
    std::string error;               // of the newest that failed; empty: none
};

class Registrar {
  public:
    static constexpr std::size_t kMadeAtOnce = 16;   // in one pass
    static constexpr std::uint64_t kAgainAfter = 8;  // heights

    Registrar(const Config& config, const Identity& identity, FollowClient& client,
              ReplicaStock& stock, OwnChains& chains, Log& log);

    /// What is new, at a new tip. Returns whether anything is waited for.
    [[nodiscard]] Result<bool> pass(DutySource& source, Height tip);
    [[nodiscard]] RegistrarCounts counts() const;

  private:
    [[nodiscard]] Result<Bytes> make(const StockedReplica& replica) const;
    [[nodiscard]] Status bring(DutySource& source, const StockedReplica& replica, Height tip,
                               RegistrarCounts& counts);
    [[nodiscard]] Status read_back(DutySource& source, const StockedReplica& replica,
                                   const ChainId& chain);

    const ProverSettings& settings_;
    const Identity& identity_;
    FollowClient& client_;
    ReplicaStock& stock_;
    OwnChains& chains_;
    Log& log_;
    std::map<ReplicaId, Height> handed_over_;  // pass()'s own
    mutable std::mutex mutex_;                 // guards the next
    RegistrarCounts counts_;
};

}  // namespace holdfast::node
