// What one peer holds or withholds is not taken from another, and does not change what is measured.
#include "support/tcp_world.hpp"
#include "transport/worker_pool_impl.hpp"

namespace holdfast {
namespace {

using namespace test;
constexpr std::uint32_t kLong = 20'000;
constexpr std::size_t kAnswerBytes = 46'000;  // of a challenge for ten chunks

PublicKey key_of(std::uint8_t n) { return node_key(n).public_key(); }

/// Few bytes in all: one MiB common in each direction, 64 KiB for each connection.
TcpNetworkOptions small_options() {
    TcpNetworkOptions options = node_options();
    options.accept_anyone = true;
    options.limits.bounds.max_response_bytes = 1 << 20;
    options.limits.max_bytes = 4U << 20;
    options.limits.max_connections = 16;
    return options;
}

/// Threads that are waited for, however a test ends.
struct Threads : std::vector<std::thread> {
    ~Threads() {
        for (std::thread& thread : *this) thread.join();
    }
};

TEST(WorkerPool, PeersTakeTurnsAndUrgentJobsComeFirst) {
    std::string order;
    {
        transport::WorkerPool pool(1);
        std::atomic<bool> started = false;
        std::atomic<bool> open = false;
        std::atomic<unsigned> left = 7;
        pool.add(key_of(1), false, [&] {
            started = true;
            while (!open) std::this_thread::yield();
        });
        ASSERT_TRUE(soon([&] { return started.load(); }));
        const auto add = [&](std::uint8_t from, bool urgent, char name) {
            pool.add(key_of(from), urgent, [&, name] {
                order += name;
                --left;
            });
        };
        for (const char name : {'a', 'b', 'c'}) add(1, false, name);
        add(2, false, 'x');
        add(3, true, 'U');
        add(3, true, 'V');
        add(4, true, 'W');
        open = true;
        ASSERT_TRUE(soon([&] { return left == 0; }));
    }
    EXPECT_EQ(order, "UWVaxbc");
}

TEST(TcpFairness, ThoseWhoDoNotReadLeaveRoomForSmallAnswers) {
    TcpNetworkOptions options = small_options();
    options.limits.frames_per_second = 10'000;
    options.handler = [](const PublicKey& from, ByteView) -> Result<Bytes> {
        return Bytes(from == key_of(2) ? kAnswerBytes : std::size_t{30'000}, 3);
    };
    const TcpNode server = start_node(1, options);
    const TcpNode honest = start_node(2);
    ASSERT_TRUE(honest->add_peer(peer_at(1, *server)));
    ASSERT_TRUE(honest->wait_connected(key_of(1), kLong));
    std::vector<std::unique_ptr<RawPeer>> hogs;
    for (std::uint8_t n = 9; n < 11; ++n) {
        hogs.push_back(std::make_unique<RawPeer>(server->address(), node_key(n)));
        ASSERT_TRUE(hogs.back()->greet());
        // Beyond what the sockets between them hold.
        for (std::uint64_t i = 1; i <= 600; ++i) {
            hogs.back()->frame({100, FrameType::kRequest, kEchoKind, i}, message_of(100));
        }
    }
    // Until an honest answer does not fit into what is left in common.
    ASSERT_TRUE(soon([&] {
        const TcpStatistics now = server->statistics();
        return now.busy > 0 && now.bytes_held + kAnswerBytes > options.limits.max_bytes / 4;
    }));
    for (int i = 0; i < 20; ++i) {
        const auto reply = honest->request(key_of(1), message_of(100), kLong);
        ASSERT_TRUE(reply) << reply.error().message;
        EXPECT_EQ(reply->response.size(), kAnswerBytes);
    }
    EXPECT_LE(server->statistics().bytes_held, options.limits.max_bytes);
}

TEST(TcpFairness, AnnouncedAndWithheldAnswersHoldUpNoOthers) {
    TcpNetworkOptions options = small_options();
    const TcpNode asker = start_node(1, options);
    TcpNetworkOptions answers = node_options();
    answers.handler = [](const PublicKey&, ByteView) -> Result<Bytes> {
        return Bytes(kAnswerBytes, 3);
    };
    const TcpNode honest = start_node(2, answers);
    ASSERT_TRUE(honest->add_peer({key_of(1), ""}));
    ASSERT_TRUE(asker->add_peer(peer_at(2, *honest)));
    ASSERT_TRUE(asker->wait_connected(key_of(2), kLong));
    Threads asking;
    std::vector<std::unique_ptr<RawPeer>> liars;  // gone first: whoever asks them is told
    for (std::uint8_t n = 9; n < 12; ++n) {
        liars.push_back(std::make_unique<RawPeer>(asker->address(), node_key(n)));
        ASSERT_TRUE(liars.back()->greet());
        asking.emplace_back([&asker, n] {
            const auto reply = asker->request(key_of(n), message_of(50), kLong);
            EXPECT_FALSE(reply);
        });
        // As much as may be announced, and none of it.
        const auto asked = liars.back()->read();
        ASSERT_TRUE(asked);
        liars.back()->frame({1U << 20, FrameType::kResponse, 0, asked->first.number});
    }
    EXPECT_TRUE(soon([&] { return asker->statistics().bytes_held == 1U << 20; }));
    for (int i = 0; i < 20; ++i) {
        const auto reply = asker->send_challenge(key_of(2), message_of(100), kLong);
        ASSERT_TRUE(reply) << reply.error().message;
        EXPECT_EQ(reply->response.size(), kAnswerBytes);
    }
    EXPECT_GT(asker->statistics().throttled, 0U);
}

TEST(TcpFairness, PongsGoBetweenFramesThatTheSocketDoesNotTake) {
    // Every frame is one TLS record, so that the first frame which does not fit is a whole one.
    constexpr std::size_t kRecord = 16 * 1'024 - kFrameHeaderBytes;
    constexpr std::uint64_t kRequests = 600;
    TcpNetworkOptions options = node_options();
    options.accept_anyone = true;
    options.limits.max_requests_per_peer = 1'000;
    options.limits.frames_per_second = 10'000;
    options.handler = [](const PublicKey&, ByteView) -> Result<Bytes> { return Bytes(kRecord, 5); };
    const TcpNode server = start_node(1, options);
    RawPeer peer(server->address(), node_key(9));
    ASSERT_TRUE(peer.greet());
    for (std::uint64_t n = 1; n <= kRequests; ++n) {
        ASSERT_TRUE(peer.frame({50, FrameType::kRequest, kEchoKind, n}, message_of(50)));
    }
    ASSERT_TRUE(soon([&] {
        const TcpStatistics now = server->statistics();
        return now.frames_in == kRequests + 1 && now.requests_waiting == 0;
    }));
    ASSERT_GT(server->statistics().bytes_held, 0U);
    ASSERT_TRUE(peer.frame({0, FrameType::kPing, 0, 77}));
    ASSERT_TRUE(soon([&] { return server->statistics().frames_in == kRequests + 2; }));
    std::uint64_t responses = 0;
    std::uint64_t pong_after = 0;
    while (responses < kRequests) {
        const auto next = peer.read();
        ASSERT_TRUE(next) << responses;
        if (next->first.type == FrameType::kPong) {
            EXPECT_EQ(next->first.number, 77U);
            pong_after = responses;
            continue;
        }
        ASSERT_EQ(next->first.type, FrameType::kResponse);
        ASSERT_EQ(next->second, Bytes(kRecord, 5));
        ++responses;
    }
    EXPECT_GT(pong_after, 0U);
    EXPECT_LT(pong_after, kRequests);
}

TEST(TcpFairness, WhoReadsTooSlowlyIsCutOff) {
    TcpNetworkOptions options = node_options();
    options.accept_anyone = true;
    options.limits.frame_timeout_ms = 400;
    constexpr std::size_t kBytes = 16U << 20;
    options.handler = [](const PublicKey&, ByteView) -> Result<Bytes> { return Bytes(kBytes); };
    const TcpNode server = start_node(1, options);
    RawPeer peer(server->address(), node_key(9));
    ASSERT_TRUE(peer.greet());
    peer.frame({50, FrameType::kRequest, kEchoKind, 1}, message_of(50));
    Bytes some(64 * 1'024);
    std::size_t all = 0;
    // There is always some progress, and never enough.
    while (server->statistics().connections == 1) {
        const ssize_t got =
            ::recv(peer.socket().descriptor(), some.data(), some.size(), MSG_DONTWAIT);
        if (got > 0) all += static_cast<std::size_t>(got);
        ASSERT_LT(all, kBytes);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_EQ(server->statistics().timed_out, 1U);
    EXPECT_EQ(server->statistics().bytes_held, 0U);
}

TEST(TcpFairness, PongsSentAheadMakeNobodyNearer) {
    TcpNetworkOptions options = node_options();
    options.accept_anyone = true;
    const TcpNode node = start_node(1, options);
    Threads measuring;
    RawPeer peer(node->address(), node_key(9));
    ASSERT_TRUE(peer.greet());
    measuring.emplace_back([&] {
        const auto times = node->measure_latency(key_of(9), 10, kLong);
        EXPECT_FALSE(times);
    });
    const auto ping = peer.read();
    ASSERT_TRUE(ping);
    ASSERT_EQ(ping->first.type, FrameType::kPing);
    peer.frame({0, FrameType::kPong, 0, ping->first.number});
    peer.frame({0, FrameType::kPong, 0, ping->first.number + 1});
    const auto notice = peer.goodbye();
    ASSERT_TRUE(notice);
    EXPECT_EQ(static_cast<Goodbye>(notice->code), Goodbye::kMalformed);
}

}  // namespace
}  // namespace holdfast
