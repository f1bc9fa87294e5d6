// The chains of a prover's key as the followed node knows them, held against the replicas at hand.
//
// A chain that still owes and whose replica is not at hand is a disk that is not mounted or a
// folder that nobody named: each height of it is a miss. Threading: any thread. Memory: one list.
// Spec: docs/spec.md sections 10 and 14.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "follow/duty_client.hpp"

namespace holdfast::node {

class OwnChains {
  public:
    /// As the followed node lists them.
    void take(const std::vector<FollowedChain>& list);
    [[nodiscard]] bool known() const;
    [[nodiscard]] std::optional<FollowedChain> of_replica(const ReplicaId& id) const;
    [[nodiscard]] std::optional<FollowedChain> of_chain(const ChainId& id) const;
    [[nodiscard]] std::vector<FollowedChain> all() const;
    /// Chains that owe something and whose replica is not among `held` (ascending).
    [[nodiscard]] std::vector<FollowedChain> unheld(const std::vector<ReplicaId>& held) const;

  private:
    mutable std::mutex mutex_;  // guards the two below
    bool known_ = false;
    std::map<ReplicaId, FollowedChain> chains_;
};

/// Whether links or a seal proof fall due.
[[nodiscard]] bool owes(const FollowedChain& chain);
/// For people, where there are any.
[[nodiscard]] std::optional<std::string> unheld_problem(const std::vector<FollowedChain>& unheld);

}  // namespace holdfast::node
