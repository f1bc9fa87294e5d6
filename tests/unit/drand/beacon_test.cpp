// Servers that replay, lie, are late, fork or are gone; the beacon gives the true round or none.
#include "adapters/drand/beacon.hpp"

#include "callbacks/conformance.hpp"
#include "unit/drand/recorded.hpp"

namespace holdfast {
namespace {

using test::Json;
using test::Recorded;
using test::ReplayServer;

std::unique_ptr<DrandBeacon> beacon_over(const Recorded& recorded, std::vector<std::string> servers,
                                         std::uint32_t timeout_ms = 2'000) {
    DrandOptions options;
    options.servers = std::move(servers);
    options.timeout_ms = timeout_ms;
    auto made = DrandBeacon::create(recorded.params(), options);
    EXPECT_TRUE(made) << made.error().message;
    return made ? std::move(*made) : nullptr;
}

ReplayServer::Answer honest(const Recorded& recorded) {
    return [&recorded](const std::string& path) { return recorded.honest(path); };
}

/// The recorded round with one member replaced.
ReplayServer::Answer with(const Recorded& recorded, const std::string& member, const Json& value) {
    return [&recorded, member, value](const std::string& path) {
        Json round = Json::parse(recorded.honest(path), nullptr, false);
        if (!round.is_object()) return std::string();
        round[member] = value;
        return round.dump();
    };
}

class DrandBeaconTest : public ::testing::TestWithParam<const char*> {
  protected:
    const Recorded recorded_ = Recorded::read(GetParam());
};

TEST_P(DrandBeaconTest, KeepsToTheContractOfABeacon) {
    ReplayServer server(honest(recorded_));
    BeaconSubject subject;
    subject.beacon = beacon_over(recorded_, {server.url()});
    subject.published = recorded_.number(2);
    subject.future = 1'000'000'000;
    const ConformanceReport report = check_beacon(subject);
    EXPECT_TRUE(report.passed()) << report.to_text();
}

TEST_P(DrandBeaconTest, AServerThatLiesIsPassedOver) {
    const std::string other_signature = recorded_.rounds[2]["signature"];
    for (const auto& [member, lie] : std::vector<std::pair<std::string, Json>>{
             {"round", recorded_.number(2)},
             {"signature", other_signature},
             {"signature", std::string(other_signature.size(), '0')},
             {"signature", "00"},
             {"signature", 7}}) {
        ReplayServer liar(with(recorded_, member, lie));
        ReplayServer good(honest(recorded_));
        const auto beacon = beacon_over(recorded_, {liar.url() + "/", good.url()});
        const auto value = beacon->randomness(recorded_.number(1));
        ASSERT_TRUE(value) << value.error().message;
        EXPECT_EQ(*value, recorded_.round(1));
        EXPECT_EQ(beacon->servers()[0].wrong, 1U) << member << " " << lie;
        EXPECT_EQ(beacon->servers()[1].good, 1U);
        // The one that worked is asked first from then on.
        ASSERT_TRUE(beacon->randomness(recorded_.number(2)));
        EXPECT_EQ(liar.asked(), 1);
    }
}

TEST_P(DrandBeaconTest, WhereAllLieThereIsNoRoundAndEachIsNamed) {
    ReplayServer a(with(recorded_, "signature", recorded_.rounds[0]["signature"]));
    ReplayServer b([](const std::string&) { return std::string("not JSON"); });
    const auto beacon = beacon_over(recorded_, {a.url(), b.url()});
    const auto value = beacon->randomness(recorded_.number(1));
    ASSERT_FALSE(value);
    EXPECT_EQ(value.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(value.error().message.find(a.url()), std::string::npos) << value.error().message;
    EXPECT_NE(value.error().message.find(b.url()), std::string::npos);
    EXPECT_EQ(beacon->servers()[0].wrong + beacon->servers()[1].wrong, 2U);
    // What they told is not kept: an honest answer is taken afterwards.
    b.set(honest(recorded_));
    EXPECT_TRUE(beacon->randomness(recorded_.number(1)));
}

TEST_P(DrandBeaconTest, WhatAServerSaysTheRandomnessIsIsNotRead) {
    ReplayServer server(with(recorded_, "randomness", std::string(64, 'f')));
    const auto value = beacon_over(recorded_, {server.url()})->randomness(recorded_.number(1));
    ASSERT_TRUE(value);
    EXPECT_EQ(value->randomness, recorded_.round(1).randomness);
}

TEST_P(DrandBeaconTest, AForkUnderAnotherKeyIsNoRoundOfThisChain) {
    const Recorded other =
        Recorded::read(std::string(GetParam()) == "quicknet" ? "default" : "quicknet");
    // A server that answers every path of this chain with rounds of another one.
    ReplayServer fork([&](const std::string&) { return other.rounds[1].dump(); });
    const auto beacon = beacon_over(recorded_, {fork.url()});
    EXPECT_FALSE(beacon->randomness(other.number(1)));
    EXPECT_EQ(beacon->servers()[0].wrong, 1U);
}

TEST_P(DrandBeaconTest, ALateServerCostsItsTimeAndNoMore) {
    ReplayServer late([this](const std::string& path) {
        std::this_thread::sleep_for(std::chrono::milliseconds(900));
        return recorded_.honest(path);
    });
    ReplayServer good(honest(recorded_));
    const auto began = std::chrono::steady_clock::now();
    const auto beacon = beacon_over(recorded_, {late.url(), good.url()}, 200);
    EXPECT_TRUE(beacon->randomness(recorded_.number(1)));
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(850));
    const auto alone = beacon_over(recorded_, {late.url()}, 100)->randomness(recorded_.number(1));
    ASSERT_FALSE(alone);
    EXPECT_EQ(alone.error().code, ErrorCode::kTimeout);
}

TEST_P(DrandBeaconTest, AServerThatIsGoneOrSendsTooMuchIsPassedOver) {
    std::string gone;
    {
        const ReplayServer once(honest(recorded_));
        gone = once.url();
    }
    ReplayServer flood([](const std::string&) { return std::string(1 << 20, 'x'); });
    ReplayServer good(honest(recorded_));
    const auto beacon =
        beacon_over(recorded_, {gone, flood.url(), "file:///etc/passwd", good.url()});
    EXPECT_TRUE(beacon->randomness(recorded_.number(1)));
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(beacon->servers()[i].absent, 1U) << i;
}

TEST_P(DrandBeaconTest, ARoundThatIsNotOutYetIsAskedForAgain) {
    std::atomic<bool> out{false};
    ReplayServer server(
        [&](const std::string& path) { return out ? recorded_.honest(path) : std::string(); });
    const auto beacon = beacon_over(recorded_, {server.url()});
    const auto early = beacon->randomness(recorded_.number(1));
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().code, ErrorCode::kUnavailable);
    out = true;
    EXPECT_TRUE(beacon->randomness(recorded_.number(1)));
    EXPECT_TRUE(beacon->randomness(recorded_.number(1)));
    EXPECT_EQ(server.asked(), 2);  // the third time it is kept
}

TEST(DrandBeacon, NeedsAServerAndADrandChain) {
    const Recorded recorded = Recorded::read("quicknet");
    EXPECT_FALSE(DrandBeacon::create(recorded.params(), {}));
    DrandOptions options;
    options.servers = {"http://127.0.0.1:1"};
    EXPECT_FALSE(DrandBeacon::create(NetworkParams{}, options));
}

INSTANTIATE_TEST_SUITE_P(Recorded, DrandBeaconTest, ::testing::Values("quicknet", "default"),
                         [](const auto& one) { return std::string(one.param); });

}  // namespace
}  // namespace holdfast
