// A process of its own whose standard streams are closed, as `>&- 2>&- <&-` leaves them.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace holdfast::test {

/// Where descriptors 0 to 2 lead, apart from /dev/null; empty for those that are closed.
inline std::vector<std::string> taken_streams() {
    std::vector<std::string> out;
    for (int descriptor = 0; descriptor <= 2; ++descriptor) {
        std::error_code closed;
        const auto target =
            std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor), closed);
        if (!closed && target != "/dev/null") out.push_back(target.string());
    }
    return out;
}

/// Runs `body` in a child that has closed its standard streams. True when it returned true and
/// nothing but /dev/null stood on descriptors 0 to 2 at its end. The child must not inherit
/// threads.
inline bool holds_with_closed_streams(const std::function<bool()>& body) {
    const pid_t child = ::fork();
    if (child == 0) {
        for (int descriptor = 0; descriptor <= 2; ++descriptor) ::close(descriptor);
        ::_exit(body() ? 0 : 1);
    }
    int status = 0;
    return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace holdfast::test
