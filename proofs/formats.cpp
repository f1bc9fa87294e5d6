#include "proofs/formats.hpp"

#include "core/constants.hpp"
#include "core/merkle.hpp"

namespace holdfast {
namespace {

constexpr std::size_t kMaxFullSiblings = kChunksPerLink * kMaxCellPath;
/// Sixteen leaves as far apart as they can be meet in the tree's upper four levels.
constexpr std::size_t kMaxShortSiblings = kChunksPerLink * (kMaxCellPath - 4);
constexpr std::size_t kShortCompactFixedBytes = 456;
constexpr std::size_t kShortFullFixedBytes = 4'168;
constexpr std::size_t kOpeningPathBytes = kOpeningTreeDepth * kDigestBytes;

std::vector<Digest> read_digests(Reader& r, std::size_t count) {
    const ByteView raw = r.raw(count * kDigestBytes);
    std::vector<Digest> out(raw.size() / kDigestBytes);
    for (std::size_t i = 0; i < out.size(); ++i) {
        std::copy_n(raw.begin() + i * kDigestBytes, kDigestBytes, out[i].bytes.begin());
    }
    return out;
}

/// The hashes that fill the body up to its last `tail` bytes; their number is judged when the proof
/// is verified, here only that it is whole and bounded.
std::vector<Digest> read_digests_before(Reader& r, std::size_t tail, std::size_t most) {
    if (r.failed()) return {};
    if (r.remaining() < tail) {
        r.refuse(Reason::kTruncated);
        return {};
    }
    const std::size_t bytes = r.remaining() - tail;
    if (bytes % kDigestBytes != 0 || bytes / kDigestBytes > most) {
        r.refuse(Reason::kProofLength);
        return {};
    }
    return read_digests(r, bytes / kDigestBytes);
}

std::vector<Digest> read_path(Reader& r, std::uint64_t leaves, std::uint64_t index) {
    if (index >= leaves) r.refuse(Reason::kBadSlot);
    return r.failed() ? std::vector<Digest>() : read_digests(r, path_length(leaves, index));
}

AnyProof decode_part(Kind kind, ByteView body, Verdict& verdict) {
    const auto take = [&](auto decoded) -> AnyProof {
        if (!decoded) {
            verdict = decoded.error();
            return Compact();
        }
        return std::move(*decoded);
    };
    if (kind == Kind::kCompact) return take(Compact::decode(body));
    return take(Full::decode(body));
}

}  // namespace

// Spec 7, D from its region on.
void HierarchyPath::encode(Writer& w) const {
    w.u32(region).u32(group).u32(slot).u32(slots).u32(active).u32(groups).u64(region_active);
    w.u32(regions).u64(total_chains).digests(slot_path).digests(group_path).digests(region_path);
}

HierarchyPath HierarchyPath::decode(Reader& r) {
    HierarchyPath p;
    p.region = r.u32();
    p.group = r.u32();
    p.slot = r.u32();
    p.slots = r.u32();
    p.active = r.u32();
    p.groups = r.u32();
    p.region_active = r.u64();
    p.regions = r.u32();
    p.total_chains = r.u64();
    p.slot_path = read_path(r, p.slots, p.slot);
    p.group_path = read_path(r, p.groups, p.group);
    p.region_path = read_path(r, p.regions, p.region);
    return p;
}

// Spec 7, D.
void PathProof::encode(Writer& w) const {
    leaf.encode(w);
    path.encode(w);
}

Bytes PathProof::encode() const {
    Writer w;
    encode(w);
    return w.take();
}

PathProof PathProof::decode(Reader& r) {
    PathProof out;
    out.leaf = ChainLeaf::decode(r);
    out.path = HierarchyPath::decode(r);
    return out;
}

Checked<PathProof> PathProof::decode(ByteView body) {
    Reader r(body);
    PathProof out = decode(r);
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

// Spec 7, B.
Bytes Compact::encode() const {
    Writer w(2'048);
    receipt.encode(w);
    w.fixed(chain_id).fixed(link_before).fixed(reveal).u8(static_cast<std::uint8_t>(status));
    path.encode(w);
    w.fixed(cell).digests(cell_path).digests(opening_path);
    return w.take();
}

Checked<Compact> Compact::decode(ByteView body) {
    Reader r(body);
    Compact out;
    out.receipt = Receipt::decode(r);
    out.chain_id = r.fixed<ChainId>();
    out.link_before = r.fixed<Link>();
    out.reveal = r.fixed<Reveal>();
    out.status = decode_status(r);
    out.path = HierarchyPath::decode(r);
    out.cell = r.fixed<Cell>();
    out.cell_path = read_digests_before(r, kOpeningPathBytes, kMaxCellPath);
    for (Digest& d : out.opening_path) d = r.fixed<Digest>();
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

// Spec 7, C.
Bytes Full::encode() const {
    Writer w(kMaxLinkProofBytes);
    receipt.encode(w);
    w.fixed(chain_id).fixed(link_before).fixed(reveal);
    for (const Cell& c : cells) w.fixed(c);
    w.digests(siblings);
    return w.take();
}

Checked<Full> Full::decode(ByteView body) {
    Reader r(body);
    Full out;
    out.receipt = Receipt::decode(r);
    out.chain_id = r.fixed<ChainId>();
    out.link_before = r.fixed<Link>();
    out.reveal = r.fixed<Reveal>();
    for (Cell& c : out.cells) c = r.fixed<Cell>();
    out.siblings = read_digests_before(r, 0, kMaxFullSiblings);
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

// Spec 7, short proofs (kind 24).
Bytes ShortCompact::encode() const {
    Writer w(kShortCompactFixedBytes + cell_path.size() * kDigestBytes);
    w.fixed(chain_id).height(height).fixed(reveal);
    w.fixed(cell).digests(cell_path).digests(opening_path);
    return w.take();
}

Checked<ShortCompact> ShortCompact::decode(ByteView body) {
    Reader r(body);
    ShortCompact out;
    out.chain_id = r.fixed<ChainId>();
    out.height = r.height();
    out.reveal = r.fixed<Reveal>();
    out.cell = r.fixed<Cell>();
    out.cell_path = read_digests_before(r, kOpeningPathBytes, kMaxCellPath);
    for (Digest& d : out.opening_path) d = r.fixed<Digest>();
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

// Spec 7, short proofs (kind 25).
Bytes ShortFull::encode() const {
    Writer w(kShortFullFixedBytes + siblings.size() * kDigestBytes);
    w.fixed(chain_id).height(height).fixed(reveal);
    for (const Cell& c : cells) w.fixed(c);
    w.digests(siblings);
    return w.take();
}

Checked<ShortFull> ShortFull::decode(ByteView body) {
    Reader r(body);
    ShortFull out;
    out.chain_id = r.fixed<ChainId>();
    out.height = r.height();
    out.reveal = r.fixed<Reveal>();
    for (Cell& c : out.cells) c = r.fixed<Cell>();
    out.siblings = read_digests_before(r, 0, kMaxShortSiblings);
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

const ChainId& chain_of(const AnyShort& proof) {
    return std::visit([](const auto& p) -> const ChainId& { return p.chain_id; }, proof);
}
Height height_of(const AnyShort& proof) {
    return std::visit([](const auto& p) { return p.height; }, proof);
}

const Receipt& receipt_of(const AnyProof& proof) {
    return std::visit([](const auto& p) -> const Receipt& { return p.receipt; }, proof);
}
const ChainId& chain_of(const AnyProof& proof) {
    return std::visit([](const auto& p) -> const ChainId& { return p.chain_id; }, proof);
}
const Reveal& reveal_of(const AnyProof& proof) {
    return std::visit([](const auto& p) -> const Reveal& { return p.reveal; }, proof);
}
Kind kind_of(const AnyProof& proof) {
    return std::holds_alternative<Compact>(proof) ? Kind::kCompact : Kind::kFull;
}
Bytes encode_body(const AnyProof& proof) {
    return std::visit([](const auto& p) { return p.encode(); }, proof);
}

// Spec 7, window (kind 8).
Bytes ProofWindow::encode() const {
    HOLDFAST_CHECK(!links.empty() && links.size() <= kWindowMaxLinks);
    Writer w;
    w.u8(static_cast<std::uint8_t>(links.size()));
    for (const AnyProof& link : links) {
        const Bytes body = encode_body(link);
        w.u8(static_cast<std::uint8_t>(kind_of(link)));
        w.u32(static_cast<std::uint32_t>(body.size())).raw(body);
    }
    return w.take();
}

Checked<ProofWindow> ProofWindow::decode(ByteView body) {
    Reader r(body);
    const std::uint8_t count = r.u8();
    if (r.failed()) return refuse(r.verdict());
    if (count < 1 || count > kWindowMaxLinks) return refuse(Reason::kBadField);
    ProofWindow out;
    out.links.reserve(count);
    for (std::uint8_t i = 0; i < count; ++i) {
        const auto kind = static_cast<Kind>(r.u8());
        const std::uint32_t length = r.u32();
        if (!r.failed() && kind != Kind::kCompact && kind != Kind::kFull) {
            return refuse(Reason::kBadKind, i);
        }
        if (length > kMaxLinkProofBytes) return refuse(Reason::kTooLarge, i);
        const ByteView part = r.raw(length);
        if (r.failed()) return refuse(r.verdict().reason, i);
        Verdict verdict;
        AnyProof link = decode_part(kind, part, verdict);
        if (!verdict) return refuse(verdict.reason, i);
        if (i > 0 && receipt_of(link).height <= receipt_of(out.links.back()).height) {
            return refuse(Reason::kWindowOrder, i);
        }
        out.links.push_back(std::move(link));
    }
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

}  // namespace holdfast
