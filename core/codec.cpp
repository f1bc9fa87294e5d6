#include "core/codec.hpp"

namespace holdfast {

ByteView Reader::raw(std::uint64_t n) {
    if (failed()) return {};
    if (n > remaining()) {
        refuse(Reason::kTruncated);
        return {};
    }
    const ByteView out = bytes_.subspan(at_, static_cast<std::size_t>(n));
    at_ += static_cast<std::size_t>(n);
    return out;
}

std::uint8_t Reader::u8() {
    const ByteView v = raw(1);
    return v.empty() ? std::uint8_t{0} : v[0];
}

std::uint32_t Reader::u32() {
    const ByteView v = raw(4);
    return v.empty() ? 0 : load_le32(v.data());
}

std::uint64_t Reader::u64() {
    const ByteView v = raw(8);
    return v.empty() ? 0 : load_le64(v.data());
}

Writer& Writer::u8(std::uint8_t v) {
    bytes_.push_back(v);
    return *this;
}

Writer& Writer::u32(std::uint32_t v) {
    std::uint8_t raw_bytes[4];
    store_le32(raw_bytes, v);
    return raw(raw_bytes);
}

Writer& Writer::u64(std::uint64_t v) {
    std::uint8_t raw_bytes[8];
    store_le64(raw_bytes, v);
    return raw(raw_bytes);
}

Writer& Writer::raw(ByteView v) {
    bytes_.insert(bytes_.end(), v.begin(), v.end());
    return *this;
}

Writer& Writer::digests(std::span<const Digest> v) {
    for (const Digest& d : v) fixed(d);
    return *this;
}

// Spec 0: least significant byte first.
void store_le32(std::uint8_t* out, std::uint32_t v) {
    for (int i = 0; i < 4; ++i) out[i] = static_cast<std::uint8_t>(v >> (8 * i));
}

void store_le64(std::uint8_t* out, std::uint64_t v) {
    for (int i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(v >> (8 * i));
}

std::uint32_t load_le32(const std::uint8_t* in) {
    std::uint32_t v = 0;
    for (int i = 0; i < 4; ++i) v |= std::uint32_t{in[i]} << (8 * i);
    return v;
}

std::uint64_t load_le64(const std::uint8_t* in) {
    std::uint64_t v = 0;
    for (int i = 0; i < 8; ++i) v |= std::uint64_t{in[i]} << (8 * i);
    return v;
}

namespace {

constexpr std::string_view kKindNames[] = {
    "",
    "registration",
    "update",
    "seal-proof",
    "receipt",
    "compact",
    "full",
    "path",
    "window",
    "vdf-proof",
    "vdf-segment",
    "challenge",
    "response",
    "outcome",
    "manifest",
    "checkpoint",
    "evidence",
    "replica-file",
    "tree-file",
    "network",
    "removal",
    "challenger",
    "bundle",
    "member",
    "short-compact",
    "short-full",
    "acknowledgement",
    "outcome2",
    "head",
    "challenge2",
};

}  // namespace

std::string_view to_string(Kind kind) {
    const auto i = static_cast<std::size_t>(kind);
    return i < std::size(kKindNames) ? kKindNames[i] : "unknown";
}

// Spec 0, bodies and objects: an object that stands alone.
Bytes wrap_object(Kind kind, ByteView body) {
    Writer w(body.size() + 2);
    w.u8(kProtocolVersion).u8(static_cast<std::uint8_t>(kind)).raw(body);
    return w.take();
}

Checked<Kind> peek_kind(ByteView object) {
    if (object.size() < 2) return refuse(Reason::kTruncated);
    if (object[0] != kProtocolVersion) return refuse(Reason::kBadVersion);
    if (object[1] == 0 || object[1] >= std::size(kKindNames)) return refuse(Reason::kBadKind);
    return static_cast<Kind>(object[1]);
}

Checked<ByteView> unwrap_object(Kind kind, ByteView object) {
    HOLDFAST_ASSIGN(found, peek_kind(object));
    if (found != kind) return refuse(Reason::kBadKind);
    return object.subspan(2);
}

}  // namespace holdfast
