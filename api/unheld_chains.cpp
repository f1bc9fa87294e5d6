#include "api/unheld_chains.hpp"

namespace holdfast {

Result<UnheldChains> unheld_chains(DutySource& source, const PublicKey& prover,
                                   const std::function<bool(const ReplicaId&)>& is_held) {
    UnheldChains out;
    HOLDFAST_ASSIGN(chains, source.chains_of(prover));
    for (const OwnedChain& chain : chains) {
        if (!chain.owes()) continue;
        ++out.owing;
        if (is_held(chain.replica_id)) continue;
        ++out.missing;
        if (out.first.size() < UnheldChains::kMostNamed) out.first.push_back(chain.replica_id);
    }
    return out;
}

}  // namespace holdfast
