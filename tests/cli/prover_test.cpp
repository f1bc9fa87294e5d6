// A prover on a machine of its own: nothing shared with the node but network.params. From a raw
// file to counted compact proofs, by commands alone.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "command.hpp"
#include "core/keys.hpp"
#include "support/tcp_world.hpp"

namespace holdfast::test {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

class ProverCommands : public ::testing::Test {
  protected:
    static constexpr const char* kNetwork =
        "network init node --name afar --preset dev --no-vdf --set block_ms=1000 "
        "--set finality_blocks=1 --set seal_delay=3 --set seal_deadline=30 --set link_lag=2 "
        "--set rate_window=400 --set misses_late=300 --set misses_expired=390";

    void SetUp() override {
        for (const fs::path& made : {n(), p(), p() / "disk1", p() / "disk2"}) {
            fs::create_directory(made);
        }
        good(n(), kNetwork);
        host_key = key(n(), "host");
        alice = key(p(), "alice");
        good(n(), "chain new-block --count 2");
        good(n(), "ledger issue --key " + alice + " --amount 100000");
        bond =
            good(n(), "ledger bond --owner " + alice + " --amount 50000 --purpose storage --json")
                .json()["bond_id"];
        fs::copy_file(n() / "node/chain/network.params", p() / "network.params");
    }
    [[nodiscard]] fs::path n() const { return folder / "n"; }
    [[nodiscard]] fs::path p() const { return folder / "p"; }

