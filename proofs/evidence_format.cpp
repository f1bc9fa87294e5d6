#include "proofs/evidence_format.hpp"

#include "core/constants.hpp"
#include "core/geometry.hpp"
#include "core/merkle.hpp"

namespace holdfast {
namespace {

/// Of a challenge and a response of nothing, behind the chain, height and block of the challenge.
constexpr std::size_t kLeastExchangeRest =
    kChallengeBytes - (32 + 8 + 32) + sizeof(ChallengeId) + sizeof(Signature);

constexpr std::uint8_t kFirstForm = 1;
constexpr std::uint8_t kSecondForm = 2;
// Of a signed link.
constexpr std::uint8_t kReceiptForm = 1;
constexpr std::uint8_t kMemberForm = 2;

std::vector<Digest> read_hashes(Reader& r, std::size_t count) {
    std::vector<Digest> out;
    if (r.remaining() / kDigestBytes < count) {
        r.refuse(Reason::kTruncated);
        return out;
    }
    out.resize(count);
    for (Digest& d : out) d = r.fixed<Digest>();
    return out;
}

bool is_bundled(const LinkStatement& s) { return std::holds_alternative<BundledLink>(s); }

void encode_statement(Writer& w, const LinkStatement& statement) {
    std::visit([&](const auto& s) { s.encode(w); }, statement);
}

void encode_with_form(Writer& w, const LinkStatement& statement) {
    w.u8(is_bundled(statement) ? kMemberForm : kReceiptForm);
    encode_statement(w, statement);
}

LinkStatement decode_with_form(Reader& r) {
    const std::uint8_t form = r.u8();
    if (form == kMemberForm) return BundledLink::decode(r);
    if (form != kReceiptForm) r.refuse(Reason::kBadField);
    return Receipt::decode(r);
}

void encode_claim(Writer& w, const LinkClaim& c) {
    w.fixed(c.chain_id).fixed(c.block_hash);
    encode_statement(w, c.statement);
    w.fixed(c.link_before).fixed(c.e).fixed(c.openings);
}

/// `Statement`: Receipt (kind 2) or BundledLink (kind 10).
template <class Statement>
LinkClaim decode_claim(Reader& r) {
    LinkClaim c;
    c.chain_id = r.fixed<ChainId>();
    c.block_hash = r.fixed<BlockHash>();
    c.statement = Statement::decode(r);
    c.link_before = r.fixed<Link>();
    c.e = r.fixed<Entropy>();
    c.openings = r.fixed<Digest>();
    return c;
}

struct EncodeBody {
    Writer& w;

