#include "embedded/loopback_network.hpp"
#include "callbacks/place.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace holdfast {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

PublicKey name_key(std::uint8_t n) {
    PublicKey k;
    k[31] = n;
    return k;
}

/// Answers after a while of the test's own time.
class SlowPeer final : public LoopbackPeer {
  public:
    SlowPeer(std::atomic<std::uint64_t>& now_ns, std::uint64_t ping_ns, std::uint64_t respond_ns)
        : now_ns_(now_ns), ping_ns_(ping_ns), respond_ns_(respond_ns) {}
    Result<Bytes> respond(ByteView challenge) override {
        now_ns_ += respond_ns_;
        if (broken) return fail(ErrorCode::kUnavailable, "unplugged");
        if (huge) return Bytes(kMaxResponseBytes + 1);
        return Bytes(challenge.rbegin(), challenge.rend());
    }
    Status ping() override {
        now_ns_ += ping_ns_;
        if (broken) return fail(ErrorCode::kUnavailable, "unplugged");
        return {};
    }
    bool broken = false;
    bool huge = false;

  private:
    std::atomic<std::uint64_t>& now_ns_;
    std::uint64_t ping_ns_;
    std::uint64_t respond_ns_;
};

struct Rig {
    std::atomic<std::uint64_t> now_ns{0};
    LoopbackNetwork network{[this] { return now_ns.load(); }};
    std::shared_ptr<SlowPeer> add(std::uint8_t n, std::uint64_t ping_ns, std::uint64_t respond_ns) {
        auto peer = std::make_shared<SlowPeer>(now_ns, ping_ns, respond_ns);
        EXPECT_TRUE(network.add_peer({name_key(n), "loop/" + std::to_string(n)}, peer));
        return peer;
    }
};

