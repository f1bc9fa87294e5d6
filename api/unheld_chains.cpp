#include "api/unheld_chains.hpp"

namespace holdfast {

Result<UnheldChains> unheld_chains(const Registry& registry, const PublicKey& prover,
                                   const std::function<bool(const ReplicaId&)>& is_held) {
    UnheldChains out;
    HOLDFAST_TRY(registry.for_each_chain([&](const ChainInfo& info) {
        const bool owes = info.phase == ChainPhase::kPending || info.phase == ChainPhase::kSealed;
        if (!owes || info.registration.header.prover != prover) return true;
        ++out.owing;
        const ReplicaId replica = info.registration.replica_id(registry.network_id());
        if (is_held(replica)) return true;
        ++out.missing;
        if (out.first.size() < UnheldChains::kMostNamed) out.first.push_back(replica);
        return true;
    }));
    return out;
}

}  // namespace holdfast
