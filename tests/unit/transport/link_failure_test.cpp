// Why a peer is not connected, over real sockets: in the call's error, the report, the counts, and
// told once.
#include "transport/link_failure.hpp"

#include <atomic>
#include <set>

#include "support/tcp_world.hpp"

namespace holdfast {
namespace {

using namespace test;
constexpr std::uint32_t kLong = 20'000;
constexpr std::uint32_t kMoment = 50;

PublicKey key_of(std::uint8_t n) { return node_key(n).public_key(); }

/// A socket that listens and does as the test likes with whoever comes.
class Listener {
  public:
    explicit Listener(std::string greeting = {}, bool accepts = true)
        : greeting_(std::move(greeting)), descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in here{};
        here.sin_family = AF_INET;
        ::inet_pton(AF_INET, "127.0.0.1", &here.sin_addr);
        socklen_t size = sizeof(here);
        EXPECT_EQ(::bind(descriptor_, reinterpret_cast<sockaddr*>(&here), size), 0);
        EXPECT_EQ(::listen(descriptor_, 16), 0);
        EXPECT_EQ(::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&here), &size), 0);
        address_ = "127.0.0.1:" + std::to_string(ntohs(here.sin_port));
        if (accepts) thread_ = std::thread([this] { serve(); });
    }
    ~Listener() {
        ::shutdown(descriptor_, SHUT_RDWR);
        if (thread_.joinable()) thread_.join();
        ::close(descriptor_);
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    [[nodiscard]] const std::string& address() const { return address_; }

  private:
    void serve() const {
        while (true) {
            const int one = ::accept(descriptor_, nullptr, nullptr);
            if (one < 0) return;
            // Reads what the other side begins with: closing over unread bytes would reset.
            std::array<char, 4'096> scrap{};
            (void)::recv(one, scrap.data(), scrap.size(), 0);
            (void)::send(one, greeting_.data(), greeting_.size(), MSG_NOSIGNAL);
            ::close(one);
        }
    }
    std::string greeting_;
    int descriptor_;
    std::string address_;
    std::thread thread_;
};

std::string closed_port() {
    const Listener gone({}, false);
    return gone.address();
}

/// Two peers that cannot be connected for a reason: everything that is said about it.
void expect_said(const TcpNetworkOptions& options, const Peer& peer, LinkFailure failure,
                 const std::string& words) {
    std::mutex mutex;
    std::vector<PeerReport> told;
    TcpNetworkOptions listening = options;
    listening.on_link = [&](const PeerReport& report) {
        const std::lock_guard lock(mutex);
        told.push_back(report);
    };
    const TcpNode node = start_node(1, listening);
    ASSERT_TRUE(node->add_peer(peer));
    ASSERT_TRUE(soon([&] { return node->peer_report(peer.key)->failures >= 2; }))
        << to_string(failure);
    const PeerReport report = node->peer_report(peer.key).value();
    ASSERT_TRUE(report.failure) << words;
    EXPECT_EQ(to_string(*report.failure), to_string(failure)) << report.why;
    EXPECT_FALSE(report.connected);
    EXPECT_NE(report.why.find(words), std::string::npos) << report.why;
    EXPECT_NE(report.why.find(peer.address), std::string::npos) << report.why;
    // Every call that needs the connection says it.
    const Bytes message = message_of(40);
    for (const Error& error : {node->request(peer.key, message, kMoment).error(),
                               node->send_challenge(peer.key, message, kMoment).error(),
                               node->measure_latency(peer.key, 3, kMoment).error()}) {
        EXPECT_EQ(error.code, ErrorCode::kUnavailable) << error.message;
        EXPECT_NE(error.message.find(words), std::string::npos) << error.message;
    }
    // Waiting ends at once where it is of no use, and says the reason in any case.
    const auto began = std::chrono::steady_clock::now();
    const Status waited = node->wait_connected(peer.key, is_final(failure) ? kLong : kMoment);
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
    EXPECT_EQ(waited.error().code == ErrorCode::kTimeout, !is_final(failure));
    EXPECT_NE(waited.error().message.find(words), std::string::npos) << waited.error().message;
    EXPECT_GE(node->statistics().link_failures.at(static_cast<std::size_t>(failure)), 2U);
    EXPECT_EQ(node->peer_reports(10)->size(), 1U);
    EXPECT_TRUE(node->peer_reports(0)->empty());
    const std::lock_guard lock(mutex);
    EXPECT_EQ(told.size(), 1U) << "once for each reason, not for each attempt";
}

