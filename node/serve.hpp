// The prover's daemon: answers challenges and readers over TCP, at the tip of the node it follows.
//
// Replicas are opened once, each with the registration beside it; a key that is not the replica's
// is refused at the start. Raw data are served where the settings name them. It never signs a link:
// links are made where blocks are processed, and do not travel over the transport in this version.
// y is its own, verified from the followed node's proofs (node/verified_output.hpp): what that node
// says of y is signed for nowhere.
// While the node that it follows is away it goes on answering what may still be answered, and says
// so in its log and its health.
//
// Threading: run_serve blocks; it starts the transport's threads and, where asked for, the
// monitor's, and joins them. `stop` is asked every few milliseconds. Errors: of the settings
// (kInvalidArgument, which one), files, keys, and addresses, all before it is ready; later ones go
// to the log and the health. Spec: docs/spec.md sections 8, 13 and 14.
#pragma once

#include <functional>
#include <string>

#include "core/fill.hpp"
#include "core/result.hpp"
#include "json/json.hpp"
#include "node/config.hpp"
#include "node/log.hpp"

namespace holdfast::node {

using json::Json;

struct ServeHooks {
    /// Told once, when challenges are answered: where it listens, what it serves.
    std::function<void(const Json& ready)> ready;
    /// Puts another handler in front of the honest one; for tests with cheaters.
    std::function<TcpHandler(TcpHandler honest)> handler;
    /// Told y of each height that is followed, once it is verified; for tests with cheaters.
    std::function<void(Height height, const VdfOutput& y)> y;
};

/// Until `stop`; then what it has done, as in /status.
[[nodiscard]] Result<Json> run_serve(const Config& config, Log& log, const ServeHooks& hooks,
                                     const StopCheck& stop);

}  // namespace holdfast::node
