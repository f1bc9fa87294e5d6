// Judging evidence. Part of the trusted rooms: pure but for the memory of one fill; any thread.
//
// Evidence stands alone, but the verifier brings what it knows itself: EvidenceFacts. Where the
// block or the VDF input is not that of the verifier's final block, or a value is not known (yet),
// evidence is refused, and nothing is settled. Whatever is cheap comes first; the fill of kind 3
// and the arena of kind 4 come last. An accepted verdict means: the offence is shown. Spec:
// docs/spec.md section 11.
#pragma once

#include <optional>

#include "core/fill.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "proofs/evidence_format.hpp"
#include "proofs/link_verify.hpp"
#include "vdf/verify.hpp"

namespace holdfast {

/// What is settled once: the kind, who did it, and where.
struct Offence {
    EvidenceKind kind = EvidenceKind::kEquivocation;  // 1 for 9, 2 for 10: they are one offence
    Digest offender;  // chain_id (1, 2, 3, 6), or the signer's key (4, 5, 7, 8, 11)
    Height height;
    friend bool operator==(const Offence&, const Offence&) = default;

    [[nodiscard]] OffenceId id(const NetworkId& network_id) const;
};

/// The offence that the evidence accuses somebody of, before anything is checked.
[[nodiscard]] Offence accused_offence(const NetworkId& network_id, const Evidence& evidence);

/// Which facts a judge of this evidence needs.
struct EvidenceNeeds {
    std::optional<ChainId> chain;  // KnownChain of this chain
    bool reveals = false;          // with the commitment in force at `height` and its last reveal
    bool block_hash = false;       // of the final block at `height`
    bool y = false;                // of `height`
    bool vdf = false;              // seed of `height`, seed of its epoch
    Height height;                 // the offence's
};
[[nodiscard]] EvidenceNeeds evidence_needs(const NetworkId& network_id, const Evidence& evidence);

/// What the verifier knows, of its own final branch. An empty field: it does not know, or there is
/// none.
struct EvidenceFacts {
    const NetworkParams& params;
    NetworkId network_id;
    std::optional<KnownChain> chain;
    std::optional<BlockHash> block_hash;
    std::optional<VdfOutput> y;
    std::optional<Seed> seed;
    std::optional<EpochSeed> epoch_seed;
};

/// Everything but fills and arenas. Accepted: the offence is shown, or, for kinds 3 and 4 (see
/// needs_fill), only the fill is left to tell. Refusals: kUnknownChain, kWrongChain, kWrongBlock,
/// kNoEntropy, kVdfInput (nothing is settled), kBadSignature, kVdfSignature, kBadKey,
/// kEvidenceOrder, kWrongOutput, kNotOperator, kBadLink, kBadOpening, kBadReveal, kRevealTooFar,
/// kRevealExhausted, kRawMismatch, kSealedMismatch, kGlobalMismatch, kBadPath, kWrongChallenge,
/// kNoOffence, and those of check_registration.
[[nodiscard]] Verdict judge_without_fill(const EvidenceFacts& facts, const Evidence& evidence);

/// Kinds 3 and 4: the accuser posts a deposit first.
[[nodiscard]] bool needs_fill(const Evidence& evidence);

/// What judging expensive kinds may use.
struct EvidenceResources {
    FillOptions fill;                  // kind 3 fills one window
    const ArenaView* arena = nullptr;  // kind 4, of the height's epoch
    VdfVerifyOptions vdf;
};

/// All of it, in that order. Errors: kOutOfMemory, kInterrupted; kInvalidArgument for kind 4
/// without the arena that it needs.
[[nodiscard]] Result<Verdict> judge(const EvidenceFacts& facts, const Evidence& evidence,
                                    const EvidenceResources& resources);

}  // namespace holdfast
