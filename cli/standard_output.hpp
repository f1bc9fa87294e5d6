// What a command prints: with the system when it returns, or known not to be.
#pragma once

#include <string_view>

namespace holdfast::cli {

/// Writes all of it to standard output, past any buffer of this process. 0, or the errno of what
/// went wrong: ENOSPC on a full disk, EBADF where standard output is closed, EPIPE where whoever
/// read it has gone. From one thread.
[[nodiscard]] int write_output(std::string_view text);

/// The same for a command's last words: `exit_code` where they are out, else kExitEnvironment, with
/// a message on standard error, or kExitReaderGone without one.
[[nodiscard]] int print_output(std::string_view text, int exit_code);

}  // namespace holdfast::cli
