// The compact proofs of many chains at one height, verified in one batch: what they share is done
// once, and each keeps the verdict that it would have alone.
#include <gtest/gtest.h>

#include "hierarchy/proof_batch.hpp"
#include "hierarchy/tree.hpp"
#include "support/registry_world.hpp"

namespace holdfast {
namespace {

using test::TestChain;

/// Twelve chains in groups of five, two groups a region: three groups are used.
struct SharedHeight {
    static constexpr std::size_t kChains = 12;
    NetworkParams params = test::short_network();
    NetworkId id;
    std::vector<TestChain> chains;
    std::vector<KnownChain> known_chains;
    std::vector<KnownHeight> heights;
    std::vector<AnyProof> proofs;

    SharedHeight() {
        params.group_slots = 5;
        params.region_groups = 2;
        id = params.id();
        KnownHeight known;
        known.height = Height(200);
        known.block_hash = test::test_hash(known.height);
        known.y = test::test_y(known.height);
        known.anchor = GlobalDigest(tagged_hash("test/anchor"));
        known.previous_global = GlobalDigest(tagged_hash("test/previous"));
        for (std::uint64_t n = 0; chains.size() < kChains; ++n) {
            if (!known.y_compact) known.y_compact = test::test_y(Height(300));
            TestChain chain(params, n, Height(100));
            // One height in sixteen wants a full proof; those chains are left out.
            if (full_required(id, *known.y_compact, chain.id())) continue;
            known_chains.push_back(KnownChain::of(id, chain.registration()));
            chains.push_back(std::move(chain));
        }
        HierarchyTree tree(HierarchyShape::of(params));
        for (std::size_t i = 0; i < kChains; ++i) {
            heights.push_back(known);
            heights[i].link_before = Link(chains[i].id());
            tree.set(i, {chains[i].id(), chains[i].full(heights[i]).receipt.link, known.height});
        }
        tree.rehash();
        const GlobalDigest global = tree.global(
            id, {known.height, known.block_hash, *known.y, *known.previous_global, 0, 0});
        for (std::size_t i = 0; i < kChains; ++i) {
            heights[i].global = global;
            proofs.emplace_back(chains[i].compact(heights[i], *tree.path(i)));
        }
    }
    [[nodiscard]] std::vector<ProofItem> items() const {
        std::vector<ProofItem> out;
        for (std::size_t i = 0; i < kChains; ++i) {
            out.push_back({&known_chains[i], &heights[i], &proofs[i]});
        }
        return out;
    }
    [[nodiscard]] std::vector<Verdict> one_by_one() const {
        std::vector<Verdict> out;
        for (const ProofItem& item : items()) {
            out.push_back(verify_proof(params, id, *item.chain, *item.height, *item.proof));
        }
        return out;
    }
    Compact& compact(std::size_t i) { return std::get<Compact>(proofs[i]); }
};

TEST(SharedVerification, WhatIsAboveAGroupIsHashedOnce) {
    const SharedHeight world;
    for (const unsigned threads : {1U, 0U}) {
        BatchWork work;
        EXPECT_EQ(verify_proofs(world.params, world.id, world.items(), threads, &work),
                  std::vector<Verdict>(SharedHeight::kChains));
        EXPECT_EQ(work.signatures, SharedHeight::kChains);
        EXPECT_EQ(work.groups, 3U);
    }
}

TEST(SharedVerification, AFalseItemSpoilsNoOther) {
    SharedHeight world;
    world.compact(0).receipt.signature[0] ^= 1;
    world.compact(1).cell[0] ^= 1;
    world.compact(2).path.slot_path[0][0] ^= 1;    // leads to another group's digest
    world.compact(3).path.region_path[0][0] ^= 1;  // the same group, another way up
    world.compact(5).path.group_path.clear();
    world.compact(6).path.slots += 1'000;
    world.compact(7).path.total_chains += 1;
    world.compact(8).link_before[0] ^= 1;
    world.compact(9).reveal[0] ^= 1;
    world.heights[10].y.reset();
    world.heights[11].global.reset();
    const std::vector<Verdict> alone = world.one_by_one();
    const Reason expected[] = {Reason::kBadSignature,
                               Reason::kSealedMismatch,
                               Reason::kGlobalMismatch,
                               Reason::kGlobalMismatch,
                               Reason::kOk,
                               Reason::kProofLength,
                               Reason::kBadSlot,
                               Reason::kGlobalMismatch,
                               Reason::kBadLinkBefore,
                               Reason::kBadReveal,
                               Reason::kNoEntropy,
                               Reason::kDigestUnknown};
    for (std::size_t i = 0; i < SharedHeight::kChains; ++i) {
        EXPECT_EQ(alone[i].reason, expected[i]) << i;
    }
    for (const unsigned threads : {1U, 0U}) {
        BatchWork work;
        EXPECT_EQ(verify_proofs(world.params, world.id, world.items(), threads, &work), alone);
        // Items 8 and 10 are refused before anybody asks for a signature.
        EXPECT_EQ(work.signatures, SharedHeight::kChains - 2);
    }
}

TEST(SharedVerification, AReceiptThatWasAcceptedIsNotVerifiedAgain) {
    SharedHeight world;
    std::vector<Receipt> accepted;
    for (const AnyProof& proof : world.proofs) accepted.push_back(receipt_of(proof));
    world.compact(4).receipt.signature[0] ^= 1;
    std::vector<ProofItem> items = world.items();
    for (std::size_t i = 0; i < items.size(); ++i) items[i].accepted = &accepted[i];
    BatchWork work;
    EXPECT_EQ(verify_proofs(world.params, world.id, items, 0, &work), world.one_by_one());
    EXPECT_EQ(work.signatures, 1U);  // of the one whose receipt is not the accepted one
}

}  // namespace
}  // namespace holdfast