    void operator()(const Equivocation& e) const {
        w.fixed(e.chain_id).fixed(e.block_hash);
        const bool bundled = is_bundled(e.smaller) || is_bundled(e.larger);
        for (const LinkStatement* s : {&e.smaller, &e.larger}) {
            bundled ? encode_with_form(w, *s) : encode_statement(w, *s);
        }
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
        w.fixed(e.chain_id).height(e.height).fixed(e.block_hash).raw(e.rest);
    }
    void operator()(const HeadConflict& e) const {
        e.smaller.encode(w);
        e.larger.encode(w);
    }
    void operator()(const VdfSegmentEvidence& e) const { w.raw(e.encode()); }
    void operator()(const VdfEndEvidence& e) const { w.raw(e.encode()); }
};

template <class T>
Checked<Evidence> finished(const Reader& r, T&& body) {
    if (const Verdict v = r.finish(); !v) return refuse(v);
    // In its place: g++ 12 takes the members of a variant that is moved there for uninitialised.
    Checked<Evidence> out;
    out->body.template emplace<std::remove_cvref_t<T>>(std::forward<T>(body));
    return out;
}

template <class T>
Checked<Evidence> wrapped(Checked<T> body) {
    if (!body) return refuse(body.error());
    return Evidence{std::move(*body)};
}

// Spec 11, kind 1.
Checked<Evidence> decode_equivocation(Reader& r) {
    Equivocation e;
    e.chain_id = r.fixed<ChainId>();
    e.block_hash = r.fixed<BlockHash>();
    e.smaller = Receipt::decode(r);
    e.larger = Receipt::decode(r);
    return finished(r, e);
}

Checked<Evidence> decode_bundled_equivocation(Reader& r) {
    Equivocation e;
    e.chain_id = r.fixed<ChainId>();
    e.block_hash = r.fixed<BlockHash>();
    e.smaller = decode_with_form(r);
    e.larger = decode_with_form(r);
    if (!is_bundled(e.smaller) && !is_bundled(e.larger)) r.refuse(Reason::kBadKind);
    return finished(r, std::move(e));
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
    if (!r.failed()) e.cell_path = read_hashes(r, r.remaining() / kDigestBytes);
    return finished(r, std::move(e));
}

// Spec 11, kind 2.
template <class Statement>
Checked<Evidence> decode_bad_opening(Reader& r) {
    const LinkClaim claim = decode_claim<Statement>(r);
    const std::uint8_t form = r.u8();
    if (form == kFirstForm) return decode_false_opening(r, claim);
    if (form != kSecondForm) r.refuse(Reason::kBadField);
    const auto reveal = r.fixed<Reveal>();
    return finished(r, FalseEntropy{claim, reveal});
}

// Spec 11, kind 3.
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
    e.raw_path = read_hashes(r, hashes);
    e.sealed = r.fixed<Cell>();
    e.sealed_path = read_hashes(r, hashes);
    return finished(r, std::move(e));
}

// Spec 11, kind 5.
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

// Spec 11, kind 6.
Checked<Evidence> decode_bad_response(Reader& r) {
    BadResponse e;
    e.chain_id = r.fixed<ChainId>();
    e.height = r.height();
    e.block_hash = r.fixed<BlockHash>();
    if (r.remaining() < kLeastExchangeRest) r.refuse(Reason::kTruncated);
    const ByteView rest = r.raw(r.remaining());
    e.rest.assign(rest.begin(), rest.end());
    return finished(r, std::move(e));
}

Checked<Evidence> decode_head_conflict(Reader& r) {
    HeadConflict e;
    e.smaller = JournalHead::decode(r);
    e.larger = JournalHead::decode(r);
    return finished(r, e);
}

template <class ChallengeOf>
Checked<Exchange> decode_exchange(ByteView bytes) {
    Reader r(bytes);
    const auto challenge = ChallengeOf::decode(r);
    if (r.failed()) return refuse(r.verdict());
    HOLDFAST_ASSIGN(response, Response::decode(r.raw(r.remaining())));
    return Exchange{challenge, std::move(response)};
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
        case EvidenceKind::kBundledEquivocation:
            return "equivocation with a bundle";
        case EvidenceKind::kBundledBadOpening:
            return "bad opening of a bundled link";
        case EvidenceKind::kHeadConflict:
            return "two journal heads";
    }
    return "unknown";
}

EvidenceKind Evidence::kind() const {
    struct KindOf {
        EvidenceKind operator()(const Equivocation& e) const {
            return is_bundled(e.smaller) || is_bundled(e.larger)
                       ? EvidenceKind::kBundledEquivocation
                       : EvidenceKind::kEquivocation;
        }
        EvidenceKind operator()(const FalseOpening& e) const { return of(e.claim); }
        EvidenceKind operator()(const FalseEntropy& e) const { return of(e.claim); }
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
        EvidenceKind operator()(const HeadConflict&) const { return EvidenceKind::kHeadConflict; }

      private:
        static EvidenceKind of(const LinkClaim& claim) {
            return is_bundled(claim.statement) ? EvidenceKind::kBundledBadOpening
                                               : EvidenceKind::kBadOpening;
        }
    };
    return std::visit(KindOf{}, body);
}

Checked<Exchange> exchange_of(const NetworkParams& params, const BadResponse& e) {
    Writer w;
    EncodeBody{w}(e);
    return params.version == kParamsVersion2 ? decode_exchange<Challenge2>(w.bytes())
                                             : decode_exchange<Challenge>(w.bytes());
}

// Spec 11.
Bytes Evidence::encode() const {
    Writer inner;
    std::visit(EncodeBody{inner}, body);
    Writer w(inner.bytes().size() + 9);
    w.u8(static_cast<std::uint8_t>(kind())).u64(inner.bytes().size()).raw(inner.bytes());
    return w.take();
}

// Spec 11.
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
            return decode_bad_opening<Receipt>(r);
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
        case EvidenceKind::kBundledEquivocation:
            return decode_bundled_equivocation(r);
        case EvidenceKind::kBundledBadOpening:
            return decode_bad_opening<BundledLink>(r);
        case EvidenceKind::kHeadConflict:
            return decode_head_conflict(r);
    }
    return refuse(Reason::kBadKind);
}

}  // namespace holdfast
