// Makes the blocks of a local chain: one every `block_ms`, with the wall clock's time.
//
// The interval is measured by the monotonic clock. After a start the first block comes when it
// would have come, at most one interval from now; blocks missed during a stop are not made up for.
// A block's time is the wall clock's, or its parent's where that is later (blocks made in advance,
// a clock set back).
//
// Threading: run() on one thread, status() from any; `on_block` is called by run(). The chain must
// outlive it. An error of the chain is kept and logged, and the block tried again a little later.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "availability/peer_budget.hpp"
#include "core/fill.hpp"
#include "embedded/local_chain.hpp"
#include "node/log.hpp"

namespace holdfast::node {

struct BlockMakerStatus {
    std::optional<Height> newest;  // made since the start
    std::uint64_t made = 0;
    std::uint64_t age_ms = 0;  // of the newest, or since the start
    std::string error;         // of the newest try; empty: none
};

class BlockMaker {
  public:
    using WallClockMs = std::function<std::uint64_t()>;

    BlockMaker(LocalChain& chain, std::uint32_t block_ms, MonotonicNs clock, WallClockMs wall,
               Log& log, std::function<void()> on_block);

    /// Until `stop`, which is asked every few milliseconds.
    void run(const StopCheck& stop);
    /// One block now.
    [[nodiscard]] Status make();
    /// Milliseconds from now until the first block is due.
    [[nodiscard]] Result<std::uint64_t> first_wait_ms() const;
    [[nodiscard]] BlockMakerStatus status() const;

  private:
    void wait_until(std::uint64_t when_ns, const StopCheck& stop) const;

    LocalChain& chain_;
    const std::uint32_t block_ms_;
    const MonotonicNs clock_;
    const WallClockMs wall_;
    Log& log_;
    const std::function<void()> on_block_;

    mutable std::mutex mutex_;  // guards the two below
    BlockMakerStatus status_;
    std::uint64_t newest_ns_;
};

}  // namespace holdfast::node