TEST(LinkFailure, ClosedPort) {
    expect_said(node_options(), {key_of(2), closed_port()}, LinkFailure::kRefused,
                "connection refused");
}

TEST(LinkFailure, UnknownHost) {
    expect_said(node_options(), {key_of(2), "no-such-host.invalid:9001"}, LinkFailure::kNoSuchName,
                "cannot be looked up");
}

TEST(LinkFailure, WrongKey) {
    const TcpNode server = start_node(2);
    ASSERT_TRUE(server->add_peer({key_of(1), ""}));
    expect_said(node_options(), {key_of(3), server->address()}, LinkFailure::kWrongKey,
                to_hex(view(key_of(2))));
}

TEST(LinkFailure, OtherNetwork) {
    TcpNetworkOptions other = node_options();
    other.network = NetworkId(tagged_hash("test/other"));
    const TcpNode server = start_node(2, other);
    ASSERT_TRUE(server->add_peer({key_of(1), ""}));
    expect_said(node_options(), {key_of(2), server->address()}, LinkFailure::kNetwork,
                "another network");
    // The side that refused knows it, too: of a key in its settings.
    const PeerReport there = server->peer_report(key_of(1)).value();
    ASSERT_TRUE(there.failure);
    EXPECT_EQ(*there.failure, LinkFailure::kNetwork);
    EXPECT_NE(there.why.find("this node refused"), std::string::npos) << there.why;
}

TEST(LinkFailure, KeyThatIsNotServed) {
    const TcpNode server = start_node(2);
    expect_said(node_options(), {key_of(2), server->address()}, LinkFailure::kNotAllowed,
                "does not serve this key");
}

TEST(LinkFailure, AnswersThatAreNoTls) {
    const Listener http("HTTP/1.1 400 Bad Request\r\n\r\n");
    expect_said(node_options(), {key_of(2), http.address()}, LinkFailure::kTls, "TLS 1.3");
}

TEST(LinkFailure, ConnectionThatIsClosedAtOnce) {
    const Listener door;
    expect_said(node_options(), {key_of(2), door.address()}, LinkFailure::kClosed, "closed");
}

TEST(LinkFailure, NobodyAnswersInTime) {
    const Listener deaf({}, false);
    TcpNetworkOptions options = node_options();
    options.limits.handshake_timeout_ms = 100;
    expect_said(options, {key_of(2), deaf.address()}, LinkFailure::kTimeout, "in time");
}

TEST(LinkFailure, CeilingOfThePeer) {
    TcpNetworkOptions options = node_options();
    options.accept_anyone = true;
    options.limits.max_peers = 1;
    const TcpNode server = start_node(2, options);
    const TcpNode first = start_node(3);
    ASSERT_TRUE(first->add_peer(peer_at(2, *server)));
    ASSERT_TRUE(first->wait_connected(key_of(2), kLong));
    expect_said(node_options(), peer_at(2, *server), LinkFailure::kCeiling, "too many connections");
}

TEST(LinkFailure, CeilingThatIsReachedBeforeTls) {
    TcpNetworkOptions options = node_options();
    options.accept_anyone = true;
    options.limits.max_per_address = 1;
    const TcpNode server = start_node(2, options);
    const TcpNode first = start_node(3);
    ASSERT_TRUE(first->add_peer(peer_at(2, *server)));
    ASSERT_TRUE(first->wait_connected(key_of(2), kLong));
    expect_said(node_options(), peer_at(2, *server), LinkFailure::kCeiling, "too many connections");
    EXPECT_GE(server->statistics().refused_ceiling, 2U);
}

