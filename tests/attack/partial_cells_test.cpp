// Attack 28: keep only part of the sealed bytes and answer all the same, with garbage where
// something is missing. Dropped as single cells, as whole chunks, or as whole windows.
//
// The whole tree is kept, so that every path is right: only the opened cells can give the cheater
// away. How the loss is spread makes no difference. The naive scheme opens a cell at a fixed place
// of each chunk: fifteen sixteenths of the data are then never asked for.
#include <gtest/gtest.h>

#include "analysis/bounds.hpp"
#include "core/selection.hpp"
#include "support/forged_replica.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kHeights = 600;
constexpr std::uint64_t kChunks = 512;
constexpr std::uint64_t kChunksOfWindow = 16;

NetworkParams partial_network() {
    NetworkParams p;
    p.name = "partial";
    p.seal_presets = {{kChunksOfWindow, 512}};
    return p;
}

const ForgedReplica& replica() {
    static const ForgedReplica one(partial_network(), raw_chunks_of(kChunks, "partial"), "partial");
    return one;
}

/// The sealed bytes with garbage in `missing` of every 16 items of `item_bytes`, by lot.
Bytes drop(std::size_t item_bytes, std::uint64_t missing) {
    Bytes left = replica().sealed;
    const std::uint64_t items = left.size() / item_bytes;
    for (std::uint64_t group = 0; group < items / 16; ++group) {
        const auto drawn = select_v2(tagged_hash("test/dropped", group), 16, missing);
        for (const std::uint64_t i : *drawn) {
            std::fill_n(left.begin() + static_cast<std::ptrdiff_t>((group * 16 + i) * item_bytes),
                        item_bytes, std::uint8_t{0xee});
        }
    }
    return left;
}

std::uint64_t caught(const Bytes& left) {
    std::uint64_t refused = 0;
    for (std::uint64_t h = 1; h <= kHeights; ++h) {
        const KnownHeight known = made_up_height(h);
        const Verdict verdict = replica().check(known, replica().full(known, left));
        EXPECT_TRUE(verdict.accepted() || verdict.reason == Reason::kSealedMismatch);
        refused += verdict.accepted() ? 0 : 1;
    }
    return refused;
}

TEST(AttackPartialCells, EqualDetectionHoweverTheLossIsSpread) {
    EXPECT_EQ(caught(replica().sealed), 0U);
    for (const std::uint64_t missing : {1U, 4U}) {
        const double d = static_cast<double>(missing) / 16;
        const std::uint64_t bad = kChunks * missing / 16;
        std::printf("%.2f%% dropped\n", 100 * d);
        // A sixteenth of the cells of every chunk: draws within a chunk are independent.
        expect_rate("by cell: links refused", caught(drop(kCellBytes, missing)), kHeights,
                    1 - std::exp2(log2_all_good(d, kChunksPerLink)));
        const double whole = 1 - std::exp2(log2_all_good(kChunks, bad, kChunksPerLink));
        expect_rate("by chunk: links refused", caught(drop(kChunkBytes, missing)), kHeights, whole);
        expect_rate("by window: links refused",
                    caught(drop(kChunksOfWindow * kChunkBytes, missing)), kHeights, whole);
    }
}

TEST(AttackPartialCells, NaiveSchemeOpensAFixedPlace) {
    // Only the first cell of each chunk is kept: 15/16 of the storage saved.
    Bytes left = replica().sealed;
    for (std::size_t at = 0; at < left.size(); at += kChunkBytes) {
        std::fill_n(left.begin() + static_cast<std::ptrdiff_t>(at + kCellBytes),
                    kChunkBytes - kCellBytes, std::uint8_t{0xee});
    }
    std::uint64_t naive_caught = 0;
    for (std::uint64_t h = 1; h <= kHeights; ++h) {
        const Entropy e =
            chain_entropy(replica().network_id, *made_up_height(h).y, replica().chain_id, Reveal{});
        for (const OpenedCell& opened : opened_cells(e, ChunkCount(kChunks))) {
            const std::uint64_t first = opened.chunk.value * kCellsPerChunk;
            const ByteView shown = ByteView(left).subspan(first * kCellBytes, kCellBytes);
            const auto root = root_from_path(kChunks * kCellsPerChunk, first, leaf_hash(shown),
                                             replica().sealed_tree.path(first));
            naive_caught += root && *root == replica().sealed_tree.root() ? 0 : 1;
        }
    }
    EXPECT_EQ(naive_caught, 0U);
    // The real draw of the cell within the chunk leaves it one chance in 16 for every opening.
    EXPECT_EQ(caught(left), kHeights);
}

}  // namespace
}  // namespace holdfast::test
