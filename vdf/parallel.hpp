// A ParallelFor over TBB's task pool, for fills, walks and whatever else takes one.
//
// The bodies run in the caller and in the pool's threads; the call returns when all are done.
#pragma once

#include "core/fill.hpp"

namespace holdfast {

/// At most `max_threads` at once, the caller included; 0: as many as the pool has. 1 runs the
/// bodies in the caller, in order.
[[nodiscard]] ParallelFor pool_parallel(unsigned max_threads = 0);

}  // namespace holdfast
