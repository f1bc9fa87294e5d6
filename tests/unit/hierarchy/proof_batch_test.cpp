#include "hierarchy/proof_batch.hpp"

#include "support/link_world.hpp"

namespace holdfast {
namespace {

using test::LinkWorld;

TEST(ProofBatch, VerdictsAreThoseOfTheSingleCallsForAnyNumberOfThreads) {
    const LinkWorld w(0);
    std::vector<const KnownHeight*> heights;
    std::vector<Receipt> receipts;
    std::vector<AnyProof> proofs;
    for (unsigned round = 0; round < 8; ++round) {
        for (const auto& h : w.heights) {
            if (!h.has_link()) continue;
            Receipt receipt = *Receipt::decode(h.body("receipt"));
            Compact compact = *Compact::decode(h.body("compact"));
            Full full = *Full::decode(h.body("full"));
            if (round % 3 == 1) receipt.signature[5] ^= 1;
            if (round % 3 == 1) compact.cell[9] ^= 1;
            if (round % 3 == 2) full.cells[3][0] ^= 1;
            heights.push_back(&h.known);
            receipts.push_back(receipt);
            proofs.push_back(round % 2 == 0 ? AnyProof(compact) : AnyProof(full));
        }
    }
    std::vector<ReceiptItem> receipt_items;
    std::vector<ProofItem> proof_items;
    std::vector<Verdict> receipt_verdicts;
    std::vector<Verdict> proof_verdicts;
    for (std::size_t i = 0; i < receipts.size(); ++i) {
        receipt_items.push_back({&w.chain, heights[i], &receipts[i]});
        proof_items.push_back({&w.chain, heights[i], &proofs[i]});
        receipt_verdicts.push_back(verify_receipt(w.network.id, w.chain, *heights[i], receipts[i]));
        proof_verdicts.push_back(
            verify_proof(w.network.params, w.network.id, w.chain, *heights[i], proofs[i]));
    }
    for (const auto* verdicts : {&receipt_verdicts, &proof_verdicts}) {
        const auto good = std::count(verdicts->begin(), verdicts->end(), Verdict::ok());
        EXPECT_GT(good, 0);
        EXPECT_LT(good, static_cast<std::ptrdiff_t>(verdicts->size()));
    }
    for (const unsigned threads : {0U, 1U, 2U, 7U}) {
        EXPECT_EQ(verify_receipts(w.network.id, receipt_items, threads), receipt_verdicts);
        EXPECT_EQ(verify_proofs(w.network.params, w.network.id, proof_items, threads),
                  proof_verdicts);
    }
    EXPECT_TRUE(verify_receipts(w.network.id, {}).empty());
}

TEST(ProofBatch, SignaturesAndRevealsThatItemsShareAreDoneOnce) {
    const LinkWorld w(0);
    ASSERT_TRUE(w.chain.reveals);
    std::vector<const KnownHeight*> heights;
    std::vector<AnyProof> proofs;
    std::uint64_t furthest = 0;
    std::uint64_t alone = 0;
    std::size_t links = 0;
    for (const auto& h : w.heights) {
        if (!h.has_link()) continue;
        ++links;
        // Of each link the compact proof twice and the full one.
        for (const char* format : {"compact", "full", "compact"}) {
            heights.push_back(&h.known);
            if (format == std::string("full")) {
                proofs.emplace_back(*Full::decode(h.body(format)));
            } else {
                proofs.emplace_back(*Compact::decode(h.body(format)));
            }
            const std::uint64_t steps = h.known.height.since(w.chain.reveals->base);
            furthest = std::max(furthest, steps);
            alone += steps;
        }
    }
    ASSERT_GT(links, 2U);
    std::vector<ProofItem> items;
    std::vector<Verdict> verdicts;
    std::size_t full_only = 0;
    for (std::size_t i = 0; i < proofs.size(); ++i) {
        items.push_back({&w.chain, heights[i], &proofs[i]});
        verdicts.push_back(
            verify_proof(w.network.params, w.network.id, w.chain, *heights[i], proofs[i]));
        full_only += verdicts.back().reason == Reason::kCompactNotAllowed ? 1 : 0;
    }
    ASSERT_EQ(static_cast<std::size_t>(std::count(verdicts.begin(), verdicts.end(), Verdict::ok())),
              proofs.size() - full_only);
    BatchWork work;
    EXPECT_EQ(verify_proofs(w.network.params, w.network.id, items, 0, &work), verdicts);
    EXPECT_EQ(work.signatures, links);
    EXPECT_EQ(work.reveal_hashes, furthest);
    EXPECT_LT(work.reveal_hashes, alone);
    EXPECT_EQ(work.groups, links);
}

}  // namespace
}  // namespace holdfast
