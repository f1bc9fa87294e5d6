#include "vdf/proof.hpp"

#include "core/codec.hpp"
#include "core/hash.hpp"
#include "core/merkle.hpp"
#include "vdf/walk.hpp"

namespace holdfast {
namespace {

// What stands at the end of a proof and of each kind of evidence.
constexpr std::size_t kSignedTailBytes = 32 + 32 + 64;

void encode_head(Writer& w, const VdfParams& params, Height height, const Seed& input) {
    params.encode(w);
    w.height(height).fixed(input);
}

/// Parameters within the bounds of every build, so that the sizes that follow from them are
/// bounded.
VdfParams decode_params(Reader& r) {
    const VdfParams params = VdfParams::decode(r);
    if (!r.failed() && !params.validate().accepted()) r.refuse(Reason::kVdfPolicy);
    return params;
}

std::vector<Digest> decode_digests(Reader& r, std::uint64_t count) {
    std::vector<Digest> out;
    if (r.failed()) return out;
    if (r.remaining() / kDigestBytes < count) {
        r.refuse(Reason::kTruncated);
        return out;
    }
    out.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) out.push_back(r.fixed<Digest>());
    return out;
}

std::uint64_t leaves(const VdfParams& params) { return std::uint64_t{params.checkpoints} + 1; }

std::vector<Digest> leaf_hashes(std::span<const Digest> checkpoints) {
    std::vector<Digest> out(checkpoints.size());
    const HashBatch batch{checkpoints.empty() ? nullptr : checkpoints.front().data(), kDigestBytes,
                          sizeof(Digest), checkpoints.size(), std::uint8_t{0}};
    sha256_batch(batch, out);
    return out;
}

void encode_segment(Writer& w, const VdfSegment& s) {
    encode_head(w, s.params, s.height, s.input);
    w.u32(s.i).fixed(s.d_i).fixed(s.d_i1).digests(s.path_i).digests(s.path_i1);
}

VdfSegment decode_segment(Reader& r) {
    VdfSegment s;
    s.params = decode_params(r);
    s.height = r.height();
    s.input = r.fixed<Seed>();
    s.i = r.u32();
    if (!r.failed() && s.i >= s.params.checkpoints) r.refuse(Reason::kBadIndex);
    s.d_i = r.fixed<Digest>();
    s.d_i1 = r.fixed<Digest>();
    if (r.failed()) return s;
    const std::uint64_t i = s.i;
    s.path_i = decode_digests(r, path_length(leaves(s.params), i));
    s.path_i1 = decode_digests(r, path_length(leaves(s.params), i + 1));
    return s;
}

}  // namespace

// Spec 6, proof (kind 9).
Bytes VdfProof::encode() const {
    Writer w(kVdfParamsBytes + 40 + checkpoints.size() * kDigestBytes + kSignedTailBytes);
    encode_head(w, params, height, input);
    w.digests(checkpoints).fixed(y).fixed(evaluator).fixed(signature);
    return w.take();
}

Checked<VdfProof> VdfProof::decode(ByteView body) {
    Reader r(body);
    VdfProof p;
    p.params = decode_params(r);
    p.height = r.height();
    p.input = r.fixed<Seed>();
    p.checkpoints = decode_digests(r, leaves(p.params));
    p.y = r.fixed<VdfOutput>();
    p.evaluator = r.fixed<PublicKey>();
    p.signature = r.fixed<Signature>();
    const Verdict form = r.finish();
    if (!form.accepted()) return refuse(form);
    return p;
}

// Spec 6, segment (kind 10).
Bytes VdfSegment::encode() const {
    Writer w;
    encode_segment(w, *this);
    return w.take();
}

Checked<VdfSegment> VdfSegment::decode(ByteView body) {
    Reader r(body);
    VdfSegment s = decode_segment(r);
    const Verdict form = r.finish();
    if (!form.accepted()) return refuse(form);
    return s;
}

// Spec 11, kind 4.
Bytes VdfSegmentEvidence::encode() const {
    Writer w;
    encode_segment(w, segment);
    w.fixed(y).fixed(evaluator).fixed(signature);
    return w.take();
}

