// Files: positioned reads and writes, locks, durable publication under a final name.
//
// Every function reports what failed on which path. A File is owned by one thread at a time, except
// that read_at and write_at on distinct ranges may run from several. Nothing here hides EINTR,
// short reads or short writes: they are finished or reported. POSIX.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// What tells that a file has been written to meanwhile.
struct FileStamp {
    std::uint64_t bytes = 0;
    std::int64_t modified_ns = 0;
    friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

class File {
  public:
    enum class Mode { kRead, kReadWrite, kCreate, kCreateNew };
    /// kCreate opens or creates; kCreateNew fails with kAlreadyExists. `permissions` as for
    /// open(2).
    static Result<File> open(const std::filesystem::path& path, Mode mode,
                             unsigned permissions = 0644);

    File(File&& other) noexcept;
    File& operator=(File&& other) noexcept;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File();

    [[nodiscard]] Result<std::uint64_t> size() const;
    [[nodiscard]] Result<FileStamp> stamp() const;
    /// Fills `out` from `offset`; kCorrupt ("ends at …") when the file is shorter.
    [[nodiscard]] Status read_at(std::uint64_t offset, MutByteView out) const;
    /// Reads up to out.size() bytes; fewer only at the end of the file.
    [[nodiscard]] Result<std::size_t> read_some_at(std::uint64_t offset, MutByteView out) const;
    [[nodiscard]] Status write_at(std::uint64_t offset, ByteView bytes);
    [[nodiscard]] Status truncate(std::uint64_t bytes);
    /// Makes room for `bytes` bytes and sets the size to at least that, so that a full disk is
    /// reported now and not hours later; where the file system cannot reserve, only the size is
    /// set.
    [[nodiscard]] Status reserve(std::uint64_t bytes);
    /// Starts writing a range back without waiting for it: the later sync() finds little left to
    /// do.
    void start_writeback(std::uint64_t offset, std::uint64_t bytes);
    /// Asks the system to read a range ahead, or to forget what it has cached of it, so that the
    /// next read comes from the device. Advice: a file system may not follow.
    void start_read(std::uint64_t offset, std::uint64_t bytes) const;
    void forget_cached(std::uint64_t offset, std::uint64_t bytes) const;
    /// fsync: data and size are on the device when this returns.
    [[nodiscard]] Status sync();
    /// Exclusive advisory lock, released with the File; kBusy when another process holds it.
    [[nodiscard]] Status lock_exclusive();
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] int descriptor() const { return fd_; }

  private:
    File() = default;
    int fd_ = -1;
    std::filesystem::path path_;
};

/// A file that appears under its final name only when it is complete: written as a hidden temporary
/// in the same folder, then fsync, rename, fsync of the folder. Without publish() nothing remains,
/// unless keep() says otherwise.
class PendingFile {
  public:
    /// Refuses (kAlreadyExists) when `final_path` exists, unless `replace`.
    static Result<PendingFile> create(const std::filesystem::path& final_path, bool replace = false,
                                      unsigned permissions = 0644);
    /// The same under a temporary name that the caller chooses in the same folder, so that work can
    /// go on after a crash: opened if it exists, locked until published. kBusy when another process
    /// works on it.
    static Result<PendingFile> resume(const std::filesystem::path& final_path,
                                      const std::filesystem::path& temporary_path,
                                      unsigned permissions = 0644);
    PendingFile(PendingFile&& other) noexcept;
    PendingFile& operator=(PendingFile&&) = delete;
    PendingFile(const PendingFile&) = delete;
    PendingFile& operator=(const PendingFile&) = delete;
    ~PendingFile();

    [[nodiscard]] File& file() { return *file_; }
    [[nodiscard]] const std::filesystem::path& temporary_path() const { return temporary_; }
    /// Without publish() the temporary stays where it is, for resume().
    void keep(bool wanted = true) { keep_ = wanted; }
    /// After this the final name holds the whole content, durably, and file() may not be used; on
    /// failure the final name is as before (or, if only the folder's fsync failed under `replace`,
    /// new).
    [[nodiscard]] Status publish();

  private:
    PendingFile() = default;
    std::optional<File> file_;
    std::filesystem::path final_;
    std::filesystem::path temporary_;
    bool replace_ = false;
    bool keep_ = false;
};

/// Whole small file; kTooLarge-like kInvalidArgument above `max_bytes`.
[[nodiscard]] Result<Bytes> read_file(const std::filesystem::path& path, std::uint64_t max_bytes);
/// Whole file published atomically.
[[nodiscard]] Status write_file(const std::filesystem::path& path, ByteView bytes,
                                bool replace = false, unsigned permissions = 0644);
[[nodiscard]] Status sync_folder(const std::filesystem::path& folder);

}  // namespace holdfast
