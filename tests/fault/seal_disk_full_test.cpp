// A disk that fills up while sealing, unsealing and sharding: a clear error, and nothing left
// behind.
#include "chunking/erasure.hpp"
#include "chunking/unseal.hpp"
#include "support/full_disk.hpp"
#include "support/seal_world.hpp"
#include "support/small_disk.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kDiskBytes = 1 << 20;

struct DiskFull : ::testing::Test {
    test::SealWorld world;
    std::optional<test::SmallDisk> disk;

    void SetUp() override {
        disk.emplace(world.folder / "disk", kDiskBytes);
        if (!disk->mounted()) GTEST_SKIP() << "mounting a small tmpfs is not allowed here";
    }
};

TEST_F(DiskFull, SealSaysSoBeforeTheWork) {
    test::spill(world.folder / "x", test::some_bytes(2 * kDiskBytes));
    SealRequest request = world.request("x");
    request.replica_path = disk->path() / "x.replica";
    SealOptions options;
    bool worked = false;
    options.progress = [&](const SealProgress&) { worked = true; };
    const auto sealed = seal(request, options);
    ASSERT_FALSE(sealed.has_value());
    EXPECT_EQ(sealed.error().code, ErrorCode::kOutOfSpace);
    EXPECT_NE(sealed.error().message.find("are free there"), std::string::npos)
        << sealed.error().message;
    EXPECT_FALSE(worked);
    EXPECT_TRUE(disk->empty());
    EXPECT_FALSE(std::filesystem::exists(request.tree_path));
}

TEST_F(DiskFull, SealNoticesThatTheTreeDoesNotFitBesideTheReplica) {
    test::spill(world.folder / "x", test::some_bytes(kDiskBytes - 3 * kChunkBytes));
    SealRequest request = world.request("x");
    request.replica_path = disk->path() / "x.replica";
    request.tree_path = disk->path() / "x.tree";
    const auto sealed = seal(request);
    ASSERT_FALSE(sealed.has_value());
    EXPECT_EQ(sealed.error().code, ErrorCode::kOutOfSpace);
    EXPECT_TRUE(disk->empty());
}

/// A disk whose space could not be reserved, and is gone half-way.
TEST(DiskFullLater, SealKeepsWhatIsFinishedAndGoesOnWhenThereIsRoomAgain) {
    test::SealWorld world;
    world.seal_bytes("x", test::some_bytes(1'500'000));
    const Bytes expected = test::slurp(world.folder / "x.replica");
    std::filesystem::remove(world.folder / "x.replica");
    std::filesystem::remove(world.folder / "x.tree");
    std::optional<test::FullDisk> full;
    SealOptions options;
    options.workers = 1;
    options.progress = [&](const SealProgress& p) {
        if (p.stage == SealStage::kSealing && !full) full.emplace(1'000'000);
    };
    const auto sealed = seal(world.request("x"), options);
    full.reset();
    ASSERT_FALSE(sealed.has_value());
    EXPECT_EQ(sealed.error().code, ErrorCode::kOutOfSpace) << sealed.error().message;
    EXPECT_NE(sealed.error().message.find("finished and kept"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(world.folder / "x.replica"));
    const auto again = seal(world.request("x"));
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_GT(again->windows_taken_over, 5U);
    EXPECT_EQ(test::slurp(world.folder / "x.replica"), expected);
}

TEST_F(DiskFull, UnsealSaysSo) {
    world.seal_bytes("x", test::some_bytes(2 * kDiskBytes), kSealDev);
    const auto replica = world.open("x");
    ASSERT_TRUE(replica.has_value());
    const Status done = unseal(*replica, disk->path() / "back");
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().code, ErrorCode::kOutOfSpace) << done.error().message;
    EXPECT_TRUE(disk->empty());
}

TEST_F(DiskFull, ShardingSaysSo) {
    test::spill(world.folder / "x", test::some_bytes(kDiskBytes));
    const std::vector<std::filesystem::path> paths{disk->path() / "a", disk->path() / "b",
                                                   disk->path() / "c"};
    const auto made = shard_file(world.folder / "x", {2, 1}, paths);
    ASSERT_FALSE(made.has_value());
    EXPECT_EQ(made.error().code, ErrorCode::kOutOfSpace) << made.error().message;
    EXPECT_TRUE(disk->empty());
}

}  // namespace
}  // namespace holdfast
