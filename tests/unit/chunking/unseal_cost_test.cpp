// What reading the original back costs: one fill for each window that a range touches, no more.
#include <atomic>

#include "chunking/unseal.hpp"
#include "core/fill_kernel.hpp"
#include "support/seal_world.hpp"

namespace holdfast {
namespace {

std::atomic<std::uint64_t> fills = 0;

/// Counts the beginnings of fills: the first run of the first quarter starts at column 2.
void counted_run(const FillRun& run) {
    if (run.first_pass && run.slice == 0 && run.first == 2) ++fills;
    fill_kernels().front().run(run);
}
constexpr FillKernel kCounted{"counted", counted_run, [] { return true; }};

struct UnsealCost : ::testing::Test {
    test::SealWorld world;
    Bytes data = test::some_bytes(400'000);  // seven windows
    std::optional<Replica> replica;
    UnsealOptions options;

    void SetUp() override {
        world.seal_bytes("x", data);
        replica.emplace(std::move(*world.open("x")));
        options.kernel = &kCounted;
        fills = 0;
    }
    void expect_range(std::uint64_t offset, std::size_t length, std::uint64_t windows) {
        fills = 0;
        Bytes out(length);
        ASSERT_TRUE(unseal_range(*replica, offset, MutByteView(out), options).has_value());
        EXPECT_TRUE(
            std::equal(out.begin(), out.end(), data.begin() + static_cast<std::ptrdiff_t>(offset)));
        EXPECT_EQ(fills, windows) << offset << " + " << length;
    }
};

TEST_F(UnsealCost, ARangeCostsTheWindowsThatItTouches) {
    const std::uint64_t border = replica->windows().window(3).first_byte();
    const std::uint64_t next = replica->windows().window(4).first_byte();
    for (const unsigned workers : {1U, 2U, 8U}) {
        options.workers = workers;
        expect_range(0, 1, 1);
        expect_range(border, 1, 1);
        expect_range(border - 1, 1, 1);
        expect_range(border - 1, 2, 2);
        expect_range(border, next - border, 1);
        expect_range(border - 1, next - border + 2, 3);
        expect_range(data.size() - 1, 1, 1);
        expect_range(0, data.size(), replica->windows().count());
    }
}

TEST_F(UnsealCost, AWholeFileCostsEveryWindowOnceFromAnyNumberOfWorkers) {
    for (const unsigned workers : {1U, 2U, 16U}) {
        fills = 0;
        options.workers = workers;
        ASSERT_TRUE(unseal(*replica, world.folder / "back", options).has_value());
        EXPECT_EQ(fills, replica->windows().count());
        EXPECT_EQ(test::slurp(world.folder / "back"), data);
        std::filesystem::remove(world.folder / "back");
    }
}

TEST_F(UnsealCost, RawCellsOfASealProofCostTheirWindowsOnce) {
    const std::uint64_t border = replica->windows().window(2).first_cell().value;
    const std::vector<std::uint64_t> cells{0, 1, border - 1, border, border + 5};
    RawOptions raw;
    raw.kernel = &kCounted;
    raw.workers = 2;
    ASSERT_TRUE(replica->open_raw_cells(cells, raw).has_value());
    EXPECT_EQ(fills, 3U);
}

TEST_F(UnsealCost, EveryByteOfARangeIsCheckedAndNoOther) {
    Bytes file = test::slurp(world.folder / "x.replica");
    const std::uint64_t damaged = replica->windows().window(3).first_byte() + 2 * kChunkBytes + 7;
    file[kFileHeaderBytes + damaged] ^= 1;
    replica.reset();
    test::spill(world.folder / "x.replica", file);
    replica.emplace(std::move(*world.open("x")));
    // The chunk before it, in the same window, is sound.
    expect_range(damaged / kChunkBytes * kChunkBytes - kChunkBytes, kChunkBytes, 1);
    Bytes out(1);
    const Status refused = unseal_range(*replica, damaged, MutByteView(out), options);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(refused.error().message.find("chunk " + std::to_string(damaged / kChunkBytes)),
              std::string::npos)
        << refused.error().message;
}

}  // namespace
}  // namespace holdfast
