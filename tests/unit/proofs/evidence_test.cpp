#include "proofs/evidence.hpp"

#include <gtest/gtest.h>

#include <random>

#include "chunking/keystream.hpp"
#include "proofs/availability.hpp"
#include "proofs/entropy.hpp"
#include "support/refused.hpp"
#include "vdf/evaluate.hpp"

namespace holdfast {
namespace {

KeyPair key_of(std::string_view name) { return KeyPair::from_secret(view(sha256(view(name)))); }

MerkleTree cell_tree(const Bytes& bytes) {
    std::vector<Digest> leaves;
    for (std::size_t at = 0; at < bytes.size(); at += kCellBytes) {
        leaves.push_back(leaf_hash({bytes.data() + at, kCellBytes}));
    }
    return MerkleTree(std::move(leaves));
}

Cell cell_at(const Bytes& bytes, std::uint64_t index) {
    Cell cell;
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(index * kCellBytes), kCellBytes,
                cell.bytes.begin());
    return cell;
}

/// One sealed chain of 16 chunks, one final height with y, and everybody's keys.
struct EvidenceWorld {
    NetworkParams params = make_params();
    NetworkId network_id = params.id();
    KeyPair prover = key_of("prover");
    KeyPair evaluator = key_of("evaluator");
    Height height{1'005};
    BlockHash block_hash{sha256(view("block 1005"))};
    Seed seed = *make_seed(params, network_id, height, block_hash, std::nullopt);
    std::shared_ptr<const VdfArena> arena = *VdfArena::fill(params.vdf, 0, first_epoch());
    std::vector<Digest> checkpoints =
        *evaluate(arena->view(), params.vdf, network_id, VdfJob{height, seed, {}});
    VdfOutput y = vdf_output(checkpoints.back(), params.vdf);
    Reveal a1{sha256(view("a_1"))};
    Bytes raw = test::expand(view("raw"), kMinChunks* kChunkBytes);
    Bytes sealed;
    Registration registration = make_registration();
    ChainId chain_id = registration.chain_id(network_id);
    MerkleTree sealed_tree = cell_tree(sealed);

    // What the verifier has been asked for.
    mutable int arenas_asked = 0;
    mutable int fills_polled = 0;

    static NetworkParams make_params() {
        NetworkParams p;
        p.name = "evidence test";
        p.genesis_height = Height(1'000);
        p.vdf = {64, 1, 4, 16, 5};
        p.seal_presets = {{16, 512}};
        p.availability_chunks = 3;
        p.group_slots = 4;
        p.region_groups = 3;
        return p;
    }
    [[nodiscard]] EpochSeed first_epoch() const {
        return epoch_seed(network_id, 0, genesis_output(network_id));
    }
    /// The reveal chain has one step: i = 5 is five hashes above its commitment.
    [[nodiscard]] Reveal reveal_at(const ReplicaId& owner, std::uint64_t i) const {
        Reveal a = a1;
        for (std::uint64_t k = 5; k > i; --k) a = reveal_before(network_id, view(owner), k, a);
        return a;
    }
    /// Seals and registers; `spoil` changes the sealed bytes before they are registered.
    Registration make_registration(const std::function<void(Bytes&)>& spoil = {}) {
        Registration r;
        r.header.prover = prover.public_key();
        r.header.raw_root = Root(cell_tree(raw).root());
        r.header.data_len = raw.size();
        r.header.chunks = ChunkCount(kMinChunks);
        r.header.seal = params.seal_presets.front();
        const WindowPlan plan(r.header.chunks, r.header.seal);
        const FillMemory memory = *FillMemory::allocate(plan.window(0).bytes());
        const MutByteView stream{memory.data(), static_cast<std::size_t>(memory.size())};
        EXPECT_TRUE(fill_keystream(r.replica_id(network_id), plan.window(0), stream));
        sealed = raw;
        xor_bytes(sealed, stream);
        if (spoil) spoil(sealed);
        r.sealed_root = Root(cell_tree(sealed).root());
        r.genesis_height = Height(1'000);
        r.local_commitment = reveal_at(r.replica_id(network_id), 0);
        return sign_registration(network_id, r, prover);
    }

    [[nodiscard]] EvidenceKnowledge knowledge() const {
        EvidenceKnowledge k;
        k.params = params;
        k.network_id = network_id;
        k.chain = [this](const ChainId& id, Height) -> Result<std::optional<KnownChain>> {
            if (id != chain_id) return std::optional<KnownChain>{};
            return std::optional(KnownChain::of(network_id, registration));
        };
        k.final_block = [this](Height h) -> Result<std::optional<BlockHash>> {
            return h == height ? std::optional(block_hash) : std::nullopt;
        };
        k.y = [this](Height h) -> Result<std::optional<VdfOutput>> {
            return h == height ? std::optional(y) : std::nullopt;
        };
        k.seed = [this](Height h) -> Result<std::optional<Seed>> {
            return h == height ? std::optional(seed) : std::nullopt;
        };
        k.epoch_seed = [this](std::uint64_t epoch) -> Result<std::optional<EpochSeed>> {
            return epoch == 0 ? std::optional(first_epoch()) : std::nullopt;
        };
        k.arena = [this](std::uint64_t,
                         const EpochSeed&) -> Result<std::shared_ptr<const VdfArena>> {
            ++arenas_asked;
            return arena;
        };
        k.fill.stop = [this] {
            ++fills_polled;
            return false;
        };
        return k;
    }
    [[nodiscard]] Judgement judged(const Evidence& evidence) const {
        // Through its encoding, as evidence travels.
        const auto decoded = Evidence::decode(evidence.encode());
        EXPECT_TRUE(decoded.has_value()) << to_string(decoded.error());
        EXPECT_EQ(*decoded, evidence);
        const auto judgement = judge_evidence(knowledge(), *decoded);
        EXPECT_TRUE(judgement.has_value()) << judgement.error().message;
        return *judgement;
    }
    [[nodiscard]] Reason reason(const Evidence& evidence) const {
        return judged(evidence).verdict.reason;
    }
    /// Reason of the refusal of any bytes, by decoder or judge.
    [[nodiscard]] Reason reason(ByteView bytes) const {
        const auto decoded = Evidence::decode(bytes);
        if (!decoded) return decoded.error().reason;
        const auto judgement = judge_evidence(knowledge(), *decoded);
        EXPECT_TRUE(judgement.has_value()) << judgement.error().message;
        return judgement ? judgement->verdict.reason : Reason::kNoOffence;
    }

    [[nodiscard]] Receipt receipt(const Link& link, const KeyPair& key) const {
        Receipt r{link, height, GlobalDigest(sha256(view("anchor"))), {}};
        r.signature = key.sign(
            view(receipt_digest(network_id, chain_id, height, block_hash, r.anchor, link)));
        return r;
    }
    [[nodiscard]] Receipt receipt(std::string_view link) const {
        return receipt(Link(sha256(view(link))), prover);
    }
    /// A signed link over any E and openings.
    [[nodiscard]] LinkClaim claim(const Entropy& e, const Digest& openings) const {
        LinkClaim c{chain_id, block_hash, receipt("unused"), Link(chain_id), e, openings};
        c.receipt = receipt(link_hash(network_id, {chain_id, height, block_hash, c.receipt.anchor,
                                                   c.link_before, e, openings}),
                            prover);
        return c;
    }
    [[nodiscard]] Reveal reveal() const {
        return reveal_at(registration.replica_id(network_id), 5);
    }
    [[nodiscard]] Entropy honest_e() const {
        return chain_entropy(network_id, y, chain_id, reveal());
    }
    [[nodiscard]] std::array<Digest, kChunksPerLink> honest_openings(const Entropy& e) const {
        const OpenedCells cells = opened_cells(e, registration.header.chunks);
        std::array<Digest, kChunksPerLink> out;
        for (std::size_t j = 0; j < out.size(); ++j) {
            out[j] = opening_hash(e, cells[j], cell_at(sealed, cells[j].index().value));
        }
        return out;
    }
    /// Accuses opening j, with the true cell.
    [[nodiscard]] Evidence accuse_opening(const Entropy& e,
                                          const std::array<Digest, kChunksPerLink>& openings,
                                          std::uint8_t j) const {
        const std::uint64_t cell = opened_cells(e, registration.header.chunks)[j].index().value;
        return make_false_opening(claim(e, opening_root(openings)), openings, j,
                                  cell_at(sealed, cell), sealed_tree.path(cell));
    }
    [[nodiscard]] VdfProof vdf_proof(std::vector<Digest> d) const {
        return make_vdf_proof(params.vdf, network_id, height, seed, std::move(d), evaluator);
    }
    [[nodiscard]] Evidence accuse_cell(std::uint64_t cell) const {
        return make_bad_seal(registration, CellIndex(cell), cell_at(raw, cell),
                             cell_tree(raw).path(cell), cell_at(sealed, cell),
                             cell_tree(sealed).path(cell));
    }
    [[nodiscard]] Challenge challenge() const {
        return make_challenge(network_id, chain_id, height, block_hash,
                              Reveal(sha256(view("nonce"))), key_of("challenger"));
    }
    [[nodiscard]] Bytes honest_payload() const {
        const Challenge c = challenge();
        auto chunks = challenged_chunks(params, network_id, y, chain_id, c.challenger, c.nonce,
                                        registration.header.chunks);
        std::sort(chunks.begin(), chunks.end());
        Writer w;
        std::vector<std::uint64_t> cells;
        for (const std::uint64_t chunk : chunks) {
            w.raw({sealed.data() + chunk * kChunkBytes, kChunkBytes});
            for (std::uint64_t i = 0; i < kCellsPerChunk; ++i) {
                cells.push_back(chunk * kCellsPerChunk + i);
            }
        }
        w.digests(sealed_tree.multiproof(cells));
        return w.take();
    }
};

const EvidenceWorld& world() {
    static const EvidenceWorld instance;
    return instance;
}

/// Every bit `stride` apart flipped: never accepted, never a crash.
void expect_flips_refused(const Evidence& evidence, std::size_t stride = 1) {
    Bytes body = evidence.encode();
    ASSERT_EQ(world().reason(body), Reason::kOk);
    for (std::size_t bit = 0; bit < body.size() * 8; bit += stride) {
        body[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_NE(world().reason(body), Reason::kOk) << "bit " << bit;
        body[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    }
    for (std::size_t n = 0; n < body.size(); n += stride) {
        EXPECT_FALSE(Evidence::decode({body.data(), n}).has_value());
    }
    body.push_back(0);
    EXPECT_EQ(Evidence::decode(body).error().reason, Reason::kTrailingBytes);
}

// --- kind 1 --------------------------------------------------------------------------------------

TEST(Equivocation, two_links_of_one_height_are_an_offence) {
    const EvidenceWorld& w = world();
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

TEST(Equivocation, needs_one_height_block_and_anchor) {
    const EvidenceWorld& w = world();
    const Receipt a = w.receipt("a");
    Receipt other = w.receipt("b");
    other.height = w.height + 1;
    other.signature = w.prover.sign(view(receipt_digest(w.network_id, w.chain_id, other.height,
                                                        w.block_hash, other.anchor, other.link)));
    EXPECT_EQ(w.reason(make_equivocation(w.chain_id, w.block_hash, a, other)), Reason::kNoOffence);
    other = w.receipt("b");
    other.anchor = GlobalDigest{};
    other.signature = w.prover.sign(view(receipt_digest(w.network_id, w.chain_id, other.height,
                                                        w.block_hash, other.anchor, other.link)));
    EXPECT_EQ(w.reason(make_equivocation(w.chain_id, w.block_hash, a, other)), Reason::kNoOffence);
    // Another branch: the two signatures are over different blocks.
    const BlockHash branch(sha256(view("branch")));
    other = w.receipt("b");
    other.signature = w.prover.sign(view(
        receipt_digest(w.network_id, w.chain_id, other.height, branch, other.anchor, other.link)));
    EXPECT_EQ(w.reason(make_equivocation(w.chain_id, w.block_hash, a, other)),
              Reason::kBadSignature);
    EXPECT_EQ(w.reason(make_equivocation(w.chain_id, w.block_hash, a, a)), Reason::kEvidenceOrder);
    EXPECT_EQ(w.reason(make_equivocation(ChainId{}, w.block_hash, a, w.receipt("b"))),
              Reason::kUnknownChain);
    EXPECT_EQ(w.reason(make_equivocation(w.chain_id, w.block_hash, a,
                                         w.receipt(Link(sha256(view("b"))), key_of("somebody")))),
              Reason::kBadSignature);
}

TEST(Equivocation, swapped_parts_are_refused) {
    const EvidenceWorld& w = world();
    Evidence evidence = make_equivocation(w.chain_id, w.block_hash, w.receipt("a"), w.receipt("b"));
    auto& body = std::get<Equivocation>(evidence.body);
    std::swap(body.smaller, body.larger);
    EXPECT_EQ(w.reason(evidence), Reason::kEvidenceOrder);
}

// --- kind 2 --------------------------------------------------------------------------------------

TEST(BadOpening, a_wrong_opening_is_an_offence) {
    const EvidenceWorld& w = world();
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

TEST(BadOpening, each_refusal_has_its_reason) {
    const EvidenceWorld& w = world();
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
    EXPECT_EQ(w.reason(changed([](FalseOpening& o) { o.claim.receipt.signature = {}; })),
              Reason::kBadSignature);
    EXPECT_EQ(w.reason(changed([](FalseOpening& o) { o.j = 6; })), Reason::kBadOpening);
    const auto decoded = [&](const std::function<void(FalseOpening&)>& change) {
        return Evidence::decode(changed(change).encode()).error().reason;
    };
    EXPECT_EQ(decoded([](FalseOpening& o) { o.j = 16; }), Reason::kBadIndex);
    EXPECT_EQ(decoded([](FalseOpening& o) { o.cell_path.resize(25); }), Reason::kTooLarge);
}

TEST(BadEntropy, an_e_of_another_reveal_is_an_offence) {
    const EvidenceWorld& w = world();
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

TEST(BadEntropy, is_not_judged_where_the_height_has_no_y) {
    const EvidenceWorld& w = world();
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

// --- kind 3 --------------------------------------------------------------------------------------

TEST(BadSealing, a_cell_that_is_not_sealed_is_an_offence) {
    EvidenceWorld w;
    w.registration = w.make_registration([](Bytes& sealed) { sealed[70 * kCellBytes + 3] ^= 1; });
    const Judgement judgement = w.judged(w.accuse_cell(70));
    EXPECT_TRUE(judgement.verdict.accepted()) << to_string(judgement.verdict);
    EXPECT_EQ(judgement.offence, (Offence{EvidenceKind::kBadSeal,
                                          w.registration.chain_id(w.network_id), Height(1'000)}));
    EXPECT_EQ(w.reason(w.accuse_cell(69)), Reason::kNoOffence);
    EXPECT_GT(w.fills_polled, 0);
}

TEST(BadSealing, nothing_is_filled_before_every_cheap_check) {
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
        s.registration = sign_registration(w.network_id, s.registration, w.prover);
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

TEST(BadSealing, a_stopped_fill_is_an_error_and_no_verdict) {
    EvidenceWorld w;
    EvidenceKnowledge knowledge = w.knowledge();
    knowledge.fill.stop = [] { return true; };
    const auto judgement = judge_evidence(knowledge, w.accuse_cell(3));
    ASSERT_FALSE(judgement.has_value());
    EXPECT_EQ(judgement.error().code, ErrorCode::kInterrupted);
}

// --- kinds 4, 7, 8 -------------------------------------------------------------------------------

TEST(BadVdf, a_false_segment_is_an_offence) {
    const EvidenceWorld& w = world();
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

TEST(BadVdf, the_arena_is_asked_for_last) {
    const EvidenceWorld& w = world();
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

TEST(BadVdf, a_false_output_and_a_false_start_are_offences) {
    const EvidenceWorld& w = world();
    VdfProof proof = w.vdf_proof(w.checkpoints);
    EXPECT_EQ(w.reason(make_false_end(proof, VdfEndEvidence::End::kOutput)), Reason::kNoOffence);
    EXPECT_EQ(w.reason(make_false_end(proof, VdfEndEvidence::End::kStart)), Reason::kNoOffence);
    proof.y = VdfOutput(sha256(view("wished for")));
    proof.signature = w.evaluator.sign(view(vdf_signing_digest(
        w.network_id, w.height, w.seed, checkpoints_root(proof.checkpoints), proof.y)));
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

TEST(BadVdf, is_refused_in_a_network_without_one) {
    const EvidenceWorld& w = world();
    EvidenceKnowledge knowledge = w.knowledge();
    knowledge.params.has_vdf = false;
    const Evidence evidence = make_bad_segment(w.vdf_proof(w.checkpoints), 0);
    EXPECT_EQ(judge_evidence(knowledge, evidence)->verdict.reason, Reason::kVdfPolicy);
}

// --- kind 5 --------------------------------------------------------------------------------------

Checkpoint statement(const EvidenceWorld& w, std::string_view global, std::string_view bond = "") {
    return make_checkpoint(w.network_id, w.height, w.block_hash, GlobalDigest(sha256(view(global))),
                           7, BondId(sha256(view(bond))), w.evaluator);
}

TEST(BadCheckpoint, two_statements_about_one_block_are_an_offence) {
    const EvidenceWorld& w = world();
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
                                             b.bond_id, w.evaluator);
    EXPECT_EQ(w.reason(make_checkpoint_conflict(a, later)), Reason::kNoOffence);
    const Checkpoint branch =
        make_checkpoint(w.network_id, w.height, BlockHash{}, b.global, 7, b.bond_id, w.evaluator);
    EXPECT_EQ(w.reason(make_checkpoint_conflict(a, branch)), Reason::kNoOffence);
    const Checkpoint other =
        make_checkpoint(w.network_id, w.height, w.block_hash, b.global, 7, b.bond_id, w.prover);
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
        checkpoint = make_checkpoint(w.network_id, w.height, w.block_hash, *global, 2, BondId{},
                                     w.evaluator);
        evidence = make_double_slot(checkpoint, w.y, previous, first, second);
    }
};

TEST(BadCheckpoint, one_chain_in_two_slots_is_an_offence) {
    const EvidenceWorld& w = world();
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

TEST(BadCheckpoint, honest_slots_are_none) {
    const EvidenceWorld& w = world();
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

// --- kind 6 --------------------------------------------------------------------------------------

TEST(BadResponse, a_signed_response_that_fails_is_an_offence) {
    const EvidenceWorld& w = world();
    const Challenge challenge = w.challenge();
    const ChallengeId id = challenge.id(w.network_id);
    const auto accused = [&](const Bytes& payload, const KeyPair& key) {
        return make_bad_response(challenge, sign_response(id, payload, key));
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

    const Response foreign = sign_response(ChallengeId{}, {}, w.prover);
    EXPECT_EQ(w.reason(make_bad_response(challenge, foreign)), Reason::kWrongChallenge);
    Challenge nobody = challenge;
    nobody.signature = {};
    EXPECT_EQ(w.reason(make_bad_response(nobody, sign_response(id, {}, w.prover))),
              Reason::kBadSignature);
    Challenge elsewhere = challenge;
    elsewhere.block_hash = BlockHash{};
    EXPECT_EQ(w.reason(make_bad_response(elsewhere, sign_response(id, {}, w.prover))),
              Reason::kWrongBlock);
    elsewhere = challenge;
    elsewhere.height = w.height + 1;
    EXPECT_EQ(w.reason(make_bad_response(elsewhere, sign_response(id, {}, w.prover))),
              Reason::kWrongBlock);
}

// --- form ----------------------------------------------------------------------------------------

TEST(EvidenceForm, refuses_other_kinds) {
    for (int kind = 0; kind < 256; ++kind) {
        if (kind >= 1 && kind <= 8) continue;
        Writer w;
        w.u8(static_cast<std::uint8_t>(kind)).u64(0);
        EXPECT_EQ(Evidence::decode(w.bytes()).error().reason, Reason::kBadKind);
    }
    for (std::uint8_t kind = 1; kind <= 8; ++kind) {
        EXPECT_NE(to_string(static_cast<EvidenceKind>(kind)), "unknown");
        Writer w;
        w.u8(kind).u64(UINT64_MAX);
        EXPECT_EQ(Evidence::decode(w.bytes()).error().reason, Reason::kTruncated);
    }
}

TEST(EvidenceForm, what_decodes_encodes_to_the_same_bytes) {
    std::mt19937_64 random(1);
    int decoded_count = 0;
    for (int round = 0; round < 20'000; ++round) {
        // Lengths near those of the kinds' bodies, contents anything.
        static constexpr std::size_t kSizes[] = {336, 329, 417, 305, 296, 800, 970, 1'334};
        Bytes body(kSizes[random() % std::size(kSizes)] + random() % 3 - 1);
        for (std::size_t i = 0; i < body.size(); i += 8) {
            store_le64(body.data() + std::min(i, body.size() - 8), random());
        }
        const auto kind = static_cast<std::uint8_t>(1 + random() % 8);
        body[0] = kind == 5 ? static_cast<std::uint8_t>(1 + random() % 2) : body[0];
        if (kind == 2 && body.size() > 296) body[296] = static_cast<std::uint8_t>(1 + random() % 2);
        Writer w;
        w.u8(kind).u64(body.size()).raw(body);
        const auto decoded = Evidence::decode(w.bytes());
        if (!decoded) continue;
        ++decoded_count;
        EXPECT_EQ(decoded->encode(), w.bytes());
        const auto judgement = judge_evidence(world().knowledge(), *decoded);
        ASSERT_TRUE(judgement.has_value());
        EXPECT_FALSE(judgement->verdict.accepted());
    }
    EXPECT_GT(decoded_count, 500);
}

}  // namespace
}  // namespace holdfast
