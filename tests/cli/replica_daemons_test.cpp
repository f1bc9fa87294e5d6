// A node, a replica of it, and a monitor as processes over loopback: the same digests, the first
// killed for good, the second in its place.

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "command.hpp"
#include "hierarchy/registry.hpp"
#include "proofs/acknowledgement.hpp"
#include "storage/key_file.hpp"
#include "support/registry_world.hpp"

namespace holdfast::test {
namespace {

using Json = nlohmann::json;

class ReplicaCommands : public ::testing::Test {
  protected:
    void SetUp() override {
        good(
            "network init node --name standby --preset dev --no-vdf --set block_ms=500 "
            "--set finality_blocks=1 --set link_lag=1");
        for (const char* name : {"first", "second", "alice"}) {
            keys[name] = good(std::string("keygen ") + name + ".key --json").json()["public_key"];
        }
        good("ledger issue --key alice.key --amount 1000");
        good("ledger fund --amount 5000");
        good("chain new-block --count 6");
        good("block process");
    }
    Ran run(const std::string& line) const {
        return holdfast_command(folder.path(), words_of(line));
    }
    Ran good(const std::string& line) const {
        const Ran ran = run(line);
        EXPECT_EQ(ran.code, kExitOk) << ran;
        return ran;
    }
    std::unique_ptr<Command> start(const std::string& line) const {
        return std::make_unique<Command>(folder.path(), words_of(line + " --json"));
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
        return summary.is_object() ? summary : Json::object();
    }
    [[nodiscard]] std::string first_line(const std::string& listen) const {
        return "node --dir node --key first.key --accept-anyone --log-file first.log --listen " +
               listen;
    }
    [[nodiscard]] std::string second_line(const std::string& rest) const {
        return "node --dir replica --params node/chain/network.params --key second.key "
               "--accept-anyone --log-file second.log --listen 127.0.0.1:0 " +
               rest;
    }
    [[nodiscard]] std::unique_ptr<Registry> registry_of(const std::string& dir) const {
        RegistryOptions options;
        options.read_only = true;
        const NetworkParams params = must(registry_network(folder / dir / "registry"));
        return must(Registry::open(folder / dir / "registry", params, options));
    }
    static void blocks(int count) {
        std::this_thread::sleep_for(std::chrono::milliseconds(500 * count));
    }

    TempFolder folder;
    std::map<std::string, std::string> keys;
};

TEST_F(ReplicaCommands, AReplicaJudgesTheSameAndTakesOverOnceTheFirstIsGone) {
    auto first = start(first_line("127.0.0.1:0"));
    const std::string at = ready(*first)["address"];
    const std::string followed = keys["first"] + "@" + at;
    auto second = start(second_line("--replica-of " + followed));
    EXPECT_EQ(ready(*second)["role"], "replica");
    blocks(8);
    // It goes on where it was.
    second->send(SIGKILL);
    (void)second->wait();
    second = start(second_line("--replica-of " + followed));
    (void)ready(*second);
    blocks(8);
    const Json summary = stopped(*second)["replica"];
    EXPECT_GT(summary["heads_compared"].get<int>(), 2) << summary;
    EXPECT_GE(summary["ledger_copies"].get<int>(), 1) << summary;
    EXPECT_FALSE(summary.contains("disagreement")) << summary;

    expect_failure(run("node --dir replica --key second.key --listen 127.0.0.1:0"),
                   kExitEnvironment, "--take-over");
    const std::string take_over = second_line("--take-over --operator-key node/operator.key");
    expect_failure(run(take_over), kExitEnvironment, "still answers");
    first->send(SIGKILL);
    (void)first->wait();
    {
        const auto theirs = registry_of("node");
        const auto ours = registry_of("replica");
        const Height closed = must(ours->closed()).value();
        for (Height h = ours->params().genesis_height; h <= closed; h = h + 1) {
            EXPECT_EQ(must(ours->head_of(h)), must(theirs->head_of(h))) << h.value;
        }
    }
    const Height before = must(registry_of("replica")->tip()).value();
    auto operating = start(take_over);
    const Json up = ready(*operating);
    EXPECT_EQ(up["role"], "node");
    blocks(10);

    // Nobody has acknowledged this object: the command names it once its digest has closed.
    const NetworkParams params = registry_of("replica")->params();
    const Bytes object = wrap_object(Kind::kBundle, Bytes(200, 1));
    const KeyPair host = must(load_key_pair(folder / "first.key"));
    const Acknowledgement said =
        make_acknowledgement(params.id(), object, before + 3, BlockHash{}, host).value();
    spill(folder / "left-out.ack", wrap_object(Kind::kAcknowledgement, said.encode()));
    spill(folder / "left-out", object);
    const std::string monitor = "monitor-log --params node/chain/network.params --from " +
                                keys["second"] + "@" + up["address"].get<std::string>() +
                                " --acknowledgements left-out.ack --object left-out --json";
    const Ran broken = run(monitor);
    EXPECT_EQ(broken.code, kExitRefused) << broken;
    EXPECT_EQ(broken.json()["broken"], 1) << broken;
    EXPECT_TRUE(std::filesystem::exists(folder / "left-out.ack.evidence"));
    EXPECT_EQ(run(monitor).code, kExitRefused);

    const Json hosted = stopped(*operating);
    EXPECT_GT(hosted["processed"]["closed"].get<std::uint64_t>(), before.value) << hosted;
    EXPECT_GE(hosted["ledger"]["issued"].get<std::uint64_t>(), 6'000U) << hosted;
    expect_failure(run(take_over), kExitEnvironment, "no replica");
}

TEST_F(ReplicaCommands, WhatCannotBeIsSaid) {
    expect_failure(run(second_line("--replica-of 12@here")), kExitUsage, "KEY@HOST:PORT");
    expect_failure(run("node --dir node --key second.key --listen 127.0.0.1:0 --replica-of " +
                       keys["first"] + "@127.0.0.1:1"),
                   kExitEnvironment, "own folder");
    expect_failure(run(second_line("--take-over --operator-key node/operator.key")),
                   kExitEnvironment, "no replica");
}

}  // namespace
}  // namespace holdfast::test
