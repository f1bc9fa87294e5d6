// What a node does at a height: sums, what grows with what, and the machine for it.
#include <gtest/gtest.h>

#include "analysis/node_work.hpp"

namespace holdfast {
namespace {

constexpr WorkRates kRates{100e-6, 1e-6, 2e-6, 4.0, 1.0};

NodeWork work(const WorkSize& size, const NetworkParams& params = NetworkParams::preset()) {
    return node_work(params, WindowPlan(ChunkCount(kMaxChunks), kSealStandard), size, kRates);
}

double of(const std::vector<WorkItem>& items, const std::string& start) {
    for (const WorkItem& i : items) {
        if (i.what.starts_with(start)) return i.core_s;
    }
    ADD_FAILURE() << start;
    return 0;
}

TEST(NodeWork, SumsWhatItNames) {
    const NodeWork w = work({});
    double height = 0;
    for (const WorkItem& i : w.height) height += i.core_s;
    double strangers = 0;
    for (const WorkItem& i : w.strangers) strangers += i.core_s;
    EXPECT_DOUBLE_EQ(w.height_s, height);
    EXPECT_DOUBLE_EQ(w.strangers_s, strangers);
    EXPECT_DOUBLE_EQ(w.block_s, 52);
    EXPECT_NEAR(of(w.height, "links"), 100'000 * (100e-6 + kLinkRecords * 2e-6), 1e-6);
    // Each of 100,000 chains is audited once in 2,070 blocks: 49 a block, where 8 were the least.
    EXPECT_NEAR(of(w.height, "audits"), 49 * 4.0, 1e-9);
    EXPECT_NEAR(of(work({.chains = 1'000}).height, "audits"), 8 * 4.0, 1e-9);
}

TEST(NodeWork, OfStrangersHasOneCeilingWhateverTheNumberOfChains) {
    EXPECT_DOUBLE_EQ(work({.chains = 10}).strangers_s, work({.chains = 1'000'000}).strangers_s);
    EXPECT_GT(work({.chains = 1'000'000}).height_s, work({.chains = 10}).height_s);
    // Evidence costs the dearer one of the two fills.
    EXPECT_DOUBLE_EQ(of(work({.evidence_fills = 3}).strangers, "fills"), 12);
}

TEST(NodeWork, TheMachineHasACoreForYAndOneForEveryThreadThatStrangersKeepBusy) {
    const NodeWork w = work({.chains = 1, .listed = 0, .workers = 5, .evidence_fills = 0});
    // The audits of eight chains, and nothing else to speak of: a core beside six and one.
    EXPECT_EQ(w.cores, 8U);
    NetworkParams without = NetworkParams::preset();
    without.has_vdf = false;
    EXPECT_EQ(work({.chains = 1, .listed = 0, .workers = 5, .evidence_fills = 0}, without).cores,
              7U);
    const NodeWork large = work({});
    EXPECT_GE(large.cores * large.block_s, large.height_s + large.strangers_s);
    EXPECT_GT(large.memory_bytes, std::uint64_t{1} << 30);
}

TEST(NodeWork, RatesAreMeasured) {
    const auto rates = measure_work_rates();
    ASSERT_TRUE(rates.has_value()) << rates.error().message;
    EXPECT_GT(rates->signature_s, 1e-6);
    EXPECT_LT(rates->signature_s, 0.1);
    EXPECT_GT(rates->hash_s, 1e-9);
    EXPECT_LT(rates->hash_s, rates->signature_s);
    EXPECT_GT(rates->record_s, 1e-9);
    EXPECT_LT(rates->record_s, 0.1);
}

}  // namespace
}  // namespace holdfast
