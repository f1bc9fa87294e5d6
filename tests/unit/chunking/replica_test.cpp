#include "chunking/replica.hpp"

#include <thread>

#include "chunking/unseal.hpp"
#include "core/merkle.hpp"
#include "core/selection.hpp"
#include "support/seal_world.hpp"

namespace holdfast {
namespace {

using test::SealWorld;
using test::slurp;
using test::some_bytes;

std::vector<Digest> cell_hashes(ByteView bytes) {
    std::vector<Digest> hashes(bytes.size() / kCellBytes);
    for (std::size_t i = 0; i < hashes.size(); ++i) {
        hashes[i] = leaf_hash(bytes.subspan(i * kCellBytes, kCellBytes));
    }
    return hashes;
}

/// A replica of several windows whose last one is smaller and whose tree is not a power of two.
struct ReplicaTest : ::testing::Test {
    SealWorld world;
    Bytes data = some_bytes(47 * kChunkBytes - 100);
    SealedReplica sealed = world.seal_bytes("x", data);
    Bytes file = slurp(world.folder / "x.replica");
    Bytes tree_bytes = slurp(world.folder / "x.tree");

    [[nodiscard]] ByteView sealed_bytes() const { return ByteView(file).subspan(kFileHeaderBytes); }
    [[nodiscard]] Bytes padded() const {
        Bytes raw = data;
        raw.resize(47 * kChunkBytes);
        return raw;
    }
    [[nodiscard]] Replica opened() const {
        auto replica = world.open("x");
        if (!replica) {
            ADD_FAILURE() << replica.error().message;
            std::abort();
        }
        return std::move(*replica);
    }
    void flip(const std::string& name, std::size_t byte) const {
        Bytes bytes = slurp(world.folder / name);
        bytes.at(byte) ^= 0x10;
        test::spill(world.folder / name, bytes);
    }
};

TEST_F(ReplicaTest, RootsAreThoseOfTheWholeCellTrees) {
    EXPECT_EQ(merkle_root(cell_hashes(padded())), sealed.header.replica.raw_root);
    EXPECT_EQ(merkle_root(cell_hashes(sealed_bytes())), sealed.header.sealed_root);
    const Replica replica = opened();
    EXPECT_EQ(replica.header(), sealed.header);
    EXPECT_EQ(replica.windows().count(), 3U);
    EXPECT_EQ(replica.cells(), 47U * 16);
}

TEST_F(ReplicaTest, OpeningsAreTheMultiproofsOfTheWholeTrees) {
    const Replica replica = opened();
    const MerkleTree sealed_tree(cell_hashes(sealed_bytes()));
    const Bytes raw = padded();
    const MerkleTree raw_tree(cell_hashes(raw));
    for (std::uint64_t round = 0; round < 60; ++round) {
        const std::uint64_t count = round % 7 == 0 ? 1 : 1 + round * 3;
        auto cells = *select_v2(tagged_hash("cells", round), replica.cells(), count);
        std::sort(cells.begin(), cells.end());
        const auto opening = replica.open_cells(cells);
        ASSERT_TRUE(opening.has_value()) << opening.error().message;
        EXPECT_EQ(opening->siblings, sealed_tree.multiproof(cells));
        const auto raw_opening = replica.open_raw_cells(cells, {nullptr, 2, {}});
        ASSERT_TRUE(raw_opening.has_value()) << raw_opening.error().message;
        EXPECT_EQ(raw_opening->siblings, raw_tree.multiproof(cells));
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const auto at = cells[i] * kCellBytes;
            EXPECT_TRUE(
                std::ranges::equal(opening->cell(i), sealed_bytes().subspan(at, kCellBytes)));
            EXPECT_TRUE(
                std::ranges::equal(raw_opening->cell(i), ByteView(raw).subspan(at, kCellBytes)));
        }
    }
}

TEST_F(ReplicaTest, EverySingleCellOpensWithItsPath) {
    const Replica replica = opened();
    const MerkleTree tree(cell_hashes(sealed_bytes()));
    for (std::uint64_t cell = 0; cell < replica.cells(); ++cell) {
        const std::uint64_t cells[] = {cell};
        const auto opening = replica.open_cells(cells);
        ASSERT_TRUE(opening.has_value());
        EXPECT_EQ(opening->siblings, tree.path(cell));
        EXPECT_TRUE(std::ranges::equal(opening->data,
                                       sealed_bytes().subspan(cell * kCellBytes, kCellBytes)));
    }
}

TEST_F(ReplicaTest, WholeChunksOpenWithTheMultiproofOfAllTheirCells) {
    const Replica replica = opened();
    const MerkleTree tree(cell_hashes(sealed_bytes()));
    const std::uint64_t chunks[] = {0, 5, 6, 17, 46};
    std::vector<std::uint64_t> cells;
    Bytes expected;
    for (const std::uint64_t chunk : chunks) {
        for (std::uint64_t i = 0; i < 16; ++i) cells.push_back(chunk * 16 + i);
        const ByteView bytes = sealed_bytes().subspan(chunk * kChunkBytes, kChunkBytes);
        expected.insert(expected.end(), bytes.begin(), bytes.end());
    }
    const auto opening = replica.open_chunks(chunks);
    ASSERT_TRUE(opening.has_value());
    EXPECT_EQ(opening->siblings, tree.multiproof(cells));
    EXPECT_EQ(opening->data, expected);
}

TEST_F(ReplicaTest, RawWindows) {
    const Replica replica = opened();
    for (std::uint64_t w = 0; w < 3; ++w) {
        const Window window = replica.windows().window(w);
        auto memory = *FillMemory::allocate(window.bytes());
        const MutByteView bytes(memory.data(), window.bytes());
        ASSERT_TRUE(replica.raw_chunks(w, window.first, window.chunks, bytes).has_value());
        EXPECT_TRUE(std::ranges::equal(
            bytes, ByteView(padded()).subspan(window.first_byte(), window.bytes())));
        const MutByteView short_one = bytes.first(bytes.size() - 1'024);
        EXPECT_FALSE(replica.raw_chunks(w, window.first, window.chunks, short_one).has_value());
        EXPECT_FALSE(replica.raw_chunks(3 + w, window.first, window.chunks, bytes).has_value());
        EXPECT_FALSE(replica.raw_chunks(w, window.first + 1, window.chunks, bytes).has_value());
    }
}

TEST_F(ReplicaTest, IndicesThatDoNotAscendOrAreOutOfRangeAreErrors) {
    const Replica replica = opened();
    for (const std::vector<std::uint64_t>& bad :
         std::vector<std::vector<std::uint64_t>>{{}, {5, 5}, {6, 5}, {47 * 16}, {0, UINT64_MAX}}) {
        EXPECT_EQ(replica.open_cells(bad).error().code, ErrorCode::kInvalidArgument);
        EXPECT_EQ(replica.open_raw_cells(bad).error().code, ErrorCode::kInvalidArgument);
        EXPECT_EQ(replica.open_chunks(bad).error().code, ErrorCode::kInvalidArgument);
    }
    std::array<std::uint8_t, kChunkBytes> chunk{};
    EXPECT_FALSE(replica.read_sealed(ChunkIndex(47), chunk).has_value());
    EXPECT_FALSE(replica.read_sealed(ChunkIndex(UINT64_MAX), chunk).has_value());
}

TEST_F(ReplicaTest, ADamagedCellIsNamedAndTheOthersStillOpen) {
    flip("x.replica", kFileHeaderBytes + 20 * kChunkBytes + 3'000);
    const Replica replica = opened();
    const std::uint64_t damaged[] = {7, 20 * 16 + 2, 700};
    const auto refused = replica.open_cells(damaged);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(refused.error().message.find("chunk 20 "), std::string::npos)
        << refused.error().message;
    const std::uint64_t healthy[] = {7, 19 * 16 + 15, 21 * 16, 700};
    EXPECT_TRUE(replica.open_cells(healthy).has_value());
    // The same for raw cells: chunk 20 lies in the window of 19 and 21.
    EXPECT_TRUE(replica.open_raw_cells(healthy).has_value());
    const auto raw = replica.open_raw_cells(damaged);
    ASSERT_FALSE(raw.has_value());
    EXPECT_NE(raw.error().message.find("chunk 20 "), std::string::npos) << raw.error().message;
}

TEST_F(ReplicaTest, ADamagedTreeNeverGivesOutAFalseSibling) {
    const Replica honest = opened();
    const std::uint64_t cells[] = {3, 300, 751};
    const auto expected = *honest.open_cells(cells);
    for (std::size_t at = kFileHeaderBytes; at < tree_bytes.size(); at += 29) {
        flip("x.tree", at);
        const Replica replica = opened();
        const auto opening = replica.open_cells(cells);
        if (opening) {
            EXPECT_EQ(opening->siblings, expected.siblings);
        } else {
            EXPECT_EQ(opening.error().code, ErrorCode::kCorrupt);
        }
        flip("x.tree", at);
    }
}

TEST_F(ReplicaTest, DamagedFilesAreRefusedAtOpen) {
    const auto open_error = [&] {
        const auto replica = world.open("x");
        return replica ? std::string("opened") : replica.error().message;
    };
    ASSERT_EQ(open_error(), "opened");
    for (const auto& [name, bytes] :
         {std::pair("x.replica", &file), std::pair("x.tree", &tree_bytes)}) {
        for (const std::size_t length :
             {std::size_t{0}, std::size_t{1}, std::size_t{4'095}, std::size_t{4'096},
              bytes->size() - 1, bytes->size() + 1}) {
            Bytes changed = *bytes;
            changed.resize(length);
            test::spill(world.folder / name, changed);
            EXPECT_NE(open_error(), "opened") << name << length;
        }
        for (std::size_t byte = 0; byte < kFileHeaderBytes; byte += 61) {
            test::spill(world.folder / name, *bytes);
            flip(name, byte);
            EXPECT_NE(open_error(), "opened") << name << byte;
        }
        std::filesystem::remove(world.folder / name);
        EXPECT_NE(open_error().find("No such file"), std::string::npos) << open_error();
        test::spill(world.folder / name, *bytes);
    }
    ASSERT_EQ(open_error(), "opened");
    // Swapped, and of two different replicas.
    EXPECT_FALSE(Replica::open(world.folder / "x.tree", world.folder / "x.replica", world.network));
    world.seal_bytes("y", some_bytes(47 * kChunkBytes, "other"));
    const auto mixed =
        Replica::open(world.folder / "x.replica", world.folder / "y.tree", world.network);
    ASSERT_FALSE(mixed.has_value());
    EXPECT_EQ(mixed.error().code, ErrorCode::kCorrupt);
    NetworkParams other = world.network;
    other.name = "other";
    const auto foreign = Replica::open(world.folder / "x.replica", world.folder / "x.tree", other);
    ASSERT_FALSE(foreign.has_value());
    EXPECT_EQ(foreign.error().verdict.reason, Reason::kWrongNetwork);
}

TEST_F(ReplicaTest, TruncatedUnderTheMapIsAnErrorForThisReplicaOnly) {
    const Replica replica = opened();
    std::filesystem::resize_file(world.folder / "x.replica", kFileHeaderBytes + 8 * kChunkBytes);
    const std::uint64_t gone[] = {46 * 16};
    const std::uint64_t there[] = {3};
    const auto error = replica.open_cells(gone);
    ASSERT_FALSE(error.has_value());
    EXPECT_EQ(error.error().code, ErrorCode::kIo);
    EXPECT_TRUE(replica.open_cells(there).has_value());
    std::filesystem::resize_file(world.folder / "x.tree", 0);
    EXPECT_EQ(replica.open_cells(there).error().code, ErrorCode::kIo);
}

TEST_F(ReplicaTest, ManyThreadsReadAtOnce) {
    const Replica replica = opened();
    const MerkleTree tree(cell_hashes(sealed_bytes()));
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (std::uint64_t i = t; i < replica.cells(); i += 4) {
                const std::uint64_t cells[] = {i};
                const auto opening = replica.open_cells(cells);
                ASSERT_TRUE(opening.has_value());
                ASSERT_EQ(opening->siblings, tree.path(i));
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
}

TEST_F(ReplicaTest, RangesOfTheOriginal) {
    const Replica replica = opened();
    for (const auto& [offset, length] :
         std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 1},
                                                              {data.size() - 1, 1},
                                                              {4'095, 2},
                                                              {65'535, 2},
                                                              {0, data.size()},
                                                              {70'000, 60'000}}) {
        Bytes out(length);
        const Status done = unseal_range(replica, offset, MutByteView(out));
        ASSERT_TRUE(done.has_value()) << done.error().message;
        const Bytes expected(data.begin() + static_cast<std::ptrdiff_t>(offset),
                             data.begin() + static_cast<std::ptrdiff_t>(offset + length));
        EXPECT_EQ(out, expected);
        ASSERT_TRUE(unseal_range(replica, offset, length, world.folder / "part").has_value());
        EXPECT_EQ(slurp(world.folder / "part"), expected);
        std::filesystem::remove(world.folder / "part");
    }
    Bytes out(2);
    for (const std::uint64_t offset : {data.size() - 1, data.size(), std::size_t{UINT64_MAX}}) {
        EXPECT_EQ(unseal_range(replica, offset, MutByteView(out)).error().code,
                  ErrorCode::kInvalidArgument);
    }
    EXPECT_FALSE(unseal_range(replica, 0, 0, world.folder / "part").has_value());
    EXPECT_FALSE(unseal_range(replica, 1, UINT64_MAX, world.folder / "part").has_value());
    EXPECT_EQ(unseal(replica, world.folder / "x").error().code, ErrorCode::kAlreadyExists);
}

TEST_F(ReplicaTest, UnsealOfDamagedDataPublishesNothing) {
    flip("x.replica", kFileHeaderBytes + 33 * kChunkBytes);
    const Replica replica = opened();
    const Status whole = unseal(replica, world.folder / "back");
    ASSERT_FALSE(whole.has_value());
    EXPECT_EQ(whole.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(whole.error().message.find("chunk 33 "), std::string::npos) << whole.error().message;
    EXPECT_EQ(world.names(), (std::vector<std::string>{"x", "x.replica", "x.tree"}));
    // A range beside the damaged chunk, in the same window, still comes back.
    Bytes out(100);
    EXPECT_TRUE(unseal_range(replica, 34 * kChunkBytes, MutByteView(out)).has_value());
}

TEST_F(ReplicaTest, UnsealStopsAndReportsProgress) {
    const Replica replica = opened();
    UnsealOptions options;
    options.stop = [] { return true; };
    EXPECT_EQ(unseal(replica, world.folder / "back", options).error().code,
              ErrorCode::kInterrupted);
    EXPECT_EQ(world.names(), (std::vector<std::string>{"x", "x.replica", "x.tree"}));
    options.stop = {};
    std::uint64_t last = 0;
    options.progress = [&](std::uint64_t done, std::uint64_t total) {
        EXPECT_GE(done, last);
        EXPECT_EQ(total, 47U * kChunkBytes);
        last = done;
    };
    ASSERT_TRUE(unseal(replica, world.folder / "back", options).has_value());
    EXPECT_EQ(last, 47U * kChunkBytes);
}

}  // namespace
}  // namespace holdfast
