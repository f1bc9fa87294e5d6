// How fast a chain's misses grow, from the numbers that a followed node told of it.
//
// Two points are kept, so that a hundred thousand chains cost little: the rate is that between the
// older of them and the newest number, over kSpan to 2 * kSpan heights. A plain value, one thread
// at a time. Spec: docs/spec.md section 10.4.
#pragma once

#include <optional>

#include "core/types.hpp"

namespace holdfast::node {

class MissTrend {
  public:
    static constexpr std::uint64_t kSpan = 32;  // heights

    /// Numbers of one chain, at heights that never go back.
    void note(Height height, std::uint64_t misses);
    /// The heights that the rate is taken over. Empty: two numbers are not known yet.
    [[nodiscard]] std::optional<Height> since() const;
    [[nodiscard]] std::uint64_t misses_then() const { return older_.misses; }
    [[nodiscard]] std::uint64_t misses_now() const { return newest_.misses; }
    /// Heights from the newest number until `threshold` is passed (misses > threshold) at the rate
    /// of the span. Empty: it is passed, or misses do not grow.
    [[nodiscard]] std::optional<std::uint64_t> heights_until(std::uint64_t threshold) const;
    /// Heights until misses are `threshold` or fewer. Empty: they are, or misses do not fall.
    [[nodiscard]] std::optional<std::uint64_t> heights_until_below(std::uint64_t threshold) const;

  private:
    struct Point {
        Height height;
        std::uint64_t misses = 0;
    };
    bool known_ = false;
    Point older_;
    Point middle_;
    Point newest_;
};

}  // namespace holdfast::node
