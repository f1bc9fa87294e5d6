// How well a chain has served its challenges, as one number for operators.
//
// A moving average over outcomes in exact integers: alpha adds up what was served, beta what was
// not, and both lose one part in a thousand with every outcome, so that about the last thousand
// count. A chain begins as one that has served forever. The score is alpha / (alpha + beta) in
// parts per thousand.
//
// The numbers are the published defaults of Storj's satellites (storj/storj,
// satellite/reputation/config.go): AuditLambda 0.999, AuditWeight 1, InitialAlpha 1000, InitialBeta
// 0, AuditDQ 0.96, and 0.6 for nodes that are offline (OfflineThreshold) or fail for unknown
// reasons (UnknownAuditDQ). They are a reference, not measured here. What differs: Storj keeps
// three scores, for false data (below 0.96: out), for unknown errors (forgetting 0.95) and for
// presence (mean over windows of 12 hours within 30 days); here one average holds every outcome,
// and its levels only tell an operator where those lines would be. 41 outcomes in a row that are
// not served lead from the beginning below 0.96, 511 below 0.6. The score decides nothing in the
// protocol: misses and the quorum do. Plain value, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "proofs/availability_verify.hpp"

namespace holdfast {

/// What an operator should make of a score.
enum class ScoreLevel : std::uint8_t { kGood = 1, kWatched = 2, kPoor = 3 };
std::string_view to_string(ScoreLevel level);

struct AvailabilityScore {
    static constexpr std::uint64_t kUnit = std::uint64_t{1} << 32;  // of one outcome
    static constexpr std::uint64_t kKeptPerMille = 999;
    static constexpr std::uint64_t kBeginning = 1'000 * kUnit;  // where serving forever leads to
    static constexpr std::uint32_t kGoodPerMille = 960;         // at least: kGood
    static constexpr std::uint32_t kPoorPerMille = 600;         // below: kPoor

    std::uint64_t alpha = kBeginning;
    std::uint64_t beta = 0;
    std::uint64_t served = 0;
    std::uint64_t late = 0;
    std::uint64_t invalid = 0;
    std::uint64_t unreachable = 0;
    friend bool operator==(const AvailabilityScore&, const AvailabilityScore&) = default;

    void note(OutcomeKind outcome);
    [[nodiscard]] std::uint32_t per_mille() const;
    [[nodiscard]] ScoreLevel level() const;
};

/// Of outcomes in the order of their heights (Registry::outcomes).
[[nodiscard]] AvailabilityScore score_of(std::span<const OutcomeRecord> outcomes);

}  // namespace holdfast
