#include "core/hash.hpp"

#include <cstring>

#include "core/codec.hpp"

namespace holdfast {

Digest sha256(ByteView bytes) { return Sha256().update(bytes).finish(); }

// Spec 0: H(tag; …) begins with the length of the prefixed tag, then that tag.
TaggedHash::TaggedHash(std::string_view tag) {
    HOLDFAST_CHECK(kTagPrefix.size() + tag.size() <= kMaxTagBytes);
    const std::uint8_t length = static_cast<std::uint8_t>(kTagPrefix.size() + tag.size());
    hash_.update({&length, 1}).update(view(kTagPrefix)).update(view(tag));
}

TaggedHash& TaggedHash::add(std::uint8_t v) {
    hash_.update({&v, 1});
    return *this;
}

TaggedHash& TaggedHash::add(std::uint32_t v) {
    std::uint8_t raw[4];
    store_le32(raw, v);
    hash_.update(raw);
    return *this;
}

TaggedHash& TaggedHash::add(std::uint64_t v) {
    std::uint8_t raw[8];
    store_le64(raw, v);
    hash_.update(raw);
    return *this;
}

TaggedHash& TaggedHash::add(ByteView bytes) {
    hash_.update(bytes);
    return *this;
}

// Spec 0, Merkle trees.
Digest leaf_hash(ByteView data) {
    const std::uint8_t prefix = 0;
    return Sha256().update({&prefix, 1}).update(data).finish();
}

// Spec 0, Merkle trees.
Digest node_hash(const Digest& left, const Digest& right) {
    std::uint8_t message[1 + 2 * kDigestBytes];
    message[0] = 1;
    std::memcpy(message + 1, left.data(), kDigestBytes);
    std::memcpy(message + 1 + kDigestBytes, right.data(), kDigestBytes);
    return sha256(message);
}

// Spec 0, probability.
bool hits(const Digest& h, std::uint64_t n, std::uint64_t d) {
    __extension__ using U128 = unsigned __int128;
    // n * 2^64 needs more than 128 bits only if n >= 2^64, which its type excludes.
    return U128{load_le64(h.data())} * d < (U128{n} << 64);
}

}  // namespace holdfast
