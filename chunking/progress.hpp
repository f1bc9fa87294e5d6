// Counts bytes done by several workers and tells the caller, one call at a time, never backwards,
// and with no lock held: a worker that comes while another one tells leaves it to that one.
//
// Internal to this room.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>

#include "core/constants.hpp"

namespace holdfast {

class ProgressCounter {
  public:
    using Callback = std::function<void(std::uint64_t done_bytes, std::uint64_t total_bytes)>;

    ProgressCounter(Callback callback, std::uint64_t total_bytes)
        : callback_(std::move(callback)), total_bytes_(total_bytes) {}

    void add(std::uint64_t bytes) {
        if (!callback_ || bytes == 0) return;
        std::unique_lock lock(mutex_);
        done_bytes_ += bytes;
        if (telling_) return;
        telling_ = true;
        std::uint64_t told = 0;
        while (told != done_bytes_) {
            told = done_bytes_;
            lock.unlock();
            callback_(told, total_bytes_);
            lock.lock();
        }
        telling_ = false;
    }

  private:
    Callback callback_;
    std::uint64_t total_bytes_;
    std::mutex mutex_;
    std::uint64_t done_bytes_ = 0;
    bool telling_ = false;
};

/// One window's share: what its fill reports is credited as it comes, the rest when it is finished.
class WindowProgress {
  public:
    WindowProgress(ProgressCounter& counter, std::uint64_t window_bytes)
        : counter_(&counter), window_bytes_(window_bytes) {}

    /// done of total blocks of the fill, which is counted as nine tenths of the window's work.
    void fill_reached(std::uint64_t done, std::uint64_t total) {
        const std::uint64_t window_blocks = window_bytes_ / kBlockBytes;  // keeps products small
        credit_up_to(window_blocks * done / total * kBlockBytes / 10 * 9);
    }
    void finished() { credit_up_to(window_bytes_); }

  private:
    void credit_up_to(std::uint64_t bytes) {
        if (bytes <= credited_) return;
        counter_->add(bytes - credited_);
        credited_ = bytes;
    }

    ProgressCounter* counter_;
    std::uint64_t window_bytes_;
    std::uint64_t credited_ = 0;
};

}  // namespace holdfast
