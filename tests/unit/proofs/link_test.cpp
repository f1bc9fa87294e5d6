#include "proofs/link.hpp"

#include "support/link_world.hpp"

namespace holdfast {
namespace {

using nlohmann::json;
using test::fixed;
using test::hex;
using test::LinkWorld;

TEST(Link, BothChainsOfTheVectorsAreMadeAndVerified) {
    for (const std::size_t which : {0U, 1U}) {
        LinkWorld w(which);
        test::SealedCase sealed(w.network, w.story);
        ASSERT_TRUE(sealed.replica);
        auto records = LinkRecords::open(sealed.folder / "x.chain");
        ASSERT_TRUE(records) << records.error().message;
        std::size_t links = 0;
        for (std::size_t i = 0; i < w.heights.size(); ++i) {
            const auto& [h, known] = w.heights[i];
            const auto anchored = anchor_height(w.network.params, known.height);
            EXPECT_TRUE(anchored || known.anchor == genesis_global(w.network.id));
            if (!w.heights[i].has_link()) continue;
            ++links;
            const auto made =
                make_link(w.network.id, *sealed.replica, w.facts(i), sealed.key, *records);
            ASSERT_TRUE(made) << made.error().message;
            EXPECT_EQ(made->opening.e, fixed<Entropy>(h["e"]));
            for (std::size_t j = 0; j < kChunksPerLink; ++j) {
                EXPECT_EQ(made->opening.where[j].chunk.value, h["chunks"][j].get<std::uint64_t>());
                EXPECT_EQ(made->opening.where[j].cell, h["cells"][j].get<unsigned>());
                EXPECT_EQ(made->opening.openings[j], fixed<Digest>(h["openings"][j]));
            }
            EXPECT_EQ(opening_root(made->opening.openings), fixed<Digest>(h["o"]));
            EXPECT_EQ(made->opening.link, fixed<Link>(h["link"]));
            EXPECT_EQ(made->receipt.encode(), hex(h["receipt"]));
            EXPECT_EQ(to_full(*made).encode(), hex(h["full"]));
            EXPECT_EQ(compact_index(w.network.id, *known.y_compact, w.chain.id),
                      h["compact_j"].get<unsigned>());
            const PathProof path = *PathProof::decode(hex(h["path"]));
            const auto compact =
                to_compact(w.network.id, *sealed.replica, *made, path, *known.y_compact);
            ASSERT_TRUE(compact) << compact.error().message;
            EXPECT_EQ(compact->encode(), hex(h["compact"]));
            EXPECT_EQ(*Compact::decode(hex(h["compact"])), *compact);

            EXPECT_EQ(w.receipt(known, hex(h["receipt"])), Verdict::ok());
            EXPECT_EQ(w.full(known, hex(h["full"])), Verdict::ok());
            EXPECT_EQ(w.compact(known, hex(h["compact"])), Verdict::ok());
            const bool full_only = full_required(w.network.id, *known.y_compact, w.chain.id);
            const auto counts = [&, k = known](const AnyProof& proof) {
                return verify_proof(w.network.params, w.network.id, w.chain, k, proof).reason;
            };
            EXPECT_EQ(counts(*compact), full_only ? Reason::kCompactNotAllowed : Reason::kOk);
            EXPECT_EQ(counts(to_full(*made)), Reason::kOk);
            EXPECT_TRUE(verify_path(w.network.params, w.network.id, known, path));
            note_reveal(w.chain, known.height, compact->reveal);
        }
        EXPECT_EQ(records->size(), links);
        EXPECT_EQ(links, which == 0 ? 7U : 2U);
    }
}

TEST(Link, RefusalsOfTheVectors) {
    for (const std::size_t which : {0U, 1U}) {
        const LinkWorld w(which);
        ASSERT_LT(w.rich(), w.heights.size());
        const auto& [h, known] = w.heights[w.rich()];
        test::expect_refused(h["refused_receipts"], hex(h["receipt"]),
                             [&, k = known](ByteView b) { return w.receipt(k, b); });
        test::expect_refused(h["refused_compact"], hex(h["compact"]),
                             [&, k = known](ByteView b) { return w.compact(k, b); });
        test::expect_refused(h["refused_full"], hex(h["full"]),
                             [&, k = known](ByteView b) { return w.full(k, b); });
    }
}

TEST(Link, TheWindowOfTheVectors) {
    const json told = test::load_vectors("links.json")["cases"]["window"];
    const LinkWorld w(0);
    std::vector<KnownHeight> heights;
    for (const auto& height : told["heights"]) {
        for (const auto& h : w.heights) {
            if (h.known.height.value == height.get<std::uint64_t>()) heights.push_back(h.known);
        }
    }
    ASSERT_EQ(heights.size(), told["heights"].size());
    const Bytes body = hex(told["body"]);
    const auto window = ProofWindow::decode(body);
    ASSERT_TRUE(window) << to_string(window.error());
    EXPECT_EQ(window->encode(), body);
    test::expect_refused(told["refused"], body, [&](ByteView bytes) -> Verdict {
        const auto changed = ProofWindow::decode(bytes);
        if (!changed) return changed.error();
        return w.window(heights, *changed);
    });

    const auto reason = [&](std::span<const KnownHeight> at, const ProofWindow& links) {
        return w.window(at, links);
    };
    const std::size_t last = heights.size() - 1;
    EXPECT_EQ(reason(std::span(heights).first(last), *window), Verdict(Reason::kWrongHeight, last));
    std::vector<KnownHeight> shifted = heights;
    std::swap(shifted[1], shifted[2]);
    EXPECT_EQ(reason(shifted, *window), Verdict(Reason::kWrongHeight, 1));
    ProofWindow swapped = *window;
    std::swap(swapped.links[0], swapped.links[1]);
    std::vector<KnownHeight> both = heights;
    std::swap(both[0], both[1]);
    EXPECT_EQ(reason(both, swapped), Verdict(Reason::kWindowOrder, 1));
    EXPECT_EQ(reason(heights, ProofWindow()), Verdict(Reason::kBadField));
}

/// What a verifier says that knows something else than the truth.
struct Doubt {
    const char* what;
    void (*change)(LinkWorld&, KnownHeight&);
    Reason receipt;
    Reason compact;
    Reason full;
};

TEST(Link, WhateverElseTheVerifierKnowsHasItsOwnReason) {
    using enum Reason;
    const Doubt doubts[] = {
        {"nothing", [](auto&, auto&) {}, kOk, kOk, kOk},
        {"height", [](auto&, auto& k) { ++k.height; }, kWrongHeight, kWrongHeight, kWrongHeight},
        {"block", [](auto&, auto& k) { k.block_hash[0] ^= 1; }, kBadSignature, kBadSignature,
         kBadSignature},
        {"anchor", [](auto&, auto& k) { k.anchor[0] ^= 1; }, kWrongAnchor, kWrongAnchor,
         kWrongAnchor},
        {"y", [](auto&, auto& k) { (*k.y)[0] ^= 1; }, kOk, kSealedMismatch, kSealedMismatch},
        {"no y", [](auto&, auto& k) { k.y.reset(); }, kOk, kNoEntropy, kNoEntropy},
        {"no y_c", [](auto&, auto& k) { k.y_compact.reset(); }, kOk, kNoEntropy, kOk},
        {"link before", [](auto&, auto& k) { (*k.link_before)[0] ^= 1; }, kOk, kBadLinkBefore,
         kBadLinkBefore},
        {"global", [](auto&, auto& k) { (*k.global)[0] ^= 1; }, kOk, kGlobalMismatch, kOk},
        {"no global", [](auto&, auto& k) { k.global.reset(); }, kOk, kDigestUnknown, kOk},
        {"network", [](auto& w, auto&) { w.network.id[0] ^= 1; }, kBadSignature, kBadSignature,
         kBadSignature},
        {"chain", [](auto& w, auto&) { w.chain.id[0] ^= 1; }, kBadSignature, kWrongChain,
         kWrongChain},
        {"prover",
         [](auto& w, auto&) { w.chain.prover = KeyPair::from_secret(Bytes(32, 1)).public_key(); },
         kBadSignature, kBadSignature, kBadSignature},
        {"sealed root", [](auto& w, auto&) { w.chain.sealed_root[0] ^= 1; }, kOk, kSealedMismatch,
         kSealedMismatch},
        {"chunks", [](auto& w, auto&) { w.chain.chunks = ChunkCount(1 << 20); }, kOk, kProofLength,
         kProofLength},
        {"no commitment", [](auto& w, auto&) { w.chain.reveals.reset(); }, kOk, kBadReveal,
         kBadReveal},
        {"commitment", [](auto& w, auto&) { w.chain.reveals->known.a[0] ^= 1; }, kOk, kBadReveal,
         kBadReveal},
        {"replica id", [](auto& w, auto&) { w.chain.replica_id[0] ^= 1; }, kOk, kBadReveal,
         kBadReveal},
        {"base", [](auto& w, auto& k) { w.chain.reveals->base = k.height; }, kOk, kBadReveal,
         kBadReveal},
        {"later base", [](auto& w, auto& k) { w.chain.reveals->base = k.height + 1; }, kOk,
         kRevealExhausted, kRevealExhausted},
        {"rate window",
         [](auto& w, auto& k) {
             w.network.params.rate_window = 3;
             w.chain.reveals->base = k.height - 5;
         },
         kOk, kRevealTooFar, kRevealTooFar},
        {"group slots", [](auto& w, auto&) { w.network.params.group_slots = 1; }, kOk, kBadSlot,
         kOk},
    };
    for (const Doubt& doubt : doubts) {
        LinkWorld w(0);
        const auto& rich = w.heights[w.rich()];
        const Bytes receipt = rich.body("receipt");
        const Bytes compact = rich.body("compact");
        const Bytes full = rich.body("full");
        KnownHeight known = rich.known;
        doubt.change(w, known);
        EXPECT_EQ(w.receipt(known, receipt), Verdict(doubt.receipt)) << doubt.what;
        EXPECT_EQ(w.compact(known, compact), Verdict(doubt.compact)) << doubt.what;
        EXPECT_EQ(w.full(known, full), Verdict(doubt.full)) << doubt.what;
    }
}

TEST(Link, WhereOnlyFullCountsCompactDoesNot) {
    const LinkWorld w(0);
    const auto& rich = w.heights[w.rich()];
    KnownHeight known = rich.known;
    const auto counts = [&](const AnyProof& proof) {
        return verify_proof(w.network.params, w.network.id, w.chain, known, proof);
    };
    const auto opens = compact_index(w.network.id, *known.y_compact, w.chain.id);
    bool seen = false;
    unsigned full_only = 0;
    for (unsigned n = 0; n < 4'096; ++n) {
        (*known.y_compact)[0] = static_cast<std::uint8_t>(n);
        (*known.y_compact)[1] = static_cast<std::uint8_t>(n >> 8);
        if (!full_required(w.network.id, *known.y_compact, w.chain.id)) continue;
        ++full_only;
        // A compact proof that is otherwise right: it opens the same one.
        if (seen || compact_index(w.network.id, *known.y_compact, w.chain.id) != opens) continue;
        seen = true;
        EXPECT_EQ(counts(*Compact::decode(rich.body("compact"))),
                  Verdict(Reason::kCompactNotAllowed));
        EXPECT_TRUE(counts(*Full::decode(rich.body("full"))));
    }
    EXPECT_TRUE(seen);
    // One in sixteen: 256 of 4,096, standard deviation 15.5.
    EXPECT_GT(full_only, 193U);
    EXPECT_LT(full_only, 319U);
    known.y_compact.reset();
    EXPECT_EQ(counts(*Compact::decode(rich.body("compact"))), Verdict(Reason::kNoEntropy));
    EXPECT_TRUE(counts(*Full::decode(rich.body("full"))));
}

TEST(Link, AnIndexDrawnLaterAsksForAnotherOpening) {
    const LinkWorld w(0);
    const auto& rich = w.heights[w.rich()];
    KnownHeight known = rich.known;
    const std::uint8_t j = compact_index(w.network.id, *known.y_compact, w.chain.id);
    do {
        ++(*known.y_compact)[0];
    } while (compact_index(w.network.id, *known.y_compact, w.chain.id) == j);
    EXPECT_EQ(w.compact(known, rich.body("compact")), Verdict(Reason::kSealedMismatch));
}

TEST(Link, ABatchOfOpeningsIsEachOfThem) {
    const Entropy e(sha256(view("entropy")));
    const OpenedCells where = opened_cells(e, ChunkCount(kMaxChunks));
    std::array<Cell, kChunksPerLink> cells;
    for (std::size_t j = 0; j < cells.size(); ++j) {
        cells[j].bytes.fill(static_cast<std::uint8_t>(17 * j + 1));
    }
    const auto batch = opening_hashes(e, where, cells);
    for (std::size_t j = 0; j < cells.size(); ++j) {
        EXPECT_EQ(batch[j], opening_hash(e, where[j], cells[j])) << j;
    }
}

TEST(Link, TheCompactIndexIsDrawnAfterTheDigestCloses) {
    const NetworkParams params;
    EXPECT_EQ(compact_draw_height(params, Height(100)), Height(100 + 1 + 2 + 3));
}

TEST(Link, AChainWithoutCommitmentRevealsZeros) {
    const LinkWorld w(1);
    EXPECT_FALSE(w.registration.has_commitment());
    EXPECT_FALSE(w.chain.reveals);
    const auto& rich = w.heights[w.rich()];
    Full proof = *Full::decode(rich.body("full"));
    EXPECT_TRUE(proof.reveal.is_zero());
    proof.reveal[31] = 1;
    EXPECT_EQ(verify_full(w.network.params, w.network.id, w.chain, rich.known, proof),
              Verdict(Reason::kBadReveal));
}

TEST(Link, RevealsKnownLaterCheckEarlierOnes) {
    LinkWorld w(0);
    const std::size_t last = w.heights.size() - 1;
    ASSERT_TRUE(w.heights[last].has_link());
    note_reveal(w.chain, w.heights[last].known.height,
                fixed<Reveal>(w.heights[last].told["reveal"]));
    EXPECT_TRUE(w.full(w.heights[w.rich()].known, w.heights[w.rich()].body("full")));
    const RevealState newest = *w.chain.reveals;
    note_reveal(w.chain, w.heights[w.rich()].known.height, Reveal());
    EXPECT_EQ(*w.chain.reveals, newest) << "an earlier one changes nothing";
}

}  // namespace
}  // namespace holdfast
