#include "keep/stream_cipher.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include <memory>

#include "storage/randomness.hpp"

namespace holdfast {
namespace {

struct FreeCipherContext {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
struct FreeKdf {
    void operator()(EVP_KDF* kdf) const { EVP_KDF_free(kdf); }
};
struct FreeKdfContext {
    void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeCipherContext>;

/// The spec's tag of the key of a kept file (Appendix C).
constexpr std::string_view kKeyInfo = "holdfast/1/kept-file/key";

OSSL_PARAM octets(const char* name, ByteView bytes) {
    // OpenSSL takes parameters by pointer to non-const and does not write to these.
    return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()),
                                             bytes.size());
}

/// RFC 5869, 32 bytes.
StreamKey hkdf_sha256(ByteView ikm, ByteView salt, ByteView info) {
    const std::unique_ptr<EVP_KDF, FreeKdf> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
    HOLDFAST_CHECK(kdf);
    const std::unique_ptr<EVP_KDF_CTX, FreeKdfContext> context(EVP_KDF_CTX_new(kdf.get()));
    HOLDFAST_CHECK(context);
    char digest[] = "SHA256";
    const std::array<OSSL_PARAM, 5> parameters = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        octets(OSSL_KDF_PARAM_KEY, ikm), octets(OSSL_KDF_PARAM_SALT, salt),
        octets(OSSL_KDF_PARAM_INFO, info), OSSL_PARAM_construct_end()};
    std::array<std::uint8_t, 32> out{};
    HOLDFAST_CHECK(EVP_KDF_derive(context.get(), out.data(), out.size(), parameters.data()) == 1);
    StreamKey key(out);
    OPENSSL_cleanse(out.data(), out.size());
    return key;
}

int as_int(std::size_t bytes) { return static_cast<int>(bytes); }

}  // namespace

std::uint64_t StreamShape::segments() const {
    const std::uint64_t first = segment_bytes - header() - tag();
    const std::uint64_t others = segment_bytes - tag();
    if (plain_len <= first) return encrypted || plain_len > 0 ? 1 : 0;
    return 1 + (plain_len - first - 1) / others + 1;
}

std::uint64_t StreamShape::cipher_len() const {
    const std::uint64_t added = header() + segments() * tag();
    return plain_len > UINT64_MAX - added ? UINT64_MAX : plain_len + added;
}

std::uint64_t StreamShape::plain_begin(std::uint64_t segment) const {
    return segment == 0 ? 0 : segment * (segment_bytes - tag()) - header();
}

std::size_t StreamShape::plain_bytes(std::uint64_t segment) const {
    const std::uint64_t begin = plain_begin(segment);
    const std::uint64_t end = std::min(plain_begin(segment + 1), plain_len);
    return static_cast<std::size_t>(end - std::min(begin, end));
}

std::size_t StreamShape::cipher_bytes(std::uint64_t segment) const {
    return plain_bytes(segment) + tag() + (segment == 0 ? header() : 0);
}

std::uint64_t StreamShape::segment_of(std::uint64_t plain_offset) const {
    return (plain_offset + header()) / (segment_bytes - tag());
}

Result<StreamHeader> StreamHeader::draw() {
    StreamHeader header;
    HOLDFAST_TRY(random_bytes(header.salt));
    HOLDFAST_TRY(random_bytes(header.prefix));
    return header;
}

Bytes StreamHeader::encode() const {
    Bytes out{static_cast<std::uint8_t>(kStreamHeaderBytes)};
    out.insert(out.end(), salt.begin(), salt.end());
    out.insert(out.end(), prefix.begin(), prefix.end());
    return out;
}

Checked<StreamHeader> StreamHeader::decode(ByteView bytes) {
    if (bytes.size() < kStreamHeaderBytes) return refuse(Reason::kTruncated);
    if (bytes[0] != kStreamHeaderBytes) return refuse(Reason::kBadField);
    StreamHeader header;
    std::copy_n(bytes.begin() + 1, header.salt.size(), header.salt.begin());
    std::copy_n(bytes.begin() + 33, header.prefix.size(), header.prefix.begin());
    return header;
}

StreamKey::StreamKey(ByteView secret32) {
    HOLDFAST_CHECK(secret32.size() == secret_.size());
    std::copy(secret32.begin(), secret32.end(), secret_.begin());
}

StreamKey::~StreamKey() { OPENSSL_cleanse(secret_.data(), secret_.size()); }

