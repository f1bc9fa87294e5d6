#include "node/miss_trend.hpp"

namespace holdfast::node {
namespace {

/// ceil(way * heights / change): how long the same change takes to go this way.
std::uint64_t heights_for(std::uint64_t way, std::uint64_t change, std::uint64_t heights) {
    return (way * heights + change - 1) / change;
}

}  // namespace

void MissTrend::note(Height height, std::uint64_t misses) {
    const Point point{height, misses};
    if (!known_) {
        older_ = middle_ = newest_ = point;
        known_ = true;
        return;
    }
    if (height <= newest_.height) return;
    if (height.since(middle_.height) >= kSpan) {
        older_ = middle_;
        middle_ = point;
    }
    newest_ = point;
}

std::optional<Height> MissTrend::since() const {
    if (!known_ || newest_.height == older_.height) return std::nullopt;
    return older_.height;
}

std::optional<std::uint64_t> MissTrend::heights_until(std::uint64_t threshold) const {
    if (!since() || newest_.misses > threshold || newest_.misses <= older_.misses) {
        return std::nullopt;
    }
    return heights_for(threshold + 1 - newest_.misses, newest_.misses - older_.misses,
                       newest_.height.since(older_.height));
}

std::optional<std::uint64_t> MissTrend::heights_until_below(std::uint64_t threshold) const {
    if (!since() || newest_.misses <= threshold || newest_.misses >= older_.misses) {
        return std::nullopt;
    }
    return heights_for(newest_.misses - threshold, older_.misses - newest_.misses,
                       newest_.height.since(older_.height));
}

}  // namespace holdfast::node
