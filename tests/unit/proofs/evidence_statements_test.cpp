#include <gtest/gtest.h>

#include "support/evidence_world.hpp"

namespace holdfast {
namespace {

using namespace test;

Checkpoint statement(const EvidenceWorld& w, std::string_view global, std::string_view bond = "") {
    return make_checkpoint(w.network_id, w.height, w.block_hash, GlobalDigest(sha256(view(global))),
                           7, BondId(sha256(view(bond))), w.evaluator)
        .value();
}

TEST(BadCheckpoint, TwoStatementsAboutOneBlockAreAnOffence) {
    const EvidenceWorld& w = evidence_world();
    const Checkpoint a = statement(w, "a");
    const Checkpoint b = statement(w, "b");
    const Evidence evidence = make_checkpoint_conflict(a, b);
    EXPECT_EQ(evidence, make_checkpoint_conflict(b, a));
    EXPECT_EQ(w.reason(evidence), Reason::kOk);
    expect_flips_refused(evidence);

    EXPECT_EQ(w.reason(make_checkpoint_conflict(a, a)), Reason::kNoOffence);
    EXPECT_EQ(w.reason(make_checkpoint_conflict(a, statement(w, "a", "another bond"))),
              Reason::kNoOffence);
    const Checkpoint later = make_checkpoint(w.network_id, w.height + 1, w.block_hash, b.global, 7,
                                             b.bond_id, w.evaluator)
                                 .value();
    EXPECT_EQ(w.reason(make_checkpoint_conflict(a, later)), Reason::kNoOffence);
    const Checkpoint branch =
        make_checkpoint(w.network_id, w.height, BlockHash{}, b.global, 7, b.bond_id, w.evaluator)
            .value();
    EXPECT_EQ(w.reason(make_checkpoint_conflict(a, branch)), Reason::kNoOffence);
    const Checkpoint other =
        make_checkpoint(w.network_id, w.height, w.block_hash, b.global, 7, b.bond_id, w.prover)
            .value();
    EXPECT_EQ(w.reason(make_checkpoint_conflict(a, other)), Reason::kNoOffence);
    Evidence swapped = evidence;
    auto& parts = std::get<CheckpointConflict>(swapped.body);
    std::swap(parts.smaller, parts.larger);
    EXPECT_EQ(w.reason(swapped), Reason::kEvidenceOrder);
}

/// One group of one region with two leaves, under a signed digest.
struct TwoSlots {
    PathProof first;
    PathProof second;
    GlobalDigest previous{sha256(view("previous"))};
    Checkpoint checkpoint;
    Evidence evidence;

    TwoSlots(const EvidenceWorld& w, const ChainId& a, const ChainId& b) {
        first.leaf = {a, Link(a), Height(1'000), ChainStatus::kActive};
        second.leaf = {b, Link(b), Height(1'001), ChainStatus::kLate};
        HierarchyPath path;
        path.slots = 2;
        path.active = 1;
        path.groups = 1;
        path.region_active = 1;
        path.regions = 1;
        path.total_chains = 2;
        first.path = second.path = path;
        second.path.slot = 1;
        first.path.slot_path = {second.leaf.hash()};
        second.path.slot_path = {first.leaf.hash()};
        GlobalHeader header;
        header.height = w.height;
        header.block_hash = w.block_hash;
        header.y = w.y;
        header.previous = previous;
        const auto global = global_from_path(w.params, w.network_id, header, first);
        EXPECT_TRUE(global.has_value());
        checkpoint =
            make_checkpoint(w.network_id, w.height, w.block_hash, *global, 2, BondId{}, w.evaluator)
                .value();
        evidence = make_double_slot(checkpoint, w.y, previous, first, second);
    }
};

TEST(BadCheckpoint, OneChainInTwoSlotsIsAnOffence) {
    const EvidenceWorld& w = evidence_world();
    const TwoSlots both(w, w.chain_id, w.chain_id);
    EXPECT_EQ(both.evidence,
              make_double_slot(both.checkpoint, w.y, both.previous, both.second, both.first));
    const Judgement judgement = w.judged(both.evidence);
    EXPECT_TRUE(judgement.verdict.accepted()) << to_string(judgement.verdict);
    // Both forms of kind 5 are settled once.
    const Evidence conflict = make_checkpoint_conflict(statement(w, "a"), statement(w, "b"));
    EXPECT_EQ(judgement.id, w.judged(conflict).id);
    expect_flips_refused(both.evidence);
}

TEST(BadCheckpoint, HonestSlotsAreNone) {
    const EvidenceWorld& w = evidence_world();
    const TwoSlots honest(w, w.chain_id, ChainId(sha256(view("another"))));
    EXPECT_EQ(w.reason(honest.evidence), Reason::kNoOffence);
    const TwoSlots both(w, w.chain_id, w.chain_id);
    EXPECT_EQ(
        w.reason(make_double_slot(both.checkpoint, w.y, both.previous, both.first, both.first)),
        Reason::kEvidenceOrder);
    EXPECT_EQ(w.reason(make_double_slot(both.checkpoint, VdfOutput{}, both.previous, both.first,
                                        both.second)),
              Reason::kGlobalMismatch);
    EXPECT_EQ(
        w.reason(make_double_slot(honest.checkpoint, w.y, both.previous, both.first, both.second)),
        Reason::kGlobalMismatch);
}

TEST(BadResponse, ASignedResponseThatFailsIsAnOffence) {
    const EvidenceWorld& w = evidence_world();
    const Challenge challenge = w.challenge();
    const ChallengeId id = challenge.id(w.network_id);
    const auto accused = [&](const Bytes& payload, const KeyPair& key) {
        return make_bad_response(challenge, sign_response(id, payload, key).value());
    };
    const Bytes honest = w.honest_payload();
    EXPECT_EQ(w.reason(accused(honest, w.prover)), Reason::kNoOffence);
    Bytes changed = honest;
    changed[5] ^= 1;
    const Judgement judgement = w.judged(accused(changed, w.prover));
    EXPECT_TRUE(judgement.verdict.accepted()) << to_string(judgement.verdict);
    EXPECT_EQ(judgement.offence, (Offence{EvidenceKind::kBadResponse, w.chain_id, w.height}));
    EXPECT_EQ(w.reason(accused({}, w.prover)), Reason::kOk) << "nothing at all, but signed";
    expect_flips_refused(accused({}, w.prover));
    changed = honest;
    changed.resize(changed.size() + 32);
    EXPECT_EQ(w.reason(accused(changed, w.prover)), Reason::kOk);
    EXPECT_EQ(w.reason(accused(changed, key_of("somebody"))), Reason::kBadSignature);

    const Response foreign = sign_response(ChallengeId{}, {}, w.prover).value();
    EXPECT_EQ(w.reason(make_bad_response(challenge, foreign)), Reason::kWrongChallenge);
    Challenge nobody = challenge;
    nobody.signature = {};
    EXPECT_EQ(w.reason(make_bad_response(nobody, sign_response(id, {}, w.prover).value())),
              Reason::kBadSignature);
    Challenge elsewhere = challenge;
    elsewhere.block_hash = BlockHash{};
    EXPECT_EQ(w.reason(make_bad_response(elsewhere, sign_response(id, {}, w.prover).value())),
              Reason::kWrongBlock);
    elsewhere = challenge;
    elsewhere.height = w.height + 1;
    EXPECT_EQ(w.reason(make_bad_response(elsewhere, sign_response(id, {}, w.prover).value())),
              Reason::kWrongBlock);
}

}  // namespace
}  // namespace holdfast
