// Attack 27 through whole challenges: a prover that stores nothing fetches each chunk from a store
// somewhere else, and holds its pings back by as much. What the hint makes of such relays is in
// relay_with_delayed_pings_test.cpp; here is where the store may be, and that it costs nothing.
#include "availability/latency_meter.hpp"
#include "support/availability_world.hpp"

namespace holdfast {
namespace {

using test::AvailabilityWorld;
using test::must;

constexpr std::uint64_t kRttUs = 20'000;  // to the proxy
constexpr std::uint64_t kDiskUs = 8'000;  // of the store behind it

class ChallengedRelay : public testing::Test {
  protected:
    AvailabilityWorld w{1, 1};
    test::SimPeer& peer = w.peer(0);
    const test::SealedChain& sealed = *w.provers[0].chain;
    ChunkServer server{w.time.clock()};
    PeerService service{w.provers[0].responder.get(), &server};

    void SetUp() override {
        must(server.add_chain(sealed.id(), std::make_shared<Replica>(sealed.open_replica())));
        peer.handle = [this](const PublicKey& from, ByteView object) {
            w.time.pass_us(1'000'000);  // so that budgets refill
            return service.handle(from, object);
        };
        peer.repeated_percent = peer.reordered_percent = 0;
        peer.jitter_us = 0;
    }
    /// The store is `fetch_us` there and back behind the proxy, which holds its pings back.
    void relay(std::uint64_t fetch_us) {
        peer.rtt_us = kRttUs;
        peer.service_us = kDiskUs + fetch_us;
        peer.ping_delay_us = fetch_us;
    }
    Result<LatencyMeasurement> measure() {
        std::uint64_t n = 0;
        const LatencyPlan plan{sealed.id(), {sealed.registration().sealed_root, sealed.chunks()}};
        return measure_peer(*w.challengers[0].network, sealed.key().public_key(), plan,
                            [&] { return n++; });
    }
    /// Whether the next challenge counts as served.
    bool served() {
        const std::uint64_t before = w.report.served;
        w.block();
        return w.report.served == before + 1;
    }
};

TEST_F(ChallengedRelay, WhereTheStoreMayBeIsBoundedByTheDeadlineAlone) {
    struct Seen {
        bool hint = false, far = false, served = false;
    };
    std::map<std::uint64_t, Seen> by_fetch_ms;
    for (std::uint64_t fetch_ms = 0; fetch_ms <= 520; fetch_ms += 20) {
        relay(fetch_ms * 1'000);
        Seen& seen = by_fetch_ms[fetch_ms];
        const auto measured = measure();
        if (measured) {
            seen.hint = measured->relay_hint;
            seen.far = measured->far;
        }
        seen.served = served();
        // Undetected as a relay at every distance; the default limit on the median ping calls it
        // far from 80 ms on, and the deadline leaves 500 - 20 - 8 = 472 ms.
        EXPECT_FALSE(seen.hint) << fetch_ms;
        EXPECT_EQ(seen.served, fetch_ms <= 472) << fetch_ms;
        if (seen.served) {
            EXPECT_EQ(seen.far, fetch_ms > 80) << fetch_ms;
        }
    }
    // To the microsecond.
    relay(472'000);
    EXPECT_TRUE(served());
    relay(472'001);
    EXPECT_FALSE(served());
    // Light in fibre goes 100 km there and back in a millisecond: 47,200 km, which is anywhere.
    EXPECT_EQ(w.outcomes(0, OutcomeKind::kInvalid), 0U);
    EXPECT_EQ(w.held(0), AvailabilityWorld::kBond);
}

}  // namespace
}  // namespace holdfast
