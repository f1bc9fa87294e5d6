// VDF proofs, segments and the evidence made of them: values and their canonical bodies.
//
// decode() is pure, checks every bound before it allocates, and accepts one byte string per value;
// it knows no network: policy is verify.hpp's. Spec: docs/spec.md sections 6 and 11.
#pragma once

#include <span>
#include <vector>

#include "core/keys.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// Kind 9. checkpoints holds d_0 … d_K, K = params.checkpoints.
struct VdfProof {
    VdfParams params;
    Height height;
    Seed input;
    std::vector<Digest> checkpoints;
    VdfOutput y;
    PublicKey evaluator;
    Signature signature;
    friend bool operator==(const VdfProof&, const VdfProof&) = default;

    [[nodiscard]] Bytes encode() const;
    /// kVdfPolicy (parameters that no network may have), kBadVersion, kTruncated, kTrailingBytes.
    static Checked<VdfProof> decode(ByteView body);
};

/// Kind 10: d_i and d_{i+1} with their paths in the tree over d_0 … d_K.
struct VdfSegment {
    VdfParams params;
    Height height;
    Seed input;
    std::uint32_t i = 0;
    Digest d_i;
    Digest d_i1;
    std::vector<Digest> path_i;
    std::vector<Digest> path_i1;
    friend bool operator==(const VdfSegment&, const VdfSegment&) = default;

    [[nodiscard]] Bytes encode() const;
    /// As VdfProof::decode; kBadIndex for i >= K.
    static Checked<VdfSegment> decode(ByteView body);
};

/// Body of evidence kind 4: a signed segment that is said not to lead on.
struct VdfSegmentEvidence {
    VdfSegment segment;
    VdfOutput y;
    PublicKey evaluator;
    Signature signature;
    friend bool operator==(const VdfSegmentEvidence&, const VdfSegmentEvidence&) = default;

    [[nodiscard]] Bytes encode() const;
    static Checked<VdfSegmentEvidence> decode(ByteView body);
};

/// Bodies of evidence kinds 7 (false output: d is d_K) and 8 (false start: d is d_0).
struct VdfEndEvidence {
    enum class End : std::uint8_t { kOutput = 7, kStart = 8 };

    End end = End::kOutput;  // from the evidence's kind byte, not in the body
    VdfParams params;
    Height height;
    Seed input;
    Digest d;
    std::vector<Digest> path;
    VdfOutput y;
    PublicKey evaluator;
    Signature signature;
    friend bool operator==(const VdfEndEvidence&, const VdfEndEvidence&) = default;

    /// Index of d among d_0 … d_K.
    [[nodiscard]] std::uint64_t leaf() const {
        return end == End::kOutput ? params.checkpoints : 0;
    }
    [[nodiscard]] Bytes encode() const;
    static Checked<VdfEndEvidence> decode(End end, ByteView body);
};

/// MTH(d_0 … d_K).
[[nodiscard]] Digest checkpoints_root(std::span<const Digest> checkpoints);
/// What an evaluator signs.
[[nodiscard]] Digest vdf_signing_digest(const NetworkId& network_id, Height height,
                                        const Seed& input, const Digest& root, const VdfOutput& y);

/// A signed proof from d_0 … d_K as evaluate() returns them (exactly K + 1).
[[nodiscard]] Result<VdfProof> make_vdf_proof(const VdfParams& params, const NetworkId& network_id,
                                              Height height, const Seed& input,
                                              std::vector<Digest> checkpoints, const KeyPair& key);
/// Segment i of a proof; i < K.
[[nodiscard]] VdfSegment make_segment(const VdfProof& proof, std::uint32_t i);
[[nodiscard]] VdfSegmentEvidence make_segment_evidence(const VdfProof& proof, std::uint32_t i);
[[nodiscard]] VdfEndEvidence make_end_evidence(const VdfProof& proof, VdfEndEvidence::End end);

}  // namespace holdfast
