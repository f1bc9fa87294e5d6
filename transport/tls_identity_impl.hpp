// TLS 1.3 between nodes that know each other by Ed25519 keys: contexts and sessions of OpenSSL.
//
// Both sides show a certificate that they made themselves from their key. Nothing in it counts but
// that key: there are no names, dates or authorities. OpenSSL checks that the peer holds the key
// (CertificateVerify, Ed25519 alone); whether that key is welcome is the caller's to say.
//
// Threading: a context is read by any thread once made; a session belongs to one.
#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "core/keys.hpp"

namespace holdfast {

struct FreeSslContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslContext = std::unique_ptr<SSL_CTX, FreeSslContext>;
using Ssl = std::unique_ptr<SSL, FreeSsl>;

/// For both sides. kUnsupported when OpenSSL was built without what this needs.
[[nodiscard]] Result<SslContext> make_tls_context(const KeyPair& key);
/// A session on a connected, non-blocking socket, which it does not own. Empty without memory.
[[nodiscard]] Ssl make_tls_session(SSL_CTX* context, int socket, bool dialled);
/// The key that the peer has proved to hold; after the TLS handshake.
[[nodiscard]] std::optional<PublicKey> tls_peer_key(const SSL* ssl);

}  // namespace holdfast
