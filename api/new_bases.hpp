// New bases for the reveal chains of a set: of chains that were silent for so long that no proof of
// theirs could be checked any more, and of those whose reveal chain ends soon.
//
// A registry takes no bare steps of reveals; an update with a new base bridges the silence (spec
// 15.3). Chains are asked about when the first block comes, then once in kEveryHeights, and as soon
// as a reveal was refused. What has been handed to the host chain is not made again while a block
// may still list it.
//
// Threading: one call at a time; starts its own workers and joins them. Spec: docs/spec.md sections
// 3, 5 and 15.3.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "api/duty_source.hpp"
#include "core/params.hpp"
#include "core/result.hpp"

namespace holdfast {

class ProverSet;

/// Finds the chains of a set that need a new base, and makes their updates.
class NewBases {
  public:
    static constexpr std::uint64_t kEveryHeights = 32;
    using Fault = std::function<void(const ChainId& chain_id, const Error& error)>;

    /// Updates that chains of the set must make while the tip is `height`, handed to the host
    /// chain; returns how many. One that is not taken there is a fault of its chain. Errors: of the
    /// source, kInterrupted.
    [[nodiscard]] Result<std::uint64_t> make(const NetworkParams& params, DutySource& source,
                                             ProverSet& set, Height height, unsigned threads,
                                             const StopCheck& stop, const Fault& fault);
    /// With the next block.
    void look_again() { next_.reset(); }

  private:
    std::optional<Height> next_;       // when chains are asked about next
    std::map<ChainId, Height> waits_;  // handed over, not known to be taken: effective height
};

}  // namespace holdfast
