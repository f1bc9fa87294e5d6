// `network init`: a network that is quick as a whole, what a height costs, what presets are for.

#include <gtest/gtest.h>

#include "command.hpp"

namespace holdfast::test {
namespace {

Ran init(const TempFolder& folder, const std::string& rest) {
    return holdfast_command(folder.path(), words_of("network init node " + rest));
}

TEST(NetworkInit, DevAloneMakesAHeightQuickOnThisMachine) {
    const TempFolder folder;
    const nlohmann::json made = init(folder, "--preset dev --json").json();
    EXPECT_EQ(made["network"]["block_ms"], 1'000);
    EXPECT_LE(made["network"]["liability_blocks"].get<int>(), 120);
    const nlohmann::json cost = made["height_cost"];
    EXPECT_GT(cost["y_seconds"].get<double>(), 0);
    EXPECT_LT(cost["y_seconds"].get<double>(), 0.1);
    EXPECT_GT(cost["check_seconds"].get<double>(), 0);
    EXPECT_LT(cost["check_seconds"].get<double>(), 0.1);
    EXPECT_GT(cost["verify_seconds"].get<double>(), 0);
    EXPECT_FALSE(made["presets"]["dev"].get<std::string>().empty());
    // As a height really takes it.
    const auto good = [&](const std::string& line) {
        const Ran ran = holdfast_command(folder.path(), words_of(line));
        EXPECT_EQ(ran.code, kExitOk) << ran;
        return ran;
    };
    good("chain new-block --count 8");
    const nlohmann::json processed = good("block process --json").json();
    EXPECT_EQ(processed["blocks"].size(), 6U);
}

TEST(NetworkInit, WhatIsSetIsNotMadeQuick) {
    const TempFolder folder;
    const nlohmann::json made =
        init(folder, "--preset dev --set block_ms=7000 --set rate_window=500 --no-costs --json")
            .json();
    EXPECT_EQ(made["network"]["block_ms"], 7'000);
    EXPECT_EQ(made["network"]["rate_window"], 500);
    EXPECT_FALSE(made.contains("height_cost"));
}

TEST(NetworkInit, DevBesideAnotherPresetIsAPresetAndNoMore) {
    const TempFolder folder;
    const nlohmann::json made =
        init(folder, "--preset dev --preset standard --no-costs --json").json();
    EXPECT_EQ(made["network"]["block_ms"], 52'000);
    EXPECT_EQ(made["presets"].size(), 2U);
}

TEST(NetworkInit, SaysInWordsWhatAHeightCosts) {
    const TempFolder folder;
    const Ran ran = init(folder, "--preset dev");
    EXPECT_EQ(ran.code, kExitOk) << ran;
    for (const char* words : {"a height on this machine", "y ", "check of y", "a link", "16 reads",
                              "a signature", "preset dev: "}) {
        EXPECT_TRUE(ran.says(words)) << words << "\n" << ran;
    }
}

TEST(NetworkInit, WithoutAClockYIsNotMeasured) {
    const TempFolder folder;
    const Ran ran = init(folder, "--preset dev --no-vdf");
    EXPECT_EQ(ran.code, kExitOk) << ran;
    EXPECT_FALSE(ran.says("check of y")) << ran;
    EXPECT_TRUE(ran.says("a link")) << ran;
}

}  // namespace
}  // namespace holdfast::test
