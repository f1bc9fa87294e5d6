#include "follow/public_messages.hpp"

#include "follow/message_parts.hpp"
#include "follow/messages.hpp"

namespace holdfast {
namespace {

enum class PublicForm : std::uint8_t {
    kHeights = 32,
    kChain = 33,
    kPath = 34,
    kHead = 35,
    kLinkProof = 36,
    kSegments = 37,
    kRecordedLink = 38,
};

constexpr std::size_t kLeastHeightBytes = 8 + 32 + 32 + 8 + 4;
constexpr std::size_t kRevealBytes = 8 + 8 + 32;

Writer begin_question(PublicForm what) {
    return begin_message(kFollowRequestKind, static_cast<std::uint8_t>(what), 128);
}
Writer begin_answer(PublicForm what, std::size_t bytes) {
    return begin_message(kFollowAnswerKind, static_cast<std::uint8_t>(what), bytes);
}

/// A value that another decoder takes whole: `u32 n` and its bytes.
template <class T, class Decode>
T read_whole(Reader& r, std::uint32_t most, const Decode& decode) {
    const Bytes bytes = read_bytes(r, most);
    if (r.failed()) return T{};
    Checked<T> out = decode(ByteView(bytes));
    if (out) return std::move(*out);
    r.refuse(out.error().reason);
    return T{};
}
template <class T>
T read_whole(Reader& r, std::uint32_t most) {
    return read_whole<T>(r, most, [](ByteView bytes) { return T::decode(bytes); });
}

// --- heights -------------------------------------------------------------------------------------

void write_public_height(Writer& w, const PublicHeightFacts& h) {
    w.height(h.block.height).fixed(h.block.hash).fixed(h.block.parent).u64(h.block.time_ms);
    w.u8(h.beacon ? 1 : 0);
    if (h.beacon) write_beacon(w, *h.beacon);
    write_optional(w, h.y);
    write_optional(w, h.global);
    w.u8(h.parts ? 1 : 0);
    if (h.parts) w.u32(h.parts->regions).u64(h.parts->total_chains).fixed(h.parts->regions_root);
}

PublicHeightFacts read_public_height(Reader& r) {
    PublicHeightFacts out;
    out.block.height = r.height();
    out.block.hash = r.fixed<BlockHash>();
    out.block.parent = r.fixed<BlockHash>();
    out.block.time_ms = r.u64();
    out.block.final = true;
    if (read_flag(r)) out.beacon = read_beacon(r);
    out.y = read_optional<VdfOutput>(r);
    out.global = read_optional<GlobalDigest>(r);
    if (read_flag(r)) {
        if (!out.global) r.refuse(Reason::kBadField);
        DigestParts parts;
        parts.regions = r.u32();
        parts.total_chains = r.u64();
        parts.regions_root = r.fixed<Digest>();
        out.parts = parts;
    }
    return out;
}

PublicHeights read_public_heights(Reader& r) {
    PublicHeights out;
    out.more = read_flag(r);
    const std::uint32_t count = read_list(r, kMaxHeightsPage, kLeastHeightBytes);
    out.heights.reserve(count);
    for (std::uint32_t i = 0; i < count && !r.failed(); ++i) {
        out.heights.push_back(read_public_height(r));
        if (i > 0 && out.heights[i].block.height.value !=
                         out.heights[i - 1].block.height.value + std::uint64_t{1}) {
            r.refuse(Reason::kNotCanonical);
        }
    }
    return out;
}

// --- chains --------------------------------------------------------------------------------------

void write_reveal(Writer& w, const RevealState& reveal) {
    w.height(reveal.base).u64(reveal.known.i).fixed(reveal.known.a);
}

PublicChainFacts read_public_chain(Reader& r) {
    PublicChainFacts out;
    out.registration = Registration::decode(r);
    out.accepted = r.height();
    out.first = r.u32();
    out.more = read_flag(r);
    const std::uint32_t updates = read_list(r, kMaxUpdatesPage, kUpdateBytes);
    for (std::uint32_t i = 0; i < updates && !r.failed(); ++i) {
        const Checked<Update> update = Update::decode(r.raw(kUpdateBytes));
        if (!update) {
            r.refuse(update.error().reason);
        } else {
            out.updates.push_back(*update);
        }
    }
    if (!ascends(out.updates, [](const Update& u) { return u.sequence; })) {
        r.refuse(Reason::kNotCanonical);
    }
    out.reveals.resize(read_count(r, kMaxUpdatesPage + 1, kRevealBytes));
    for (RevealState& reveal : out.reveals) {
        reveal.base = r.height();
        reveal.known.i = r.u64();
        reveal.known.a = r.fixed<Reveal>();
    }
    if (!ascends(out.reveals, [](const RevealState& s) { return s.base; })) {
        r.refuse(Reason::kNotCanonical);
    }
    return out;
}

Bytes write_public_chain(const PublicChainFacts& a) {
    Writer w =
        begin_answer(PublicForm::kChain, kRegistrationBytes + 64 + kUpdateBytes * a.updates.size() +
                                             kRevealBytes * a.reveals.size());
    a.registration.encode(w);
    w.height(a.accepted).u32(a.first).u8(a.more ? 1 : 0);
    w.u32(static_cast<std::uint32_t>(a.updates.size()));
    for (const Update& update : a.updates) w.raw(update.encode());
    w.u32(static_cast<std::uint32_t>(a.reveals.size()));
    for (const RevealState& reveal : a.reveals) write_reveal(w, reveal);
    return w.take();
}

// --- proofs of links -----------------------------------------------------------------------------

PublicLinkProof read_link_proof(Reader& r) {
    const std::uint8_t kind = r.u8();
    if (kind == static_cast<std::uint8_t>(Kind::kCompact)) {
        return {read_whole<Compact>(r, kMaxLinkProofBytes)};
    }
    if (kind != static_cast<std::uint8_t>(Kind::kFull)) r.refuse(Reason::kBadKind);
    return {read_whole<Full>(r, kMaxLinkProofBytes)};
}

Bytes write_link_proof(const PublicLinkProof& a) {
    const Bytes body = encode_body(a.proof);
    Writer w = begin_answer(PublicForm::kLinkProof, 5 + body.size());
    w.u8(static_cast<std::uint8_t>(kind_of(a.proof)));
    write_bytes(w, body);
    return w.take();
}

RecordedLinkQuestion read_recorded_link(Reader& r) {
    RecordedLinkQuestion out;
    out.chain_id = r.fixed<ChainId>();
    out.height = r.height();
    out.block_hash = r.fixed<BlockHash>();
    out.y = r.fixed<VdfOutput>();
    out.anchor = r.fixed<GlobalDigest>();
    out.link_before = r.fixed<Link>();
    if (read_flag(r)) out.reveal_base = r.height();
    out.y_compact = read_optional<VdfOutput>(r);
    if (read_flag(r)) out.path = read_whole<PathProof>(r, kMaxPathBytes);
    return out;
}

Bytes write_recorded_link(const RecordedLinkQuestion& q) {
    Writer w = begin_question(PublicForm::kRecordedLink);
    w.fixed(q.chain_id).height(q.height).fixed(q.block_hash).fixed(q.y).fixed(q.anchor);
    w.fixed(q.link_before).u8(q.reveal_base ? 1 : 0);
    if (q.reveal_base) w.height(*q.reveal_base);
    write_optional(w, q.y_compact);
    w.u8(q.path ? 1 : 0);
    if (q.path) write_bytes(w, q.path->encode());
    return w.take();
}

// --- parts of a VDF proof ------------------------------------------------------------------------

SegmentsQuestion read_segments_question(Reader& r) {
    SegmentsQuestion out;
    out.height = r.height();
    out.segments.resize(read_count(r, kMaxSegmentsAsked, 4));
    for (std::uint32_t& i : out.segments) i = r.u32();
    if (!ascends(out.segments, [](std::uint32_t i) { return i; })) r.refuse(Reason::kNotCanonical);
    return out;
}

VdfEndEvidence read_end(Reader& r, VdfEndEvidence::End end) {
    return read_whole<VdfEndEvidence>(
        r, kMaxSegmentBytes, [&](ByteView bytes) { return VdfEndEvidence::decode(end, bytes); });
}

PublicSegments read_segments(Reader& r) {
    PublicSegments out;
    out.start = read_end(r, VdfEndEvidence::End::kStart);
    out.output = read_end(r, VdfEndEvidence::End::kOutput);
    const std::uint32_t count = read_list(r, kMaxSegmentsAsked, 4);
    for (std::uint32_t i = 0; i < count && !r.failed(); ++i) {
        out.segments.push_back(read_whole<VdfSegment>(r, kMaxSegmentBytes));
    }
    if (!ascends(out.segments, [](const VdfSegment& s) { return s.i; })) {
        r.refuse(Reason::kNotCanonical);
    }
    return out;
}

Bytes write_segments(const PublicSegments& a) {
    Writer w = begin_answer(PublicForm::kSegments, 2'048 + 1'024 * a.segments.size());
    write_bytes(w, a.start.encode());
    write_bytes(w, a.output.encode());
    w.u32(static_cast<std::uint32_t>(a.segments.size()));
    for (const VdfSegment& segment : a.segments) write_bytes(w, segment.encode());
    return w.take();
}

}  // namespace

bool is_public_message(std::uint8_t what) {
    return what >= static_cast<std::uint8_t>(PublicForm::kHeights) &&
           what <= static_cast<std::uint8_t>(PublicForm::kRecordedLink);
}

// Spec 14, kind 66, 32 to 38.
Bytes encode_public_question(const PublicQuestion& question) {
    return std::visit(
        MessageCases{
            [](const HeightsQuestion& q) {
                return begin_question(PublicForm::kHeights).height(q.first).u32(q.count).take();
            },
            [](const ChainQuestion& q) {
                Writer w = begin_question(PublicForm::kChain);
                return w.u8(static_cast<std::uint8_t>(q.by)).fixed(q.id).u32(q.first).take();
            },
            [](const PathQuestion& q) {
                return begin_question(PublicForm::kPath).fixed(q.chain_id).height(q.height).take();
            },
            [](const HeadQuestion& q) {
                return begin_question(PublicForm::kHead).height(q.height).u64(q.older).take();
            },
            [](const LinkProofQuestion& q) {
                return begin_question(PublicForm::kLinkProof)
                    .fixed(q.chain_id)
                    .height(q.height)
                    .take();
            },
            [](const SegmentsQuestion& q) {
                Writer w = begin_question(PublicForm::kSegments);
                w.height(q.height).u32(static_cast<std::uint32_t>(q.segments.size()));
                for (const std::uint32_t i : q.segments) w.u32(i);
                return w.take();
            },
            [](const RecordedLinkQuestion& q) { return write_recorded_link(q); }},
        question);
}

PublicQuestion read_public_question(Reader& r, std::uint8_t what) {
    switch (static_cast<PublicForm>(what)) {
        case PublicForm::kHeights: {
            HeightsQuestion out;
            out.first = r.height();
            out.count = r.u32();
            if (!r.failed() && out.count == 0) r.refuse(Reason::kBadField);
            if (out.count > kMaxHeightsPage) r.refuse(Reason::kTooLarge);
            return out;
        }
        case PublicForm::kChain: {
            ChainQuestion out;
            const std::uint8_t by = r.u8();
            if (by != 1 && by != 2) r.refuse(Reason::kBadField);
            out.by = by == 2 ? ChainQuestion::By::kReplica : ChainQuestion::By::kChain;
            out.id = r.fixed<Digest>();
            out.first = r.u32();
            return out;
        }
        case PublicForm::kPath: {
            PathQuestion out;
            out.chain_id = r.fixed<ChainId>();
            out.height = r.height();
            return out;
        }
        case PublicForm::kHead: {
            HeadQuestion out;
            out.height = r.height();
            out.older = r.u64();
            return out;
        }
        case PublicForm::kLinkProof: {
            LinkProofQuestion out;
            out.chain_id = r.fixed<ChainId>();
            out.height = r.height();
            return out;
        }
        case PublicForm::kSegments:
            return read_segments_question(r);
        case PublicForm::kRecordedLink:
            return read_recorded_link(r);
    }
    r.refuse(Reason::kBadField);
    return HeightsQuestion{};
}

// Spec 14, kind 67, 32 to 37.
Bytes encode_public_answer(const PublicAnswer& answer) {
    return std::visit(
        MessageCases{[](const PublicHeights& a) {
                         Writer w = begin_answer(PublicForm::kHeights, 8 + 256 * a.heights.size());
                         w.u8(a.more ? 1 : 0).u32(static_cast<std::uint32_t>(a.heights.size()));
                         for (const PublicHeightFacts& h : a.heights) write_public_height(w, h);
                         return w.take();
                     },
                     [](const PublicChainFacts& a) { return write_public_chain(a); },
                     [](const PublicPath& a) {
                         const Bytes path = a.path.encode();
                         Writer w = begin_answer(PublicForm::kPath, 12 + path.size());
                         w.height(a.height);
                         write_bytes(w, path);
                         return w.take();
                     },
                     [](const PublicHead& a) {
                         Writer w = begin_answer(PublicForm::kHead,
                                                 kHeadBytes + 4 + 32 * a.consistency.size());
                         a.head.encode(w);
                         write_hashes(w, a.consistency);
                         return w.take();
                     },
                     [](const PublicLinkProof& a) { return write_link_proof(a); },
                     [](const PublicSegments& a) { return write_segments(a); }},
        answer);
}

PublicAnswer read_public_answer(Reader& r, std::uint8_t what) {
    switch (static_cast<PublicForm>(what)) {
        case PublicForm::kHeights:
            return read_public_heights(r);
        case PublicForm::kChain:
            return read_public_chain(r);
        case PublicForm::kPath: {
            PublicPath out;
            out.height = r.height();
            out.path = read_whole<PathProof>(r, kMaxPathBytes);
            return out;
        }
        case PublicForm::kHead: {
            PublicHead out;
            out.head = JournalHead::decode(r);
            out.consistency = read_hashes(r, kMaxConsistencyHashes);
            return out;
        }
        case PublicForm::kLinkProof:
            return read_link_proof(r);
        case PublicForm::kSegments:
            return read_segments(r);
        case PublicForm::kRecordedLink:
            break;  // a question that 36 answers
    }
    r.refuse(Reason::kBadField);
    return PublicHeights{};
}

}  // namespace holdfast
