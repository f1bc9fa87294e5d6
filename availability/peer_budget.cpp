#include "availability/peer_budget.hpp"

#include <algorithm>

#include "core/constants.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
__extension__ using U128 = unsigned __int128;

}  // namespace

PeerBudget::PeerBudget(const BudgetLimits& limits, MonotonicNs clock)
    : limits_(limits), clock_(std::move(clock)) {
    limits_.per_second = std::max<std::uint64_t>(1, limits_.per_second);
    limits_.burst = std::max<std::uint64_t>(1, limits_.burst);
    limits_.peers = std::max<std::size_t>(1, limits_.peers);
}

/// Whole units only: the rest of the time stays on the account.
PeerBudget::Account PeerBudget::refilled(const Account& account, std::uint64_t now) const {
    const std::uint64_t passed = now < account.at_ns ? 0 : now - account.at_ns;
    const U128 grown = U128{passed} * limits_.per_second / kNsPerSecond;
    if (grown >= limits_.burst - account.units) return {limits_.burst, now};
    const auto units = static_cast<std::uint64_t>(grown);
    const auto used_ns =
        static_cast<std::uint64_t>(U128{units} * kNsPerSecond / limits_.per_second);
    return {account.units + units, account.at_ns + used_ns};
}

void PeerBudget::forget_full(std::uint64_t now) {
    std::erase_if(accounts_, [&](const auto& entry) {
        return refilled(entry.second, now).units == limits_.burst;
    });
}

PeerBudget::Account* PeerBudget::account(const PublicKey& peer, std::uint64_t now) {
    auto found = accounts_.find(peer);
    if (found == accounts_.end()) {
        if (accounts_.size() >= limits_.peers) forget_full(now);
        if (accounts_.size() >= limits_.peers) return nullptr;
        found = accounts_.emplace(peer, Account{limits_.burst, now}).first;
    }
    found->second = refilled(found->second, now);
    return &found->second;
}

std::uint32_t PeerBudget::take(const PublicKey& peer, std::uint64_t units) {
    units = std::min(units, limits_.burst);
    const std::lock_guard lock(mutex_);
    const std::uint64_t now = clock_();
    Account* const own = account(peer, now);
    const std::uint64_t there = own == nullptr ? 0 : own->units;
    if (there >= units && own != nullptr) {
        own->units -= units;
        return 0;
    }
    const U128 wait_ms =
        (U128{units - there} * kNsPerSecond / limits_.per_second + kNsPerMs - 1) / kNsPerMs;
    return static_cast<std::uint32_t>(std::clamp<U128>(wait_ms, 1, UINT32_MAX));
}

bool PeerBudget::has(const PublicKey& peer, std::uint64_t units) {
    const std::lock_guard lock(mutex_);
    const Account* const own = account(peer, clock_());
    return own != nullptr && own->units >= std::min(units, limits_.burst);
}

std::size_t PeerBudget::remembered() const {
    const std::lock_guard lock(mutex_);
    return accounts_.size();
}

}  // namespace holdfast
