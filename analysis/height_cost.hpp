// What a height of a network costs on this machine, measured in about a second: for whoever makes a
// network or joins one.
//
// Reads a clock and fills one arena of the network's; nothing here decides a verdict. Each time is
// the least of a few samples, in seconds. Errors: as of measure_vdf().
#pragma once

#include "core/fill.hpp"
#include "core/params.hpp"
#include "core/result.hpp"

namespace holdfast {

struct HeightCost {
    double arena_seconds = 0;   // filling it, once an epoch, on all cores
    double y_seconds = 0;       // evaluating y, on one core: no other can help
    double check_seconds = 0;   // verifying y in full, on all cores
    double link_seconds = 0;    // hashing the cells of one link; reading them comes on top
    double sign_seconds = 0;    // a signature, of a receipt or a bundle of links
    double verify_seconds = 0;  // checking one
};

/// Without a VDF the first three are 0.
[[nodiscard]] Result<HeightCost> measure_height(const NetworkParams& params,
                                                const StopCheck& stop = {});

}  // namespace holdfast
