// What a simulation compares its registry with: digests computed again from leaves alone, without
// the tree that the registry keeps, and the links that were handed in. Threading: one thread.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "hierarchy/registry.hpp"
#include "storage/link_set_records.hpp"

namespace holdfast::simulation {

/// The digest of a closed height over the given slots (ascending), hash by hash.
[[nodiscard]] GlobalDigest digest_from_scratch(const NetworkParams& params,
                                               const BlockRecord& block,
                                               const GlobalDigest& previous,
                                               const std::map<std::uint64_t, ChainLeaf>& slots);

struct ScratchCheck {
    std::uint64_t digests = 0;
    std::uint64_t leaves = 0;
    std::uint64_t wrong = 0;  // digests that differ
};
/// Every closed height from `first` on. Errors of the registry; kInterrupted.
[[nodiscard]] Result<ScratchCheck> recompute_digests(const Registry& registry, Height first,
                                                     const StopCheck& stop);

/// The links that were handed in and taken, until their digest closes.
class TakenLinks {
  public:
    void note(Height height, std::span<const ChainLink> links);
    /// How many of the height's links do not stand in the leaves of their chains; forgets them. A
    /// chain that lost its slot meanwhile has none.
    [[nodiscard]] Result<std::uint64_t> missing_in(const Registry& registry, Height closed);

  private:
    std::map<Height, std::vector<ChainLink>> links_;
};

}  // namespace holdfast::simulation
