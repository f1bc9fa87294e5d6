// Two and more nodes on real sockets.
#include "transport/tcp_network.hpp"

#include <condition_variable>
#include <mutex>

#include "callbacks/conformance.hpp"
#include "support/tcp_world.hpp"

namespace holdfast {
namespace {

using namespace test;
constexpr std::uint32_t kLong = 20'000;

PublicKey key_of(std::uint8_t n) { return node_key(n).public_key(); }

/// Holds its callers until it is opened.
class Gate {
  public:
    void pass() {
        std::unique_lock lock(mutex_);
        ++inside_;
        opened_.wait(lock, [this] { return open_; });
        --inside_;
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        opened_.notify_all();
    }
    unsigned inside() {
        const std::lock_guard lock(mutex_);
        return inside_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable opened_;
    bool open_ = false;
    unsigned inside_ = 0;
};

TEST(TcpNetwork, TwoNodesAskEachOtherOverOneConnection) {
    const TcpNode a = start_node(1);
    const TcpNode b = start_node(2);
    ASSERT_TRUE(b->add_peer({key_of(1), ""}));
    ASSERT_TRUE(a->add_peer(peer_at(2, *b)));
    const Status up = a->wait_connected(key_of(2), kLong);
    ASSERT_TRUE(up) << up.error().message;
    ASSERT_TRUE(b->wait_connected(key_of(1), kLong));
    const Bytes message = message_of(60'000);
    EXPECT_EQ(a->request(key_of(2), message, kLong).value().response, message);
    EXPECT_EQ(b->request(key_of(1), message, kLong).value().response, message);
    EXPECT_TRUE(a->post(key_of(2), message, kLong));
    EXPECT_EQ(a->measure_latency(key_of(2), 100, kLong).value().size(), 100U);
    const auto reply = b->send_challenge(key_of(1), message, kLong).value();
    EXPECT_EQ(reply.response, message);
    EXPECT_GT(reply.service_us, 0U);
    EXPECT_GT(reply.ping_us, 0U);
    EXPECT_EQ(a->statistics().completed + b->statistics().completed, 2U);
    EXPECT_EQ(a->peers()->size(), 1U);
    EXPECT_EQ(a->add_peer(peer_at(2, *b)).error().code, ErrorCode::kAlreadyExists);
    ASSERT_TRUE(a->remove_peer(key_of(2)));
    EXPECT_EQ(a->remove_peer(key_of(2)).error().code, ErrorCode::kNotFound);
    EXPECT_TRUE(soon([&] { return b->statistics().connections == 0; }));
    EXPECT_EQ(b->send_challenge(key_of(1), message, 100).error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(a->send_challenge(key_of(2), message, 100).error().code, ErrorCode::kNotFound);
}

/// An object of a kind with as many bytes, version and kind counted.
Bytes object_of(Kind kind, std::size_t bytes) {
    Bytes out = message_of(bytes);
    out[1] = static_cast<std::uint8_t>(kind);
    return out;
}

TEST(TcpNetwork, ASealProofOfTheDefaultPresetsAndTheLargestEvidenceTravel) {
    const TcpNode a = start_node(1);
    const TcpNode b = start_node(2);
    ASSERT_TRUE(b->add_peer({key_of(1), ""}));
    ASSERT_TRUE(a->add_peer(peer_at(2, *b)));
    ASSERT_TRUE(a->wait_connected(key_of(2), kLong));
    constexpr auto kBatch = static_cast<Kind>(kLargeApplicationKind);
    constexpr auto kDeposit = static_cast<Kind>(kDepositApplicationKind);
    const std::pair<Kind, std::size_t> travelling[] = {
        {kBatch, kMostRequestBytes},     {kDeposit, kMostRequestBytes},
        {Kind::kSealProof, 161'706 + 2}, {Kind::kSealProof, 167'594 + 2},
        {Kind::kSealProof, 512 * 1024},  {Kind::kEvidence, 1024 * 1024}};
    for (const auto& [kind, bytes] : travelling) {
        const Bytes object = object_of(kind, bytes);
        const auto reply = a->request(key_of(2), object, kLong);
        ASSERT_TRUE(reply) << bytes << ": " << reply.error().message;
        EXPECT_EQ(reply->response, object);
    }
    const std::pair<Kind, std::size_t> too_large[] = {{kBatch, kMostRequestBytes + 1},
                                                      {static_cast<Kind>(65), 64 * 1024 + 1},
                                                      {Kind::kSealProof, 512 * 1024 + 1},
                                                      {Kind::kEvidence, 1024 * 1024 + 1}};
    for (const auto& [kind, bytes] : too_large) {
        EXPECT_FALSE(a->request(key_of(2), object_of(kind, bytes), kLong)) << bytes;
    }
    // Nothing was sent of those: the connection stands.
    EXPECT_TRUE(a->request(key_of(2), message_of(100), kLong));
}

TEST(TcpNetwork, ConformsAsAHostsNetworkMust) {
    TcpNetworkOptions slow = node_options();
    slow.handler = [](const PublicKey&, ByteView) -> Result<Bytes> {
        std::this_thread::sleep_for(std::chrono::milliseconds(800));
        return Bytes(1);
    };
    const TcpNode b = start_node(2);
    const TcpNode c = start_node(3, std::move(slow));
    const std::shared_ptr<TcpNetwork> a = start_node(1);
    for (const auto& [n, node] : {std::pair{2, b.get()}, std::pair{3, c.get()}}) {
        const auto key = static_cast<std::uint8_t>(n);
        ASSERT_TRUE(node->add_peer({key_of(1), ""}));
        ASSERT_TRUE(a->add_peer(peer_at(key, *node)));
        ASSERT_TRUE(a->wait_connected(key_of(key), kLong));
    }
    const NetworkSubject subject{a, key_of(2), key_of(4), message_of(40), key_of(3)};
    const auto report = check_network(subject, {.timeout_ms = 600, .threads = 3});
    EXPECT_TRUE(report.passed()) << report.to_text();
    EXPECT_EQ(report.checks.size(), 8U);
}

TEST(TcpNetwork, RefusesWithAReason) {
    TcpNetworkOptions other = node_options();
    other.network = NetworkId(tagged_hash("test/other"));
    const TcpNode server = start_node(2);
    const TcpNode foreign = start_node(1, other);
    ASSERT_TRUE(foreign->add_peer(peer_at(2, *server)));
    const Status network = foreign->wait_connected(key_of(2), kLong);
    EXPECT_EQ(network.error().code, ErrorCode::kRefused);
    EXPECT_EQ(network.error().verdict.reason, Reason::kWrongNetwork);

    const TcpNode stranger = start_node(3);
    ASSERT_TRUE(stranger->add_peer(peer_at(2, *server)));
    EXPECT_EQ(stranger->wait_connected(key_of(2), kLong).error().code, ErrorCode::kPermission);

    const TcpNode mistaken = start_node(4);
    ASSERT_TRUE(mistaken->add_peer({key_of(5), server->address()}));
    const Status key = mistaken->wait_connected(key_of(5), kLong);
    EXPECT_EQ(key.error().verdict.reason, Reason::kBadKey);
    EXPECT_GE(mistaken->statistics().refused_key, 1U);
    EXPECT_GE(server->statistics().refused_network, 1U);
    EXPECT_GE(server->statistics().refused_key, 1U);

    // It is in again as soon as it may be.
    ASSERT_TRUE(server->add_peer({key_of(3), ""}));
    EXPECT_TRUE(soon([&] { return stranger->wait_connected(key_of(2), 100).has_value(); }));
}

TEST(TcpNetwork, APeerThatTheHandlerSendsAwayLosesItsConnectionAndMayComeBack) {
    TcpNetworkOptions strict = node_options();
    std::atomic<bool> away = true;
    strict.handler = [&away](const PublicKey& from, ByteView message) -> Result<Bytes> {
        if (away && from == key_of(1)) return fail(ErrorCode::kPermission, "too much garbage");
        return Bytes(message.begin(), message.end());
    };
    const TcpNode server = start_node(9, std::move(strict));
    const TcpNode a = start_node(1);
    const TcpNode b = start_node(2);
    for (const auto& [n, node] : {std::pair{1, a.get()}, std::pair{2, b.get()}}) {
        ASSERT_TRUE(server->add_peer({key_of(static_cast<std::uint8_t>(n)), ""}));
        ASSERT_TRUE(node->add_peer(peer_at(9, *server)));
        ASSERT_TRUE(node->wait_connected(key_of(9), kLong));
    }
    EXPECT_FALSE(a->request(key_of(9), message_of(100), kLong));
    EXPECT_TRUE(soon([&] { return server->statistics().peers_connected == 1; }));
    EXPECT_TRUE(b->request(key_of(9), message_of(100), kLong));
    away = false;
    EXPECT_TRUE(soon([&] { return a->request(key_of(9), message_of(100), kLong).has_value(); }));
}

TEST(TcpNetwork, TellsWhatIsWrongWithOptionsAndAddresses) {
    const auto code_of = [](const TcpNetworkOptions& options) {
        const auto node = TcpNetwork::start(node_key(1), options);
        return node ? std::optional<ErrorCode>() : node.error().code;
    };
    const TcpNode node = start_node(1);
    TcpNetworkOptions options = node_options();
    options.listen = node->address();
    EXPECT_EQ(code_of(options), ErrorCode::kAlreadyExists);
    for (const char* bad : {"127.0.0.1", ":1", "127.0.0.1:", "127.0.0.1:65536", "::1:5", "[]:5",
                            "nowhere:5", "127.0.0.1:5x"}) {
        options.listen = bad;
        EXPECT_EQ(code_of(options), ErrorCode::kInvalidArgument) << bad;
        if (std::string_view(bad).starts_with("nowhere")) continue;  // a name may be dialled
        EXPECT_EQ(node->add_peer({key_of(2), bad}).error().code, ErrorCode::kInvalidArgument);
    }
    options = node_options();
    options.roles = 8;
    EXPECT_EQ(code_of(options), ErrorCode::kInvalidArgument);
    options = node_options();
    options.workers = 0;
    EXPECT_EQ(code_of(options), ErrorCode::kInvalidArgument);
    options = node_options();
    options.limits.max_bytes = 0;
    EXPECT_EQ(code_of(options), ErrorCode::kInvalidArgument);
    EXPECT_EQ(node->add_peer({PublicKey{}, ""}).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(node->verify_place(key_of(2), {}, 100).error().code, ErrorCode::kUnavailable);
    ASSERT_TRUE(node->add_peer({key_of(2), ""}));
    EXPECT_EQ(node->request(key_of(2), Bytes{9, 9, 9}, 100).error().code,
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(node->request(key_of(2), message_of(65'537), 100).error().code,
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(node->wait_connected(key_of(2), 20).error().code, ErrorCode::kTimeout);
    EXPECT_EQ(node->wait_connected(key_of(3), 20).error().code, ErrorCode::kNotFound);
}

TEST(TcpNetwork, ConnectsAgainAfterThePeerRestartsAndHandsPostsOverOnce) {
    std::atomic<unsigned> taken = 0;
    TcpNetworkOptions options = node_options();
    options.handler = [&](const PublicKey&, ByteView) -> Result<Bytes> {
        ++taken;
        return Bytes{};
    };
    TcpNode server = start_node(2, options);
    ASSERT_TRUE(server->add_peer({key_of(1), ""}));
    options.listen = server->address();
    const TcpNode client = start_node(1);
    ASSERT_TRUE(client->add_peer(peer_at(2, *server)));
    ASSERT_TRUE(client->wait_connected(key_of(2), kLong));
    EXPECT_TRUE(client->post(key_of(2), message_of(10), kLong));
    server.reset();
    EXPECT_TRUE(soon([&] { return client->statistics().peers_connected == 0; }));
    EXPECT_EQ(client->request(key_of(2), message_of(10), 50).error().code, ErrorCode::kUnavailable);
    // A post waits for the peer to come back.
    std::thread later([&] { EXPECT_TRUE(client->post(key_of(2), message_of(11), kLong)); });
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    server = start_node(2, options);
    ASSERT_TRUE(server->add_peer({key_of(1), ""}));
    later.join();
    EXPECT_EQ(taken, 2U);
    EXPECT_GE(client->statistics().dialled, 2U);
}

TEST(TcpNetwork, LateAndRefusedChallengesAreTimeOuts) {
    Gate gate;
    std::atomic<int> mood = 0;
    TcpNetworkOptions options = node_options();
    options.workers = 3;
    options.handler = [&](const PublicKey&, ByteView) -> Result<Bytes> {
        if (mood == 0) gate.pass();
        if (mood == 1) return fail(ErrorCode::kBusy, "not now");
        if (mood == 2) return fail_refused(Reason::kNotAssigned, "challenge");
        if (mood == 3) throw std::runtime_error("a host's");
        return Bytes{};
    };
    const TcpNode server = start_node(2, options);
    const TcpNode client = start_node(1);
    ASSERT_TRUE(server->add_peer({key_of(1), ""}));
    ASSERT_TRUE(client->add_peer(peer_at(2, *server)));
    ASSERT_TRUE(client->wait_connected(key_of(2), kLong));
    const Bytes message = message_of(40);
    EXPECT_EQ(client->send_challenge(key_of(2), message, 40).error().code, ErrorCode::kTimeout);
    mood = 4;
    gate.open();  // the answer that nobody waits for any more disturbs nothing
    EXPECT_TRUE(client->send_challenge(key_of(2), message, kLong)->response.empty());
    mood = 1;
    EXPECT_EQ(client->send_challenge(key_of(2), message, kLong).error().code, ErrorCode::kTimeout);
    EXPECT_EQ(client->request(key_of(2), message, kLong).error().code, ErrorCode::kBusy);
    mood = 2;
    EXPECT_EQ(client->send_challenge(key_of(2), message, kLong).error().code, ErrorCode::kTimeout);
    EXPECT_EQ(client->request(key_of(2), message, kLong).error().verdict.reason,
              Reason::kNotAssigned);
    mood = 3;
    EXPECT_EQ(client->request(key_of(2), message, kLong).error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(server->request(key_of(1), message, kLong).value().response, message);
}

TEST(TcpNetwork, JudgesByTheClockThatItIsGiven) {
    // Both of the client's clocks are its own: the server's time does not matter.
    std::atomic<std::uint64_t> now_ns{1};
    std::atomic<std::uint64_t> takes_ns{0};
    TcpNetworkOptions served = node_options();
    served.handler = [&](const PublicKey&, ByteView) -> Result<Bytes> {
        // Not before the asking side has read its clock after sending.
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        now_ns += takes_ns;
        return Bytes{5};
    };
    TcpNetworkOptions owned = node_options();
    owned.clock_ns = [&] { return now_ns.load(); };
    const TcpNode server = start_node(2, served);
    const TcpNode client = start_node(1, owned);
    ASSERT_TRUE(server->add_peer({key_of(1), ""}));
    ASSERT_TRUE(client->add_peer(peer_at(2, *server)));
    ASSERT_TRUE(client->wait_connected(key_of(2), kLong));
    takes_ns = 4'999'000'000;
    EXPECT_EQ(client->send_challenge(key_of(2), message_of(9), 5'000)->service_us, 4'999'000U);
    takes_ns = 4'999'000'001;
    EXPECT_EQ(client->send_challenge(key_of(2), message_of(9), 5'000)->service_us, 4'999'001U);
    takes_ns = 5'000'000'000;
    EXPECT_TRUE(client->send_challenge(key_of(2), message_of(9), 5'000));
    takes_ns = 5'000'000'001;
    EXPECT_EQ(client->send_challenge(key_of(2), message_of(9), 5'000).error().code,
              ErrorCode::kTimeout);
}

TEST(TcpNetwork, MeasuresItsOwnPlaceAsAVantage) {
    TcpNetworkOptions options = node_options();
    options.place = Place{52'520'000, 13'405'000};
    options.vantage = "berlin";
    const TcpNode server = start_node(2);
    const TcpNode client = start_node(1, options);
    ASSERT_TRUE(server->add_peer({key_of(1), ""}));
    ASSERT_TRUE(client->add_peer(peer_at(2, *server)));
    ASSERT_TRUE(client->wait_connected(key_of(2), kLong));
    const auto reports = client->verify_place(key_of(2), {-33'868'000, 151'209'000}, kLong).value();
    ASSERT_EQ(reports.size(), 1U);
    EXPECT_EQ(reports[0].vantage, "berlin");
    EXPECT_GT(reports[0].distance_m, 15'000'000U);
    EXPECT_LT(reports[0].rtt_ns, 10'000'000'000U);
}

TEST(TcpNetwork, StopsWithWorkUnderWay) {
    Gate gate;
    TcpNetworkOptions options = node_options();
    options.handler = [&](const PublicKey&, ByteView) -> Result<Bytes> {
        gate.pass();
        return Bytes{1};
    };
    const std::size_t descriptors = open_descriptors();
    {
        const TcpNode server = start_node(2, options);
        const TcpNode client = start_node(1);
        ASSERT_TRUE(server->add_peer({key_of(1), ""}));
        ASSERT_TRUE(client->add_peer(peer_at(2, *server)));
        ASSERT_TRUE(client->wait_connected(key_of(2), kLong));
        // The server drains: what has been taken is answered.
        std::thread asking([&] { EXPECT_TRUE(client->request(key_of(2), message_of(9), kLong)); });
        ASSERT_TRUE(soon([&] { return gate.inside() == 1; }));
        std::thread opening([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            gate.open();
        });
        EXPECT_TRUE(server->stop(kLong));
        asking.join();
        opening.join();
        EXPECT_TRUE(server->stop(kLong));
        EXPECT_EQ(server->request(key_of(1), message_of(9), 10).error().code,
                  ErrorCode::kInterrupted);
        // The client is cut off: a post to a peer that is gone.
        std::thread posting([&] {
            EXPECT_EQ(client->post(key_of(2), message_of(9), kLong).error().code,
                      ErrorCode::kInterrupted);
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        EXPECT_EQ(client->stop(10).error().code, ErrorCode::kTimeout);
        posting.join();
        EXPECT_EQ(client->statistics().bytes_held, 0U);
        EXPECT_EQ(client->statistics().connections, 0U);
        EXPECT_EQ(client->statistics().peers_connected, 0U);
    }
    EXPECT_EQ(open_descriptors(), descriptors);
}

TEST(TcpNetwork, ServesManyThreadsAndManyPeers) {
    const TcpNode server = start_node(1);
    std::vector<TcpNode> clients;
    for (std::uint8_t n = 2; n < 6; ++n) {
        ASSERT_TRUE(server->add_peer({key_of(n), ""}));
        clients.push_back(start_node(n));
        ASSERT_TRUE(clients.back()->add_peer(peer_at(1, *server)));
    }
    std::vector<std::thread> threads;
    for (const TcpNode& client : clients) {
        for (std::uint8_t n = 0; n < 2; ++n) {
            threads.emplace_back([&client, n] {
                ASSERT_TRUE(client->wait_connected(key_of(1), kLong));
                for (std::uint8_t i = 0; i < 25; ++i) {
                    const Bytes message = message_of(500U + i, n);
                    const auto reply = client->request(key_of(1), message, kLong);
                    ASSERT_TRUE(reply) << reply.error().message;
                    EXPECT_EQ(reply->response, message);
                }
            });
        }
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(server->statistics().peers_connected, 4U);
    EXPECT_EQ(server->statistics().requests_waiting, 0U);
}

}  // namespace
}  // namespace holdfast
