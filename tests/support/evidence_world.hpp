// One sealed chain, one height with y, everybody's keys, and evidence of each kind out of them.
#pragma once

#include <gtest/gtest.h>

#include "availability/exchange.hpp"
#include "core/keystream.hpp"
#include "proofs/entropy.hpp"
#include "proofs/evidence.hpp"
#include "support/refused.hpp"
#include "vdf/evaluate.hpp"

namespace holdfast::test {

inline KeyPair key_of(std::string_view name) {
    return KeyPair::from_secret(view(sha256(view(name))));
}

inline MerkleTree cell_tree(const Bytes& bytes) {
    std::vector<Digest> leaves;
    for (std::size_t at = 0; at < bytes.size(); at += kCellBytes) {
        leaves.push_back(leaf_hash({bytes.data() + at, kCellBytes}));
    }
    return MerkleTree(std::move(leaves));
}

inline Cell cell_at(const Bytes& bytes, std::uint64_t index) {
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
    GlobalDigest anchor{sha256(view("anchor"))};
    Seed seed = *make_seed(params, network_id, height, block_hash, std::nullopt);
    std::shared_ptr<const VdfArena> arena = *VdfArena::fill(params.vdf, 0, first_epoch());
    std::vector<Digest> checkpoints =
        *evaluate(arena->view(), params.vdf, network_id, VdfJob{height, seed, {}});
    VdfOutput y = vdf_output(checkpoints.back(), params.vdf);
    Reveal a1{sha256(view("a_1"))};
    Bytes raw = expand(view("raw"), kMinChunks* kChunkBytes);
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
        return sign_registration(network_id, r, prover).value();
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
        Receipt r{link, height, anchor, {}};
        r.signature =
            key.sign(view(receipt_digest(network_id, chain_id, height, block_hash, r.anchor, link)))
                .value();
        return r;
    }
    [[nodiscard]] Receipt receipt(std::string_view link) const {
        return receipt(Link(sha256(view(link))), prover);
    }
    /// A signed link over any E and openings.
    [[nodiscard]] LinkClaim claim(const Entropy& e, const Digest& openings) const {
        const Link before(chain_id);
        const LinkFields fields{chain_id, height, block_hash, anchor, before, e, openings};
        return {chain_id, block_hash, receipt(link_hash(network_id, fields), prover),
                before,   e,          openings};
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
        return make_vdf_proof(params.vdf, network_id, height, seed, std::move(d), evaluator)
            .value();
    }
    [[nodiscard]] Evidence accuse_cell(std::uint64_t cell) const {
        return make_bad_seal(registration, CellIndex(cell), cell_at(raw, cell),
                             cell_tree(raw).path(cell), cell_at(sealed, cell),
                             cell_tree(sealed).path(cell));
    }
    [[nodiscard]] Challenge challenge() const {
        return make_challenge(network_id, chain_id, height, block_hash,
                              Reveal(sha256(view("nonce"))), key_of("challenger"))
            .value();
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

inline const EvidenceWorld& evidence_world() {
    static const EvidenceWorld instance;
    return instance;
}

/// Every bit `stride` apart flipped: never accepted, never a crash.
inline void expect_flips_refused(const Evidence& evidence, std::size_t stride = 1) {
    Bytes body = evidence.encode();
    ASSERT_EQ(evidence_world().reason(body), Reason::kOk);
    for (std::size_t bit = 0; bit < body.size() * 8; bit += stride) {
        body[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_NE(evidence_world().reason(body), Reason::kOk) << "bit " << bit;
        body[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    }
    for (std::size_t n = 0; n < body.size(); n += stride) {
        EXPECT_FALSE(Evidence::decode({body.data(), n}).has_value());
    }
    body.push_back(0);
    EXPECT_EQ(Evidence::decode(body).error().reason, Reason::kTrailingBytes);
}

}  // namespace holdfast::test
