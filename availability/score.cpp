#include "availability/score.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kPerMille = 1'000;
// Neither sum ever passes the beginning by more than one unit, so no product below overflows.
static_assert((AvailabilityScore::kBeginning + AvailabilityScore::kUnit) * kPerMille / kPerMille ==
              AvailabilityScore::kBeginning + AvailabilityScore::kUnit);

std::uint64_t forgotten(std::uint64_t sum) {
    return sum * AvailabilityScore::kKeptPerMille / kPerMille;
}

}  // namespace

std::string_view to_string(ScoreLevel level) {
    switch (level) {
        case ScoreLevel::kGood:
            return "good";
        case ScoreLevel::kWatched:
            return "watched";
        case ScoreLevel::kPoor:
            return "poor";
    }
    return "?";
}

void AvailabilityScore::note(OutcomeKind outcome) {
    alpha = forgotten(alpha);
    beta = forgotten(beta);
    (outcome == OutcomeKind::kServed ? alpha : beta) += kUnit;
    switch (outcome) {
        case OutcomeKind::kServed:
            ++served;
            break;
        case OutcomeKind::kLate:
            ++late;
            break;
        case OutcomeKind::kInvalid:
            ++invalid;
            break;
        case OutcomeKind::kUnreachable:
            ++unreachable;
            break;
    }
}

std::uint32_t AvailabilityScore::per_mille() const {
    const std::uint64_t all = alpha + beta;
    return all == 0 ? 0 : static_cast<std::uint32_t>(alpha * kPerMille / all);
}

ScoreLevel AvailabilityScore::level() const {
    const std::uint32_t score = per_mille();
    if (score >= kGoodPerMille) return ScoreLevel::kGood;
    return score >= kPoorPerMille ? ScoreLevel::kWatched : ScoreLevel::kPoor;
}

AvailabilityScore score_of(std::span<const OutcomeRecord> outcomes) {
    AvailabilityScore score;
    for (const OutcomeRecord& record : outcomes) score.note(record.outcome);
    return score;
}

}  // namespace holdfast
