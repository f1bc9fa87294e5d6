// Numbered, independent pieces of work over threads. Internal to this room.
#pragma once

#include <cstddef>
#include <functional>

namespace holdfast {

/// Runs body(0) … body(count-1) in any order and returns when all are done. `threads`: 0 for as
/// many as the machine has, 1 for the calling thread alone. `body` must not throw.
void for_each_parallel(std::size_t count, unsigned threads,
                       const std::function<void(std::size_t)>& body);

}  // namespace holdfast
