// holdfast entropy: the record of a height, out of public data alone.
#include <gtest/gtest.h>

#include "node_world.hpp"

namespace holdfast::test {
namespace {

TEST(EntropyCommand, ShowsWhatAHeightWasMadeOfAndChecksIt) {
    const NodeWorld world;
    // Block times lie in the past: every round of the beacon is published.
    world.good("network init beaconed --name beaconed --beacon" + std::string(NodeWorld::kFast));
    for (const std::string dir : {"node", "beaconed"}) {
        world.good("chain new-block --count 12 --dir " + dir);
        world.good("block process --dir " + dir);
        const Ran exported =
            world.run("--progress public export --dir " + dir + " --out public-" + dir);
        EXPECT_EQ(exported.code, 0) << exported.says();
        EXPECT_NE(exported.err.find("reading heights: 100.0%"), std::string::npos);
        const auto record = world.json("entropy 5 --public public-" + dir + " --check-vdf");
        EXPECT_EQ(record["height"], 5);
        EXPECT_EQ(record["vdf_steps"], 256);
        EXPECT_EQ(record["y_verified"], true);
        EXPECT_EQ(record["reason"], "ok");
        EXPECT_EQ(record.contains("beacon_round"), dir == "beaconed");
        const std::uint64_t block_s = record["block_time_ms"].get<std::uint64_t>() / 1000;
        const std::uint64_t earliest = record["seed_not_before_s"];
        if (dir == "beaconed") {
            EXPECT_EQ(earliest, record["beacon_due_s"]);
            EXPECT_GE(earliest, block_s + record["beacon_delay_s"].get<std::uint64_t>());
        } else {
            EXPECT_EQ(earliest, block_s);
        }
        EXPECT_EQ(world.json("entropy 5 --public public-" + dir)["y_verified"], false);
    }

    // A record that names another value of the round is refused.
    const std::string file = "public-beaconed/public.json";
    const Bytes raw = slurp(world / file);
    std::string text(raw.begin(), raw.end());
    const auto told = world.json("entropy 5 --public public-beaconed");
    const std::string value = told["beacon_randomness"];
    ASSERT_NE(text.find(value), std::string::npos);
    for (std::size_t at = text.find(value); at != std::string::npos; at = text.find(value)) {
        text[at] = text[at] == '0' ? '1' : '0';  // several blocks may share a round
    }
    spill(world / file, Bytes(text.begin(), text.end()));
    const Ran refused = world.run("entropy 5 --public public-beaconed --json");
    EXPECT_EQ(refused.code, kExitRefused) << refused;
    EXPECT_EQ(refused.json()["reason"], "beacon");

    EXPECT_EQ(world.run("entropy 5000 --public public-node").code, kExitEnvironment);
    EXPECT_EQ(world.run("entropy x --public public-node").code, kExitUsage);
    EXPECT_EQ(world.run("entropy 5 --public nowhere").code, kExitEnvironment);
}

}  // namespace
}  // namespace holdfast::test
