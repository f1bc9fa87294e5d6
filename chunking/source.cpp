#include "chunking/source.hpp"

#include <algorithm>
#include <string>

namespace holdfast {

SourceSegment::SourceSegment(File file, std::uint64_t file_bytes, std::uint64_t segment)
    : file_(std::move(file)),
      file_bytes_(file_bytes),
      offset_(segment * kMaxDataBytes),
      length_(segment_bytes(file_bytes, segment)) {}

Result<SourceSegment> SourceSegment::open(const std::filesystem::path& path,
                                          std::uint64_t segment) {
    HOLDFAST_ASSIGN(file, File::open(path, File::Mode::kRead));
    HOLDFAST_ASSIGN(bytes, file.size());
    if (bytes == 0) {
        return fail(ErrorCode::kInvalidArgument, "'" + path.string() + "' is empty");
    }
    if (segment >= segment_count(bytes)) {
        return fail(ErrorCode::kInvalidArgument,
                    "'" + path.string() + "' has " + std::to_string(segment_count(bytes)) +
                        " segment(s) of 4 GiB; there is no segment " + std::to_string(segment));
    }
    return SourceSegment(std::move(file), bytes, segment);
}

tl::unexpected<Error> SourceSegment::changed(const std::string& how) const {
    return fail(ErrorCode::kCorrupt, "'" + file_.path().string() + "' changed while it was read (" +
                                         how + "); start again with a file that stays as it is");
}

// Spec 1: what is behind the data is zeros.
Status SourceSegment::read_chunks(ChunkIndex first, MutByteView out) const {
    const std::uint64_t at = first.value * kChunkBytes;
    const std::uint64_t there = at < length_ ? length_ - at : 0;
    const auto data = static_cast<std::size_t>(std::min<std::uint64_t>(there, out.size()));
    HOLDFAST_ASSIGN(got, file_.read_some_at(offset_ + at, out.first(data)));
    if (got != data) return changed("it shrank");
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(data), out.end(), std::uint8_t{0});
    return {};
}

Status SourceSegment::check_size() const {
    HOLDFAST_ASSIGN(now, file_.size());
    if (now != file_bytes_) return changed("its size is another");
    return {};
}

}  // namespace holdfast
