// The daemon of a node: makes the blocks of its local chain, judges what they list, and answers
// those who follow.
//
// Owns a node's folder alone, as `block process` does. A block every block_ms; each final block is
// processed (y, submissions, digests, availability, settlements, payments), then told to
// followers. Everything durable is the folder's: after kill -9 it goes on where it was, without a
// block, an object or a payment lost or done twice.
//
// Threading, `stop` and errors: as of node/prover.hpp. Spec: docs/spec.md sections 8, 10.3, 13
// and 14.
#pragma once

#include <functional>
#include "core/fill.hpp"
#include "core/result.hpp"
#include "json/json.hpp"
#include "node/config.hpp"
#include "node/log.hpp"

namespace holdfast::node {

using json::Json;

struct HostHooks {
    /// Told once, when followers are answered.
    std::function<void(const Json& ready)> ready;
};

/// Until `stop`; then what it has done, as in /status.
[[nodiscard]] Result<Json> run_host(const Config& config, Log& log, const HostHooks& hooks,
                                    const StopCheck& stop);

}  // namespace holdfast::node
