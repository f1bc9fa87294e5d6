// The prover's daemon: does everything that the replicas of one key owe, from wherever it stands,
// and answers availability challenges and readers over TCP.
//
// It follows one of the nodes that the settings name and hands over to all of them
// (node/prover_hosts.hpp); registers what is new (node/registrar.hpp); links every height, proves
// links, answers seal challenges and audits (node/prover_work.hpp); takes replicas in and out while
// it runs (node/replica_stock.hpp, node/prover_control.hpp). y is its own, verified from the
// followed node's proofs (node/verified_output.hpp): what that node says of y is signed for
// nowhere. While no node is there it goes on answering what may still be answered, and says so in
// its log and its health. One process for a key: the folder of records is locked.
//
// Threading: run_prover blocks; it starts the transport's threads, those of its parts and, where
// asked for, the monitor's, and joins them. `stop` is asked every few milliseconds. Errors: of the
// settings (kInvalidArgument, which one), files, keys, and addresses, all before it is ready; later
// ones go to the log and the health. Spec: docs/spec.md sections 5, 7, 8, 10, 13 and 14.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/duty_source.hpp"
#include "core/fill.hpp"
#include "core/result.hpp"
#include "json/json.hpp"
#include "node/config.hpp"
#include "node/log.hpp"

namespace holdfast::node {

using json::Json;

struct ProverHooks {
    /// Told once, when challenges are answered: where it listens, what it serves.
    std::function<void(const Json& ready)> ready;
    /// Puts another handler in front of the honest one; for tests with cheaters.
    std::function<TcpHandler(TcpHandler honest)> handler;
    /// Puts another source in front of the honest one, for links and what goes with them; for tests
    /// with cheaters. Both live as long as the daemon.
    std::function<Result<std::unique_ptr<DutySource>>(DutySource& honest)> duties;
};

/// Where a running prover takes commands: [control] socket, or KEY.sock beside the key file.
[[nodiscard]] std::filesystem::path control_socket(const Config& config);

/// Until `stop`; then what it has done, as in /status.
[[nodiscard]] Result<Json> run_prover(const Config& config, Log& log, const ProverHooks& hooks,
                                      const StopCheck& stop);

}  // namespace holdfast::node