TEST(LinkFailure, OneKeyInTwoProcessesIsToldToBoth) {
    TcpNetworkOptions open = node_options();
    open.accept_anyone = true;
    const TcpNode server = start_node(2, open);
    std::atomic<int> told[2] = {0, 0};
    std::vector<TcpNode> both;
    for (std::size_t i = 0; i < 2; ++i) {
        TcpNetworkOptions options = node_options();
        options.on_link = [&counter = told[i]](const PeerReport& report) {
            if (report.failure == LinkFailure::kSameKey) ++counter;
        };
        both.push_back(start_node(1, options));  // each network is a process to its peers
        ASSERT_TRUE(both.back()->add_peer(peer_at(2, *server)));
        ASSERT_TRUE(both.back()->wait_connected(key_of(2), kLong));
    }
    EXPECT_TRUE(soon([&] { return told[0] > 0 && told[1] > 0; })) << told[0] << " " << told[1];
    for (const TcpNode& one : both) {
        EXPECT_GE(one->statistics().same_key, 1U);
        EXPECT_LT(one->statistics().same_key_age_ms, 60'000U);
    }
    EXPECT_GE(server->statistics().peers_doubled, 1U);
    EXPECT_EQ(server->statistics().same_key, 0U) << "nobody else has the server's";
}

TEST(LinkFailure, AProcessThatStartedAgainIsNoSecondOne) {
    TcpNetworkOptions open = node_options();
    open.accept_anyone = true;
    const TcpNode server = start_node(2, open);
    for (int run = 0; run < 3; ++run) {
        const TcpNode client = start_node(1);
        ASSERT_TRUE(client->add_peer(peer_at(2, *server)));
        ASSERT_TRUE(client->wait_connected(key_of(2), kLong));
        EXPECT_EQ(client->statistics().same_key, 0U);
    }
    EXPECT_EQ(server->statistics().peers_doubled, 0U);
}

TEST(LinkFailure, PeerWithoutAnAddressAndPeerThatIsBeingDialled) {
    const TcpNode node = start_node(1);
    ASSERT_TRUE(node->add_peer({key_of(2), ""}));
    const Error none = node->request(key_of(2), message_of(40), kMoment).error();
    EXPECT_NE(none.message.find("no address here"), std::string::npos) << none.message;
    const Listener deaf({}, false);
    ASSERT_TRUE(node->add_peer({key_of(3), deaf.address()}));
    const Error busy = node->request(key_of(3), message_of(40), kMoment).error();
    EXPECT_NE(busy.message.find("no answer yet from " + deaf.address()), std::string::npos)
        << busy.message;
    EXPECT_EQ(node->peer_report(key_of(4)).error().code, ErrorCode::kNotFound);
}

TEST(LinkFailure, IsForgottenOnceThePeerIsConnectedAndNewWhenItGoes) {
    TcpNode server = start_node(2);
    ASSERT_TRUE(server->add_peer({key_of(1), ""}));
    std::mutex mutex;
    std::vector<bool> told;
    TcpNetworkOptions options = node_options();
    options.on_link = [&](const PeerReport& report) {
        const std::lock_guard lock(mutex);
        told.push_back(report.connected);
    };
    const TcpNode node = start_node(1, options);
    const Peer peer = peer_at(2, *server);
    ASSERT_TRUE(node->add_peer(peer));
    ASSERT_TRUE(node->wait_connected(peer.key, kLong));
    const PeerReport up = node->peer_report(peer.key).value();
    EXPECT_TRUE(up.connected);
    EXPECT_FALSE(up.failure);
    EXPECT_EQ(up.failures, 0U);
    server.reset();
    EXPECT_TRUE(
        soon([&] { return node->peer_report(peer.key)->failure == LinkFailure::kRefused; }));
    const std::lock_guard lock(mutex);
    EXPECT_TRUE(told.front());
    EXPECT_FALSE(told.back());
}

TEST(LinkFailure, NamesAreStable) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < kLinkFailureCount; ++i) {
        names.insert(to_string(static_cast<LinkFailure>(i)));
    }
    EXPECT_EQ(names.size(), kLinkFailureCount);
    EXPECT_TRUE(names.contains("wrong-key"));
    EXPECT_TRUE(names.contains("no-such-name"));
}

TEST(ListenAddress, NameIsLookedUp) {
    TcpNetworkOptions options = node_options();
    options.listen = "localhost:0";
    const TcpNode server = start_node(2, options);
    EXPECT_FALSE(server->address().empty());
    EXPECT_EQ(server->address().find("localhost"), std::string::npos) << server->address();
    ASSERT_TRUE(server->add_peer({key_of(1), ""}));
    const TcpNode client = start_node(1);
    const std::string port = server->address().substr(server->address().rfind(':'));
    ASSERT_TRUE(client->add_peer({key_of(2), "localhost" + port}));
    EXPECT_TRUE(client->wait_connected(key_of(2), kLong));

    options.listen = "no-such-host.invalid:0";
    const auto unknown = TcpNetwork::start(node_key(3), options);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(unknown.error().message.find("cannot be looked up"), std::string::npos);
    EXPECT_TRUE(numeric_tcp_addresses("localhost").empty()) << "without a port";
    EXPECT_EQ(numeric_tcp_addresses("[::1]:5"), std::vector<std::string>{"[::1]:5"});
}

}  // namespace
}  // namespace holdfast
