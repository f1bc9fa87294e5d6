#include "node/height_timeline.hpp"

#include <algorithm>

namespace holdfast::node {
namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;

std::size_t place_of(HeightStep step) { return static_cast<std::size_t>(step); }

}  // namespace

std::string_view to_string(HeightStep step) {
    switch (step) {
        case HeightStep::kOutput:
            return "y";
        case HeightStep::kMade:
            return "links";
        case HeightStep::kHandedOver:
            return "handed_over";
        case HeightStep::kAcknowledged:
            return "acknowledged";
        case HeightStep::kClosed:
            return "closed";
    }
    return "closed";
}

HeightTimeline::HeightTimeline(const NetworkParams& params, MonotonicNs clock)
    : closing_blocks_(params.closing_blocks()),
      deadline_ms_(params.closing_blocks() * params.block_ms),
      most_counts_(std::min<std::size_t>(params.rate_window, kMostCounted)),
      clock_(std::move(clock)) {}

HeightTimeline::Entry* HeightTimeline::find(Height height) {
    const auto found = entries_.find(height);
    return found == entries_.end() ? nullptr : &found->second;
}

void HeightTimeline::block(Height height) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t now = clock_();
    const auto [at, is_new] = entries_.try_emplace(height);
    if (!is_new) return;
    at->second.begun_ns = now;
    at->second.away = away_;
    for (auto& [h, entry] : entries_) {
        std::uint64_t& closed = entry.done_ns[place_of(HeightStep::kClosed)];
        if (closed != 0 || height.since(h) < closing_blocks_) continue;
        closed = std::max<std::uint64_t>(now, 1);
        if (!counts_.empty() && h <= counts_.back().height) continue;
        const std::uint64_t owed = entry.owed + entry.away;
        counts_.push_back({h, owed, owed - std::min(owed, entry.taken)});
    }
    if (counts_.size() > most_counts_) {
        counts_.erase(counts_.begin(), counts_.end() - static_cast<std::ptrdiff_t>(most_counts_));
    }
    while (entries_.size() > kKeptTimes) entries_.erase(entries_.begin());
}

void HeightTimeline::step(Height height, HeightStep step) {
    const std::lock_guard lock(mutex_);
    if (Entry* const entry = find(height)) {
        entry->done_ns[place_of(step)] = std::max<std::uint64_t>(clock_(), 1);
    }
}

void HeightTimeline::owed(Height height, std::uint64_t links) {
    const std::lock_guard lock(mutex_);
    if (Entry* const entry = find(height)) entry->owed = std::max(entry->owed, links);
}

void HeightTimeline::taken(Height height, std::uint64_t links) {
    const std::lock_guard lock(mutex_);
    if (Entry* const entry = find(height)) entry->taken += links;
}

void HeightTimeline::away(std::uint64_t chains) {
    const std::lock_guard lock(mutex_);
    away_ = chains;
}

HeightTimes HeightTimeline::times_of(Height height, const Entry& entry, std::uint64_t now) const {
    HeightTimes out;
    out.height = height;
    out.age_ms = (now - entry.begun_ns) / kNsPerMs;
    for (std::size_t i = 0; i < kHeightSteps; ++i) {
        if (entry.done_ns[i] == 0) continue;
        out.done[i] = (entry.done_ns[i] - std::min(entry.done_ns[i], entry.begun_ns)) / kNsPerMs;
    }
    out.owed = entry.owed;
    out.taken = entry.taken;
    out.away = entry.away;
    out.deadline_ms = deadline_ms_;
    const auto acknowledged = out.done[place_of(HeightStep::kAcknowledged)];
    const auto handed = out.done[place_of(HeightStep::kHandedOver)];
    const auto closed = out.done[place_of(HeightStep::kClosed)];
    const std::uint64_t end = acknowledged ? *acknowledged
                              : handed     ? *handed
                                           : closed.value_or(out.age_ms);
    out.margin_ms = static_cast<std::int64_t>(deadline_ms_) - static_cast<std::int64_t>(end);
    return out;
}

std::vector<HeightTimes> HeightTimeline::times(std::size_t most) const {
    const std::lock_guard lock(mutex_);
    const std::uint64_t now = clock_();
    std::vector<HeightTimes> out;
    for (auto at = entries_.rbegin(); at != entries_.rend() && out.size() < most; ++at) {
        out.push_back(times_of(at->first, at->second, now));
    }
    return out;
}

std::vector<HeightCount> HeightTimeline::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

}  // namespace holdfast::node
