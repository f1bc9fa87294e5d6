#include "core/selection.hpp"

#include <algorithm>
#include <set>

#include "core/hash.hpp"
#include "support/json.hpp"

namespace holdfast {
namespace {

using test::fixed;
using test::load_vectors;

TEST(Selection, VectorsOfVersion2) {
    const auto cases = load_vectors("selection.json")["cases"];
    ASSERT_GE(cases["v2"].size(), 38U);
    for (const auto& c : cases["v2"]) {
        const auto selected = select_v2(fixed<Digest>(c["e"]), c["n"], c["count"]);
        ASSERT_TRUE(selected.has_value());
        EXPECT_EQ(*selected, c["selected"].get<std::vector<std::uint64_t>>()) << c["n"];
    }
    for (const std::uint64_t n : cases["v2_refused_n"]) {
        const auto selected = select_v2(Digest{}, n, 16);
        ASSERT_FALSE(selected.has_value()) << n;
        EXPECT_EQ(selected.error(), Verdict(Reason::kBadField));
    }
}

TEST(Selection, VectorsOfCells) {
    const auto cases = load_vectors("selection.json")["cases"];
    for (const auto& c : cases["cells"]) {
        const auto e = fixed<Digest>(c["e"]);
        std::uint32_t j = 0;
        for (const unsigned cell : c["cells"]) EXPECT_EQ(cell_in_chunk(e, j++), cell);
        EXPECT_EQ(j, 16U);
    }
}

TEST(Selection, VectorsOfVersion1) {
    const auto cases = load_vectors("selection.json")["cases"];
    ASSERT_GE(cases["v1"].size(), 12U);
    for (const auto& c : cases["v1"]) {
        const auto selected = select_v1(fixed<BlockHash>(c["block_hash"]), c["n"]);
        ASSERT_TRUE(selected.has_value());
        EXPECT_EQ(*selected, c["selected"].get<std::vector<std::uint64_t>>()) << c["n"];
    }
    for (const std::uint64_t n : cases["v1_refused_n"]) {
        EXPECT_FALSE(select_v1(BlockHash{}, n).has_value()) << n;
    }
}

TEST(Selection, DistinctAndInRangeForEverySmallCase) {
    for (std::uint64_t n = 1; n <= 40; ++n) {
        for (std::uint64_t count = 0; count <= 42; ++count) {
            const Digest e = tagged_hash("test", n, count);
            const auto selected = *select_v2(e, n, count);
            const std::set<std::uint64_t> distinct(selected.begin(), selected.end());
            EXPECT_EQ(selected.size(), std::min(n, count));
            EXPECT_EQ(distinct.size(), selected.size());
            EXPECT_TRUE(distinct.empty() || *distinct.rbegin() < n);
        }
    }
}

TEST(Selection, TooManyIndicesAreRefusedBeforeAnythingIsAllocated) {
    const auto selected = select_v2(Digest{}, kMaxSelectionRange, UINT64_MAX);
    ASSERT_FALSE(selected.has_value());
    EXPECT_EQ(selected.error(), Verdict(Reason::kTooLarge));
}

// Every index of 20 is drawn 8,000 times on average of 10,000 draws of 16; 5 sigma is 200.
TEST(Selection, DrawsAreUniform) {
    std::vector<int> times(20);
    for (std::uint64_t i = 0; i < 10'000; ++i) {
        const auto selected = *select_v2(tagged_hash("uniform", i), 20, 16);
        for (const std::uint64_t index : selected) ++times[index];
    }
    for (const int count : times) EXPECT_NEAR(count, 8'000, 200);
}

}  // namespace
}  // namespace holdfast
