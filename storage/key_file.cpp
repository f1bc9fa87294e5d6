#include "storage/key_file.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

#include "storage/file.hpp"
#include "storage/key_pem_impl.hpp"
#include "storage/randomness.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kMaxKeyFileBytes = 16 * 1024;

std::string_view text_of(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

tl::unexpected<Error> no_key_file(const std::filesystem::path& path) {
    return fail(ErrorCode::kCorrupt, path.string() +
                                         ": not an Ed25519 PKCS#8 PEM file; make one with "
                                         "'holdfast keygen'");
}

}  // namespace

Result<KeyPair> generate_key_pair() {
    std::array<std::uint8_t, 32> secret{};
    HOLDFAST_TRY(random_bytes(secret));
    KeyPair pair = KeyPair::from_secret(secret);
    OPENSSL_cleanse(secret.data(), secret.size());
    return pair;
}

// Spec 12, key files: one that others can read is refused.
Result<KeyText> read_key_file(const std::filesystem::path& path) {
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
    KeyText out(Bytes(static_cast<std::size_t>(size)));
    HOLDFAST_TRY(file.read_at(0, out.bytes()));
    return out;
}

Result<KeyForm> form_of(ByteView bytes, const std::filesystem::path& path) {
    const std::string_view text = text_of(bytes);
    if (text.find("-----BEGIN ENCRYPTED PRIVATE KEY-----") != text.npos) return KeyForm::kEncrypted;
    if (text.find("-----BEGIN PRIVATE KEY-----") != text.npos) return KeyForm::kPlain;
    return no_key_file(path);
}

Result<KeyPair> pair_of(EVP_PKEY* pkey, const std::filesystem::path& path) {
    std::array<std::uint8_t, 32> secret{};
    std::size_t length = secret.size();
    if (pkey == nullptr || EVP_PKEY_get_id(pkey) != EVP_PKEY_ED25519 ||
        EVP_PKEY_get_raw_private_key(pkey, secret.data(), &length) != 1 || length != 32) {
        return no_key_file(path);
    }
    KeyPair pair = KeyPair::from_secret(secret);
    OPENSSL_cleanse(secret.data(), secret.size());
    return pair;
}

tl::unexpected<Error> secret_is_elsewhere(const KeyPair& key) {
    return fail(ErrorCode::kUnsupported,
                "the secret of key " + to_hex(key.public_key()) + " is with its signer");
}

// Spec 12, key files.
Result<KeyPair> load_key_pair(const std::filesystem::path& path) {
    HOLDFAST_ASSIGN(text, read_key_file(path));
    HOLDFAST_ASSIGN(form, form_of(text.view(), path));
    if (form == KeyForm::kEncrypted) {
        HOLDFAST_TRY(encryption_cost(text.view(), path));  // before anybody is asked
        HOLDFAST_ASSIGN(passphrase, passphrase_of(path));
        return decrypt_key_pair(text.view(), passphrase, path);
    }
    const Bio bio(BIO_new_mem_buf(text.view().data(), static_cast<int>(text.view().size())));
    const Pkey pkey(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
    ERR_clear_error();
    return pair_of(pkey.get(), path);
}

// Spec 12, key files.
Status save_key_pair(const KeyPair& key, const std::filesystem::path& path) {
    if (!key.openssl_key()) return secret_is_elsewhere(key);
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
