#include "core/geometry.hpp"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(Geometry, ChunkCount) {
    EXPECT_EQ(chunk_count(1), ChunkCount(16));
    EXPECT_EQ(chunk_count(65'536), ChunkCount(16));
    EXPECT_EQ(chunk_count(65'537), ChunkCount(17));
    EXPECT_EQ(chunk_count(kMaxDataBytes), ChunkCount(kMaxChunks));
    EXPECT_EQ(chunk_count(UINT64_MAX), ChunkCount(std::uint64_t{1} << 52));
}

TEST(Geometry, CheckRefusesEverythingThatDoesNotFit) {
    EXPECT_TRUE(check_geometry(1, ChunkCount(16)));
    EXPECT_TRUE(check_geometry(kMaxDataBytes, ChunkCount(kMaxChunks)));
    for (const auto& [data_len, chunks] :
         std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 16},
                                                              {0, 0},
                                                              {1, 15},
                                                              {1, 17},
                                                              {65'537, 16},
                                                              {65'537, 18},
                                                              {kMaxDataBytes + 1, kMaxChunks + 1},
                                                              {kMaxDataBytes + 1, kMaxChunks},
                                                              {UINT64_MAX, std::uint64_t{1} << 52},
                                                              {kMaxDataBytes, 0}}) {
        EXPECT_EQ(check_geometry(data_len, ChunkCount(chunks)), Verdict(Reason::kBadGeometry))
            << data_len << " " << chunks;
    }
}

TEST(Geometry, WindowsCoverEveryChunkOnce) {
    for (const std::uint32_t window_chunks : {16U, 17U, 24U, 256U}) {
        const SealParams seal{window_chunks, std::uint64_t{32} * window_chunks};
        for (std::uint64_t chunks = 16; chunks < 600; ++chunks) {
            const WindowPlan plan(ChunkCount(chunks), seal);
            std::uint64_t next = 0;
            std::uint64_t largest = 0;
            for (std::uint64_t w = 0; w < plan.count(); ++w) {
                const Window window = plan.window(w);
                EXPECT_EQ(window.index, w);
                EXPECT_EQ(window.first.value, next);
                EXPECT_LE(window.chunks.value, window_chunks);
                // As equal as possible, the larger ones first, and work_blocks reached.
                EXPECT_TRUE(window.chunks.value == chunks / plan.count() ||
                            window.chunks.value == chunks / plan.count() + 1);
                if (w > 0) {
                    EXPECT_LE(window.chunks, plan.window(w - 1).chunks);
                }
                EXPECT_GE(window.passes * window.blocks(), seal.work_blocks);
                EXPECT_LT((window.passes - 1) * window.blocks(), seal.work_blocks);
                for (std::uint64_t c = 0; c < window.chunks.value; ++c) {
                    EXPECT_EQ(plan.window_of(ChunkIndex(next + c)), w);
                }
                next += window.chunks.value;
                largest = std::max(largest, window.bytes());
            }
            EXPECT_EQ(next, chunks);
            EXPECT_EQ(plan.largest_bytes(), largest);
        }
    }
}

TEST(Geometry, ExtremePlans) {
    const WindowPlan most(ChunkCount(kMaxChunks), {16, kMaxWorkBlocks});
    EXPECT_EQ(most.count(), kMaxChunks / 16);
    EXPECT_EQ(most.window(most.count() - 1).passes, kMaxWorkBlocks / 64);
    const WindowPlan small(ChunkCount(17), {16, kMaxWorkBlocks});
    EXPECT_EQ(small.count(), 2U);
    EXPECT_EQ(small.window(1).chunks, ChunkCount(8));
    EXPECT_EQ(small.window(1).passes, kMaxWorkBlocks / 32);
}

TEST(Geometry, Segments) {
    EXPECT_EQ(segment_count(0), 0U);
    EXPECT_EQ(segment_count(1), 1U);
    EXPECT_EQ(segment_count(kMaxDataBytes), 1U);
    EXPECT_EQ(segment_count(kMaxDataBytes + 1), 2U);
    EXPECT_EQ(segment_bytes(kMaxDataBytes + 1, 0), kMaxDataBytes);
    EXPECT_EQ(segment_bytes(kMaxDataBytes + 1, 1), 1U);
    EXPECT_EQ(segment_count(UINT64_MAX), std::uint64_t{1} << 32);
}

}  // namespace
}  // namespace holdfast
