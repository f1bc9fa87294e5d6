// A prover that serves fewer chains than the node knows of its key says so.
#include "node/unserved_chains.hpp"

#include <gtest/gtest.h>

#include "support/follow_world.hpp"

namespace holdfast::node {
namespace {

using test::FollowWorld;

class UnservedChainsTest : public ::testing::Test {
  protected:
    void block(std::uint64_t height) {
        world.tip = Height(height);
        test::must(world.service.refresh());
        chains.look(test::must(world.client.at(Height(height))));
    }
    std::vector<ChainId> of_key(std::uint32_t n) const {
        std::vector<ChainId> out;
        for (const ChallengedChain& c : world.list) {
            if (c.prover == test::follow_key(n)) out.push_back(c.id);
        }
        return out;
    }
    FollowWorld world;
    UnservedChains chains{world.client, test::follow_key(2)};
};

TEST_F(UnservedChainsTest, AChainThatTheNodeKnowsAndNobodyServesIsNamed) {
    EXPECT_TRUE(chains.but({}).empty()) << "nothing is known yet";
    block(105);
    const std::vector<ChainId> own = of_key(2);
    ASSERT_EQ(own.size(), 1U);
    EXPECT_EQ(chains.but({}), own) << "the disk of the set is not mounted";
    EXPECT_TRUE(chains.but(own).empty());
    const auto problem = unserved_problem(own);
    ASSERT_TRUE(problem);
    EXPECT_NE(problem->find(to_hex(own[0])), std::string::npos) << *problem;
    EXPECT_FALSE(unserved_problem({}));
}

TEST_F(UnservedChainsTest, TheListIsAskedForAgainWhenItHasChangedAndNotAtEveryHeight) {
    block(105);
    world.list = test::follow_chains(12);  // another one of the key
    block(106);
    EXPECT_EQ(chains.but({}).size(), 1U) << "a list may be long";
    block(105 + UnservedChains::kEveryHeights);
    EXPECT_EQ(chains.but({}), of_key(2));
    EXPECT_EQ(of_key(2).size(), 2U);
}

TEST_F(UnservedChainsTest, WithoutAnAnswerItIsAskedWithTheNextHeight) {
    block(105);
    world.without_y.insert(Height(137));  // a list comes with a height that has y
    world.list = test::follow_chains(12);
    block(137);
    EXPECT_EQ(chains.but({}).size(), 1U);
    block(138);
    EXPECT_EQ(chains.but({}).size(), 2U);
}

}  // namespace
}  // namespace holdfast::node
