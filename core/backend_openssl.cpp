// SHA-256 and Ed25519 by OpenSSL.
//
// The low-level calls of SHA-256 cost 500 ns less a message than fetching through EVP.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "core/backend_impl.hpp"
#include "core/hash.hpp"
#include "core/keys.hpp"

namespace holdfast {
namespace {

SHA256_CTX* sha_state(std::array<std::uint8_t, 112>& state) {
    return reinterpret_cast<SHA256_CTX*>(state.data());
}
static_assert(sizeof(SHA256_CTX) == 112 && alignof(SHA256_CTX) <= 8);

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

}  // namespace

Sha256::Sha256() { SHA256_Init(sha_state(state_)); }

Sha256& Sha256::update(ByteView bytes) {
    SHA256_Update(sha_state(state_), bytes.data(), bytes.size());
    return *this;
}

Digest Sha256::finish() {
    Digest out;
    SHA256_Final(out.data(), sha_state(state_));
    return out;
}

namespace backend {

/// Whether x^2 = (y^2 - 1) / (d y^2 + 1) has a root, with d = -121665/121666: RFC 8032
/// section 5.1.3. Multiplied through by 121666: (y^2 - 1) * 121666 * (121666 - 121665 y^2) must be
/// a square, since a/b and a*b differ by the square b^2.
bool on_curve(const PublicKey& key) {
    std::array<std::uint8_t, 32> y_bytes = key.bytes;
    y_bytes[31] &= 0x7f;  // the sign of x
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

// OpenSSL checks S < L, the cofactorless equation and R byte for byte, and refuses keys that are
// off the curve.
bool signature_holds(const PublicKey& key, ByteView message, const Signature& signature) {
    const Pkey pkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
    const MdCtx ctx(EVP_MD_CTX_new());
    HOLDFAST_CHECK(pkey && ctx);
    HOLDFAST_CHECK(EVP_DigestVerifyInit(ctx.get(), nullptr, nullptr, nullptr, pkey.get()) == 1);
    return EVP_DigestVerify(ctx.get(), signature.data(), signature.size(), message.data(),
                            message.size()) == 1;
}

}  // namespace backend

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
