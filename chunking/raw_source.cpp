#include "chunking/raw_source.hpp"

#include <algorithm>
#include <string>

#include "chunking/erasure.hpp"
#include "chunking/source.hpp"
#include "core/geometry.hpp"

namespace holdfast {
namespace {

class FileSource final : public RawSource {
  public:
    explicit FileSource(SourceSegment segment) : segment_(std::move(segment)) {}
    [[nodiscard]] std::uint64_t length() const override { return segment_.length(); }
    [[nodiscard]] Status read_chunks(ChunkIndex first, MutByteView out) const override {
        return segment_.read_chunks(first, out);
    }

  private:
    SourceSegment segment_;
};

class ShardSource final : public RawSource {
  public:
    ShardSource(ShardSet shards, unsigned shard, std::uint64_t segment)
        : shards_(std::move(shards)), shard_(shard), segment_(segment) {}
    [[nodiscard]] std::uint64_t length() const override {
        return segment_bytes(shards_.manifest().shard_len, segment_);
    }
    [[nodiscard]] Status read_chunks(ChunkIndex first, MutByteView out) const override {
        const std::uint64_t at = first.value * kChunkBytes;
        const std::uint64_t there = at < length() ? length() - at : 0;
        const auto data = static_cast<std::size_t>(std::min<std::uint64_t>(there, out.size()));
        HOLDFAST_TRY(shards_.read(shard_, segment_ * kMaxDataBytes + at, out.first(data)));
        std::fill(out.begin() + static_cast<std::ptrdiff_t>(data), out.end(), std::uint8_t{0});
        return {};
    }

  private:
    ShardSet shards_;
    unsigned shard_;
    std::uint64_t segment_;
};

}  // namespace

Result<std::unique_ptr<RawSource>> raw_source_of_shard(ShardSet shards, unsigned shard,
                                                       std::uint64_t segment) {
    if (shard >= shards.manifest().shape.shards() ||
        segment >= shards.manifest().segments_per_shard()) {
        return fail(ErrorCode::kInvalidArgument, "the manifest has no segment " +
                                                     std::to_string(segment) + " of shard " +
                                                     std::to_string(shard));
    }
    return std::make_unique<ShardSource>(std::move(shards), shard, segment);
}

Result<std::unique_ptr<RawSource>> open_raw_file(const std::filesystem::path& path,
                                                 std::uint64_t segment) {
    HOLDFAST_ASSIGN(source, SourceSegment::open(path, segment));
    return std::make_unique<FileSource>(std::move(source));
}

}  // namespace holdfast
