// Seal proofs and audits: who is audited, which cells are drawn, the proof's body.
//
// Values and pure functions, any thread; part of the trusted rooms. Making a proof is
// api/seal_prover.hpp, checking it proofs/seal_proof_verify.hpp. Spec: docs/spec.md section 3.1.
#pragma once

#include <vector>

#include "core/geometry.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "proofs/registration.hpp"

namespace holdfast {

enum class SealProofKind { kSeal, kAudit };

/// S = H("seal-challenge"; network_id, chain_id, y).
[[nodiscard]] Entropy seal_entropy(const NetworkId& network_id, const ChainId& chain_id,
                                   const VdfOutput& y);

/// What S draws from a replica.
struct SealChallenge {
    /// A window of a seal challenge, with its cells.
    struct DrawnWindow {
        Window window;
        std::vector<std::uint64_t>
            drawn;  // cells from the window's first, in the order of selection
    };
    Entropy s;
    std::uint64_t total_cells = 0;     // of the replica
    std::vector<DrawnWindow> windows;  // in the order of selection
    std::vector<std::uint64_t> cells;  // of the replica, ascending: what the multiproofs open
    std::size_t siblings = 0;          // hashes in each of the two multiproofs

    /// Exact size of a proof's body.
    [[nodiscard]] std::size_t body_bytes() const;
};

/// Of a registration that check_registration accepted; `kind` says how many windows.
[[nodiscard]] SealChallenge draw_seal_challenge(const NetworkParams& params,
                                                const NetworkId& network_id,
                                                const Registration& registration,
                                                const VdfOutput& y, SealProofKind kind);

/// The answer to a seal challenge or an audit (kind 3).
struct SealProof {
    ChainId chain_id;
    Height y_height;  // the height whose y was used
    Bytes raw_cells;
    std::vector<Digest> raw_siblings;
    Bytes sealed_cells;
    std::vector<Digest> sealed_siblings;
    Signature signature;
    friend bool operator==(const SealProof&, const SealProof&) = default;

    [[nodiscard]] Bytes encode() const;
    /// The sizes follow from the challenge: kTruncated, kTrailingBytes.
    static Checked<SealProof> decode(ByteView body, const SealChallenge& challenge);
    /// H("seal-proof"; network_id, SHA-256(the body without its signature)).
    [[nodiscard]] Digest digest(const NetworkId& network_id) const;
};

/// Whether the chain is audited at the height of this y; `total_chains` is that of the digest which
/// is the height's anchor (0 for none).
[[nodiscard]] bool is_audited(const NetworkParams& params, const NetworkId& network_id,
                              const VdfOutput& y, const ChainId& chain_id,
                              std::uint64_t total_chains);

}  // namespace holdfast
