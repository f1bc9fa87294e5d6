// Limits that the system sets a process, told by name instead of by a signal or a bare errno.
//
// Threading: any thread. POSIX.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.hpp"

namespace holdfast {

/// While it lives, a write of this thread beyond the file-size limit fails with EFBIG and sends no
/// SIGXFSZ, whose default ends the process without a word. Not copied, not handed to another
/// thread.
class FileSizeSignalHeld {
  public:
    FileSizeSignalHeld();
    ~FileSizeSignalHeld();
    FileSizeSignalHeld(const FileSizeSignalHeld&) = delete;
    FileSizeSignalHeld& operator=(const FileSizeSignalHeld&) = delete;

  private:
    bool was_blocked_ = false;
    bool was_pending_ = false;
};

/// As fail_errno(); for EFBIG it also names the file-size limit (ulimit -f).
[[nodiscard]] tl::unexpected<Error> fail_write(int error_number, const std::string& what);

/// kOutOfMemory: no room in the address space for a map of `bytes` bytes; names its size, the limit
/// (ulimit -v) and `setting`, the option that makes the map smaller, if there
/// is one.
[[nodiscard]] tl::unexpected<Error> fail_map(const std::string& what, std::uint64_t bytes,
                                             const std::string& setting);

/// This thread, and those that it starts from now on, get a processor only where others leave one
/// (nice 10, about a tenth of what another thread gets): for work on behalf of strangers, beside
/// which the VDF clock must come first. Where the system refuses, nothing changes.
void lower_thread_priority();

}  // namespace holdfast
