// SHA-256, tagged hashes H(tag; …) and the batch entry for many equal-length messages.
//
// Pure functions of bytes, any thread, no allocation. Part of the trusted rooms.
// Spec: docs/spec.md section 0; FIPS 180-4; RFC 9162 for the 0x00 and 0x01 prefixes.
#pragma once

#include <concepts>
#include <optional>
#include <span>

#include "core/constants.hpp"
#include "core/types.hpp"

namespace holdfast {

/// Streaming SHA-256. Copyable: a copy continues from the same state.
class Sha256 {
  public:
    Sha256();
    Sha256& update(ByteView bytes);
    /// The digest of all bytes so far; the object must not be updated afterwards.
    [[nodiscard]] Digest finish();

  private:
    alignas(8) std::array<std::uint8_t, 112> state_;
};

[[nodiscard]] Digest sha256(ByteView bytes);

/// Builds H(tag; fields…). Integers are written little-endian at their own width; anything else as
/// its bytes. A field of variable width must be preceded by add_length.
class TaggedHash {
  public:
    /// `tag` without the holdfast/1/ prefix; at most 52 bytes.
    explicit TaggedHash(std::string_view tag);
    TaggedHash& add(std::uint8_t v);
    TaggedHash& add(std::uint32_t v);
    TaggedHash& add(std::uint64_t v);
    TaggedHash& add(ByteView bytes);
    template <std::size_t N>
    TaggedHash& add(const FixedBytes<N>& v) {
        return add(view(v));
    }
    template <class Tag>
    TaggedHash& add(StrongU64<Tag> v) {
        return add(v.value);
    }
    template <std::integral T>
    TaggedHash& add(T) = delete;  // say the width
    [[nodiscard]] Digest finish() { return hash_.finish(); }

  private:
    Sha256 hash_;
};

/// H(tag; fields…) in one call: `tagged_hash("chain", ownership, height, block_hash)`.
template <class... Fields>
[[nodiscard]] Digest tagged_hash(std::string_view tag, const Fields&... fields) {
    TaggedHash h(tag);
    (h.add(fields), ...);
    return h.finish();
}

/// Many messages of one length, `stride` bytes apart, each hashed behind an optional prefix byte.
struct HashBatch {
    const std::uint8_t* data = nullptr;
    std::size_t message_bytes = 0;
    std::size_t stride_bytes = 0;
    std::size_t count = 0;
    std::optional<std::uint8_t> prefix;
};

/// Digest i of message i. `out` holds exactly batch.count digests and may not overlap the input,
/// except that a 64-byte-message batch may write onto its own input front (tree levels in place).
/// The fastest way of this machine for the number and length of these messages.
void sha256_batch(const HashBatch& batch, std::span<Digest> out);

struct Sha256Run;  // core/sha256_kernel.hpp; the business of kernels alone

/// One way of hashing a batch (core/sha256_kernel.hpp). All give the same digests.
struct Sha256Kernel {
    std::string_view name;  // "portable", "avx2", "shani", "avx512"
    std::size_t lanes;      // messages that it works on at once
    void (*run)(const Sha256Run& run);
    bool (*usable)();  // this CPU has the instructions
};

/// All kernels of this build, portable first, fastest (for many messages) last.
std::span<const Sha256Kernel> sha256_kernels();
/// The fastest usable kernel that passed its self-test on this machine.
const Sha256Kernel& best_sha256_kernel();
/// By name; nullptr for one that this build lacks or this CPU cannot run.
const Sha256Kernel* find_sha256_kernel(std::string_view name);
/// The whole batch by this kernel and no other.
void sha256_batch(const Sha256Kernel& kernel, const HashBatch& batch, std::span<Digest> out);

/// RFC 9162 leaf hash SHA-256(0x00 || d) and node hash SHA-256(0x01 || left || right).
[[nodiscard]] Digest leaf_hash(ByteView data);
[[nodiscard]] Digest node_hash(const Digest& left, const Digest& right);

/// A probability n/d; `hits` when LE64(h[0..8]) * d < n * 2^64 (128-bit products). d >= 1.
[[nodiscard]] bool hits(const Digest& h, std::uint64_t n, std::uint64_t d);

}  // namespace holdfast