TEST(LoopbackNetwork, KnowsItsPeers) {
    Rig rig;
    rig.add(1, 1, 1);
    rig.add(2, 1, 1);
    EXPECT_EQ(rig.network.peers()->size(), 2U);
    EXPECT_EQ(rig.network.peers()->front().address, "loop/1");
    const auto again = std::make_shared<SlowPeer>(rig.now_ns, 1, 1);
    EXPECT_EQ(rig.network.add_peer({name_key(1), ""}, again).error().code,
              ErrorCode::kAlreadyExists);
    EXPECT_EQ(rig.network.add_peer({name_key(3), ""}, nullptr).error().code,
              ErrorCode::kInvalidArgument);
    EXPECT_TRUE(rig.network.remove_peer(name_key(1)));
    EXPECT_EQ(rig.network.remove_peer(name_key(1)).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(rig.network.measure_latency(name_key(1), 5, 100).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(rig.network.send_challenge(name_key(1), {}, 100).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(rig.network.verify_place(name_key(1), {}, 100).error().code, ErrorCode::kNotFound);
}

TEST(LoopbackNetwork, MeasuresWithTheClockItWasGiven) {
    Rig rig;
    rig.add(1, 7 * kMs, 20 * kMs);
    EXPECT_EQ(rig.network.measure_latency(name_key(1), 3, 100).value(),
              std::vector<std::uint64_t>(3, 7 * kMs));
    const Bytes challenge{1, 2, 3};
    const ChallengeReply reply = rig.network.send_challenge(name_key(1), challenge, 100).value();
    EXPECT_EQ(reply.response, (Bytes{3, 2, 1}));
    EXPECT_EQ(reply.service_us, 20'000U);
    EXPECT_EQ(reply.ping_us, 7'000U);
    EXPECT_EQ(rig.network.measure_latency(name_key(1), 0, 100).error().code,
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(rig.network.measure_latency(name_key(1), 1'001, 100).error().code,
              ErrorCode::kInvalidArgument);
}

TEST(LoopbackNetwork, LateIsTimeoutAndUnpluggedIsUnavailable) {
    Rig rig;
    const auto peer = rig.add(1, 30 * kMs, 500 * kMs);
    EXPECT_TRUE(rig.network.send_challenge(name_key(1), {}, 500));
    EXPECT_EQ(rig.network.send_challenge(name_key(1), {}, 499).error().code, ErrorCode::kTimeout);
    EXPECT_EQ(rig.network.measure_latency(name_key(1), 4, 100).error().code, ErrorCode::kTimeout);
    EXPECT_TRUE(rig.network.measure_latency(name_key(1), 3, 100));
    peer->huge = true;
    EXPECT_EQ(rig.network.send_challenge(name_key(1), {}, 500).error().verdict.reason,
              Reason::kTooLarge);
    peer->broken = true;
    EXPECT_EQ(rig.network.send_challenge(name_key(1), {}, 500).error().code,
              ErrorCode::kUnavailable);
    EXPECT_EQ(rig.network.measure_latency(name_key(1), 3, 100).error().code,
              ErrorCode::kUnavailable);
}

TEST(LoopbackNetwork, ReportsEveryVantageThatCouldMeasure) {
    constexpr Place kBerlin{52'520'000, 13'405'000};
    constexpr Place kSydney{-33'868'000, 151'209'000};
    Rig rig;
    rig.add(1, 2 * kMs, 1);
    EXPECT_EQ(rig.network.verify_place(name_key(1), kBerlin, 100).error().code,
              ErrorCode::kUnavailable);
    ASSERT_TRUE(rig.network.add_vantage("here", kBerlin));
    ASSERT_TRUE(rig.network.add_vantage("there", kSydney,
                                        [](const PublicKey&) { return Result<std::uint64_t>(9); }));
    ASSERT_TRUE(rig.network.add_vantage("nowhere", kSydney, [](const PublicKey&) {
        return Result<std::uint64_t>(fail(ErrorCode::kTimeout, "gone"));
    }));
    const auto reports = rig.network.verify_place(name_key(1), kSydney, 100).value();
    ASSERT_EQ(reports.size(), 2U);
    EXPECT_EQ(reports[0].vantage, "here");
    EXPECT_EQ(reports[0].rtt_ns, 2 * kMs);
    EXPECT_EQ(reports[0].distance_m, place_distance_m(kBerlin, kSydney));
    EXPECT_EQ(reports[1], (VantageReport{"there", 9, 0}));
    EXPECT_EQ(rig.network.verify_place(name_key(1), {90'000'001, 0}, 100).error().code,
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(rig.network.verify_place(name_key(1), {0, INT32_MIN}, 100).error().code,
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(rig.network.add_vantage("off", {0, 180'000'001}).error().code,
              ErrorCode::kInvalidArgument);
}

TEST(LoopbackNetwork, DistancesAreNeverTooLarge) {
    constexpr Place kLondon{51'507'400, -127'800};
    constexpr Place kNewYork{40'712'800, -74'006'000};
    constexpr std::uint64_t kTrueMetres = 5'585'000;  // geodesic on WGS 84, about
    const std::uint64_t d = place_distance_m(kLondon, kNewYork);
    EXPECT_LE(d, kTrueMetres);
    EXPECT_GE(d, kTrueMetres * 98 / 100);
    EXPECT_EQ(d, place_distance_m(kNewYork, kLondon));
    EXPECT_EQ(place_distance_m(kLondon, kLondon), 0U);
    EXPECT_GT(place_distance_m({90'000'000, 0}, {-90'000'000, 0}), 19'000'000U);
    EXPECT_EQ(place_distance_m({0, 180'000'000}, {0, -180'000'000}), 0U);
}

TEST(LoopbackNetwork, WorksFromSeveralThreads) {
    Rig rig;
    rig.add(1, 1, 1);
    std::vector<std::thread> threads;
    for (std::uint8_t n = 2; n < 6; ++n) {
        threads.emplace_back([&rig, n] {
            for (int i = 0; i < 50; ++i) {
                rig.add(n, 1, 1);
                EXPECT_TRUE(rig.network.send_challenge(name_key(1), Bytes{1}, 1'000));
                EXPECT_TRUE(rig.network.peers());
                EXPECT_TRUE(rig.network.remove_peer(name_key(n)));
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(rig.network.peers()->size(), 1U);
}

}  // namespace
}  // namespace holdfast
