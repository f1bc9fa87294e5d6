// New connections: who comes too often, or begins and does not finish, keeps nobody else out.
#include <deque>

#include "support/tcp_world.hpp"
#include "transport/limits.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;

Source v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    return source_of_v4({a, b, c, d});
}

std::array<std::uint8_t, 16> v6_bytes(std::uint8_t network, std::uint8_t subnet,
                                      std::uint8_t host) {
    return {0x20, 0x01, 0x0d, 0xb8, 0, network, 0, subnet, 0, 0, 0, 0, 0, 0, 0, host};
}

TEST(Sources, AnIpv6HostIsItsWholeSlash64AndMappedAddressesAreIpv4) {
    EXPECT_EQ(source_of_v6(v6_bytes(1, 2, 3)), source_of_v6(v6_bytes(1, 2, 99)));
    EXPECT_NE(source_of_v6(v6_bytes(1, 2, 3)), source_of_v6(v6_bytes(1, 3, 3)));
    EXPECT_EQ(network_of(source_of_v6(v6_bytes(1, 2, 3))),
              network_of(source_of_v6(v6_bytes(1, 7, 3))));
    EXPECT_NE(network_of(source_of_v6(v6_bytes(1, 2, 3))),
              network_of(source_of_v6(v6_bytes(2, 2, 3))));
    EXPECT_EQ(source_of_v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3}),
              v4(10, 1, 2, 3));
    EXPECT_EQ(network_of(v4(10, 1, 2, 3)), network_of(v4(10, 1, 2, 250)));
    EXPECT_NE(network_of(v4(10, 1, 2, 3)), network_of(v4(10, 1, 3, 3)));
    EXPECT_NE(network_of(v4(10, 1, 2, 0)), v4(10, 1, 2, 0));  // the network is not its host 0
}

TEST(SourceBuckets, GiveEachItsBurstAndThenItsRate) {
    SourceBuckets buckets(10, 40, 100);
    std::uint64_t taken = 0;
    for (int i = 0; i < 1'000; ++i) taken += buckets.take(v4(1, 2, 3, 4), kSecondNs) ? 1 : 0;
    EXPECT_EQ(taken, 40U);
    for (int i = 0; i < 1'000; ++i) taken += buckets.take(v4(1, 2, 3, 4), 2 * kSecondNs) ? 1 : 0;
    EXPECT_EQ(taken, 50U);
    EXPECT_TRUE(buckets.take(v4(1, 2, 3, 5), 2 * kSecondNs));
}

TEST(SourceBuckets, RememberSoManyWhoeverComes) {
    SourceBuckets buckets(1, 1, 64);
    EXPECT_TRUE(buckets.take(v4(9, 9, 9, 9), kSecondNs));
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        const auto at = [i](int shift) { return static_cast<std::uint8_t>(i >> shift); };
        ASSERT_TRUE(buckets.take(v4(10, at(16), at(8), at(0)), kSecondNs));
        // Who keeps coming is not forgotten for those who came once.
        if (i % 32 == 0) {
            ASSERT_FALSE(buckets.take(v4(9, 9, 9, 9), kSecondNs));
        }
        ASSERT_LE(buckets.size(), 64U);
    }
}

TEST(Unfinished, TheOldestOfWhoeverHasMostGivesWay) {
    Unfinished<int> all;
    all.add(v4(1, 0, 0, 1), 1);
    for (int i = 10; i < 15; ++i) all.add(v4(2, 0, 0, 1), i);
    all.add(v4(2, 0, 0, 2), 20);
    // As many in all, spread over a network: it is told as one.
    for (int i = 0; i < 8; ++i) all.add(v4(3, 0, 0, static_cast<std::uint8_t>(i)), 30 + i);
    EXPECT_EQ(all.first_to_go(), 30);
    for (int i = 30; i < 34; ++i) all.remove(v4(3, 0, 0, static_cast<std::uint8_t>(i - 30)), i);
    EXPECT_EQ(all.first_to_go(), 10);
    all.remove(v4(2, 0, 0, 1), 99);  // is not there
    all.remove(v4(7, 0, 0, 1), 1);
    EXPECT_EQ(all.size(), 11U);
    for (std::size_t left = all.size(); left > 1; --left) {
        const int gone = all.first_to_go();
        for (std::uint8_t a = 1; a <= 3; ++a) {
            for (std::uint8_t d = 0; d < 8; ++d) all.remove(v4(a, 0, 0, d), gone);
        }
        ASSERT_EQ(all.size(), left - 1);
    }
}

/// Connections of one address, as fast as they can be made; none of them says a word.
class Flood {
  public:
    Flood(const std::string& address, const std::string& from, unsigned per_second)
        : thread_([=, this](const std::stop_token& stop) {
              std::deque<std::unique_ptr<RawSocket>> held;
              const auto began = std::chrono::steady_clock::now();
              while (!stop.stop_requested()) {
                  held.push_back(std::make_unique<RawSocket>(address, from));
                  if (held.size() > 512) held.pop_front();
                  const auto due = std::chrono::microseconds(1'000'000ULL * ++made_ / per_second);
                  std::this_thread::sleep_until(began + due);
              }
          }) {}
    [[nodiscard]] std::uint64_t made() const { return made_; }

  private:
    std::atomic<std::uint64_t> made_ = 0;
    std::jthread thread_;
};

TEST(TcpFlood, OneAddressAtThirteenHundredConnectionsASecondKeepsNobodyOut) {
    TcpNetworkOptions options = node_options();
    options.accept_anyone = true;
    const TcpNode server = start_node(1, options);
    Flood flood(server->address(), "127.0.0.66", 1'350);
    ASSERT_TRUE(soon([&] { return server->statistics().handshakes >= 100; }));
    // Of another network, of the same one: each gets in while the flood goes on.
    for (std::uint8_t n = 0; n < 20; ++n) {
        const std::string from = (n % 2 == 0 ? "127.0.1." : "127.0.0.") + std::to_string(100 + n);
        RawPeer honest(server->address(), node_key(static_cast<std::uint8_t>(10 + n)), from);
        EXPECT_TRUE(honest.greet()) << from;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    const TcpStatistics now = server->statistics();
    EXPECT_GT(flood.made(), 1'000U);
    EXPECT_GT(now.refused_ceiling, 500U);
    EXPECT_LE(now.handshakes, options.limits.max_handshakes);
    EXPECT_EQ(now.completed, 20U);
}

TEST(TcpFlood, ManyHalfOpenConnectionsOfOneAddressGiveWayToOneOfAnother) {
    TcpNetworkOptions options = node_options();
    options.accept_anyone = true;
    options.limits.max_handshakes = 8;
    options.limits.handshake_timeout_ms = 60'000;
    const TcpNode server = start_node(1, options);
    // An honest one that is slow: it has begun before all others, and is still there after them.
    const RawSocket early(server->address(), "127.0.2.1");
    std::vector<std::unique_ptr<RawSocket>> crowd;
    for (int i = 0; i < 50; ++i) {
        crowd.push_back(std::make_unique<RawSocket>(server->address(), "127.0.3.1"));
    }
    EXPECT_TRUE(soon([&] { return server->statistics().refused_ceiling == 43; }));
    EXPECT_EQ(server->statistics().handshakes, 8U);
    std::uint8_t scrap = 0;
    EXPECT_EQ(::recv(early.descriptor(), &scrap, 1, MSG_DONTWAIT), -1);
    EXPECT_EQ(errno, EAGAIN);  // not closed
    EXPECT_TRUE(RawPeer(server->address(), node_key(9), "127.0.4.1").greet());
}

}  // namespace
}  // namespace holdfast::test
