#include "chunking/tree_audit.hpp"

#include <gtest/gtest.h>

#include "core/hash.hpp"

namespace holdfast {
namespace {

using Ranges = std::vector<IndexRange>;

struct Audit : ::testing::TestWithParam<std::size_t> {
    std::vector<Digest> roots;
    TreeLevels tree;
    Root root;

    void SetUp() override {
        for (std::uint64_t i = 0; i < GetParam(); ++i) roots.push_back(tagged_hash("test", i));
        tree = build_levels(roots);
        root = Root(tree.back()[0]);
        ASSERT_EQ(root, Root(merkle_root(roots)));
    }
    static void rot(Digest& digest) { digest.bytes[7] ^= 0x40; }
    [[nodiscard]] TreeAudit audit(const TreeLevels& stored,
                                  std::span<const Digest> computed) const {
        return audit_tree(TreeKind::kSealed, root, stored, computed);
    }
};

TEST_P(Audit, WholeTreeAndDataGiveNoFindings) {
    for (const std::span<const Digest> computed :
         {std::span<const Digest>(), std::span<const Digest>(roots)}) {
        const TreeAudit found = audit(tree, computed);
        EXPECT_TRUE(found.all_known);
        EXPECT_TRUE(found.bad_nodes.empty() && found.bad_chunks.empty() && found.unproven.empty());
        EXPECT_EQ(found.truth, roots);
    }
}

TEST_P(Audit, EverySingleBadChunkIsNamedAndNoNode) {
    for (std::size_t i = 0; i < roots.size(); ++i) {
        std::vector<Digest> computed = roots;
        rot(computed[i]);
        const TreeAudit found = audit(tree, computed);
        EXPECT_EQ(found.bad_chunks, (Ranges{{i, 1}}));
        EXPECT_TRUE(found.bad_nodes.empty() && found.unproven.empty());
    }
}

TEST_P(Audit, EverySingleBadNodeIsNamedAndNoChunk) {
    for (unsigned level = 0; level < tree.size(); ++level) {
        for (std::size_t i = 0; i < tree[level].size(); ++i) {
            TreeLevels stored = tree;
            rot(stored[level][i]);
            const TreeAudit found = audit(stored, roots);
            EXPECT_EQ(found.bad_nodes,
                      (std::vector<NodeRange>{{TreeKind::kSealed, level, {i, 1}}}));
            EXPECT_TRUE(found.bad_chunks.empty() && found.unproven.empty());
            EXPECT_TRUE(found.all_known);
            EXPECT_EQ(found.truth, roots);
        }
    }
}

TEST_P(Audit, ABadChunkBelowABadNodeIsToldApart) {
    for (unsigned level = 1; level < tree.size(); ++level) {
        TreeLevels stored = tree;
        rot(stored[level][0]);
        std::vector<Digest> computed = roots;
        rot(computed[0]);
        const TreeAudit found = audit(stored, computed);
        EXPECT_EQ(found.bad_chunks, (Ranges{{0, 1}})) << level;
        EXPECT_EQ(found.bad_nodes, (std::vector<NodeRange>{{TreeKind::kSealed, level, {0, 1}}}));
        EXPECT_TRUE(found.all_known);
    }
}

TEST_P(Audit, WhereChunkAndItsNodeAreBadNothingIsClaimed) {
    for (std::size_t i = 0; i < roots.size(); ++i) {
        TreeLevels stored = tree;
        rot(stored[0][i]);
        std::vector<Digest> computed = roots;
        rot(computed[i]);
        rot(computed[i]);
        computed[i].bytes[1] ^= 1;
        const TreeAudit found = audit(stored, computed);
        // The last chunk of an odd level rises alone, so that its root is proven from above.
        const bool alone = i + 1 == roots.size() && i % 2 == 0 && roots.size() > 1;
        EXPECT_EQ(found.unproven, alone ? Ranges{} : (Ranges{{i, 1}}));
        EXPECT_EQ(found.bad_chunks, alone ? (Ranges{{i, 1}}) : Ranges{});
        EXPECT_EQ(found.bad_nodes, (std::vector<NodeRange>{{TreeKind::kSealed, 0, {i, 1}}}));
        EXPECT_EQ(found.known[i], alone);
    }
}

TEST_P(Audit, WithoutATreeTheRootAloneProvesTheData) {
    TreeLevels nothing = tree;
    for (auto& level : nothing) std::fill(level.begin(), level.end(), Digest{});
    const TreeAudit whole = audit(nothing, roots);
    EXPECT_TRUE(whole.all_known && whole.bad_chunks.empty() && whole.unproven.empty());
    EXPECT_EQ(whole.bad_nodes.size(), tree.size());
    std::vector<Digest> computed = roots;
    rot(computed[2]);
    const TreeAudit found = audit(nothing, computed);
    EXPECT_EQ(total_count(found.unproven), roots.size());
}

TEST_P(Audit, FilesThatAgreeWithEachOtherAndNotWithTheRootAreNotClean) {
    std::vector<Digest> other = roots;
    rot(other[1]);
    const TreeAudit found = audit(build_levels(other), other);
    EXPECT_FALSE(found.bad_nodes.empty());
}

INSTANTIATE_TEST_SUITE_P(Sizes, Audit, ::testing::Values(16, 17, 19, 23, 32, 37));

}  // namespace
}  // namespace holdfast