Result<StreamKey> kept_file_key(const KeyPair& owner, const Digest& salt) {
    const std::shared_ptr<void> held = owner.openssl_key();
    if (!held) {
        return fail(ErrorCode::kUnsupported,
                    "the secret of key " + to_hex(owner.public_key()) +
                        " is with its signer: files are encrypted with a key of this process");
    }
    std::array<std::uint8_t, 32> seed{};
    std::size_t length = seed.size();
    HOLDFAST_CHECK(EVP_PKEY_get_raw_private_key(static_cast<EVP_PKEY*>(held.get()), seed.data(),
                                                &length) == 1);
    StreamKey key = hkdf_sha256(seed, view(salt), view(kKeyInfo));
    OPENSSL_cleanse(seed.data(), seed.size());
    return key;
}

StreamCipher::StreamCipher(const StreamKey& key, const StreamHeader& header,
                           const StreamShape& shape, ByteView associated)
    : header_(header), shape_(shape), derived_(hkdf_sha256(key.bytes(), header.salt, associated)) {
    HOLDFAST_CHECK(shape.encrypted);
    HOLDFAST_CHECK(shape.segments() <= UINT32_MAX);
}

std::array<std::uint8_t, 12> StreamCipher::nonce(std::uint64_t segment) const {
    HOLDFAST_CHECK(segment < shape_.segments());
    std::array<std::uint8_t, 12> out{};
    std::copy(header_.prefix.begin(), header_.prefix.end(), out.begin());
    for (std::size_t i = 0; i < 4; ++i) {
        out[7 + i] = static_cast<std::uint8_t>(segment >> (24 - 8 * i));
    }
    out[11] = segment + 1 == shape_.segments() ? 1 : 0;
    return out;
}

void StreamCipher::encrypt(std::uint64_t segment, ByteView plain, MutByteView out) const {
    HOLDFAST_CHECK(plain.size() == shape_.plain_bytes(segment));
    HOLDFAST_CHECK(out.size() == shape_.cipher_bytes(segment));
    if (segment == 0) {
        const Bytes header = header_.encode();
        std::copy(header.begin(), header.end(), out.begin());
        out = out.subspan(header.size());
    }
    const CipherContext context(EVP_CIPHER_CTX_new());
    HOLDFAST_CHECK(context);
    int length = 0;
    HOLDFAST_CHECK(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr,
                                      derived_.bytes().data(), nonce(segment).data()) == 1);
    HOLDFAST_CHECK(EVP_EncryptUpdate(context.get(), out.data(), &length, plain.data(),
                                     as_int(plain.size())) == 1);
    HOLDFAST_CHECK(EVP_EncryptFinal_ex(context.get(), out.data() + plain.size(), &length) == 1);
    HOLDFAST_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, as_int(kCipherTagBytes),
                                       out.data() + plain.size()) == 1);
}

Status StreamCipher::decrypt(std::uint64_t segment, ByteView cipher, MutByteView out) const {
    HOLDFAST_CHECK(cipher.size() == shape_.cipher_bytes(segment));
    HOLDFAST_CHECK(out.size() == shape_.plain_bytes(segment));
    if (segment == 0) {
        if (!std::ranges::equal(cipher.first(kStreamHeaderBytes), header_.encode())) {
            return fail(ErrorCode::kCorrupt, "the ciphertext has another header than the manifest");
        }
        cipher = cipher.subspan(kStreamHeaderBytes);
    }
    const ByteView body = cipher.first(out.size());
    std::array<std::uint8_t, kCipherTagBytes> tag{};
    std::copy_n(cipher.begin() + static_cast<std::ptrdiff_t>(out.size()), tag.size(), tag.begin());
    const CipherContext context(EVP_CIPHER_CTX_new());
    HOLDFAST_CHECK(context);
    int length = 0;
    HOLDFAST_CHECK(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr,
                                      derived_.bytes().data(), nonce(segment).data()) == 1);
    HOLDFAST_CHECK(EVP_DecryptUpdate(context.get(), out.data(), &length, body.data(),
                                     as_int(body.size())) == 1);
    HOLDFAST_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, as_int(tag.size()),
                                       tag.data()) == 1);
    std::uint8_t rest[kCipherTagBytes];
    if (EVP_DecryptFinal_ex(context.get(), rest, &length) != 1) {
        std::fill(out.begin(), out.end(), std::uint8_t{0});
        return fail(ErrorCode::kCorrupt,
                    "segment " + std::to_string(segment) +
                        " does not decrypt: another key than the owner's, or not what was put");
    }
    return {};
}

}  // namespace holdfast
