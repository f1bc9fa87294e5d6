// The same property for the formats whose form has conditions of its own: geometry, counts that
// follow from parameters, paths that follow from counts.
#include "chunking/erasure.hpp"
#include "chunking/file_header.hpp"
#include "core/geometry.hpp"
#include "core/params.hpp"
#include "proofs/evidence.hpp"
#include "proofs/seal_proof.hpp"
#include "property/random_objects.hpp"
#include "settlement/settlement_ledger.hpp"
#include "storage/link_records.hpp"
#include "vdf/proof.hpp"

namespace holdfast::property {
namespace {

ReplicaHeader replica_header(Random& r) {
    ReplicaHeader h;
    h.prover = r.bytes<PublicKey>();
    h.raw_root = r.bytes<Root>();
    h.data_len = 1 + r.below(std::uint64_t{1} << (1 + r.below(32)));
    h.chunks = chunk_count(h.data_len);
    h.seal = kSealStandard;
    h.nonce = r.any();
    return h;
}

Registration registration(Random& r) {
    Registration out;
    out.header = replica_header(r);
    out.sealed_root = r.bytes<Root>();
    out.genesis_height = Height(r.any());
    out.genesis_block_hash = r.bytes<BlockHash>();
    if (r.below(2) == 0) out.local_commitment = r.bytes<Reveal>();
    out.retention = static_cast<Retention>(1 + r.below(3));
    out.bond_id = r.bytes<BondId>();
    out.signature = r.bytes<Signature>();
    return out;
}

Challenger challenger(Random& r) {
    return {r.bytes<PublicKey>(), r.bytes<Reveal>(), Height(r.any()), r.bytes<BondId>(),
            r.bytes<Signature>()};
}

Response response(Random& r) {
    Response out{r.bytes<ChallengeId>(), Bytes(r.below(300)), r.bytes<Signature>()};
    for (std::uint8_t& b : out.chunks_and_siblings) b = static_cast<std::uint8_t>(r.below(256));
    return out;
}

RevealStep reveal_step(Random& r) {
    return {r.bytes<Digest>(), r.below(kRevealChainLength + 1), r.bytes<Reveal>()};
}

VdfParams vdf_params(Random& r) {
    return {64, 1, 4, 1 + r.below(1'000), static_cast<std::uint32_t>(1 + r.below(9))};
}

VdfProof vdf_proof(Random& r) {
    VdfProof p;
    p.params = vdf_params(r);
    p.height = Height(r.any());
    p.input = r.bytes<Seed>();
    p.checkpoints = r.digests(p.params.checkpoints + 1);
    p.y = r.bytes<VdfOutput>();
    p.evaluator = r.bytes<PublicKey>();
    p.signature = r.bytes<Signature>();
    return p;
}

VdfSegment vdf_segment(Random& r) {
    VdfSegment s;
    s.params = vdf_params(r);
    s.height = Height(r.any());
    s.input = r.bytes<Seed>();
    s.i = static_cast<std::uint32_t>(r.below(s.params.checkpoints));
    s.d_i = r.bytes<Digest>();
    s.d_i1 = r.bytes<Digest>();
    const std::uint64_t leaves = s.params.checkpoints + 1;
    s.path_i = r.digests(path_length(leaves, s.i));
    s.path_i1 = r.digests(path_length(leaves, s.i + 1));
    return s;
}

LinkClaim link_claim(Random& r) {
    return {r.bytes<ChainId>(), r.bytes<BlockHash>(), statement(r),
            r.bytes<Link>(),    r.bytes<Entropy>(),   r.bytes<Digest>()};
}

Evidence false_opening(Random& r) {
    FalseOpening e;
    e.claim = link_claim(r);
    e.j = static_cast<std::uint8_t>(r.below(kChunksPerLink));
    e.opening = r.bytes<Digest>();
    for (Digest& d : e.opening_path) d = r.bytes<Digest>();
    e.cell = r.bytes<Cell>();
    e.cell_path = r.digests(r.below(25));
    return {e};
}

Evidence conditional_evidence(Random& r) {
    switch (r.below(3)) {
        case 0: {
            BadSeal e;
            e.registration = registration(r);
            const std::uint64_t cells = e.registration.header.cells();
            e.cell = CellIndex(r.below(cells));
            e.raw = r.bytes<Cell>();
            e.raw_path = r.digests(path_length(cells, e.cell.value));
            e.sealed = r.bytes<Cell>();
            e.sealed_path = r.digests(path_length(cells, e.cell.value));
            return {e};
        }
        case 1:
            return {VdfSegmentEvidence{vdf_segment(r), r.bytes<VdfOutput>(), r.bytes<PublicKey>(),
                                       r.bytes<Signature>()}};
        default: {
            VdfEndEvidence e;
            e.end = r.below(2) == 0 ? VdfEndEvidence::End::kOutput : VdfEndEvidence::End::kStart;
            e.params = vdf_params(r);
            e.height = Height(r.any());
            e.input = r.bytes<Seed>();
            e.d = r.bytes<Digest>();
            e.path = r.digests(path_length(e.params.checkpoints + 1, e.leaf()));
            e.y = r.bytes<VdfOutput>();
            e.evaluator = r.bytes<PublicKey>();
            e.signature = r.bytes<Signature>();
            return {e};
        }
    }
}

Evidence bad_response(Random& r) {
    if (r.below(2) == 0) return make_bad_response(challenge(r), response(r));
    return make_bad_response(challenge2(r), response(r));
}

Manifest manifest(Random& r) {
    Manifest m;
    m.data_len = 1 + r.below(std::uint64_t{1} << (1 + r.below(40)));
    m.shape = {static_cast<std::uint8_t>(1 + r.below(6)), static_cast<std::uint8_t>(r.below(4))};
    m.shard_len = shard_length(m.data_len, m.shape);
    m.roots.resize(m.shape.shards() * m.segments_per_shard());
    for (Root& root : m.roots) root = r.bytes<Root>();
    return m;
}

LinkRecord link_record(Random& r) {
    return {Height(r.any()), r.bytes<BlockHash>(), r.bytes<GlobalDigest>(), r.bytes<Link>()};
}

SettlementCase settlement_case(Random& r) {
    SettlementCase c;
    c.id = r.bytes<CaseId>();
    c.kind = static_cast<CaseKind>(1 + r.below(4));
    for (std::uint64_t n = r.below(SettlementCase::kMaxSteps + 1); n > 0; --n) {
        SettlementStep s;
        s.kind = static_cast<StepKind>(1 + r.below(3));
        s.bond = r.bytes<BondId>();
        s.party = r.bytes<PublicKey>();
        s.amount = r.any();
        s.share_per_mille = static_cast<std::uint32_t>(r.below(1'001));
        s.state = static_cast<StepState>(1 + r.below(3));
        s.answer = r.any();
        s.asked = static_cast<std::uint32_t>(r.any());
        c.steps.push_back(s);
    }
    return c;
}

Decision decision(Random& r) {
    Decision d;
    d.id = r.bytes<CaseId>();
    d.kind = static_cast<CaseKind>(1 + r.below(5));
    for (std::uint64_t n = r.below(Decision::kMaxSteps + 1); n > 0; --n) {
        DecidedStep s;
        s.kind = static_cast<DecidedStep::Kind>(1 + r.below(5));
        s.bond = r.bytes<BondId>();
        s.party = r.bytes<PublicKey>();
        s.amount = r.any();
        s.share_per_mille = static_cast<std::uint32_t>(r.below(1'001));
        d.steps.push_back(s);
    }
    return d;
}

NetworkParams network_params(Random& r) {
    NetworkParams p;
    p.name.assign(1 + r.below(64), static_cast<char>('a' + r.below(26)));
    p.genesis_height = Height(r.any());
    p.block_ms = static_cast<std::uint32_t>(1 + r.below(1'000'000));
    p.has_beacon = r.below(2) == 0;
    if (p.has_beacon) {
        p.beacon_key.assign(r.below(257), static_cast<std::uint8_t>(r.below(256)));
        p.beacon_genesis_s = r.below(2'000'000'000);
        p.beacon_period_s = static_cast<std::uint32_t>(1 + r.below(100));
        p.beacon_delay_s = static_cast<std::uint32_t>(r.below(100));
    }
    p.has_vdf = r.below(2) == 0;
    if (p.has_vdf) {
        p.vdf = vdf_params(r);
    } else {
        p.epoch_blocks = p.epoch_lag = 0;
    }
    p.seal_presets.assign(1 + r.below(16), kSealEconomy);
    p.seal_cells = static_cast<std::uint32_t>(1 + r.below(1'000));
    p.rate_window = static_cast<std::uint32_t>(1 + r.any() / 4);
    p.quorum_of = p.quorum + static_cast<std::uint32_t>(r.below(5));
    if (r.below(2) == 0) {
        p.version = kParamsVersion2;
        p.seal_cells = static_cast<std::uint32_t>(1 + r.below(100));
        p.least_chain_part = r.any();
        p.least_challenger_part = 1 + r.any() / 2;
        p.least_submitter_part = r.any();
        p.least_evaluator_part = r.any();
        p.least_operator_part = r.any();
        p.max_challengers = static_cast<std::uint32_t>(1 + r.below(kMostChallengersInForce));
        if (r.below(2) == 0) {
            p.operator_key = KeyPair::from_secret(view(r.bytes<Digest>())).public_key();
        }
    }
    return p;
}

TEST(RoundTrip, WhatHasItsOwnConditions) {
    expect_round_trips<Registration>(registration);
    expect_round_trips<Challenger>(challenger);
    expect_round_trips<Response>(response, true, true);
    expect_round_trips<RevealStep>(reveal_step);
    expect_round_trips<VdfProof>(vdf_proof);
    expect_round_trips<VdfSegment>(vdf_segment);
    expect_round_trips<Manifest>(manifest);
}

TEST(RoundTrip, EvidenceOfTheOtherKinds) {
    // The length before a body makes every cut and every extension one too few or too many.
    expect_round_trips<Evidence>(false_opening);
    expect_round_trips<Evidence>(conditional_evidence);
    expect_round_trips<Evidence>(bad_response);
}

TEST(RoundTrip, WhatANodeKeeps) {
    expect_round_trips<LinkRecord>(link_record);
    expect_round_trips<SettlementCase>(settlement_case);
    expect_round_trips<Decision>(decision);
}

TEST(RoundTrip, NetworkParameters) { expect_round_trips<NetworkParams>(network_params); }

TEST(RoundTrip, SealProofs) {
    NetworkParams params;
    params.seal_presets = {kSealDev};
    params.seal_cells = 2;
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        Random r(seed);
        Registration whose = registration(r);
        whose.header.data_len = 1 + r.below(std::uint64_t{1} << 24);
        whose.header.chunks = chunk_count(whose.header.data_len);
        whose.header.seal = kSealDev;
        const SealChallenge drawn = draw_seal_challenge(params, params.id(), whose,
                                                        r.bytes<VdfOutput>(), SealProofKind::kSeal);
        Bytes body(drawn.body_bytes());
        for (std::uint8_t& b : body) b = static_cast<std::uint8_t>(r.below(256));
        const auto proof = SealProof::decode(body, drawn);
        ASSERT_TRUE(proof) << to_string(proof.error());
        EXPECT_EQ(proof->encode(), body);
        EXPECT_EQ(*SealProof::decode(proof->encode(), drawn), *proof);
        EXPECT_EQ(SealProof::decode(ByteView(body).first(body.size() - 1), drawn).error().reason,
                  Reason::kTruncated);
        body.push_back(0);
        EXPECT_EQ(SealProof::decode(body, drawn).error().reason, Reason::kTrailingBytes);
    }
}

TEST(RoundTrip, FileHeaders) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        Random r(seed);
        const FileHeader header{replica_header(r), r.bytes<Root>(), r.bytes<ReplicaId>(),
                                r.bytes<NetworkId>()};
        for (const Kind kind : {Kind::kReplicaFile, Kind::kTreeFile}) {
            Bytes bytes = encode_file_header(kind, header);
            const auto back = decode_file_header(kind, bytes);
            ASSERT_TRUE(back);
            EXPECT_EQ(*back, header);
            for (int round = 0; round < 50; ++round) {
                const std::uint64_t bit = r.below(bytes.size() * 8);
                bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
                EXPECT_FALSE(decode_file_header(kind, bytes)) << "bit " << bit;
                bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
            }
            bytes.push_back(0);
            EXPECT_FALSE(decode_file_header(kind, bytes));
        }
    }
}

}  // namespace
}  // namespace holdfast::property
