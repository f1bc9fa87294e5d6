// Commands beside a running node, and where nothing may be written: what reads goes on, what writes
// is asked of the node, what cannot be says why and leaves no trace.

#include <gtest/gtest.h>

#include <cstdlib>

#include "node_world.hpp"

namespace holdfast::test {
namespace {

using Json = nlohmann::json;

class BesideNode : public ::testing::Test {
  protected:
    void SetUp() override {
        world.live({{"a", "alice.key"}});
        host = world.json("keygen host.key")["public_key"];
        alice = to_hex(KeyPair::from_secret(Bytes(32, 1)).public_key());
    }
    void start() {
        node = std::make_unique<Command>(
            world.path(), words_of("node --dir node --key host.key --accept-anyone --listen "
                                   "127.0.0.1:0 --block-ms 300 --log-file node.log --json"));
        const Json said = Json::parse(node->first_line(), nullptr, false);
        ASSERT_TRUE(said.is_object() && said.value("event", "") == "ready") << node->wait();
    }
    void stop() {
        node->send(SIGTERM);
        const Ran ran = node->wait();
        EXPECT_EQ(ran.code, kExitOk) << ran;
    }
    /// Whether it holds within a minute.
    template <class Condition>
    static bool soon(const Condition& condition) {
        for (int i = 0; i < 300; ++i) {
            if (condition()) return true;
            ::usleep(200'000);
        }
        return false;
    }

    NodeWorld world;
    std::unique_ptr<Command> node;
    std::string host;
    std::string alice;
};

/// Everything that only reads; files go to folders of the name given.
std::vector<std::string> readings(const NodeWorld& world, const std::string& out) {
    const std::string height = std::to_string(world.compact_height());
    return {
        "stats",
        "chain status",
        "ledger show",
        "evidence cases",
        "registry stat",
        "registry export --out " + out + ".chains",
        "registry journal --out " + out + ".journal",
        "public export --out " + out + ".public",
        "path make --chain " + world.chain() + " --height " + height + " --out " + out + ".path",
        "prove a.replica --key alice.key --height " + height + " --format compact --out " + out +
            ".compact",
        "vdf status",
        "vdf eval --dir node --height " + height + " --out " + out + ".vdfproof"};
}

TEST_F(BesideNode, WhatReadsGoesOnWhileTheNodeRuns) {
    start();
    for (const std::string& line : readings(world, "beside")) world.good(line);
    // A path and a proof are the same whoever makes them.
    stop();
    for (const std::string& line : readings(world, "alone")) world.good(line);
    for (const char* kind : {".path", ".compact"}) {
        EXPECT_EQ(slurp(world / ("beside" + std::string(kind))),
                  slurp(world / ("alone" + std::string(kind))))
            << kind;
    }
    const Ran verified =
        world.good("verify beside.compact --public beside.public --chain " + world.chain());
    EXPECT_TRUE(verified.says("accepted")) << verified;
}

TEST_F(BesideNode, ASealProofIsMadeWhereOneIsDueOrSaysThatNoneIs) {
    start();
    const Ran ran = world.run("seal-proof make a.replica --key alice.key --out x.proof");
    EXPECT_TRUE(ran.code == kExitOk || ran.says("no seal proof or audit") ||
                ran.says("not known yet"))
        << ran;
}

TEST_F(BesideNode, WhatWritesIsAskedOfTheNode) {
    start();
    world.good("ledger fund --amount 7");
    EXPECT_EQ(world.json("ledger issue --key " + alice + " --amount 50")["issued"], 50);
    const Json bond = world.json("ledger bond --owner alice.key --amount 30 --purpose challenger");
    EXPECT_EQ(bond["purpose"], "challenger");
    const std::string id = bond["bond_id"];
    const Json shown = world.json("ledger show --account alice.key --bond " + id);
    EXPECT_EQ(shown["balances"][alice], 20);
    EXPECT_EQ(shown["bonds"][id]["held"], 30);
    expect_failure(world.run("ledger bond --owner alice.key --amount 21"), kExitEnvironment,
                   "give the key units first");
    world.data("b", 300'000, 2);
    const std::string chain = world.enlist("b", "alice.key");
    EXPECT_TRUE(soon([&] { return world.good("stats").says(chain); }))
        << "the node has not listed the registration";
    EXPECT_TRUE(soon([&] {
        return world.run("seal-proof make b.replica --key alice.key --out b.proof --submit").code ==
               kExitOk;
    }));
    world.good("update a.replica --key alice.key --no-commitment");
    world.good("remove b.replica --key alice.key");
    world.good("evidence settle");
    stop();
    EXPECT_EQ(world.json("ledger show --bond " + id)["bonds"][id]["held"], 30);
}

TEST_F(BesideNode, WhatCannotBeDoneBesideItSaysWhy) {
    start();
    expect_failure(world.run("chain new-block"), kExitEnvironment, "a node runs on node");
    expect_failure(world.run("block process"), kExitEnvironment, "a node runs on node");
}

TEST_F(BesideNode, AfterKill9TheSocketOfTheDeadNodeIsNoNode) {
    start();
    node->send(SIGKILL);
    EXPECT_EQ(node->wait().signal, SIGKILL);
    EXPECT_TRUE(std::filesystem::exists(world / "node/control.sock"));
    world.good("ledger fund --amount 7");  // here, since nobody runs
    start();
    EXPECT_EQ(world.json("ledger fund --amount 7")["in_pool"], 14);
    stop();
    EXPECT_FALSE(std::filesystem::exists(world / "node/control.sock"));
}

/// Runs a command in a mount namespace in which the node's folder cannot be written.
Ran read_only(const NodeWorld& world, const std::string& line) {
    const TempFolder own;
    const std::string script = "mount --bind node node && mount -o remount,bind,ro node && exec " +
                               std::string(kCommandProgram) + " " + line;
    const std::string all = "cd " + world.path().string() + " && unshare -m sh -c '" + script +
                            "' >" + (own / "out").string() + " 2>" + (own / "err").string();
    Ran ran;
    ran.command = line;
    const int status = std::system(all.c_str());
    ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    const Bytes out = slurp(own / "out");
    const Bytes err = slurp(own / "err");
    ran.out.assign(out.begin(), out.end());
    ran.err.assign(err.begin(), err.end());
    return ran;
}

TEST_F(BesideNode, WhatReadsWorksOnAReadOnlyMountAndLeavesNoTrace) {
    if (std::system("unshare -m true 2>/dev/null") != 0) GTEST_SKIP() << "mounts are not allowed";
    world.good("evidence settle");  // that there is a settlement ledger to read
    const auto before = names_below(world / "node");
    for (const std::string& line : readings(world, "mounted")) {
        const Ran ran = read_only(world, line);
        EXPECT_EQ(ran.code, kExitOk) << ran;
    }
    EXPECT_EQ(names_below(world / "node"), before);
    const Ran refused = read_only(world, "ledger fund --amount 7");
    EXPECT_EQ(refused.code, kExitEnvironment) << refused;
}

TEST_F(BesideNode, OnAReadOnlyMountOfARunningNodeReadingSaysWhatHoldsIt) {
    if (std::system("unshare -m true 2>/dev/null") != 0) GTEST_SKIP() << "mounts are not allowed";
    start();
    // The registry cannot be read beside its writer without telling it what is read.
    const Ran ran = read_only(world, "stats");
    EXPECT_EQ(ran.code, kExitEnvironment) << ran;
    EXPECT_TRUE(ran.says("held by a process that writes")) << ran;
    // What the node can be asked for comes from it.
    const Ran asked = read_only(world, "ledger show");
    EXPECT_EQ(asked.code, kExitOk) << asked;
}

TEST_F(BesideNode, AnotherUserReadsAFolderThatNobodyRuns) {
    if (::geteuid() != 0 || std::system("setpriv --reuid 65534 true 2>/dev/null") != 0) {
        GTEST_SKIP() << "needs root";
    }
    std::filesystem::permissions(world.path(), std::filesystem::perms(0755));
    std::filesystem::create_directory(world / "theirs");
    std::filesystem::permissions(world / "theirs", std::filesystem::perms(0777));
    const auto before = names_below(world / "node");
    for (const std::string line : {"stats", "ledger show", "registry stat", "evidence cases",
                                   "vdf status", "public export --out theirs/public"}) {
        const std::string all = "cd " + world.path().string() +
                                " && setpriv --reuid 65534 --regid 65534 --clear-groups " +
                                std::string(kCommandProgram) + " " + line +
                                " >theirs.out 2>theirs.err";
        const int status = std::system(all.c_str());
        const Bytes err = slurp(world / "theirs.err");
        EXPECT_EQ(status, 0) << line << "\n" << std::string(err.begin(), err.end());
    }
    EXPECT_EQ(names_below(world / "node"), before);
}

}  // namespace
}  // namespace holdfast::test
