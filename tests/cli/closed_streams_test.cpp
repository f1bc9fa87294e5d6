// Commands and daemons that a supervisor starts with closed standard streams.

#include <sys/wait.h>

#include <csignal>
#include <cstdlib>

#include "node_world.hpp"

namespace holdfast::test {
namespace {

/// Runs a line in the world's folder with redirections of its own, by a shell.
int shell(const NodeWorld& world, const std::string& line, const std::string& redirections) {
    const std::string all = "cd '" + world.path().string() + "' && exec '" +
                            std::string(kCommandProgram) + "' " + line + " " + redirections;
    const int status = std::system(all.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

constexpr const char* kRedirections[] = {"<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"};

TEST(ClosedStreams, ANodeKeepsItsChainWhereItsOutputIsClosed) {
    const NodeWorld world;
    world.key("node.key", 9);
    const Bytes before = slurp(world / "node/chain/chain.log");
    for (const char* redirections : kRedirections) {
        // Until the first blocks have been made; the supervisor then stops it.
        const std::string line = std::string("exec timeout -s TERM 4 '") + kCommandProgram +
                                 "' node --dir node --key node.key --block-ms 300 --listen "
                                 "127.0.0.1:0 --monitor 127.0.0.1:0 --accept-anyone " +
                                 redirections;
        (void)std::system(("cd '" + world.path().string() + "' && " + line).c_str());
        const Ran show = world.run("chain status --json");
        EXPECT_EQ(show.code, kExitOk) << redirections << "\n" << show;
    }
    const Bytes after = slurp(world / "node/chain/chain.log");
    ASSERT_GT(after.size(), before.size());
    EXPECT_TRUE(std::equal(before.begin(), before.end(), after.begin()));
    EXPECT_EQ(slurp(world / "node/chain/chain.tip").size(), 16U);
    const std::string text(after.begin(), after.end());
    EXPECT_EQ(text.find("block"), std::string::npos);
    world.good("ledger show");
}

TEST(ClosedStreams, KeysReplicasAndBlocksAreWhatTheyAreWithOpenStreams) {
    const NodeWorld world;
    world.good("seal a --key alice.key --out open.replica");
    const Bytes sealed = slurp(world / "open.replica");
    int run = 0;
    for (const char* redirections : kRedirections) {
        const std::string n = std::to_string(run++);
        // What was asked for is done; that nobody could be told is the exit code.
        const bool is_told = (" " + std::string(redirections)).find(" >&-") == std::string::npos;
        const int done = is_told ? kExitOk : kExitEnvironment;
        EXPECT_EQ(shell(world, "keygen k" + n + ".key", redirections), done);
        EXPECT_EQ(world.run("inspect k" + n + ".key").code, kExitOk);
        EXPECT_EQ(slurp(world / ("k" + n + ".key")).size(), slurp(world / "alice.key").size());
        const std::string replica = "r" + n + ".replica";
        EXPECT_EQ(shell(world, "seal a --key alice.key --out " + replica, redirections), done);
        EXPECT_EQ(slurp(world / replica), sealed) << redirections;
        EXPECT_EQ(shell(world, "chain new-block --count 2", redirections), done);
        EXPECT_EQ(shell(world, "block process", redirections), done) << redirections;
        world.good("registry stat");
        world.good("ledger show");
    }
}

}  // namespace
}  // namespace holdfast::test
