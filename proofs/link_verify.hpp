// The only verifier of receipts, compact, full, short and path proofs and windows.
//
// Pure: no I/O, thread, clock, callback, global or floating point; bounded work. Any thread. A
// proof never brings its own truth: what the verifier must know stands in KnownChain and
// KnownHeight, taken from its own registry, chain and digests. Checks run from cheap to expensive;
// each refusal has its own reason. A wrong block hash, network or key shows as kBadSignature, since
// all three are in what was signed and in nothing else. Spec: docs/spec.md section 7.
#pragma once

#include <optional>
#include <span>

#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "proofs/digests.hpp"
#include "proofs/entropy.hpp"
#include "proofs/formats.hpp"
#include "proofs/link.hpp"
#include "proofs/registration.hpp"
#include "proofs/reveal.hpp"

namespace holdfast {

/// The commitment in force for the heights examined, and the last reveal known under it.
struct RevealState {
    Height base;  // genesis height, or the effective height of the update in force
    KnownReveal known;
    friend bool operator==(const RevealState&, const RevealState&) = default;
};

/// What a verifier knows of a chain: its accepted registration and newest reveal.
struct KnownChain {
    ChainId id;
    ReplicaId replica_id;
    PublicKey prover;
    Root sealed_root;
    ChunkCount chunks;
    std::optional<RevealState> reveals;  // empty: no commitment, the reveal is zeros

