// What y of a final height is made of, for those who follow this node and verify it themselves.
//
// Threading: refresh() from the thread that processes blocks, output() from any. The parts must
// outlive it. Spec: docs/spec.md section 14.
#pragma once

#include <functional>
#include <map>
#include <mutex>

#include "api/head_file.hpp"
#include "callbacks/beacon.hpp"
#include "callbacks/blockchain.hpp"
#include "clock/vdf_clock.hpp"
#include "follow/messages.hpp"
#include "hierarchy/registry.hpp"

namespace holdfast::node {

/// Whose y it is. `beacon` may be null in networks without one, `clock` in those without a VDF.
struct OutputParts {
    const Registry& registry;
    Blockchain& chain;
    Beacon* beacon = nullptr;
    const VdfClock* clock = nullptr;
    HeadFile& heads;
    /// Of the operator's node: signs the head of a closed height (Aggregator::head).
    std::function<Result<JournalHead>(Height)> sign = {};
};

class OutputSource {
  public:
    explicit OutputSource(OutputParts parts) : parts_(std::move(parts)) {}

    /// Puts the heads that the operator signs with those that were seen, and finds the heads over
    /// the y entries of the newest heights.
    [[nodiscard]] Status refresh();
    /// The block, its beacon round, the VDF proof and, of the newest heights, the operator's head
    /// over its y entry once there is one. Of a height that closed without y neither proof nor
    /// head. kNotFound above the tip and below the network's first height.
    [[nodiscard]] Result<FollowOutput> output(Height height) const;

  private:
    static constexpr std::size_t kKeptCovers = 64;
    [[nodiscard]] Result<std::optional<OutputCover>> cover_of(Height height, const VdfOutput& y);

    [[nodiscard]] Status keep_heads();

    const OutputParts parts_;
    mutable std::mutex mutex_;  // guards covers_
    std::map<Height, OutputCover> covers_;
};

}  // namespace holdfast::node
