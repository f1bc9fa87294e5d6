// Whether what a prover owes will be there in time, from how long it has taken so far. What becomes
// of each chain is said by node/explain.hpp.
//
// Pure. Spec: docs/spec.md sections 3.1, 10.2 and 15.3.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/params.hpp"
#include "core/types.hpp"

namespace holdfast::node {

/// What a forecast goes by.
struct ProverFacts {
    Height tip;
    std::uint64_t links_ms = 0;       // the slowest of the last heights, from its y to its bundles
    std::uint64_t seal_proof_ms = 0;  // of the last proofs, on average; 0: none made yet
    struct Duty {
        ChainId chain_id;
        Height deadline;  // the last tip that takes the proof
    };
    std::vector<Duty> duties;  // seal proofs and audits whose y is settled
};

/// Warnings for people: what will be missed, why, and what to do. Empty: all is well.
[[nodiscard]] std::vector<std::string> forecast(const NetworkParams& params,
                                                const ProverFacts& facts);

}  // namespace holdfast::node
