// How a reader looks at the lock file of a store that one process at a time may write.
//
// Where the lock file may not be written (a file system mounted for reading, a folder of another
// user), nothing can be: the reader leaves no trace there, and keeps writers out by a shared lock
// for as long as it reads, since it cannot tell them what it reads. Beside a writer it cannot read
// there at all.
//
// Threading: any thread. POSIX.
#pragma once

#include <filesystem>
#include <optional>

#include "core/result.hpp"
#include "storage/file.hpp"

namespace holdfast {

struct ReaderLock {
    std::optional<File> file;  // with a shared lock; none beside a writer, or where there is none
    bool beside_writer = false;
    bool may_write = false;  // the lock file, and so those beside it
};

/// kPermission where nothing may be written and a writer is at work; kIo.
[[nodiscard]] Result<ReaderLock> take_reader_lock(const std::filesystem::path& lock_file);

}  // namespace holdfast
