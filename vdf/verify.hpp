// Verification of VDF proofs, segments and VDF evidence. Part of the trusted rooms: pure functions;
// a caller that wants threads passes a ParallelFor.
//
// The verifier brings network, height, input and epoch seed itself and never reads them from a
// proof. Three strengths: full (every segment; the only one that makes y usable), spot (some
// segments, picked with the verifier's own fresh randomness; acceptance means "not refuted"), and
// evidence (one signed segment that does not lead on). Verdicts do not depend on kernel or thread
// count. Spec: docs/spec.md sections 6 and 11.
#pragma once

#include <span>
#include <vector>

#include "core/fill.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "vdf/proof.hpp"
#include "vdf/walk.hpp"
#include "vdf/walk_kernel.hpp"

namespace holdfast {

/// What the verifier knows. `params` must outlive it. Build it with make_vdf_context, which keeps
/// epoch and seed in step with the height.
struct VdfContext {
    const NetworkParams& params;
    NetworkId network_id;
    Height height;
    Seed input;  // seed_h of the verifier's own block
    std::uint64_t epoch = 0;
    EpochSeed epoch_seed;
};

/// `epoch_source` is y of epoch_source_height(params, epoch_of(params, height)); genesis_output()
/// for epoch 0.
[[nodiscard]] VdfContext make_vdf_context(const NetworkParams& params, const NetworkId& network_id,
                                          Height height, const Seed& input,
                                          const VdfOutput& epoch_source);

/// Kernel, threads, stop and progress of a verification.
struct VdfVerifyOptions {
    const WalkKernel* kernel = nullptr;  // nullptr: best_walk_kernel()
    ParallelFor parallel;                // empty: one group of segments after another
    StopCheck stop;                      // empty: cannot be stopped
    /// Segments checked so far, of how many; from any thread, in no order.
    std::function<void(std::uint64_t done, std::uint64_t total)> progress;
};

/// Everything that needs no arena, in this order: parameters (kVdfPolicy), height (kWrongHeight),
/// input (kVdfInput), number of checkpoints (kBadField), key (kBadKey), signature (kVdfSignature),
/// d_0 (kVdfStart), y (kVdfOutputMismatch). The last two, and kVdfSegment below, are refusals of
/// something that the evaluator signed: each is evidence.
[[nodiscard]] Verdict verify_vdf_claim(const VdfContext& context, const VdfProof& proof);

/// verify_vdf_claim, then every segment. kVdfSegment names the first bad one.
/// Errors: kInvalidArgument when the arena is not the context's, kInterrupted when stopped.
[[nodiscard]] Result<Verdict> verify_vdf_full(const VdfContext& context, const VdfProof& proof,
                                              const ArenaView& arena,
                                              const VdfVerifyOptions& options = {});

/// verify_vdf_claim, then these segments only (any order, repeats allowed, each below K:
/// kInvalidArgument otherwise). kVdfSegment names the lowest bad one among them.
[[nodiscard]] Result<Verdict> verify_vdf_spot(const VdfContext& context, const VdfProof& proof,
                                              std::span<const std::uint32_t> segments,
                                              const ArenaView& arena,
                                              const VdfVerifyOptions& options = {});

/// min(count, checkpoints) distinct segments, ascending, drawn from 32 bytes that must be the
/// verifier's own, secret until the proof is signed.
[[nodiscard]] std::vector<std::uint32_t> pick_spot_segments(const Digest& randomness,
                                                            std::uint32_t checkpoints,
                                                            std::uint32_t count);

/// A segment by itself, without the arena: parameters, height, input, both paths to `root`
/// (kBadPath), d_0 where i is 0 (kVdfStart).
[[nodiscard]] Verdict verify_segment_paths(const VdfContext& context, const VdfSegment& segment,
                                           const Digest& root);
/// The same, and that it leads from d_i to d_{i+1} (kVdfSegment).
[[nodiscard]] Result<Verdict> verify_vdf_segment(const VdfContext& context,
                                                 const VdfSegment& segment, const Digest& root,
                                                 const ArenaView& arena,
                                                 const VdfVerifyOptions& options = {});

/// A spot check without the whole proof: both of its ends, then segments that are drawn once the
/// root which the ends lead to is fixed. The root, where the evaluator has signed it and both ends
/// are right: kVdfPolicy, kWrongHeight, kVdfInput, kBadKey, kVdfSignature, kProofLength, kBadPath
/// (two roots), kVdfStart, kVdfOutputMismatch.
[[nodiscard]] Checked<Digest> check_vdf_ends(const VdfContext& context, const VdfEndEvidence& start,
                                             const VdfEndEvidence& output);
/// That these segments, strictly ascending, stand under `root` and lead on; kVdfSegment names the
/// lowest that does not. Accepted means: not refuted.
[[nodiscard]] Result<Verdict> verify_vdf_segments(const VdfContext& context,
                                                  std::span<const VdfSegment> segments,
                                                  const Digest& root, const ArenaView& arena,
                                                  const VdfVerifyOptions& options = {});

/// The part of kind 4 that costs no fill: parameters, height, input, both paths under one root
/// (kBadPath), key, signature (kVdfSignature). To be asked before an arena is filled for an
/// accuser.
[[nodiscard]] Verdict check_segment_evidence(const VdfContext& context,
                                             const VdfSegmentEvidence& evidence);
/// Accepted when the offence is shown; kNoOffence when the segment does lead on.
[[nodiscard]] Result<Verdict> verify_segment_evidence(const VdfContext& context,
                                                      const VdfSegmentEvidence& evidence,
                                                      const ArenaView& arena,
                                                      const VdfVerifyOptions& options = {});
/// Kinds 7 and 8. Accepted when the offence is shown; kNoOffence when the end is right.
[[nodiscard]] Verdict verify_end_evidence(const VdfContext& context,
                                          const VdfEndEvidence& evidence);

}  // namespace holdfast
