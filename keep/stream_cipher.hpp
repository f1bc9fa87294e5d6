// Encryption of a file by its owner: AES-256-GCM with HKDF-SHA-256, in segments, in the wire format
// of Tink's streaming AEAD (AES256_GCM_HKDF, here with ciphertext segments of 1 MiB), so that other
// software can decrypt.
//
// The ciphertext is `u8 40 || salt 32 || nonce prefix 7` and the segments behind it. Header and
// first segment together fill one segment's place, so that segment s begins at byte s * 1 MiB, and
// any one is read without the others. A segment's nonce is `prefix || u32 big-endian number || u8 1
// for the last`: cutting off, swapping or repeating segments does not decrypt.
//
// Pure but for draw(); any thread. Sizes in bytes. Spec: docs/spec.md section 16.2; the format:
// developers.google.com/tink/streaming-aead/aes_gcm_hkdf_streaming. Key derivation: RFC 5869.
#pragma once

#include <array>

#include "core/keys.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

inline constexpr std::uint32_t kCipherSegmentBytes = std::uint32_t{1} << 20;
inline constexpr std::size_t kStreamHeaderBytes = 40;
inline constexpr std::size_t kCipherTagBytes = 16;

/// How a file is cut into segments, and where these lie. With neither header nor tag (a file that
/// is not encrypted) a segment is the plain bytes.
struct StreamShape {
    std::uint64_t plain_len = 0;
    bool encrypted = true;
    std::uint32_t segment_bytes = kCipherSegmentBytes;

    /// At least one; an empty file that is not encrypted has none.
    [[nodiscard]] std::uint64_t segments() const;
    /// Plain bytes plus header and tags. UINT64_MAX where it would not fit.
    [[nodiscard]] std::uint64_t cipher_len() const;
    [[nodiscard]] std::uint64_t plain_begin(std::uint64_t segment) const;
    [[nodiscard]] std::size_t plain_bytes(std::uint64_t segment) const;
    [[nodiscard]] std::uint64_t cipher_begin(std::uint64_t segment) const {
        return segment * segment_bytes;
    }
    /// With the header in front of the first.
    [[nodiscard]] std::size_t cipher_bytes(std::uint64_t segment) const;
    /// Of the segment that holds this plain byte.
    [[nodiscard]] std::uint64_t segment_of(std::uint64_t plain_offset) const;

  private:
    [[nodiscard]] std::size_t header() const { return encrypted ? kStreamHeaderBytes : 0; }
    [[nodiscard]] std::size_t tag() const { return encrypted ? kCipherTagBytes : 0; }
};

/// What stands in front of a ciphertext: drawn once for each, never used for another.
struct StreamHeader {
    std::array<std::uint8_t, 32> salt{};
    std::array<std::uint8_t, 7> prefix{};
    friend bool operator==(const StreamHeader&, const StreamHeader&) = default;

    /// From the operating system's randomness.
    [[nodiscard]] static Result<StreamHeader> draw();
    [[nodiscard]] Bytes encode() const;
    /// kTruncated, kBadField (the length that it says).
    [[nodiscard]] static Checked<StreamHeader> decode(ByteView bytes);
};

/// A secret of 32 bytes, wiped when it goes out of scope.
class StreamKey {
  public:
    explicit StreamKey(ByteView secret32);
    StreamKey(const StreamKey&) = default;
    StreamKey& operator=(const StreamKey&) = default;
    ~StreamKey();
    [[nodiscard]] ByteView bytes() const { return secret_; }

  private:
    std::array<std::uint8_t, 32> secret_{};
};

/// The key of one file, from its owner's secret and the salt of its manifest (spec 16.2).
/// kUnsupported for a key whose secret is with a signer.
[[nodiscard]] Result<StreamKey> kept_file_key(const KeyPair& owner, const Digest& salt);

/// Encrypts and decrypts the segments of one ciphertext. `associated`: bound to it, and not in it.
class StreamCipher {
  public:
    StreamCipher(const StreamKey& key, const StreamHeader& header, const StreamShape& shape,
                 ByteView associated = {});

    [[nodiscard]] const StreamShape& shape() const { return shape_; }
    /// `plain` has plain_bytes(segment) bytes, `out` cipher_bytes(segment).
    void encrypt(std::uint64_t segment, ByteView plain, MutByteView out) const;
    /// The other way round; kCorrupt where the tag does not hold (a wrong key, altered bytes): then
    /// `out` is zeros.
    [[nodiscard]] Status decrypt(std::uint64_t segment, ByteView cipher, MutByteView out) const;

  private:
    [[nodiscard]] std::array<std::uint8_t, 12> nonce(std::uint64_t segment) const;

    StreamHeader header_;
    StreamShape shape_;
    StreamKey derived_;
};

}  // namespace holdfast
