// Every kind of signed object of the protocol, made true in one small world, signed by any means
// for any key, and shown to its verifier, who stands in a world of its own: at the same place or
// moved to another network, chain, height, block or anchor, with another key on record.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "support/evidence_world.hpp"

namespace holdfast::test {

/// The signature over a digest, by whatever means.
using SignWith = std::function<Signature(const Digest&)>;

/// What the verifier knows itself. Starts as the world in which the objects are true.
struct VerifierView {
    NetworkParams params;
    NetworkId network_id;
    ChainId chain_id;
    Height height;
    BlockHash block_hash;
    GlobalDigest anchor{sha256(view("anchor"))};
    VdfOutput y;
    Seed seed;
    PublicKey signer;  // on record for whoever has signed

    static VerifierView at(const EvidenceWorld& w, const PublicKey& key) {
        VerifierView v{w.params, w.network_id, w.chain_id, w.height, w.block_hash,
                       {},       w.y,          w.seed,     key};
        v.anchor = GlobalDigest(sha256(view("anchor")));
        v.params.availability_n = v.params.availability_d = 1;  // every challenge is drawn
        return v;
    }
    [[nodiscard]] EvidenceFacts facts(const KnownChain& chain) const {
        return {params,
                network_id,
                chain,
                block_hash,
                y,
                seed,
                epoch_seed(network_id, 0, genesis_output(network_id))};
    }
};

/// One object, made and signed in the world, judged by its one verifier.
struct SignedObject {
    std::string_view name;
    bool registers_key;  // the verifier refuses keys of small order itself
    std::function<Verdict(const EvidenceWorld&, const PublicKey&, const SignWith&,
                          const VerifierView&)>
        examine;
};

namespace signed_objects {

inline KnownChain chain_of(const EvidenceWorld& w, const VerifierView& v) {
    KnownChain chain = KnownChain::of(w.network_id, w.registration);
    chain.id = v.chain_id;
    chain.prover = v.signer;
    return chain;
}

inline Receipt receipt_of(const EvidenceWorld& w, const SignWith& sign, const Link& link) {
    Receipt r{link, w.height, GlobalDigest(sha256(view("anchor"))), {}};
    r.signature =
        sign(receipt_digest(w.network_id, w.chain_id, w.height, w.block_hash, r.anchor, link));
    return r;
}

inline Verdict receipt(const EvidenceWorld& w, const PublicKey&, const SignWith& sign,
                       const VerifierView& v) {
    KnownHeight known;
    known.height = v.height;
    known.block_hash = v.block_hash;
    known.anchor = v.anchor;
    return verify_receipt(v.network_id, chain_of(w, v), known,
                          receipt_of(w, sign, Link(sha256(view("link")))));
}

inline Registration registration_of(const EvidenceWorld& w, const PublicKey& key,
                                    const SignWith& sign) {
    Registration r = w.registration;
    r.header.prover = key;
    r.genesis_height = w.height;
    r.genesis_block_hash = w.block_hash;
    r.signature = sign(r.digest(w.network_id));
    return r;
}

inline Verdict registration(const EvidenceWorld& w, const PublicKey& key, const SignWith& sign,
                            const VerifierView& v) {
    const Registration r = registration_of(w, key, sign);
    HOLDFAST_REQUIRE_OK(check_registration(v.params, v.network_id, r));
    return check_acceptance(r, v.block_hash, v.height);
}

inline Verdict update(const EvidenceWorld& w, const PublicKey&, const SignWith& sign,
                      const VerifierView& v) {
    Update u{w.chain_id, 1, w.height + w.params.seal_delay, Reveal(sha256(view("a_0"))), {}};
    u.signature = sign(u.digest(w.network_id));
    return check_update(v.params, v.network_id, u, {v.chain_id, v.signer, 0, Height(1'000)},
                        v.height);
}

inline Verdict removal(const EvidenceWorld& w, const PublicKey&, const SignWith& sign,
                       const VerifierView& v) {
    Removal r{w.chain_id, 1, w.height, {}};
    r.signature = sign(r.digest(w.network_id));
    return check_removal(v.network_id, r, {v.chain_id, v.signer, 0, Height(1'000)}, v.height);
}

/// The answer to a registration's seal challenge from this world's data, whatever was registered;
/// without a signature.
inline SealProof unsigned_seal_proof(const EvidenceWorld& w, const NetworkParams& params,
                                     const Registration& r, const VdfOutput& y) {
    const NetworkId id = params.id();
    const SealChallenge drawn = draw_seal_challenge(params, id, r, y, SealProofKind::kSeal);
    SealProof proof;
    proof.chain_id = r.chain_id(id);
    proof.y_height = w.height;
    for (const std::uint64_t cell : drawn.cells) {
        const Cell raw = cell_at(w.raw, cell);
        const Cell sealed = cell_at(w.sealed, cell);
        proof.raw_cells.insert(proof.raw_cells.end(), raw.bytes.begin(), raw.bytes.end());
        proof.sealed_cells.insert(proof.sealed_cells.end(), sealed.bytes.begin(),
                                  sealed.bytes.end());
    }
    proof.raw_siblings = cell_tree(w.raw).multiproof(drawn.cells);
    proof.sealed_siblings = w.sealed_tree.multiproof(drawn.cells);
    return proof;
}

/// Without the fill, which no signature concerns.
inline Verdict seal_proof(const EvidenceWorld& w, const PublicKey& key, const SignWith& sign,
                          const VerifierView& v) {
    const Registration r = registration_of(w, key, sign);
    SealProof proof = unsigned_seal_proof(w, w.params, r, w.y);
    proof.signature = sign(proof.digest(w.network_id));
    Registration on_record = r;
    on_record.header.prover = v.signer;
    if (v.chain_id != w.chain_id) on_record.genesis_block_hash[0] ^= 1;  // another chain
    const auto pending =
        check_seal_proof(v.params, v.network_id, on_record, {v.height, v.y}, proof.encode());
    return pending ? Verdict::ok() : pending.error();
}

inline VdfProof vdf_proof_of(const EvidenceWorld& w, const PublicKey& key, const SignWith& sign,
                             std::size_t false_checkpoint = SIZE_MAX) {
    VdfProof p = w.vdf_proof(w.checkpoints);
    if (false_checkpoint < p.checkpoints.size()) p.checkpoints[false_checkpoint][0] ^= 1;
    p.evaluator = key;
    p.signature = sign(
        vdf_signing_digest(w.network_id, p.height, p.input, checkpoints_root(p.checkpoints), p.y));
    return p;
}

inline VdfContext vdf_context(const VerifierView& v) {
    return {v.params, v.network_id,
            v.height, v.seed,
            0,        epoch_seed(v.network_id, 0, genesis_output(v.network_id))};
}

inline Verdict vdf_proof(const EvidenceWorld& w, const PublicKey& key, const SignWith& sign,
                         const VerifierView& v) {
    return verify_vdf_claim(vdf_context(v), vdf_proof_of(w, key, sign));
}

inline Verdict vdf_segment(const EvidenceWorld& w, const PublicKey& key, const SignWith& sign,
                           const VerifierView& v) {
    const Evidence evidence = make_bad_segment(vdf_proof_of(w, key, sign, 2), 1);
    return judge_without_fill(v.facts(chain_of(w, v)), evidence);
}

inline Verdict vdf_end(const EvidenceWorld& w, const PublicKey& key, const SignWith& sign,
                       const VerifierView& v) {
    const VdfProof p = vdf_proof_of(w, key, sign, w.checkpoints.size() - 1);
    return judge_without_fill(v.facts(chain_of(w, v)),
                              make_false_end(p, VdfEndEvidence::End::kOutput));
}

inline Verdict challenger(const EvidenceWorld& w, const PublicKey& key, const SignWith& sign,
                          const VerifierView& v) {
    Challenger c{key, Reveal(sha256(view("a_0"))), w.height, BondId(), {}};
    c.signature = sign(c.digest(w.network_id));
    return check_challenger(v.network_id, c);
}

/// Of a challenger whose reveal chain has one step at the world's height.
inline Challenge challenge_of(const EvidenceWorld& w, const PublicKey& key, const SignWith& sign) {
    Challenge c{w.chain_id,
                w.height,
                w.block_hash,
                key,
                challenge_nonce(Reveal(sha256(view("a_1"))), w.chain_id),
                {}};
    c.signature = sign(c.id(w.network_id));
    return c;
}

inline Verdict challenge(const EvidenceWorld& w, const PublicKey& key, const SignWith& sign,
                         const VerifierView& v) {
    const PublicKey in_force[] = {v.signer};
    return check_challenge(
        {v.params, v.network_id, v.chain_id, v.height, v.block_hash, v.y, in_force},
        challenge_of(w, key, sign));
}

inline Response response_of(const EvidenceWorld& w, const ChallengeId& id, const SignWith& sign,
                            bool spoiled) {
    Response r{id, w.honest_payload(), {}};
    if (spoiled) r.chunks_and_siblings[0] ^= 1;
    r.signature = sign(r.digest());
    return r;
}

inline Verdict response(const EvidenceWorld& w, const PublicKey&, const SignWith& sign,
                        const VerifierView& v) {
    const Challenge made = w.challenge();
    Challenge seen = made;  // the challenge that the verifier has sent itself
    seen.chain_id = v.chain_id;
    seen.height = v.height;
    seen.block_hash = v.block_hash;
    const ResponseContext context{
        seen.id(v.network_id), v.signer, w.registration.sealed_root, w.registration.header.chunks,
        challenged_chunks(w.params, w.network_id, w.y, w.chain_id, made.challenger, made.nonce,
                          w.registration.header.chunks)};
    return check_response(context, response_of(w, made.id(w.network_id), sign, false));
}

inline Verdict outcome(const EvidenceWorld& w, const PublicKey& key, const SignWith& sign,
                       const VerifierView& v) {
    const Reveal a1(sha256(view("a_1")));
    const Challenge made = challenge_of(w, key, [](const Digest&) { return Signature{}; });
    Outcome o{made.id(w.network_id), a1, OutcomeKind::kServed, 5, 3, {}};
    o.signature = sign(o.digest());
    Challenge seen = made;
    seen.chain_id = v.chain_id;
    seen.height = v.height;
    seen.block_hash = v.block_hash;
    seen.challenger = v.signer;
    const OutcomeContext context{v.params,
                                 v.network_id,
                                 seen,
                                 Height(w.height.value - 1),
                                 {0, reveal_before(w.network_id, view(key), 1, a1)}};
    return check_outcome(context, o);
}

inline Checkpoint checkpoint_of(const EvidenceWorld& w, const PublicKey& key, const SignWith& sign,
                                std::string_view global) {
    Checkpoint c{w.height, w.block_hash, GlobalDigest(sha256(view(global))), 7, key, {}, {}};
    c.signature = sign(c.digest(w.network_id));
    return c;
}

inline Verdict checkpoint(const EvidenceWorld& w, const PublicKey& key, const SignWith& sign,
                          const VerifierView& v) {
    const Checkpoint c = checkpoint_of(w, key, sign, "global");
    NetworkParams params = v.params;
    params.checkpoint_blocks = static_cast<std::uint32_t>(w.height.value);
    return verify_checkpoint(params, v.network_id, c, {v.block_hash, c.global, c.total_chains});
}

inline Verdict equivocation(const EvidenceWorld& w, const PublicKey&, const SignWith& sign,
                            const VerifierView& v) {
    return judge_without_fill(
        v.facts(chain_of(w, v)),
        make_equivocation(w.chain_id, w.block_hash, receipt_of(w, sign, Link(sha256(view("a")))),
                          receipt_of(w, sign, Link(sha256(view("b"))))));
}

inline Verdict false_opening(const EvidenceWorld& w, const PublicKey&, const SignWith& sign,
                             const VerifierView& v) {
    const Entropy e = w.honest_e();
    auto openings = w.honest_openings(e);
    openings[3][0] ^= 1;
    LinkClaim claim{w.chain_id, w.block_hash, {}, Link(w.chain_id), e, opening_root(openings)};
    const GlobalDigest anchor(sha256(view("anchor")));
    claim.statement =
        receipt_of(w, sign,
                   link_hash(w.network_id, {w.chain_id, w.height, w.block_hash, anchor,
                                            claim.link_before, e, claim.openings}));
    const std::uint64_t cell = opened_cells(e, w.registration.header.chunks)[3].index().value;
    return judge_without_fill(
        v.facts(chain_of(w, v)),
        make_false_opening(claim, openings, 3, cell_at(w.sealed, cell), w.sealed_tree.path(cell)));
}

inline Verdict bad_response_by_prover(const EvidenceWorld& w, const PublicKey&,
                                      const SignWith& sign, const VerifierView& v) {
    const Challenge made = w.challenge();
    return judge_without_fill(
        v.facts(chain_of(w, v)),
        make_bad_response(made, response_of(w, made.id(w.network_id), sign, true)));
}

inline Verdict bad_response_by_challenger(const EvidenceWorld& w, const PublicKey& key,
                                          const SignWith& sign, const VerifierView& v) {
    const Challenge made = challenge_of(w, key, sign);
    KnownChain chain = chain_of(w, v);
    chain.prover = w.prover.public_key();
    const SignWith prover = [&](const Digest& d) { return w.prover.sign(view(d)).value(); };
    return judge_without_fill(
        v.facts(chain),
        make_bad_response(made, response_of(w, made.id(w.network_id), prover, true)));
}

inline Verdict checkpoint_conflict(const EvidenceWorld& w, const PublicKey& key,
                                   const SignWith& sign, const VerifierView& v) {
    return judge_without_fill(v.facts(chain_of(w, v)),
                              make_checkpoint_conflict(checkpoint_of(w, key, sign, "a"),
                                                       checkpoint_of(w, key, sign, "b")));
}

}  // namespace signed_objects

inline const std::vector<SignedObject>& all_signed_objects() {
    namespace o = signed_objects;
    static const std::vector<SignedObject> objects = {
        {"registration", true, o::registration},
        {"update", false, o::update},
        {"removal", false, o::removal},
        {"seal proof", true, o::seal_proof},
        {"receipt", false, o::receipt},
        {"vdf proof", false, o::vdf_proof},
        {"vdf segment", false, o::vdf_segment},
        {"vdf end", false, o::vdf_end},
        {"challenger", true, o::challenger},
        {"challenge", false, o::challenge},
        {"response", false, o::response},
        {"outcome", false, o::outcome},
        {"checkpoint", true, o::checkpoint},
        {"equivocation", false, o::equivocation},
        {"false opening", false, o::false_opening},
        {"bad response", false, o::bad_response_by_prover},
        {"bad response, challenge", false, o::bad_response_by_challenger},
        {"checkpoint conflict", false, o::checkpoint_conflict},
    };
    return objects;
}

}  // namespace holdfast::test
