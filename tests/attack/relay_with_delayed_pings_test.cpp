// Attack 27: a relay that keeps nothing and fetches each chunk from elsewhere, without and with
// pings that it holds back as long as its fetches take. Beside it honest provers behind connections
// that shake and on disks that are slow: how often the hint is wrong, and what it does not see.
//
// Everything is in virtual time and follows from one seed; every answer is a real one, verified as
// over any network. The tables go to standard output; docs/security.md section 3.10 shows them.
#include <cmath>
#include <cstdio>
#include <map>
#include <random>

#include "availability/chunk_server.hpp"
#include "availability/latency_meter.hpp"
#include "support/sealed_chain.hpp"

namespace holdfast {
namespace {

using test::must;

constexpr unsigned kMeasurements = 1'000;  // of each cell of a table
constexpr std::uint64_t kRttUs = 30'000;

/// Where the time of a chunk goes, in microseconds.
struct Disk {
    const char* name;
    std::uint64_t least_us;
    std::uint64_t spread_us;  // evenly above the least: seeking, turning
    std::uint64_t queue_us;   // mean of the time that others' reads take, exponential
};
constexpr Disk kSsd{"SSD, idle", 100, 100, 0};
constexpr Disk kBusySsd{"SSD, busy", 100, 100, 2'000};
constexpr Disk kIdleDisk{"hard disk, idle", 4'000, 12'000, 0};
constexpr Disk kBusyDisk{"hard disk, busy", 4'000, 12'000, 8'000};

struct Path {
    std::uint64_t jitter_us = 0;      // mean of what queues on the way add, exponential
    std::uint64_t relay_us = 0;       // round trip from the relay to where the data are
    std::uint64_t ping_delay_us = 0;  // by which the relay holds its pings back
};

/// One peer: real answers, made up times.
class TimedNetwork final : public Network {
  public:
    TimedNetwork(ChunkServer& server, const Disk& disk, const Path& path, std::uint64_t seed)
        : server_(server), disk_(disk), path_(path), random_(seed) {}

    Result<std::vector<Peer>> peers() override { return std::vector<Peer>(); }
    Result<std::vector<std::uint64_t>> measure_latency(const PublicKey&, std::uint32_t,
                                                       std::uint32_t) override {
        return fail(ErrorCode::kUnsupported, "not simulated");
    }
    Result<std::vector<VantageReport>> verify_place(const PublicKey&, const Place&,
                                                    std::uint32_t) override {
        return fail(ErrorCode::kUnsupported, "not simulated");
    }
    Result<ChallengeReply> send_challenge(const PublicKey& peer, ByteView message,
                                          std::uint32_t deadline_ms) override {
        const std::uint64_t ping = kRttUs + queue(path_.jitter_us) + path_.ping_delay_us;
        std::uint64_t service = kRttUs + queue(path_.jitter_us) + disk_.least_us +
                                evenly(disk_.spread_us) + queue(disk_.queue_us);
        if (path_.relay_us > 0) service += path_.relay_us + queue(path_.jitter_us);
        if (service > deadline_ms * std::uint64_t{1'000}) {
            return fail(ErrorCode::kTimeout, "late");
        }
        return ChallengeReply{server_.handle(peer, message), static_cast<std::uint32_t>(service),
                              static_cast<std::uint32_t>(ping)};
    }
    std::uint64_t random() { return random_(); }

  private:
    std::uint64_t evenly(std::uint64_t most) { return most == 0 ? 0 : random_() % most; }
    std::uint64_t queue(std::uint64_t mean) {
        const double u = (static_cast<double>(random_() >> 11) + 0.5) * 0x1p-53;
        return static_cast<std::uint64_t>(-std::log(u) * static_cast<double>(mean));
    }

    ChunkServer& server_;
    const Disk disk_;
    const Path path_;
    std::mt19937_64 random_;
};

class RelayWithDelayedPings : public ::testing::Test {
  protected:
    RelayWithDelayedPings() {
        must(server_.add_chain(chain_.id(), std::make_shared<Replica>(chain_.open_replica())));
    }
    struct Rates {
        double hinted = 0;    // of the measurements
        double unstable = 0;  // "do not trust the medians"
        double far = 0;
    };
    Rates measure(const Disk& disk, const Path& path, std::uint32_t samples = 21) {
        TimedNetwork network(server_, disk, path, 7);
        LatencyPlan plan{chain_.id(), {chain_.registration().sealed_root, chain_.chunks()}};
        plan.samples = samples;
        Rates out;
        for (unsigned i = 0; i < kMeasurements; ++i) {
            const LatencyMeasurement m =
                must(measure_peer(network, peer_, plan, [&] { return network.random(); }));
            out.hinted += m.relay_hint ? 1 : 0;
            out.unstable += m.unstable ? 1 : 0;
            out.far += m.far ? 1 : 0;
        }
        for (double* const rate : {&out.hinted, &out.unstable, &out.far}) *rate /= kMeasurements;
        return out;
    }

    const test::SealedChain chain_{test::short_network(), 1, small()};
    ChunkServer server_{[] { return std::uint64_t{0}; }, unlimited()};
    const PublicKey peer_ = KeyPair::from_secret(Bytes(32, 9)).public_key();

  private:
    static test::SealedChainOptions small() {
        test::SealedChainOptions out;
        out.chunks = 16;
        return out;
    }
    static ChunkServerOptions unlimited() {
        ChunkServerOptions out;
        out.chunks.burst = UINT64_MAX / 2;
        return out;
    }
};

TEST_F(RelayWithDelayedPings, HonestProversAreSeldomHintedAtUnlessTheirDiskIsAsSlowAsARelay) {
    std::printf("honest, hinted at (and 'unstable') of %u measurements, by mean jitter\n%-18s",
                kMeasurements, "");
    constexpr std::uint64_t kJitterMs[] = {0, 1, 2, 5, 10, 20, 40};
    for (const std::uint64_t j : kJitterMs) {
        std::printf("%11lu ms", static_cast<unsigned long>(j));
    }
    std::map<std::string, std::map<std::uint64_t, Rates>> all;
    for (const Disk& disk : {kSsd, kBusySsd, kIdleDisk, kBusyDisk}) {
        std::printf("\n%-18s", disk.name);
        for (const std::uint64_t j : kJitterMs) {
            const Rates r = all[disk.name][j] = measure(disk, {j * 1'000, 0, 0});
            std::printf(" %5.3f (%4.2f)", r.hinted, r.unstable);
        }
    }
    std::printf("\n");
    // An SSD is not hinted at while the way shakes less than the hint's 20 ms.
    for (const std::uint64_t j : {0, 1, 2, 5, 10}) {
        EXPECT_EQ(all[kSsd.name][j].hinted, 0) << j;
        EXPECT_EQ(all[kBusySsd.name][j].hinted, 0) << j;
    }
    EXPECT_LT(all[kSsd.name][40].hinted, 0.1);
    EXPECT_LT(all[kIdleDisk.name][5].hinted, 0.01);
    // A hard disk that others use is what the hint mistakes for a relay.
    EXPECT_GT(all[kBusyDisk.name][0].hinted, all[kIdleDisk.name][0].hinted);
    // Where the hint becomes unsafe, the measurement says of itself that it is.
    EXPECT_GT(all[kSsd.name][40].unstable, 0.9);
    EXPECT_LT(all[kSsd.name][2].unstable, 0.01);
}

TEST_F(RelayWithDelayedPings,
       RelaysAreSeenFromTwentyMillisecondsOnAndNeverWhenTheyDelayTheirPings) {
    constexpr std::uint64_t kJitterUs = 2'000;
    std::printf("relay, hinted at, jitter 2 ms\n%-18s   pings at once   pings held back\n", "away");
    for (const std::uint64_t ms : {5, 10, 15, 20, 40}) {
        const Rates plain = measure(kSsd, {kJitterUs, ms * 1'000, 0});
        const Rates hidden = measure(kSsd, {kJitterUs, ms * 1'000, ms * 1'000});
        std::printf("%15lu ms  %14.3f  %16.3f\n", static_cast<unsigned long>(ms), plain.hinted,
                    hidden.hinted);
        if (ms <= 10) {
            EXPECT_EQ(plain.hinted, 0) << ms;  // as an honest one
        }
        if (ms >= 20) {
            EXPECT_GT(plain.hinted, 0.95) << ms;
        }
        // The attack succeeds: that is what the documentation says of it.
        EXPECT_EQ(hidden.hinted, 0) << ms;
    }
    // What it costs: the relay seems to be as far away as its store, and no further.
    EXPECT_EQ(measure(kSsd, {kJitterUs, 40'000, 40'000}).far, 0);
    EXPECT_EQ(measure(kSsd, {kJitterUs, 80'000, 80'000}).far, 1);
    // And the deadline bounds it: from a store too far away nothing comes in time.
    TimedNetwork network(server_, kSsd, {kJitterUs, 480'000, 480'000}, 7);
    const LatencyPlan plan{chain_.id(), {chain_.registration().sealed_root, chain_.chunks()}};
    const auto late = measure_peer(network, peer_, plan, [&] { return network.random(); });
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().verdict.reason, Reason::kTooFewSamples);
}

}  // namespace
}  // namespace holdfast
