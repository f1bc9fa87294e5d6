// The verifier of seal proofs and audits, in the order of the spec: policy, lengths, signature,
// both multiproofs, then one fill after another in the order of selection, stopping at the first
// bad cell.
//
// Pure but for the memory that a fill needs (one window's bytes); any thread; part of the trusted
// rooms. The cheap part stands alone, so that a registry can bound the fills that it spends and
// spread them. Spec: docs/spec.md section 3.1.
#pragma once

#include "core/fill.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "proofs/seal_proof.hpp"

namespace holdfast {

/// What the verifier knows: the height whose y counts, and that y.
struct SealContext {
    Height y_height;
    VdfOutput y;
    SealProofKind kind = SealProofKind::kSeal;
};

/// A proof whose signature and multiproofs hold: only the fills are left.
struct PendingSealProof {
    SealChallenge challenge;
    SealProof proof;
    ReplicaId replica_id;
};

/// No fill: the reasons of check_registration's policy part (kSealPolicy, kBadGeometry, kTooSmall,
/// kBadKey), kTruncated, kTrailingBytes, kWrongChain, kWrongHeight, kBadSignature, kRawMismatch,
/// kSealedMismatch.
[[nodiscard]] Checked<PendingSealProof> check_seal_proof(const NetworkParams& params,
                                                         const NetworkId& network_id,
                                                         const Registration& registration,
                                                         const SealContext& known, ByteView body);

/// One fill: the cells of challenge.windows[n]. kBadSealing (index: cell of the replica). `memory`
/// is exactly the window's bytes, 64-byte aligned. Errors: kInterrupted, kInvalidArgument.
[[nodiscard]] Result<Verdict> check_sealed_window(const PendingSealProof& pending, std::size_t n,
                                                  MutByteView memory,
                                                  const FillOptions& options = {});

/// All of it. Errors as above and kOutOfMemory.
[[nodiscard]] Result<Verdict> verify_seal_proof(const NetworkParams& params,
                                                const NetworkId& network_id,
                                                const Registration& registration,
                                                const SealContext& known, ByteView body,
                                                const FillOptions& options = {});

}  // namespace holdfast
