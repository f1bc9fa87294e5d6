// Public data for light clients, out of a node's or a replica's parts: clock, beacon, the
// operator's heads, and the provers that are connected.
//
// Threading: the hooks may be called from any thread. Ownership: parts and network outlive them.
#pragma once

#include <functional>

#include "callbacks/beacon.hpp"
#include "clock/vdf_clock.hpp"
#include "core/params.hpp"
#include "follow/public_source.hpp"
#include "transport/tcp_network.hpp"

namespace holdfast::node {

struct PublicParts {
    const NetworkParams& params;
    /// The operator's head of a closed height. kNotFound, kRefused.
    std::function<Result<JournalHead>(Height)> head;
    Beacon* beacon = nullptr;         // networks with one
    const VdfClock* clock = nullptr;  // networks with a VDF
};

/// `network`: where the provers are connected, null before it has started.
[[nodiscard]] PublicSourceHooks public_hooks(PublicParts parts,
                                             std::function<TcpNetwork*()> network);

}  // namespace holdfast::node
