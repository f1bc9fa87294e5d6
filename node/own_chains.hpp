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
#include "node/miss_trend.hpp"

namespace holdfast::node {

class OwnChains {
  public:
    /// As the followed node lists them, its digest being that of a tip that is known.
    void take(const std::vector<FollowedChain>& list, std::optional<Height> tip = {});
    [[nodiscard]] bool known() const;
    [[nodiscard]] std::optional<FollowedChain> of_replica(const ReplicaId& id) const;
    [[nodiscard]] std::optional<FollowedChain> of_chain(const ChainId& id) const;
    [[nodiscard]] std::vector<FollowedChain> all() const;
    /// Of a chain's misses, as they were told; nothing where there were none.
    [[nodiscard]] MissTrend trend(const ChainId& id) const;
    /// Chains that owe something and whose replica is not among `held` (ascending).
    [[nodiscard]] std::vector<FollowedChain> unheld(const std::vector<ReplicaId>& held) const;

  private:
    mutable std::mutex mutex_;  // guards the three below
    bool known_ = false;
    std::map<ReplicaId, FollowedChain> chains_;
    std::map<ChainId, MissTrend> trends_;  // of chains with misses, now or lately
};

/// Whether links or a seal proof fall due.
[[nodiscard]] bool owes(const FollowedChain& chain);

}  // namespace holdfast::node
