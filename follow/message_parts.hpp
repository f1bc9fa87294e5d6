// What the codecs of section 14's messages share: heads, counts, flags, parts of bytes and hashes.
//
// Every length is checked before anything is allocated. Internal to this room. Pure, any thread.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "callbacks/beacon.hpp"
#include "core/codec.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// Functions of several types as one visitor.
template <class... Ts>
struct MessageCases : Ts... {
    using Ts::operator()...;
};
template <class... Ts>
MessageCases(Ts...) -> MessageCases<Ts...>;

/// Version, kind, and which question or answer it is.
inline Writer begin_message(std::uint8_t kind, std::uint8_t what, std::size_t body_bytes) {
    Writer w(3 + body_bytes);
    w.u8(kProtocolVersion).u8(kind).u8(what);
    return w;
}

/// How many entries follow, when the bytes that are left are exactly theirs; 0 otherwise, and the
/// reader has failed.
inline std::uint32_t read_count(Reader& r, std::uint32_t most, std::size_t entry_bytes) {
    const std::uint32_t count = r.u32();
    if (count > most) r.refuse(Reason::kTooLarge);
    const std::size_t needed = count * entry_bytes;
    if (r.remaining() < needed) r.refuse(Reason::kTruncated);
    if (r.remaining() > needed) r.refuse(Reason::kTrailingBytes);
    return r.failed() ? 0 : count;
}

/// How many entries of at least so many bytes follow, with others behind them; 0 after a failure.
inline std::uint32_t read_list(Reader& r, std::uint32_t most, std::size_t least_entry_bytes) {
    const std::uint32_t count = r.u32();
    if (count > most) r.refuse(Reason::kTooLarge);
    if (r.remaining() < count * least_entry_bytes) r.refuse(Reason::kTruncated);
    return r.failed() ? 0 : count;
}

inline bool read_flag(Reader& r) {
    const std::uint8_t flag = r.u8();
    if (flag > 1) r.refuse(Reason::kBadField);
    return flag == 1;
}

/// `u32 n` and n bytes, at most `most` of them.
inline Bytes read_bytes(Reader& r, std::uint32_t most) {
    const std::uint32_t n = r.u32();
    if (n > most) r.refuse(Reason::kTooLarge);
    if (r.failed()) return {};
    const ByteView bytes = r.raw(n);
    return {bytes.begin(), bytes.end()};
}
inline void write_bytes(Writer& w, ByteView bytes) {
    w.u32(static_cast<std::uint32_t>(bytes.size())).raw(bytes);
}

/// `u32 k` and k hashes.
inline std::vector<Digest> read_hashes(Reader& r, std::uint32_t most) {
    std::vector<Digest> out(read_list(r, most, kDigestBytes));
    for (Digest& hash : out) hash = r.fixed<Digest>();
    return out;
}
inline void write_hashes(Writer& w, std::span<const Digest> hashes) {
    w.u32(static_cast<std::uint32_t>(hashes.size())).digests(hashes);
}

/// `u8 0`, or `u8 1` and the value.
template <class T>
std::optional<T> read_optional(Reader& r) {
    if (!read_flag(r)) return std::nullopt;
    if constexpr (std::is_same_v<T, Height>) {
        return r.height();
    } else {
        return r.fixed<T>();
    }
}
template <class T>
void write_optional(Writer& w, const std::optional<T>& value) {
    w.u8(value ? 1 : 0);
    if (!value) return;
    if constexpr (std::is_same_v<T, Height>) {
        w.height(*value);
    } else {
        w.fixed(*value);
    }
}

inline BeaconRound read_beacon(Reader& r) {
    BeaconRound out;
    out.round = r.u64();
    out.randomness = r.fixed<Digest>();
    out.proof = read_bytes(r, kMaxBeaconProofBytes);
    return out;
}
inline void write_beacon(Writer& w, const BeaconRound& round) {
    w.u64(round.round).fixed(round.randomness);
    write_bytes(w, round.proof);
}

template <class T, class Key>
bool ascends(const std::vector<T>& values, const Key& key) {
    return std::adjacent_find(values.begin(), values.end(), [&](const T& a, const T& b) {
               return !(key(a) < key(b));
           }) == values.end();
}

}  // namespace holdfast
