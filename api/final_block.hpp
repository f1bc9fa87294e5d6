// A final block of the host chain, with everything that it lists, as a registry takes it.
#pragma once

#include "callbacks/blockchain.hpp"
#include "core/result.hpp"
#include "hierarchy/registry.hpp"

namespace holdfast {

/// kUnavailable where the block is not final; errors of the chain.
[[nodiscard]] Result<FinalBlock> final_block(Blockchain& chain, Height height);

}  // namespace holdfast
