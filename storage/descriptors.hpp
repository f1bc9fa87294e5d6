// No file, database or socket of ours on descriptors 0 to 2.
//
// Where a process was started with one of them closed, or has closed it, the next open() returns
// it, and whatever prints, to a stream that looks closed, writes into that file. So descriptors
// that we open ourselves are moved above 2, and before another library opens some (LMDB, Asio,
// io_uring) the closed ones of 0 to 2 are occupied by /dev/null, for good and for reading alone:
// writing to a stream that was closed fails as before.
//
// Threading: any thread. POSIX. Reasons: docs/architecture.md section 5.
#pragma once

#include "core/result.hpp"

namespace holdfast {

/// Opens /dev/null on those of descriptors 0, 1 and 2 that are closed. What cannot be opened stays
/// closed; above_standard_descriptors() does not depend on it.
void occupy_standard_descriptors();

[[nodiscard]] constexpr bool is_standard_descriptor(int descriptor) {
    return descriptor >= 0 && descriptor <= 2;
}

/// `descriptor` itself, or a duplicate above 2 in its place (close-on-exec); -1 with errno where
/// there is none left. Negative ones pass through with their errno.
[[nodiscard]] int above_standard_descriptors(int descriptor);

}  // namespace holdfast
