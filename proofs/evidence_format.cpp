#include "proofs/evidence_format.hpp"

#include "core/geometry.hpp"
#include "core/merkle.hpp"

namespace holdfast {
namespace {

/// Longest path in a data tree: 2^20 chunks of 16 cells.
constexpr std::size_t kMaxCellPath = 24;
static_assert((std::uint64_t{1} << kMaxCellPath) == kMaxChunks * kCellsPerChunk);

constexpr std::uint8_t kFirstForm = 1;
constexpr std::uint8_t kSecondForm = 2;

std::vector<Digest> read_digests(Reader& r, std::size_t count) {
    std::vector<Digest> out;
    if (r.remaining() / kDigestBytes < count) {
        r.refuse(Reason::kTruncated);
        return out;
    }
    out.resize(count);
    for (Digest& d : out) d = r.fixed<Digest>();
    return out;
}

void encode_claim(Writer& w, const LinkClaim& c) {
    w.fixed(c.chain_id).fixed(c.block_hash);
    c.receipt.encode(w);
    w.fixed(c.link_before).fixed(c.e).fixed(c.openings);
}

LinkClaim decode_claim(Reader& r) {
    LinkClaim c;
    c.chain_id = r.fixed<ChainId>();
    c.block_hash = r.fixed<BlockHash>();
    c.receipt = Receipt::decode(r);
    c.link_before = r.fixed<Link>();
    c.e = r.fixed<Entropy>();
    c.openings = r.fixed<Digest>();
    return c;
}

struct EncodeBody {
    Writer& w;

