// How much strangers may cost: a budget for each peer that refills with time.
//
// A peer's budget is `burst` units and grows back by `per_second`; take() takes units or says when
// they will be there. At most `peers` budgets are remembered: one that is full again is forgotten
// first, and a stranger for whom no place is left is refused as one whose budget is empty, so that
// a flood of new keys gets nothing more than one flood costs. The clock is monotonic nanoseconds
// and the caller's own. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

#include "core/types.hpp"

namespace holdfast {

using MonotonicNs = std::function<std::uint64_t()>;

struct BudgetLimits {
    std::uint64_t per_second = 1;  // units, at least 1
    std::uint64_t burst = 1;       // units, at least 1
    std::size_t peers = 4'096;
};

class PeerBudget {
  public:
    PeerBudget(const BudgetLimits& limits, MonotonicNs clock);

    /// 0: the units are taken. Otherwise nothing is, and it is the time in milliseconds after which
    /// they would be there (more units than a burst never are, and count as a burst).
    [[nodiscard]] std::uint32_t take(const PublicKey& peer, std::uint64_t units);
    /// Whether `units` could be taken now.
    [[nodiscard]] bool has(const PublicKey& peer, std::uint64_t units);
    [[nodiscard]] std::size_t remembered() const;

  private:
    struct Account {
        std::uint64_t units = 0;
        std::uint64_t at_ns = 0;
    };
    Account* account(const PublicKey& peer, std::uint64_t now);
    [[nodiscard]] Account refilled(const Account& account, std::uint64_t now) const;
    void forget_full(std::uint64_t now);

    BudgetLimits limits_;
    MonotonicNs clock_;
    mutable std::mutex mutex_;
    std::map<PublicKey, Account> accounts_;
};

}  // namespace holdfast
