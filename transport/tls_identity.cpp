#include <openssl/err.h>
#include <openssl/x509.h>

#include "transport/tls_identity_impl.hpp"

namespace holdfast {
namespace {

// A chain of one small certificate; what is longer is refused before it is parsed.
constexpr long kMaxCertificateBytes = 2'048;

struct FreeCertificate {
    void operator()(X509* certificate) const { X509_free(certificate); }
};
using Certificate = std::unique_ptr<X509, FreeCertificate>;

// Spec 13, connection: a key that may be registered.
std::optional<PublicKey> key_of(const X509* certificate) {
    if (certificate == nullptr) return std::nullopt;
    EVP_PKEY* const pkey = X509_get0_pubkey(certificate);
    if (pkey == nullptr || EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519) return std::nullopt;
    PublicKey key;
    std::size_t length = key.size();
    if (EVP_PKEY_get_raw_public_key(pkey, key.data(), &length) != 1 || length != key.size()) {
        return std::nullopt;
    }
    return key;
}

/// In place of a chain of authorities: the certificate bears a key that may be registered.
int accept_own_key(X509_STORE_CTX* store, void*) {
    const auto key = key_of(X509_STORE_CTX_get0_cert(store));
    if (key && check_registrable_key(*key)) return 1;
    X509_STORE_CTX_set_error(store, X509_V_ERR_INVALID_PURPOSE);
    return 0;
}

/// The same bytes for the same key: nothing in it tells one run from another.
/// Spec 13, connection: one self-made certificate with the node's key.
Certificate make_certificate(EVP_PKEY* pkey) {
    Certificate certificate(X509_new());
    if (!certificate) return nullptr;
    X509* const x = certificate.get();
    X509_NAME* const name = X509_get_subject_name(x);
    const bool made = X509_set_version(x, X509_VERSION_3) == 1 &&
                      ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1 &&
                      ASN1_TIME_set_string_X509(X509_getm_notBefore(x), "19700101000000Z") == 1 &&
                      ASN1_TIME_set_string_X509(X509_getm_notAfter(x), "99991231235959Z") == 1 &&
                      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                 reinterpret_cast<const unsigned char*>("holdfast"),
                                                 -1, -1, 0) == 1 &&
                      X509_set_issuer_name(x, name) == 1 && X509_set_pubkey(x, pkey) == 1 &&
                      X509_sign(x, pkey, nullptr) > 0;
    return made ? std::move(certificate) : nullptr;
}

}  // namespace

// Spec 13, connection: TLS 1.3, X25519, Ed25519; no tickets, no early data.
Result<SslContext> make_tls_context(const KeyPair& key) {
    SslContext context(SSL_CTX_new(TLS_method()));
    const std::shared_ptr<void> secret = key.openssl_key();
    if (!secret) {
        return fail(ErrorCode::kUnsupported,
                    "a connection needs a key whose secret is here; give it one of its own");
    }
    EVP_PKEY* const pkey = static_cast<EVP_PKEY*>(secret.get());
    const Certificate certificate = make_certificate(pkey);
    SSL_CTX* const c = context.get();
    // OpenSSL's macros cast constness away.
    char signatures[] = "ed25519";
    char groups[] = "X25519";
    const bool made =
        c != nullptr && certificate && SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) == 1 &&
        SSL_CTX_set_max_proto_version(c, TLS1_3_VERSION) == 1 &&
        SSL_CTX_set1_sigalgs_list(c, signatures) == 1 && SSL_CTX_set1_groups_list(c, groups) == 1 &&
        SSL_CTX_use_certificate(c, certificate.get()) == 1 &&
        SSL_CTX_use_PrivateKey(c, pkey) == 1 && SSL_CTX_set_num_tickets(c, 0) == 1;
    if (!made) {
        ERR_clear_error();
        return fail(ErrorCode::kUnsupported,
                    "OpenSSL cannot do TLS 1.3 with Ed25519 and X25519; use 3.0 or later");
    }
    SSL_CTX_set_options(c, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    // Idle connections hold no record buffers; a write may go on from another copy of its bytes.
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_max_cert_list(c, kMaxCertificateBytes);
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_cert_verify_callback(c, accept_own_key, nullptr);
    return context;
}

Ssl make_tls_session(SSL_CTX* context, int socket, bool dialled) {
    Ssl ssl(SSL_new(context));
    if (!ssl || SSL_set_fd(ssl.get(), socket) != 1) return nullptr;
    if (dialled) {
        SSL_set_connect_state(ssl.get());
    } else {
        SSL_set_accept_state(ssl.get());
    }
    return ssl;
}

std::optional<PublicKey> tls_peer_key(const SSL* ssl) {
    return key_of(SSL_get0_peer_certificate(ssl));
}

}  // namespace holdfast
