// Care in the background: what is damaged is found and made whole, what cannot be is said, and a
// disk that goes away is noticed and noticed again when it is back.
#include "node/scrubber.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "node/disk_watch.hpp"
#include "support/damaged_replica.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::node;
using holdfast::test::DamagedReplica;

class ScrubberTest : public ::testing::Test {
  protected:
    ScrubberTest() {
        entry_.replica = damaged_.files().replica;
        entry_.linked = true;
    }
    std::vector<StockedReplica> at_hand() const { return {entry_}; }
    std::unique_ptr<Scrubber> scrubber() {
        return std::make_unique<Scrubber>(
            settings_, damaged_.network(), [this] { return at_hand(); }, folder_.path(), *log_);
    }
    /// Until so many replicas were read.
    void run_until(Scrubber& scrubber, std::uint64_t scrubbed) {
        const auto begin = std::chrono::steady_clock::now();
        scrubber.run([&] {
            return scrubber.status().scrubbed >= scrubbed ||
                   std::chrono::steady_clock::now() - begin > std::chrono::seconds(20);
        });
        EXPECT_EQ(scrubber.status().scrubbed, scrubbed);
    }

    test::TempFolder folder_;
    std::unique_ptr<Log> log_ = *Log::open({LogLevel::kInfo, LogFormat::kText, folder_ / "log"});
    DamagedReplica damaged_;
    StockedReplica entry_;
    ScrubSettings settings_{720, 1'000, true};
};

TEST_F(ScrubberTest, ADamagedChunkIsMadeWholeFromTheRawFile) {
    damaged_.flip_chunk(7);
    entry_.raw = damaged_.world().folder / "x";
    const auto scrubber = this->scrubber();
    EXPECT_EQ(scrubber->begin(std::nullopt), 1U);
    run_until(*scrubber, 1);
    EXPECT_EQ(scrubber->status().damaged, 1U);
    EXPECT_EQ(scrubber->status().repaired, 1U);
    EXPECT_TRUE(problems(scrubber->status()).empty());
    damaged_.expect_pristine();
}

TEST_F(ScrubberTest, WhatCannotBeRepairedFromHereIsNamedWithWhatToDo) {
    damaged_.flip_chunk(7);
    const auto scrubber = this->scrubber();
    EXPECT_EQ(scrubber->begin(entry_.replica), 1U);
    run_until(*scrubber, 1);
    const ScrubStatus status = scrubber->status();
    ASSERT_EQ(status.bad.size(), 1U);
    EXPECT_EQ(status.bad[0].damaged_chunks, 1U);
    const auto told = problems(status);
    ASSERT_EQ(told.size(), 1U);
    EXPECT_NE(told[0].find("holdfast repair"), std::string::npos) << told[0];
    // Mended by hand, read again: nothing is wrong any more.
    ASSERT_TRUE(damaged_.repaired());
    EXPECT_EQ(scrubber->begin(std::nullopt), 1U);
    run_until(*scrubber, 2);
    EXPECT_TRUE(problems(scrubber->status()).empty());
}

TEST_F(ScrubberTest, RepairThatIsOffChangesNothing) {
    settings_.repair = false;
    damaged_.flip_chunk(3);
    entry_.raw = damaged_.world().folder / "x";
    const Bytes before = test::slurp(entry_.replica);
    const auto scrubber = this->scrubber();
    EXPECT_EQ(scrubber->begin(std::nullopt), 1U);
    run_until(*scrubber, 1);
    EXPECT_EQ(scrubber->status().bad.size(), 1U);
    EXPECT_TRUE(test::slurp(entry_.replica) == before);
}

TEST_F(ScrubberTest, ANewReplicaIsDueAfterARoundAndARestartBeginsNoNewOne) {
    const auto look = [](Scrubber& scrubber) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
        scrubber.run([&] { return std::chrono::steady_clock::now() > until; });
    };
    const auto first = this->scrubber();
    look(*first);
    EXPECT_EQ(first->status().scrubbed, 0U);
    EXPECT_EQ(first->status().due, 0U);
    EXPECT_EQ(first->begin(test::TempFolder() / "elsewhere"), 0U);
    (void)first->begin(std::nullopt);
    run_until(*first, 1);
    const auto at = first->of(entry_.replica);
    ASSERT_TRUE(at);
    EXPECT_GT(at->scrubbed_at, 0);
    const auto second = this->scrubber();
    look(*second);
    EXPECT_EQ(second->status().scrubbed, 0U);
    EXPECT_EQ(second->of(entry_.replica)->scrubbed_at, at->scrubbed_at);
}

TEST_F(ScrubberTest, TheRateIsACeilingAndAPauseEndsReading) {
    RateLimit limit(1, [] { return false; });
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 4; ++i) limit.take(100'000);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(280));
    const auto scrubber = this->scrubber();
    scrubber->pause(true);
    (void)scrubber->begin(std::nullopt);
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(400);
    scrubber->run([&] { return std::chrono::steady_clock::now() > until; });
    EXPECT_EQ(scrubber->status().scrubbed, 0U);
    scrubber->pause(false);
    run_until(*scrubber, 1);
}

TEST_F(ScrubberTest, ADiskThatGoesAwayIsNoticedAndSoIsItsReturn) {
    DiskWatch disks({[this] { return at_hand(); }, [] { return std::vector<StockedFolder>(); }},
                    machine_clock(), *log_);
    disks.look();
    ASSERT_EQ(disks.disks().size(), 1U);
    EXPECT_GT(disks.disks()[0].total_bytes, 0U);
    EXPECT_EQ(disks.disks()[0].error, "");
    const auto away = damaged_.world().folder / "away";
    std::filesystem::rename(entry_.replica, away);
    disks.look();
    EXPECT_NE(disks.disks()[0].error, "");
    EXPECT_EQ(disks.disks()[0].failed_reads, 1U);
    std::filesystem::rename(away, entry_.replica);
    disks.look();
    EXPECT_EQ(disks.disks()[0].error, "");
    std::vector<Metric> metrics;
    append_metrics(metrics, disks);
    EXPECT_NE(metrics_text(metrics).find("holdfast_disk_read_seconds_bucket{le=\"+Inf\"} 2"),
              std::string::npos)
        << metrics_text(metrics);
}

}  // namespace
