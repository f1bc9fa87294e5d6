// The bytes that are being sealed: one segment of a source file, padded to whole chunks.
//
// Internal to this room. Reads may come from several threads. Spec: docs/spec.md section 1.
#pragma once

#include <filesystem>

#include "core/geometry.hpp"
#include "storage/file.hpp"

namespace holdfast {

class SourceSegment {
  public:
    /// kInvalidArgument: an empty file, or a segment beyond its end.
    static Result<SourceSegment> open(const std::filesystem::path& path, std::uint64_t segment);

    [[nodiscard]] std::uint64_t length() const { return length_; }
    [[nodiscard]] ChunkCount chunks() const { return chunk_count(length_); }
    /// Whole chunks from `first` on, zeros where there are no data. kCorrupt when the file has
    /// shrunk.
    [[nodiscard]] Status read_chunks(ChunkIndex first, MutByteView out) const;
    /// kCorrupt when the file has not the size any more that it had at open.
    [[nodiscard]] Status check_size() const;
    [[nodiscard]] tl::unexpected<Error> changed(const std::string& how) const;

  private:
    SourceSegment(File file, std::uint64_t file_bytes, std::uint64_t segment);
    File file_;
    std::uint64_t file_bytes_;
    std::uint64_t offset_;
    std::uint64_t length_;
};

}  // namespace holdfast
