// Canonical encoding: little-endian, fixed width, no padding, lengths checked before allocation.
//
// A Reader never allocates and never reads past its bytes; its first failure sticks, later reads
// give zeros, and finish() reports it. A Writer only grows its own vector. Spec: docs/spec.md
// section 0.
#pragma once

#include "core/constants.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// Takes canonical bytes apart; after the first failure everything fails.
class Reader {
  public:
    explicit Reader(ByteView bytes) : bytes_(bytes) {}

    std::uint8_t u8();
    std::uint32_t u32();
    std::uint64_t u64();
    Height height() { return Height(u64()); }

    /// Fills any FixedBytes (digests, keys, signatures): `auto id = r.fixed<ChainId>();`
    template <class T>
    T fixed() {
        T out{};
        const ByteView v = raw(T::size());
        if (v.size() == T::size()) std::copy(v.begin(), v.end(), out.bytes.begin());
        return out;
    }

    /// The next n bytes in place; empty after a failure.
    ByteView raw(std::uint64_t n);
    [[nodiscard]] std::size_t remaining() const { return bytes_.size() - at_; }
    [[nodiscard]] std::size_t offset() const { return at_; }

    /// Marks the object as malformed, unless an earlier failure stands.
    void refuse(Reason reason) {
        if (failure_ == Reason::kOk) failure_ = reason;
    }
    [[nodiscard]] bool failed() const { return failure_ != Reason::kOk; }
    [[nodiscard]] Verdict verdict() const { return failure_; }
    /// Ok when nothing failed and nothing is left over.
    [[nodiscard]] Verdict finish() const {
        if (failed()) return failure_;
        return remaining() == 0 ? Reason::kOk : Reason::kTrailingBytes;
    }

  private:
    ByteView bytes_;
    std::size_t at_ = 0;
    Reason failure_ = Reason::kOk;
};

/// Puts canonical bytes together, little-endian.
class Writer {
  public:
    Writer() = default;
    explicit Writer(std::size_t expected_bytes) { bytes_.reserve(expected_bytes); }

    Writer& u8(std::uint8_t v);
    Writer& u32(std::uint32_t v);
    Writer& u64(std::uint64_t v);
    Writer& height(Height h) { return u64(h.value); }
    Writer& raw(ByteView v);
    template <std::size_t N>
    Writer& fixed(const FixedBytes<N>& v) {
        return raw(view(v));
    }
    Writer& digests(std::span<const Digest> v);

    [[nodiscard]] const Bytes& bytes() const { return bytes_; }
    [[nodiscard]] Bytes take() { return std::move(bytes_); }

  private:
    Bytes bytes_;
};

void store_le32(std::uint8_t* out, std::uint32_t v);
void store_le64(std::uint8_t* out, std::uint64_t v);
[[nodiscard]] std::uint32_t load_le32(const std::uint8_t* in);
[[nodiscard]] std::uint64_t load_le64(const std::uint8_t* in);

/// u8 version=1 || u8 kind || body.
Bytes wrap_object(Kind kind, ByteView body);
/// The body of a standing-alone object of this kind; kBadVersion, kBadKind or kTruncated otherwise.
Checked<ByteView> unwrap_object(Kind kind, ByteView object);
/// The kind that a standing-alone object claims; kTruncated, kBadVersion or kBadKind.
Checked<Kind> peek_kind(ByteView object);

}  // namespace holdfast
