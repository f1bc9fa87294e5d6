// Peers that mean harm, on real sockets: what they send is refused, what they hold is bounded, and
// the others are served.
#include "support/tcp_world.hpp"

namespace holdfast {
namespace {

using namespace test;
constexpr std::uint32_t kLong = 20'000;

PublicKey key_of(std::uint8_t n) { return node_key(n).public_key(); }

/// A server that takes anybody, and an honest peer of it.
struct Rig {
    explicit Rig(TcpNetworkOptions options = node_options()) {
        options.accept_anyone = true;
        server = start_node(1, std::move(options));
        honest = start_node(2);
        EXPECT_TRUE(honest->add_peer(peer_at(1, *server)));
        EXPECT_TRUE(honest->wait_connected(key_of(1), kLong));
    }
    /// The honest peer is served now.
    [[nodiscard]] testing::AssertionResult serves() const {
        const auto reply = honest->send_challenge(key_of(1), message_of(100), 10'000);
        if (reply) return testing::AssertionSuccess();
        return testing::AssertionFailure() << reply.error().message;
    }
    [[nodiscard]] TcpStatistics now() const { return server->statistics(); }

    TcpNode server;
    TcpNode honest;
};

Goodbye code_of(const std::optional<Notice>& notice) {
    return static_cast<Goodbye>(notice ? notice->code : 0);
}

TEST(TcpHostile, GarbageInsteadOfTlsEndsTheConnection) {
    Rig rig;
    for (const Bytes& garbage : {Bytes(2'000, 0xff), Bytes(2'000, 0x16), Bytes(5, 0)}) {
        const RawSocket socket(rig.server->address());
        socket.write(garbage);
        if (garbage.size() < 10) ::shutdown(socket.descriptor(), SHUT_WR);
        EXPECT_TRUE(socket.ends());
    }
    EXPECT_EQ(rig.now().refused_tls, 3U);
    EXPECT_TRUE(soon([&] { return rig.now().connections == 1; }));
    EXPECT_TRUE(rig.serves());
}

TEST(TcpHostile, HellosThatDoNotFitAreAnsweredWithTheReason) {
    Rig rig;
    const auto told = [&](const Hello& hello) {
        RawPeer peer(rig.server->address(), node_key(9));
        EXPECT_TRUE(peer.secure());
        peer.hello(hello);
        return peer.goodbye();
    };
    EXPECT_EQ(code_of(told({1, NetworkId{}, kRoleProver, 0})), Goodbye::kNetwork);
    EXPECT_EQ(code_of(told({1, test_network(), 0, 0})), Goodbye::kRoles);
    const auto version = told({7, test_network(), kRoleProver, 0});
    EXPECT_EQ(code_of(version), Goodbye::kVersion);
    EXPECT_EQ(version->detail, kTransportVersion);
    RawPeer hasty(rig.server->address(), node_key(9));
    hasty.frame({2, FrameType::kRequest, kEchoKind, 0}, message_of(2));
    EXPECT_EQ(code_of(hasty.goodbye()), Goodbye::kMalformed);
    const TcpStatistics now = rig.now();
    EXPECT_EQ(now.refused_version, 1U);
    EXPECT_EQ(now.refused_network, 1U);
    EXPECT_EQ(now.refused_malformed, 2U);
    EXPECT_TRUE(rig.serves());
}

TEST(TcpHostile, MalformedFramesEndTheConnectionBeforeAnythingIsHeld) {
    Rig rig;
    const auto told = [&](const FrameHeader& header, ByteView payload) {
        RawPeer peer(rig.server->address(), node_key(9));
        EXPECT_TRUE(peer.greet());
        peer.frame(header, payload);
        return peer.goodbye();
    };
    const Bytes wrong_kind = {1, 65};
    for (const auto& [header, payload] : std::vector<std::pair<FrameHeader, Bytes>>{
             {{UINT32_MAX, FrameType::kRequest, kEchoKind, 1}, {}},
             {{64 * 1'024 + 1, FrameType::kPost, kEchoKind, 1}, {}},
             {{2, FrameType::kRequest, 40, 1}, {}},
             {{2, FrameType::kRequest, kEchoKind, 1}, wrong_kind},
             {{0, static_cast<FrameType>(77), 0, 1}, {}},
             {{16U << 20, FrameType::kResponse, 0, 3}, {}},  // nobody asked
             {{kNoticeBytes, FrameType::kRefusal, 0, 3}, encode_notice({1, 0})},
             {{0, FrameType::kPong, 0, 3}, {}},
             {{kHelloBytes, FrameType::kHello, 0, 0}, Bytes(kHelloBytes)}}) {
        EXPECT_EQ(code_of(told(header, payload)), Goodbye::kMalformed)
            << int{static_cast<std::uint8_t>(header.type)} << " " << header.length;
    }
    EXPECT_TRUE(soon([&] { return rig.now().connections == 1; }));
    EXPECT_TRUE(soon([&] { return rig.now().bytes_held == 0; }));
    EXPECT_TRUE(rig.serves());
}

TEST(TcpHostile, SlowAndHalfOpenConnectionsRunOutOfTime) {
    TcpNetworkOptions options = node_options();
    options.limits.handshake_timeout_ms = 600;
    options.limits.frame_timeout_ms = 300;
    options.limits.keepalive_ms = 200;
    options.limits.idle_timeout_ms = 1'500;
    Rig rig(options);
    const RawSocket silent(rig.server->address());  // half open: never a byte
    RawPeer no_hello(rig.server->address(), node_key(8));
    RawPeer slow(rig.server->address(), node_key(9));  // a frame that never ends
    ASSERT_TRUE(slow.greet());
    slow.frame({1'000, FrameType::kRequest, kEchoKind, 1}, message_of(10));
    RawPeer deaf(rig.server->address(), node_key(10));  // answers no ping
    ASSERT_TRUE(deaf.greet());
    EXPECT_TRUE(silent.ends());
    EXPECT_TRUE(no_hello.socket().ends());
    EXPECT_TRUE(slow.socket().ends());
    EXPECT_TRUE(deaf.socket().ends());
    EXPECT_GE(rig.now().timed_out, 4U);
    EXPECT_EQ(rig.now().handshakes, 0U);
    EXPECT_TRUE(soon([&] { return rig.now().bytes_held == 0; }));  // a ping may be on its way
    EXPECT_TRUE(rig.serves());  // whose silence was broken by pongs
}

TEST(TcpHostile, ReplayedAndReorderedNumbersAreTakenOnce) {
    std::atomic<unsigned> taken = 0;
    TcpNetworkOptions options = node_options();
    options.handler = [&](const PublicKey&, ByteView) -> Result<Bytes> {
        ++taken;
        return Bytes{1};
    };
    Rig rig(options);
    RawPeer peer(rig.server->address(), node_key(9));
    ASSERT_TRUE(peer.greet());
    const Bytes message = message_of(50);
    const auto ask = [&](RawPeer& from, std::uint64_t number) {
        from.frame({50, FrameType::kRequest, kEchoKind, number}, message);
        const auto answer = from.read();
        if (!answer || answer->first.number != number) return -1;
        if (answer->first.type == FrameType::kResponse) return 0;
        const auto notice = decode_notice(FrameType::kRefusal, answer->second);
        return notice ? int{notice->code} : -1;
    };
    constexpr int kDuplicate = static_cast<int>(Refusal::kDuplicate);
    EXPECT_EQ(ask(peer, 7), 0);
    EXPECT_EQ(ask(peer, 5), 0);
    EXPECT_EQ(ask(peer, 7), kDuplicate);
    EXPECT_EQ(ask(peer, 5), kDuplicate);
    EXPECT_EQ(ask(peer, 5'000), 0);
    EXPECT_EQ(ask(peer, 6), static_cast<int>(Refusal::kStale));
    // Not even over another connection of the same run.
    RawPeer again(rig.server->address(), node_key(9));
    ASSERT_TRUE(again.greet());
    EXPECT_EQ(ask(again, 5'000), kDuplicate);
    EXPECT_EQ(taken, 3U);
    EXPECT_EQ(rig.now().duplicates, 4U);
}

TEST(TcpHostile, AFloodIsThrottledWhileOthersAreServed) {
    TcpNetworkOptions options = node_options();
    options.limits.frames_per_second = 200;
    Rig rig(options);
    std::atomic<bool> over = false;
    std::atomic<std::uint64_t> answered = 0;
    RawPeer peer(rig.server->address(), node_key(9));
    ASSERT_TRUE(peer.greet());
    const auto began = std::chrono::steady_clock::now();
    std::thread flood([&] {
        // As many pings as the socket takes; the pongs are read by nobody until it is full.
        for (std::uint64_t n = 1; !over && peer.frame({0, FrameType::kPing, 0, n}); ++n) {
            const auto pong = n % 16 == 0 ? peer.read() : std::nullopt;
            if (pong) ++answered;
        }
    });
    for (int i = 0; i < 30; ++i) EXPECT_TRUE(rig.serves());
    const bool throttled = soon([&] { return rig.now().throttled > 0; });
    over = true;
    EXPECT_TRUE(throttled);
    EXPECT_LT(rig.now().bytes_held, 1U << 20);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
    const double most = 200.0 * (seconds.count() + 2) + 100;  // and what was honest
    EXPECT_LT(static_cast<double>(rig.now().frames_in), most);
    ::shutdown(peer.socket().descriptor(), SHUT_RDWR);
    flood.join();
}

TEST(TcpHostile, RequestsThatPileUpAreNotReadAndHoldBackNobody) {
    std::atomic<bool> open = false;
    TcpNetworkOptions options = node_options();
    options.limits.max_requests_per_peer = 4;
    options.limits.max_requests = 4;  // beyond which others still have one each
    options.workers = 6;
    options.handler = [&](const PublicKey& from, ByteView message) -> Result<Bytes> {
        while (from == key_of(9) && !open) {
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        return Bytes(message.begin(), message.end());
    };
    Rig rig(options);
    RawPeer peer(rig.server->address(), node_key(9));
    ASSERT_TRUE(peer.greet());
    constexpr std::uint64_t kRequests = 40;
    for (std::uint64_t n = 1; n <= kRequests; ++n) {
        peer.frame({100, FrameType::kRequest, kEchoKind, n}, message_of(100));
    }
    EXPECT_TRUE(soon([&] { return rig.now().requests_waiting == 4; }));
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(rig.serves());
    EXPECT_LE(rig.now().requests_waiting, 4U);
    open = true;
    for (std::uint64_t n = 1; n <= kRequests; ++n) {
        const auto answer = peer.read();
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->first.type, FrameType::kResponse);
    }
}

TEST(TcpHostile, WhoDoesNotReadIsRefusedAndThenCutOff) {
    TcpNetworkOptions options = node_options();
    options.limits.max_queue_bytes_per_peer = 256 * 1'024;
    options.limits.frame_timeout_ms = 400;
    options.limits.keepalive_ms = 200;
    options.limits.max_requests_per_peer = 64;
    options.handler = [](const PublicKey& from, ByteView) -> Result<Bytes> {
        return Bytes(from == key_of(9) ? 100'000 : 1);
    };
    Rig rig(options);
    RawPeer peer(rig.server->address(), node_key(9));
    ASSERT_TRUE(peer.greet());
    std::uint64_t number = 0;
    const auto ask = [&] {
        return peer.frame({100, FrameType::kRequest, kEchoKind, ++number}, message_of(100));
    };
    // Until the sockets between them hold no more, and then the queue does not either.
    EXPECT_TRUE(soon([&] {
        for (int i = 0; i < 10 && ask(); ++i) {
        }
        return rig.now().busy > 0;
    }));
    EXPECT_LE(rig.now().bytes_held, 600U * 1'024);
    EXPECT_TRUE(rig.serves());
    EXPECT_TRUE(soon([&] {
        (void)ask();
        return rig.now().connections == 1;
    }));
    EXPECT_TRUE(soon([&] { return rig.now().bytes_held == 0; }));
}

TEST(TcpHostile, ConnectionsAreCountedByAddressKeyAndInAll) {
    TcpNetworkOptions options = node_options();
    options.limits.max_connections = 12;
    options.limits.max_per_address = 4;
    options.limits.max_handshakes = 6;
    options.limits.max_per_key = 2;
    options.limits.handshake_timeout_ms = 60'000;
    Rig rig(options);
    const std::size_t descriptors = open_descriptors();
    std::vector<std::unique_ptr<RawSocket>> sockets;
    for (int i = 0; i < 20; ++i) {
        sockets.push_back(std::make_unique<RawSocket>(rig.server->address(), "127.0.0.2"));
    }
    EXPECT_TRUE(soon([&] { return rig.now().refused_ceiling == 16; }));  // 4 of 20
    for (int i = 0; i < 20; ++i) {
        sockets.push_back(std::make_unique<RawSocket>(rig.server->address(), "127.0.0.3"));
    }
    // 4 of 20, and 2 of the first 4 have made room for them.
    EXPECT_TRUE(soon([&] { return rig.now().refused_ceiling == 34; }));
    EXPECT_EQ(rig.now().connections, 7U);
    EXPECT_LE(open_descriptors(), descriptors + 40 + 6);
    EXPECT_TRUE(rig.serves());
    // Half-open connections keep nobody out.
    EXPECT_TRUE(RawPeer(rig.server->address(), node_key(8), "127.0.0.5").greet());
    sockets.clear();
    EXPECT_TRUE(soon([&] { return rig.now().connections == 1; }));
    std::vector<std::unique_ptr<RawPeer>> same;
    for (int i = 0; i < 3; ++i) {
        same.push_back(std::make_unique<RawPeer>(rig.server->address(), node_key(9), "127.0.0.4"));
        ASSERT_TRUE(same.back()->greet());
    }
    EXPECT_EQ(code_of(same[0]->goodbye()), Goodbye::kReplaced);
    EXPECT_TRUE(rig.serves());
}

}  // namespace
}  // namespace holdfast
