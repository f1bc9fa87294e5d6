// Time-outs around a host's callbacks: the engine waits for an answer, never for a host.
//
// Each call runs on a thread of the guard's own. When it does not return in time the engine gets
// kTimeout and goes on; the call is left alone and what it says later is thrown away, which the
// contracts of the callbacks allow (the effect may or may not have happened, and the engine repeats
// the same call). So many calls at once and no more have a thread: when that many hang, further
// calls wait for their time-out and get kBusy, and nothing grows.
//
// Threading   any number of threads. Destroying the guard waits for its idle threads and for no
//             hanging call: such a thread keeps what it uses alive and ends when the host returns.
// Time        the machine's monotonic clock.
#pragma once

#include <cstdint>
#include <memory>

#include "callbacks/intercept.hpp"

namespace holdfast {

/// How long a host's call may take, and how many may be in flight.
struct GuardOptions {
    /// For every call, in milliseconds; added to what the arguments themselves allow (a challenge's
    /// deadline).
    std::uint32_t timeout_ms = 10'000;
    unsigned max_calls = 16;  // in flight at once
};

/// kInvalidArgument for a time-out or a number of calls of 0.
[[nodiscard]] Result<std::shared_ptr<Interceptor>> make_guard(const GuardOptions& options = {});

}  // namespace holdfast
