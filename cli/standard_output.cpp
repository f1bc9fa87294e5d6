#include "cli/standard_output.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/console.hpp"

namespace holdfast::cli {
namespace {

/// Whoever gave us a descriptor that does not block wants to be waited for nevertheless.
bool wait_writable(int failed) {
    if (failed == EINTR) return true;
    if (failed != EAGAIN && failed != EWOULDBLOCK) return false;
    pollfd room{STDOUT_FILENO, POLLOUT, 0};
    return ::poll(&room, 1, -1) >= 0 || errno == EINTR;
}

}  // namespace

int write_output(std::string_view text) {
    while (!text.empty()) {
        const ssize_t wrote = ::write(STDOUT_FILENO, text.data(), text.size());
        if (wrote >= 0) {
            text.remove_prefix(static_cast<std::size_t>(wrote));
        } else if (!wait_writable(errno)) {
            return errno;
        }
    }
    // Some file systems say only when a descriptor is closed that there was no room.
    const int copy = ::dup(STDOUT_FILENO);
    if (copy < 0) return errno == EMFILE ? 0 : errno;
    return ::close(copy) == 0 || errno == EINTR ? 0 : errno;
}

int print_output(std::string_view text, int exit_code) {
    const int failed = write_output(text);
    if (failed == 0) return exit_code;
    if (failed == EPIPE) return kExitReaderGone;
    std::fprintf(stderr,
                 "holdfast: the output could not be written to standard output: %s; what was asked "
                 "for may have been done\n",
                 std::strerror(failed));
    return kExitEnvironment;
}

}  // namespace holdfast::cli
