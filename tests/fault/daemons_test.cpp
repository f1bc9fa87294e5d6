// A node, provers and challengers over loopback sockets: challenged, answered, listed, paid.

#include "support/daemon_world.hpp"

namespace holdfast::test {
namespace {

using node::Json;

class Daemons : public ::testing::Test {
  protected:
    Daemon host(const std::string& listen = "127.0.0.1:0") {
        return Daemon([this, listen](auto ready, const StopCheck& stop) {
            const auto log = quiet_log();
            node::Config config = world.host_config();
            config.listen = listen;
            return node::run_host(config, *log, {ready}, stop);
        });
    }
    Daemon prover(std::size_t i, const std::string& at,
                  std::function<TcpHandler(TcpHandler)> handler = {}) {
        return Daemon([this, i, at, handler](auto ready, const StopCheck& stop) {
            const auto log = quiet_log();
            return node::run_prover(world.prover_config(i, at), *log, {ready, handler, {}}, stop);
        });
    }
    Daemon challenge(std::size_t i, const std::string& at,
                     const std::vector<std::string>& provers) {
        return Daemon([this, i, at, provers](auto ready, const StopCheck& stop) {
            const auto log = quiet_log();
            return node::run_challenger(world.challenger_config(i, at, provers), *log, {ready},
                                        stop);
        });
    }
    DaemonWorld world{2, 2};
};

TEST_F(Daemons, ChallengesAreAnsweredListedAndPaidToTheLastUnit) {
    Daemon node_daemon = host();
    const std::string at = node_daemon.ready()["address"];
    std::atomic<std::uint64_t> seen{0};
    Daemon honest = prover(0, at, [&](TcpHandler inner) -> TcpHandler {
        return [&seen, inner](const PublicKey& from, ByteView message) {
            ++seen;
            return inner(from, message);
        };
    });
    Daemon mute = prover(1, at, [](TcpHandler) -> TcpHandler {
        return [](const PublicKey&, ByteView) -> Result<Bytes> {
            return fail_refused(Reason::kBusy, "challenge");
        };
    });
    const std::vector<std::string> provers{honest.ready()["address"], mute.ready()["address"]};
    Daemon first = challenge(0, at, provers);
    Daemon second = challenge(1, at, provers);
    (void)first.ready();
    (void)second.ready();
    // Each challenge is one request of the honest prover's; a few more blocks list the outcomes.
    const auto begun = std::chrono::steady_clock::now();
    while (seen < 3 && std::chrono::steady_clock::now() - begun < std::chrono::seconds(60)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5 * world.params.block_ms));
    const Json a = first.stop()["challenges"];
    const Json b = second.stop()["challenges"];
    const Json served = honest.stop();
    (void)mute.stop();
    const Json hosted = node_daemon.stop();

    const auto sum = [&](const char* name) {
        return a[name].get<std::uint64_t>() + b[name].get<std::uint64_t>();
    };
    EXPECT_GE(sum("served"), 3U) << a << b;
    EXPECT_GE(sum("late"), 1U) << a << b;
    EXPECT_EQ(sum("invalid"), 0U) << a << b;
    EXPECT_EQ(sum("publish_refused"), 0U) << a << b;
    EXPECT_TRUE(a["in_force"].get<bool>() && b["in_force"].get<bool>());
    EXPECT_GE(served["challenges"]["answered"].get<std::uint64_t>(), sum("served"));

    const Json& objects = hosted["processed"]["objects"];
    const std::string challenge_name(to_string(Kind::kChallenge2));
    const std::string outcome_name(to_string(Kind::kOutcome2));
    const std::uint64_t outcomes = objects[outcome_name]["accepted"];
    EXPECT_GE(outcomes, 3U) << objects;
    EXPECT_LE(outcomes, sum("published"));
    EXPECT_TRUE(objects[outcome_name]["refused"].empty()) << objects;
    EXPECT_TRUE(objects[challenge_name]["refused"].empty()) << objects;

    node::Node node = must(node::Node::open(world.dir()));
    const std::uint64_t to_honest = must(node.ledger->balance(world.prover(0)));
    const std::uint64_t to_mute = must(node.ledger->balance(world.prover(1)));
    std::uint64_t to_challengers = 0;
    for (std::size_t i = 0; i < 2; ++i) {
        to_challengers += must(node.ledger->balance(DaemonWorld::challenger_key(i).public_key()));
    }
    // The newest outcomes wait for a digest, and those that are audited for their response.
    EXPECT_EQ(to_challengers % 3, 0U);
    EXPECT_LE(to_challengers, 3 * outcomes);
    EXPECT_GT(to_challengers, 0U);
    EXPECT_EQ(to_mute, 0U);
    EXPECT_GT(to_honest, 0U);
    EXPECT_EQ(to_honest % 7, 0U);
    EXPECT_LE(to_honest, 7 * sum("served"));
    EXPECT_EQ(must(node.ledger->totals()).in_pool, DaemonWorld::kPool - to_honest - to_challengers);
    must(node.ledger->audit());
}

TEST_F(Daemons, ANodeThatStopsAndComesBackIsFollowedAgain) {
    Daemon before_stop = host();
    const std::string at = before_stop.ready()["address"];
    Daemon honest = prover(0, at);
    (void)honest.ready();
    std::this_thread::sleep_for(std::chrono::milliseconds(2 * world.params.block_ms));
    const Json before = before_stop.stop();
    Daemon after_stop = host(at);
    (void)after_stop.ready();
    std::this_thread::sleep_for(std::chrono::milliseconds(4 * world.params.block_ms));
    const Json after = after_stop.stop();
    const Json followed = honest.stop()["host"];
    EXPECT_GT(after["processed"]["tip"].get<std::uint64_t>(),
              before["processed"]["tip"].get<std::uint64_t>());
    EXPECT_GT(followed["tip"].get<std::uint64_t>(), before["processed"]["tip"].get<std::uint64_t>())
        << followed;
    EXPECT_GT(followed["failures"].get<std::uint64_t>(), 0U) << followed;
}

TEST_F(Daemons, WhatIsMissingOrWrongIsSaidBeforeAnythingRuns) {
    const auto log = quiet_log();
    const StopCheck at_once = [] { return true; };
    const auto message = [](const Result<Json>& r) { return r ? "" : r.error().message; };
    node::Config c = world.prover_config(0, "127.0.0.1:1");
    c.key = world.folder / "prover1.key";
    const Result<Json> wrong_key = node::run_prover(c, *log, {}, at_once);
    EXPECT_EQ(wrong_key.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(message(wrong_key).find("another key"), std::string::npos) << message(wrong_key);
    c = world.prover_config(0, "127.0.0.1:1");
    c.hosts.clear();
    EXPECT_NE(message(node::run_prover(c, *log, {}, at_once)).find("[[hosts]]"), std::string::npos);
    c = world.prover_config(0, "127.0.0.1:1");
    c.replicas.clear();
    EXPECT_NE(message(node::run_prover(c, *log, {}, at_once)).find("[[replicas]]"),
              std::string::npos);
    c = world.challenger_config(0, "127.0.0.1:1", {});
    std::filesystem::remove(node::challenger_file(c.key));
    EXPECT_NE(message(node::run_challenger(c, *log, {}, at_once)).find("challenger register"),
              std::string::npos);
    c = world.host_config();
    c.dir = world.folder / "nothing";
    EXPECT_EQ(node::run_host(c, *log, {}, at_once).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace holdfast::test
