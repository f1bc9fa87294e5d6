#include "storage/process_limits.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace holdfast {
namespace {

sigset_t file_size_signal() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGXFSZ);
    return set;
}

bool is_pending() {
    sigset_t pending;
    return ::sigpending(&pending) == 0 && ::sigismember(&pending, SIGXFSZ) == 1;
}

/// "16777216 bytes", or "not limited".
template <class Resource>
std::string limit_text(Resource resource) {
    rlimit limit{};
    if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return "not limited";
    }
    return std::to_string(limit.rlim_cur) + " bytes";
}

}  // namespace

FileSizeSignalHeld::FileSizeSignalHeld() {
    const sigset_t set = file_size_signal();
    sigset_t before;
    ::pthread_sigmask(SIG_BLOCK, &set, &before);
    // Only where the host blocks it itself: then what is pending is the host's.
    was_blocked_ = ::sigismember(&before, SIGXFSZ) == 1;
    was_pending_ = was_blocked_ && is_pending();
}

FileSizeSignalHeld::~FileSizeSignalHeld() {
    const int error_number = errno;
    const sigset_t set = file_size_signal();
    if (!was_pending_ && is_pending()) {
        const timespec now{};
        while (::sigtimedwait(&set, nullptr, &now) < 0 && errno == EINTR) continue;
    }
    if (!was_blocked_) ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
    errno = error_number;
}

tl::unexpected<Error> fail_write(int error_number, const std::string& what) {
    tl::unexpected<Error> failed = fail_errno(error_number, what);
    if (error_number == EFBIG) {
        failed.value().message += "; the largest file of this process is " +
                                  limit_text(RLIMIT_FSIZE) + " (ulimit -f, LimitFSIZE=): raise it";
    }
    return failed;
}

tl::unexpected<Error> fail_map(const std::string& what, std::uint64_t bytes,
                               const std::string& setting) {
    return fail(ErrorCode::kOutOfMemory,
                what + ": no room in the address space for a map of " + std::to_string(bytes) +
                    " bytes; the address space of this process is " + limit_text(RLIMIT_AS) +
                    " (ulimit -v, LimitAS=): raise it" +
                    (setting.empty() ? "" : ", or open with a smaller " + setting));
}

void lower_thread_priority() {
    constexpr int kNice = 10;
    // Linux keeps it for each thread, whose number stands in for a process here.
    (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
}

}  // namespace holdfast
