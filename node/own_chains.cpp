#include "node/own_chains.hpp"

#include <algorithm>

namespace holdfast::node {

bool owes(const FollowedChain& chain) {
    return (chain.phase == ChainPhase::kPending || chain.phase == ChainPhase::kSealed) &&
           !chain.part_taken;
}

void OwnChains::take(const std::vector<FollowedChain>& list, std::optional<Height> tip) {
    std::map<ReplicaId, FollowedChain> chains;
    for (const FollowedChain& one : list) {
        // Of a replica that was registered anew, the chain that owes.
        const auto [at, is_new] = chains.emplace(one.replica_id, one);
        if (!is_new && owes(one)) at->second = one;
    }
    const std::lock_guard lock(mutex_);
    chains_ = std::move(chains);
    known_ = true;
    if (!tip) return;
    std::map<ChainId, MissTrend> trends;
    for (const FollowedChain& one : list) {
        const auto known = trends_.find(one.chain_id);
        if (known == trends_.end() && one.misses == 0) continue;
        MissTrend trend = known == trends_.end() ? MissTrend() : known->second;
        trend.note(*tip, one.misses);
        if (trend.misses_now() + trend.misses_then() > 0) trends.emplace(one.chain_id, trend);
    }
    trends_ = std::move(trends);
}

MissTrend OwnChains::trend(const ChainId& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = trends_.find(id);
    return found == trends_.end() ? MissTrend() : found->second;
}

bool OwnChains::known() const {
    const std::lock_guard lock(mutex_);
    return known_;
}

std::optional<FollowedChain> OwnChains::of_replica(const ReplicaId& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = chains_.find(id);
    return found == chains_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<FollowedChain> OwnChains::of_chain(const ChainId& id) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [replica, chain] : chains_) {
        if (chain.chain_id == id) return chain;
    }
    return std::nullopt;
}

std::vector<FollowedChain> OwnChains::all() const {
    const std::lock_guard lock(mutex_);
    std::vector<FollowedChain> out;
    out.reserve(chains_.size());
    for (const auto& [replica, chain] : chains_) out.push_back(chain);
    return out;
}

std::vector<FollowedChain> OwnChains::unheld(const std::vector<ReplicaId>& held) const {
    const std::lock_guard lock(mutex_);
    std::vector<FollowedChain> out;
    for (const auto& [replica, chain] : chains_) {
        if (owes(chain) && !std::binary_search(held.begin(), held.end(), replica)) {
            out.push_back(chain);
        }
    }
    return out;
}

}  // namespace holdfast::node
