// When each step of a height was done, what was left of its deadline, what was missed.
#include "node/height_timeline.hpp"

#include <gtest/gtest.h>

#include "node/disk_watch.hpp"
#include "support/temp_folder.hpp"

namespace holdfast::node {
namespace {

class Timeline : public ::testing::Test {
  protected:
    static NetworkParams params() {
        NetworkParams p;
        p.block_ms = 1'000;
        p.link_lag = 2;
        p.rate_window = 10;
        return p;
    }
    void at(std::uint64_t ms) { now_ms = ms; }

    std::uint64_t now_ms = 0;
    HeightTimeline line{params(), [this] { return now_ms * 1'000'000; }};
};

TEST_F(Timeline, StepsAreTimedFromTheBlockAndTheMarginIsWhatWasLeft) {
    at(5'000);
    line.block(Height(7));
    line.owed(Height(7), 3);
    at(5'200);
    line.step(Height(7), HeightStep::kOutput);
    at(5'700);
    line.step(Height(7), HeightStep::kHandedOver);
    line.step(Height(7), HeightStep::kAcknowledged);
    line.taken(Height(7), 3);
    line.owed(Height(7), 0);  // nothing is due any more: three were
    at(8'100);
    const HeightTimes t = line.times(1).at(0);
    EXPECT_EQ(t.height, Height(7));
    EXPECT_EQ(t.done[0], 200U);
    EXPECT_EQ(t.done[3], 700U);
    EXPECT_FALSE(t.done[4]);
    EXPECT_EQ(t.owed, 3U);
    EXPECT_EQ(t.deadline_ms, 3'000U);
    EXPECT_EQ(t.margin_ms, 2'300);
    line.step(Height(99), HeightStep::kOutput);  // none such
    EXPECT_EQ(line.times(9).size(), 1U);
}

TEST_F(Timeline, WhatIsNotHandedOverRunsOutOfTime) {
    line.block(Height(7));
    at(3'400);
    EXPECT_EQ(line.times(1).at(0).margin_ms, -400);
}

TEST_F(Timeline, AHeightClosesWithALaterBlockAndItsMissesAreCounted) {
    line.away(2);
    line.block(Height(7));
    line.owed(Height(7), 5);
    line.taken(Height(7), 4);
    line.block(Height(8));
    line.block(Height(9));
    EXPECT_TRUE(line.counts().empty());
    line.block(Height(10));
    ASSERT_EQ(line.counts().size(), 1U);
    EXPECT_EQ(line.counts()[0].owed, 7U);
    EXPECT_EQ(line.counts()[0].missed, 3U);
}

TEST_F(Timeline, MemoryIsBoundedByTheRateWindow) {
    for (std::uint64_t h = 0; h < 10'000; ++h) line.block(Height(h));
    EXPECT_EQ(line.counts().size(), 10U);
    EXPECT_EQ(line.counts().back().height, Height(9'996));
    EXPECT_EQ(line.times(10'000).size(), HeightTimeline::kKeptTimes);
}

TEST(DiskRead, IsTimedOrNamesTheFileThatCannotBeRead) {
    const test::TempFolder folder;
    const std::filesystem::path file = folder / "a.replica";
    test::spill(file, Bytes(20'000, 7));
    EXPECT_TRUE(timed_read(file, 123'456'789));
    test::spill(folder / "empty", Bytes());
    EXPECT_TRUE(timed_read(folder / "empty", 5));
    const auto missing = timed_read(folder / "none", 1);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
    EXPECT_NE(missing.error().message.find("none"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::node
