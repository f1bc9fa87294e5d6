#include "embedded/local_beacon.hpp"

#include <gtest/gtest.h>

#include "core/hash.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

using test::TempFolder;

KeyPair test_key(std::uint8_t n = 1) { return KeyPair::from_secret(Bytes(32, n)); }

NetworkParams beacon_network() {
    NetworkParams p;
    p.name = "beacon-test";
    p.has_beacon = true;
    const KeyPair key = test_key();
    p.beacon_key.assign(key.public_key().begin(), key.public_key().end());
    p.beacon_genesis_s = 1'000;
    p.beacon_period_s = 30;
    return p;
}

struct Publisher {
    std::uint64_t now_s = 1'000;
    std::unique_ptr<LocalBeacon> beacon;
    explicit Publisher(const std::filesystem::path& folder) {
        auto made =
            LocalBeacon::publisher(folder, beacon_network(), test_key(), [this] { return now_s; });
        EXPECT_TRUE(made) << made.error().message;
        if (made) beacon = std::move(*made);
    }
};

TEST(LocalBeacon, SignsARoundOnceItIsDue) {
    const TempFolder t;
    Publisher p(t / "b");
    p.now_s = 999;
    EXPECT_EQ(p.beacon->randomness(1).error().code, ErrorCode::kUnavailable);
    p.now_s = 1'000;
    const BeaconRound first = p.beacon->randomness(1).value();
    EXPECT_EQ(first.round, 1U);
    EXPECT_EQ(first.randomness, sha256(first.proof));
    const Digest message =
        tagged_hash("local-beacon/round", test_key().public_key(), std::uint64_t{1});
    const Signature signature = test_key().sign(view(message)).value();
    EXPECT_EQ(first.proof, Bytes(signature.begin(), signature.end()));
    EXPECT_TRUE(p.beacon->verify(1, first));
    p.now_s = 1'029;
    EXPECT_EQ(p.beacon->randomness(2).error().code, ErrorCode::kUnavailable);
    p.now_s = 1'030;
    EXPECT_NE(p.beacon->randomness(2)->randomness, first.randomness);
    EXPECT_EQ(p.beacon->randomness(1).value(), first);
    EXPECT_EQ(p.beacon->randomness(0).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(p.beacon->randomness(UINT64_MAX).error().code, ErrorCode::kUnavailable);
}

TEST(LocalBeacon, ReadersSeeWhatIsPublishedAndOnlyThat) {
    const TempFolder t;
    Publisher p(t / "b");
    const auto reader = LocalBeacon::reader(t / "b", beacon_network()).value();
    p.now_s = 2'000;
    EXPECT_EQ(reader->randomness(5).error().code, ErrorCode::kUnavailable);
    const BeaconRound value = p.beacon->randomness(5).value();
    EXPECT_EQ(reader->randomness(5).value(), value);
    EXPECT_TRUE(reader->verify(5, value));
    EXPECT_EQ(reader->randomness(4).error().code, ErrorCode::kUnavailable);
}

TEST(LocalBeacon, RefusesEveryChangedValue) {
    const TempFolder t;
    Publisher p(t / "b");
    p.now_s = 5'000;
    const BeaconRound good = p.beacon->randomness(3).value();
    const auto refused = [&](std::uint64_t round, const BeaconRound& value) {
        const Status s = p.beacon->verify(round, value);
        return !s && s.error().verdict.reason == Reason::kBadBeacon;
    };
    for (std::size_t bit = 0; bit < 32 * 8; ++bit) {
        BeaconRound bad = good;
        bad.randomness[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_TRUE(refused(3, bad));
    }
    for (std::size_t bit = 0; bit < 64 * 8; ++bit) {
        BeaconRound bad = good;
        bad.proof[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        bad.randomness = sha256(bad.proof);
        EXPECT_TRUE(refused(3, bad));
    }
    EXPECT_TRUE(refused(2, good));
    EXPECT_TRUE(refused(0, BeaconRound{}));
    BeaconRound renumbered = good;
    renumbered.round = 2;
    EXPECT_TRUE(refused(2, renumbered));
    EXPECT_TRUE(refused(3, renumbered));
    BeaconRound longer = good;
    longer.proof.push_back(0);
    EXPECT_TRUE(refused(3, longer));
    EXPECT_FALSE(refused(3, good));
}

TEST(LocalBeacon, ReopensWithTheSameValuesAndCutsATornTail) {
    const TempFolder t;
    BeaconRound value;
    {
        Publisher p(t / "b");
        p.now_s = 9'000;
        value = p.beacon->randomness(7).value();
    }
    const std::filesystem::path log = t / "b" / LocalBeacon::kLogFile;
    Bytes torn = test::slurp(log);
    torn.insert(torn.end(), 50, 1);
    test::spill(log, torn);
    const auto reader = LocalBeacon::reader(t / "b", beacon_network()).value();
    EXPECT_EQ(reader->randomness(7).value(), value);
    Publisher p(t / "b");
    EXPECT_EQ(p.beacon->randomness(7).value(), value);  // recorded: needs no clock
    EXPECT_EQ(std::filesystem::file_size(log), torn.size() - 50);
}

TEST(LocalBeacon, RefusesForeignKeysNetworksAndASecondPublisher) {
    const TempFolder t;
    const auto clock = [] { return std::uint64_t{0}; };
    EXPECT_EQ(LocalBeacon::publisher(t / "b", beacon_network(), test_key(2), clock)
                  .error()
                  .verdict.reason,
              Reason::kWrongNetwork);
    EXPECT_EQ(LocalBeacon::publisher(t / "b", NetworkParams{}, test_key(), clock).error().code,
              ErrorCode::kInvalidArgument);
    EXPECT_FALSE(std::filesystem::exists(t / "b"));
    EXPECT_EQ(LocalBeacon::reader(t / "b", beacon_network()).error().code, ErrorCode::kNotFound);
    NetworkParams small_order = beacon_network();
    std::fill(small_order.beacon_key.begin(), small_order.beacon_key.end(), std::uint8_t{0});
    EXPECT_EQ(LocalBeacon::reader(t / "b", small_order).error().verdict.reason, Reason::kBadKey);
    const Publisher p(t / "b");
    EXPECT_EQ(LocalBeacon::publisher(t / "b", beacon_network(), test_key(), clock).error().code,
              ErrorCode::kBusy);
}

TEST(LocalBeacon, APublishedRoundOfAnotherKeyIsCorrupt) {
    const TempFolder t;
    {
        Publisher p(t / "b");
        ASSERT_TRUE(p.beacon->randomness(1));
    }
    NetworkParams other = beacon_network();
    const KeyPair key = test_key(2);
    other.beacon_key.assign(key.public_key().begin(), key.public_key().end());
    const auto reader = LocalBeacon::reader(t / "b", other).value();
    EXPECT_EQ(reader->randomness(1).error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace holdfast
