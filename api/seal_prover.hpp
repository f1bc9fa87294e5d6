// The prover's side of a seal proof or audit.
//
// Reads the replica and refills the drawn windows; thread-safe. Spec: docs/spec.md section 3.1.
#pragma once

#include "chunking/replica.hpp"
#include "core/keys.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "proofs/seal_proof.hpp"
#include "proofs/seal_proof_verify.hpp"

namespace holdfast {

/// Reads the drawn cells, refills the drawn windows once, checks both multiproofs against the roots
/// and signs. kInvalidArgument when replica, registration and key do not belong together; kCorrupt
/// for a damaged cell.
[[nodiscard]] Result<SealProof> make_seal_proof(const NetworkParams& params,
                                                const NetworkId& network_id,
                                                const Registration& registration,
                                                const Replica& replica, Height y_height,
                                                const VdfOutput& y, SealProofKind kind,
                                                const KeyPair& key, const RawOptions& options = {});

/// The same from X.replica, mapped for as long, and verified as everybody else would: two fills for
/// each window. Standing alone. kRefused: it does not hold.
[[nodiscard]] Result<Bytes> make_checked_seal_proof(const NetworkParams& params,
                                                    const NetworkId& network_id,
                                                    const Registration& registration,
                                                    const std::filesystem::path& replica,
                                                    const SealContext& known, const KeyPair& key,
                                                    const RawOptions& options = {});

}  // namespace holdfast