    /// Of a registration that check_registration accepted; the commitment is the last known reveal.
    static KnownChain of(const NetworkId& network_id, const Registration& registration);
    friend bool operator==(const KnownChain&, const KnownChain&) = default;
};

/// What a verifier knows of a height, all of it from its own branch of the host chain.
struct KnownHeight {
    Height height;
    BlockHash block_hash;
    std::optional<VdfOutput> y;       // fully verified; empty: the height counts for nobody
    GlobalDigest anchor;              // digest of height - 1 - link_lag, or genesis_global
    std::optional<Link> link_before;  // in the registry's leaf under the anchor; empty: not judged
    std::optional<VdfOutput> y_compact;  // y_c; needed for compact proofs
    std::optional<GlobalDigest>
        previous_global;                 // of height - 1; needed for compact and path proofs
    std::optional<GlobalDigest> global;  // of this height; needed for compact and path proofs
    friend bool operator==(const KnownHeight&, const KnownHeight&) = default;
};

/// A chain and a height of it, with the commitment in force there and the last reveal known of it.
struct KnownPlace {
    KnownChain chain;
    KnownHeight height;
};

// The steps of verify_proof, in the order in which they are taken, for whoever shares the work
// of some of them between many objects (hierarchy/proof_batch.hpp). A step's answer means something
// only where those before it have accepted. check_counts is the last.

/// That something signed is of this height and anchor: kWrongHeight, kWrongAnchor.
[[nodiscard]] Verdict check_place(const KnownHeight& known, Height height,
                                  const GlobalDigest& anchor);
/// The same of a receipt.
[[nodiscard]] Verdict check_receipt_place(const KnownHeight& known, const Receipt& receipt);
/// What costs no hash: kNoEntropy (y, or y_c of a compact proof), kWrongChain, kBadLinkBefore, and
/// those of check_receipt_place.
[[nodiscard]] Verdict check_claim(const KnownChain& chain, const KnownHeight& known,
                                  const AnyProof& proof);
/// That the chain's prover has signed it over this block: kBadSignature.
[[nodiscard]] Verdict check_receipt_signature(const NetworkId& network_id, const KnownChain& chain,
                                              const BlockHash& block_hash, const Receipt& receipt);
/// kBadReveal, kRevealTooFar, kRevealExhausted.
[[nodiscard]] Verdict check_chain_reveal(const NetworkParams& params, const NetworkId& network_id,
                                         const KnownChain& chain, Height height,
                                         const Reveal& reveal);
/// That the cells are the sealed replica's and the link is that of their openings: kProofLength,
/// kSealedMismatch, kBadLink.
[[nodiscard]] Verdict check_openings(const NetworkId& network_id, const KnownChain& chain,
                                     const KnownHeight& known, const AnyProof& proof);
/// The digest of the group that a leaf's slot path leads to: kDigestUnknown, kBadSlot,
/// kProofLength.
[[nodiscard]] Checked<Digest> group_from_path(const NetworkParams& params, const KnownHeight& known,
                                              const ChainLeaf& leaf, const HierarchyPath& path);
/// That this group stands under the height's global digest: kProofLength, kGlobalMismatch.
[[nodiscard]] Verdict check_group(const NetworkId& network_id, const KnownHeight& known,
                                  const HierarchyPath& path, const Digest& group);
/// The leaf whose path a compact proof brings.
[[nodiscard]] ChainLeaf leaf_of(const Compact& proof);
/// Whether a valid proof of this kind makes its link count: kCompactNotAllowed where it opens one
/// cell at a height drawn for full proofs; kNoEntropy where y_c, which draws, is not known.
[[nodiscard]] Verdict check_counts(const NetworkId& network_id, const KnownChain& chain,
                                   const KnownHeight& known, const AnyProof& proof);

/// kWrongHeight, kWrongAnchor, kBadSignature. Shows that the prover committed, not that it stores.
[[nodiscard]] Verdict verify_receipt(const NetworkId& network_id, const KnownChain& chain,
                                     const KnownHeight& known, const Receipt& receipt);

/// The receipt's reasons, and: kWrongChain, kNoEntropy (y or y_c not known),
/// kBadLinkBefore, kBadReveal, kRevealTooFar, kRevealExhausted, kProofLength,
/// kSealedMismatch, kBadLink, and those of verify_path.
[[nodiscard]] Verdict verify_compact(const NetworkParams& params, const NetworkId& network_id,
                                     const KnownChain& chain, const KnownHeight& known,
                                     const Compact& proof);

/// As verify_compact without y_c, index and path.
[[nodiscard]] Verdict verify_full(const NetworkParams& params, const NetworkId& network_id,
                                  const KnownChain& chain, const KnownHeight& known,
                                  const Full& proof);

/// Whether the link counts, as far as these facts tell: everything that verify_valid asks, and then
/// check_counts. What alone decides it, for windows, light verifiers and the registry (which judges
/// many at once with hierarchy/proof_batch.hpp, and their short forms with verify_short). Whether
/// the proof came in time only a registry knows.
[[nodiscard]] Verdict verify_proof(const NetworkParams& params, const NetworkId& network_id,
                                   const KnownChain& chain, const KnownHeight& known,
                                   const AnyProof& proof);

/// Either kind, whether or not it counts: a valid compact proof that does not count still shows
/// what it opens.
[[nodiscard]] Verdict verify_valid(const NetworkParams& params, const NetworkId& network_id,
                                   const KnownChain& chain, const KnownHeight& known,
                                   const AnyProof& proof);

/// That this leaf stands under the height's global digest: kDigestUnknown, kBadSlot, kProofLength,
/// kGlobalMismatch. Uses height, block_hash, y, previous_global and global of `known`.
[[nodiscard]] Verdict verify_path(const NetworkParams& params, const NetworkId& network_id,
                                  const KnownHeight& known, const PathProof& proof);

/// That every link of a window counts (verify_proof), `places` being what is known where each link
/// stands, in the same order (kWrongHeight where it is not; kWrongChain where they are of several
/// chains). Reveals follow one another under each commitment. A link whose only fault is that its
/// kind does not count is named after all others have been judged. The index of a refusal is the
/// link's.
[[nodiscard]] Verdict verify_window(const NetworkParams& params, const NetworkId& network_id,
                                    std::span<const KnownPlace> places, const ProofWindow& window);

/// What B and C say, to the registry that took `link` for this chain and height (empty: none of
/// that height stands in its digest) and knows link_before. The last check is whether the proof
/// counts. kWrongChain, kWrongHeight, kNotInDigest, kNoEntropy (y, or y_c of a compact one),
/// kDigestUnknown (link_before), kBadReveal, kRevealTooFar, kRevealExhausted, kProofLength,
/// kSealedMismatch, kBadLink, kCompactNotAllowed.
[[nodiscard]] Verdict verify_short(const NetworkParams& params, const NetworkId& network_id,
                                   const KnownChain& chain, const KnownHeight& known,
                                   const std::optional<Link>& link, const AnyShort& proof);

/// Takes over the reveal of an accepted proof, if it is newer than the one known.
void note_reveal(KnownChain& chain, Height height, const Reveal& reveal);

/// Global digest that a leaf and its path lead to; `header` gives height, block, y and previous
/// digest (its counts are taken from the path). kBadSlot (params' bounds), kProofLength.
[[nodiscard]] Checked<GlobalDigest> global_from_path(const NetworkParams& params,
                                                     const NetworkId& network_id,
                                                     const GlobalHeader& header,
                                                     const PathProof& proof);

}  // namespace holdfast
