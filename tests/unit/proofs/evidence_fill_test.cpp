#include <gtest/gtest.h>

#include "support/evidence_world.hpp"

namespace holdfast {
namespace {

using namespace test;

TEST(BadSealing, ACellThatIsNotSealedIsAnOffence) {
    EvidenceWorld w;
    w.registration = w.make_registration([](Bytes& sealed) { sealed[70 * kCellBytes + 3] ^= 1; });
    const Judgement judgement = w.judged(w.accuse_cell(70));
    EXPECT_TRUE(judgement.verdict.accepted()) << to_string(judgement.verdict);
    EXPECT_EQ(judgement.offence, (Offence{EvidenceKind::kBadSeal,
                                          w.registration.chain_id(w.network_id), Height(1'000)}));
    EXPECT_EQ(w.reason(w.accuse_cell(69)), Reason::kNoOffence);
    EXPECT_GT(w.fills_polled, 0);
}

TEST(BadSealing, NothingIsFilledBeforeEveryCheapCheck) {
    EvidenceWorld w;
    const auto changed = [&](const std::function<void(BadSeal&)>& change) {
        Evidence evidence = w.accuse_cell(3);
        change(std::get<BadSeal>(evidence.body));
        return evidence;
    };
    EXPECT_EQ(w.reason(changed([](BadSeal& s) { s.raw.bytes[0] ^= 1; })), Reason::kRawMismatch);
    EXPECT_EQ(w.reason(changed([](BadSeal& s) { s.sealed.bytes[0] ^= 1; })),
              Reason::kSealedMismatch);
    EXPECT_EQ(w.reason(changed([](BadSeal& s) { s.cell = CellIndex(4); })), Reason::kRawMismatch);
    EXPECT_EQ(w.reason(changed([](BadSeal& s) { s.registration.signature = {}; })),
              Reason::kBadSignature);
    EXPECT_EQ(w.reason(changed([&](BadSeal& s) {
        s.registration.header.seal = {1U << 20, std::uint64_t{1} << 34};
        s.registration = sign_registration(w.network_id, s.registration, w.prover).value();
    })),
              Reason::kSealPolicy);
    const auto decoded = [&](const std::function<void(BadSeal&)>& change) {
        return Evidence::decode(changed(change).encode()).error().reason;
    };
    EXPECT_EQ(decoded([](BadSeal& s) { s.cell = CellIndex(256); }), Reason::kBadIndex);
    EXPECT_EQ(decoded([](BadSeal& s) { s.registration.header.chunks = ChunkCount(UINT64_MAX); }),
              Reason::kBadGeometry);
    EXPECT_EQ(decoded([](BadSeal& s) { s.raw_path.pop_back(); }), Reason::kTruncated);
    EXPECT_EQ(w.fills_polled, 0);
    EXPECT_EQ(w.reason(w.accuse_cell(3)), Reason::kNoOffence);
    EXPECT_GT(w.fills_polled, 0);
}

TEST(BadSealing, AStoppedFillIsAnErrorAndNoVerdict) {
    EvidenceWorld w;
    EvidenceKnowledge knowledge = w.knowledge();
    knowledge.fill.stop = [] { return true; };
    const auto judgement = judge_evidence(knowledge, w.accuse_cell(3));
    ASSERT_FALSE(judgement.has_value());
    EXPECT_EQ(judgement.error().code, ErrorCode::kInterrupted);
}

TEST(BadVdf, AFalseSegmentIsAnOffence) {
    const EvidenceWorld& w = evidence_world();
    std::vector<Digest> d = w.checkpoints;
    d[3] = sha256(view("made up"));
    const VdfProof proof = w.vdf_proof(d);
    const int before = w.arenas_asked;
    const Judgement judgement = w.judged(make_bad_segment(proof, 2));
    EXPECT_TRUE(judgement.verdict.accepted()) << to_string(judgement.verdict);
    EXPECT_EQ(w.arenas_asked, before + 1);
    Digest signer;
    signer.bytes = w.evaluator.public_key().bytes;
    EXPECT_EQ(judgement.offence, (Offence{EvidenceKind::kBadVdfSegment, signer, w.height}));
    EXPECT_EQ(w.reason(make_bad_segment(proof, 3)), Reason::kOk) << "it leads away from d_3 too";
    EXPECT_EQ(w.reason(make_bad_segment(proof, 1)), Reason::kNoOffence);
    expect_flips_refused(make_bad_segment(proof, 2), 3);
}

TEST(BadVdf, TheArenaIsAskedForLast) {
    const EvidenceWorld& w = evidence_world();
    std::vector<Digest> d = w.checkpoints;
    d[3] = sha256(view("made up"));
    const VdfProof proof = w.vdf_proof(d);
    const int before = w.arenas_asked;
    Evidence evidence = make_bad_segment(proof, 2);
    std::get<VdfSegmentEvidence>(evidence.body).signature = {};
    EXPECT_EQ(w.reason(evidence), Reason::kVdfSignature);
    evidence = make_bad_segment(proof, 2);
    std::get<VdfSegmentEvidence>(evidence.body).segment.input = Seed{};
    EXPECT_EQ(w.reason(evidence), Reason::kVdfInput) << "not our block: not settled";
    evidence = make_bad_segment(proof, 2);
    std::get<VdfSegmentEvidence>(evidence.body).segment.height = w.height + 1;
    EXPECT_EQ(w.reason(evidence), Reason::kNoEntropy);
    evidence = make_bad_segment(proof, 2);
    std::get<VdfSegmentEvidence>(evidence.body).segment.params.arena_kib = kMaxArenaKib;
    EXPECT_EQ(w.reason(evidence), Reason::kVdfPolicy);
    EXPECT_EQ(w.arenas_asked, before);

    EvidenceFacts facts{w.params, w.network_id, {}, {}, {}, w.seed, w.first_epoch()};
    const auto without = judge(facts, make_bad_segment(proof, 2), {});
    ASSERT_FALSE(without.has_value());
    EXPECT_EQ(without.error().code, ErrorCode::kInvalidArgument);
}

TEST(BadVdf, AFalseOutputAndAFalseStartAreOffences) {
    const EvidenceWorld& w = evidence_world();
    VdfProof proof = w.vdf_proof(w.checkpoints);
    EXPECT_EQ(w.reason(make_false_end(proof, VdfEndEvidence::End::kOutput)), Reason::kNoOffence);
    EXPECT_EQ(w.reason(make_false_end(proof, VdfEndEvidence::End::kStart)), Reason::kNoOffence);
    proof.y = VdfOutput(sha256(view("wished for")));
    proof.signature =
        w.evaluator
            .sign(view(vdf_signing_digest(w.network_id, w.height, w.seed,
                                          checkpoints_root(proof.checkpoints), proof.y)))
            .value();
    const Judgement output = w.judged(make_false_end(proof, VdfEndEvidence::End::kOutput));
    EXPECT_TRUE(output.verdict.accepted()) << to_string(output.verdict);
    EXPECT_EQ(output.offence.kind, EvidenceKind::kFalseVdfOutput);
    expect_flips_refused(make_false_end(proof, VdfEndEvidence::End::kOutput), 3);

    std::vector<Digest> d = w.checkpoints;
    d[0] = sha256(view("another start"));
    const Judgement start = w.judged(make_false_end(w.vdf_proof(d), VdfEndEvidence::End::kStart));
    EXPECT_TRUE(start.verdict.accepted()) << to_string(start.verdict);
    EXPECT_EQ(start.offence.kind, EvidenceKind::kFalseVdfStart);
    EXPECT_NE(start.id, output.id);
}

TEST(BadVdf, IsRefusedInANetworkWithoutOne) {
    const EvidenceWorld& w = evidence_world();
    EvidenceKnowledge knowledge = w.knowledge();
    knowledge.params.has_vdf = false;
    const Evidence evidence = make_bad_segment(w.vdf_proof(w.checkpoints), 0);
    EXPECT_EQ(judge_evidence(knowledge, evidence)->verdict.reason, Reason::kVdfPolicy);
}

}  // namespace
}  // namespace holdfast
