#include "core/keys.hpp"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace holdfast {
namespace {

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* p) const {
        Free(p);
    }
};
using Pkey = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using MdCtx = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using Bn = std::unique_ptr<BIGNUM, Deleter<BN_free>>;
using BnCtx = std::unique_ptr<BN_CTX, Deleter<BN_CTX_free>>;

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

/// Whether x^2 = (y^2 - 1) / (d y^2 + 1) has a root, with d = -121665/121666: RFC 8032
/// section 5.1.3. Multiplied through by 121666: (y^2 - 1) * 121666 * (121666 - 121665 y^2) must be
/// a square, since a/b and a*b differ by the square b^2.
bool on_curve(const PublicKey& key) {
    const std::array<std::uint8_t, 32> y_bytes = y_of(key);
    const BnCtx ctx(BN_CTX_new());
    const Bn p(BN_new()), y(BN_lebin2bn(y_bytes.data(), 32, nullptr)), yy(BN_new()), u(BN_new()),
        v(BN_new());
    BN_set_bit(p.get(), 255);
    BN_sub_word(p.get(), 19);
    BN_mod_sqr(yy.get(), y.get(), p.get(), ctx.get());
    const Bn one(BN_new()), c(BN_new());
    BN_one(one.get());
    BN_set_word(c.get(), 121666);
    BN_mod_sub(u.get(), yy.get(), one.get(), p.get(), ctx.get());
    BN_mod_mul(u.get(), u.get(), c.get(), p.get(), ctx.get());
    BN_copy(v.get(), yy.get());
    BN_mul_word(v.get(), 121665);
    BN_mod_sub(v.get(), c.get(), v.get(), p.get(), ctx.get());
    BN_mod_mul(u.get(), u.get(), v.get(), p.get(), ctx.get());
    return BN_kronecker(u.get(), p.get(), ctx.get()) >= 0;  // 1 a square, 0 zero, -1 neither
}

}  // namespace

// Spec 0, signatures (1).
bool key_is_canonical(const PublicKey& key) {
    const std::array<std::uint8_t, 32> y = y_of(key);
    if (!less_than_p(y)) return false;
    // x = 0 exactly where y = 1 or y = -1; its sign bit must then be clear.
    std::array<std::uint8_t, 32> one{};
    one[0] = 1;
    const bool x_is_zero = y == one || y == p_minus_one();
    return !(x_is_zero && sign_of(key)) && on_curve(key);
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
    // OpenSSL checks S < L, the cofactorless equation and R byte for byte, and refuses keys that
    // are off the curve; it would take a y of p or more, and a zero x with its sign set.
    const std::array<std::uint8_t, 32> y = y_of(key);
    std::array<std::uint8_t, 32> one{};
    one[0] = 1;
    if (!less_than_p(y) || (sign_of(key) && (y == one || y == p_minus_one())))
        return Reason::kBadKey;
    const Pkey pkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
    const MdCtx ctx(EVP_MD_CTX_new());
    HOLDFAST_CHECK(pkey && ctx);
    HOLDFAST_CHECK(EVP_DigestVerifyInit(ctx.get(), nullptr, nullptr, nullptr, pkey.get()) == 1);
    const int good = EVP_DigestVerify(ctx.get(), signature.data(), signature.size(), message.data(),
                                      message.size());
    return good == 1 ? Reason::kOk : Reason::kBadSignature;
}

KeyPair KeyPair::from_secret(ByteView secret32) {
    HOLDFAST_CHECK(secret32.size() == 32);
    KeyPair pair;
    EVP_PKEY* const pkey =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, secret32.data(), secret32.size());
    HOLDFAST_CHECK(pkey != nullptr);
    pair.secret_ =
        std::shared_ptr<void>(pkey, [](void* p) { EVP_PKEY_free(static_cast<EVP_PKEY*>(p)); });
    std::size_t length = pair.public_.size();
    HOLDFAST_CHECK(EVP_PKEY_get_raw_public_key(pkey, pair.public_.data(), &length) == 1);
    return pair;
}

KeyPair KeyPair::external(const PublicKey& key, Sign sign) {
    HOLDFAST_CHECK(sign != nullptr);
    KeyPair pair;
    pair.public_ = key;
    pair.external_ = std::move(sign);
    return pair;
}

Result<Signature> KeyPair::sign(ByteView message) const {
    if (external_) {
        HOLDFAST_ASSIGN(signature, external_(message));
        if (const Verdict v = verify_signature(public_, message, signature); !v) {
            return fail(ErrorCode::kUnavailable,
                        "what the signer gave is no signature of its key: " + to_string(v));
        }
        return signature;
    }
    const MdCtx ctx(EVP_MD_CTX_new());
    HOLDFAST_CHECK(secret_ && ctx);
    Signature out;
    std::size_t length = out.size();
    HOLDFAST_CHECK(EVP_DigestSignInit(ctx.get(), nullptr, nullptr, nullptr,
                                      static_cast<EVP_PKEY*>(secret_.get())) == 1);
    HOLDFAST_CHECK(EVP_DigestSign(ctx.get(), out.data(), &length, message.data(), message.size()) ==
                   1);
    return out;
}

}  // namespace holdfast
