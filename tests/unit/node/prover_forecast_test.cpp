// A prover is warned before it misses a deadline, with the reason and what to do.
#include "node/prover_forecast.hpp"

#include <gtest/gtest.h>

#include "core/hash.hpp"

namespace holdfast::node {
namespace {

NetworkParams network() {
    NetworkParams p;
    p.block_ms = 10'000;
    p.link_lag = 2;
    return p;
}
ChainId chain(std::uint64_t n) { return ChainId(tagged_hash("test/chain", n)); }

/// The one warning; empty: none.
std::string warning(const ProverFacts& facts) {
    const std::vector<std::string> all = forecast(network(), facts);
    EXPECT_LE(all.size(), 1U);
    return all.empty() ? std::string() : all.front();
}

TEST(ProverForecast, NothingToSayWhileAllIsWell) {
    ProverFacts facts;
    facts.tip = Height(100);
    EXPECT_EQ(warning(facts), "");
    facts.links_ms = 14'000;  // of 20 s
    facts.seal_proof_ms = 1'000;
    facts.duties = {{chain(1), Height(120)}, {chain(2), Height(101)}};
    EXPECT_EQ(warning(facts), "");
}

TEST(ProverForecast, LinksThatTakeMostOfTheirTime) {
    ProverFacts facts;
    facts.links_ms = 14'100;
    EXPECT_NE(warning(facts).find("14.1 s of the 20.0 s"), std::string::npos) << warning(facts);
}

TEST(ProverForecast, SealProofsThatDoNotFitBeforeTheirDeadlines) {
    ProverFacts facts;
    facts.tip = Height(100);
    facts.seal_proof_ms = 10'000;
    // The third in the order of deadlines comes after 30 s of the 40 s that it has, with too little
    // to spare; the fourth has a deadline that is over.
    facts.duties = {{chain(3), Height(104)}, {chain(1), Height(103)}, {chain(2), Height(103)}};
    const std::string said = warning(facts);
    EXPECT_NE(said.find("1 of 3"), std::string::npos) << said;
    EXPECT_NE(said.find(to_hex(chain(3)) + " at height 104"), std::string::npos) << said;
    facts.duties.push_back({chain(4), Height(99)});
    EXPECT_NE(warning(facts).find(to_hex(chain(4)) + " at height 99"), std::string::npos);
    facts.seal_proof_ms = 0;  // none made yet: nothing to go by
    EXPECT_EQ(warning(facts), "");
}

}  // namespace
}  // namespace holdfast::node
