// Help of every command, and the exit codes that README.md and --help promise.
#include "node_world.hpp"

namespace holdfast::test {
namespace {

/// The names listed under "Subcommands:" of a help text.
Words subcommands(const std::string& help) {
    Words names;
    std::istringstream lines(help.substr(std::min(help.find("Subcommands:"), help.size())));
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line) && line.starts_with("  "))
        names.push_back(words_of(line).at(0));
    return names;
}

/// Every command below `prefix` that does something itself.
void leaves(const TempFolder& folder, const Words& prefix, std::vector<Words>& out) {
    Words help = prefix;
    help.emplace_back("--help");
    const Ran ran = holdfast_command(folder.path(), help);
    EXPECT_EQ(ran.code, kExitOk) << ran;
    EXPECT_EQ(ran.err, "") << ran;
    EXPECT_TRUE(ran.says("Usage: holdfast")) << ran;
    const Words below = subcommands(ran.out);
    if (below.empty()) {
        out.push_back(prefix);
        EXPECT_NE(ran.out.find("Examples:\n  holdfast "), std::string::npos) << ran;
    }
    for (const std::string& name : below) {
        Words deeper = prefix;
        deeper.push_back(name);
        leaves(folder, deeper, out);
    }
}

TEST(Help, EveryCommandHasExamples) {
    TempFolder folder;
    std::vector<Words> commands;
    leaves(folder, {}, commands);
    std::vector<std::string> names;
    for (const Words& words : commands) {
        std::string name;
        for (const std::string& word : words) name += (name.empty() ? "" : " ") + word;
        names.push_back(name);
    }
    for (const char* wanted :
         {"network init", "keygen",   "params",          "chain new-block",   "seal",
          "unseal",       "register", "seal-proof make", "seal-proof verify", "block process",
          "prove",        "verify",   "path make",       "path verify",       "vdf eval",
          "vdf verify",   "select",   "inspect",         "vectors check",     "stats"}) {
        EXPECT_NE(std::find(names.begin(), names.end(), wanted), names.end()) << wanted;
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(ExitCodes, UsageIsTwo) {
    NodeWorld world;
    const auto before = names_below(world.path());
    const std::string hex_a(64, 'a');
    for (const std::string& line : {
             std::string(""),
             std::string("no-such-command"),
             std::string("seal"),
             std::string("seal a"),
             std::string("seal a --key alice.key --out a.sealed"),
             std::string("seal a --key alice.key --no-such-option"),
             std::string("seal a --key alice.key --preset nonsense"),
             std::string("seal a --key alice.key --nonce -1"),
             std::string("seal a --key alice.key --nonce 18446744073709551616"),
             std::string("seal a --key alice.key --nonce 1.5"),
             std::string("seal a --key alice.key --segment 1"),
             std::string("seal a --key alice.key --segment 18446744073709551615"),
             std::string("seal a --key alice.key --workers 4294967296"),
             std::string("seal a --key alice.key --workers -1"),
             std::string("chain new-block --count 99999999999999999999"),
             std::string("chain new-block --count 0"),
             std::string("chain new-block --count -1"),
             std::string("chain new-block --count 1000001"),
             std::string("chain new-block --count x"),
             std::string("chain new-block --time-ms 1"),
             std::string("ledger issue --key alice.key"),
             std::string("ledger issue --key alice.key --amount -5"),
             std::string("ledger issue --key alice.key --amount 18446744073709551616"),
             "select --entropy " + hex_a + " --chunks 18446744073709551616",
             "select --entropy " + hex_a + " --chunks 100 --count 0",
             "select --entropy " + hex_a + "a --chunks 100",
             "select --entropy " + hex_a.substr(1) + "g --chunks 100",
             std::string("path make --chain zz --height 1 --out p"),
             std::string("prove a.replica --key alice.key --height -1 --out p"),
             std::string("prove a.replica --key alice.key --height 1 --format best --out p"),
             std::string("prove a.replica --key alice.key --height 1 --links 2 --out p"),
             std::string(
                 "prove a.replica --key alice.key --height 1 --format window --links 6 --out p"),
             std::string("block process --replica a.replica"),
             std::string("register a.replica --key alice.key --retention forever"),
             std::string("vdf verify x --public public --spot 1 --segment 1"),
         }) {
        const Ran ran = world.run(line);
        EXPECT_EQ(ran.signal, 0) << ran;
        EXPECT_EQ(ran.code, kExitUsage) << ran;
        EXPECT_FALSE(ran.err.empty()) << ran;
    }
    EXPECT_EQ(names_below(world.path()), before);
}

// Each setting breaks one bound of spec section 1, or is no number of its field.
TEST(ExitCodes, ParametersOutOfBounds) {
    TempFolder folder;
    const std::string long_name(65, 'n');
    for (const std::string& options : {
             std::string("--set block_ms=0"),
             std::string("--set block_ms=4294967296"),
             std::string("--set block_ms=-1"),
             std::string("--set block_ms="),
             std::string("--set block_ms=1x"),
             std::string("--set block_ms"),
             std::string("--set no_such=1"),
             std::string("--set vdf.arena_kib=3"),
             std::string("--set vdf.arena_kib=16"),
             std::string("--set vdf.arena_kib=8388608"),
             std::string("--set vdf.lanes=0"),
             std::string("--set vdf.lanes=3"),
             std::string("--set vdf.passes=0"),
             std::string("--set vdf.passes=65"),
             std::string("--set vdf.checkpoints=0"),
             std::string("--set vdf.checkpoints=65537"),
             std::string("--set vdf.steps_per_checkpoint=0"),
             std::string("--set vdf.steps_per_checkpoint=18446744073709551615"),
             std::string("--set vdf.steps_per_checkpoint=18446744073709551616"),
             std::string("--set epoch_lag=6"),
             std::string("--set epoch_lag=257"),
             std::string("--set epoch_blocks=7"),
             std::string("--set link_lag=4294967295"),
             std::string("--set seal_delay=4"),
             std::string("--set finality_blocks=4294967295"),
             std::string("--set proof_deadline=5"),
             std::string("--set availability_n=11"),
             std::string("--set availability_d=0"),
             std::string("--set availability_chunks=0"),
             std::string("--set quorum=10"),
             std::string("--set min_chunks=15"),
             std::string("--set min_chunks=1048577"),
             std::string("--set group_slots=0"),
             std::string("--set region_groups=0"),
             std::string("--set checkpoint_blocks=0"),
             std::string("--set seal_windows=0"),
             std::string("--set audit_windows=0"),
             std::string("--set seal_cells=0"),
             std::string("--set beacon_period_s=1"),
             std::string("--beacon --set beacon_period_s=0"),
             std::string("--preset 15:8192"),
             std::string("--preset 256:8191"),
             std::string("--preset 1048577:34359738368"),
             std::string("--preset 256:17179869185"),
             std::string("--preset 99999999999999999999:1"),
             std::string("--genesis-height 18446744073709551616"),
             std::string("--genesis-height -1"),
             std::string("--genesis-time-ms -1"),
             "--name " + long_name,
         }) {
        const Ran ran = holdfast_command(folder.path(), words_of("network init node " + options));
        EXPECT_EQ(ran.signal, 0) << ran;
        EXPECT_EQ(ran.code, kExitUsage) << ran;
        EXPECT_FALSE(ran.err.empty()) << ran;
        EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << options;
        std::filesystem::remove_all(folder / "node");
    }
}

TEST(ExitCodes, EnvironmentIsThree) {
    NodeWorld world;
    const auto before = names_below(world.path());
    expect_failure(world.run("stats --dir nowhere"), kExitEnvironment, "network init nowhere");
    expect_failure(world.run("network init node"), kExitEnvironment, "node");
    expect_failure(world.run("keygen alice.key"), kExitEnvironment, "alice.key");
    expect_failure(world.run("seal a --key bob.key"), kExitEnvironment, "bob.key");
    expect_failure(world.run("seal b --key alice.key"), kExitEnvironment, "b");
    expect_failure(world.run("unseal a.replica --out b"), kExitEnvironment, "a.replica");
    expect_failure(world.run("verify x --public public"), kExitEnvironment, "public");
    // With --json the same error is an object on standard output.
    const Ran ran = world.run("seal b --key alice.key --json");
    EXPECT_EQ(ran.code, kExitEnvironment);
    EXPECT_EQ(ran.json()["error"]["code"], "not-found") << ran;
    EXPECT_EQ(names_below(world.path()), before);
}

}  // namespace
}  // namespace holdfast::test
