// One history through the command: the journal in a file, a registry made again from it, or from a
// state on, and what is refused.
#include "node_world.hpp"

namespace holdfast::test {
namespace {

class RegistryHistory : public ::testing::Test {
  protected:
    RegistryHistory() : world("history --set checkpoint_blocks=4") {
        world.live({{"a", "alice.key"}});
        journal = world.json("registry journal --out node.journal");
        state = world.json("registry state --out node.state");
    }
    [[nodiscard]] std::string behind() const { return state["height"].dump(); }
    /// Nothing of a refused import or write is left in the folder.
    void expect_nothing_left() const {
        for (const auto& at : std::filesystem::directory_iterator(world.path())) {
            EXPECT_EQ(at.path().filename().string().find("partial"), std::string::npos)
                << at.path();
        }
    }
    NodeWorld world;
    nlohmann::json journal;
    nlohmann::json state;
};

TEST_F(RegistryHistory, WhoReplaysAndWhoBeginsWithAStateAgreeWithTheNode) {
    EXPECT_GT(journal["heads"], 10);
    EXPECT_TRUE(state["signed"]);
    const auto replayed =
        world.json("registry replay --chain node --journal node.journal --out again");
    EXPECT_EQ(replayed["entries"], journal["entries"]);
    EXPECT_EQ(replayed["root"], journal["root"]);
    EXPECT_EQ(replayed["heads"], journal["heads"]);
    EXPECT_EQ(replayed["seal_proofs"], replayed["fills"]);
    // Again: everything is known.
    EXPECT_EQ(
        world.json("registry replay --chain node --journal node.journal --out again")["known"],
        journal["entries"]);

    const auto later = world.json("registry journal --behind " + behind() + " --out later.journal");
    EXPECT_GT(later["heads"], 1);
    const auto imported = world.json(
        "registry import --state node.state --journal later.journal --chain node --out late");
    EXPECT_EQ(imported["state"], replayed["state"]);
    EXPECT_EQ(imported["root"], replayed["root"]);
    EXPECT_EQ(imported["totalChains"], 1);
    // Step by step, and with the whole journal.
    EXPECT_EQ(world.json("registry import --state node.state --chain node --out steps")["state"],
              state["state"]);
    const auto stepped =
        world.json("registry replay --chain node --journal node.journal --out steps");
    EXPECT_EQ(stepped["passed"], state["entries"]);
    EXPECT_EQ(stepped["state"], replayed["state"]);

    const auto verified = world.json("registry verify");
    EXPECT_EQ(verified["heads"], journal["heads"]);
    EXPECT_EQ(verified["entries"], journal["entries"]);
    EXPECT_EQ(world.json("registry verify --dir late --chain node")["behind"], state["height"]);
}

TEST_F(RegistryHistory, AShareOfTheFillsIsDrawnFromASeedThatTheResultNames) {
    const auto none =
        world.json("registry replay --chain node --journal node.journal --out none --fills 0");
    EXPECT_GT(none["seal_proofs"], 0);
    EXPECT_EQ(none["fills"], 0);
    EXPECT_EQ(none["filled"], nlohmann::json::array());
    const auto some =
        world.json("registry replay --chain node --journal node.journal --out some --fills 0.5");
    const std::string seed = some["seed"];
    const auto same = world.json(
        "registry replay --chain node --journal node.journal --out same "
        "--fills 0.5 --seed " +
        seed);
    EXPECT_EQ(some["filled"], same["filled"]);
    EXPECT_EQ(some["state"], none["state"]);
    for (const char* wrong : {"--fills 1.5", "--fills -1", "--fills half"}) {
        EXPECT_EQ(world.run(std::string("registry verify ") + wrong).code, kExitUsage) << wrong;
    }
    EXPECT_EQ(world.run("registry verify --fills 0.5 --seed 12").code, kExitUsage);
}

TEST_F(RegistryHistory, WhatIsWrongIsRefusedByNameAndNothingIsLeft) {
    world.good("network init other --name other --set checkpoint_blocks=4" +
               std::string(NodeWorld::kFast));
    const std::string import = "registry import --chain node --out taken --state ";
    expect_failure(world.run("registry journal --out node.journal"), kExitEnvironment,
                   "exists already");
    expect_failure(world.run("registry state --out node.state"), kExitEnvironment,
                   "exists already");
    expect_failure(world.run("registry state --height 3 --out x"), kExitEnvironment, "there is:");
    expect_failure(world.run("registry journal --behind 9999 --out x"), kExitEnvironment,
                   "has no head");
    expect_failure(world.run("registry journal --dir nowhere --out x"), kExitEnvironment,
                   "holds no registry");
    expect_failure(world.run("registry replay --chain other --journal node.journal --out x"),
                   kExitRefused, "network");
    expect_failure(world.run("registry replay --chain node --journal node.state --out x2"),
                   kExitRefused, "");
    expect_failure(world.run("registry replay --chain node --journal missing --out x3"),
                   kExitEnvironment, "missing");
    expect_failure(world.run("registry import --chain other --out taken --state node.state"),
                   kExitRefused, "");
    expect_failure(world.run(import + "missing"), kExitEnvironment, "missing");
    expect_failure(world.run(import + "node.journal"), kExitRefused, "");
    expect_failure(world.run("registry import --state node.state --chain node --out again/there"),
                   kExitEnvironment, "");
    const Bytes good_state = slurp(world / "node.state");
    for (const std::size_t at : {std::size_t{0}, std::size_t{20}, std::size_t{150},
                                 std::size_t{270}, good_state.size() / 2, good_state.size() - 1}) {
        patch(world / "node.state", world / "bad.state", at,
              {static_cast<std::uint8_t>(good_state[at] ^ 1)});
        const Ran ran = world.run(import + "bad.state");
        EXPECT_EQ(ran.code, kExitRefused) << at << ran;
        EXPECT_FALSE(std::filesystem::exists(world / "taken")) << at;
    }
    const Bytes good_journal = slurp(world / "node.journal");
    const std::size_t middle = good_journal.size() / 2;
    patch(world / "node.journal", world / "bad.journal", middle,
          {static_cast<std::uint8_t>(good_journal[middle] ^ 1)});
    expect_failure(world.run("registry replay --chain node --journal bad.journal --out half"),
                   kExitEnvironment, "damaged, cut or reordered behind entry");
    world.good("registry replay --chain node --journal node.journal --out half");
    for (const char* name : {"x", "x2", "x3", "taken"}) {
        EXPECT_FALSE(std::filesystem::exists(world / name)) << name;
    }
    expect_nothing_left();
}

TEST_F(RegistryHistory, AStateWithoutASignatureNeedsTheHeadThatAJournalHolds) {
    // A replica has no key: its copy of the state is not signed.
    world.good("registry replay --chain node --journal node.journal --out replica");
    const auto bare = world.json("registry state --dir replica --out bare.state");
    EXPECT_FALSE(bare["signed"]);
    expect_failure(world.run("registry import --state bare.state --chain node --out late"),
                   kExitRefused, "is not signed");
    EXPECT_EQ(world.json("registry import --state bare.state --journal node.journal --chain node "
                         "--out late")["root"],
              journal["root"]);
}

}  // namespace
}  // namespace holdfast::test
