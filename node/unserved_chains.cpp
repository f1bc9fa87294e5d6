#include "node/unserved_chains.hpp"

#include <algorithm>

namespace holdfast::node {

void UnservedChains::look(const FollowHeight& height) {
    const bool again =
        asked_ && (height.list_hash == list_ || height.height.since(*asked_) < kEveryHeights);
    if (again) return;
    const Result<std::optional<ChallengeRound>> round = client_.round(height.height);
    if (!round || !*round) return;
    std::vector<ChainId> own;
    for (const ChallengedChain& chain : (*round)->chains) {
        if (chain.prover == own_) own.push_back(chain.id);
    }
    asked_ = height.height;
    list_ = height.list_hash;
    const std::lock_guard lock(mutex_);
    known_ = std::move(own);
}

std::vector<ChainId> UnservedChains::but(std::span<const ChainId> served) const {
    std::vector<ChainId> here(served.begin(), served.end());
    std::sort(here.begin(), here.end());
    std::vector<ChainId> out;
    const std::lock_guard lock(mutex_);
    std::set_difference(known_.begin(), known_.end(), here.begin(), here.end(),
                        std::back_inserter(out));
    return out;
}

std::optional<std::string> unserved_problem(std::span<const ChainId> unserved) {
    if (unserved.empty()) return std::nullopt;
    return "the followed node knows " + std::to_string(unserved.size()) +
           " chain(s) of this key that are not served here, " + to_hex(unserved.front()) +
           " among them: name their replicas, or mount their disk";
}

}  // namespace holdfast::node
