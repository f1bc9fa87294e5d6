// A judge that knows little: evidence of every kind gets a verdict, whatever it cannot be told.

#include "support/evidence_world.hpp"

namespace holdfast {
namespace {

using test::evidence_world;
using test::EvidenceWorld;

/// One of each kind, 1 to 11 without the bundled twins, that holds where everything is known.
std::vector<Evidence> one_of_each(const EvidenceWorld& w) {
    std::vector<Evidence> out;
    out.push_back(make_equivocation(w.chain_id, w.block_hash, w.receipt("one"), w.receipt("two")));
    auto openings = w.honest_openings(w.honest_e());
    openings[3][0] ^= 1;
    out.push_back(w.accuse_opening(w.honest_e(), openings, 3));
    const Entropy other(sha256(view("another E")));
    out.push_back(make_false_entropy(w.claim(other, sha256(view("O"))), w.reveal()));
    out.push_back(w.accuse_cell(3));
    std::vector<Digest> d = w.checkpoints;
    d.back()[0] ^= 1;
    out.push_back(make_bad_segment(w.vdf_proof(d), static_cast<std::uint32_t>(d.size() - 2)));
    VdfProof false_y = w.vdf_proof(w.checkpoints);
    false_y.y[0] ^= 1;
    false_y.signature =
        w.evaluator
            .sign(view(vdf_signing_digest(w.network_id, w.height, w.seed,
                                          checkpoints_root(false_y.checkpoints), false_y.y)))
            .value();
    out.push_back(make_false_end(false_y, VdfEndEvidence::End::kOutput));
    d = w.checkpoints;
    d.front()[0] ^= 1;
    out.push_back(make_false_end(w.vdf_proof(d), VdfEndEvidence::End::kStart));
    const KeyPair submitter = test::key_of("submitter");
    const auto checkpoint = [&](std::uint64_t total) {
        return make_checkpoint(w.network_id, Height(1'035), w.block_hash,
                               GlobalDigest(sha256(view("global"))), total, BondId{}, submitter)
            .value();
    };
    out.push_back(make_checkpoint_conflict(checkpoint(1), checkpoint(2)));
    Bytes payload = w.honest_payload();
    payload.resize(payload.size() - 1);
    Response response;
    response.id = w.challenge().id(w.network_id);
    response.chunks_and_siblings = payload;
    out.push_back(make_bad_response(w.challenge(), response));
    return out;
}

TEST(EvidenceKnowledge, WithoutAnySourceEveryKindGetsAVerdict) {
    const EvidenceWorld& w = evidence_world();
    EvidenceKnowledge nothing;
    nothing.params = w.params;
    nothing.network_id = w.network_id;
    for (const Evidence& evidence : one_of_each(w)) {
        const auto judged = judge_evidence_without_fill(nothing, evidence);
        ASSERT_TRUE(judged) << judged.error().message;
        const EvidenceKind kind = evidence.kind();
        // These need nothing that a verifier could lack.
        const bool stands_alone =
            kind == EvidenceKind::kBadSeal || kind == EvidenceKind::kBadCheckpoint;
        EXPECT_EQ(judged->verdict.accepted(), stands_alone)
            << to_string(kind) << ": " << to_string(judged->verdict);
    }
}

TEST(EvidenceKnowledge, WithoutAnArenaASegmentIsAnErrorAndNoVerdict) {
    const EvidenceWorld& w = evidence_world();
    EvidenceKnowledge knows = w.knowledge();
    knows.arena = nullptr;
    for (const Evidence& evidence : one_of_each(w)) {
        const auto judged = judge_evidence(knows, evidence);
        if (evidence.kind() != EvidenceKind::kBadVdfSegment) {
            EXPECT_TRUE(judged) << to_string(evidence.kind());
            continue;
        }
        ASSERT_FALSE(judged);
        EXPECT_EQ(judged.error().code, ErrorCode::kUnsupported);
    }
}

TEST(EvidenceKnowledge, OfAFalseOutputNeedsSeedAndEpochAndNothingElse) {
    const EvidenceWorld& w = evidence_world();
    EvidenceKnowledge knows;
    knows.params = w.params;
    knows.network_id = w.network_id;
    knows.seed = w.knowledge().seed;
    knows.epoch_seed = w.knowledge().epoch_seed;
    std::uint64_t shown = 0;
    for (const Evidence& evidence : one_of_each(w)) {
        const EvidenceKind kind = evidence.kind();
        if (kind != EvidenceKind::kFalseVdfOutput && kind != EvidenceKind::kFalseVdfStart) continue;
        const auto judged = judge_evidence(knows, evidence);
        ASSERT_TRUE(judged) << judged.error().message;
        EXPECT_TRUE(judged->verdict) << to_string(kind) << ": " << to_string(judged->verdict);
        ++shown;
    }
    EXPECT_EQ(shown, 2U);
}

}  // namespace
}  // namespace holdfast
