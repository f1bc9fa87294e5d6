// Attack 8: an accuser makes an honest prover look guilty of two links for one height.
//
//   frame_two_chains   two replicas under one key: two links a height, as there must be
//   frame_reorg        both branches of a fork: a link for each block, as there must be
//
// Cost: nothing. Bound: evidence of kind 1 needs two signatures over one chain, height, block and
// anchor, and all four are in what a receipt signs. An honest prover that sees a branch again makes
// the bytes that it made before. The naive scheme beside it takes two valid links of one key and
// height for an offence.
#include <gtest/gtest.h>

#include "proofs/digests.hpp"
#include "support/court.hpp"
#include "support/sealed_chain.hpp"
#include "unit/api/node_fixture.hpp"

namespace holdfast::test {
namespace {

/// Naive: one key, one height, two links, each signed.
bool naive_offence(const PublicKey& a, const Receipt& one, const PublicKey& b, const Receipt& two) {
    return a == b && one.height == two.height && one.link != two.link;
}

TEST(AttackFrameTwoChains, LinksOfTwoChainsUnderOneKeyAreNoOffence) {
    NetworkParams params = short_network();
    params.name = "frame";
    RegistryWorld world(params);
    const SealedChain a(params, 1, {16, 7, false, Height(110), {}});
    const SealedChain b(params, 2, {16, 7, false, Height(110), {}});
    ASSERT_EQ(a.key().public_key(), b.key().public_key());
    enrol(world, {&a, &b});
    LinkRecords records_a = must(LinkRecords::open(a.folder() / "x.chain"));
    LinkRecords records_b = must(LinkRecords::open(b.folder() / "x.chain"));
    const Court court(world);

    std::size_t framed_naively = 0;
    std::size_t accusations = 0;
    for (int n = 0; n < 10; ++n) {
        world.feed();
        const KnownHeight known_a = known_height(world, a, world.tip());
        const KnownHeight known_b = known_height(world, b, world.tip());
        const auto make = [&](const SealedChain& chain, const KnownHeight& known,
                              LinkRecords& records) {
            return must(make_link(chain.network_id(), chain.replica(), chain.facts(known),
                                  chain.key(), records))
                .receipt;
        };
        const Receipt of_a = make(a, known_a, records_a);
        const Receipt of_b = make(b, known_b, records_b);
        ASSERT_EQ(submit(world, a, of_a), Verdict::ok());
        ASSERT_EQ(submit(world, b, of_b), Verdict::ok());
        framed_naively += naive_offence(a.key().public_key(), of_a, b.key().public_key(), of_b);
        for (const ChainId& accused : {a.id(), b.id()}) {
            ++accusations;
            EXPECT_EQ(court.reason(make_equivocation(accused, known_a.block_hash, of_a, of_b)),
                      Reason::kBadSignature);
        }
        // The same link twice, and the same link under another chain's name.
        EXPECT_EQ(court.reason(make_equivocation(a.id(), known_a.block_hash, of_a, of_a)),
                  Reason::kEvidenceOrder);
        Receipt renamed = of_a;
        renamed.link = of_b.link;
        EXPECT_EQ(court.reason(make_equivocation(a.id(), known_a.block_hash, of_a, renamed)),
                  Reason::kBadSignature);
        EXPECT_EQ(make(a, known_a, records_a), of_a) << "asked again: the same bytes";
    }
    std::printf("two chains: naive scheme 10 of 10 heights an offence (%zu); here 0 of %zu\n",
                framed_naively, accusations);
    EXPECT_EQ(framed_naively, 10U);
}

class AttackFrameReorg : public Node {
  protected:
    void SetUp() override {
        Node::SetUp();
        new_blocks(4);
        registration_ = seal_and_register("a", 1, 100'000);
        clock_.emplace(clock(key_of(9)));
    }
    /// What the prover is asked on the branch that the host chain shows now.
    LinkRequest request(Height h) {
        const HeightEntropy e = value_of(clock_->at(h));
        return {h,
                e.block.hash,
                e.y,
                genesis_global(params_.id()),
                Link(registration_.chain_id(params_.id())),
                registration_.genesis_height};
    }
    Receipt link(const LinkRequest& asked) {
        // A prover of its own for each question: nothing is remembered but what is on disk.
        Prover prover = value_of(Prover::open(params_, files("a"), registration_, key_of(1)));
        return value_of(prover.link(asked)).receipt;
    }
    Reason judged(const BlockHash& block, const Receipt& a, const Receipt& b) const {
        EvidenceFacts facts{
            params_, params_.id(), KnownChain::of(params_.id(), registration_), block, {}, {}, {}};
        const ChainId id = registration_.chain_id(params_.id());
        return judge_without_fill(facts, make_equivocation(id, block, a, b)).reason;
    }

    Registration registration_;
    std::optional<VdfClock> clock_;
};

TEST_F(AttackFrameReorg, LinksOfBothBranchesAreNoOffenceAndABranchSeenAgainGivesTheSameBytes) {
    const Height tip = value_of(chain_->current_height());
    std::vector<LinkRequest> branches{request(tip)};
    std::vector<Receipt> receipts{link(branches[0])};
    for (std::uint64_t n = 1; n <= 4; ++n) {
        const LocalChain::NewBlock block{1'700'000'900'000 + n, true};
        value_of(chain_->replace_branch(tip, {&block, 1}));
        branches.push_back(request(tip));
        receipts.push_back(link(branches.back()));
        EXPECT_NE(branches[n].block_hash, branches[n - 1].block_hash);
        EXPECT_NE(receipts[n].link, receipts[n - 1].link);
    }
    const PublicKey& key = registration_.header.prover;
    std::size_t framed_naively = 0;
    std::size_t accusations = 0;
    for (std::size_t i = 0; i < receipts.size(); ++i) {
        EXPECT_EQ(link(branches[i]).encode(), receipts[i].encode()) << "branch " << i << " again";
        for (std::size_t k = 0; k < i; ++k) {
            framed_naively += naive_offence(key, receipts[i], key, receipts[k]);
            for (const LinkRequest& branch : branches) {
                ++accusations;
                EXPECT_EQ(judged(branch.block_hash, receipts[i], receipts[k]),
                          Reason::kBadSignature);
            }
        }
    }
    std::printf("reorganisations: naive scheme %zu of 10 pairs an offence; here 0 of %zu\n",
                framed_naively, accusations);
    EXPECT_EQ(framed_naively, 10U);
}

TEST_F(AttackFrameReorg, ALinkForAFalseAnchorIsNoHalfOfAnOffence) {
    // Somebody who feeds a prover another digest gets a link that counts nowhere, and no evidence.
    LinkRequest asked = request(value_of(chain_->current_height()));
    const Receipt right = link(asked);
    asked.anchor = GlobalDigest(tagged_hash("test/false anchor"));
    const Receipt misled = link(asked);
    EXPECT_NE(misled.link, right.link);
    EXPECT_EQ(judged(asked.block_hash, right, misled), Reason::kNoOffence);
}

}  // namespace
}  // namespace holdfast::test
