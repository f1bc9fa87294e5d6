// Repetition of a host's callbacks that have no answer yet, with exponential backoff.
//
// kUnavailable, kTimeout, kBusy and kIo are asked again, as the contracts of the callbacks allow
// (changing calls are idempotent); every other error is passed on at once. send_challenge is never
// repeated: a challenge leaves once, and its time counts.
//
// The library does not sleep: the wait is handed in, and so is the seed of its jitter.
// Threading   any number of threads; `wait` must allow the same.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "callbacks/intercept.hpp"

namespace holdfast {

/// How often, and after what pauses, a call is repeated.
struct RetryOptions {
    unsigned attempts = 5;  // in all, the first included
    std::uint32_t first_wait_ms = 100;
    std::uint32_t max_wait_ms = 10'000;  // each wait is twice the one before, up to this
    std::uint32_t jitter_percent = 25;   // of a wait is left out at random, at most; 0 to 100
    std::uint64_t jitter_seed = 0;       // different for each node, so that they do not ask in step
    /// Waits so many milliseconds; false: do not go on (kInterrupted).
    std::function<bool(std::uint32_t milliseconds)> wait;
};

/// kInvalidArgument without `wait`, for 0 attempts, or for a jitter above 100%.
[[nodiscard]] Result<std::shared_ptr<Interceptor>> make_retry(const RetryOptions& options);

}  // namespace holdfast
