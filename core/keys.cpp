#include "core/keys.hpp"

#include "core/backend_impl.hpp"

namespace holdfast {
namespace {

/// y without the sign bit of x.
std::array<std::uint8_t, 32> y_of(const PublicKey& key) {
    std::array<std::uint8_t, 32> y = key.bytes;
    y[31] &= 0x7f;
    return y;
}

bool sign_of(const PublicKey& key) { return (key[31] & 0x80) != 0; }

/// Little-endian bytes of p - 1 = 2^255 - 20.
std::array<std::uint8_t, 32> p_minus_one() {
    std::array<std::uint8_t, 32> out;
    out.fill(0xff);
    out[0] = 0xec;
    out[31] = 0x7f;
    return out;
}

bool less_than_p(const std::array<std::uint8_t, 32>& y) {
    if (y[31] != 0x7f || y[0] < 0xed) return true;
    for (std::size_t i = 1; i < 31; ++i) {
        if (y[i] != 0xff) return true;
    }
    return false;
}

/// Whether y is below p, and no zero x has its sign bit set: all of canonical but the curve.
bool fields_are_canonical(const PublicKey& key) {
    const std::array<std::uint8_t, 32> y = y_of(key);
    if (!less_than_p(y)) return false;
    // x = 0 exactly where y = 1 or y = -1; its sign bit must then be clear.
    std::array<std::uint8_t, 32> one{};
    one[0] = 1;
    return !(sign_of(key) && (y == one || y == p_minus_one()));
}

}  // namespace

// Spec 0, signatures (1).
bool key_is_canonical(const PublicKey& key) {
    return fields_are_canonical(key) && backend::on_curve(key);
}

// Spec 0, signatures: the eight points whose order divides 8.
bool key_is_small_order(const PublicKey& key) {
    // y of the points of order 1, 2, 4, 8, 8; x may have either sign.
    static constexpr std::array<std::uint8_t, 32> kOrderEight[] = {
        {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
         0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
         0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
        {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
         0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
         0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05}};
    const std::array<std::uint8_t, 32> y = y_of(key);
    const std::array<std::uint8_t, 32> zero{};
    std::array<std::uint8_t, 32> one{};
    one[0] = 1;
    return y == one || y == p_minus_one() || y == zero || y == kOrderEight[0] ||
           y == kOrderEight[1];
}

// Spec 0: asked wherever a key is registered.
Verdict check_registrable_key(const PublicKey& key) {
    return key_is_canonical(key) && !key_is_small_order(key) ? Reason::kOk : Reason::kBadKey;
}

// Spec 0, signatures (1) to (3): the one rule.
Verdict verify_signature(const PublicKey& key, ByteView message, const Signature& signature) {
    if (!fields_are_canonical(key)) return Reason::kBadKey;
    return backend::signature_holds(key, message, signature) ? Reason::kOk : Reason::kBadSignature;
}

}  // namespace holdfast
