// A whole network's history against the rules written down a second time, with restarts in between.
#include <gtest/gtest.h>

#include <set>

#include "proofs/link_verify.hpp"
#include "support/registry_story.hpp"

namespace holdfast {
namespace {

using test::must;
using test::RegistryModel;
using test::RegistryStory;
using test::RegistryWorld;

constexpr std::uint64_t kLast = 175;

RegistryOptions keep_all() {
    RegistryOptions options;
    options.kept_heights = 1'000;
    return options;
}

struct Told {
    std::vector<GlobalDigest> digests;  // by height
    std::vector<std::vector<Effect>> effects;
    RegistryStatistics statistics;
};

Told tell(RegistryWorld& world, std::uint64_t seed, std::uint64_t restart_every,
          RegistryModel* model) {
    RegistryStory story(world.params(), seed);
    for (Height h = world.params().genesis_height; h.value <= kLast; ++h) {
        (void)story.feed(world.registry(), h, model);
        story.act(world.registry(), h, model);
        if (restart_every != 0 && h.value % restart_every == 0) {
            world.open();
            story.act(world.registry(), h);  // again, as after an interruption
        }
    }
    Told told;
    for (Height h = world.params().genesis_height; h <= world.closed(); ++h) {
        told.digests.push_back(must(world->block(h))->global);
        told.effects.push_back(must(world->effects(h)));
    }
    told.statistics = must(world->statistics());
    return told;
}

/// Every leaf and path of a closed height, against the model's leaves and the trusted rooms.
void check_height(RegistryWorld& world, Height h, const RegistryModel::Closed& expected) {
    const KnownHeight known = must(world->known_height(h));
    const HierarchyTree tree = must(world->tree(h));
    ASSERT_EQ(tree.total_chains(), expected.leaves.size());
    const auto counts = must(world->block(h))->counts;
    ASSERT_EQ(counts.total, expected.leaves.size());
    ASSERT_EQ(counts.active, tree.active());
    for (const auto& [slot, leaf] : expected.leaves) {
        ASSERT_EQ(tree.leaf(slot), leaf) << h.value;
        ASSERT_EQ(must(world->leaf(leaf.chain_id, h)), leaf);
        const PathProof path = must(world->path(leaf.chain_id, h));
        ASSERT_EQ(path.leaf, leaf);
        ASSERT_EQ(verify_path(world.params(), world->network_id(), known, path), Verdict::ok());
        ASSERT_EQ(tree.path(slot).value(), path);
    }
}

class RegistryStories : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(RegistryStories, EveryDigestIsWhatTheRulesSay) {
    RegistryOptions options = keep_all();
    options.threads = 1;
    RegistryWorld world(test::story_network(), options);
    RegistryModel model(world.params());
    const Told told = tell(world, GetParam(), 0, &model);
    const auto expected = model.close_all(world.closed());
    ASSERT_EQ(told.digests.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const Height h = world.params().genesis_height + i;
        ASSERT_EQ(told.digests[i], expected[i].global) << "height " << h.value;
    }
    for (Height h = world.params().genesis_height; h <= world.closed(); ++h) {
        ASSERT_NO_FATAL_FAILURE(
            check_height(world, h, expected[h.since(world.params().genesis_height)]));
    }
    std::set<EffectKind> seen;
    std::set<ChainId> forfeited;
    for (const auto& effects : told.effects) {
        for (const Effect& e : effects) {
            seen.insert(e.kind);
            if (e.kind == EffectKind::kBondForfeited) {
                EXPECT_TRUE(forfeited.insert(e.chain_id).second);
            }
        }
    }
    EXPECT_EQ(forfeited, expected.back().forfeited);
    EXPECT_EQ(seen.size(), 8U) << "a story in which something never happens shows little";
    const RegistryStatistics& s = told.statistics;
    EXPECT_EQ(s.registrations, s.pending + s.sealed + s.liable + s.voided + s.ended);
    EXPECT_GT(s.voided, 0U);
    EXPECT_GT(s.ended, 0U);
}

TEST_P(RegistryStories, RestartsAndThreadsChangeNothing) {
    RegistryOptions options = keep_all();
    options.threads = 1;
    RegistryWorld plain(test::story_network(), options);
    options.threads = 0;
    RegistryWorld restarted(test::story_network(), options);
    const Told a = tell(plain, GetParam(), 0, nullptr);
    const Told b = tell(restarted, GetParam(), 3, nullptr);
    EXPECT_EQ(a.digests, b.digests);
    EXPECT_EQ(a.effects, b.effects);
    EXPECT_EQ(must(plain->slots()), must(restarted->slots()));
    const RegistrySlots both[] = {must(plain->slots()), must(restarted->slots())};
    const auto merged = merge_registries(both);
    ASSERT_TRUE(merged);
    EXPECT_EQ(*merged, both[0]);
    EXPECT_TRUE(check_merged(*merged));
}

INSTANTIATE_TEST_SUITE_P(Seeds, RegistryStories, ::testing::Values(1, 2));

TEST(RegistryKept, OlderHeightsAreForgottenAndTheOthersStay) {
    NetworkParams params = test::story_network();
    RegistryOptions options;
    options.kept_heights = 20;
    RegistryWorld world(params, options);
    RegistryModel model(params);
    RegistryStory story(params, 1);
    for (Height h = params.genesis_height; h.value <= kLast; ++h) {
        (void)story.feed(world.registry(), h, &model);
        story.act(world.registry(), h, &model);
    }
    const auto expected = model.close_all(world.closed());
    for (Height h = world.closed() - 20; h <= world.closed(); ++h) {
        ASSERT_NO_FATAL_FAILURE(check_height(world, h, expected[h.since(params.genesis_height)]));
    }
    const Height old = world.closed() - 21;
    const ChainId chain =
        expected[old.since(params.genesis_height)].leaves.begin()->second.chain_id;
    EXPECT_EQ(world->path(chain, old).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(world->leaf(chain, old).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(world->tree(old).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(world->effects(old).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(must(world->block(old))->global, expected[old.since(params.genesis_height)].global);
    const Height open = world.closed() + 1;
    EXPECT_EQ(world->path(chain, open).error().code, ErrorCode::kNotFound);
}

TEST(RegistryKept, EveryChainIsVisitedOnce) {
    RegistryWorld world(test::story_network(), keep_all());
    RegistryModel model(world.params());
    (void)tell(world, 1, 0, &model);
    std::vector<ChainId> seen;
    must(world->for_each_chain([&](const ChainInfo& info) {
        seen.push_back(info.chain_id);
        EXPECT_EQ(info.sealed_at, model.chains.at(info.chain_id).sealed_at);
        EXPECT_EQ(info.removal_at, model.chains.at(info.chain_id).removal_at);
        return true;
    }));
    std::vector<ChainId> expected;
    for (const auto& [id, chain] : model.chains) expected.push_back(id);
    EXPECT_EQ(seen, expected);
    std::size_t visits = 0;
    must(world->for_each_chain([&](const ChainInfo&) { return ++visits < 3; }));
    EXPECT_EQ(visits, 3U);
}

}  // namespace
}  // namespace holdfast
