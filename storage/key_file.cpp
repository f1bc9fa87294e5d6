#include "storage/key_file.hpp"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <memory>

#include "storage/file.hpp"
#include "storage/randomness.hpp"

namespace holdfast {
namespace {

struct FreeBio {
    void operator()(BIO* bio) const { BIO_free_all(bio); }
};
struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;
using Pkey = std::unique_ptr<EVP_PKEY, FreeKey>;

constexpr std::uint64_t kMaxKeyFileBytes = 16 * 1024;

int no_passphrase(char*, int, int, void*) { return -1; }  // never ask on a terminal

}  // namespace

Result<KeyPair> generate_key_pair() {
    std::array<std::uint8_t, 32> secret{};
    HOLDFAST_TRY(random_bytes(secret));
    KeyPair pair = KeyPair::from_secret(secret);
    OPENSSL_cleanse(secret.data(), secret.size());
    return pair;
}

// Spec 12, key files: one that others can read is refused.
Result<KeyPair> load_key_pair(const std::filesystem::path& path) {
    HOLDFAST_ASSIGN(file, File::open(path, File::Mode::kRead));
    struct stat info{};
    if (::fstat(file.descriptor(), &info) != 0) return fail_errno(errno, path.string());
    if (!S_ISREG(info.st_mode)) {
        return fail(ErrorCode::kCorrupt, path.string() + ": not a regular file, so not a key file");
    }
    if ((info.st_mode & 077) != 0) {
        return fail(
            ErrorCode::kPermission,
            path.string() + ": others can read this secret key; run: chmod 600 " + path.string());
    }
    HOLDFAST_ASSIGN(size, file.size());
    if (size > kMaxKeyFileBytes)
        return fail(ErrorCode::kCorrupt, path.string() + ": too large for a key file");
    Bytes pem(static_cast<std::size_t>(size));
    HOLDFAST_TRY(file.read_at(0, pem));
    const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    const Pkey pkey(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
    OPENSSL_cleanse(pem.data(), pem.size());
    std::array<std::uint8_t, 32> secret{};
    std::size_t length = secret.size();
    if (!pkey || EVP_PKEY_get_id(pkey.get()) != EVP_PKEY_ED25519 ||
        EVP_PKEY_get_raw_private_key(pkey.get(), secret.data(), &length) != 1 || length != 32) {
        return fail(ErrorCode::kCorrupt,
                    path.string() +
                        ": not an unencrypted Ed25519 PKCS#8 PEM file; make one with "
                        "'holdfast keygen'");
    }
    KeyPair pair = KeyPair::from_secret(secret);
    OPENSSL_cleanse(secret.data(), secret.size());
    return pair;
}

// Spec 12, key files.
Status save_key_pair(const KeyPair& key, const std::filesystem::path& path) {
    if (!key.openssl_key()) {
        return fail(ErrorCode::kUnsupported,
                    "the secret of key " + to_hex(key.public_key()) + " is with its signer");
    }
    const Bio bio(BIO_new(BIO_s_secmem()));
    HOLDFAST_CHECK(bio);
    HOLDFAST_CHECK(PEM_write_bio_PKCS8PrivateKey(bio.get(),
                                                 static_cast<EVP_PKEY*>(key.openssl_key().get()),
                                                 nullptr, nullptr, 0, nullptr, nullptr) == 1);
    const char* text = nullptr;
    const long length = BIO_get_mem_data(bio.get(), &text);
    return write_file(path, view(std::string_view(text, static_cast<std::size_t>(length))), false,
                      0600);
}

}  // namespace holdfast
