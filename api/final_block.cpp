#include "api/final_block.hpp"

namespace holdfast {

Result<FinalBlock> final_block(Blockchain& chain, Height height) {
    HOLDFAST_ASSIGN(block, chain.block_by_height(height));
    if (!block.final) {
        return fail(ErrorCode::kUnavailable,
                    "block " + std::to_string(height.value) + " of the host chain is not final");
    }
    HOLDFAST_ASSIGN(bonds, chain.bond_events_at(height));
    HOLDFAST_ASSIGN(objects, chain.submissions_at(height));
    return FinalBlock{height, block.hash, block.time_ms, {std::move(bonds), std::move(objects)}};
}

}  // namespace holdfast
