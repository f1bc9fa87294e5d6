// Chains that passed their seal proof, then threw their data away and go on signing: links over
// invented cells, and the best proofs that can be made of them. What the registry does with those
// is the point. Threading: one thread.
#pragma once

#include "api/duty_source.hpp"
#include "api/prover_set.hpp"
#include "core/params.hpp"

namespace holdfast::simulation {

struct CheatCounts {
    std::uint64_t receipts_taken = 0;  // a commitment to nothing is still a commitment
    std::uint64_t proofs_refused = 0;
    std::uint64_t proofs_taken = 0;  // must stay zero
};

/// What the members of `set` hand in while the tip is `height`.
[[nodiscard]] Result<CheatCounts> cheat(const NetworkParams& params, DutySource& source,
                                        ProverSet& set, Height height);

}  // namespace holdfast::simulation
