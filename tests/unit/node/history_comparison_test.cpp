// Two nodes that tell different histories are found out, at the height where they part.
#include "node/history_comparison.hpp"

#include <gtest/gtest.h>

#include "core/hash.hpp"

namespace holdfast::node {
namespace {

BlockHash block(std::uint64_t n) { return BlockHash(tagged_hash("test/block", n)); }
VdfOutput output(std::uint64_t n) {
    VdfOutput y;
    y.bytes[0] = static_cast<std::uint8_t>(n);
    return y;
}
GlobalDigest digest(std::uint64_t n) { return GlobalDigest(tagged_hash("test/digest", n)); }

TEST(HistoryComparison, NodesThatAgreeOrKnowLessContradictNobody) {
    HistoryComparison c;
    EXPECT_FALSE(c.note("a", Height(1), {block(1), output(1), digest(0)}));
    EXPECT_FALSE(c.note("b", Height(1), {block(1), {}, {}}));
    EXPECT_FALSE(c.note("b", Height(1), {block(1), output(1), digest(0)}));
    EXPECT_FALSE(c.note("b", Height(2), {block(2), {}, {}}));
    EXPECT_FALSE(c.note("a", Height(2), {block(2), output(2), {}}));
    EXPECT_FALSE(c.split());
}

TEST(HistoryComparison, TheFirstDifferenceIsNamedWithHeightAndNodes) {
    const struct {
        HistoryComparison::Said said;
        const char* what;
    } cases[] = {{{block(9), {}, {}}, "block"},
                 {{block(1), output(9), {}}, "y"},
                 {{block(1), {}, digest(9)}, "digest"}};
    for (const auto& one : cases) {
        HistoryComparison c;
        EXPECT_FALSE(c.note("a", Height(7), {block(1), output(1), digest(1)}));
        EXPECT_TRUE(c.note("b", Height(7), one.said));
        const auto split = c.split();
        ASSERT_TRUE(split);
        EXPECT_EQ(split->height, Height(7));
        EXPECT_EQ(split->what, one.what);
        EXPECT_EQ(split->first, "a");
        EXPECT_EQ(split->second, "b");
        EXPECT_NE(split->to_string().find("height 7"), std::string::npos);
        // Nothing more is compared until somebody has looked.
        EXPECT_FALSE(c.note("b", Height(8), {block(8), {}, {}}));
        EXPECT_EQ(c.split()->height, Height(7));
        c.forget();
        EXPECT_FALSE(c.split());
        EXPECT_FALSE(c.note("b", Height(7), one.said));
    }
}

TEST(HistoryComparison, ANodeThatContradictsItselfIsFoundOutToo) {
    HistoryComparison c;
    EXPECT_FALSE(c.note("a", Height(1), {block(1), {}, {}}));
    EXPECT_TRUE(c.note("a", Height(1), {block(2), {}, {}}));
}

TEST(HistoryComparison, OldHeightsAreForgotten) {
    HistoryComparison c;
    EXPECT_FALSE(c.note("a", Height(1), {block(1), {}, {}}));
    for (std::uint64_t h = 2; h <= HistoryComparison::kKept + 1; ++h) {
        EXPECT_FALSE(c.note("a", Height(h), {block(h), {}, {}}));
    }
    EXPECT_FALSE(c.note("b", Height(1), {block(9), {}, {}}));
}

}  // namespace
}  // namespace holdfast::node
