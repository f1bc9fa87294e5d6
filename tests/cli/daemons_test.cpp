// node, prover and challenger as processes: ready lines, settings that are wrong, a host that is
// away, how they stop, and kill -9.

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "command.hpp"
#include "core/keys.hpp"

namespace holdfast::test {
namespace {

using Json = nlohmann::json;

/// A node's folder with one registered replica and one registered challenger, made by commands.
class DaemonCommands : public ::testing::Test {
  protected:
    static constexpr const char* kNetwork =
        "network init node --name daemons --preset dev --no-vdf --set block_ms=500 "
        "--set finality_blocks=1 --set seal_delay=3 --set seal_deadline=6 --set link_lag=1 "
        "--set availability_n=1 --set availability_d=1 --set availability_chunks=4 "
        "--set rate_window=4000 --set misses_late=3000 --set misses_expired=3900 "
        "--set least_challenger_part=10240";

    void SetUp() override {
        good(kNetwork);
        for (const char* name : {"host", "alice", "carol"}) {
            key(name);
        }
        good("chain new-block --count 2");
        spill(folder / "data", Bytes(65'536, 7));
        good("seal data --key alice.key --out data.replica");
        good("ledger issue --key alice.key --amount 1000");
        good("ledger issue --key carol.key --amount 10240");
        good("ledger fund --amount 100000");
        good("register data.replica --key alice.key");
        good("challenger register --key carol.key --bond 10240");
        good("chain new-block --count 14");
        good("block process --replica data.replica --key alice.key");
    }
    Ran run(const std::string& line) const {
        return holdfast_command(folder.path(), words_of(line));
    }
    Ran good(const std::string& line) const {
        const Ran ran = run(line);
        EXPECT_EQ(ran.code, kExitOk) << ran;
        return ran;
    }
    void key(const std::string& name) {
        keys[name] = good("keygen " + name + ".key --json").json()["public_key"];
    }
    std::unique_ptr<Command> start(const std::string& line) const {
        return std::make_unique<Command>(folder.path(), words_of(line + " --json"));
    }
    static Json ready(const Command& daemon) {
        const Json said = Json::parse(daemon.first_line(), nullptr, false);
        EXPECT_TRUE(said.is_object() && said.value("event", "") == "ready") << daemon.said();
        return said.is_object() ? said : Json::object();
    }
    /// Stops a daemon as an operator does; what it says behind its ready line.
    static Json stopped(Command& daemon, int signal = SIGTERM) {
        daemon.send(signal);
        const Ran ran = daemon.wait();
        EXPECT_EQ(ran.code, kExitOk) << ran;
        const Json summary = Json::parse(ran.out.substr(ran.out.find('\n') + 1), nullptr, false);
        EXPECT_TRUE(summary.is_object()) << ran;
        return summary.is_object() ? summary : Json::object();
    }
    [[nodiscard]] std::string node_line(const std::string& listen) const {
        return "node --dir node --key host.key --accept-anyone --served-reward 7 "
               "--challenger-reward 3 --log-file node.log --listen " +
               listen;
    }
    [[nodiscard]] std::string follow(const std::string& host) const {
        return " --params node --host " + keys.at("host") + "@" + host;
    }
    static void blocks(int count) {
        std::this_thread::sleep_for(std::chrono::milliseconds(500 * count));
    }

    TempFolder folder;
    std::map<std::string, std::string> keys;
};

TEST_F(DaemonCommands, ChallengesGoOnThroughAKilledNodeAndNothingIsPaidTwice) {
    auto node = start(node_line("127.0.0.1:0"));
    const std::string host = ready(*node)["address"];
    auto prover = start(
        "prover --key alice.key --replica data.replica --raw data --accept-anyone "
        "--listen 127.0.0.1:0 --log-file prover.log" +
        follow(host));
    const std::string at = ready(*prover)["address"];
    auto challenger = start(
        "challenger --key carol.key --journal journal --log-file carol.log "
        "--log-format json --peer " +
        keys["alice"] + "@" + at + follow(host));
    EXPECT_EQ(ready(*challenger)["key"], keys["carol"]);
    blocks(8);
    node->send(SIGKILL);
    EXPECT_EQ(node->wait().signal, SIGKILL);
    node = start(node_line(host));
    (void)ready(*node);
    blocks(12);
    const Json challenged = stopped(*challenger, SIGINT)["challenges"];
    const Json served = stopped(*prover)["challenges"];
    const Json hosted = stopped(*node);

    EXPECT_TRUE(challenged["in_force"].get<bool>()) << challenged;
    EXPECT_GE(challenged["served"].get<int>(), 2) << challenged;
    EXPECT_EQ(challenged["late"].get<int>() + challenged["invalid"].get<int>() +
                  challenged["unreachable"].get<int>(),
              0)
        << challenged;
    EXPECT_GE(served["answered"].get<int>(), challenged["served"].get<int>());
    EXPECT_EQ(served["failed"], 0);
    EXPECT_TRUE(hosted["processed"]["objects"]["outcome2"]["refused"].empty()) << hosted;

    const Json ledger =
        good("ledger show --json --account " + keys["alice"] + " --account " + keys["carol"])
            .json();
    const auto alice = ledger["balances"][keys["alice"]].get<std::uint64_t>();
    const auto carol = ledger["balances"][keys["carol"]].get<std::uint64_t>();
    EXPECT_GT(alice, 0U);
    EXPECT_EQ(alice % 7, 0U);
    EXPECT_EQ(carol, alice / 7 * 3);
    EXPECT_LE(alice / 7, challenged["published"].get<std::uint64_t>());
    EXPECT_EQ(ledger["in_pool"].get<std::uint64_t>(), 100'000 - alice - carol);
    // No secret in a log.
    const Bytes secret = slurp(folder / "carol.key");
    const Bytes log = slurp(folder / "carol.log");
    EXPECT_EQ(std::search(log.begin(), log.end(), secret.begin(), secret.end()), log.end());
    EXPECT_FALSE(log.empty());
}

TEST_F(DaemonCommands, AHostThatIsAwayIsWaitedForAndFoundAgain) {
    auto node = start(node_line("127.0.0.1:0"));
    const std::string host = ready(*node)["address"];
    (void)stopped(*node);
    auto prover = start(
        "prover --key alice.key --replica data.replica --accept-anyone --listen "
        "127.0.0.1:0 --log-file prover.log" +
        follow(host));
    (void)ready(*prover);
    blocks(2);
    node = start(node_line(host));
    (void)ready(*node);
    blocks(8);
    const Json followed = stopped(*prover)["host"];
    EXPECT_TRUE(followed["reachable"].get<bool>()) << followed;
    EXPECT_GT(followed["failures"].get<int>(), 0) << followed;
    (void)stopped(*node);
}

TEST_F(DaemonCommands, AReplicaThatIsGoneIsNamedAndServedOnceItIsBack) {
    const std::string host = "127.0.0.1:1";
    const auto with = [](const std::string& replicas) {
        return "prover --key alice.key --accept-anyone --listen 127.0.0.1:0 --log-file prover.log" +
               replicas;
    };
    auto prover =
        start(with(" --replica data.replica --replica gone.replica --replica other.replica") +
              follow(host));
    const Json began = ready(*prover);
    EXPECT_EQ(began["chains"].size(), 1U) << began;
    ASSERT_EQ(began["missing"].size(), 2U) << began;
    EXPECT_EQ(began["missing"][0]["replica"], (folder / "gone.replica").string());
    const Json summary = stopped(*prover);
    EXPECT_EQ(summary["missing"].size(), 2U) << summary;
    const Bytes log = slurp(folder / "prover.log");
    EXPECT_NE(std::string(log.begin(), log.end()).find("replica.not_linked"), std::string::npos);

    // Mounted meanwhile.
    namespace fs = std::filesystem;
    good("seal data --key alice.key --nonce 2 --out late.replica");
    good("ledger issue --key alice.key --amount 1000");
    good("register late.replica --key alice.key");
    fs::rename(folder / "late.replica", folder / "away");
    prover = start(with(" --replica data.replica --replica late.replica") + follow(host));
    EXPECT_EQ(ready(*prover)["missing"].size(), 1U);
    fs::rename(folder / "away", folder / "late.replica");
    EXPECT_EQ(good("prover rescan --key alice.key --json").json()["replicas"], 2);
    const Json later = stopped(*prover);
    EXPECT_EQ(later["missing"].size(), 0U) << later;
    EXPECT_EQ(later["chains"].size(), 2U) << later;

    // With none there is nothing to do.
    expect_failure(run(with(" --replica gone.replica") + follow(host)), kExitEnvironment,
                   "gone.replica");
}

TEST_F(DaemonCommands, WhatIsWrongIsSaidAtOnce) {
    const std::string host = "127.0.0.1:1";
    expect_failure(run("prover --listen 127.0.0.1:0 --key alice.key --params node"), kExitUsage,
                   "[[hosts]]");
    expect_failure(run("prover --listen 127.0.0.1:0 --key alice.key" + follow(host)), kExitUsage,
                   "--replica");
    expect_failure(
        run("prover --listen 127.0.0.1:0 --key carol.key --replica data.replica" + follow(host)),
        kExitUsage, "another key");
    expect_failure(
        run("prover --listen nowhere --key alice.key --replica data.replica" + follow(host)),
        kExitUsage, "nowhere");
    expect_failure(run("prover --host 12@here --key alice.key"), kExitUsage, "KEY@HOST:PORT");
    expect_failure(run("challenger --journal j --key alice.key" + follow(host)), kExitEnvironment,
                   "challenger register");
    expect_failure(run("challenger --key carol.key" + follow(host)), kExitUsage, "--journal");
    expect_failure(run("challenger register --key carol.key"), kExitEnvironment,
                   "registered already");
    expect_failure(run("node --dir nothing --key host.key --listen 127.0.0.1:0"), kExitEnvironment,
                   "network init");
    const std::string text = "[transport]\nlisten = \"127.0.0.1:0\"\nspeed = 3\n";
    spill(folder / "bad.toml", Bytes(text.begin(), text.end()));
    expect_failure(run("node --config bad.toml"), kExitUsage, "bad.toml:3");
    // One process at a time has a node's folder, and a challenger's journal.
    auto node = start(node_line("127.0.0.1:0"));
    const std::string at = ready(*node)["address"];
    expect_failure(run(node_line("127.0.0.1:0")), kExitEnvironment, "");
    expect_failure(run("block process"), kExitEnvironment, "");
    auto challenger = start("challenger --key carol.key --journal journal" + follow(at));
    (void)ready(*challenger);
    expect_failure(run("challenger --key carol.key --journal journal" + follow(at)),
                   kExitEnvironment, "");
    expect_failure(
        run("prover --listen " + at + " --key alice.key --replica data.replica" + follow(at)),
        kExitEnvironment, at);
    (void)stopped(*challenger);
    (void)stopped(*node, SIGINT);
}

std::string text_of(const std::filesystem::path& file) {
    const Bytes bytes = slurp(file);
    return {bytes.begin(), bytes.end()};
}

/// Waits until a file has such words; false after ten seconds.
bool has_words(const std::filesystem::path& file, const std::string& words) {
    for (int i = 0; i < 500; ++i) {
        if (std::filesystem::exists(file) && text_of(file).find(words) != std::string::npos) {
            return true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
}

TEST_F(DaemonCommands, HangupBeginsANewLogAndEndsNothing) {
    auto node = start(node_line("127.0.0.1:0"));
    const std::string host = ready(*node)["address"];
    auto prover = start(
        "prover --key alice.key --replica data.replica --listen 127.0.0.1:0 --accept-anyone "
        "--log-file prover.log" +
        follow(host));
    (void)ready(*prover);
    auto challenger =
        start("challenger --key carol.key --journal journal --log-file carol.log" + follow(host));
    (void)ready(*challenger);
    const std::pair<Command*, const char*> all[] = {
        {node.get(), "node.log"}, {prover.get(), "prover.log"}, {challenger.get(), "carol.log"}};
    for (const auto& [daemon, log] : all) {
        ASSERT_TRUE(has_words(folder / log, "ready"));
        for (int i = 1; i <= 2; ++i) {
            std::filesystem::rename(folder / log, folder / (log + std::string(".old")));
            daemon->send(SIGHUP);
            EXPECT_TRUE(has_words(folder / log, "log.reopened hangups=" + std::to_string(i)));
            EXPECT_EQ(text_of(folder / log).find("ready"), std::string::npos);
        }
    }
    blocks(2);
    for (const auto& [daemon, log] : all) {
        EXPECT_EQ(stopped(*daemon)["log"]["lost_lines"], 0);
        EXPECT_NE(text_of(folder / log).find("stopping"), std::string::npos);
    }
}

TEST_F(DaemonCommands, ReadyLineThatCannotBeWrittenIsLoggedAndTheExitCodeSaysSo) {
    const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
    ASSERT_GE(full, 0);
    Command node(folder.path(), words_of(node_line("127.0.0.1:0")), full);
    ::close(full);
    EXPECT_TRUE(has_words(folder / "node.log", "output.failed"));
    EXPECT_TRUE(has_words(folder / "node.log", "block.processed"));
    node.send(SIGTERM);
    expect_failure(node.wait(), kExitEnvironment, "No space left on device");
}

TEST_F(DaemonCommands, LogLinesThatAFullDiskTakesAreCounted) {
    std::string line = node_line("127.0.0.1:0");
    line.replace(line.find("node.log"), std::string("node.log").size(), "/dev/full");
    auto node = start(line);
    (void)ready(*node);
    blocks(2);
    EXPECT_GT(stopped(*node)["log"]["lost_lines"], 0);
}

TEST_F(DaemonCommands, ReasonWhyAPeerIsNotConnectedIsInLogStatusAndError) {
    auto node = start(node_line("localhost:0") + " --monitor localhost:0");
    const Json up = ready(*node);
    const std::string at = up["address"];
    EXPECT_EQ(at.find("localhost"), std::string::npos) << up;
    EXPECT_FALSE(up["monitor"].is_null()) << up;
    // The node's address, and another's key; then nobody at all.
    for (const auto& [host, reason] :
         {std::pair(keys["carol"] + "@" + at, "wrong-key"),
          std::pair(keys["host"] + "@no-such-host.invalid:9001", "no-such-name"),
          std::pair(keys["host"] + "@127.0.0.1:1", "refused")}) {
        const std::string log = std::string(reason) + ".log";
        auto prover = start(
            "prover --key alice.key --replica data.replica --listen 127.0.0.1:0 --accept-anyone "
            "--params node --log-file " +
            log + " --host " + host);
        (void)ready(*prover);
        EXPECT_TRUE(has_words(folder / log, "peer.not_connected"));
        EXPECT_TRUE(has_words(folder / log, std::string("reason=") + reason));
        EXPECT_TRUE(has_words(folder / log, "host.away"));
        const Json said = stopped(*prover);
        EXPECT_GE(said["network"]["not_connected"][reason], 1) << said;
        EXPECT_NE(said["host"]["error"].get<std::string>().find("not connected: "),
                  std::string::npos)
            << said;
    }
    (void)stopped(*node);
}

}  // namespace
}  // namespace holdfast::test
