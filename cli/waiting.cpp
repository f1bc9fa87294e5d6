#include "cli/waiting.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>

namespace holdfast::cli {
namespace {

constexpr auto kPause = std::chrono::seconds(1);
std::atomic<bool> g_quiet{false};

}  // namespace

void Waiting::keep_quiet() { g_quiet = true; }

Waiting::Waiting(std::string what) : what_(std::move(what)) {
    if (!g_quiet) thread_ = std::thread([this] { tell(); });
}

Waiting::~Waiting() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        over_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Waiting::tell() {
    const bool terminal = ::isatty(STDERR_FILENO) != 0;
    bool shown = false;
    std::unique_lock lock(mutex_);
    for (int seconds = 1; !changed_.wait_for(lock, kPause, [this] { return over_; }); ++seconds) {
        if (terminal) {
            std::fprintf(stderr, "\rholdfast: waiting for %s (%d s) ", what_.c_str(), seconds);
            std::fflush(stderr);
            shown = true;
        } else if (seconds == 1) {
            std::fprintf(stderr, "holdfast: waiting for %s\n", what_.c_str());
        }
    }
    if (shown) std::fputs("\r\033[K", stderr);
}

}  // namespace holdfast::cli
