#include "availability/score.hpp"

#include "core/codec.hpp"

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

Bytes AvailabilityScore::encode() const {
    Writer w(48);
    w.u64(alpha).u64(beta).u64(served).u64(late).u64(invalid).u64(unreachable);
    return w.take();
}

Checked<AvailabilityScore> AvailabilityScore::decode(ByteView bytes) {
    Reader r(bytes);
    AvailabilityScore s;
    s.alpha = r.u64();
    s.beta = r.u64();
    s.served = r.u64();
    s.late = r.u64();
    s.invalid = r.u64();
    s.unreachable = r.u64();
    if (s.alpha > kBeginning + kUnit || s.beta > kBeginning + kUnit) r.refuse(Reason::kBadField);
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return s;
}

}  // namespace holdfast
