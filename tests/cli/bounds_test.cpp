// `holdfast bounds`: the published figures in its table, its JSON and its chart; bad arguments.
#include "command.hpp"
#include "storage/file.hpp"

namespace holdfast::test {
namespace {

TEST(BoundsCommand, SaysThePublishedFigures) {
    const TempFolder folder;
    const Ran text = holdfast_command(folder.path(), {"bounds"});
    EXPECT_EQ(text.code, kExitOk) << text;
    for (const char* words : {"2^-46.8", "173", "1732", "0.9968", "4+2 shards"}) {
        EXPECT_TRUE(text.says(words)) << words << text;
    }
    // 1% missing and 460 challenges: 99% (Ateniese et al. 2007); one opening a link here.
    const Ran ran = holdfast_command(
        folder.path(), {"bounds", "--missing", "0.01", "--target", "6.6438", "--json"});
    EXPECT_EQ(ran.code, kExitOk) << ran;
    const auto json = nlohmann::json::parse(ran.out);
    EXPECT_EQ(json["detection"][0]["compact_links_to_target"], 459);
    EXPECT_EQ(json["detection"][0]["links_to_target"], 29);
    EXPECT_NEAR(json["storable_by_silence"].get<double>(), 0.9968, 0.00005);
    const Ran all = holdfast_command(folder.path(), {"bounds", "--missing", "1", "--json"});
    EXPECT_TRUE(nlohmann::json::parse(all.out)["detection"][0]["log2_passes"].is_null()) << all;
}

TEST(BoundsCommand, DrawsAChartAndKeepsWhatIsThere) {
    const TempFolder folder;
    const Words words = {"bounds", "--svg", "bounds.svg"};
    EXPECT_EQ(holdfast_command(folder.path(), words).code, kExitOk);
    const Bytes svg = read_file(folder / "bounds.svg", 1 << 20).value();
    const std::string chart(svg.begin(), svg.end());
    EXPECT_NE(chart.find("<svg"), std::string::npos);
    EXPECT_NE(chart.find("0.3333 missing"), std::string::npos);
    EXPECT_EQ(holdfast_command(folder.path(), words).code, kExitEnvironment);
}

TEST(BoundsCommand, SaysHowLikelyAFileIsLost) {
    const TempFolder folder;
    const Ran ran =
        holdfast_command(folder.path(), {"bounds", "--durability", "--json", "--svg", "loss.svg"});
    EXPECT_EQ(ran.code, kExitOk) << ran;
    const auto rows = nlohmann::json::parse(ran.out)["durability"]["rows"];
    ASSERT_EQ(rows.size(), 3U);
    // 4+2, a failure in ten years, a day to mend it: in decimal arithmetic of 90 digits.
    EXPECT_NEAR(rows[2]["log2_loss"].get<double>(), -20.0962437275, 1e-9);
    const Bytes svg = read_file(folder / "loss.svg", 1 << 20).value();
    EXPECT_NE(std::string(svg.begin(), svg.end()).find("4+3"), std::string::npos);
    EXPECT_TRUE(holdfast_command(folder.path(), {"bounds", "--durability"}).says("8.92e-7"));
    for (const Words& words : std::vector<Words>{{"--failures", "0"},
                                                 {"--repair-hours", "-1"},
                                                 {"--years", "0"},
                                                 {"--repairs-at-once", "0"}}) {
        Words all = {"bounds", "--durability"};
        all.insert(all.end(), words.begin(), words.end());
        EXPECT_EQ(holdfast_command(folder.path(), all).code, kExitUsage) << words[0];
    }
    EXPECT_EQ(holdfast_command(folder.path(), {"bounds", "--failures", "1"}).code, kExitUsage);
}

TEST(BoundsCommand, RefusesWhatMakesNoSense) {
    const TempFolder folder;
    for (const Words& words : std::vector<Words>{{"--missing", "0"},
                                                 {"--missing", "1.5"},
                                                 {"--missing", "nan"},
                                                 {"--chunks", "15"},
                                                 {"--links", "0"},
                                                 {"--target", "-1"},
                                                 {"--allowed", "2070"},
                                                 {"--data", "0"},
                                                 {"--data", "4294967295"},
                                                 {"--parity", "252"},
                                                 {"--shard-loss", "2"},
                                                 {"--spot", "1025"}}) {
        Words all = {"bounds"};
        all.insert(all.end(), words.begin(), words.end());
        const Ran ran = holdfast_command(folder.path(), all);
        EXPECT_EQ(ran.code, kExitUsage) << ran;
    }
}

}  // namespace
}  // namespace holdfast::test
