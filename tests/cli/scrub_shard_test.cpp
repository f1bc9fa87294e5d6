// Damage found and repaired, and files cut into shards and put together again, as a user does it.
#include <sys/mount.h>

#include "node_world.hpp"

namespace holdfast::test {
namespace {

namespace fs = std::filesystem;

/// Changes one byte of a file in place.
void damage(const fs::path& file, std::size_t at) {
    Bytes bytes = slurp(file);
    ASSERT_LT(at, bytes.size());
    bytes[at] ^= 0x55;
    fs::remove(file);
    spill(file, bytes);
}

TEST(ScrubAndRepair, DamageIsNamedRepairedAndGone) {
    NodeWorld world;
    world.good("seal a --key alice.key --dir node --out a.replica");
    const Bytes replica = slurp(world / "a.replica");
    const Bytes tree = slurp(world / "a.tree");
    EXPECT_TRUE(world.good("scrub a.replica").says("clean"));

    damage(world / "a.replica", 4096 + 11 * 4096 + 7);
    const Ran found = world.run("scrub a.replica");
    EXPECT_EQ(found.code, kExitRefused) << found;
    EXPECT_TRUE(found.says("BAD: 1 chunk(s): 11")) << found;
    const Ran json = world.run("scrub a.replica --json");
    EXPECT_EQ(json.code, kExitRefused) << json;
    EXPECT_TRUE(json.json().is_object()) << json;

    // Another file is no source, and leaves the damage as it was.
    world.data("b", 300'000, 2);
    const Bytes damaged = slurp(world / "a.replica");
    EXPECT_NE(world.run("repair a.replica --source b").code, kExitOk);
    EXPECT_EQ(slurp(world / "a.replica"), damaged);
    expect_failure(world.run("repair a.replica --source missing"), kExitEnvironment, "missing");
    expect_failure(world.run("scrub missing.replica"), kExitEnvironment, "missing.replica");

    world.good("repair a.replica --source a");
    EXPECT_EQ(slurp(world / "a.replica"), replica);
    damage(world / "a.tree", 5'000);
    EXPECT_EQ(world.run("scrub a.replica").code, kExitRefused);
    world.good("repair a.replica --source a");
    EXPECT_EQ(slurp(world / "a.tree"), tree);
    EXPECT_TRUE(world.good("scrub a.replica").says("clean"));
}

TEST(Shards, AnyFourOfSixRestoreAndMend) {
    NodeWorld world;
    world.good("shard a --data 4 --parity 2 --out shards");
    const std::string manifest = " --manifest shards/a.manifest ";
    const Bytes first = slurp(world / "shards" / "a.shard-000");

    fs::remove(world / "shards" / "a.shard-000");
    damage(world / "shards" / "a.shard-004", 9);
    const Ran recovered = world.good("recover" + manifest + "shards -o again");
    EXPECT_TRUE(recovered.says("a.shard-004")) << "the lying shard is named" << recovered;
    EXPECT_EQ(slurp(world / "again"), slurp(world / "a"));
    world.good("repair-shard" + manifest + "--shard 0 shards -o zero");
    EXPECT_EQ(slurp(world / "zero"), first);

    fs::remove(world / "shards" / "a.shard-001");
    const auto before = names_below(world.path());
    const Ran few = world.run("recover" + manifest + "shards -o never");
    expect_failure(few, kExitEnvironment, "4 good shards are needed and 3 are there");
    EXPECT_EQ(names_below(world.path()), before);
    expect_failure(world.run("shard a --data 200 --parity 100 --out x"), kExitUsage, "255");
    expect_failure(world.run("shard missing --out x"), kExitEnvironment, "missing");
    EXPECT_EQ(names_below(world.path()), before);
}

TEST(Shards, AShardMendsTheReplicaOfAnother) {
    NodeWorld world;
    world.good("shard a --data 4 --parity 2 --out shards");
    fs::copy_file(world / "shards" / "a.shard-002", world / "two");
    world.good("seal two --key alice.key --dir node --out two.replica");
    const Bytes replica = slurp(world / "two.replica");
    fs::remove(world / "two");
    fs::remove(world / "shards" / "a.shard-002");
    damage(world / "two.replica", 4096 + 3 * 4096);
    std::string others;
    for (const int i : {0, 1, 3, 4, 5}) others += " shards/a.shard-00" + std::to_string(i);
    world.good("repair two.replica --manifest shards/a.manifest --shards" + others);
    EXPECT_EQ(slurp(world / "two.replica"), replica);
}

TEST(Shards, RenamedAndDamagedShardsInAFolderAreUsedAndNamed) {
    NodeWorld world;
    world.good("shard a --data 4 --parity 2 --out shards");
    const std::string recover = "recover --manifest shards/a.manifest shards -o ";
    const fs::path folder = world / "shards";
    fs::rename(folder / "a.shard-000", folder / "copy of zero.bin");
    fs::rename(folder / "a.shard-001", folder / "a.shard-001.old");
    damage(folder / "a.shard-002", 9);
    fs::rename(folder / "a.shard-002", folder / "two.bin");
    cut(folder / "a.shard-003", 100);
    fs::rename(folder / "a.shard-003", folder / "three.bin");
    const Ran recovered = world.good(recover + "again");
    EXPECT_EQ(slurp(world / "again"), slurp(world / "a"));
    EXPECT_TRUE(recovered.says("BAD: shards/two.bin")) << recovered;
    EXPECT_TRUE(recovered.says("passed over: shards/three.bin")) << recovered;
    const nlohmann::json json = world.json(recover + "json");
    EXPECT_EQ(json["good_shards"], nlohmann::json::parse("[0,1,4,5]"));
    EXPECT_EQ(json["passed_over"].size(), 1U) << json;

    fs::remove(folder / "a.shard-004");
    const Ran few = world.run(recover + "never");
    expect_failure(few, kExitEnvironment, "two.bin");
    EXPECT_TRUE(few.says("three.bin")) << few;
    EXPECT_FALSE(few.says("damaged: none")) << few;
}

TEST(ScrubAndRepair, ReadOnlyMountIsToldOfNoLog) {
    NodeWorld world;
    world.good("seal a --key alice.key --dir node --out a.replica");
    fs::create_directory(world / "mount");
    if (::mount((world / "").c_str(), (world / "mount").c_str(), nullptr, MS_BIND, nullptr) != 0) {
        GTEST_SKIP() << "mounting is not allowed here";
    }
    const int read_only = ::mount(nullptr, (world / "mount").c_str(), nullptr,
                                  MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr);
    EXPECT_EQ(read_only, 0);
    const Ran refused = world.run("scrub mount/a.replica");
    const Ran scrubbed = world.run("scrub mount/a.replica --no-log");
    ::umount2((world / "mount").c_str(), MNT_DETACH);
    expect_failure(refused, kExitEnvironment, "--no-log");
    EXPECT_EQ(scrubbed.code, kExitOk) << scrubbed;
    EXPECT_TRUE(scrubbed.says("clean")) << scrubbed;
}

}  // namespace
}  // namespace holdfast::test
