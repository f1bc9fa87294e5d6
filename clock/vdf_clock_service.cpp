#include "clock/vdf_clock_service.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

namespace holdfast {

struct VdfClockService::Impl {
    VdfClock& clock;
    const ClockServiceOptions options;
    std::atomic<bool> stopping{false};
    mutable std::mutex mutex;
    std::condition_variable wakened;
    bool wake = false;
    std::optional<Error> last_error;
    std::uint64_t rounds = 0;
    std::thread thread;

    Impl(VdfClock& c, const ClockServiceOptions& o) : clock(c), options(o) {}
    void run();
};

void VdfClockService::Impl::run() {
    VdfClockWork work;
    work.stop = [this] { return stopping.load(); };
    work.progress = options.progress;
    while (!stopping) {
        const Result<VdfClockReport> round = clock.advance(work);
        if (stopping) return;
        if (options.on_round) options.on_round(round);
        std::unique_lock lock(mutex);
        last_error = round ? std::nullopt : std::optional(round.error());
        ++rounds;
        wakened.wait_for(lock, std::chrono::milliseconds(options.wait_ms),
                         [this] { return wake || stopping; });
        wake = false;
    }
}

VdfClockService::VdfClockService(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
VdfClockService::~VdfClockService() { stop(); }

Result<std::unique_ptr<VdfClockService>> VdfClockService::start(
    VdfClock& clock, const ClockServiceOptions& options) {
    auto impl = std::make_unique<Impl>(clock, options);
    try {
        impl->thread = std::thread([&own = *impl] { own.run(); });
    } catch (const std::system_error& error) {
        return fail(ErrorCode::kOutOfMemory,
                    std::string("no thread for the VDF clock: ") + error.what());
    }
    return std::unique_ptr<VdfClockService>(new VdfClockService(std::move(impl)));
}

void VdfClockService::wake() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->wake = true;
    }
    impl_->wakened.notify_all();
}

void VdfClockService::stop() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
    }
    impl_->wakened.notify_all();
    if (impl_->thread.joinable()) impl_->thread.join();
}

std::optional<Error> VdfClockService::last_error() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->last_error;
}

std::uint64_t VdfClockService::rounds() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->rounds;
}

}  // namespace holdfast
