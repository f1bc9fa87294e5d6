// Metrics that take long to count, as of 100,000 chains: counted when asked for while that is
// quick, and otherwise as of the newest refresh(), so that no scrape waits for them.
//
// Threading: any thread.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "node/monitor.hpp"

namespace holdfast::node {

class CostlyMetrics {
  public:
    using Source = std::function<std::vector<Metric>()>;
    explicit CostlyMetrics(Source source) : source_(std::move(source)) {}

    void refresh() {
        const auto begin = std::chrono::steady_clock::now();
        std::vector<Metric> made = source_();
        const std::lock_guard lock(mutex_);
        newest_ = std::move(made);
        quick_ = std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(5);
    }
    [[nodiscard]] std::vector<Metric> get() {
        if (must_count()) refresh();
        const std::lock_guard lock(mutex_);
        return *newest_;
    }

  private:
    [[nodiscard]] bool must_count() {
        const std::lock_guard lock(mutex_);
        return !newest_ || quick_;
    }

    const Source source_;
    std::mutex mutex_;  // guards the two below
    std::optional<std::vector<Metric>> newest_;
    bool quick_ = true;
};

}  // namespace holdfast::node
