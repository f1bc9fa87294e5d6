// What keeps the transport within bounds: waits before dialling again, rates, numbers seen.
//
// Plain state machines: time and randomness are handed in, nothing waits or allocates beyond what
// is said. One thread at a time for each object.
#pragma once

#include <bitset>
#include <cstdint>

namespace holdfast {

/// Exponential backoff: each wait lies between half of a step and the whole, the step doubles up
/// to a most. Spec section 13.
class Backoff {
  public:
    Backoff(std::uint32_t first_ms, std::uint32_t max_ms)
        : first_ms_(first_ms), max_ms_(max_ms), step_ms_(first_ms) {}
    /// The next wait in milliseconds; `random` is any 64 random bits.
    [[nodiscard]] std::uint32_t next_ms(std::uint64_t random);
    void reset() { step_ms_ = first_ms_; }
    /// The next step is the longest: for a peer that refuses us.
    void exhaust() { step_ms_ = max_ms_; }

  private:
    std::uint32_t first_ms_;
    std::uint32_t max_ms_;
    std::uint32_t step_ms_;
};

/// So much a second, and at most a second's worth (or `burst`) at once.
class RateBucket {
  public:
    RateBucket(std::uint64_t per_second, std::uint64_t burst)
        : per_second_(per_second), burst_(burst), level_(static_cast<std::int64_t>(burst)) {}
    /// Takes `amount`, also beyond what is there: the debt is then waited for.
    void take(std::uint64_t amount, std::uint64_t now_ns);
    /// How long until nothing is owed; 0: go on.
    [[nodiscard]] std::uint64_t wait_ns(std::uint64_t now_ns);

  private:
    void refill(std::uint64_t now_ns);

    std::uint64_t per_second_;
    std::uint64_t burst_;
    std::int64_t level_;
    std::uint64_t filled_ns_ = 0;
    bool started_ = false;
};

/// Which of a sender's message numbers have been seen: exactly for the newest kNumbers, and
/// nothing below them is new. 136 bytes, whatever arrives.
class ReplayWindow {
  public:
    static constexpr std::uint64_t kNumbers = 1'024;
    enum class Seen { kNew, kDuplicate, kStale };
    /// Records the number.
    [[nodiscard]] Seen see(std::uint64_t number);

  private:
    std::uint64_t next_ = 0;      // one above the highest seen
    std::bitset<kNumbers> seen_;  // bit i: number next_ - 1 - i
};

}  // namespace holdfast
