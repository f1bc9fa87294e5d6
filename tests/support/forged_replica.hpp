// A replica made by hand, in memory: sealed, or wherever a cheater likes not sealed; and what its
// owner hands to the real verifier, unchecked by the prover's own code.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <vector>

#include "core/hash.hpp"
#include "core/keys.hpp"
#include "core/keystream.hpp"
#include "core/merkle.hpp"
#include "proofs/entropy.hpp"
#include "proofs/formats.hpp"
#include "proofs/link_verify.hpp"
#include "proofs/seal_proof_verify.hpp"
#include "support/refused.hpp"
#include "support/seal_world.hpp"

namespace holdfast::test {

/// Incompressible bytes, `chunks` whole chunks.
inline Bytes raw_chunks_of(std::uint64_t chunks, std::string_view seed) {
    return some_bytes(static_cast<std::size_t>(chunks * kChunkBytes), seed);
}

inline MerkleTree cell_tree(ByteView bytes) {
    std::vector<Digest> leaves(bytes.size() / kCellBytes);
    sha256_batch({bytes.data(), kCellBytes, kCellBytes, leaves.size(), std::uint8_t{0}}, leaves);
    return MerkleTree(std::move(leaves));
}

/// One fill's keystream XORed over the window's bytes of a whole replica.
inline void seal_window(const ReplicaId& replica, const Window& window, MutByteView data) {
    auto memory = FillMemory::allocate(window.bytes());
    ASSERT_TRUE(memory);
    ASSERT_TRUE(fill_keystream(replica, window, {memory->data(), window.bytes()}));
    xor_bytes(data.subspan(window.first_byte(), window.bytes()), memory->bytes());
}

struct ForgedReplica {
    /// What stands in place of each window's sealed bytes: called with the window, its raw bytes in
    /// place, to seal them or not.
    using Sealer = std::function<void(const ReplicaId&, const Window&, MutByteView all)>;

    NetworkParams network;
    NetworkId network_id;
    KeyPair key;
    Bytes raw;
    Bytes sealed;
    Registration registration;
    ReplicaId id;
    ChainId chain_id;
    MerkleTree raw_tree;
    MerkleTree sealed_tree;

    ForgedReplica(const NetworkParams& params, Bytes data, std::string_view owner,
                  const Sealer& sealer = seal_window, std::uint64_t nonce = 0,
                  Height genesis = Height(0), const BlockHash& genesis_hash = {})
        : network(params),
          network_id(params.id()),
          key(KeyPair::from_secret(view(sha256(view(owner))))),
          raw(std::move(data)),
          sealed(raw),
          raw_tree(cell_tree(raw)),
          sealed_tree(std::vector<Digest>{Digest{}}) {
        ReplicaHeader& header = registration.header;
        header.prover = key.public_key();
        header.raw_root = Root(raw_tree.root());
        header.data_len = raw.size();
        header.chunks = chunk_count(raw.size());
        header.seal = params.seal_presets.front();
        header.nonce = nonce;
        id = header.replica_id(network_id);
        for (std::uint64_t w = 0; w < windows().count(); ++w) {
            sealer(id, windows().window(w), sealed);
        }
        sealed_tree = cell_tree(sealed);
        registration.sealed_root = Root(sealed_tree.root());
        registration.genesis_height = genesis;
        registration.genesis_block_hash = genesis_hash;
        registration.bond_id = BondId(tagged_hash("test/bond", view(owner), nonce));
        registration = sign_registration(network_id, registration, key).value();
        chain_id = registration.chain_id(network_id);
    }

    [[nodiscard]] WindowPlan windows() const {
        return {registration.header.chunks, registration.header.seal};
    }

    /// A seal proof of whatever there is, with both multiproofs right.
    [[nodiscard]] SealProof seal_proof(Height y_height, const VdfOutput& y,
                                       SealProofKind kind = SealProofKind::kSeal) const {
        const SealChallenge challenge =
            draw_seal_challenge(network, network_id, registration, y, kind);
        SealProof proof;
        proof.chain_id = chain_id;
        proof.y_height = y_height;
        proof.raw_cells = cells_of(raw, challenge.cells);
        proof.sealed_cells = cells_of(sealed, challenge.cells);
        proof.raw_siblings = raw_tree.multiproof(challenge.cells);
        proof.sealed_siblings = sealed_tree.multiproof(challenge.cells);
        proof.signature = key.sign(view(proof.digest(network_id))).value();
        return proof;
    }

    /// The link of a height with all its openings, from the cells in `from`: the true ones, or
    /// those that are left of them. Siblings are those of the true tree.
    [[nodiscard]] Full full(const KnownHeight& known, ByteView from) const {
        Full proof;
        proof.chain_id = chain_id;
        proof.link_before = Link(chain_id);
        const Entropy e = chain_entropy(network_id, known.y.value(), chain_id, proof.reveal);
        const OpenedCells where = opened_cells(e, registration.header.chunks);
        std::array<Digest, kChunksPerLink> openings;
        std::vector<std::uint64_t> ascending;
        const auto order = ascending_order(where);
        for (std::size_t at = 0; at < order.size(); ++at) {
            const OpenedCell& opened = where[order[at]];
            std::copy_n(
                from.begin() + static_cast<std::ptrdiff_t>(opened.index().value * kCellBytes),
                kCellBytes, proof.cells[at].bytes.begin());
            openings[order[at]] = opening_hash(e, opened, proof.cells[at]);
            ascending.push_back(opened.index().value);
        }
        proof.siblings = sealed_tree.multiproof(ascending);
        const Link link =
            link_hash(network_id, {chain_id, known.height, known.block_hash, known.anchor,
                                   proof.link_before, e, opening_root(openings)});
        proof.receipt = {link, known.height, known.anchor,
                         key.sign(view(receipt_digest(network_id, chain_id, known.height,
                                                      known.block_hash, known.anchor, link)))
                             .value()};
        return proof;
    }
    [[nodiscard]] Verdict check(const KnownHeight& known, const Full& proof) const {
        return verify_full(network, network_id, KnownChain::of(network_id, registration), known,
                           proof);
    }

  private:
    static Bytes cells_of(ByteView bytes, std::span<const std::uint64_t> cells) {
        Bytes out;
        for (const std::uint64_t cell : cells) {
            const ByteView one = bytes.subspan(cell * kCellBytes, kCellBytes);
            out.insert(out.end(), one.begin(), one.end());
        }
        return out;
    }
};

/// Heights of a made-up chain, each with a y of its own.
inline KnownHeight made_up_height(std::uint64_t h) {
    KnownHeight known;
    known.height = Height(h);
    known.block_hash = BlockHash(tagged_hash("test/block", h));
    known.y = VdfOutput(tagged_hash("test/y", h));
    known.anchor = GlobalDigest(tagged_hash("test/anchor", h));
    return known;
}

/// That `hits` of `trials` is what probability p gives, within three standard deviations.
inline void expect_rate(const char* what, std::uint64_t hits, std::uint64_t trials, double p) {
    const auto n = static_cast<double>(trials);
    const double sigma = std::sqrt(n * p * (1 - p));
    std::printf("  %-34s %5llu of %llu, formula %7.1f +- %.1f\n", what,
                static_cast<unsigned long long>(hits), static_cast<unsigned long long>(trials),
                n * p, sigma);
    EXPECT_NEAR(static_cast<double>(hits), n * p, 3 * sigma + 1e-6) << what;
}

}  // namespace holdfast::test
