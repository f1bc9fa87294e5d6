// Arenas shared by everything that evaluates or verifies: one fill per epoch and parameters, under
// a memory ceiling, the next epoch's filled ahead.
//
// Thread-safe. An arena is handed out as a shared pointer and stays whole for as long as somebody
// holds it; one that nobody holds makes room for another, the least recently used first. Threads
// that ask for the same arena share one fill. Sizes in bytes. The destructor stops a fill in
// progress in the background and waits for it.
#pragma once

#include <memory>

#include "core/fill.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "vdf/arena.hpp"

namespace holdfast {

class ArenaCache {
  public:
    /// Arenas that are held, kept and being filled together never exceed `ceiling_bytes`.
    explicit ArenaCache(std::uint64_t ceiling_bytes);
    ArenaCache(const ArenaCache&) = delete;
    ArenaCache& operator=(const ArenaCache&) = delete;
    ~ArenaCache();

    /// The arena of an epoch, filled by this call if nobody has. Errors: kBusy when the ceiling
    /// leaves no room beside the arenas in use, kInterrupted when options.stop said so,
    /// VdfArena::fill's own.
    [[nodiscard]] Result<std::shared_ptr<const VdfArena>> get(const VdfParams& params,
                                                              std::uint64_t epoch,
                                                              const EpochSeed& epoch_seed,
                                                              const FillOptions& options = {});

    /// Starts to fill an arena in the background and returns. A fill ahead of another arena is
    /// given up for it. A failure shows at get(), which tries again. `options.stop` and `progress`
    /// are called from the background thread.
    void fill_ahead(const VdfParams& params, std::uint64_t epoch, const EpochSeed& epoch_seed,
                    const FillOptions& options = {});
    /// Stops a fill in progress in the background, so that its room can be used, and waits for it.
    void give_up_ahead();
    /// Drops the arenas of epochs before this one that nobody holds.
    void release_before(std::uint64_t epoch);

    /// Bytes of all arenas of this cache, those being filled included.
    [[nodiscard]] std::uint64_t used_bytes() const;
    /// Fills that have been finished so far.
    [[nodiscard]] std::uint64_t fills() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
