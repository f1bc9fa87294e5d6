// What this room asks of a library of cryptography, beside Sha256's own methods (core/hash.hpp):
// the curve of Ed25519. One file implements all of it for one library; a build links one of them:
// backend_openssl.cpp, or the WebAssembly package's own. The rule for signatures itself is
// core/keys.cpp's and the same over each.
//
// Pure; any thread. Spec: docs/spec.md section 0 (signatures).
#pragma once

#include "core/types.hpp"

namespace holdfast::backend {

/// Whether a key whose y is below p encodes a point of the curve.
[[nodiscard]] bool on_curve(const PublicKey& key);
/// S < L, the cofactorless equation, R compared byte for byte. False where the key is off the
/// curve. The key's fields are canonical already; a key or an R of small order is not refused.
[[nodiscard]] bool signature_holds(const PublicKey& key, ByteView message,
                                   const Signature& signature);

}  // namespace holdfast::backend
