#include "hierarchy/checkpoints.hpp"

namespace holdfast {

// Spec 10.6: divisible, the height itself.
bool checkpoint_due(const NetworkParams& params, Height height) {
    return height.value % params.checkpoint_blocks == 0;
}

Result<std::optional<Height>> newest_checkpoint_height(const Registry& registry) {
    HOLDFAST_ASSIGN(closed, registry.closed());
    if (!closed) return std::nullopt;
    const NetworkParams& params = registry.params();
    const Height height = *closed - closed->value % params.checkpoint_blocks;
    if (height < params.genesis_height) return std::nullopt;
    return height;
}

Result<Checkpoint> build_checkpoint(const Registry& registry, Height height, const BondId& bond_id,
                                    const KeyPair& key) {
    if (!checkpoint_due(registry.params(), height)) {
        return fail_refused(Reason::kNotCheckpointHeight, "checkpoint");
    }
    HOLDFAST_ASSIGN(block, registry.block(height));
    if (!block || !block->closed) {
        return fail(ErrorCode::kUnavailable,
                    "the digest of height " + std::to_string(height.value) + " has not closed");
    }
    return make_checkpoint(registry.network_id(), height, block->hash, block->global,
                           block->counts.total, bond_id, key);
}

// Spec 10.6, (2) to (5).
Verdict judge_checkpoint(const NetworkParams& params, const NetworkId& network_id,
                         const BlockRecord& block, const Checkpoint& checkpoint) {
    HOLDFAST_REQUIRE_OK(check_checkpoint(params, network_id, checkpoint));
    if (block.height != checkpoint.height) return Reason::kWrongHeight;
    if (!block.closed) return Reason::kNoEntropy;
    if (block.hash != checkpoint.block_hash) return Reason::kWrongBlock;
    const bool same =
        block.global == checkpoint.global && block.counts.total == checkpoint.total_chains;
    return same ? Reason::kOk : Reason::kGlobalMismatch;
}

Result<Verdict> judge_checkpoint(const Registry& registry, const Checkpoint& checkpoint) {
    HOLDFAST_ASSIGN(found, registry.block(checkpoint.height));
    BlockRecord unknown;
    unknown.height = checkpoint.height;
    return judge_checkpoint(registry.params(), registry.network_id(), found.value_or(unknown),
                            checkpoint);
}

}  // namespace holdfast
