#include "proofs/entropy.hpp"

#include "support/refused.hpp"
#include "vdf/walk.hpp"

namespace holdfast {
namespace {

using nlohmann::json;
using test::fixed;

TEST(Entropy, SeedsOfTheVectors) {
    const json cases = test::load_vectors("entropy.json")["cases"];
    for (const auto& c : cases["seeds"]) {
        const auto network = test::network_of(c);
        const Height height(c["height"].get<std::uint64_t>());
        const auto hash = fixed<BlockHash>(c["block_hash"]);
        std::optional<BeaconRandomness> beacon;
        if (network.params.has_beacon) {
            beacon = BeaconRandomness{c["beacon_round"].get<std::uint64_t>(),
                                      fixed<Digest>(c["beacon_randomness"])};
        }
        const auto seed = make_seed(network.params, network.id, height, hash, beacon);
        ASSERT_TRUE(seed);
        EXPECT_EQ(*seed, fixed<Seed>(c["seed"]));
        EXPECT_EQ(seed_as_output(*seed), VdfOutput(*seed));
        EXPECT_EQ(genesis_output(network.id), fixed<VdfOutput>(c["genesis_y"]));

        const auto opposite = network.params.has_beacon
                                  ? std::optional<BeaconRandomness>()
                                  : std::optional<BeaconRandomness>(BeaconRandomness());
        const auto refused = make_seed(network.params, network.id, height, hash, opposite);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().reason,
                  network.params.has_beacon ? Reason::kNoEntropy : Reason::kNetworkPolicy);
    }
}

TEST(Entropy, BeaconRoundsOfTheVectors) {
    const json beacon = test::load_vectors("entropy.json")["cases"]["beacon"];
    const auto network = test::network_of(beacon);
    for (const auto& c : beacon["rounds"]) {
        EXPECT_EQ(*beacon_round(network.params, c["block_time_s"].get<std::uint64_t>()),
                  c["round"].get<std::uint64_t>());
    }
}

TEST(Entropy, BeaconRoundsAtTheEdges) {
    NetworkParams params;
    EXPECT_EQ(beacon_round(params, 1).error().reason, Reason::kNetworkPolicy);
    params.has_beacon = true;
    params.beacon_genesis_s = 1'000;
    params.beacon_period_s = 30;
    params.beacon_delay_s = 10;
    EXPECT_EQ(*beacon_round(params, 0), 1U);
    EXPECT_EQ(*beacon_round(params, 990), 1U);
    EXPECT_EQ(*beacon_round(params, 991), 2U);
    EXPECT_EQ(*beacon_round(params, 1'020), 2U);
    EXPECT_EQ(*beacon_round(params, 1'021), 3U);
    EXPECT_EQ(beacon_round(params, UINT64_MAX).error().reason, Reason::kBadField);
    params.beacon_genesis_s = 0;
    params.beacon_period_s = 1;
    params.beacon_delay_s = 0;
    EXPECT_EQ(beacon_round(params, UINT64_MAX).error().reason, Reason::kBadField);
    EXPECT_EQ(*beacon_round(params, UINT64_MAX - 1), UINT64_MAX);
}

TEST(Entropy, ChainsOfTheVectors) {
    const json file = test::load_vectors("entropy.json");
    const NetworkId id = test::network_of(file).id;
    for (const auto& c : file["cases"]["chains"]) {
        EXPECT_EQ(chain_entropy(id, fixed<VdfOutput>(c["y"]), fixed<ChainId>(c["chain_id"]),
                                fixed<Reveal>(c["reveal"])),
                  fixed<Entropy>(c["e"]));
    }
}

TEST(Entropy, NetworksWithoutASourceAreAgainstThePolicy) {
    NetworkParams params;
    EXPECT_TRUE(check_entropy_policy(params));
    params.has_vdf = false;
    EXPECT_EQ(check_entropy_policy(params), Verdict(Reason::kNetworkPolicy));
    params.has_beacon = true;
    EXPECT_TRUE(check_entropy_policy(params));
}

}  // namespace
}  // namespace holdfast
