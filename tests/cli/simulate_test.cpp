// simulate: real replicas, a small network, every check of its own report; and its refusals.
#include "node_world.hpp"

namespace holdfast::test {
namespace {

/// A second registry came to the same digests at every height, and what both ways cost is told.
void expect_both_ways(const nlohmann::json& j) {
    std::uint64_t compared = 0;
    for (const auto& row : j["rows"]) {
        const auto& bundles = row["handed_over"]["bundles"];
        const auto& singles = row["handed_over"]["singles"];
        EXPECT_EQ(bundles["links"], row["links"]);
        EXPECT_EQ(bundles["proofs"], row["proofs"]);
        EXPECT_EQ(singles["links"], row["links"]);
        EXPECT_EQ(singles["proofs"], row["proofs"]);
        for (const auto& digest : row["digests"]) {
            EXPECT_EQ(digest["bundles"], digest["singles"]) << digest;
            EXPECT_EQ(digest["bundles"].get<std::string>().size(), 64U);
            ++compared;
        }
    }
    EXPECT_GT(compared, 8U);
    EXPECT_EQ(j["digests_compared_of_both_ways"], compared);
    EXPECT_EQ(j["digests_that_differ_between_them"], 0);
    const auto& bundles = j["handed_over"]["bundles"];
    const auto& singles = j["handed_over"]["singles"];
    EXPECT_LE(bundles["signatures"], 2 * j["rows"].size()) << "one for each key and height";
    EXPECT_EQ(singles["signatures"].get<std::uint64_t>(),
              singles["links"].get<std::uint64_t>() + singles["proofs"].get<std::uint64_t>());
    EXPECT_LT(bundles["bytes"], singles["bytes"]);
    for (const auto& way : {bundles, singles}) {
        EXPECT_GT(way["provers_cpu_seconds"], 0);
        EXPECT_GT(way["registry_cpu_seconds"], 0);
    }
}

TEST(Simulate, SixtyChainsTwelveBlocksAgree) {
    TempFolder folder;
    const std::string line =
        "simulate --chains 60 --blocks 12 --late 6 --cheaters 4 --additions 1 --removals 1 --dir "
        "cache --svg chart.svg --json";
    const Ran ran = holdfast_command(folder.path(), words_of(line));
    ASSERT_EQ(ran.code, kExitOk) << ran;
    const nlohmann::json j = ran.json();
    EXPECT_EQ(j["result"], "everything agrees");
    EXPECT_EQ(j["chains"], 60);
    EXPECT_EQ(j["rows"].size(), 12U);
    EXPECT_EQ(j["additions"], 12);
    EXPECT_EQ(j["removals"], 12);
    EXPECT_GT(j["digests_recomputed"], 8);
    EXPECT_EQ(j["digests_that_differ"], 0);
    EXPECT_GT(j["cheating_proofs_refused"], 0);
    EXPECT_EQ(j["cheating_proofs_taken"], 0);
    EXPECT_LE(j["most_open_files"], 1'024);
    EXPECT_GT(j["forecast"]["capacity"], 60);
    std::uint64_t not_active = 0;
    for (const auto& row : j["rows"]) {
        const auto& s = row["statistics"];
        not_active += s["late"].get<std::uint64_t>() + s["expired"].get<std::uint64_t>();
    }
    EXPECT_GT(not_active, 4U) << "cheaters and absent chains must show";
    expect_both_ways(j);
    const Bytes svg = slurp(folder / "chart.svg");
    EXPECT_EQ(std::string(svg.begin(), svg.begin() + 4), "<svg");

    // The cache is used again, is of one seed, and no run leaves its copy behind.
    const Ran again = holdfast_command(folder.path(), words_of(line));
    ASSERT_EQ(again.code, kExitOk) << again;
    for (const auto& e : std::filesystem::directory_iterator(folder / "cache")) {
        EXPECT_FALSE(e.path().filename().string().starts_with("run-")) << e.path();
    }
    expect_failure(
        holdfast_command(folder.path(), words_of("simulate --chains 60 --dir cache --seed 2")),
        kExitUsage, "another simulation");
}

TEST(Simulate, BadArgumentsAreRefusedBeforeAnythingIsWritten) {
    TempFolder folder;
    for (const char* line :
         {"simulate --chains 0", "simulate --chains 1000001", "simulate --chains -1",
          "simulate --blocks 1", "simulate --blocks 201", "simulate --late 1000 --chains 1000",
          "simulate --chains 10 --late 5 --cheaters 5", "simulate --chains 10 --removals 2",
          "simulate --additions 18446744073709551615", "simulate --threads 257",
          "simulate --reader fast", "simulate --svg .", "simulate extra"}) {
        const Ran ran = holdfast_command(folder.path(), words_of(line));
        EXPECT_EQ(ran.code, kExitUsage) << ran;
        EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << line;
    }
}

TEST(Simulate, CtrlCLeavesACacheThatTheNextRunGoesOnWith) {
    TempFolder folder;
    const Words words =
        words_of("simulate --chains 100 --blocks 200 --removals 0 --dir cache --json");
    Command command(folder.path(), words);
    ::usleep(400'000);
    command.send(SIGINT);
    const Ran stopped = command.wait();
    EXPECT_EQ(stopped.code, kExitInterrupted) << stopped;
    const Ran whole = holdfast_command(
        folder.path(),
        words_of("simulate --chains 100 --blocks 8 --removals 0 --one-way --dir cache"));
    EXPECT_EQ(whole.code, kExitOk) << whole;
    EXPECT_EQ(whole.out.find("a signature for each link"), std::string::npos) << whole;
    EXPECT_NE(whole.out.find("in bundles"), std::string::npos) << whole;
}

}  // namespace
}  // namespace holdfast::test
