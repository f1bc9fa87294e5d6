// A host's own key store: signatures by a key whose secret this process never sees (a hardware
// module, a signing service, a wallet).
//
// What is signed is always 32 bytes, a digest of spec section 0. Signatures must be those of RFC
// 8032, which are deterministic: the ends of reveal chains are made of them (spec section 5), and a
// signer that answers the same question twice in two ways would lose its reveals with a restart.
//
// Threading   sign() may be called from several threads at once, never under a lock of the engine's
//             that the host could need.
// Time-out    an implementation bounds each call itself and then gives kTimeout.
// Failure     any error: nothing is signed, what needed the signature is made again later.
// Ownership   shared: the key that key_of() gives keeps the signer alive.
// Spec sections 0 (signatures) and 5 (reveals).
//
//     Result<Signature> MyModule::sign(ByteView message) {
//         const auto answer = session_.sign(slot_, message, Mechanism::kEd25519);
//         if (!answer) return fail(ErrorCode::kUnavailable, "the module is locked");
//         return *answer;
//     }
//     HOLDFAST_ASSIGN(key, key_of(std::make_shared<MyModule>()));  // wherever a KeyPair is wanted
#pragma once

#include <memory>

#include "core/keys.hpp"

namespace holdfast {

class Signer {
  public:
    virtual ~Signer() = default;
    /// The key that it signs by; the same for as long as the signer lives.
    [[nodiscard]] virtual PublicKey public_key() const = 0;
    /// The signature over `message` (32 bytes).
    [[nodiscard]] virtual Result<Signature> sign(ByteView message) = 0;
};

/// The key of a signer, asked twice for one signature to see that it is one and the same. Each
/// later answer is verified before it is used; an exception becomes kUnavailable. kInvalidArgument:
/// null, or a key that may not be registered; kUnavailable: it throws, does not sign for its key,
/// or signs in two ways; else the signer's own error.
[[nodiscard]] Result<KeyPair> key_of(const std::shared_ptr<Signer>& signer);

}  // namespace holdfast
