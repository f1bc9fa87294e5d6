// The challenger's daemon: draws, sends and judges challenges over TCP, and publishes what came of
// them through the node that it follows.
//
// Its registration (a challenger's, as `holdfast challenger register` makes it) lies beside its
// key: X.challenger beside X.key. It blames nobody for failures that may be its own:
//
//   - a round is drawn only when its block was seen arriving (node/host_follower.hpp), so that a
//     challenge leaves at its moment; after a start, the first block is skipped;
//   - an answer that does not come while the followed node is out of reach, too, is abandoned;
//   - a prover without an address in [[peers]] is not challenged, and counted as unknown.
//
// What the chain refuses of what is published is logged and not tried again; while the chain cannot
// be reached it is tried until it can. Threading, `stop` and errors: as of node/prover.hpp; a
// second process with the same journal is kBusy. Spec: docs/spec.md sections 8, 13 and 14.
#pragma once

#include <functional>
#include "core/fill.hpp"
#include "core/result.hpp"
#include "json/json.hpp"
#include "node/config.hpp"
#include "node/log.hpp"
#include "proofs/availability_verify.hpp"

namespace holdfast::node {

using json::Json;

struct ChallengerHooks {
    /// Told once, when the transport is up.
    std::function<void(const Json& ready)> ready;
};

/// X.challenger beside X.key.
[[nodiscard]] std::filesystem::path challenger_file(const std::filesystem::path& key);

/// Until `stop`; then what it has done, as in /status.
[[nodiscard]] Result<Json> run_challenger(const Config& config, Log& log,
                                          const ChallengerHooks& hooks, const StopCheck& stop);

}  // namespace holdfast::node
