// The end of a daemon, in order: from when it is told to end until nothing that it has begun is
// under way any more, or its time for that is over.
//
// Threading: any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>

#include "node/log.hpp"

namespace holdfast::node {

class Drain {
  public:
    /// `idle`: nothing is under way, or cannot be brought to an end. Called without a lock; whoever
    /// asks over() must hold none that it takes.
    Drain(std::uint32_t patience_ms, Log& log, std::function<bool()> idle)
        : patience_(patience_ms), log_(log), idle_(std::move(idle)) {}

    /// Asked again and again once the end is wanted; the first time begins it.
    [[nodiscard]] bool over() { return over(patience_); }
    [[nodiscard]] bool over(std::chrono::milliseconds patience) {
        if (over_) return true;
        const auto now = std::chrono::steady_clock::now();
        const auto begun = begin(now);
        const bool idle = idle_();  // without a lock: it asks others, who may be asking here
        if (!idle && now - begun < patience) return false;
        if (!over_.exchange(true)) log_.info("drained", {{"idle", idle}});
        return true;
    }

  private:
    std::chrono::steady_clock::time_point begin(std::chrono::steady_clock::time_point now) {
        const std::lock_guard lock(mutex_);
        if (!begun_) {
            begun_ = now;
            log_.info("draining");
        }
        return *begun_;
    }

    const std::chrono::milliseconds patience_;
    Log& log_;
    const std::function<bool()> idle_;
    std::atomic<bool> over_{false};
    std::mutex mutex_;
    std::optional<std::chrono::steady_clock::time_point> begun_;
};

}  // namespace holdfast::node
