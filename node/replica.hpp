// The daemon of a replica: repeats another node's history, judging all of it, and serves whoever
// reads, as that node does.
//
// Owns its folder alone. Makes it when it is new: from the journal's first entry where the followed
// node keeps that, otherwise from a state that a head of the operator covers. Takes nothing in of
// its own (kNotOperator). Where it does not agree with the followed node it stops taking in, says
// so in log, /health and its error at the end, and serves on what it has.
//
// Threading, `stop` and errors: as of node/prover.hpp. Spec: docs/spec.md sections 14 and 15.
#pragma once

#include "node/host.hpp"
#include "node/replica_reader.hpp"

namespace holdfast::node {

struct ReplicaSettings {
    PeerEntry followed;
    std::optional<FillSample> fills;  // of seal proofs; empty: all of them
};

/// Until `stop`; then what it has done, as in /status. kRefused, with the height and entry, when it
/// did not agree with the followed node.
[[nodiscard]] Result<Json> run_replica(const Config& config, const ReplicaSettings& settings,
                                       Log& log, const HostHooks& hooks, const StopCheck& stop);

}  // namespace holdfast::node
