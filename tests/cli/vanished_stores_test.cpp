// Files and folders of a node that have vanished: emptied by a crash of the machine, lost, or on a
// disk that is not mounted. No command begins without them.

#include "node_world.hpp"

namespace holdfast::test {
namespace {

namespace fs = std::filesystem;

class VanishedStores : public ::testing::Test {
  protected:
    VanishedStores() {
        world.good("chain new-block --count 4");
        world.good("ledger issue --key alice.key --amount 100");
        world.good("block process");
    }
    void expect_lost(const std::string& line, const std::string& named) const {
        const Ran ran = world.run(line);
        EXPECT_EQ(ran.code, kExitEnvironment) << ran;
        EXPECT_TRUE(ran.says(named)) << ran;
    }
    NodeWorld world;
};

TEST_F(VanishedStores, AnEmptiedOrMissingFileIsAnErrorOfEveryCommandThatOpensIt) {
    const struct {
        const char* file;
        const char* command;
    } cases[] = {
        {"ledger/data.mdb", "ledger show"},       {"ledger/data.mdb", "block process"},
        {"registry/data.mdb", "block process"},   {"registry/data.mdb", "registry stat"},
        {"settlement/data.mdb", "block process"}, {"settlement/data.mdb", "evidence cases"},
        {"vdf/clock.log", "block process"},       {"chain/chain.log", "chain status"},
        {"chain/network.params", "chain status"}, {"chain/network.params", "params node"},
    };
    for (const auto& c : cases) {
        const fs::path file = world / "node" / c.file;
        const Bytes whole = slurp(file);
        ASSERT_FALSE(whole.empty()) << file;
        spill(file, {});
        expect_lost(c.command, file.filename().string());
        EXPECT_EQ(fs::file_size(file), 0U) << c.file;
        fs::remove(file);
        expect_lost(c.command, file.filename().string());
        EXPECT_FALSE(fs::exists(file)) << c.file;
        spill(file, whole);
        world.good(c.command);
    }
}

TEST_F(VanishedStores, AFolderThatIsGoneOrNotMountedIsAnError) {
    for (const char* name : {"ledger", "registry", "settlement", "vdf"}) {
        const fs::path folder = world / "node" / name;
        fs::rename(folder, world / "away");
        expect_lost("block process", name);
        EXPECT_FALSE(fs::exists(folder)) << name;
        fs::create_directory(folder);
        expect_lost("block process", name);
        EXPECT_TRUE(fs::is_empty(folder)) << name;
        fs::remove(folder);
        fs::rename(world / "away", folder);
        world.good("block process");
    }
}

TEST_F(VanishedStores, AStoreBeginsWithoutWhatItHeldWhereItsMarkersAreRemoved) {
    fs::remove_all(world / "node/settlement");
    expect_lost("block process", "settlement.begun");
    fs::remove(world / "node/settlement.begun");
    world.good("block process");
}

TEST_F(VanishedStores, AMissingOperatorKeyIsNamedWithWhatToDo) {
    fs::rename(world / "node/operator.key", world / "away");
    const Ran ran = world.run("block process");
    EXPECT_EQ(ran.code, kExitEnvironment) << ran;
    EXPECT_TRUE(ran.says("operator.key")) << ran;
    EXPECT_TRUE(ran.says("restore it")) << ran;
    fs::rename(world / "away", world / "node/operator.key");
    world.good("block process");
}

TEST_F(VanishedStores, SettingsThatWereEmptiedAreNotTheDefaults) {
    spill(world / "node.toml", {});
    expect_lost("config check node.toml", "node.toml");
}

TEST_F(VanishedStores, AGenesisTimeThatLeavesNoRoomForBlocksIsRefused) {
    for (const char* time : {"18446744073709551615", "9223372036854775807", "1700000000000000"}) {
        const Ran ran = world.run(std::string("network init other --genesis-time-ms ") + time);
        EXPECT_EQ(ran.code, kExitUsage) << ran;
        EXPECT_FALSE(fs::exists(world / "other"));
    }
}

}  // namespace
}  // namespace holdfast::test
