// Work on numbered items by a bounded number of threads; the first error stops it.
//
// Internal to this room. The order in which items are done is not fixed: nothing hashed may depend
// on it.
#pragma once

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

}  // namespace holdfast
