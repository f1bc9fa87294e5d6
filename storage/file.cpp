#include "storage/file.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <limits>

#include "core/codec.hpp"
#include "storage/descriptors.hpp"
#include "storage/process_limits.hpp"

namespace holdfast {
namespace {

// Linux moves at most this much in one call; larger requests are cut here so that a count is never
// mistaken for a short one.
constexpr std::size_t kMaxTransferBytes = std::size_t{1} << 30;

std::string quoted(const std::filesystem::path& path) { return "'" + path.string() + "'"; }

int open_flags(File::Mode mode) {
    // O_NONBLOCK: opening a FIFO by mistake must not hang; regular files ignore it.
    constexpr int kCommon = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    switch (mode) {
        case File::Mode::kRead:
            return O_RDONLY | kCommon;
        case File::Mode::kReadWrite:
            return O_RDWR | kCommon;
        case File::Mode::kCreate:
            return O_RDWR | O_CREAT | kCommon;
        case File::Mode::kCreateNew:
            return O_RDWR | O_CREAT | O_EXCL | kCommon;
    }
    return O_RDONLY | kCommon;
}

/// Repeats a system call that a signal interrupted.
template <class Call>
auto retry(Call&& call) {
    for (;;) {
        const auto result = call();
        if (result != -1 || errno != EINTR) return result;
    }
}

/// open(2) above the standard descriptors, with none of them free meanwhile: another thread may be
/// printing.
int open_above(const std::filesystem::path& path, int flags, mode_t permissions) {
    occupy_standard_descriptors();
    return above_standard_descriptors(
        retry([&] { return ::open(path.c_str(), flags, permissions); }));
}

bool fits_offset(std::uint64_t offset, std::uint64_t bytes) {
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
    return offset <= kMax && bytes <= kMax - offset;
}

/// Renames without replacing, on file systems that cannot do that in one step too.
int rename_new(const char* from, const char* to) {
    if (::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
    if (errno != EINVAL && errno != ENOSYS) return -1;
    if (::link(from, to) != 0) return -1;
    ::unlink(from);
    return 0;
}

Status check_final_name(const std::filesystem::path& path, bool replace) {
    struct stat info{};
    if (!replace && ::lstat(path.c_str(), &info) == 0) {
        return fail(ErrorCode::kAlreadyExists, quoted(path) + " exists already");
    }
    if (path.filename().empty()) {
        return fail(ErrorCode::kInvalidArgument, quoted(path) + " names no file");
    }
    return {};
}

/// Whether the name still leads to the file that is open.
bool still_named(const File& file, const std::filesystem::path& path) {
    struct stat by_name{};
    struct stat by_descriptor{};
    return ::lstat(path.c_str(), &by_name) == 0 &&
           ::fstat(file.descriptor(), &by_descriptor) == 0 &&
           by_name.st_dev == by_descriptor.st_dev && by_name.st_ino == by_descriptor.st_ino;
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
    const std::filesystem::path parent = path.parent_path();
    return parent.empty() ? std::filesystem::path(".") : parent;
}

}  // namespace

Result<File> File::open(const std::filesystem::path& path, Mode mode, unsigned permissions) {
    File file;
    file.path_ = path;
    file.fd_ = open_above(path, open_flags(mode), static_cast<mode_t>(permissions));
    if (file.fd_ < 0) return fail_errno(errno, "cannot open " + quoted(path));
    struct stat info{};
    if (::fstat(file.fd_, &info) != 0) return fail_errno(errno, "cannot examine " + quoted(path));
    if (!S_ISREG(info.st_mode)) {
        return fail(ErrorCode::kInvalidArgument, quoted(path) + " is not a regular file");
    }
    return file;
}

File::File(File&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

File& File::operator=(File&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = std::exchange(other.fd_, -1);
        path_ = std::move(other.path_);
    }
    return *this;
}

File::~File() {
    if (fd_ >= 0) ::close(fd_);
}

Result<std::uint64_t> File::size() const {
    struct stat info{};
    if (::fstat(fd_, &info) != 0) return fail_errno(errno, "cannot examine " + quoted(path_));
    return static_cast<std::uint64_t>(info.st_size);
}

Result<FileStamp> File::stamp() const {
    struct stat info{};
    if (::fstat(fd_, &info) != 0) return fail_errno(errno, "cannot examine " + quoted(path_));
    return FileStamp{static_cast<std::uint64_t>(info.st_size),
                     std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec};
}

Result<std::size_t> File::read_some_at(std::uint64_t offset, MutByteView out) const {
    if (!fits_offset(offset, out.size())) {
        return fail(ErrorCode::kInvalidArgument, "read beyond any file in " + quoted(path_));
    }
    std::size_t done = 0;
    while (done < out.size()) {
        const std::size_t want = std::min(out.size() - done, kMaxTransferBytes);
        const ssize_t got = retry([&] {
            return ::pread(fd_, out.data() + done, want, static_cast<off_t>(offset + done));
        });
        if (got < 0) {
            return fail_errno(errno, "cannot read " + quoted(path_) + " at byte " +
                                         std::to_string(offset + done));
        }
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

Status File::read_at(std::uint64_t offset, MutByteView out) const {
    HOLDFAST_ASSIGN(got, read_some_at(offset, out));
    if (got != out.size()) {
        return fail(ErrorCode::kCorrupt, quoted(path_) + " ends at byte " +
                                             std::to_string(offset + got) + ", before byte " +
                                             std::to_string(offset + out.size()));
    }
    return {};
}

Status File::write_at(std::uint64_t offset, ByteView bytes) {
    if (!fits_offset(offset, bytes.size())) {
        return fail(ErrorCode::kInvalidArgument, "write beyond any file in " + quoted(path_));
    }
    const FileSizeSignalHeld no_signal;
    std::size_t done = 0;
    while (done < bytes.size()) {
        const std::size_t want = std::min(bytes.size() - done, kMaxTransferBytes);
        const ssize_t put = retry([&] {
            return ::pwrite(fd_, bytes.data() + done, want, static_cast<off_t>(offset + done));
        });
        if (put < 0) {
            return fail_write(errno, "cannot write " + quoted(path_) + " at byte " +
                                         std::to_string(offset + done));
        }
        done += static_cast<std::size_t>(put);
    }
    return {};
}

Status File::truncate(std::uint64_t bytes) {
    if (!fits_offset(0, bytes)) {
        return fail(ErrorCode::kInvalidArgument, "size beyond any file for " + quoted(path_));
    }
    const FileSizeSignalHeld no_signal;
    if (retry([&] { return ::ftruncate(fd_, static_cast<off_t>(bytes)); }) != 0) {
        return fail_write(errno, "cannot set the size of " + quoted(path_));
    }
    return {};
}

Status File::reserve(std::uint64_t bytes) {
    if (!fits_offset(0, bytes) || bytes == 0) {
        return fail(ErrorCode::kInvalidArgument, "no possible size for " + quoted(path_));
    }
    const FileSizeSignalHeld no_signal;
    if (retry([&] { return ::fallocate(fd_, 0, 0, static_cast<off_t>(bytes)); }) == 0) return {};
    if (errno != EOPNOTSUPP && errno != ENOSYS) {
        return fail_write(
            errno, "cannot reserve " + std::to_string(bytes) + " bytes for " + quoted(path_));
    }
    HOLDFAST_ASSIGN(now, size());
    return now < bytes ? truncate(bytes) : Status{};
}

void File::start_writeback(std::uint64_t offset, std::uint64_t bytes) {
    if (!fits_offset(offset, bytes)) return;
    // Advice: what fails here is found by sync().
    static_cast<void>(::sync_file_range(fd_, static_cast<off_t>(offset), static_cast<off_t>(bytes),
                                        SYNC_FILE_RANGE_WRITE));
}

void File::start_read(std::uint64_t offset, std::uint64_t bytes) const {
    if (!fits_offset(offset, bytes)) return;
    static_cast<void>(::posix_fadvise(fd_, static_cast<off_t>(offset), static_cast<off_t>(bytes),
                                      POSIX_FADV_WILLNEED));
}

void File::forget_cached(std::uint64_t offset, std::uint64_t bytes) const {
    if (!fits_offset(offset, bytes)) return;
    static_cast<void>(::posix_fadvise(fd_, static_cast<off_t>(offset), static_cast<off_t>(bytes),
                                      POSIX_FADV_DONTNEED));
}

Status File::sync() {
    if (retry([&] { return ::fsync(fd_); }) != 0) {
        return fail_errno(errno, "cannot make " + quoted(path_) + " durable");
    }
    return {};
}

Status File::lock_exclusive() {
    if (retry([&] { return ::flock(fd_, LOCK_EX | LOCK_NB); }) == 0) return {};
    if (errno == EWOULDBLOCK) {
        return fail(ErrorCode::kBusy, quoted(path_) + " is locked by another process");
    }
    return fail_errno(errno, "cannot lock " + quoted(path_));
}

Result<PendingFile> PendingFile::create(const std::filesystem::path& final_path, bool replace,
                                        unsigned permissions) {
    HOLDFAST_TRY(check_final_name(final_path, replace));
    for (;;) {
        std::uint8_t random[8];
        if (retry([&] { return ::getrandom(random, sizeof(random), 0); }) != sizeof(random)) {
            return fail_errno(errno, "no randomness for a temporary name");
        }
        PendingFile pending;
        pending.final_ = final_path;
        pending.replace_ = replace;
        const std::filesystem::path temporary =
            folder_of(final_path) / (".holdfast-" + to_hex(random) + ".tmp");
        Result<File> file = File::open(temporary, File::Mode::kCreateNew, permissions);
        if (!file && file.error().code == ErrorCode::kAlreadyExists) continue;
        if (!file) {
            file.error().message += " (temporary for " + quoted(final_path) + ")";
            return fail(std::move(file).error());
        }
        pending.file_ = std::move(*file);
        pending.temporary_ = temporary;
        return pending;
    }
}

Result<PendingFile> PendingFile::resume(const std::filesystem::path& final_path,
                                        const std::filesystem::path& temporary_path,
                                        unsigned permissions) {
    for (;;) {
        HOLDFAST_TRY(check_final_name(final_path, false));
        HOLDFAST_ASSIGN(file, File::open(temporary_path, File::Mode::kCreate, permissions));
        HOLDFAST_TRY(file.lock_exclusive());
        // Who held the lock before may have published or removed the file in the meantime.
        if (!still_named(file, temporary_path)) continue;
        PendingFile pending;
        pending.file_ = std::move(file);
        pending.final_ = final_path;
        pending.temporary_ = temporary_path;
        return pending;
    }
}

PendingFile::PendingFile(PendingFile&& other) noexcept
    : file_(std::move(other.file_)),
      final_(std::move(other.final_)),
      temporary_(std::move(other.temporary_)),
      replace_(other.replace_),
      keep_(other.keep_) {
    other.file_.reset();
    other.temporary_.clear();
}

PendingFile::~PendingFile() {
    if (!temporary_.empty() && !keep_) ::unlink(temporary_.c_str());
}

// Spec 12: fsync, rename, fsync of the folder.
Status PendingFile::publish() {
    HOLDFAST_CHECK(file_.has_value());
    HOLDFAST_TRY(file_->sync());
    const int renamed = replace_ ? ::rename(temporary_.c_str(), final_.c_str())
                                 : rename_new(temporary_.c_str(), final_.c_str());
    if (renamed != 0) return fail_errno(errno, "cannot publish " + quoted(final_));
    temporary_.clear();
    file_.reset();
    Status folder = sync_folder(folder_of(final_));
    if (!folder && !replace_) ::unlink(final_.c_str());
    return folder;
}

Result<Bytes> read_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
    HOLDFAST_ASSIGN(file, File::open(path, File::Mode::kRead));
    HOLDFAST_ASSIGN(size, file.size());
    if (size > max_bytes) {
        return fail(ErrorCode::kInvalidArgument,
                    quoted(path) + " has " + std::to_string(size) + " bytes, more than the " +
                        std::to_string(max_bytes) + " that are possible here");
    }
    Bytes bytes(static_cast<std::size_t>(size));
    HOLDFAST_TRY(file.read_at(0, bytes));
    return bytes;
}

Result<Bytes> read_stored_file(const std::filesystem::path& path, std::uint64_t max_bytes) {
    HOLDFAST_ASSIGN(bytes, read_file(path, max_bytes));
    if (bytes.empty()) {
        return fail(ErrorCode::kCorrupt, quoted(path) + " is empty: what it held has been lost");
    }
    return bytes;
}

Status write_file(const std::filesystem::path& path, ByteView bytes, bool replace,
                  unsigned permissions) {
    HOLDFAST_ASSIGN(pending, PendingFile::create(path, replace, permissions));
    HOLDFAST_TRY(pending.file().write_at(0, bytes));
    return pending.publish();
}

Status sync_folder(const std::filesystem::path& folder) {
    const int fd = open_above(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0) return fail_errno(errno, "cannot open folder " + quoted(folder));
    const int synced = retry([&] { return ::fsync(fd); });
    const int error_number = errno;
    ::close(fd);
    // Some file systems have no fsync for folders; there is nothing better to do on them.
    if (synced != 0 && error_number != EINVAL) {
        return fail_errno(error_number, "cannot make folder " + quoted(folder) + " durable");
    }
    return {};
}

}  // namespace holdfast
