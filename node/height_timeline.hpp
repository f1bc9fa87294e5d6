// When what a prover owes of each height was done: block, y, links made, handed over, acknowledged,
// closed; and how many of its links were owed and taken. What the page draws, and the histogram of
// margins is made of.
//
// Threading: any thread. Memory: kKeptTimes heights with their times, one rate window with counts,
// at most kMostCounted heights. Times are milliseconds after the height's block was seen here.
// Spec: docs/spec.md sections 10.2 and 15.3.
#pragma once

#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "availability/peer_budget.hpp"
#include "core/params.hpp"
#include "core/types.hpp"

namespace holdfast::node {

/// The steps of a height, in their order.
enum class HeightStep : std::uint8_t { kOutput, kMade, kHandedOver, kAcknowledged, kClosed };
inline constexpr std::size_t kHeightSteps = 5;
[[nodiscard]] std::string_view to_string(HeightStep step);

struct HeightTimes {
    Height height;
    std::uint64_t age_ms = 0;  // since its block
    /// When each step was done for the last time (of the first acknowledgement to the last link).
    std::array<std::optional<std::uint64_t>, kHeightSteps> done;
    std::uint64_t owed = 0;   // links that were due here
    std::uint64_t taken = 0;  // by the nodes
    std::uint64_t away = 0;   // owed by chains whose replica is not at hand
    /// Until the digest closes (spec 10.2), from the block on.
    std::uint64_t deadline_ms = 0;
    /// What was left of it when the last link was acknowledged, or taken where nothing is
    /// acknowledged; what is left now where that is still to come. Negative: too late by so much.
    std::int64_t margin_ms = 0;
};

struct HeightCount {
    Height height;
    std::uint64_t owed = 0;
    std::uint64_t missed = 0;  // of a height that is closed: owed, and not taken
};

class HeightTimeline {
  public:
    static constexpr std::size_t kKeptTimes = 64;
    static constexpr std::size_t kMostCounted = 4'096;

    HeightTimeline(const NetworkParams& params, MonotonicNs clock);

    /// A final block has come: its height begins, and another one closes.
    void block(Height height);
    void step(Height height, HeightStep step);
    void owed(Height height, std::uint64_t links);   // the most that was ever due of it
    void taken(Height height, std::uint64_t links);  // so many more
    /// Chains of the key whose replica is not at hand: of the heights from now on.
    void away(std::uint64_t chains);

    /// The newest first.
    [[nodiscard]] std::vector<HeightTimes> times(std::size_t most) const;
    /// Closed heights, ascending.
    [[nodiscard]] std::vector<HeightCount> counts() const;

  private:
    struct Entry {
        std::uint64_t begun_ns = 0;
        std::array<std::uint64_t, kHeightSteps> done_ns{};  // 0: not yet
        std::uint64_t owed = 0, taken = 0, away = 0;
    };
    [[nodiscard]] Entry* find(Height height);
    [[nodiscard]] HeightTimes times_of(Height height, const Entry& entry, std::uint64_t now) const;

    const std::uint64_t closing_blocks_;
    const std::uint64_t deadline_ms_;
    const std::size_t most_counts_;
    const MonotonicNs clock_;
    mutable std::mutex mutex_;  // guards what follows
    std::map<Height, Entry> entries_;
    std::vector<HeightCount> counts_;  // ascending
    std::uint64_t away_ = 0;
};

}  // namespace holdfast::node
