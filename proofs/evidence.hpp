// Making evidence, and judging it against a source of what the verifier knows.
//
// make_* order the parts as the encoding demands and judge nothing else: judge_evidence does.
// Settling (once per offence, decided durably first) is settlement/settlement_ledger.hpp's. Any
// thread; the functions of an EvidenceKnowledge are called from the thread that judges. Spec:
// docs/spec.md section 11.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "proofs/evidence_verify.hpp"
#include "proofs/seal_proof_verify.hpp"
#include "vdf/arena.hpp"

namespace holdfast {

// --- making --------------------------------------------------------------------------------------

/// Of two signed links in any form and order: kind 1 of two receipts, else kind 9.
[[nodiscard]] Evidence make_equivocation(const ChainId& chain_id, const BlockHash& block_hash,
                                         const LinkStatement& a, const LinkStatement& b);
/// `openings`: o_0 … o_15 as the prover committed them; `cell` and `cell_path` from the sealed
/// replica.
[[nodiscard]] Evidence make_false_opening(const LinkClaim& claim,
                                          std::span<const Digest, kChunksPerLink> openings,
                                          std::uint8_t j, const Cell& cell,
                                          std::vector<Digest> cell_path);
/// The same out of a compact or full proof that a prover handed over and that does not show what is
/// stored: `j` is the compact draw for the former, any for the latter (kBadIndex). The accuser
/// brings the cell that should have been opened and its path, from any copy of the replica.
/// kBadLink when the proof's fields are not those of its signed link: then its prover has committed
/// to nothing that it shows. kNoEntropy; kNoOffence when the opening is that of the cell.
[[nodiscard]] Checked<Evidence> make_false_opening(const NetworkId& network_id,
                                                   const KnownChain& chain,
                                                   const KnownHeight& known, const AnyProof& shown,
                                                   std::uint8_t j, const Cell& cell,
                                                   std::vector<Digest> cell_path);
/// The same out of a short proof that a registry was handed: `statement` is the signed link that it
/// is of, and known.link_before the registry's. kDigestUnknown without the latter.
[[nodiscard]] Checked<Evidence> make_false_opening(const NetworkId& network_id,
                                                   const KnownChain& chain,
                                                   const KnownHeight& known,
                                                   const LinkStatement& statement,
                                                   const AnyShort& shown, std::uint8_t j,
                                                   const Cell& cell, std::vector<Digest> cell_path);
/// Which opening a compact proof shows; empty where y_c is not known.
[[nodiscard]] std::optional<std::uint8_t> opening_shown(const NetworkId& network_id,
                                                        const KnownChain& chain,
                                                        const KnownHeight& known);
[[nodiscard]] Evidence make_false_entropy(const LinkClaim& claim, const Reveal& reveal);
/// Both paths have the length that the registration's geometry gives.
[[nodiscard]] Evidence make_bad_seal(const Registration& registration, CellIndex cell,
                                     const Cell& raw, std::vector<Digest> raw_path,
                                     const Cell& sealed, std::vector<Digest> sealed_path);
/// The same out of a seal proof whose signature and multiproofs hold and which was refused for
/// `cell` (kBadSealing's index). kNoOffence when the proof does not open that cell.
[[nodiscard]] Checked<Evidence> make_bad_seal(const Registration& registration,
                                              const PendingSealProof& refused, CellIndex cell);
[[nodiscard]] Evidence make_bad_segment(const VdfProof& proof, std::uint32_t i);
[[nodiscard]] Evidence make_false_end(const VdfProof& proof, VdfEndEvidence::End end);
/// What the refusal of a signed proof shows: kVdfSegment (4), kVdfOutputMismatch (7), kVdfStart
/// (8); kNoOffence for every other verdict.
[[nodiscard]] Checked<Evidence> make_vdf_evidence(const VdfProof& proof, const Verdict& refusal);
[[nodiscard]] Evidence make_checkpoint_conflict(const Checkpoint& a, const Checkpoint& b);
[[nodiscard]] Evidence make_double_slot(const Checkpoint& checkpoint, const VdfOutput& y,
                                        const GlobalDigest& previous_global, const PathProof& a,
                                        const PathProof& b);
[[nodiscard]] Evidence make_bad_response(const Challenge& challenge, const Response& response);
[[nodiscard]] Evidence make_bad_response(const Challenge2& challenge, const Response& response);
[[nodiscard]] Evidence make_head_conflict(const JournalHead& a, const JournalHead& b);

// --- judging -------------------------------------------------------------------------------------

/// Where the facts come from. An empty optional, or no function at all: not known, or there is
/// none; an Error: could not be asked, and the judgement ends with it.
struct EvidenceKnowledge {
    NetworkParams params;
    NetworkId network_id;
    /// The accepted chain, with the commitment in force at this height and its last reveal.
    std::function<Result<std::optional<KnownChain>>(const ChainId&, Height)> chain;
    std::function<Result<std::optional<BlockHash>>(Height)> final_block;
    std::function<Result<std::optional<VdfOutput>>(Height)> y;
    std::function<Result<std::optional<Seed>>(Height)> seed;
    std::function<Result<std::optional<EpochSeed>>(std::uint64_t epoch)> epoch_seed;
    /// Asked only after every cheap check of kind 4 has passed; without it kUnsupported.
    std::function<Result<std::shared_ptr<const VdfArena>>(std::uint64_t epoch, const EpochSeed&)>
        arena;
    FillOptions fill;      // kind 3
    VdfVerifyOptions vdf;  // kind 4
};

/// What judging evidence came to.
struct Judgement {
    Verdict verdict;  // accepted: the offence is shown
    Offence offence;  // what the evidence accuses somebody of
    OffenceId id;     // under which it is settled, once
};

/// Gathers the facts that this evidence needs and judges it as far as no fill is needed: for kinds
/// 3 and 4 (needs_fill), an accepted verdict says that only the fill is left.
[[nodiscard]] Result<Judgement> judge_evidence_without_fill(const EvidenceKnowledge& knowledge,
                                                            const Evidence& evidence);
/// All of it.
[[nodiscard]] Result<Judgement> judge_evidence(const EvidenceKnowledge& knowledge,
                                               const Evidence& evidence);

}  // namespace holdfast
