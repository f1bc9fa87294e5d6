#include "callbacks/answer_codec_impl.hpp"

namespace holdfast {
namespace {

void put_bytes(Writer& w, ByteView bytes) { w.u64(bytes.size()).raw(bytes); }

ByteView get_bytes(Reader& r) { return r.raw(r.u64()); }

bool get_flag(Reader& r) {
    const std::uint8_t flag = r.u8();
    if (flag > 1) r.refuse(Reason::kBadField);
    return flag == 1;
}

/// An enumerator from `first` to `last`.
template <class E>
E get_enum(Reader& r, E first, E last) {
    const std::uint8_t value = r.u8();
    if (value < static_cast<std::uint8_t>(first) || value > static_cast<std::uint8_t>(last)) {
        r.refuse(Reason::kBadField);
        return first;
    }
    return static_cast<E>(value);
}

/// Calls `read` for as many items as the list says it has; every item takes at least one byte.
template <class T, class Read>
void get_list(Reader& r, std::vector<T>& out, const Read& read) {
    const std::uint64_t count = r.u64();
    if (count > r.remaining()) return r.refuse(Reason::kTooLarge);
    out.clear();
    for (std::uint64_t i = 0; i < count && !r.failed(); ++i) out.push_back(read(r));
}

std::string get_text(Reader& r) {
    const ByteView bytes = get_bytes(r);
    return {bytes.begin(), bytes.end()};
}

}  // namespace

void encode_answer(Writer&, const Done&) {}
void decode_answer(Reader&, Done&) {}

void encode_answer(Writer& w, const Height& answer) { w.height(answer); }
void decode_answer(Reader& r, Height& answer) { answer = r.height(); }

void encode_answer(Writer& w, const std::uint64_t& answer) { w.u64(answer); }
void decode_answer(Reader& r, std::uint64_t& answer) { answer = r.u64(); }

void encode_answer(Writer& w, const BlockInfo& answer) {
    w.height(answer.height).fixed(answer.hash).fixed(answer.parent).u64(answer.time_ms);
    w.u8(answer.final ? 1 : 0);
}
void decode_answer(Reader& r, BlockInfo& answer) {
    answer.height = r.height();
    answer.hash = r.fixed<BlockHash>();
    answer.parent = r.fixed<BlockHash>();
    answer.time_ms = r.u64();
    answer.final = get_flag(r);
}

void encode_answer(Writer& w, const std::vector<Submission>& answer) {
    w.u64(answer.size());
    for (const Submission& s : answer) {
        w.u8(static_cast<std::uint8_t>(s.kind));
        put_bytes(w, s.object);
    }
}
void decode_answer(Reader& r, std::vector<Submission>& answer) {
    get_list(r, answer, [](Reader& in) {
        const Kind kind = get_enum(in, Kind::kRegistration, Kind::kChallenge2);
        const ByteView object = get_bytes(in);
        return Submission{kind, Bytes(object.begin(), object.end())};
    });
}

void encode_answer(Writer& w, const std::vector<BondEvent>& answer) {
    w.u64(answer.size());
    for (const BondEvent& event : answer) w.raw(event.encode());
}
void decode_answer(Reader& r, std::vector<BondEvent>& answer) {
    get_list(r, answer, [](Reader& in) {
        const Checked<BondEvent> event = BondEvent::decode(in.raw(kBondEventBytes));
        if (!event) in.refuse(event.error().reason);
        return event.value_or(BondEvent{});
    });
}

void encode_answer(Writer& w, const BeaconRound& answer) {
    w.u64(answer.round).fixed(answer.randomness);
    put_bytes(w, answer.proof);
}
void decode_answer(Reader& r, BeaconRound& answer) {
    answer.round = r.u64();
    answer.randomness = r.fixed<Digest>();
    const ByteView proof = get_bytes(r);
    answer.proof.assign(proof.begin(), proof.end());
}

void encode_answer(Writer& w, const BondId& answer) { w.fixed(answer); }
void decode_answer(Reader& r, BondId& answer) { answer = r.fixed<BondId>(); }

void encode_answer(Writer& w, const BondInfo& answer) {
    w.fixed(answer.id).fixed(answer.owner);
    w.u8(static_cast<std::uint8_t>(answer.purpose)).u8(static_cast<std::uint8_t>(answer.state));
    w.u64(answer.created_amount).u64(answer.held_amount).u64(answer.slashed_amount);
}
void decode_answer(Reader& r, BondInfo& answer) {
    answer.id = r.fixed<BondId>();
    answer.owner = r.fixed<PublicKey>();
    answer.purpose = get_enum(r, BondPurpose::kStorage, BondPurpose::kAccusation);
    answer.state = get_enum(r, BondState::kHeld, BondState::kReleased);
    answer.created_amount = r.u64();
    answer.held_amount = r.u64();
    answer.slashed_amount = r.u64();
}

void encode_answer(Writer& w, const std::vector<Peer>& answer) {
    w.u64(answer.size());
    for (const Peer& peer : answer) {
        w.fixed(peer.key);
        put_bytes(w, view(peer.address));
    }
}
void decode_answer(Reader& r, std::vector<Peer>& answer) {
    get_list(r, answer, [](Reader& in) {
        const PublicKey key = in.fixed<PublicKey>();
        return Peer{key, get_text(in)};
    });
}

void encode_answer(Writer& w, const std::vector<std::uint64_t>& answer) {
    w.u64(answer.size());
    for (const std::uint64_t value : answer) w.u64(value);
}
void decode_answer(Reader& r, std::vector<std::uint64_t>& answer) {
    get_list(r, answer, [](Reader& in) { return in.u64(); });
}

void encode_answer(Writer& w, const ChallengeReply& answer) {
    put_bytes(w, answer.response);
    w.u32(answer.service_us).u32(answer.ping_us);
}
void decode_answer(Reader& r, ChallengeReply& answer) {
    const ByteView response = get_bytes(r);
    answer.response.assign(response.begin(), response.end());
    answer.service_us = r.u32();
    answer.ping_us = r.u32();
}

void encode_answer(Writer& w, const std::vector<VantageReport>& answer) {
    w.u64(answer.size());
    for (const VantageReport& report : answer) {
        put_bytes(w, view(report.vantage));
        w.u64(report.rtt_ns).u64(report.distance_m);
    }
}
void decode_answer(Reader& r, std::vector<VantageReport>& answer) {
    get_list(r, answer, [](Reader& in) {
        VantageReport report;
        report.vantage = get_text(in);
        report.rtt_ns = in.u64();
        report.distance_m = in.u64();
        return report;
    });
}

bool is_final_block(ByteView answer) {
    Reader r(answer);
    BlockInfo block;
    decode_answer(r, block);
    return r.finish().accepted() && block.final;
}

}  // namespace holdfast
