// A sparse file over 4 GiB as a shard: two segments with a root each, both checked, both readable.
#include "chunking/erasure.hpp"
#include "storage/file.hpp"
#include "support/seal_world.hpp"

namespace holdfast::test {
namespace {

TEST(LargeShard, HasASegmentAndARootForEvery4GiB) {
    constexpr std::uint64_t kSegment = std::uint64_t{1} << 32;
    const TempFolder folder;
    const Bytes tail = some_bytes(3 * kChunkBytes + 9);
    const std::uint64_t length = kSegment + tail.size();
    {
        auto file = File::open(folder / "large", File::Mode::kCreateNew);
        ASSERT_TRUE(file.has_value());
        ASSERT_TRUE(file->write_at(kSegment, tail));
    }
    const auto manifest = manifest_of_file(folder / "large");
    ASSERT_TRUE(manifest.has_value()) << manifest.error().message;
    ASSERT_EQ(manifest->roots.size(), 2U);
    EXPECT_EQ(manifest->roots[1],
              raw_root_of_file(folder / "large", kSegment, tail.size()).value());
    spill(folder / "tail", tail);
    EXPECT_EQ(manifest->roots[1], raw_root_of_file(folder / "tail", 0, tail.size()).value());

    auto shards = ShardSet::find(*manifest, std::vector<std::filesystem::path>{folder / "large"});
    ASSERT_TRUE(shards.has_value()) << shards.error().message;
    const auto second = raw_source_of_shard(std::move(*shards), 0, 1);
    ASSERT_TRUE(second.has_value()) << second.error().message;
    EXPECT_EQ((*second)->length(), tail.size());
    Bytes padded = tail;
    padded.resize(4 * kChunkBytes);
    Bytes read(padded.size());
    ASSERT_TRUE((*second)->read_chunks(ChunkIndex(0), read));
    EXPECT_EQ(read, padded);

    // One byte near the end belongs to the second segment, and makes the whole a lie.
    {
        auto file = File::open(folder / "large", File::Mode::kReadWrite);
        ASSERT_TRUE(file.has_value());
        ASSERT_TRUE(file->write_at(length - 1, Bytes{std::uint8_t(tail.back() ^ 1)}));
    }
    const auto lying =
        ShardSet::find(*manifest, std::vector<std::filesystem::path>{folder / "large"});
    ASSERT_FALSE(lying.has_value());
    EXPECT_EQ(lying.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace holdfast::test
