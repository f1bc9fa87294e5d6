// Work on numbered items over TBB's pool of threads: the one place that decides how many.
//
// Three forms, for three kinds of work: run_workers where items fail and a worker keeps memory from
// one to the next, pool_parallel where a pure function asks for a ParallelFor, for_each_parallel
// for many short items. Each call starts its threads, takes part itself and returns when all are
// done. The order in which items are done is not fixed: nothing hashed may depend on it. Never
// more threads than the machine has cores, whatever is asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "core/fill.hpp"
#include "core/result.hpp"

namespace holdfast {

/// 0 becomes the number of cores; never more than `items`, at least 1.
[[nodiscard]] unsigned worker_count(unsigned wanted, std::uint64_t items);

/// Runs body(worker, item) for every item below `items`, on up to `workers` threads, items handed
/// out in ascending order; `worker` is below `workers`, and no two calls share one at a time. After
/// the first error no further item starts and that error is returned. `stop` becomes kInterrupted
/// before the next item. An exception in `body` becomes an error.
[[nodiscard]] Status run_workers(unsigned workers, std::uint64_t items, const StopCheck& stop,
                                 const std::function<Status(unsigned, std::uint64_t)>& body);

/// The error of work that `stop` ended.
[[nodiscard]] tl::unexpected<Error> interrupted();

/// For fills, walks and whatever else takes a ParallelFor: few items, each of them long. At most
/// `max_threads` at once, the caller included; 0: one for each core. 1 runs the bodies in the
/// caller, in order. Bodies must not throw.
[[nodiscard]] ParallelFor pool_parallel(unsigned max_threads = 0);

/// Runs body(0) … body(count-1), short items that are handed out many at a time. `threads` as for
/// pool_parallel. `body` must not throw.
void for_each_parallel(std::size_t count, unsigned threads,
                       const std::function<void(std::size_t)>& body);

}  // namespace holdfast