    void operator()(const Equivocation& e) const {
        w.fixed(e.chain_id).fixed(e.block_hash);
        e.smaller.encode(w);
        e.larger.encode(w);
    }
    void operator()(const FalseOpening& e) const {
        encode_claim(w, e.claim);
        w.u8(kFirstForm).u8(e.j).fixed(e.opening).digests(e.opening_path);
        w.fixed(e.cell).digests(e.cell_path);
    }
    void operator()(const FalseEntropy& e) const {
        encode_claim(w, e.claim);
        w.u8(kSecondForm).fixed(e.reveal);
    }
    void operator()(const BadSeal& e) const {
        e.registration.encode(w);
        w.u64(e.cell.value).fixed(e.raw).digests(e.raw_path);
        w.fixed(e.sealed).digests(e.sealed_path);
    }
    void operator()(const CheckpointConflict& e) const {
        w.u8(kFirstForm);
        e.smaller.encode(w);
        e.larger.encode(w);
    }
    void operator()(const DoubleSlot& e) const {
        w.u8(kSecondForm);
        e.checkpoint.encode(w);
        w.fixed(e.y).fixed(e.previous_global);
        e.lower.encode(w);
        e.higher.encode(w);
    }
    void operator()(const BadResponse& e) const {
        e.challenge.encode(w);
        e.response.encode(w);
    }
    void operator()(const VdfSegmentEvidence& e) const { w.raw(e.encode()); }
    void operator()(const VdfEndEvidence& e) const { w.raw(e.encode()); }
};

template <class T>
Checked<Evidence> finished(const Reader& r, T&& body) {
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return Evidence{std::forward<T>(body)};
}

template <class T>
Checked<Evidence> wrapped(Checked<T> body) {
    if (!body) return refuse(body.error());
    return Evidence{std::move(*body)};
}

Checked<Evidence> decode_equivocation(Reader& r) {
    Equivocation e;
    e.chain_id = r.fixed<ChainId>();
    e.block_hash = r.fixed<BlockHash>();
    e.smaller = Receipt::decode(r);
    e.larger = Receipt::decode(r);
    return finished(r, e);
}

Checked<Evidence> decode_false_opening(Reader& r, const LinkClaim& claim) {
    FalseOpening e;
    e.claim = claim;
    e.j = r.u8();
    if (e.j >= kChunksPerLink) r.refuse(Reason::kBadIndex);
    e.opening = r.fixed<Digest>();
    for (Digest& d : e.opening_path) d = r.fixed<Digest>();
    e.cell = r.fixed<Cell>();
    if (r.remaining() / kDigestBytes > kMaxCellPath) r.refuse(Reason::kTooLarge);
    if (!r.failed()) e.cell_path = read_digests(r, r.remaining() / kDigestBytes);
    return finished(r, std::move(e));
}

Checked<Evidence> decode_bad_opening(Reader& r) {
    const LinkClaim claim = decode_claim(r);
    const std::uint8_t form = r.u8();
    if (form == kFirstForm) return decode_false_opening(r, claim);
    if (form != kSecondForm) r.refuse(Reason::kBadField);
    const auto reveal = r.fixed<Reveal>();
    return finished(r, FalseEntropy{claim, reveal});
}

Checked<Evidence> decode_bad_seal(Reader& r) {
    BadSeal e;
    e.registration = Registration::decode(r);
    e.cell = CellIndex(r.u64());
    if (r.failed()) return refuse(r.verdict());
    // The geometry bounds the tree, and the tree the paths.
    const ReplicaHeader& header = e.registration.header;
    if (const Verdict v = check_geometry(header.data_len, header.chunks); !v) return refuse(v);
    if (e.cell.value >= header.cells()) return refuse(Reason::kBadIndex);
    const std::size_t hashes = path_length(header.cells(), e.cell.value);
    e.raw = r.fixed<Cell>();
    e.raw_path = read_digests(r, hashes);
    e.sealed = r.fixed<Cell>();
    e.sealed_path = read_digests(r, hashes);
    return finished(r, std::move(e));
}

Checked<Evidence> decode_bad_checkpoint(Reader& r) {
    const std::uint8_t form = r.u8();
    if (form == kFirstForm) {
        CheckpointConflict e;
        e.smaller = Checkpoint::decode(r);
        e.larger = Checkpoint::decode(r);
        return finished(r, e);
    }
    if (form != kSecondForm) r.refuse(Reason::kBadField);
    DoubleSlot e;
    e.checkpoint = Checkpoint::decode(r);
    e.y = r.fixed<VdfOutput>();
    e.previous_global = r.fixed<GlobalDigest>();
    e.lower = PathProof::decode(r);
    e.higher = PathProof::decode(r);
    return finished(r, std::move(e));
}

Checked<Evidence> decode_bad_response(Reader& r) {
    const Challenge challenge = Challenge::decode(r);
    if (r.failed()) return refuse(r.verdict());
    auto response = Response::decode(r.raw(r.remaining()));
    if (!response) return refuse(response.error());
    return Evidence{BadResponse{challenge, std::move(*response)}};
}

}  // namespace

std::string_view to_string(EvidenceKind kind) {
    switch (kind) {
        case EvidenceKind::kEquivocation:
            return "equivocation";
        case EvidenceKind::kBadOpening:
            return "bad opening";
        case EvidenceKind::kBadSeal:
            return "bad seal";
        case EvidenceKind::kBadVdfSegment:
            return "bad VDF segment";
        case EvidenceKind::kBadCheckpoint:
            return "bad checkpoint";
        case EvidenceKind::kBadResponse:
            return "bad response";
        case EvidenceKind::kFalseVdfOutput:
            return "false VDF output";
        case EvidenceKind::kFalseVdfStart:
            return "false VDF start";
    }
    return "unknown";
}

EvidenceKind Evidence::kind() const {
    struct KindOf {
        EvidenceKind operator()(const Equivocation&) const { return EvidenceKind::kEquivocation; }
        EvidenceKind operator()(const FalseOpening&) const { return EvidenceKind::kBadOpening; }
        EvidenceKind operator()(const FalseEntropy&) const { return EvidenceKind::kBadOpening; }
        EvidenceKind operator()(const BadSeal&) const { return EvidenceKind::kBadSeal; }
        EvidenceKind operator()(const VdfSegmentEvidence&) const {
            return EvidenceKind::kBadVdfSegment;
        }
        EvidenceKind operator()(const CheckpointConflict&) const {
            return EvidenceKind::kBadCheckpoint;
        }
        EvidenceKind operator()(const DoubleSlot&) const { return EvidenceKind::kBadCheckpoint; }
        EvidenceKind operator()(const BadResponse&) const { return EvidenceKind::kBadResponse; }
        EvidenceKind operator()(const VdfEndEvidence& e) const {
            return e.end == VdfEndEvidence::End::kOutput ? EvidenceKind::kFalseVdfOutput
                                                         : EvidenceKind::kFalseVdfStart;
        }
    };
    return std::visit(KindOf{}, body);
}

Bytes Evidence::encode() const {
    Writer inner;
    std::visit(EncodeBody{inner}, body);
    Writer w(inner.bytes().size() + 9);
    w.u8(static_cast<std::uint8_t>(kind())).u64(inner.bytes().size()).raw(inner.bytes());
    return w.take();
}

Checked<Evidence> Evidence::decode(ByteView bytes) {
    Reader outer(bytes);
    const std::uint8_t kind = outer.u8();
    const std::uint64_t length = outer.u64();
    const ByteView inner = outer.raw(length);
    if (const Verdict v = outer.finish(); !v) return refuse(v);
    Reader r(inner);
    switch (static_cast<EvidenceKind>(kind)) {
        case EvidenceKind::kEquivocation:
            return decode_equivocation(r);
        case EvidenceKind::kBadOpening:
            return decode_bad_opening(r);
        case EvidenceKind::kBadSeal:
            return decode_bad_seal(r);
        case EvidenceKind::kBadVdfSegment:
            return wrapped(VdfSegmentEvidence::decode(inner));
        case EvidenceKind::kBadCheckpoint:
            return decode_bad_checkpoint(r);
        case EvidenceKind::kBadResponse:
            return decode_bad_response(r);
        case EvidenceKind::kFalseVdfOutput:
            return wrapped(VdfEndEvidence::decode(VdfEndEvidence::End::kOutput, inner));
        case EvidenceKind::kFalseVdfStart:
            return wrapped(VdfEndEvidence::decode(VdfEndEvidence::End::kStart, inner));
    }
    return refuse(Reason::kBadKind);
}

}  // namespace holdfast
