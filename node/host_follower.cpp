#include "node/host_follower.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "core/constants.hpp"

namespace holdfast::node {
namespace {

constexpr std::uint64_t kToldAtOnce = 3;  // older heights can neither be challenged nor answered
constexpr std::uint32_t kLeastIntervalMs = 10;
constexpr std::uint32_t kMostIntervalMs = 500;
constexpr std::uint32_t kStopLookMs = 20;

}  // namespace

std::uint32_t poll_interval_ms(const NetworkParams& params) {
    return std::clamp(challenge_margin_ms(params) / 8, kLeastIntervalMs, kMostIntervalMs);
}

HostFollower::HostFollower(const NetworkParams& params, FollowClient& client, MonotonicNs clock,
                           Log& log, FollowerHooks hooks)
    : client_(client),
      clock_(std::move(clock)),
      log_(log),
      hooks_(std::move(hooks)),
      interval_ms_(poll_interval_ms(params)),
      margin_ms_(challenge_margin_ms(params)),
      wait_ms_(interval_ms_) {}

Status HostFollower::tell(Height height, bool seen_arriving) {
    HOLDFAST_ASSIGN(facts, client_.at(height));
    if (!facts.y) without_y_.insert(height);
    {
        const std::lock_guard lock(mutex_);
        status_.tip = height;
        tip_ns_ = clock_();
    }
    hooks_.on_height(facts, seen_arriving);
    return {};
}

Status HostFollower::look(std::uint64_t asked_ns) {
    HOLDFAST_ASSIGN(newest, client_.tip());
    const std::optional<Height> told = status().tip;
    const bool often = asked_before_ns_ && clock_() - *asked_before_ns_ <= margin_ms_ * kNsPerMs;
    // A challenge of the height before the tip may still come: at first that one is told, too.
    const std::uint64_t older = std::min<std::uint64_t>(newest.height.value, kToldAtOnce - 1);
    Height next = newest.height - (told ? older : std::min<std::uint64_t>(older, 1));
    if (told && *told + 1 > next) next = *told + 1;
    const bool skipped = !told || *told + 1 != newest.height;
    for (; next <= newest.height; next = next + 1) {
        const Status done = tell(next, often && !skipped);
        // Not kept there any more, or from before its first block: it cannot matter here either.
        if (!done && done.error().code == ErrorCode::kNotFound && next < newest.height) continue;
        HOLDFAST_TRY(done);
    }
    without_y_.erase(without_y_.begin(), without_y_.lower_bound(newest.height - older));
    for (auto h = without_y_.begin(); h != without_y_.end();) {
        HOLDFAST_ASSIGN(facts, client_.at(*h));
        if (!facts.y) {
            ++h;
            continue;
        }
        hooks_.on_y(*h, *facts.y);
        h = without_y_.erase(h);
    }
    asked_before_ns_ = asked_ns;
    return {};
}

void HostFollower::note_failure(const Error& error) {
    const std::lock_guard lock(mutex_);
    if (status_.reachable || status_.failures == 0) {
        log_.warn("host.away", {{"error", error.message}});
    }
    status_.reachable = false;
    status_.error = error.message;
    ++status_.failures;
}

std::uint32_t HostFollower::poll() {
    const Status looked = look(clock_());
    if (!looked) {
        note_failure(looked.error());
        wait_ms_ = std::min(2 * wait_ms_, std::max(kMostWaitMs, interval_ms_));
        return wait_ms_;
    }
    const std::lock_guard lock(mutex_);
    ++status_.polls;
    answered_ns_ = clock_();
    if (!status_.reachable) log_.info("host.reached", {{"tip", *status_.tip}});
    status_.reachable = true;
    status_.error.clear();
    wait_ms_ = interval_ms_;
    return wait_ms_;
}

void HostFollower::run(const StopCheck& stop) {
    using Clock = std::chrono::steady_clock;
    while (!stop()) {
        const auto until = Clock::now() + std::chrono::milliseconds(poll());
        while (!stop() && Clock::now() < until) {
            std::this_thread::sleep_until(
                std::min(until, Clock::now() + std::chrono::milliseconds(kStopLookMs)));
        }
    }
}

FollowerStatus HostFollower::status() const {
    const std::lock_guard lock(mutex_);
    FollowerStatus out = status_;
    const std::uint64_t now = clock_();
    if (out.tip) out.tip_age_ms = (now - tip_ns_) / kNsPerMs;
    if (answered_ns_ != 0) out.answered_age_ms = (now - answered_ns_) / kNsPerMs;
    return out;
}

}  // namespace holdfast::node
