// Which chains of a key owe proofs and have no replica among those at hand: a disk that is not
// mounted, a list that lacks a name.
//
// Threading: as the source. Errors: those of the source.
#pragma once

#include <functional>
#include <vector>

#include "api/duty_source.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// Chains of a key that a source knows of and a set does not hold.
struct UnheldChains {
    static constexpr std::size_t kMostNamed = 20;
    std::uint64_t owing = 0;       // chains of the key that are pending or sealed
    std::uint64_t missing = 0;     // of those, without a replica
    std::vector<ReplicaId> first;  // of the missing, at most kMostNamed
};

[[nodiscard]] Result<UnheldChains> unheld_chains(
    DutySource& source, const PublicKey& prover,
    const std::function<bool(const ReplicaId&)>& is_held);

}  // namespace holdfast
