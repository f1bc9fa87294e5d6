// A prover that takes data in: a client deposits 5 MiB over TCP, and watches it become proven.

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "command.hpp"
#include "core/codec.hpp"
#include "deposit/client.hpp"
#include "storage/key_file.hpp"
#include "support/seal_world.hpp"
#include "transport/tcp_network.hpp"

namespace holdfast::test {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

class DepositDaemons : public ::testing::Test {
  protected:
    static constexpr const char* kNetwork =
        "network init node --name keep --preset dev --no-vdf --set block_ms=500 "
        "--set finality_blocks=1 --set seal_delay=3 --set seal_deadline=30 --set link_lag=2 "
        "--set rate_window=400 --set misses_late=300 --set misses_expired=390 "
        "--set removal_delay=2";

    void SetUp() override {
        fs::create_directory(n());
        fs::create_directory(p());
        good(n(), kNetwork);
        host_key = good(n(), "keygen host.key --json").json()["public_key"];
        alice = good(p(), "keygen alice.key --json").json()["public_key"];
        good(n(), "chain new-block --count 2");
        good(n(), "ledger issue --key " + alice + " --amount 100000");
        bond =
            good(n(), "ledger bond --owner " + alice + " --amount 50000 --purpose storage --json")
                .json()["bond_id"];
        fs::copy_file(n() / "node/chain/network.params", p() / "network.params");
        const std::string text =
            "[deposits]\nfolder = \"in\"\nreserve_bytes = 0\n"
            "[[depositors]]\nkey = \"" +
            to_hex(owner.public_key()) + "\"\nbytes = 20000000\n";
        spill(p() / "prover.toml", view(text));
    }
    [[nodiscard]] fs::path n() const { return folder / "n"; }
    [[nodiscard]] fs::path p() const { return folder / "p"; }
    static Ran good(const fs::path& where, const std::string& line) {
        const Ran ran = holdfast_command(where, words_of(line));
        EXPECT_EQ(ran.code, kExitOk) << ran;
        return ran;
    }
    static std::unique_ptr<Command> start(const fs::path& where, const std::string& line) {
        return std::make_unique<Command>(where, words_of(line + " --json"));
    }
    static Json ready(const Command& daemon) {
        const Json said = Json::parse(daemon.first_line(), nullptr, false);
        EXPECT_TRUE(said.is_object() && said.value("event", "") == "ready") << daemon.said();
        return said.is_object() ? said : Json::object();
    }
    std::unique_ptr<Command> start_prover(const std::string& host) const {
        return start(p(),
                     "prover --config prover.toml --params network.params --key alice.key "
                     "--listen 127.0.0.1:0 --log-file prover.log --bond " +
                         bond + " --host " + host_key + "@" + host);
    }
    /// Connected as the owner.
    [[nodiscard]] std::unique_ptr<TcpNetwork> connect(const NetworkId& network,
                                                      const std::string& address) const {
        TcpNetworkOptions options;
        options.network = network;
        options.roles = kRoleReader;
        auto tcp = TcpNetwork::start(owner, std::move(options));
        EXPECT_TRUE(tcp) << tcp.error().message;
        EXPECT_TRUE((*tcp)->add_peer({prover_key(), address}));
        const Status up = (*tcp)->wait_connected(prover_key(), 20'000);
        EXPECT_TRUE(up) << up.error().message;
        return std::move(*tcp);
    }
    [[nodiscard]] PublicKey prover_key() const {
        PublicKey key;
        EXPECT_TRUE(from_hex(alice, MutByteView(key.bytes)));
        return key;
    }
    [[nodiscard]] NetworkId network_id() const {
        const Bytes object = slurp(p() / "network.params");
        const auto body = unwrap_object(Kind::kNetwork, object);
        EXPECT_TRUE(body);
        const auto params = NetworkParams::decode(*body);
        EXPECT_TRUE(params);
        return params->id();
    }
    template <class Holds>
    DepositState wait_for(const DepositClient& client, const DepositOrder& order,
                          const Holds& holds) const {
        DepositState last;
        for (int i = 0; i < 300; ++i) {
            const auto state = client.state(order);
            EXPECT_TRUE(state) << state.error().message;
            if (!state) return last;
            last = *state;
            if (holds(last)) return last;
            std::this_thread::sleep_for(std::chrono::milliseconds(200));
        }
        const Bytes log = slurp(p() / "prover.log");
        ADD_FAILURE() << to_string(last.phase) << "\n" << std::string(log.begin(), log.end());
        return last;
    }

    TempFolder folder;
    KeyPair owner = KeyPair::from_secret(Bytes(32, 77));
    std::string host_key, alice, bond;
};

TEST_F(DepositDaemons, FiveMebibytesBecomeProvenThroughARestartAndGoWhenTheirOwnerWishes) {
    auto node = start(n(),
                      "node --dir node --key host.key --accept-anyone --log-file node.log "
                      "--listen 127.0.0.1:0");
    const std::string host = ready(*node)["address"];
    auto prover = start_prover(host);
    std::unique_ptr<TcpNetwork> tcp = connect(network_id(), ready(*prover)["address"]);
    const auto ask = [&](ByteView question) -> Result<Bytes> {
        HOLDFAST_ASSIGN(reply, tcp->request(prover_key(), question, 10'000));
        return std::move(reply.response);
    };
    const DepositClient client(network_id(), prover_key(), owner, ask);
    const Bytes data = some_bytes(5 << 20);
    DepositOrder order;
    order.id.bytes[0] = 1;
    order.bytes = data.size();
    const auto terms = client.terms(order.bytes);
    ASSERT_TRUE(terms) << terms.error().message;
    order.terms = *terms;
    ASSERT_TRUE(client.open(order));
    std::vector<Digest> roots;
    for (std::uint64_t i = 0; i < piece_count(data.size()); ++i) {
        const ByteView piece = ByteView(data).subspan(i * kPieceBytes, kPieceBytes);
        roots.push_back(piece_root(data.size(), i, piece));
        if (i == 2) {
            // The prover is killed in the middle, and comes back elsewhere.
            tcp.reset();
            prover->send(SIGKILL);
            (void)prover->wait();
            prover = start_prover(host);
            tcp = connect(network_id(), ready(*prover)["address"]);
            const auto resumed = client.state(order);
            ASSERT_TRUE(resumed) << resumed.error().message;
            EXPECT_EQ(resumed->arrived, 2 * kPieceBytes);
            EXPECT_EQ(resumed->arrived_root, root_of_pieces(std::span(roots).first(2)));
        }
        const auto sent = client.send_piece(order, i, piece);
        ASSERT_TRUE(sent) << sent.error().message;
    }
    const auto finished = client.finish(order, root_of_pieces(roots));
    ASSERT_TRUE(finished) << finished.error().message;
    const DepositState proven = wait_for(client, order, [](const DepositState& s) {
        return s.phase == DepositPhase::kProven && s.linked.value > 0;
    });
    EXPECT_FALSE(proven.chain.is_zero());
    const Json listed = good(p(), "prover deposits --key alice.key --json").json();
    EXPECT_EQ(listed["deposits"][0]["phase"], "proven") << listed;
    EXPECT_EQ(listed["deposits"][0]["chain"], to_hex(proven.chain)) << listed;
    EXPECT_NE(good(p(), "prover deposits --key alice.key").out.find("proven"), std::string::npos);
    const auto asked = client.list();
    ASSERT_TRUE(asked);
    EXPECT_EQ(asked->deposits.size(), 1U);

    ASSERT_TRUE(client.remove(order, 1));
    const DepositState gone = wait_for(
        client, order, [](const DepositState& s) { return s.reason == DepositReason::kRemoved; });
    EXPECT_EQ(gone.phase, DepositPhase::kEnded);
    EXPECT_FALSE(fs::exists(p() / "in" / (to_hex(order.id) + ".replica")));
    tcp.reset();
    prover->send(SIGTERM);
    EXPECT_EQ(prover->wait().code, kExitOk);
    node->send(SIGTERM);
    EXPECT_EQ(node->wait().code, kExitOk);
}

}  // namespace
}  // namespace holdfast::test
