// block process --set: many replicas of one key through a node, beside the same chains driven one
// by one; what is not taken in, what goes wrong with one of them, and wrong arguments.
#include "node_world.hpp"

namespace holdfast::test {
namespace {

constexpr std::size_t kMembers = 4;

std::string member(std::size_t i) { return "fleet/m" + std::to_string(i); }

/// A node with the replicas of a fleet registered, ready for the blocks in which they live.
void enlist_fleet(NodeWorld& world) {
    std::filesystem::create_directory(world / "fleet");
    world.good("chain new-block --count 4");
    for (std::size_t i = 0; i < kMembers; ++i) {
        world.data(member(i), 70'000 + 30'000 * i, static_cast<std::uint32_t>(i + 1));
        (void)world.enlist(member(i), "alice.key");
    }
    world.good("chain new-block --count 24");
}

std::uint64_t sum_of(const nlohmann::json& ran, const char* what) {
    std::uint64_t sum = 0;
    for (const auto& block : ran["blocks"]) {
        for (const auto& set : block.value("sets", nlohmann::json::array())) {
            sum += set[what].get<std::uint64_t>();
        }
    }
    return sum;
}

std::map<std::string, Bytes> files_in(const std::filesystem::path& folder) {
    std::map<std::string, Bytes> out;
    for (const auto& e : std::filesystem::directory_iterator(folder)) {
        out[e.path().filename().string()] = slurp(e.path());
    }
    return out;
}

TEST(BlockSet, GivesTheProofsAndDigestsOfProversOneByOne) {
    NodeWorld world;
    enlist_fleet(world);
    std::filesystem::copy(world.path(), world.path().string() + ".one",
                          std::filesystem::copy_options::recursive);
    const auto set =
        world.json("block process --set fleet --set-key alice.key --proofs proofs --threads 2");
    EXPECT_GE(sum_of(set, "seal_proofs"), kMembers) << "audits come on top";
    EXPECT_GT(sum_of(set, "links"), kMembers);
    EXPECT_EQ(sum_of(set, "links"), sum_of(set, "links_due"));
    EXPECT_EQ(sum_of(set, "faults"), 0U);
    EXPECT_EQ(set["behind"], 0);
    EXPECT_GT(set["blocks"].back()["forecast"]["capacity"], kMembers);
    EXPECT_EQ(world.json("registry stat")["active"], kMembers);

    // The same node with a prover for each replica.
    const TempFolder elsewhere;
    std::filesystem::rename(world.path().string() + ".one", elsewhere / "w");
    std::string line = "block process --proofs proofs";
    for (std::size_t i = 0; i < kMembers; ++i) {
        line += " --replica " + member(i) + ".replica --key alice.key";
    }
    const Ran ran = holdfast_command(elsewhere / "w", words_of(line));
    ASSERT_EQ(ran.code, kExitOk) << ran;
    // Of the same chains and heights: a set hands over short proofs, one prover those that stand
    // alone.
    const auto of_set = files_in(world / "proofs");
    std::set<std::string> as_short;
    for (const auto& [name, bytes] : files_in(elsewhere / "w" / "proofs")) {
        as_short.insert(name.substr(0, name.find('.')) + ".short-" +
                        name.substr(name.find('.') + 1));
    }
    std::set<std::string> names;
    for (const auto& [name, bytes] : of_set) names.insert(name);
    EXPECT_EQ(names, as_short);
    EXPECT_FALSE(names.empty());
    for (const std::string& name : names) {
        world.good("inspect proofs/" + name);
    }
    const Ran stat = holdfast_command(elsewhere / "w", words_of("registry stat --json"));
    EXPECT_EQ(stat.json()["global"], world.json("registry stat")["global"]);
}

TEST(BlockSet, TroubleWithOneIsToldAndTheOthersGoOn) {
    NodeWorld world;
    world.key("bob.key", 2);
    enlist_fleet(world);
    world.data("fleet/stranger", 70'000, 99);
    world.good("seal fleet/stranger --key bob.key --out fleet/stranger.replica");
    const std::string line = "block process --set fleet --set-key alice.key";
    const Ran taken = world.run(line + " --limit 16 --json");
    EXPECT_EQ(taken.code, kExitEnvironment) << taken;
    ASSERT_EQ(taken.json()["set_faults"].size(), 1U) << "sealed for another key";
    EXPECT_GE(sum_of(taken.json(), "seal_proofs"), kMembers);
    std::filesystem::remove(world / "fleet/stranger.replica");

    // One replica is damaged between two runs: a fault of its own in every block, until it is
    // repaired.
    const std::filesystem::path victim = world / (member(1) + ".replica");
    const Bytes whole = slurp(victim);
    constexpr std::size_t kHeader = 4'096;
    patch(victim, victim, kHeader, garbage(whole.size() - kHeader));
    const Ran damaged = world.run(line + " --limit 2 --json");
    EXPECT_EQ(damaged.code, kExitEnvironment) << damaged;
    EXPECT_EQ(sum_of(damaged.json(), "links_due"), 2 * kMembers + 1) << "one is tried again";
    EXPECT_EQ(sum_of(damaged.json(), "links"), 2 * (kMembers - 1));
    ASSERT_FALSE(damaged.json()["blocks"][0]["faults"].empty());
    const std::string told = damaged.json()["blocks"][0]["faults"][0]["message"];
    EXPECT_NE(told.find("fleet/m1."), std::string::npos) << told;

    // Cut short it is not even taken in.
    cut(victim, 2 * kHeader);
    const Ran short_one = world.run(line + " --limit 1 --json");
    EXPECT_EQ(short_one.code, kExitEnvironment) << short_one;
    ASSERT_EQ(short_one.json()["set_faults"].size(), 1U);
    EXPECT_EQ(sum_of(short_one.json(), "links"), kMembers - 1);
    spill(victim, whole);
    EXPECT_EQ(sum_of(world.json(line + " --limit 1"), "links"), kMembers);
}

TEST(BlockSet, ReplicasThatTheRegistryKnowsAndNobodyBringsAreAnError) {
    namespace fs = std::filesystem;
    NodeWorld world;
    enlist_fleet(world);
    const std::string set = "block process --set fleet --set-key alice.key";
    world.good(set + " --limit 16");

    // The disk of the set is not mounted: nothing is made in the mount point, no block goes by.
    fs::rename(world / "fleet", world / "away");
    fs::create_directory(world / "fleet");
    const auto tip = world.json("registry stat")["tip"];
    const Ran empty = world.run(set);
    expect_failure(empty, kExitEnvironment, "mounted");
    EXPECT_TRUE(fs::is_empty(world / "fleet"));
    EXPECT_EQ(world.json("registry stat")["tip"], tip);
    fs::remove(world / "fleet");
    expect_failure(world.run(set), kExitEnvironment, "fleet");
    EXPECT_FALSE(fs::exists(world / "fleet"));
    fs::rename(world / "away", world / "fleet");

    // One replica of several, in a folder and in a list.
    for (const char* suffix : {".replica", ".tree"}) {
        fs::rename(world / (member(2) + suffix), world / (std::string("kept") + suffix));
    }
    expect_failure(world.run(set), kExitEnvironment, "--allow-missing");
    fs::rename(world / "fleet/links", world / "links");
    fs::rename(world / "fleet/links.begun", world / "links.begun");
    expect_failure(world.run("block process --replica " + member(0) + ".replica --key alice.key"),
                   kExitEnvironment, "--allow-missing");
    expect_failure(world.run(set), kExitEnvironment, "--allow-missing");
    EXPECT_FALSE(fs::exists(world / "fleet/links")) << "made before the set was known to be whole";
    fs::rename(world / "links", world / "fleet/links");
    fs::rename(world / "links.begun", world / "fleet/links.begun");
    EXPECT_EQ(world.json("registry stat")["tip"], tip);
    const auto told = world.json(set + " --limit 1 --allow-missing");
    EXPECT_EQ(told["missing"].size(), 1U);
    EXPECT_EQ(sum_of(told, "links"), kMembers - 1);
    for (const char* suffix : {".replica", ".tree"}) {
        fs::rename(world / (std::string("kept") + suffix), world / (member(2) + suffix));
    }
    EXPECT_EQ(sum_of(world.json(set + " --limit 1"), "links"), kMembers);
}

TEST(BlockInputs, OneReplicaThatIsGoneDoesNotKeepTheOthersFromTheirLinks) {
    namespace fs = std::filesystem;
    NodeWorld world;
    world.key("bob.key", 2);
    world.data("b", 200'000, 2);
    world.live({{"a", "alice.key"}, {"b", "bob.key"}});
    world.good("chain new-block --count 6");
    fs::rename(world / "b.replica", world / "away");
    const Ran ran = world.run(
        "block process --replica b.replica --key bob.key --replica a.replica --key alice.key "
        "--limit 2 --json");
    EXPECT_EQ(ran.code, kExitEnvironment) << ran;
    ASSERT_EQ(ran.json()["input_faults"].size(), 1U) << ran;
    EXPECT_EQ(ran.json()["input_faults"][0]["input"], "b.replica");
    EXPECT_EQ(ran.json()["blocks"].size(), 2U);
    EXPECT_FALSE(ran.json()["blocks"][0]["receipts"].empty()) << ran;
    // With nothing that works there is nothing to do.
    const Ran none = world.run("block process --replica b.replica --key bob.key");
    expect_failure(none, kExitEnvironment, "b.replica");
    fs::rename(world / "away", world / "b.replica");
    world.good(
        "block process --replica b.replica --key bob.key --replica a.replica --key alice.key");
}

TEST(BlockSet, WrongArgumentsAreRefused) {
    NodeWorld world;
    std::filesystem::create_directory(world / "fleet");
    expect_failure(world.run("block process --set fleet"), kExitUsage, "--set-key");
    expect_failure(world.run("block process --set fleet --set-key alice.key --reader fast"),
                   kExitUsage, "--reader");
    expect_failure(world.run("block process --set nowhere --set-key alice.key"), kExitEnvironment,
                   "nowhere");
    expect_failure(world.run("block process --set fleet --set-key missing.key"), kExitEnvironment,
                   "missing.key");
}

}  // namespace
}  // namespace holdfast::test
