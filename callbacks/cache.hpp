// A cache of what a host can never answer otherwise: final blocks, what they list, beacon rounds.
//
// Only answers that the contracts of the callbacks fix for good are kept: a block that says it is
// final, the submissions of such a block, the value of a beacon round, and a successful check of
// one. A round whose check fails is forgotten, so that one bad answer does not stay. The least
// recently used make room. Everything else passes through.
//
// Threading   any number of threads; two that miss at once both ask.
#pragma once

#include <cstdint>
#include <memory>

#include "callbacks/intercept.hpp"

namespace holdfast {

/// How much a cache keeps.
struct CallCacheOptions {
    std::uint64_t max_bytes = std::uint64_t{64} << 20;  // of calls and answers kept
};

/// Answers that cannot change any more, kept up to a number of them.
class CallCache : public Interceptor {
  public:
    /// What the cache has answered, and what it holds.
    struct Statistics {
        std::uint64_t hits = 0;
        std::uint64_t misses = 0;  // of calls that can be kept
        std::uint64_t bytes = 0;
        std::uint64_t entries = 0;
    };
    [[nodiscard]] virtual Statistics statistics() const = 0;
};

[[nodiscard]] std::shared_ptr<CallCache> make_call_cache(const CallCacheOptions& options = {});

}  // namespace holdfast
