// Sealing that ends early: what stays, and how the next attempt goes on.
#include <atomic>
#include <fstream>

#include "support/seal_world.hpp"

namespace holdfast {
namespace {

using test::SealWorld;
using test::slurp;
using test::some_bytes;
using test::spill;

constexpr std::size_t kDataBytes = 700'000;  // eleven windows of kTinySeal

struct SealResume : ::testing::Test {
    SealWorld world;
    Bytes replica;
    Bytes tree;

    void SetUp() override {
        world.seal_bytes("x", some_bytes(kDataBytes));
        replica = slurp(world.folder / "x.replica");
        tree = slurp(world.folder / "x.tree");
        std::filesystem::remove(world.folder / "x.replica");
        std::filesystem::remove(world.folder / "x.tree");
    }
    [[nodiscard]] std::filesystem::path partial() const {
        return world.folder / ".x.replica.sealing";
    }
    [[nodiscard]] std::filesystem::path log() const {
        return world.folder / ".x.replica.sealing-log";
    }

    /// Seals until a share of the work is done, then stops.
    Error stop_at(double share, const SealRequest& request) const {
        std::atomic<bool> stop = false;
        SealOptions options;
        options.workers = 1;
        options.stop = [&] { return stop.load(); };
        options.progress = [&](const SealProgress& p) {
            if (p.stage == SealStage::kSealing &&
                static_cast<double>(p.done_bytes) >= share * static_cast<double>(p.total_bytes)) {
                stop = true;
            }
        };
        const auto sealed = seal(request, options);
        EXPECT_FALSE(sealed.has_value());
        return sealed ? Error{} : sealed.error();
    }
    /// Seals to the end and compares with an undisturbed sealing.
    SealedReplica finish(const SealOptions& options = {}) const {
        const auto sealed = seal(world.request("x"), options);
        EXPECT_TRUE(sealed.has_value()) << (sealed ? "" : sealed.error().message);
        if (!sealed) return {};
        EXPECT_EQ(slurp(world.folder / "x.replica"), replica);
        EXPECT_EQ(slurp(world.folder / "x.tree"), tree);
        EXPECT_EQ(world.names(), (std::vector<std::string>{"x", "x.replica", "x.tree"}));
        return *sealed;
    }
};

TEST_F(SealResume, GoesOnWhereItWasStoppedAndGivesTheSameBytes) {
    const Error stopped = stop_at(0.5, world.request("x"));
    EXPECT_EQ(stopped.code, ErrorCode::kInterrupted);
    EXPECT_NE(stopped.message.find("of 11 windows are finished and kept"), std::string::npos)
        << stopped.message;
    EXPECT_FALSE(std::filesystem::exists(world.folder / "x.replica"));
    std::uint64_t first_seen = 0;
    SealOptions options;
    options.progress = [&](const SealProgress& p) {
        if (p.stage == SealStage::kSealing && first_seen == 0) first_seen = p.done_bytes;
    };
    const SealedReplica sealed = finish(options);
    EXPECT_GE(sealed.windows_taken_over, 4U);
    EXPECT_LT(sealed.windows_taken_over, 11U);
    EXPECT_GE(first_seen, 4 * 16 * kChunkBytes);
}

TEST_F(SealResume, AStopBeforeTheFirstWindowLeavesNothing) {
    SealOptions options;
    options.stop = [] { return true; };
    ASSERT_FALSE(seal(world.request("x"), options));
    EXPECT_EQ(world.names(), (std::vector<std::string>{"x"}));
}

TEST_F(SealResume, RestartTakesNothingOver) {
    (void)stop_at(0.5, world.request("x"));
    SealOptions options;
    options.restart = true;
    EXPECT_EQ(finish(options).windows_taken_over, 0U);
}

TEST_F(SealResume, AWindowThatIsNotOnTheDiskAsRecordedIsSealedAgain) {
    (void)stop_at(0.6, world.request("x"));
    const std::uint64_t before = finish().windows_taken_over;
    std::filesystem::remove(world.folder / "x.replica");
    std::filesystem::remove(world.folder / "x.tree");
    (void)stop_at(0.6, world.request("x"));
    Bytes bytes = slurp(partial());
    bytes[kFileHeaderBytes + 100'000] ^= 1;  // in the second window
    spill(partial(), bytes);
    EXPECT_EQ(finish().windows_taken_over, before - 1);
}

TEST_F(SealResume, ADamagedOrForeignLogIsNotBelieved) {
    (void)stop_at(0.6, world.request("x"));
    Bytes bytes = slurp(log());
    bytes[bytes.size() - 1] ^= 1;  // the last record does not hold any more
    spill(log(), bytes);
    EXPECT_GE(finish().windows_taken_over, 4U);
    std::filesystem::remove(world.folder / "x.replica");
    std::filesystem::remove(world.folder / "x.tree");
    (void)stop_at(0.6, world.request("x"));
    spill(log(), some_bytes(1'000));
    EXPECT_EQ(finish().windows_taken_over, 0U);
    std::filesystem::remove(world.folder / "x.replica");
    std::filesystem::remove(world.folder / "x.tree");
    (void)stop_at(0.6, world.request("x"));
    std::filesystem::remove(partial());
    EXPECT_EQ(finish().windows_taken_over, 0U);
}

TEST_F(SealResume, OtherDataBeginAnew) {
    (void)stop_at(0.6, world.request("x"));
    Bytes other = some_bytes(kDataBytes);
    other[5] ^= 1;
    spill(world.folder / "x", other);
    const auto sealed = seal(world.request("x"));
    ASSERT_TRUE(sealed.has_value()) << sealed.error().message;
    EXPECT_EQ(sealed->windows_taken_over, 0U);
    EXPECT_TRUE(world.open("x").has_value());
}

TEST_F(SealResume, AnotherKeyOrNonceDoesNotThrowWorkAwayUnasked) {
    (void)stop_at(0.6, world.request("x"));
    const auto before = world.names();
    SealRequest other = world.request("x");
    other.nonce = 7;
    const auto refused = seal(other);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kAlreadyExists);
    EXPECT_NE(refused.error().message.find("restart"), std::string::npos);
    EXPECT_EQ(world.names(),
              (std::vector<std::string>{".x.replica.sealing", ".x.replica.sealing-log",
                                        ".x.replica.sealing-log.begun", "x"}));
    EXPECT_EQ(before, world.names());
    EXPECT_GE(finish().windows_taken_over, 4U);
}

TEST_F(SealResume, ATreeThatWasPublishedWithoutItsReplicaIsMadeAgain) {
    (void)stop_at(0.6, world.request("x"));
    spill(world.folder / "x.tree", tree);  // as a kill between the two renames leaves it
    EXPECT_GE(finish().windows_taken_over, 4U);
}

TEST_F(SealResume, ForeignTreesAndFinishedReplicasAreNotTouched) {
    (void)stop_at(0.6, world.request("x"));
    const Bytes mine = some_bytes(5'000);
    spill(world.folder / "x.tree", mine);
    const auto refused = seal(world.request("x"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kAlreadyExists);
    EXPECT_EQ(slurp(world.folder / "x.tree"), mine);
    std::filesystem::remove(world.folder / "x.tree");
    EXPECT_GE(finish().windows_taken_over, 4U);
    spill(log(), mine);  // as a kill after both renames leaves it
    ASSERT_FALSE(seal(world.request("x")));
    EXPECT_EQ(world.names(), (std::vector<std::string>{"x", "x.replica", "x.tree"}));
    EXPECT_EQ(slurp(world.folder / "x.replica"), replica);
}

TEST_F(SealResume, LeftoversOfAKillBeforeAnythingWasRecordedDoNotBlock) {
    spill(partial(), some_bytes(3'000));
    spill(world.folder / ".x.tree.sealing", some_bytes(2'000'000));
    spill(log(), {});
    EXPECT_EQ(finish().windows_taken_over, 0U);
}

TEST_F(SealResume, OnlyOneSealsToAName) {
    std::optional<ErrorCode> second;
    SealOptions options;
    options.progress = [&](const SealProgress& p) {
        if (p.stage != SealStage::kSealing || second) return;
        const auto other = seal(world.request("x"));
        second = other ? std::nullopt : std::optional(other.error().code);
        if (!second) second = ErrorCode::kUnsupported;
    };
    ASSERT_TRUE(seal(world.request("x"), options));
    EXPECT_EQ(second, ErrorCode::kBusy);
    EXPECT_EQ(slurp(world.folder / "x.replica"), replica);
}

/// A source of 4 GiB and a little more, without a block on the disk.
TEST_F(SealResume, TheSecondSegmentOfASparseSource) {
    constexpr std::uint64_t kTail = 100'000;
    const Bytes tail = some_bytes(kTail);
    {
        auto file = File::open(world.folder / "big", File::Mode::kCreateNew);
        ASSERT_TRUE(file.has_value());
        ASSERT_TRUE(file->truncate(kMaxDataBytes + kTail).has_value());
        ASSERT_TRUE(file->write_at(kMaxDataBytes, tail).has_value());
    }
    SealRequest request = world.request("big");
    request.segment = 1;
    const auto sealed = seal(request);
    ASSERT_TRUE(sealed.has_value()) << sealed.error().message;
    EXPECT_EQ(sealed->header.replica.data_len, kTail);
    EXPECT_EQ(sealed->header.replica.nonce, 1U);
    world.seal_bytes("tail", tail);
    const auto alone = world.open("tail");
    EXPECT_EQ(sealed->header.replica.raw_root, alone->header().replica.raw_root);
}

}  // namespace
}  // namespace holdfast
