// Ed25519 under the protocol's one rule. Key files and new keys: storage/key_file.hpp.
//
// The rule (spec section 0): S < L, cofactorless equation, R compared byte for byte, public keys
// that are not canonical refused everywhere, those of small order refused where a key is
// registered. Verification is pure and belongs to the trusted rooms. Secret keys are wiped when
// they go out of scope and are never printed. RFC 8032.
#pragma once

#include <functional>
#include <memory>

#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// True when `key` is the canonical encoding of a point on the curve.
[[nodiscard]] bool key_is_canonical(const PublicKey& key);
/// True when the key is one of the eight points whose order divides 8.
[[nodiscard]] bool key_is_small_order(const PublicKey& key);
/// kBadKey for a key that may not be registered: not canonical, or of small order.
[[nodiscard]] Verdict check_registrable_key(const PublicKey& key);
/// kBadKey for a key that is not canonical, kBadSignature for a signature that does not hold.
[[nodiscard]] Verdict verify_signature(const PublicKey& key, ByteView message,
                                       const Signature& signature);

/// A key that signs: a secret key of this process, wiped on destruction, or one whose secret is
/// elsewhere (a host's signer, callbacks/signer.hpp). Movable, not copyable.
class KeyPair {
  public:
    /// From the 32-byte RFC 8032 secret.
    static KeyPair from_secret(ByteView secret32);
    /// A key whose secret is elsewhere: `sign` is asked for each signature, from any thread.
    using Sign = std::function<Result<Signature>(ByteView message)>;
    static KeyPair external(const PublicKey& key, Sign sign);

    KeyPair(KeyPair&& other) noexcept = default;
    KeyPair& operator=(KeyPair&& other) noexcept = default;
    KeyPair(const KeyPair&) = delete;
    KeyPair& operator=(const KeyPair&) = delete;
    ~KeyPair() = default;

    [[nodiscard]] const PublicKey& public_key() const { return public_; }
    /// Deterministic (RFC 8032). Thread-safe. A secret of this process always signs; an external
    /// key's errors are those of whoever holds it, kUnavailable where its answer does not verify.
    [[nodiscard]] Result<Signature> sign(ByteView message) const;
    /// OpenSSL's key object (an EVP_PKEY), shared, for a TLS context and for saving alone: what TLS
    /// signs starts with 64 spaces and is never the 32 bytes that the protocol signs. Null for an
    /// external key.
    [[nodiscard]] std::shared_ptr<void> openssl_key() const { return secret_; }

  private:
    KeyPair() = default;
    std::shared_ptr<void> secret_;  // OpenSSL's key object: made once, wiped when freed
    Sign external_;                 // instead of a secret
    PublicKey public_{};
};

}  // namespace holdfast
