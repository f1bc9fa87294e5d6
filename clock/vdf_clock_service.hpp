// A thread that keeps a VdfClock at the host's tip: advance(), wait, again.
//
// Nothing runs before start() and after stop(); the destructor stops. stop() interrupts an
// evaluation at once; its checkpoints are kept. While it runs, at(), import(), proof() and status()
// of the same clock may be called from any thread. Errors of advance() are kept for last_error()
// and tried again with the next round. Thread-safe. The clock must outlive it.
#pragma once

#include <memory>
#include <optional>

#include "clock/vdf_clock.hpp"

namespace holdfast {

struct ClockServiceOptions {
    /// Between two rounds, unless wake() comes first.
    std::uint32_t wait_ms = 1'000;
    /// After every round, from the service's thread.
    std::function<void(const Result<VdfClockReport>& round)> on_round;
    std::function<void(const char* what, std::uint64_t done, std::uint64_t total)> progress;
};

class VdfClockService {
  public:
    /// kOutOfMemory when no thread is to be had.
    static Result<std::unique_ptr<VdfClockService>> start(VdfClock& clock,
                                                          const ClockServiceOptions& options = {});
    VdfClockService(const VdfClockService&) = delete;
    VdfClockService& operator=(const VdfClockService&) = delete;
    ~VdfClockService();

    /// A new block is there: the next round begins at once.
    void wake();
    /// Returns when the thread has ended. May be repeated.
    void stop();
    [[nodiscard]] std::optional<Error> last_error() const;
    [[nodiscard]] std::uint64_t rounds() const;

  private:
    struct Impl;
    explicit VdfClockService(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
