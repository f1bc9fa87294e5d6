// Answers what provers ask about their own chains, out of a registry.
//
// The heights are answered from what refresh() prepared. A list costs what the chains cost that it
// looks through (questions 7 to 10: units_for() them), whoever else is registered.
//
// Threading: answer() from any thread, refresh() one call at a time. Ownership: the registry must
// outlive it. Spec: docs/spec.md section 14.
#pragma once

#include <memory>
#include <mutex>

#include "follow/messages.hpp"
#include "hierarchy/registry.hpp"

namespace holdfast {

/// What a question about this many chains counts as.
[[nodiscard]] constexpr std::uint64_t units_for_chains(std::uint32_t chains) {
    constexpr std::uint32_t kChainsForAUnit = 128;
    return 1 + chains / kChainsForAUnit;
}

class DutyAnswers {
  public:
    explicit DutyAnswers(const Registry& registry) : registry_(registry) {}

    /// Takes in a new tip, and y where it was missing.
    [[nodiscard]] Status refresh();

    [[nodiscard]] Result<FollowAnswer> answer(const DutyHeightsQuestion& question) const;
    [[nodiscard]] Result<FollowAnswer> answer(const LinksDueQuestion& question) const;
    [[nodiscard]] Result<FollowAnswer> answer(const ProofsDueQuestion& question) const;
    [[nodiscard]] Result<FollowAnswer> answer(const SealDutiesQuestion& question) const;
    [[nodiscard]] Result<FollowAnswer> answer(const OwnedChainsQuestion& question) const;
    [[nodiscard]] Result<FollowAnswer> answer(const RegistrationQuestion& question) const;

  private:
    [[nodiscard]] Result<DutyHeight> height(Height height, std::uint64_t tips_after) const;

    const Registry& registry_;
    mutable std::mutex mutex_;  // guards heights_
    std::shared_ptr<const DutyHeights> heights_;
};

}  // namespace holdfast
