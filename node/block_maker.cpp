#include "node/block_maker.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "core/constants.hpp"

namespace holdfast::node {
namespace {

constexpr std::uint64_t kLookNs = 10 * kNsPerMs;  // how often cancellation is checked
constexpr std::uint64_t kRetryNs = 500 * kNsPerMs;

}  // namespace

BlockMaker::BlockMaker(LocalChain& chain, std::uint32_t block_ms, MonotonicNs clock,
                       WallClockMs wall, Log& log, std::function<void()> on_block)
    : chain_(chain),
      block_ms_(block_ms),
      clock_(std::move(clock)),
      wall_(std::move(wall)),
      log_(log),
      on_block_(std::move(on_block)),
      newest_ns_(clock_()) {}

Result<std::uint64_t> BlockMaker::first_wait_ms() const {
    HOLDFAST_ASSIGN(tip, chain_.current_height());
    HOLDFAST_ASSIGN(parent, chain_.block_by_height(tip));
    const std::uint64_t now = wall_();
    if (parent.time_ms > now) return block_ms_;
    return block_ms_ - std::min<std::uint64_t>(now - parent.time_ms, block_ms_);
}

Status BlockMaker::make() {
    const Status made = [this]() -> Status {
        HOLDFAST_ASSIGN(tip, chain_.current_height());
        HOLDFAST_ASSIGN(parent, chain_.block_by_height(tip));
        HOLDFAST_ASSIGN(block, chain_.append_block(std::max(parent.time_ms, wall_())));
        const std::lock_guard lock(mutex_);
        status_.newest = block.height;
        ++status_.made;
        newest_ns_ = clock_();
        return {};
    }();
    const std::lock_guard lock(mutex_);
    if (!made && status_.error.empty())
        log_.error("block.failed", {{"error", made.error().message}});
    status_.error = made ? "" : made.error().message;
    return made;
}

void BlockMaker::wait_until(std::uint64_t when_ns, const StopCheck& stop) const {
    while (!stop()) {
        const std::uint64_t now = clock_();
        if (now >= when_ns) return;
        std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(when_ns - now, kLookNs)));
    }
}

void BlockMaker::run(const StopCheck& stop) {
    std::uint64_t next = clock_() + first_wait_ms().value_or(0) * kNsPerMs;
    while (!stop()) {
        wait_until(next, stop);
        if (stop()) return;
        if (!make()) {
            next = clock_() + kRetryNs;
            continue;
        }
        on_block_();
        const std::uint64_t now = clock_();
        next = next + block_ms_ * kNsPerMs > now ? next + block_ms_ * kNsPerMs
                                                 : now + block_ms_ * kNsPerMs;
    }
}

BlockMakerStatus BlockMaker::status() const {
    const std::lock_guard lock(mutex_);
    BlockMakerStatus out = status_;
    out.age_ms = (clock_() - newest_ns_) / kNsPerMs;
    return out;
}

}  // namespace holdfast::node
