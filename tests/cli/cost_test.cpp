// `holdfast cost`: its table and JSON for the smallest preset, the verdict both ways, bad
// arguments, interruption.
#include <cmath>
#include <thread>

#include "command.hpp"

namespace holdfast::test {
namespace {

Ran cost(const Words& more) {
    const TempFolder folder;
    Words words = {"cost"};
    words.insert(words.end(), more.begin(), more.end());
    return holdfast_command(folder.path(), words);
}

TEST(CostCommand, DevIsTooWeakAndSaysWhy) {
    const Ran text = cost({"--preset", "dev"});
    EXPECT_EQ(text.code, kExitRefused) << text;
    for (const char* words :
         {"dev: windows of", "blocks and references", "carried out here", "storing the replica",
          "TOO WEAK: the smallest replica (16 chunks) is refilled", "TOO WEAK: with 0.00 of a"}) {
        EXPECT_TRUE(text.says(words)) << words << "\n" << text;
    }
    EXPECT_FALSE(text.says("These parameters hold")) << text;

    // The inequality of the bill, from a price that makes cheating free.
    const Ran ran = cost({"--preset", "dev", "--core-hour", "1e-9", "--json"});
    EXPECT_EQ(ran.code, kExitRefused) << ran;
    const auto json = ran.json();
    EXPECT_EQ(json["too_weak"], true);
    EXPECT_EQ(json["reasons"].size(), 3U) << ran;
    EXPECT_LT(json["least_ratio"].get<double>(), 1) << ran;
}

TEST(CostCommand, FiguresFitTogether) {
    const Ran ran = cost({"--preset", "dev", "--bytes", "4194304", "--json"});
    const auto json = ran.json();
    EXPECT_EQ(json["windows"], 4);
    EXPECT_EQ(json["passes"], 8);
    EXPECT_EQ(json["measured_passes"], 8);
    const double fill = json["one_chunk"]["seconds"].get<double>();
    EXPECT_GT(fill, 0);
    EXPECT_GT(json["seal_core_seconds_per_gib"].get<double>(), fill * 1024);
    // Sixteen draws of four windows touch nearly all of them.
    const double windows = json["one_by_one"]["windows_a_link"].get<double>();
    EXPECT_NEAR(windows, 4 * (1 - std::pow(0.75, 16)), 0.01);
    EXPECT_NEAR(json["one_by_one"]["core_seconds_a_link"].get<double>(), windows * fill, 1e-9);
    EXPECT_NEAR(json["storing_a_month"].get<double>(), 4.194304e-6 * 50 / 60, 1e-12);
    // More kept blocks, and more threads, never count more block computations.
    const auto& rows = json["refills"];
    ASSERT_EQ(rows.size(), 12U);
    EXPECT_EQ(rows[0]["kept"], 0);
    for (std::size_t r = 3; r < rows.size(); ++r) {
        if (rows[r]["keeps"] == rows[r - 1]["keeps"]) {
            EXPECT_GT(rows[r]["kept"], rows[r - 1]["kept"]);
        }
        const auto& cells = rows[r]["refills"];
        ASSERT_EQ(cells.size(), 5U);
        EXPECT_LE(cells[4]["seconds"], cells[3]["seconds"]) << ran;
        EXPECT_EQ(cells[4]["threads"], 16);
        EXPECT_EQ(cells[4]["measured"], false);
    }
    EXPECT_EQ(rows[3]["refills"][0]["measured"], true);  // carried out
}

TEST(CostCommand, HoldsAgainstASlowAttacker) {
    const Words slow = {"--preset", "dev", "--attacker-speed", "1e-6"};
    const Ran text = cost(slow);
    EXPECT_EQ(text.code, kExitOk) << text;
    EXPECT_TRUE(text.says("These parameters hold")) << text;
    EXPECT_TRUE(text.says("the window itself")) << text;
    EXPECT_FALSE(text.says("TOO WEAK")) << text;
}

TEST(CostCommand, QuickMeasuresFewerPassesAndSaysSo) {
    const Ran ran = cost({"--preset", "256:163840", "--quick"});
    EXPECT_TRUE(ran.says("10 of 160 passes were measured; all is scaled up")) << ran;
    const auto json = cost({"--preset", "256:163840", "--quick", "--json"}).json();
    EXPECT_EQ(json["passes"], 160);
    EXPECT_EQ(json["measured_passes"], 10);
}

TEST(CostCommand, RefusesWhatMakesNoSense) {
    for (const Words& words : std::vector<Words>{{"--preset", "none"},
                                                 {"--preset", "256:16"},
                                                 {"--preset", "0:0"},
                                                 {"--preset", "256:17179869184"},  // 2^34 blocks
                                                 {"--bytes", "0"},
                                                 {"--bytes", "4294967297"},
                                                 {"--bytes", "x"},
                                                 {"--core-hour", "0"},
                                                 {"--disk-tb", "-1"},
                                                 {"--disk-months", "nan"},
                                                 {"--kwh", "inf"},
                                                 {"--watts", "0"},
                                                 {"--attacker-speed", "0"},
                                                 {"--margin", "0"},
                                                 {"--least-kept", "1.5"},
                                                 {"--set", "deadline_ms"},
                                                 {"--set", "min_chunks=32", "--bytes", "65536"}}) {
        const Ran ran = cost(words);
        EXPECT_EQ(ran.code, kExitUsage) << ran;
        EXPECT_FALSE(ran.err.empty()) << ran;
    }
}

TEST(CostCommand, CtrlCStopsIt) {
    const TempFolder folder;
    Command command(folder.path(), {"cost", "--preset", "256:134217728"});
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    command.send(SIGINT);
    const Ran ran = command.wait();
    EXPECT_EQ(ran.code, kExitInterrupted) << ran;
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace holdfast::test
