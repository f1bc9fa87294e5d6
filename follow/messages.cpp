#include "follow/messages.hpp"

#include <algorithm>

#include "core/hash.hpp"
#include "follow/message_parts.hpp"

namespace holdfast {
namespace {

enum class Question : std::uint8_t { kTip = 1, kHeight = 2, kChains = 3, kAudits = 4, kOutput = 5 };
enum class Answer : std::uint8_t {
    kTip = 1,
    kHeight = 2,
    kChains = 3,
    kTaken = 4,
    kRefused = 5,
    kBusy = 6,
    kAudits = 7,
    kOutput = 8,
};

/// Reads off version, kind and what follows them.
std::uint8_t read_head(Reader& r, std::uint8_t kind) {
    const std::uint8_t version = r.u8();
    const std::uint8_t got = r.u8();
    if (!r.failed() && version != kProtocolVersion) r.refuse(Reason::kBadVersion);
    if (!r.failed() && got != kind) r.refuse(Reason::kBadKind);
    return r.u8();
}

void write_chain(Writer& w, const ChallengedChain& c) {
    w.fixed(c.id).fixed(c.prover).fixed(c.sealed_root).u64(c.chunks.value);
}

ChallengedChain read_chain(Reader& r) {
    ChallengedChain c;
    c.id = r.fixed<ChainId>();
    c.prover = r.fixed<PublicKey>();
    c.sealed_root = r.fixed<Root>();
    c.chunks = ChunkCount(r.u64());
    if (c.chunks.value < kMinChunks || c.chunks.value > kMaxChunks) r.refuse(Reason::kBadField);
    return c;
}

FollowTip read_tip(Reader& r) {
    FollowTip out;
    out.height = r.height();
    out.hash = r.fixed<BlockHash>();
    out.time_ms = r.u64();
    return out;
}

FollowHeight read_height(Reader& r) {
    FollowHeight out;
    out.height = r.height();
    out.block_hash = r.fixed<BlockHash>();
    out.parent = r.fixed<BlockHash>();
    out.time_ms = r.u64();
    const std::uint8_t has_y = r.u8();
    if (has_y > 1) r.refuse(Reason::kBadField);
    if (has_y == 1) out.y = r.fixed<VdfOutput>();
    out.list_hash = r.fixed<Digest>();
    out.chains = r.u32();
    if (out.chains > kMaxFollowChains) r.refuse(Reason::kTooLarge);
    out.challengers.resize(read_count(r, kMaxFollowChallengers, kFollowChallengerBytes));
    for (ChallengerPart& c : out.challengers) {
        c.key = r.fixed<PublicKey>();
        c.part = r.u64();
    }
    if (!ascends(out.challengers, [](const ChallengerPart& c) { return c.key; })) {
        r.refuse(Reason::kNotCanonical);
    }
    return out;
}

FollowChains read_chains(Reader& r) {
    FollowChains out;
    out.height = r.height();
    out.list_hash = r.fixed<Digest>();
    out.total = r.u32();
    out.first = r.u32();
    if (out.total > kMaxFollowChains) r.refuse(Reason::kTooLarge);
    if (out.first > out.total) r.refuse(Reason::kBadIndex);
    const std::uint32_t count = read_count(r, kMaxFollowPage, kFollowChainBytes);
    if (!r.failed() && count > out.total - out.first) r.refuse(Reason::kBadIndex);
    if (r.failed()) return out;
    out.chains.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) out.chains.push_back(read_chain(r));
    if (!ascends(out.chains, [](const ChallengedChain& c) { return c.id; })) {
        r.refuse(Reason::kNotCanonical);
    }
    return out;
}

FollowAudits read_audits(Reader& r) {
    FollowAudits out;
    out.challenges.resize(read_count(r, kMaxFollowAudits, kFollowAuditBytes));
    for (ChallengeKey& c : out.challenges) {
        c.height = r.height();
        c.chain_id = r.fixed<ChainId>();
    }
    if (!ascends(out.challenges, [](const ChallengeKey& c) { return c; })) {
        r.refuse(Reason::kNotCanonical);
    }
    return out;
}

OutputCover read_cover(Reader& r) {
    OutputCover out;
    out.head = JournalHead::decode(r);
    out.entry = r.u64();
    out.path = read_hashes(r, kMaxFollowPath);
    return out;
}

FollowOutput read_output(Reader& r) {
    FollowOutput out;
    out.block.height = r.height();
    out.block.hash = r.fixed<BlockHash>();
    out.block.parent = r.fixed<BlockHash>();
    out.block.time_ms = r.u64();
    out.block.final = true;
    if (read_flag(r)) out.beacon = read_beacon(r);
    if (read_flag(r)) {
        out.proof = read_bytes(r, kMaxFollowProofBytes);
        if (out.proof.empty()) r.refuse(Reason::kBadField);
    }
    if (read_flag(r)) out.cover = read_cover(r);
    return out;
}

Bytes write_output(const FollowOutput& a) {
    Writer w = begin_message(kFollowAnswerKind, static_cast<std::uint8_t>(Answer::kOutput),
                             1'024 + a.proof.size());
    w.height(a.block.height).fixed(a.block.hash).fixed(a.block.parent).u64(a.block.time_ms);
    w.u8(a.beacon ? 1 : 0);
    if (a.beacon) write_beacon(w, *a.beacon);
    w.u8(a.proof.empty() ? 0 : 1);
    if (!a.proof.empty()) write_bytes(w, a.proof);
    w.u8(a.cover ? 1 : 0);
    if (a.cover) {
        a.cover->head.encode(w);
        w.u64(a.cover->entry);
        write_hashes(w, a.cover->path);
    }
    return w.take();
}

FollowRefused read_refused(Reader& r) {
    const std::uint32_t number = r.u32();
    if (number == 0 || number >= reason_count()) r.refuse(Reason::kBadField);
    return {r.failed() ? Reason::kBadField : static_cast<Reason>(number)};
}

/// One of these types, which know their number and read themselves; otherwise refused.
template <class Variant, class... Types>
Variant read_other(Reader& r, std::uint8_t what, Variant out) {
    const bool known =
        ((Types::kNumber == what && (out.template emplace<Types>(Types::decode(r)), true)) || ...);
    if (!known) r.refuse(Reason::kBadField);
    return out;
}

FollowAnswer read_answer(Reader& r, std::uint8_t what) {
    switch (static_cast<Answer>(what)) {
        case Answer::kTip:
            return read_tip(r);
        case Answer::kHeight:
            return read_height(r);
        case Answer::kChains:
            return read_chains(r);
        case Answer::kTaken:
            return FollowTaken{};
        case Answer::kRefused:
            return read_refused(r);
        case Answer::kBusy:
            return FollowBusy{r.u32()};
        case Answer::kAudits:
            return read_audits(r);
        case Answer::kOutput:
            return read_output(r);
    }
    if (is_history(what)) return read_history_answer(r, what);
    if (is_public_message(what)) return read_public_answer(r, what);
    return read_other<FollowAnswer, DutyHeights, LinksDue, ProofsDue, SealDuties, OwnedChains,
                      HandedOvers, RegistrationFound>(r, what, FollowTaken{});
}

FollowQuestion read_question(Reader& r, std::uint8_t what) {
    switch (static_cast<Question>(what)) {
        case Question::kTip:
            return TipQuestion{};
        case Question::kHeight:
            return HeightQuestion{r.height()};
        case Question::kChains: {
            ChainsQuestion out;
            out.height = r.height();
            out.first = r.u32();
            out.count = r.u32();
            if (!r.failed() && out.count == 0) r.refuse(Reason::kBadField);
            if (out.count > kMaxFollowPage) r.refuse(Reason::kTooLarge);
            return out;
        }
        case Question::kAudits:
            return AuditsQuestion{r.fixed<PublicKey>()};
        case Question::kOutput:
            return OutputQuestion{r.height()};
    }
    if (is_history(what)) return read_history_question(r, what);
    if (is_public_message(what)) return read_public_question(r, what);
    return read_other<FollowQuestion, DutyHeightsQuestion, LinksDueQuestion, ProofsDueQuestion,
                      SealDutiesQuestion, OwnedChainsQuestion, HandOver, RegistrationQuestion>(
        r, what, TipQuestion{});
}

/// One that knows its number and writes itself.
template <class T>
Bytes write(std::uint8_t kind, const T& message) {
    Writer w = begin_message(kind, T::kNumber, 64);
    message.encode(w);
    return w.take();
}

Writer begin_answer(Answer what, std::size_t body_bytes) {
    return begin_message(kFollowAnswerKind, static_cast<std::uint8_t>(what), body_bytes);
}

}  // namespace

// Spec 14, kind 66.
Bytes encode_question(const FollowQuestion& question) {
    const auto head = [](Question what, std::size_t bytes) {
        return begin_message(kFollowRequestKind, static_cast<std::uint8_t>(what), bytes);
    };
    return std::visit(
        MessageCases{[&](const TipQuestion&) { return head(Question::kTip, 0).take(); },
                     [&](const HeightQuestion& q) {
                         Writer w = head(Question::kHeight, 8);
                         return w.height(q.height).take();
                     },
                     [&](const ChainsQuestion& q) {
                         Writer w = head(Question::kChains, 16);
                         return w.height(q.height).u32(q.first).u32(q.count).take();
                     },
                     [&](const AuditsQuestion& q) {
                         Writer w = head(Question::kAudits, 32);
                         return w.fixed(q.challenger).take();
                     },
                     [&](const OutputQuestion& q) {
                         Writer w = head(Question::kOutput, 8);
                         return w.height(q.height).take();
                     },
                     [](const HistoryQuestion& q) { return encode_history(q); },
                     [](const PublicQuestion& q) { return encode_public_question(q); },
                     [](const auto& q) { return write(kFollowRequestKind, q); }},
        question);
}

Checked<FollowQuestion> decode_question(ByteView message) {
    Reader r(message);
    const std::uint8_t what = read_head(r, kFollowRequestKind);
    if (r.failed()) return refuse(r.verdict());
    FollowQuestion out = read_question(r, what);
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

// Spec 14, kind 67.
Bytes encode_answer(const FollowAnswer& answer) {
    return std::visit(
        MessageCases{[](const FollowTip& a) {
                         Writer w = begin_answer(Answer::kTip, 48);
                         return w.height(a.height).fixed(a.hash).u64(a.time_ms).take();
                     },
                     [](const FollowHeight& a) {
                         Writer w = begin_answer(
                             Answer::kHeight, 153 + kFollowChallengerBytes * a.challengers.size());
                         w.height(a.height).fixed(a.block_hash).fixed(a.parent).u64(a.time_ms);
                         w.u8(a.y ? 1 : 0);
                         if (a.y) w.fixed(*a.y);
                         w.fixed(a.list_hash).u32(a.chains);
                         w.u32(static_cast<std::uint32_t>(a.challengers.size()));
                         for (const ChallengerPart& c : a.challengers) w.fixed(c.key).u64(c.part);
                         return w.take();
                     },
                     [](const FollowChains& a) {
                         Writer w = begin_answer(Answer::kChains,
                                                 52 + kFollowChainBytes * a.chains.size());
                         w.height(a.height).fixed(a.list_hash).u32(a.total).u32(a.first);
                         w.u32(static_cast<std::uint32_t>(a.chains.size()));
                         for (const ChallengedChain& c : a.chains) write_chain(w, c);
                         return w.take();
                     },
                     [](const FollowTaken&) { return begin_answer(Answer::kTaken, 0).take(); },
                     [](const FollowRefused& a) {
                         Writer w = begin_answer(Answer::kRefused, 4);
                         return w.u32(static_cast<std::uint32_t>(a.reason)).take();
                     },
                     [](const FollowBusy& a) {
                         Writer w = begin_answer(Answer::kBusy, 4);
                         return w.u32(a.retry_ms).take();
                     },
                     [](const FollowAudits& a) {
                         Writer w = begin_answer(Answer::kAudits,
                                                 4 + kFollowAuditBytes * a.challenges.size());
                         w.u32(static_cast<std::uint32_t>(a.challenges.size()));
                         for (const ChallengeKey& c : a.challenges)
                             w.height(c.height).fixed(c.chain_id);
                         return w.take();
                     },
                     [](const FollowOutput& a) { return write_output(a); },
                     [](const HistoryAnswer& a) { return encode_history(a); },
                     [](const PublicAnswer& a) { return encode_public_answer(a); },
                     [](const auto& a) { return write(kFollowAnswerKind, a); }},
        answer);
}

Checked<FollowAnswer> decode_answer(ByteView message) {
    Reader r(message);
    const std::uint8_t what = read_head(r, kFollowAnswerKind);
    if (r.failed()) return refuse(r.verdict());
    FollowAnswer out = read_answer(r, what);
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

// Spec 14: list_hash.
Digest follow_list_hash(std::span<const ChallengedChain> chains) {
    TaggedHash h("follow/chains");
    for (const ChallengedChain& c : chains) {
        h.add(c.id).add(c.prover).add(c.sealed_root).add(c.chunks.value);
    }
    return h.finish();
}

}  // namespace holdfast
