#include "storage/reader_lock.hpp"

#include <sys/file.h>

#include <cerrno>

namespace holdfast {
namespace {

/// Whether it got one: not beside a writer's.
Result<bool> lock_shared(const File& file) {
    int failed = 0;
    do {
        failed = ::flock(file.descriptor(), LOCK_SH | LOCK_NB);
    } while (failed != 0 && errno == EINTR);
    if (failed == 0) return true;
    if (errno == EWOULDBLOCK) return false;
    return fail_errno(errno, "cannot lock '" + file.path().string() + "'");
}

}  // namespace

Result<ReaderLock> take_reader_lock(const std::filesystem::path& lock_file) {
    ReaderLock out;
    Result<File> opened = File::open(lock_file, File::Mode::kCreate);
    out.may_write = opened.has_value();
    if (!opened && opened.error().code == ErrorCode::kPermission) {
        opened = File::open(lock_file, File::Mode::kRead);
        // Nobody has ever opened what may not be written here.
        if (!opened && opened.error().code == ErrorCode::kNotFound) return out;
    }
    if (!opened) return fail(opened.error());
    HOLDFAST_ASSIGN(locked, lock_shared(*opened));
    if (!locked && !out.may_write) {
        return fail(ErrorCode::kPermission,
                    "'" + lock_file.string() +
                        "' is held by a process that writes, and may not be written from here: to "
                        "read beside it, run as its user, or ask it");
    }
    out.beside_writer = !locked;
    if (locked) out.file.emplace(std::move(*opened));
    return out;
}

}  // namespace holdfast
