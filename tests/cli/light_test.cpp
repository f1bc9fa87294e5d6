// verify --from and watch, against a node and a prover as processes: from a network's parameters
// and an address to verified proofs.

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "command.hpp"
#include "core/keys.hpp"

namespace holdfast::test {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

class LightCommands : public ::testing::Test {
  protected:
    static constexpr const char* kNetwork =
        "network init node --name light --preset dev --set vdf.arena_kib=1024 --set vdf.passes=1 "
        "--set vdf.steps_per_checkpoint=64 --set vdf.checkpoints=32 --set block_ms=1000 "
        "--set finality_blocks=1 --set seal_delay=3 --set seal_deadline=30 --set link_lag=2 "
        "--set rate_window=400 --set misses_late=300 --set misses_expired=390";

    void SetUp() override {
        for (const fs::path& where : {n(), p(), l()}) fs::create_directory(where);
        good(n(), kNetwork);
        host_key = key(n(), "host");
        const std::string alice = key(p(), "alice");
        good(n(), "chain new-block --count 2");
        good(n(), "ledger issue --key " + alice + " --amount 100000");
        const std::string bond =
            good(n(), "ledger bond --owner " + alice + " --amount 50000 --purpose storage --json")
                .json()["bond_id"];
        for (const fs::path& where : {p(), l()}) {
            fs::copy_file(n() / "node/chain/network.params", where / "network.params");
        }
        spill(p() / "data", Bytes(65'536, 5));
        good(p(), "seal data --params network.params --key alice.key --out a.replica");
        node = start(n(),
                     "node --dir node --key host.key --accept-anyone --log-file node.log "
                     "--listen 127.0.0.1:0");
        host = ready(*node)["address"];
        prover = start(p(),
                       "prover --params network.params --key alice.key --accept-anyone --listen "
                       "127.0.0.1:0 --log-file prover.log --replica a.replica --bond " +
                           bond + " --host " + host_key + "@" + host);
        (void)ready(*prover);
        chain = registered();
    }
    [[nodiscard]] fs::path n() const { return folder / "n"; }
    [[nodiscard]] fs::path p() const { return folder / "p"; }
    [[nodiscard]] fs::path l() const { return folder / "l"; }
    static Ran good(const fs::path& where, const std::string& line) {
        const Ran ran = holdfast_command(where, words_of(line));
        EXPECT_EQ(ran.code, kExitOk) << ran;
        return ran;
    }
    /// On the light client's side.
    [[nodiscard]] Ran run(const std::string& line) const {
        return holdfast_command(l(), words_of(line));
    }
    static std::string key(const fs::path& where, const std::string& name) {
        return good(where, "keygen " + name + ".key --json").json()["public_key"];
    }
    static std::unique_ptr<Command> start(const fs::path& where, const std::string& line) {
        return std::make_unique<Command>(where, words_of(line + " --json"));
    }
    static Json ready(const Command& daemon) {
        const Json said = Json::parse(daemon.first_line(), nullptr, false);
        EXPECT_TRUE(said.is_object() && said.value("event", "") == "ready") << daemon.said();
        return said.is_object() ? said : Json::object();
    }
    /// Once the prover's chain holds a slot.
    [[nodiscard]] std::string registered() const {
        for (int i = 0; i < 240; ++i) {
            const Json list = good(p(), "prover list --key alice.key --json").json();
            for (const Json& one : list["replicas"]) {
                if (one.value("status", Json()) == "active") return one["chain"];
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(500));
        }
        ADD_FAILURE() << "no active chain";
        return std::string(64, '0');
    }
    [[nodiscard]] std::string from() const {
        return " --params network.params --from " + host_key + "@" + host;
    }
    static std::vector<Json> lines(const Ran& ran) {
        std::vector<Json> out;
        std::istringstream in(ran.out);
        for (std::string line; std::getline(in, line);) {
            out.push_back(Json::parse(line, nullptr, false));
            EXPECT_TRUE(out.back().is_object()) << ran;
        }
        return out;
    }

    TempFolder folder;
    std::string host_key, host, chain;
    std::unique_ptr<Command> node, prover;
};

TEST_F(LightCommands, AChainIsWatchedAndItsProofsAreVerifiedWithParametersAndAnAddressAlone) {
    // HOST is a name as well as a number.
    const std::string by_name =
        " --params network.params --from " + host_key + "@localhost" + host.substr(host.rfind(':'));
    const Ran watched = run("watch " + chain + by_name + " --blocks 4 --json");
    ASSERT_EQ(watched.code, kExitOk) << watched;
    const std::vector<Json> events = lines(watched);
    std::optional<std::uint64_t> proven;
    int closed = 0;
    for (const Json& event : events) {
        if (event["event"] == "closed") {
            ++closed;
            EXPECT_EQ(event["status"], "active") << watched;
        }
        if (event["event"] == "proof" && event["verdict"] == "accepted") {
            proven = event["height"].get<std::uint64_t>();
        }
    }
    EXPECT_EQ(closed, 4) << watched;
    EXPECT_EQ(events.back()["event"], "end");
    ASSERT_TRUE(proven) << watched;

    const std::string wanted =
        "verify --chain " + chain + " --height " + std::to_string(*proven) + from();
    const Json said = run(wanted + " --out x.proof --cache cache --json").json();
    EXPECT_EQ(said["accepted"], true) << said;
    EXPECT_LE(said["fetched_bytes"].get<int>(), 64 * 1024) << said;
    EXPECT_FALSE(said["rests_on"].empty()) << said;
    EXPECT_TRUE(said["left_out"].empty()) << said;
    // The file, with what has been kept; a node that is not there is named.
    const std::string nobody = " --from " + std::string(64, 'a') + "@127.0.0.1:1 --timeout 2";
    const Ran file = run("verify x.proof --cache cache" + from() + nobody);
    EXPECT_EQ(file.code, kExitOk) << file;
    EXPECT_TRUE(file.says("left out: " + std::string(64, 'a') + "@127.0.0.1:1")) << file;
    for (const char* y : {"full", "none"}) {
        const Ran ran = run("verify x.proof" + from() + " --y " + y);
        EXPECT_EQ(ran.code, kExitOk) << ran;
    }
    // A flipped bit is refused, and the node is not blamed.
    Bytes bad = slurp(l() / "x.proof");
    bad[bad.size() - 40] ^= 1;
    spill(l() / "bad.proof", bad);
    const Ran refused = run("verify bad.proof" + from());
    EXPECT_EQ(refused.code, kExitRefused) << refused;
    EXPECT_FALSE(refused.says("refused: " + host_key)) << refused;
    // Nobody has these.
    expect_failure(run("verify --chain " + std::string(64, '1') + " --height 5" + from()),
                   kExitEnvironment, "no node is left");
    expect_failure(run("verify --chain " + chain + " --height 100000" + from()), kExitEnvironment,
                   "no such final block yet");
}

TEST_F(LightCommands, WithoutItsProverAWatchedChainIsSaidToBeMissing) {
    prover->send(SIGKILL);
    EXPECT_EQ(prover->wait().signal, SIGKILL);
    auto watch = start(l(), "watch " + chain + from() + " --blocks 8");
    const Ran ran = watch->wait();
    EXPECT_EQ(ran.code, kExitOk) << ran;
    int missed = 0;
    for (const Json& event : lines(ran)) {
        missed += event["event"] == "closed" && event["linked"] == false ? 1 : 0;
    }
    EXPECT_GE(missed, 3) << ran;
    // Ctrl-C ends it in order.
    auto endless = start(l(), "watch " + chain + from());
    EXPECT_FALSE(endless->first_line().empty());
    endless->send(SIGINT);
    const Ran ended = endless->wait();
    EXPECT_EQ(ended.code, kExitOk) << ended;
    EXPECT_EQ(lines(ended).back()["event"], "end") << ended;
}

TEST_F(LightCommands, WordsThatMakeNoSenseAreSaidSo) {
    expect_failure(run("verify --params network.params --from nobody"), kExitUsage, "--chain");
    expect_failure(run("verify x --params network.params --from nobody"), kExitUsage,
                   "KEY@HOST:PORT");
    expect_failure(run("verify x --from " + host_key + "@" + host), kExitUsage, "--params");
    expect_failure(run("verify x" + from() + " --y half"), kExitUsage, "--y");
    expect_failure(run("verify x" + from() + " --segments 0"), kExitUsage, "segments");
    expect_failure(run("verify x"), kExitUsage, "--public");
    expect_failure(run("watch " + chain + " --params network.params --from " +
                       std::string(64, 'a') + "@127.0.0.1:1 --timeout 1 --blocks 1 --y spot x"),
                   kExitUsage, "x");
    // Another key than the node's: no connection, and why.
    const Ran other =
        run("verify --chain " + chain + " --height 3 --params network.params --from " +
            to_hex(KeyPair::from_secret(Bytes(32, 9)).public_key()) + "@" + host + " --timeout 3");
    EXPECT_EQ(other.code, kExitEnvironment) << other;
    EXPECT_TRUE(other.says("not connected")) << other;
}

}  // namespace
}  // namespace holdfast::test
