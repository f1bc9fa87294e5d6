// The only verifier of bundles, of their members, and of a signed link in either form.
//
// Pure; any thread; bounded work: one signature, and the hashes of the tree. Spec: docs/spec.md
// section 7.
#pragma once

#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "proofs/bundle.hpp"
#include "proofs/link_verify.hpp"

namespace holdfast {

/// That its key has signed these links at the verifier's own block: kWrongHeight, kWrongAnchor,
/// kBadKey (may not be registered), kBadSignature. Form is Bundle::decode's; no member's chain need
/// be known. Each member is judged by itself afterwards.
[[nodiscard]] Verdict verify_bundle(const NetworkId& network_id, const KnownHeight& known,
                                    const Bundle& bundle);
/// Of a member whose chain is known: kWrongProver where it is not the bundle's key's. Everything
/// else about it is judged as of a receipt with that link.
[[nodiscard]] Verdict check_member_prover(const KnownChain& chain, const PublicKey& prover);

/// A member that stands alone: kWrongChain, kWrongHeight, kWrongAnchor, kProofLength,
/// kBadSignature. Shows that the prover committed, as a receipt does; nothing about the bundle's
/// other members.
[[nodiscard]] Verdict verify_member(const NetworkId& network_id, const KnownChain& chain,
                                    const KnownHeight& known, const Member& member);

/// Whether the chain's prover has signed this link over this block, in whichever form:
/// kProofLength, kBadSignature.
[[nodiscard]] Verdict check_statement(const NetworkId& network_id, const KnownChain& chain,
                                      const BlockHash& block_hash, const LinkStatement& statement);

}  // namespace holdfast
