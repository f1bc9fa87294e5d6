#include "transport/frame.hpp"

namespace holdfast {
namespace {

constexpr std::uint8_t kLastType = 8;
constexpr std::uint8_t kLastKind = 29;
constexpr std::uint8_t kLastGoodbye = 9;
constexpr std::uint8_t kLastRefusal = 6;
constexpr std::uint32_t kWrapBytes = 2;          // version and kind before a body
constexpr std::uint32_t kMaxHelloBytes = 1'024;  // other versions may say more

constexpr std::uint32_t wrapped(std::size_t body_bytes) {
    return static_cast<std::uint32_t>(body_bytes) + kWrapBytes;
}

/// Size of an object whose kind has one size; 0 where it varies.
/// Spec 13, frame: kinds of one size.
std::uint32_t fixed_message_bytes(Kind kind) {
    switch (kind) {
        case Kind::kRegistration:
            return wrapped(kRegistrationBytes);
        case Kind::kUpdate:
            return wrapped(kUpdateBytes);
        case Kind::kRemoval:
            return wrapped(kRemovalBytes);
        case Kind::kReceipt:
            return wrapped(kReceiptBytes);
        case Kind::kChallenge:
            return wrapped(kChallengeBytes);
        case Kind::kOutcome:
            return wrapped(kOutcomeBytes);
        case Kind::kCheckpoint:
            return wrapped(kCheckpointBytes);
        case Kind::kChallenger:
            return wrapped(kChallengerBytes);
        case Kind::kAcknowledgement:
            return wrapped(kAcknowledgementBytes);
        case Kind::kOutcome2:
            return wrapped(kOutcome2Bytes);
        case Kind::kHead:
            return wrapped(kHeadBytes);
        case Kind::kChallenge2:
            return wrapped(kChallenge2Bytes);
        default:
            return 0;
    }
}

/// Bound of a kind that has no one size: what the protocol's largest object of it needs.
std::uint32_t most_message_bytes(Kind kind) {
    switch (kind) {
        case Kind::kSealProof:
            return 512 * 1024;
        case Kind::kEvidence:
            return 1024 * 1024;
        case Kind::kBundle:
            return kMostRequestBytes;
        case Kind::kMember:
        case Kind::kShortCompact:
        case Kind::kShortFull:
            return 16 * 1024;
        default:
            return 64 * 1024;  // messages of applications, too
    }
}

struct Range {
    std::uint32_t least = 0;
    std::uint32_t most = 0;
};

bool bears_object(FrameType type) {
    return type == FrameType::kRequest || type == FrameType::kPost;
}

/// Headers of files do not travel; kinds between the protocol's and the applications' are nobody's.
/// Spec 13, frame: kinds that do not travel.
bool travels(std::uint8_t kind) {
    if (kind >= kFirstApplicationKind) return true;
    return kind != 0 && kind <= kLastKind &&
           kind != static_cast<std::uint8_t>(Kind::kReplicaFile) &&
           kind != static_cast<std::uint8_t>(Kind::kTreeFile);
}

// Spec 13, frame: bounds.
Range payload_range(FrameType type, std::uint8_t kind, const FrameBounds& bounds) {
    switch (type) {
        case FrameType::kHello:
            return {sizeof(std::uint32_t), kMaxHelloBytes};
        case FrameType::kGoodbye:
        case FrameType::kRefusal:
            return {kNoticeBytes, kNoticeBytes};
        case FrameType::kPing:
        case FrameType::kPong:
            return {0, 0};
        case FrameType::kResponse:
            return {0, bounds.max_response_bytes};
        case FrameType::kRequest:
        case FrameType::kPost:
            break;
    }
    const std::uint32_t fixed = fixed_message_bytes(static_cast<Kind>(kind));
    std::uint32_t most = fixed != 0 ? fixed : most_message_bytes(static_cast<Kind>(kind));
    if (kind == kLargeApplicationKind || kind == kDepositApplicationKind) most = kMostRequestBytes;
    return {fixed != 0 ? fixed : kWrapBytes, std::min(most, bounds.max_request_bytes)};
}

Verdict check_bounds(const FrameHeader& header, const FrameBounds& bounds) {
    const Range range = payload_range(header.type, header.kind, bounds);
    if (header.length > range.most) return Reason::kTooLarge;
    return header.length < range.least ? Reason::kTruncated : Reason::kOk;
}

}  // namespace

std::string_view to_string(Goodbye code) {
    switch (code) {
        case Goodbye::kStopping:
            return "it is stopping";
        case Goodbye::kVersion:
            return "it speaks another version of the transport";
        case Goodbye::kNetwork:
            return "it is of another network";
        case Goodbye::kRoles:
            return "it knows no such role";
        case Goodbye::kNotAllowed:
            return "it does not serve this key";
        case Goodbye::kTooMany:
            return "it has too many connections";
        case Goodbye::kMalformed:
            return "it was sent a malformed frame";
        case Goodbye::kIdle:
            return "nothing arrived for too long";
        case Goodbye::kReplaced:
            return "the same key has reconnected";
    }
    return "it gave no reason";
}

// Spec 13, frame.
Bytes encode_frame_header(const FrameHeader& header) {
    Writer w(kFrameHeaderBytes);
    w.u32(header.length).u8(static_cast<std::uint8_t>(header.type)).u8(header.kind);
    w.u64(header.number);
    return w.take();
}

// Spec 13, frame: judged before any byte of the payload is read.
Checked<FrameHeader> decode_frame_header(ByteView bytes, const FrameBounds& bounds) {
    Reader r(bytes);
    FrameHeader header;
    header.length = r.u32();
    const std::uint8_t type = r.u8();
    header.kind = r.u8();
    header.number = r.u64();
    if (const Verdict form = r.finish(); !form) return refuse(form);
    if (type == 0 || type > kLastType) return refuse(Reason::kBadKind);
    header.type = static_cast<FrameType>(type);
    if (bears_object(header.type)) {
        if (!travels(header.kind)) return refuse(Reason::kBadKind);
    } else if (header.kind != 0) {
        return refuse(Reason::kBadField);
    }
    const bool numbered = header.type != FrameType::kHello && header.type != FrameType::kGoodbye;
    if (!numbered && header.number != 0) return refuse(Reason::kBadField);
    if (const Verdict size = check_bounds(header, bounds); !size) return refuse(size);
    return header;
}

Checked<FrameHeader> header_for_message(FrameType type, ByteView message,
                                        const FrameBounds& bounds) {
    FrameHeader header;
    header.type = type;
    header.length = static_cast<std::uint32_t>(std::min<std::size_t>(message.size(), UINT32_MAX));
    if (bears_object(type)) {
        if (message.size() < kWrapBytes) return refuse(Reason::kTruncated);
        if (message[0] != kProtocolVersion) return refuse(Reason::kBadVersion);
        header.kind = message[1];
        if (!travels(header.kind)) return refuse(Reason::kBadKind);
    }
    if (const Verdict size = check_bounds(header, bounds); !size) return refuse(size);
    return header;
}

Verdict check_frame_payload(const FrameHeader& header, ByteView payload) {
    if (payload.size() != header.length) return Reason::kTruncated;
    if (!bears_object(header.type)) return {};
    if (payload[0] != kProtocolVersion) return Reason::kBadVersion;
    return payload[1] == header.kind ? Reason::kOk : Reason::kBadKind;
}

// Spec 13, handshake.
Bytes encode_hello(const Hello& hello) {
    Writer w(kHelloBytes);
    w.u32(hello.version).fixed(hello.network).u8(hello.roles).u64(hello.incarnation);
    return w.take();
}

Checked<Hello> decode_hello(ByteView payload) {
    Reader r(payload);
    Hello hello;
    hello.version = r.u32();
    if (r.failed()) return refuse(r.verdict());
    if (hello.version != kTransportVersion) return refuse(Reason::kBadVersion);
    hello.network = r.fixed<NetworkId>();
    hello.roles = r.u8();
    hello.incarnation = r.u64();
    if (const Verdict form = r.finish(); !form) return refuse(form);
    if (hello.roles == 0 || (hello.roles & ~kAllRoles) != 0) return refuse(Reason::kBadField);
    return hello;
}

// Spec 13, handshake: goodbye 2, 3, 4, 7.
std::optional<Goodbye> judge_hello(const Checked<Hello>& hello, const NetworkId& network) {
    if (!hello) {
        if (hello.error().reason == Reason::kBadVersion) return Goodbye::kVersion;
        if (hello.error().reason == Reason::kBadField) return Goodbye::kRoles;
        return Goodbye::kMalformed;
    }
    if (hello->network != network) return Goodbye::kNetwork;
    return std::nullopt;
}

// Spec 13: goodbye and refusal.
Bytes encode_notice(const Notice& notice) {
    Writer w(kNoticeBytes);
    w.u8(notice.code).u32(notice.detail);
    return w.take();
}

Checked<Notice> decode_notice(FrameType type, ByteView payload) {
    Reader r(payload);
    Notice notice;
    notice.code = r.u8();
    notice.detail = r.u32();
    if (const Verdict form = r.finish(); !form) return refuse(form);
    const std::uint8_t last = type == FrameType::kGoodbye ? kLastGoodbye : kLastRefusal;
    if (notice.code == 0 || notice.code > last) return refuse(Reason::kBadField);
    return notice;
}

}  // namespace holdfast