    static Ran run(const fs::path& where, const std::string& line) {
        return holdfast_command(where, words_of(line));
    }
    static Ran good(const fs::path& where, const std::string& line) {
        const Ran ran = run(where, line);
        EXPECT_EQ(ran.code, kExitOk) << ran;
        return ran;
    }
    static std::string key(const fs::path& where, const std::string& name) {
        return good(where, "keygen " + name + ".key --json").json()["public_key"];
    }
    void seal(const std::string& out, std::uint8_t fill, int nonce) const {
        spill(p() / "data", Bytes(65'536, fill));
        good(p(), "seal data --params network.params --key alice.key --nonce " +
                      std::to_string(nonce) + " --out " + out);
        fs::remove(p() / "data");
    }
    static std::unique_ptr<Command> start(const fs::path& where, const std::string& line) {
        return std::make_unique<Command>(where, words_of(line + " --json"));
    }
    static Json ready(const Command& daemon) {
        const Json said = Json::parse(daemon.first_line(), nullptr, false);
        EXPECT_TRUE(said.is_object() && said.value("event", "") == "ready") << daemon.said();
        return said.is_object() ? said : Json::object();
    }
    static Json stopped(Command& daemon) {
        daemon.send(SIGTERM);
        const Ran ran = daemon.wait();
        EXPECT_EQ(ran.code, kExitOk) << ran;
        const Json summary = Json::parse(ran.out.substr(ran.out.find('\n') + 1), nullptr, false);
        EXPECT_TRUE(summary.is_object()) << ran;
        return summary.is_object() ? summary : Json::object();
    }
    std::unique_ptr<Command> start_node(const std::string& listen = "127.0.0.1:0") {
        auto node = start(n(),
                          "node --dir node --key host.key --accept-anyone --log-file node.log "
                          "--listen " +
                              listen);
        host = ready(*node)["address"];
        return node;
    }
    [[nodiscard]] std::string prover_line(const std::string& more) const {
        return "prover --params network.params --key alice.key --accept-anyone --listen "
               "127.0.0.1:0 --log-file prover.log --bond " +
               bond + " --host " + host_key + "@" + host + " " + more;
    }
    [[nodiscard]] Json ask(const std::string& command) const {
        return good(p(), "prover " + command + " --key alice.key --json").json();
    }
    /// Asks until `holds`, two minutes at most.
    template <class Holds>
    Json ask_until(const std::string& command, const Holds& holds) const {
        Json said;
        for (int i = 0; i < 240; ++i) {
            said = ask(command);
            if (holds(said)) return said;
            std::this_thread::sleep_for(std::chrono::milliseconds(500));
        }
        const Bytes log = slurp(p() / "prover.log");
        ADD_FAILURE() << said.dump(2) << std::string(log.begin(), log.end());
        return said;
    }
    static bool all_active(const Json& list, std::size_t count) {
        std::size_t active = 0;
        for (const Json& one : list["replicas"]) {
            active += one["phase"] == "sealed" && one.value("status", Json()) == "active" ? 1 : 0;
        }
        return active == count;
    }

    TempFolder folder;
    std::string host_key, alice, bond, host;
};

TEST_F(ProverCommands, FromARawFileToACountedCompactProofWithNothingSharedButTheParameters) {
    seal("disk1/a.replica", 1, 1);
    seal("disk2/b.replica", 2, 2);
    // Damaged, and somebody else's: named, left alone, and no harm to the others.
    spill(p() / "disk2/bad.replica", Bytes(8'192, 9));
    const std::string other = key(p(), "bob");
    spill(p() / "data", Bytes(65'536, 3));
    good(p(), "seal data --params network.params --key bob.key --out disk2/bobs.replica");

    auto node = start_node();
    auto prover = start(p(), prover_line("--folder disk1 --folder disk2"));
    const Json began = ready(*prover);
    EXPECT_EQ(began["missing"].size(), 2U) << began;
    (void)ask_until("list", [](const Json& list) { return all_active(list, 2); });
    const Json proven = ask_until("status", [](const Json& status) {
        return status["proving"]["compact_proofs"].get<int>() +
                   status["proving"]["full_proofs"].get<int>() >=
               4;
    });
    EXPECT_EQ(proven["proving"]["seal_proofs"], 2) << proven;
    EXPECT_EQ(proven["registrations"]["made"], 2) << proven;
    EXPECT_EQ(proven["unheld_chains"], 0) << proven;
    EXPECT_GT(proven["handed_over"]["acknowledged"].get<int>(), 0) << proven;
    // What was acknowledged has been looked for in the journal.
    const Json kept = ask_until(
        "status", [](const Json& status) { return status["promises"]["kept"].get<int>() > 2; });
    EXPECT_TRUE(kept["promises"]["broken"].empty()) << kept;
    // For people it is a table: a line for each replica, and no JSON.
    const Ran table = good(p(), "prover list --key alice.key");
    EXPECT_EQ(table.out.find("CHAIN "), 0U) << table;
    EXPECT_EQ(std::count(table.out.begin(), table.out.end(), '\n'), 5) << table;
    EXPECT_EQ(table.out.find('{'), std::string::npos) << table;
    EXPECT_NE(table.out.find("sealed"), std::string::npos) << table;

    // Stopped and started again: nothing is registered or sealed a second time, links go on.
    (void)stopped(*prover);
    prover = start(p(), prover_line("--folder disk1 --folder disk2"));
    EXPECT_EQ(ready(*prover)["chains"].size(), 2U);
    const Json again = ask_until(
        "status", [](const Json& status) { return status["proving"]["links"].get<int>() >= 4; });
    // An audit may have been drawn meanwhile; the two of the registrations are not made again.
    EXPECT_LT(again["proving"]["seal_proofs"], 2) << again;
    EXPECT_EQ(again["registrations"]["made"], 0) << again;

    // One that runs has the records for itself.
    expect_failure(run(p(), prover_line("--folder disk1 --socket other.sock")), kExitEnvironment,
                   "");
    (void)stopped(*prover);
    (void)stopped(*node);
    const Json stats = good(n(), "stats --dir node --json").json();
    EXPECT_EQ(stats["registrations"], 2) << stats;
    EXPECT_EQ(stats["sealed"], 2) << stats;
}

TEST_F(ProverCommands, AFolderThatGoesIsAnAlarmAndIsTakenInAgainWhenItIsBack) {
    seal("disk1/a.replica", 1, 1);
    seal("disk2/b.replica", 2, 2);
    auto node = start_node();
    auto prover = start(p(), prover_line("--folder disk1 --folder disk2"));
    (void)ready(*prover);
    (void)ask_until("list", [](const Json& list) { return all_active(list, 2); });

    fs::rename(p() / "disk2", p() / "away");
    fs::create_directory(p() / "disk2");  // as an empty mount point
    (void)ask("rescan");
    const Json gone = ask_until("status", [](const Json& status) {
        return status["unheld_chains"] == 1 &&
               status["problems"].dump().find("not at hand") != std::string::npos;
    });
    EXPECT_EQ(gone["chains"].size(), 1U) << gone;

    fs::remove(p() / "disk2");
    fs::rename(p() / "away", p() / "disk2");
    (void)ask("rescan");
    const Json back = ask_until("status", [](const Json& status) {
        return status["unheld_chains"] == 0 && status["chains"].size() == 2;
    });
    EXPECT_EQ(back["registrations"]["made"], 2) << back;  // none a second time

    // Out and in by command; then out for good.
    EXPECT_EQ(ask("remove disk2/b.replica")["chains"].size(), 1U);
    EXPECT_EQ(ask("rescan")["replicas"], 1);
    (void)ask("add disk2/b.replica");
    EXPECT_EQ(ask("status")["replicas"], 2);
    EXPECT_EQ(ask("remove disk2 --end")["ended"].size(), 1U);
    expect_failure(run(p(), "prover add nowhere --key alice.key"), kExitEnvironment, "nowhere");
    (void)ask("stop");
    EXPECT_EQ(prover->wait().code, kExitOk);
    expect_failure(run(p(), "prover status --key alice.key"), kExitEnvironment, "");
    (void)stopped(*node);
}

TEST_F(ProverCommands, WithoutABondNothingIsRegisteredAndThatIsSaid) {
    seal("disk1/a.replica", 1, 1);
    auto node = start_node();
    bond.clear();
    std::string line = prover_line("--folder disk1");
    line.replace(line.find("--bond "), 7, "");
    auto prover = start(p(), line);
    (void)ready(*prover);
    const Json said = ask_until(
        "status", [](const Json& status) { return status["registrations"]["without_bond"] == 1; });
    EXPECT_NE(said["problems"].dump().find("[prover] bond"), std::string::npos) << said;
    EXPECT_FALSE(fs::exists(p() / "disk1/a.registration"));
    (void)stopped(*prover);
    (void)stopped(*node);
}

TEST_F(ProverCommands, TwoNodesWithDifferentHistoriesAreBothBelievedNoMore) {
    seal("disk1/a.replica", 1, 1);
    // A copy of the node's folder that goes its own way: the same network and operator.
    fs::copy(n() / "node", n() / "fork", fs::copy_options::recursive);
    const std::string fork_key = key(n(), "fork");
    good(n(), "chain new-block --count 3 --dir node");
    good(n(), "chain new-block --count 2 --dir fork");
    auto node = start_node();
    auto fork = start(n(),
                      "node --dir fork --key fork.key --accept-anyone --log-file fork.log "
                      "--listen 127.0.0.1:0");
    const std::string at = ready(*fork)["address"];
    auto prover = start(p(), prover_line("--folder disk1 --host " + fork_key + "@" + at));
    (void)ready(*prover);
    const Json split =
        ask_until("status", [](const Json& status) { return !status["hosts"]["split"].is_null(); });
    EXPECT_NE(split["problems"].dump().find("different histories"), std::string::npos) << split;
    // Told to go on, it finds out again.
    (void)ask("trust");
    (void)ask_until("status",
                    [](const Json& status) { return !status["hosts"]["split"].is_null(); });
    const Json ended = stopped(*prover);
    EXPECT_EQ(ended["proving"]["compact_proofs"], 0) << ended;
    const Bytes log = slurp(p() / "prover.log");
    EXPECT_NE(std::string(log.begin(), log.end()).find("hosts.split"), std::string::npos);
    (void)stopped(*node);
    (void)stopped(*fork);
}

/// What a monitor answers; the connection ends with it.
std::string ask_monitor(const std::string& address, const std::string& method,
                        const std::string& path, const std::string& more = {},
                        const std::string& body = {}) {
    const RawSocket socket(address);
    const std::string request =
        method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
        "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n" + more + "\r\n" + body;
    EXPECT_TRUE(socket.write(view(request)));
    std::string out;
    std::array<char, 4'096> part{};
    for (ssize_t got = 0; (got = ::recv(socket.descriptor(), part.data(), part.size(), 0)) > 0;) {
        out.append(part.data(), static_cast<std::size_t>(got));
    }
    return out;
}

TEST_F(ProverCommands, ARunningProverIsSteeredOverHttpAndTellsNoSecret) {
    seal("disk1/a.replica", 1, 1);
    const std::string token = "planted-token-0123456789abcdef";
    spill(p() / "token", Bytes(token.begin(), token.end()));
    fs::permissions(p() / "token", fs::perms::owner_read | fs::perms::owner_write);
    const auto settings = [&](const std::string& level) {
        const std::string text = "[monitor]\nlisten = \"127.0.0.1:0\"\ntoken = \"token\"\n[log]\n" +
                                 ("level = \"" + level) + "\"\n[scrub]\nrate = 100\n";
        spill(p() / "alice.toml", Bytes(text.begin(), text.end()));
    };
    settings("info");
    auto node = start_node();
    auto prover = start(p(), prover_line("--config alice.toml --folder disk1"));
    const std::string monitor = ready(*prover)["monitor"];
    const std::string given = "Authorization: Bearer " + token + "\r\n";
    const auto steer = [&](const std::string& path, const std::string& body = {}) {
        return ask_monitor(monitor, "POST", "/api/v1" + path, given, body);
    };
    // The same commands over the socket and over HTTP, by the same code.
    EXPECT_TRUE(steer("/pause").starts_with("HTTP/1.1 200"));
    EXPECT_EQ(ask("status")["proving"]["paused"], true);
    EXPECT_EQ(ask("health")["healthy"], false);
    EXPECT_EQ(ask("resume")["paused"], false);
    EXPECT_TRUE(steer("/scrub").find("\"due\": 1") != std::string::npos);
    (void)ask_until("status", [](const Json& s) { return s["scrub"]["scrubbed"] == 1; });
    EXPECT_TRUE(steer("/log-level", R"({"level":"warn"})").starts_with("HTTP/1.1 200"));
    settings("debug");
    prover->send(SIGHUP);
    (void)ask_until("status", [&](const Json&) {
        return ask_monitor(monitor, "GET", "/api/v1/events?name=settings.reloaded")
                   .find("settings.reloaded") != std::string::npos;
    });
    // Secrets that were planted are told nowhere, whoever asks and however wrongly.
    const Bytes pem = slurp(p() / "alice.key");
    const std::string key_text(pem.begin(), pem.end());
    const std::string seed = key_text.substr(key_text.find('\n') + 1, 64);
    const Bytes logged = slurp(p() / "prover.log");
    std::string told(logged.begin(), logged.end());
    for (const char* const path :
         {"/", "/metrics", "/health", "/status", "/api/v1/status", "/api/v1/replicas",
          "/api/v1/events", "/api/v1/openapi.json", "/api/v1/none", "/../alice.key", "/token"}) {
        told += ask_monitor(monitor, "GET", path, given) + ask_monitor(monitor, "GET", path);
    }
    told += steer("/replicas", R"({"path":")" + (p() / "token").string() + "\"}");
    told += steer("/replicas", R"({"path":")" + (p() / "alice.key").string() + "\"}");
    told += ask_monitor(monitor, "POST", "/api/v1/stop", given + "X: y\r\n", "{\"x\":");
    EXPECT_TRUE(ask_monitor(monitor, "POST", "/api/v1/stop").starts_with("HTTP/1.1 401"));
    EXPECT_TRUE(
        ask_monitor(monitor, "POST", "/api/v1/stop", "Authorization: Bearer " + token + "x\r\n")
            .starts_with("HTTP/1.1 401"));
    EXPECT_NE(told.find("api.command"), std::string::npos);
    EXPECT_EQ(told.find(token), std::string::npos);
    EXPECT_EQ(told.find(seed), std::string::npos);
    // It ends in order: what it has begun is handed over.
    EXPECT_TRUE(steer("/drain", R"({"wait_s":20})").starts_with("HTTP/1.1 200"));
    const Ran ended = prover->wait();
    EXPECT_EQ(ended.code, kExitOk) << ended;
    (void)stopped(*node);
}

}  // namespace
}  // namespace holdfast::test
