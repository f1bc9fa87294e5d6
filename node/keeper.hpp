// The keeper's daemon: looks at every file of an owner's catalogue at each block, and mends.
//
// Follows no node: it asks [[hosts]] as a light client does and verifies what they say; provers are
// asked with the owner's key. [[peers]] with an address are where shards may be put.
//
// Threading, `stop` and errors: as of node/prover.hpp; kBusy where another process writes the
// catalogue. Spec: docs/spec.md section 16.
#pragma once

#include <functional>

#include "core/fill.hpp"
#include "core/result.hpp"
#include "json/json.hpp"
#include "node/config.hpp"
#include "node/log.hpp"

namespace holdfast::node {

struct KeeperHooks {
    /// Told once, when the catalogue is open and the monitor listens.
    std::function<void(const json::Json& ready)> ready;
};

/// Until `stop`; then what it has done, as in /status.
[[nodiscard]] Result<json::Json> run_keeper(const Config& config, Log& log,
                                            const KeeperHooks& hooks, const StopCheck& stop);

}  // namespace holdfast::node
