// Byte containers, digests and strong integer types shared by every room.
//
// All types here are plain values: copyable, comparable, without hidden state, safe to use from any
// thread. Digest kinds are distinct types so that a chain id cannot be passed where a block hash is
// meant; each converts implicitly to its common base Digest (for hashing) and explicitly back.
// Spec: docs/spec.md sections 0 (conventions) and 1 (units).
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using MutByteView = std::span<std::uint8_t>;

inline constexpr std::size_t kDigestBytes = 32;

/// A fixed run of bytes. Value-initialised to zeros.
template <std::size_t N>
struct FixedBytes {
    std::array<std::uint8_t, N> bytes{};

    static constexpr std::size_t kSize = N;
    [[nodiscard]] constexpr const std::uint8_t* data() const { return bytes.data(); }
    [[nodiscard]] constexpr std::uint8_t* data() { return bytes.data(); }
    [[nodiscard]] static constexpr std::size_t size() { return N; }
    [[nodiscard]] constexpr auto begin() const { return bytes.begin(); }
    [[nodiscard]] constexpr auto end() const { return bytes.end(); }
    [[nodiscard]] constexpr auto begin() { return bytes.begin(); }
    [[nodiscard]] constexpr auto end() { return bytes.end(); }
    constexpr std::uint8_t operator[](std::size_t i) const { return bytes[i]; }
    constexpr std::uint8_t& operator[](std::size_t i) { return bytes[i]; }
    [[nodiscard]] bool is_zero() const {
        return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
    }
    /// Byte-string order, as "lowest" and "smaller" mean in the spec.
    friend constexpr auto operator<=>(const FixedBytes&, const FixedBytes&) = default;
};

/// 32 bytes out of SHA-256, of no particular kind.
struct Digest : FixedBytes<kDigestBytes> {
    friend constexpr auto operator<=>(const Digest&, const Digest&) = default;
};

/// A digest of one particular kind. Construct explicitly: ChainId{digest}.
template <class Tag>
struct DigestOf : Digest {
    constexpr DigestOf() = default;
    constexpr explicit DigestOf(const Digest& d) : Digest(d) {}
    friend constexpr auto operator<=>(const DigestOf&, const DigestOf&) = default;
};

using NetworkId = DigestOf<struct NetworkIdTag>;
using ReplicaId = DigestOf<struct ReplicaIdTag>;
using ChainId = DigestOf<struct ChainIdTag>;
using BlockHash = DigestOf<struct BlockHashTag>;
using Root = DigestOf<struct RootTag>;            // root of a data tree (raw or sealed)
using Link = DigestOf<struct LinkTag>;            // link_h, or chain_id standing in for none
using GlobalDigest = DigestOf<struct GlobalTag>;  // global digest of a height; also an anchor
using Seed = DigestOf<struct SeedTag>;            // seed_h, input of the VDF
using VdfOutput = DigestOf<struct VdfOutputTag>;  // y_h
using EpochSeed = DigestOf<struct EpochSeedTag>;  // e_n
using Entropy = DigestOf<struct EntropyTag>;  // E of one chain and height; S of a seal challenge
using Reveal = DigestOf<struct RevealTag>;    // a_i of a reveal chain; zeros: none
using BondId = DigestOf<struct BondIdTag>;
using OffenceId = DigestOf<struct OffenceIdTag>;
using ChallengeId = DigestOf<struct ChallengeIdTag>;

/// An Ed25519 public key, 32 bytes.
struct PublicKey : FixedBytes<32> {
    friend constexpr auto operator<=>(const PublicKey&, const PublicKey&) = default;
};
/// An Ed25519 signature, 64 bytes.
struct Signature : FixedBytes<64> {
    friend constexpr auto operator<=>(const Signature&, const Signature&) = default;
};

/// A u64 that cannot be mixed with another kind of u64. Arithmetic with a plain u64 keeps the kind;
/// the difference of two is a plain u64. Additions saturate at 2^64-1: a height computed from
/// hostile bytes can never wrap round into an honest one.
template <class Tag>
struct StrongU64 {
    std::uint64_t value = 0;

    constexpr StrongU64() = default;
    constexpr explicit StrongU64(std::uint64_t v) : value(v) {}
    friend constexpr auto operator<=>(const StrongU64&, const StrongU64&) = default;

    constexpr StrongU64 operator+(std::uint64_t n) const {
        return StrongU64(value + n < value ? UINT64_MAX : value + n);
    }
    /// Saturates at zero.
    constexpr StrongU64 operator-(std::uint64_t n) const {
        return StrongU64(value < n ? 0 : value - n);
    }
    /// Distance to an earlier one; zero when `earlier` is not earlier.
    constexpr std::uint64_t since(StrongU64 earlier) const {
        return value < earlier.value ? 0 : value - earlier.value;
    }
    constexpr StrongU64& operator++() {
        ++value;
        return *this;
    }
};

using Height = StrongU64<struct HeightTag>;          // host chain height
using ChunkIndex = StrongU64<struct ChunkIndexTag>;  // 4,096-byte chunk within a replica
using ChunkCount = StrongU64<struct ChunkCountTag>;
using CellIndex = StrongU64<struct CellIndexTag>;  // 256-byte cell within a replica

/// Lower-case hex of any bytes.
std::string to_hex(ByteView bytes);
/// Reads hex of either case into `out`; false when the length or a digit is wrong.
[[nodiscard]] bool from_hex(std::string_view hex, MutByteView out);
/// Reads hex of any even length; false (and `out` untouched) when malformed.
[[nodiscard]] bool from_hex(std::string_view hex, Bytes& out);

template <std::size_t N>
constexpr ByteView view(const FixedBytes<N>& b) {
    return {b.bytes.data(), N};
}
inline ByteView view(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Hash for unordered containers used as indices only (never iterated into anything hashed).
struct DigestHash {
    std::size_t operator()(const Digest& d) const {
        std::size_t h = 0;
        for (std::size_t i = 0; i < sizeof(h); ++i) h |= std::size_t{d.bytes[i]} << (8 * i);
        return h;
    }
};

}  // namespace holdfast
