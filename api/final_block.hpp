// A final block of the host chain, with everything that it lists, as a registry takes it.
#pragma once

#include <functional>
#include <map>

#include "callbacks/blockchain.hpp"
#include "core/result.hpp"
#include "hierarchy/registry.hpp"
#include "vdf/proof.hpp"

namespace holdfast {

/// kUnavailable where the block is not final; errors of the chain.
[[nodiscard]] Result<FinalBlock> final_block(Blockchain& chain, Height height);

/// Whether a VDF proof gives y of its height, verified in full.
using OutputCheck = std::function<Result<Verdict>(const VdfProof& proof)>;

/// Of networks without an operator: y of the VDF proofs that the block lists, by their place. Only
/// those are verified whose height is open without y before this block and whose evaluator holds a
/// part, the first of each evaluator and height (spec 15.2).
[[nodiscard]] Result<std::map<std::size_t, VdfOutput>> listed_outputs(const Registry& registry,
                                                                      const FinalBlock& block,
                                                                      const OutputCheck& check);

}  // namespace holdfast
