// registry and aggregate through the command: copies while a node stands, digests computed again,
// merging, and what is refused.
#include "node_world.hpp"

namespace holdfast::test {
namespace {

TEST(RegistryCommands, StatBackupRestoreExportAggregateMerge) {
    NodeWorld world;
    expect_failure(world.run("registry stat"), kExitEnvironment, "holds no registry");
    world.live({{"a", "alice.key"}});
    const auto stat = world.json("registry stat");
    EXPECT_EQ(stat["totalChains"], 1);
    EXPECT_EQ(stat["active"], 1);
    EXPECT_EQ(stat["registrations"], 1);
    EXPECT_EQ(stat["groups"], 1);
    EXPECT_EQ(stat["misses"][0]["chains"], 1);

    EXPECT_EQ(world.json("registry backup --out backup")["totalChains"], 1);
    expect_failure(world.run("registry backup --out backup"), kExitEnvironment, "exists already");
    EXPECT_EQ(world.json("registry stat --dir backup")["global"], stat["global"]);
    expect_failure(world.run("registry restore backup"), kExitEnvironment, "--force");
    EXPECT_EQ(world.json("registry restore backup --force")["closed"], stat["closed"]);
    EXPECT_EQ(world.json("registry stat")["global"], stat["global"]);

    const auto checked = world.json("aggregate --check --groups");
    EXPECT_EQ(checked["global"], stat["global"]);
    EXPECT_TRUE(checked["accepted"]);
    EXPECT_EQ(checked["regions"][0]["group_digests"][0]["slots"], 1);
    EXPECT_EQ(world.json("registry export --out all.json")["leaves"], 1);
    EXPECT_EQ(world.json("registry export")["chains"].size(), 1U);
    for (const char* threads : {"1", "16"}) {
        const auto again =
            world.json(std::string("aggregate --leaves all.json --check --threads ") + threads);
        EXPECT_EQ(again["global"], stat["global"]);
    }
    EXPECT_EQ(world.json("registry merge node backup all.json --out m.json")["global"],
              stat["global"]);
    EXPECT_EQ(world.json("registry merge m.json --out n.json")["global"], stat["global"]);
    EXPECT_EQ(slurp(world / "m.json"), slurp(world / "n.json"));
}

TEST(RegistryCommands, BadDocumentsAndOtherNetworksAreRefused) {
    NodeWorld world;
    world.live({{"a", "alice.key"}});
    world.good("registry export --out all.json");
    nlohmann::json document = nlohmann::json::parse(slurp(world / "all.json"));
    const auto refused = [&](const nlohmann::json& changed, const std::string& words) {
        const std::string text = changed.dump();
        spill(world / "bad.json", Bytes(text.begin(), text.end()));
        expect_failure(world.run("aggregate --leaves bad.json"), kExitRefused, words);
    };
    nlohmann::json changed = document;
    changed["leaves"].push_back(changed["leaves"][0]);
    refused(changed, "does not ascend");
    changed = document;
    changed["leaves"][0]["slot"] = 1ULL << 60;
    refused(changed, "out of range");
    changed = document;
    changed["leaves"][0]["status"] = "asleep";
    refused(changed, "status");
    changed = document;
    changed["network_id"] = std::string(64, '0');
    refused(changed, "network_id");
    refused(nlohmann::json::array(), "not a document of leaves");
    // A leaf that is not the one that the digest was made of.
    changed = document;
    changed["leaves"][0]["link_height"] = 1;
    const std::string text = changed.dump();
    spill(world / "bad.json", Bytes(text.begin(), text.end()));
    EXPECT_EQ(world.run("aggregate --leaves bad.json --check").code, kExitRefused);
    spill(world / "bad.json", garbage(5'000));
    expect_failure(world.run("registry merge node bad.json --out c"), kExitRefused, "not JSON");
    EXPECT_FALSE(std::filesystem::exists(world / "c"));
}

}  // namespace
}  // namespace holdfast::test
