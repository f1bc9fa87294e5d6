// Keeps provers and challengers at the tip of the node that they follow.
//
// Asks for the newest final block at a fixed interval: an eighth of the margin that the protocol's
// timing leaves (poll_interval_ms), so that a follower is never a whole margin behind. While the
// node cannot be reached the interval doubles, up to kMostWaitMs. New heights are told once,
// ascending; after a longer absence only those that can still matter, the newest three. y that was
// missing is told when it is there.
//
// A height is `seen_arriving` when the question before was asked no longer than a margin earlier
// and no height was skipped: only then does somebody with a clock of its own know when it came.
//
// Threading: poll() from one thread, status() from any; the hooks are called by poll(), without a
// lock. Ownership: the client must outlive it. Spec: docs/spec.md section 14.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "availability/peer_budget.hpp"
#include "core/params.hpp"
#include "follow/client.hpp"
#include "node/log.hpp"

namespace holdfast::node {

struct FollowerHooks {
    std::function<void(const FollowHeight& height, bool seen_arriving)> on_height;
    std::function<void(Height height, const VdfOutput& y)> on_y;
};

struct FollowerStatus {
    bool reachable = false;  // the newest question was answered
    std::optional<Height> tip;
    std::uint64_t tip_age_ms = 0;       // since the tip was told here
    std::uint64_t answered_age_ms = 0;  // since the newest answer; 0 before the first
    std::uint64_t polls = 0;
    std::uint64_t failures = 0;
    std::string error;  // of the newest question; empty: none
};

[[nodiscard]] std::uint32_t poll_interval_ms(const NetworkParams& params);

class HostFollower {
  public:
    static constexpr std::uint32_t kMostWaitMs = 1'000;

    HostFollower(const NetworkParams& params, FollowClient& client, MonotonicNs clock, Log& log,
                 FollowerHooks hooks);

    /// One look; milliseconds until the next one is due.
    [[nodiscard]] std::uint32_t poll();
    /// Looks until `stop` says so, which is asked every few milliseconds.
    void run(const StopCheck& stop);
    [[nodiscard]] FollowerStatus status() const;

  private:
    Status look(std::uint64_t asked_ns);
    Status tell(Height height, bool seen_arriving);
    void note_failure(const Error& error);

    FollowClient& client_;
    const MonotonicNs clock_;
    Log& log_;
    const FollowerHooks hooks_;
    const std::uint32_t interval_ms_;
    const std::uint32_t margin_ms_;
    // poll()'s own:
    std::set<Height> without_y_;
    std::optional<std::uint64_t> asked_before_ns_;  // the newest question whose answer was used
    std::uint32_t wait_ms_;

    mutable std::mutex mutex_;  // guards the three below
    FollowerStatus status_;
    std::uint64_t tip_ns_ = 0;
    std::uint64_t answered_ns_ = 0;
};

}  // namespace holdfast::node
