#include "node/at_once.hpp"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

namespace holdfast::node {

void at_once(std::size_t count, const std::function<void(std::size_t)>& body) {
    std::atomic<std::size_t> next{0};
    const auto run = [&] {
        for (std::size_t i = next++; i < count; i = next++) body(i);
    };
    std::vector<std::jthread> threads;
    try {
        for (std::size_t i = 1; i < std::min(count, kQuestionsAtOnce); ++i) {
            threads.emplace_back(run);
        }
    } catch (const std::system_error&) {
        // The system has no thread left: those that are here do all of it.
    }
    run();
}

}  // namespace holdfast::node
