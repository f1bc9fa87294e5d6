// Every status of a chain and every cause of it is told with its heights, its cost, what it becomes
// and what to do.
#include "node/explain.hpp"

#include <gtest/gtest.h>

#include "core/hash.hpp"

namespace holdfast::node {
namespace {

NetworkParams explained_network() {
    NetworkParams p;
    p.block_ms = 10'000;
    p.seal_delay = 5;
    p.seal_deadline = 20;
    p.rate_window = 100;
    p.misses_late = 10;
    p.misses_expired = 50;
    p.removal_delay = 20;
    p.liability_blocks = 200;
    return p;
}
constexpr Height kTip(1'000);

/// Sealed, linked, in the digest as `status`.
ChainFacts standing(ChainStatus status, std::uint64_t misses = 0) {
    ChainFacts f;
    f.chain = FollowedChain{};
    f.chain->chain_id = ChainId(tagged_hash("test/chain", std::uint64_t{1}));
    f.chain->accepted = Height(100);
    f.chain->phase = ChainPhase::kSealed;
    f.chain->status = status;
    f.chain->misses = misses;
    f.replica = "/mnt/disk1/a.replica";
    f.disk = "/mnt/disk1";
    f.linked = true;
    return f;
}
ChainFacts in_phase(ChainPhase phase) {
    ChainFacts f = standing(ChainStatus::kActive);
    f.chain->phase = phase;
    f.chain->status.reset();
    return f;
}
/// From `then` at height 960 to `now` at the tip.
MissTrend trend(std::uint64_t then, std::uint64_t now) {
    MissTrend out;
    out.note(Height(960), then);
    out.note(kTip, now);
    return out;
}
Explanation told(const ChainFacts& facts) {
    return explain_chain(explained_network(), kTip, facts);
}
::testing::AssertionResult says(const std::string& text, const std::vector<std::string>& parts) {
    for (const std::string& part : parts) {
        if (text.find(part) == std::string::npos) {
            return ::testing::AssertionFailure() << "\"" << part << "\" is not in: " << text;
        }
    }
    return ::testing::AssertionSuccess();
}

TEST(Explain, AChainWithoutMissesNeedsNothing) {
    const Explanation e = told(standing(ChainStatus::kActive));
    EXPECT_EQ(e.concern, Concern::kNone);
    EXPECT_EQ(e.text(), "active: no misses in the last 100 heights");
}

TEST(Explain, AnActiveChainWhoseMissesGrowSaysWhenItIsLate) {
    ChainFacts f = standing(ChainStatus::kActive, 6);
    f.trend = trend(2, 6);  // 4 in 40 heights: 5 more take 50
    f.fault = PartFault{Height(998), "cell 7 cannot be read"};
    const Explanation e = told(f);
    EXPECT_EQ(e.concern, Concern::kWarning);
    EXPECT_TRUE(says(e.text(), {"6 misses in the last 100 heights", "4 more than at height 960",
                                "at height 998: cell 7 cannot be read",
                                "late in about 50 heights (8 min, height 1050) at this rate",
                                "holdfast scrub"}));
}

TEST(Explain, AFewOldMissesAreNoMatter) {
    ChainFacts f = standing(ChainStatus::kActive, 3);
    f.trend = trend(3, 3);
    EXPECT_EQ(told(f).concern, Concern::kNone);
    EXPECT_EQ(told(f).action, "");
}

TEST(Explain, AReplicaThatIsNotAtHandIsLateAtTheLatestInSoManyHeights) {
    ChainFacts f = standing(ChainStatus::kActive, 4);
    f.replica.clear();
    f.linked = false;
    const Explanation e = told(f);
    EXPECT_EQ(e.concern, Concern::kProblem);
    EXPECT_TRUE(says(e.text(), {"not at hand", "every height is a miss",
                                "late at the latest in about 7 heights", "mount its disk"}));
}

TEST(Explain, AReplicaThatCannotBeOpenedNamesItsError) {
    ChainFacts f = standing(ChainStatus::kActive);
    f.linked = false;
    f.error = "input/output error";
    const Explanation e = told(f);
    EXPECT_EQ(e.concern, Concern::kProblem);
    EXPECT_TRUE(says(e.text(), {"/mnt/disk1/a.replica: input/output error", "rescan"}));
}

TEST(Explain, LateByMissesThatGrowOn) {
    ChainFacts f = standing(ChainStatus::kLate, 30);
    f.trend = trend(10, 30);  // half a miss a height: 21 more take 42
    const Explanation e = told(f);
    EXPECT_EQ(e.concern, Concern::kProblem);
    EXPECT_TRUE(says(e.text(), {"late: 30 misses", "late above 10", "does not count as active",
                                "expired in about 42 heights"}));
}

TEST(Explain, LateByMissesThatFallIsActiveAgainByItself) {
    ChainFacts f = standing(ChainStatus::kLate, 14);
    f.trend = trend(30, 14);  // 16 in 40: 4 more take 10
    const Explanation e = told(f);
    EXPECT_TRUE(says(e.text(), {"falling since height 960", "active again in about 10 heights",
                                "keep it running"}));
}

TEST(Explain, LateByAnAuditThatIsOpen) {
    ChainFacts f = standing(ChainStatus::kLate, 2);
    f.seal_deadline = Height(1'020);
    EXPECT_TRUE(says(told(f).text(),
                     {"an audit was missed and is open", "by height 1020", "part of the bond"}));
}

TEST(Explain, LateByTheQuorum) {
    EXPECT_TRUE(says(told(standing(ChainStatus::kLate, 2)).text(),
                     {"suspended", "3 of its 5 newest challenges", "[transport] listen"}));
}

TEST(Explain, LeavingSaysUntilWhenLinksAreOwed) {
    ChainFacts f = standing(ChainStatus::kRemoving);
    f.chain->removal_at = Height(990);
    EXPECT_TRUE(says(told(f).text(), {"accepted at height 990", "vacant at height 1010",
                                      "liable for 200 heights more"}));
    f.replica.clear();
    f.linked = false;
    EXPECT_EQ(told(f).concern, Concern::kProblem);
}

TEST(Explain, ExpiredByEachOfItsCauses) {
    ChainFacts f = standing(ChainStatus::kExpired, 51);
    f.chain->liable_until = Height(1'200);
    EXPECT_TRUE(says(told(f).text(), {"51 misses", "expired above 50", "until height 1200"}));
    EXPECT_EQ(told(f).concern, Concern::kProblem);
    f.chain->misses = 0;
    f.ends_at = Height(999);
    EXPECT_TRUE(says(told(f).text(), {"its retention was over at height 999"}));
    EXPECT_EQ(told(f).concern, Concern::kNotice);
    f.chain->part_taken = true;
    EXPECT_TRUE(says(told(f).text(), {"its part of the bond was taken"}));
    EXPECT_EQ(told(f).concern, Concern::kProblem);
}

TEST(Explain, RetentionThatEndsSoonAndANewBaseAreForeseen) {
    ChainFacts f = standing(ChainStatus::kActive);
    f.ends_at = Height(1'050);
    f.chain->update_due = Height(1'003);
    const Explanation e = told(f);
    EXPECT_EQ(e.concern, Concern::kNone);
    EXPECT_TRUE(says(e.next, {"retention is over at height 1050", "from height 1003 on"}));
    f.ends_at = Height(5'000);
    f.chain->update_due.reset();
    EXPECT_EQ(told(f).next, "");
}

TEST(Explain, ASealProofThatIsDueNamesItsDeadlineAndWhatItCosts) {
    ChainFacts f = in_phase(ChainPhase::kPending);
    f.chain->accepted = Height(990);
    EXPECT_TRUE(says(told(f).text(), {"registered at height 990", "void at height 1015"}));
    EXPECT_EQ(told(f).concern, Concern::kNotice);
    f.seal_deadline = Height(1'017);
    f.replica.clear();
    f.linked = false;
    EXPECT_TRUE(says(told(f).text(), {"void at height 1017", "not at hand", "mount its disk"}));
    EXPECT_EQ(told(f).concern, Concern::kProblem);
}

TEST(Explain, LiableVoidAndEndedChains) {
    ChainFacts f = in_phase(ChainPhase::kLiable);
    f.chain->vacant_from = Height(900);
    f.chain->liable_until = Height(1'100);
    EXPECT_TRUE(says(told(f).text(), {"since height 900", "after height 1100", "keep"}));
    f.replica.clear();
    EXPECT_TRUE(says(told(f).text(), {"costs its part of the bond"}));

    const Explanation lost = told(in_phase(ChainPhase::kVoid));
    EXPECT_EQ(lost.concern, Concern::kWarning);
    EXPECT_TRUE(says(lost.text(), {"deposit is lost", "sealed anew", "prover remove"}));
    f = in_phase(ChainPhase::kEnded);
    f.chain->removal_at = Height(700);
    EXPECT_TRUE(says(told(f).text(), {"asked for at height 700", "prover remove /mnt/disk1"}));
}

TEST(Explain, WithoutAChainThereIsABondToSetOrAFileToMend) {
    ChainFacts f;
    f.replica = "/mnt/disk1/a.replica";
    f.linked = true;
    EXPECT_TRUE(says(told(f).text(), {"not registered", "[prover] bond"}));
    f.linked = false;
    f.error = "not a replica";
    EXPECT_EQ(told(f).state, "unusable");
    EXPECT_TRUE(says(told(f).text(), {"not a replica", "prover remove"}));
}

TEST(Explain, ManyChainsOfOneCauseAreToldOnceWithTheWorst) {
    ChainSummary summary(explained_network(), kTip);
    for (std::uint64_t n = 0; n < 5'000; ++n) {
        ChainFacts f = standing(ChainStatus::kLate, 20 + n % 30);
        f.fault = PartFault{kTip, "a cell cannot be read"};
        f.chain->chain_id = ChainId(tagged_hash("test/chain", n));
        (void)summary.add(f);
        (void)summary.add(standing(ChainStatus::kActive));
    }
    const auto groups = summary.groups();
    ASSERT_EQ(groups.size(), 1U);
    EXPECT_EQ(groups[0].chains, 5'000U);
    EXPECT_TRUE(says(groups[0].text(), {"5,000 chains", "on /mnt/disk1", "49 misses"}));
}

TEST(Explain, SoManyDisksAreStillBounded) {
    ChainSummary summary(explained_network(), kTip);
    for (int n = 0; n < 1'000; ++n) {
        ChainFacts f = standing(ChainStatus::kLate, 20);
        f.disk = "/mnt/" + std::to_string(n);
        f.error = "Input/output error";
        (void)summary.add(f);
    }
    EXPECT_LE(summary.groups().size(), ChainSummary::kMostGroups + 1);
}

TEST(Explain, Disks) {
    DiskFacts disk;
    disk.path = "/mnt/disk1";
    disk.replicas = 1'000;
    disk.probes = 10;
    disk.median_us = 4'000;
    EXPECT_EQ(explain_disk(30'000, disk).concern, Concern::kNone);
    disk.median_us = 250'000;
    EXPECT_TRUE(says(explain_disk(30'000, disk).text(), {"slow", "longer than a height has"}));
    disk.failed_reads = 2;
    EXPECT_TRUE(says(explain_disk(30'000, disk).text(), {"faulty", "2 reads have failed"}));
    disk.read_only = true;
    EXPECT_EQ(explain_disk(30'000, disk).state, "read-only");
    disk.error = "no such device";
    EXPECT_EQ(explain_disk(30'000, disk).concern, Concern::kProblem);
}

TEST(MissTrend, FollowsTheNewestHeightsAlone) {
    MissTrend t;
    EXPECT_FALSE(t.since());
    t.note(Height(100), 0);
    EXPECT_FALSE(t.since());
    for (std::uint64_t h = 101; h <= 200; ++h) t.note(Height(h), h - 100);
    for (std::uint64_t h = 201; h <= 300; ++h) t.note(Height(h), 100);  // it has stopped
    EXPECT_GE(t.since(), Height(300 - 2 * MissTrend::kSpan));
    EXPECT_FALSE(t.heights_until(150));
    t.note(Height(250), 0);  // a height that goes back changes nothing
    EXPECT_EQ(t.misses_now(), 100U);
}

}  // namespace
}  // namespace holdfast::node
