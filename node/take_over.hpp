// A replica becomes the operator's node: when the first one is gone for good.
//
// The operator's key signs one head for a height and block. The new node signs again what it has
// seen signed, and nothing else of any height up to the newest block that it has: the first node
// may have signed a head of each of them that nobody saw. Its own first block lists a bond event of
// no bond with a random name, so that no later block can be one that the first node made. The
// ledger is the copy that the replica keeps; the settlements are repeated under the same
// idempotency keys, so that what the copy knows is not paid again.
//
// Durable and repeatable: what is about to be done stands in DIR/take-over before anything is, each
// step may be done again, and the folder is a node's own when DIR/replica is gone, which is last.
// From the first step on the folder does not go on as a replica. One thread. Spec: docs/spec.md
// section 15.5.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node/config.hpp"
#include "node/log.hpp"
#include "node/node_folder.hpp"

namespace holdfast::node {

struct TakeOver {
    std::filesystem::path operator_key;   // key file of the network's operator
    std::filesystem::path evaluator_key;  // networks with a VDF
    std::filesystem::path beacon_key;     // networks with a beacon
};

/// kRefused where a take-over of this folder has begun and is not finished.
[[nodiscard]] Status require_no_take_over(const NodePaths& paths);

/// What will be done, and with what, in sentences. Errors: what would make it impossible: kNotFound
/// (no replica), kRefused (kNotOperator: another key), kInvalidArgument (a key is missing),
/// kUnavailable (the ledger's copy lacks bonds that the chain lists).
[[nodiscard]] Result<std::vector<std::string>> describe_take_over(const std::filesystem::path& dir,
                                                                  const TakeOver& how);

/// Does it. Repeats what an earlier call began.
[[nodiscard]] Status take_over(const std::filesystem::path& dir, const TakeOver& how, Log& log);

/// Whether the followed node still answers, within `wait_ms`.
[[nodiscard]] Result<bool> still_answers(const Config& config, const NetworkParams& params,
                                         const PeerEntry& followed, std::uint32_t wait_ms,
                                         Log& log);

}  // namespace holdfast::node
