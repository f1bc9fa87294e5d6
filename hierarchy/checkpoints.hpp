// Checkpoints that a registry's operator owes its host chain, and judging those of others.
//
// Stateless; any thread. The objects themselves are in proofs/checkpoint.hpp.
// Spec: docs/spec.md section 10.6.
#pragma once

#include <optional>

#include "core/keys.hpp"
#include "core/result.hpp"
#include "hierarchy/registry.hpp"
#include "proofs/checkpoint.hpp"

namespace holdfast {

/// Whether a checkpoint is due at this height: divisible by checkpoint_blocks.
[[nodiscard]] bool checkpoint_due(const NetworkParams& params, Height height);
/// For hosts that publish checkpoints: the highest height of one whose digest has closed; empty
/// before the first.
[[nodiscard]] Result<std::optional<Height>> newest_checkpoint_height(const Registry& registry);
/// The signed checkpoint of a closed height. kRefused with kNotCheckpointHeight, kUnavailable while
/// the digest has not closed.
[[nodiscard]] Result<Checkpoint> build_checkpoint(const Registry& registry, Height height,
                                                  const BondId& bond_id, const KeyPair& key);
/// Whether somebody's checkpoint is well formed and says what `block` says, the verifier's own
/// record of that height: the reasons of check_checkpoint, kWrongHeight, kNoEntropy while the
/// height has not closed, kWrongBlock, kGlobalMismatch. Pure.
[[nodiscard]] Verdict judge_checkpoint(const NetworkParams& params, const NetworkId& network_id,
                                       const BlockRecord& block, const Checkpoint& checkpoint);
/// The same against this registry's record of the height.
[[nodiscard]] Result<Verdict> judge_checkpoint(const Registry& registry,
                                               const Checkpoint& checkpoint);

}  // namespace holdfast
