// A disk that fills up while sealing, unsealing, repairing, sharding and recovering: a clear error,
// and nothing left behind.
#include "chunking/erasure.hpp"
#include "chunking/unseal.hpp"
#include "support/damaged_replica.hpp"
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

TEST_F(DiskFull, RecoveringSaysSo) {
    const Bytes data = test::some_bytes(3 * kDiskBytes);
    test::spill(world.folder / "y", data);
    const std::vector<std::filesystem::path> paths{world.folder / "a", world.folder / "b",
                                                   world.folder / "c"};
    const auto manifest = shard_file(world.folder / "y", {2, 1}, paths);
    ASSERT_TRUE(manifest.has_value());
    const auto shards =
        ShardSet::find(*manifest, std::vector<std::filesystem::path>{paths[1], paths[2]});
    ASSERT_TRUE(shards.has_value());
    for (const Status& done : {recover_file(*shards, disk->path() / "y"),
                               recover_shard(*shards, 0, disk->path() / "a")}) {
        ASSERT_FALSE(done.has_value());
        EXPECT_EQ(done.error().code, ErrorCode::kOutOfSpace) << done.error().message;
        EXPECT_TRUE(disk->empty());
    }
    ASSERT_TRUE(recover_file(*shards, world.folder / "again"));
    EXPECT_TRUE(test::slurp(world.folder / "again") == data);
}

/// A replica that was cut short does not fit any more: what is left of it stays as it is.
TEST_F(DiskFull, RepairSaysSoAndLosesNothing) {
    test::DamagedReplica replica(kDiskBytes + 5);
    const ReplicaFiles whole = replica.files();
    ReplicaFiles& files = replica.files();
    files.replica = disk->path() / "x.replica";
    files.tree = disk->path() / "x.tree";
    files.log = disk->path() / "x.scrub";
    const auto part = static_cast<std::ptrdiff_t>(kDiskBytes / 2);
    const Bytes left(replica.replica_bytes().begin(), replica.replica_bytes().begin() + part);
    const Bytes tree = test::slurp(whole.tree);
    test::spill(files.replica, left);
    test::spill(files.tree, tree);
    const auto repaired = replica.repaired();
    ASSERT_FALSE(repaired.has_value());
    EXPECT_EQ(repaired.error().code, ErrorCode::kOutOfSpace) << repaired.error().message;
    Bytes now = test::slurp(files.replica);
    ASSERT_GE(now.size(), left.size());
    now.resize(left.size());
    EXPECT_TRUE(now == left);
    EXPECT_TRUE(test::slurp(files.tree) == tree);

    // Where there is room it goes on from what is there, log and all.
    for (const auto& [from, to] : {std::pair{files.replica, whole.replica},
                                   {files.tree, whole.tree},
                                   {files.log, whole.log}}) {
        std::filesystem::remove(to);
        if (std::filesystem::exists(from)) std::filesystem::copy_file(from, to);
    }
    files = whole;
    const auto again = replica.repaired();
    ASSERT_TRUE(again.has_value()) << again.error().message;
    replica.expect_pristine();
}

/// Writes that begin to fail in the middle of the work, in a file whose size is right.
TEST(DiskFullLater, RepairGoesOnWhenThereIsRoomAgain) {
    test::DamagedReplica replica(40 * 16 * kChunkBytes);
    for (std::uint64_t window = 0; window < 40; ++window) replica.flip_chunk(window * 16 + 3);
    std::optional<test::FullDisk> full;
    RepairOptions options;
    options.workers = 1;
    options.progress = [&](RepairStage stage, std::uint64_t, std::uint64_t) {
        if (stage == RepairStage::kSealing && !full) full.emplace(1'000'000);
    };
    const auto source = replica.original();
    const auto stopped = repair(replica.files(), replica.network(), source.get(), options);
    full.reset();
    ASSERT_FALSE(stopped.has_value());
    EXPECT_EQ(stopped.error().code, ErrorCode::kOutOfSpace) << stopped.error().message;
    const auto again = replica.repaired();
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_LT(again->windows_filled, 40U);
    EXPECT_GT(again->windows_filled, 0U);
    replica.expect_pristine();
}

}  // namespace
}  // namespace holdfast
