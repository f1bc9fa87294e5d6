// Questions to nodes side by side: on a slow line the round trips of one height are what it costs.
//
// Starts its threads, takes part itself and returns when all are done; they wait for the network,
// so there may be more of them than cores. `body` must not throw. Threading: any thread.
#pragma once

#include <cstddef>
#include <functional>

namespace holdfast::node {

inline constexpr std::size_t kQuestionsAtOnce = 16;

/// body(0) … body(count - 1), at most kQuestionsAtOnce at a time, begun in that order.
void at_once(std::size_t count, const std::function<void(std::size_t)>& body);

}  // namespace holdfast::node
