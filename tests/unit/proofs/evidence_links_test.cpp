#include <gtest/gtest.h>

#include "support/evidence_world.hpp"

namespace holdfast {
namespace {

using namespace test;

TEST(Equivocation, TwoLinksOfOneHeightAreAnOffence) {
    const EvidenceWorld& w = evidence_world();
    const Receipt a = w.receipt("a");
    const Receipt b = w.receipt("b");
    const Evidence evidence = make_equivocation(w.chain_id, w.block_hash, a, b);
    EXPECT_EQ(evidence, make_equivocation(w.chain_id, w.block_hash, b, a));
    const Judgement judgement = w.judged(evidence);
    EXPECT_TRUE(judgement.verdict.accepted()) << to_string(judgement.verdict);
    EXPECT_EQ(judgement.offence, (Offence{EvidenceKind::kEquivocation, w.chain_id, w.height}));
    EXPECT_EQ(judgement.id, OffenceId(tagged_hash("offence", w.network_id, std::uint8_t{1},
                                                  w.chain_id, w.height)));
    expect_flips_refused(evidence);
}

TEST(Equivocation, NeedsOneHeightBlockAndAnchor) {
    const EvidenceWorld& w = evidence_world();
    const Receipt a = w.receipt("a");
    Receipt other = w.receipt("b");
    other.height = w.height + 1;
    other.signature = w.prover
                          .sign(view(receipt_digest(w.network_id, w.chain_id, other.height,
                                                    w.block_hash, other.anchor, other.link)))
                          .value();
    EXPECT_EQ(w.reason(make_equivocation(w.chain_id, w.block_hash, a, other)), Reason::kNoOffence);
    other = w.receipt("b");
    other.anchor = GlobalDigest{};
    other.signature = w.prover
                          .sign(view(receipt_digest(w.network_id, w.chain_id, other.height,
                                                    w.block_hash, other.anchor, other.link)))
                          .value();
    EXPECT_EQ(w.reason(make_equivocation(w.chain_id, w.block_hash, a, other)), Reason::kNoOffence);
    // Another branch: the two signatures are over different blocks.
    const BlockHash branch(sha256(view("branch")));
    other = w.receipt("b");
    other.signature = w.prover
                          .sign(view(receipt_digest(w.network_id, w.chain_id, other.height, branch,
                                                    other.anchor, other.link)))
                          .value();
    EXPECT_EQ(w.reason(make_equivocation(w.chain_id, w.block_hash, a, other)),
              Reason::kBadSignature);
    EXPECT_EQ(w.reason(make_equivocation(w.chain_id, w.block_hash, a, a)), Reason::kEvidenceOrder);
    EXPECT_EQ(w.reason(make_equivocation(ChainId{}, w.block_hash, a, w.receipt("b"))),
              Reason::kUnknownChain);
    EXPECT_EQ(w.reason(make_equivocation(w.chain_id, w.block_hash, a,
                                         w.receipt(Link(sha256(view("b"))), key_of("somebody")))),
              Reason::kBadSignature);
}

TEST(Equivocation, SwappedPartsAreRefused) {
    const EvidenceWorld& w = evidence_world();
    Evidence evidence = make_equivocation(w.chain_id, w.block_hash, w.receipt("a"), w.receipt("b"));
    auto& body = std::get<Equivocation>(evidence.body);
    std::swap(body.smaller, body.larger);
    EXPECT_EQ(w.reason(evidence), Reason::kEvidenceOrder);
}

TEST(BadOpening, AWrongOpeningIsAnOffence) {
    const EvidenceWorld& w = evidence_world();
    const Entropy e = w.honest_e();
    auto openings = w.honest_openings(e);
    openings[7] = opening_hash(e, opened_cells(e, w.registration.header.chunks)[7], Cell{});
    const Evidence evidence = w.accuse_opening(e, openings, 7);
    const Judgement judgement = w.judged(evidence);
    EXPECT_TRUE(judgement.verdict.accepted()) << to_string(judgement.verdict);
    EXPECT_EQ(judgement.offence.kind, EvidenceKind::kBadOpening);
    expect_flips_refused(evidence, 7);
    // The others are right, and an honest link has no wrong one.
    EXPECT_EQ(w.reason(w.accuse_opening(e, openings, 6)), Reason::kNoOffence);
    for (std::uint8_t j = 0; j < kChunksPerLink; ++j) {
        EXPECT_EQ(w.reason(w.accuse_opening(e, w.honest_openings(e), j)), Reason::kNoOffence);
    }
}

TEST(BadOpening, EachRefusalHasItsReason) {
    const EvidenceWorld& w = evidence_world();
    const Entropy e = w.honest_e();
    auto openings = w.honest_openings(e);
    openings[7] = Digest{};
    const Evidence good = w.accuse_opening(e, openings, 7);
    const auto changed = [&](const std::function<void(FalseOpening&)>& change) {
        Evidence evidence = good;
        change(std::get<FalseOpening>(evidence.body));
        return evidence;
    };
    EXPECT_EQ(w.reason(changed([](FalseOpening& o) { o.opening.bytes[0] ^= 1; })),
              Reason::kBadOpening);
    EXPECT_EQ(w.reason(changed([](FalseOpening& o) { o.cell.bytes[0] ^= 1; })),
              Reason::kSealedMismatch);
    EXPECT_EQ(w.reason(changed([](FalseOpening& o) { o.cell_path.pop_back(); })),
              Reason::kProofLength);
    EXPECT_EQ(w.reason(changed([](FalseOpening& o) { o.claim.e.bytes[0] ^= 1; })),
              Reason::kBadLink);
    EXPECT_EQ(w.reason(changed([](FalseOpening& o) { o.claim.block_hash = BlockHash{}; })),
              Reason::kWrongBlock);
    EXPECT_EQ(w.reason(changed([](FalseOpening& o) { o.claim.chain_id = ChainId{}; })),
              Reason::kUnknownChain);
    EXPECT_EQ(w.reason(changed(
                  [](FalseOpening& o) { std::get<Receipt>(o.claim.statement).signature = {}; })),
              Reason::kBadSignature);
    EXPECT_EQ(w.reason(changed([](FalseOpening& o) { o.j = 6; })), Reason::kBadOpening);
    const auto decoded = [&](const std::function<void(FalseOpening&)>& change) {
        return Evidence::decode(changed(change).encode()).error().reason;
    };
    EXPECT_EQ(decoded([](FalseOpening& o) { o.j = 16; }), Reason::kBadIndex);
    EXPECT_EQ(decoded([](FalseOpening& o) { o.cell_path.resize(25); }), Reason::kTooLarge);
}

TEST(BadEntropy, AnEOfAnotherRevealIsAnOffence) {
    const EvidenceWorld& w = evidence_world();
    const Entropy wrong(sha256(view("ground by the prover")));
    const Evidence evidence = make_false_entropy(w.claim(wrong, Digest{}), w.reveal());
    const Judgement judgement = w.judged(evidence);
    EXPECT_TRUE(judgement.verdict.accepted()) << to_string(judgement.verdict);
    // Settled together with bad openings of the same link.
    const auto openings = w.honest_openings(w.honest_e());
    EXPECT_EQ(judgement.id, w.judged(w.accuse_opening(w.honest_e(), openings, 0)).id);
    expect_flips_refused(evidence);

    EXPECT_EQ(w.reason(make_false_entropy(w.claim(w.honest_e(), Digest{}), w.reveal())),
              Reason::kNoOffence);
    EXPECT_EQ(w.reason(make_false_entropy(w.claim(wrong, Digest{}), Reveal{})), Reason::kBadReveal);
    const Reveal before = w.reveal_at(w.registration.replica_id(w.network_id), 4);
    EXPECT_EQ(w.reason(make_false_entropy(w.claim(wrong, Digest{}), before)), Reason::kBadReveal);
}

TEST(BadEntropy, IsNotJudgedWhereTheHeightHasNoY) {
    const EvidenceWorld& w = evidence_world();
    const Evidence evidence = make_false_entropy(w.claim(Entropy{}, Digest{}), w.reveal());
    EvidenceKnowledge knowledge = w.knowledge();
    knowledge.y = [](Height) -> Result<std::optional<VdfOutput>> {
        return std::optional<VdfOutput>{};
    };
    EXPECT_EQ(judge_evidence(knowledge, evidence)->verdict.reason, Reason::kNoEntropy);
    knowledge.y = [](Height) -> Result<std::optional<VdfOutput>> {
        return fail(ErrorCode::kUnavailable, "the registry is away");
    };
    const auto failed = judge_evidence(knowledge, evidence);
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace holdfast
