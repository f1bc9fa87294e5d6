// Frames of the transport between two nodes, and the handshake inside them: bytes and bounds alone.
//
// A frame is a header of 14 bytes and a payload of the length that the header says. The header
// alone decides whether the payload may follow: its length is checked against the bound of the
// frame's type, and of the object that it announces, before anything is allocated.
//
// Pure values, safe in any thread. Malformed bytes are a verdict. Spec: docs/spec.md section 13.
#pragma once

#include <optional>
#include <string_view>

#include "core/codec.hpp"

namespace holdfast {

inline constexpr std::uint32_t kTransportVersion = 1;
inline constexpr std::size_t kFrameHeaderBytes = 14;
inline constexpr std::size_t kHelloBytes = 45;
inline constexpr std::size_t kNoticeBytes = 5;  // payload of goodbye and refusal

enum class FrameType : std::uint8_t {
    kHello = 1,     // first frame of both sides
    kGoodbye = 2,   // why the sender closes the connection
    kPing = 3,      // answered at once, whatever else is in flight
    kPong = 4,      // bears the ping's number
    kRequest = 5,   // wants a response or a refusal
    kResponse = 6,  // bears the request's number
    kRefusal = 7,   // bears the number of the request or post
    kPost = 8,      // handed over once, however often it arrives; answered like a request
};

/// Why a connection ends, told by the side that ends it.
enum class Goodbye : std::uint8_t {
    kStopping = 1,    // the node goes down
    kVersion = 2,     // detail: the version that the sender speaks
    kNetwork = 3,     // another network
    kRoles = 4,       // no role, or unknown ones
    kNotAllowed = 5,  // the sender does not serve this key
    kTooMany = 6,     // a ceiling on connections is reached
    kMalformed = 7,   // detail: the Reason of the frame's refusal
    kIdle = 8,        // nothing arrived for too long
    kReplaced = 9,    // the same key has reconnected
};
[[nodiscard]] std::string_view to_string(Goodbye code);

/// Why a request or a post is not answered.
enum class Refusal : std::uint8_t {
    kBusy = 1,       // a ceiling is reached; try later
    kUnserved = 2,   // the node answers no requests
    kRefused = 3,    // detail: the Reason that the node gives
    kFailed = 4,     // the node could not, for reasons of its own
    kDuplicate = 5,  // a message of this number has been taken before
    kStale = 6,      // the number is too old to tell whether it has been taken
};

struct FrameHeader {
    std::uint32_t length = 0;  // bytes of the payload
    FrameType type = FrameType::kHello;
    /// Second byte of the object in the payload of a request or post; 0 in all other frames.
    std::uint8_t kind = 0;
    std::uint64_t number = 0;
    friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

/// The largest message that travels: a bundle of 16,384 members.
inline constexpr std::uint32_t kMostRequestBytes =
    2 + kBundleFixedBytes + kBundleMaxMembers * kBundleEntryBytes;

struct FrameBounds {
    std::uint32_t max_request_bytes = kMostRequestBytes;  // also of a post; each kind has its own
    std::uint32_t max_response_bytes = std::uint32_t{16} << 20;
};

/// Of the messages of applications, those that may be as large: one brings many objects at once
/// (section 14), the other a piece of a deposit (section 16.1).
inline constexpr std::uint8_t kLargeApplicationKind = 66;
inline constexpr std::uint8_t kDepositApplicationKind = 68;
/// Kinds from here on are messages of applications, not of the protocol.
inline constexpr std::uint8_t kFirstApplicationKind = 64;

[[nodiscard]] Bytes encode_frame_header(const FrameHeader& header);
/// Exactly kFrameHeaderBytes. kBadKind for a type or kind that is not one or does not travel,
/// kTooLarge or kTruncated for a length outside the bounds of type and kind, kBadField for a number
/// or kind where none is.
[[nodiscard]] Checked<FrameHeader> decode_frame_header(ByteView bytes, const FrameBounds& bounds);
/// The header of a frame that bears such a message: kTruncated, kBadVersion or kBadKind for one
/// that is no object (u8 version || u8 kind || body), kTooLarge or kTruncated for a wrong size.
[[nodiscard]] Checked<FrameHeader> header_for_message(FrameType type, ByteView message,
                                                      const FrameBounds& bounds);
/// Whether what arrived is the object that the header announces. Responses are not looked into.
[[nodiscard]] Verdict check_frame_payload(const FrameHeader& header, ByteView payload);

struct Hello {
    std::uint32_t version = kTransportVersion;
    NetworkId network;
    std::uint8_t roles = 0;         // bits, see kRole…
    std::uint64_t incarnation = 0;  // random, another one for each run of the sender
    friend bool operator==(const Hello&, const Hello&) = default;
};
inline constexpr std::uint8_t kRoleProver = 1;
inline constexpr std::uint8_t kRoleChallenger = 2;
inline constexpr std::uint8_t kRoleReader = 4;
inline constexpr std::uint8_t kAllRoles = kRoleProver | kRoleChallenger | kRoleReader;

[[nodiscard]] Bytes encode_hello(const Hello& hello);
/// The first four bytes are the version in every version: another one is kBadVersion, whatever
/// follows. kTruncated, kTrailingBytes; kBadField for roles that are none or unknown.
[[nodiscard]] Checked<Hello> decode_hello(ByteView payload);
/// What the peer of such a hello is told; none when it fits.
[[nodiscard]] std::optional<Goodbye> judge_hello(const Checked<Hello>& hello,
                                                 const NetworkId& network);

/// Payload of a goodbye or a refusal: a code and a number that the code explains.
struct Notice {
    std::uint8_t code = 0;
    std::uint32_t detail = 0;
    friend bool operator==(const Notice&, const Notice&) = default;
};
/// Detail of Goodbye::kReplaced: the connection that replaces this one is of another run of the
/// peer.
inline constexpr std::uint32_t kReplacedByAnotherRun = 1;
[[nodiscard]] Bytes encode_notice(const Notice& notice);
/// kBadField for a code that frames of this type do not have.
[[nodiscard]] Checked<Notice> decode_notice(FrameType type, ByteView payload);

}  // namespace holdfast
