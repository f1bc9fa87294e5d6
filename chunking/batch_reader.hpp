// Reading many ranges of many files at once, deep enough in flight to use the disk.
//
// One interface, four ways (docs/design/block.md). All give the same bytes and the same errors: a
// range that ends behind the file's end or that the device cannot deliver is an error of that range
// alone, and never ends the process. A reader belongs to one thread at a time; any number of
// readers side by side. Offsets and lengths in bytes.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "core/result.hpp"
#include "core/types.hpp"
#include "storage/file.hpp"

namespace holdfast {

/// A range of a file, and what became of it.
struct FileRead {
    const File* file = nullptr;  // open while the call lasts
    std::uint64_t offset = 0;
    MutByteView out;
    Status status;  // set by read()
};

class BatchReader {
  public:
    enum class Way : std::uint8_t {
        kAdvised,  // posix_fadvise(WILLNEED) for all, then pread one after another
        kMapped,   // a map for each file, madvise(WILLNEED) for all, then copies
        kThreads,  // pread on `depth` threads that the reader keeps
        kUring,    // io_uring, `depth` requests in flight
    };
    static constexpr unsigned kDefaultDepth = 64;

    /// kUnsupported: a way that this build lacks or that the kernel refuses.
    static Result<std::unique_ptr<BatchReader>> make(Way way, unsigned depth = kDefaultDepth);
    /// The fastest way that this system allows.
    static std::unique_ptr<BatchReader> best(unsigned depth = kDefaultDepth);

    virtual ~BatchReader() = default;
    [[nodiscard]] virtual Way way() const = 0;
    /// Fills every range, or sets its status. Returns when nothing is in flight any more.
    virtual void read(std::span<FileRead> reads) = 0;
};

std::string_view to_string(BatchReader::Way way);
/// By its name; empty for none of them.
std::optional<BatchReader::Way> batch_reader_way(std::string_view name);

/// io_uring, where this build has it (batch_reader_uring.cpp).
[[nodiscard]] Result<std::unique_ptr<BatchReader>> make_uring_reader(unsigned depth);

}  // namespace holdfast
