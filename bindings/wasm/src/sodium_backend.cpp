// SHA-256 and Ed25519 by libsodium's portable sources, for core/backend_impl.hpp.
//
// libsodium's own crypto_sign_ed25519_verify_detached refuses keys and R of small order, which the
// protocol's rule does not (spec section 0), so that the equation is put together here from the
// parts that it is made of there.
#include <string.h>

#include "core/backend_impl.hpp"
#include "core/hash.hpp"
#include "core/keys.hpp"

extern "C" {
#include "crypto_hash_sha256.h"
#include "crypto_hash_sha512.h"
#include "private/ed25519_ref10.h"
}

namespace holdfast {
namespace {

crypto_hash_sha256_state* sha_state(std::array<std::uint8_t, 112>& state) {
    return reinterpret_cast<crypto_hash_sha256_state*>(state.data());
}
static_assert(sizeof(crypto_hash_sha256_state) <= 112 && alignof(crypto_hash_sha256_state) <= 8);

}  // namespace

Sha256::Sha256() { crypto_hash_sha256_init(sha_state(state_)); }

Sha256& Sha256::update(ByteView bytes) {
    crypto_hash_sha256_update(sha_state(state_), bytes.data(), bytes.size());
    return *this;
}

Digest Sha256::finish() {
    Digest out;
    crypto_hash_sha256_final(sha_state(state_), out.data());
    return out;
}

namespace backend {

bool on_curve(const PublicKey& key) {
    ge25519_p3 point;
    return ge25519_frombytes_negate_vartime(&point, key.data()) == 0;
}

bool signature_holds(const PublicKey& key, ByteView message, const Signature& signature) {
    const std::uint8_t* const r = signature.data();
    const std::uint8_t* const s = signature.data() + 32;
    if (sc25519_is_canonical(s) == 0) return false;  // S < L
    ge25519_p3 minus_a;
    if (ge25519_frombytes_negate_vartime(&minus_a, key.data()) != 0) return false;
    crypto_hash_sha512_state hash;
    std::uint8_t k[crypto_hash_sha512_BYTES];
    crypto_hash_sha512_init(&hash);
    crypto_hash_sha512_update(&hash, r, 32);
    crypto_hash_sha512_update(&hash, key.data(), key.size());
    crypto_hash_sha512_update(&hash, message.data(), message.size());
    crypto_hash_sha512_final(&hash, k);
    sc25519_reduce(k);
    ge25519_p2 point;  // S B - k A, without the cofactor
    ge25519_double_scalarmult_vartime(&point, k, &minus_a, s);
    std::uint8_t computed[32];
    ge25519_tobytes(computed, &point);
    return memcmp(computed, r, sizeof(computed)) == 0;
}

}  // namespace backend
}  // namespace holdfast
