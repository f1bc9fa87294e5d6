// The arena: 256 MiB (by default) of memory-hard fill, one for all inputs of an epoch.
//
// Immutable once filled; shared read-only by any number of threads. Sizes in bytes unless named
// otherwise. Nothing is allocated for parameters outside the bounds of every build.
// Spec: docs/spec.md sections 2 and 6.
#pragma once

#include <memory>

#include "core/fill.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "vdf/walk.hpp"

namespace holdfast {

/// The filled arena of one epoch.
class VdfArena {
  public:
    /// Fills an arena. Errors: kRefused (kVdfPolicy) for parameters out of bounds, kOutOfMemory,
    /// kInterrupted when options.stop said so. Lanes run in parallel through options.parallel.
    static Result<std::shared_ptr<const VdfArena>> fill(const VdfParams& params,
                                                        std::uint64_t epoch,
                                                        const EpochSeed& epoch_seed,
                                                        const FillOptions& options = {});

    [[nodiscard]] ArenaView view() const { return {memory_.data(), params_, epoch_, epoch_seed_}; }
    [[nodiscard]] ByteView bytes() const { return memory_.bytes(); }
    [[nodiscard]] const VdfParams& params() const { return params_; }
    [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
    [[nodiscard]] const EpochSeed& epoch_seed() const { return epoch_seed_; }
    /// Whether the system took the request for huge pages; without them a walk is slower.
    [[nodiscard]] bool huge_pages() const { return memory_.huge_pages(); }

  private:
    VdfArena(FillMemory memory, const VdfParams& params, std::uint64_t epoch,
             const EpochSeed& epoch_seed)
        : memory_(std::move(memory)), params_(params), epoch_(epoch), epoch_seed_(epoch_seed) {}

    FillMemory memory_;
    VdfParams params_;
    std::uint64_t epoch_;
    EpochSeed epoch_seed_;
};

}  // namespace holdfast
