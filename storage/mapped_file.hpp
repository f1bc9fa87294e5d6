// Memory-mapped files on Boost.Interprocess that let go of their files deterministically.
//
// A page that cannot be read (file truncated under the map, bad sector) raises SIGBUS in the thread
// that touches it. Reads go through guarded_copy / guarded_call: the fault becomes an Error for
// this mapping alone and never ends the process. Mapping, unmapping and closing happen in the
// constructor, unmap() and the destructor, nowhere else: afterwards neither a view nor a handle
// remains on any system. One MappedFile may be read from many threads; flush, advise and unmap need
// exclusive use.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

class MappedFile {
  public:
    enum class Access { kRead, kReadWrite };
    enum class Advice { kNormal, kSequential, kRandom, kWillNeed, kDontNeed };

    /// Maps all of an existing, non-empty file. kNotFound, kPermission, kCorrupt (empty), kIo.
    static Result<MappedFile> open(const std::filesystem::path& path, Access access);

    MappedFile(MappedFile&&) noexcept;
    MappedFile& operator=(MappedFile&&) noexcept;
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile();

    [[nodiscard]] std::uint64_t size() const;
    [[nodiscard]] const std::filesystem::path& path() const;
    /// Copies a range out. kInvalidArgument beyond the mapping, kIo ("unreadable or truncated under
    /// the map at byte N") when a page cannot be read.
    [[nodiscard]] Status read(std::uint64_t offset, MutByteView out) const;
    /// Copies a range in (kReadWrite only); same errors.
    [[nodiscard]] Status write(std::uint64_t offset, ByteView bytes);
    /// Runs `body` on the mapped bytes themselves; a fault inside becomes kIo. `body` must only
    /// read, must not throw, and must hold no lock or owning object while it touches the bytes.
    [[nodiscard]] Status with_bytes(std::uint64_t offset, std::uint64_t length,
                                    const std::function<void(ByteView)>& body) const;
    /// Writes changes back and waits (msync).
    [[nodiscard]] Status flush();
    Status advise(Advice advice);
    /// Asks the system to have a range ready soon. Only a hint: ranges beyond the map are cut, and
    /// a system that takes no hints is no error. May be called while others read.
    void prefetch(std::uint64_t offset, std::uint64_t length) const;
    /// Lets go of the view and the file now; afterwards size() is 0 and reads fail.
    void unmap();

  private:
    struct Impl;
    explicit MappedFile(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
