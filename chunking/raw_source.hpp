// Where a repair gets the original bytes from: the file that was sealed, or the other shards.
//
// Bytes of a RawSource are never believed: whoever reads them holds them against raw_root. Sources
// may be read by several threads and outlive nothing but themselves. Spec: docs/spec.md sections 1
// and 9.
#pragma once

#include <filesystem>
#include <memory>

#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

class RawSource {
  public:
    RawSource() = default;
    RawSource(const RawSource&) = delete;
    RawSource& operator=(const RawSource&) = delete;
    virtual ~RawSource() = default;
    /// data_len of the replica that is made of it, in bytes.
    [[nodiscard]] virtual std::uint64_t length() const = 0;
    /// Whole chunks from `first` on, zeros where there are no data.
    [[nodiscard]] virtual Status read_chunks(ChunkIndex first, MutByteView out) const = 0;
};

/// One segment of 4 GiB of a file. kInvalidArgument: an empty file, or a segment beyond its end.
[[nodiscard]] Result<std::unique_ptr<RawSource>> open_raw_file(const std::filesystem::path& path,
                                                               std::uint64_t segment);

}  // namespace holdfast
