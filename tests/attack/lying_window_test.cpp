// Somebody shows a light verifier windows that look like storage: compact proofs at heights where
// only full ones count, and proofs of a few heights of its choice.

#include "analysis/bounds.hpp"
#include "support/link_world.hpp"

namespace holdfast {
namespace {

using test::hex;
using test::LinkWorld;

/// The window of the vectors: five heights, at one of which only a full proof counts.
struct WindowCase {
    LinkWorld w{0};
    std::vector<KnownHeight> heights;
    ProofWindow compact;
    ProofWindow full;

    WindowCase() {
        for (const auto& told : test::load_vectors("links.json")["cases"]["window"]["heights"]) {
            for (const auto& h : w.heights) {
                if (h.known.height.value != told.get<std::uint64_t>()) continue;
                heights.push_back(h.known);
                compact.links.emplace_back(*Compact::decode(h.body("compact")));
                full.links.emplace_back(*Full::decode(h.body("full")));
            }
        }
    }
    [[nodiscard]] std::size_t where_only_full_counts() const {
        for (std::size_t i = 0; i < heights.size(); ++i) {
            if (full_required(w.network.id, *heights[i].y_compact, w.chain.id)) return i;
        }
        return heights.size();
    }
};

TEST(LyingWindow, OfCompactProofsWhereOnlyFullOnesCountIsRefused) {
    WindowCase c;
    const std::size_t at = c.where_only_full_counts();
    ASSERT_LT(at, c.heights.size());
    EXPECT_EQ(c.w.window_counts(c.heights, c.compact), Verdict(Reason::kCompactNotAllowed, at));
    ProofWindow honest = c.compact;
    honest.links[at] = c.full.links[at];
    EXPECT_EQ(c.w.window_counts(c.heights, honest), Verdict::ok());
    EXPECT_EQ(c.w.window_counts(c.heights, c.full), Verdict::ok());
}

TEST(LyingWindow, WhatIsMalformedIsNamedBeforeWhatOnlyDoesNotCount) {
    WindowCase c;
    const std::size_t at = c.where_only_full_counts();
    const std::size_t last = c.heights.size() - 1;
    ASSERT_LT(at, last);
    ProofWindow spoiled = c.compact;
    std::get<Compact>(spoiled.links[last]).cell[0] ^= 1;
    EXPECT_EQ(c.w.window_counts(c.heights, spoiled), Verdict(Reason::kSealedMismatch, last));
    // A single proof is judged in the same order.
    KnownHeight known = c.heights[at];
    AnyProof alone = c.compact.links[at];
    std::get<Compact>(alone).cell[0] ^= 1;
    KnownChain chain = c.w.chain;
    EXPECT_EQ(verify_proof(c.w.network.params, c.w.network.id, chain, known, alone).reason,
              Reason::kSealedMismatch);
}

TEST(LyingWindow, ADrawThatIsNotKnownIsNoLeave) {
    WindowCase c;
    std::vector<KnownHeight> heights = c.heights;
    heights[0].y_compact.reset();
    EXPECT_EQ(c.w.window_counts(heights, c.compact), Verdict(Reason::kNoEntropy, 0));
}

TEST(LyingWindow, OfSeveralChainsIsRefused) {
    WindowCase c;
    std::vector<KnownPlace> places;
    for (const KnownHeight& known : c.heights) places.push_back({c.w.chain, known});
    places[1].chain.id = ChainId(tagged_hash("another"));
    EXPECT_EQ(verify_window(c.w.network.params, c.w.network.id, places, c.full),
              Verdict(Reason::kWrongChain, 1));
}

/// What `verify` prints of a window's worth is the chance that a cheater could choose one.
TEST(LyingWindow, OfChosenHeightsIsWorthLessThanOneOfHeightsThatWereAskedFor) {
    const double asked = log2_window_undetected(0.1, 5);
    EXPECT_NEAR(std::exp2(asked), std::pow(0.9, 5), 1e-12);
    // Every window of five in a row out of 2,000 heights: the bound is the sum of all of them.
    EXPECT_EQ(log2_window_undetected(0.1, 5, {5, 5, 2'000}), 0.0);
    const double row = log2_window_undetected(0.5, 80, {5, 5, 2'000});
    EXPECT_NEAR(row, -80.0 + std::log2(2'000.0), 1e-9);
    // The same, but the three in between of 11: C(10, 4) times as many.
    EXPECT_NEAR(log2_window_undetected(0.5, 80, {5, 11, 2'000}), row + std::log2(210.0), 1e-9);
}

}  // namespace
}  // namespace holdfast