Checked<VdfSegmentEvidence> VdfSegmentEvidence::decode(ByteView body) {
    Reader r(body);
    VdfSegmentEvidence e;
    e.segment = decode_segment(r);
    e.y = r.fixed<VdfOutput>();
    e.evaluator = r.fixed<PublicKey>();
    e.signature = r.fixed<Signature>();
    const Verdict form = r.finish();
    if (!form.accepted()) return refuse(form);
    return e;
}

// Spec 11, kinds 7 and 8.
Bytes VdfEndEvidence::encode() const {
    Writer w;
    encode_head(w, params, height, input);
    w.fixed(d).digests(path).fixed(y).fixed(evaluator).fixed(signature);
    return w.take();
}

Checked<VdfEndEvidence> VdfEndEvidence::decode(End end, ByteView body) {
    Reader r(body);
    VdfEndEvidence e;
    e.end = end;
    e.params = decode_params(r);
    e.height = r.height();
    e.input = r.fixed<Seed>();
    e.d = r.fixed<Digest>();
    if (!r.failed()) e.path = decode_digests(r, path_length(leaves(e.params), e.leaf()));
    e.y = r.fixed<VdfOutput>();
    e.evaluator = r.fixed<PublicKey>();
    e.signature = r.fixed<Signature>();
    const Verdict form = r.finish();
    if (!form.accepted()) return refuse(form);
    return e;
}

// Spec 6: MTH(d_0 … d_K).
Digest checkpoints_root(std::span<const Digest> checkpoints) {
    return merkle_root(leaf_hashes(checkpoints));
}

Digest vdf_signing_digest(const NetworkId& network_id, Height height, const Seed& input,
                          const Digest& root, const VdfOutput& y) {
    return tagged_hash("vdf/proof", network_id, height, input, root, y);
}

Result<VdfProof> make_vdf_proof(const VdfParams& params, const NetworkId& network_id, Height height,
                                const Seed& input, std::vector<Digest> checkpoints,
                                const KeyPair& key) {
    HOLDFAST_CHECK(checkpoints.size() == leaves(params));
    VdfProof p;
    p.params = params;
    p.height = height;
    p.input = input;
    p.checkpoints = std::move(checkpoints);
    p.y = vdf_output(p.checkpoints.back(), params);
    p.evaluator = key.public_key();
    const Digest message =
        vdf_signing_digest(network_id, height, input, checkpoints_root(p.checkpoints), p.y);
    HOLDFAST_ASSIGN(signature, key.sign(view(message)));
    p.signature = signature;
    return p;
}

VdfSegment make_segment(const VdfProof& proof, std::uint32_t i) {
    HOLDFAST_CHECK(i < proof.params.checkpoints &&
                   proof.checkpoints.size() == leaves(proof.params));
    const MerkleTree tree(leaf_hashes(proof.checkpoints));
    VdfSegment s;
    s.params = proof.params;
    s.height = proof.height;
    s.input = proof.input;
    s.i = i;
    s.d_i = proof.checkpoints[i];
    s.d_i1 = proof.checkpoints[std::size_t{i} + 1];
    s.path_i = tree.path(i);
    s.path_i1 = tree.path(std::uint64_t{i} + 1);
    return s;
}

VdfSegmentEvidence make_segment_evidence(const VdfProof& proof, std::uint32_t i) {
    return {make_segment(proof, i), proof.y, proof.evaluator, proof.signature};
}

VdfEndEvidence make_end_evidence(const VdfProof& proof, VdfEndEvidence::End end) {
    HOLDFAST_CHECK(proof.checkpoints.size() == leaves(proof.params));
    VdfEndEvidence e;
    e.end = end;
    e.params = proof.params;
    e.height = proof.height;
    e.input = proof.input;
    e.d = proof.checkpoints[static_cast<std::size_t>(e.leaf())];
    e.path = MerkleTree(leaf_hashes(proof.checkpoints)).path(e.leaf());
    e.y = proof.y;
    e.evaluator = proof.evaluator;
    e.signature = proof.signature;
    return e;
}

}  // namespace holdfast
