#include "storage/key_encryption.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "storage/file.hpp"
#include "storage/key_pem_impl.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kScryptN = std::uint64_t{1} << 14;
constexpr std::uint64_t kScryptR = 8;
constexpr std::uint64_t kScryptP = 5;
constexpr std::uint64_t kMaxScryptWork = std::uint64_t{1} << 24;  // N * r * p: some ten seconds
constexpr std::uint64_t kMaxPbkdf2Rounds = 20'000'000;            // some ten seconds

struct FreeSig {
    void operator()(X509_SIG* sig) const { X509_SIG_free(sig); }
};
struct FreePkcs8 {
    void operator()(PKCS8_PRIV_KEY_INFO* info) const { PKCS8_PRIV_KEY_INFO_free(info); }
};
struct FreePbe2 {
    void operator()(PBE2PARAM* p) const { PBE2PARAM_free(p); }
};
struct FreeScrypt {
    void operator()(SCRYPT_PARAMS* p) const { SCRYPT_PARAMS_free(p); }
};
struct FreePbkdf2 {
    void operator()(PBKDF2PARAM* p) const { PBKDF2PARAM_free(p); }
};
using Sig = std::unique_ptr<X509_SIG, FreeSig>;
using Pkcs8 = std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreePkcs8>;

std::uint64_t number_of(const ASN1_INTEGER* integer) {
    std::uint64_t out = 0;
    if (integer == nullptr || ASN1_INTEGER_get_uint64(&out, integer) != 1) return UINT64_MAX;
    return out;
}

template <class T, class Free>
std::unique_ptr<T, Free> unpack(const ASN1_ITEM* item, const ASN1_TYPE* type) {
    return std::unique_ptr<T, Free>(static_cast<T*>(ASN1_TYPE_unpack_sequence(item, type)));
}

/// For people; nothing where it is unknown or dearer than what is read.
std::optional<std::string> cost_of(const X509_ALGOR& function) {
    switch (OBJ_obj2nid(function.algorithm)) {
        case NID_id_scrypt: {
            const auto s = unpack<SCRYPT_PARAMS, FreeScrypt>(ASN1_ITEM_rptr(SCRYPT_PARAMS),
                                                             function.parameter);
            if (!s) return std::nullopt;
            const std::uint64_t n = number_of(s->costParameter);
            const std::uint64_t r = number_of(s->blockSize);
            const std::uint64_t p = number_of(s->parallelizationParameter);
            const bool small = n <= kMaxScryptWork && r <= kMaxScryptWork && p <= 64;
            if (!small || n * r > kMaxScryptWork / std::max<std::uint64_t>(p, 1)) {
                return std::nullopt;
            }
            return "scrypt, N = " + std::to_string(n) + ", r = " + std::to_string(r) +
                   ", p = " + std::to_string(p);
        }
        case NID_id_pbkdf2: {
            const auto p =
                unpack<PBKDF2PARAM, FreePbkdf2>(ASN1_ITEM_rptr(PBKDF2PARAM), function.parameter);
            if (!p || number_of(p->iter) > kMaxPbkdf2Rounds) return std::nullopt;
            return "PBKDF2, " + std::to_string(number_of(p->iter)) + " rounds";
        }
        default:
            return std::nullopt;
    }
}

Sig read_sig(ByteView pem) {
    const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    return Sig(PEM_read_bio_PKCS8(bio.get(), nullptr, no_passphrase, nullptr));
}

}  // namespace

Result<std::string> encryption_cost(ByteView pem, const std::filesystem::path& file) {
    const Sig sig = read_sig(pem);
    const X509_ALGOR* algorithm = nullptr;
    if (sig) X509_SIG_get0(sig.get(), &algorithm, nullptr);
    ERR_clear_error();
    if (algorithm == nullptr || OBJ_obj2nid(algorithm->algorithm) != NID_pbes2) {
        return fail(ErrorCode::kCorrupt, file.string() + ": not an encrypted PKCS#8 file (PBES2)");
    }
    const auto both = unpack<PBE2PARAM, FreePbe2>(ASN1_ITEM_rptr(PBE2PARAM), algorithm->parameter);
    const auto cost = both ? cost_of(*both->keyfunc) : std::nullopt;
    ERR_clear_error();
    if (cost) return *cost;
    return fail(ErrorCode::kCorrupt,
                file.string() +
                    ": its passphrase is made into a key by an unknown function, or at a cost "
                    "beyond what is read (scrypt up to N * r * p = 2^24, PBKDF2 up to 2 * 10^7)");
}

Result<KeyPair> decrypt_key_pair(ByteView pem, const Passphrase& passphrase,
                                 const std::filesystem::path& file) {
    HOLDFAST_TRY(encryption_cost(pem, file));
    const Sig sig = read_sig(pem);
    const Pkcs8 info(sig ? PKCS8_decrypt(sig.get(), passphrase.text().data(),
                                         static_cast<int>(passphrase.text().size()))
                         : nullptr);
    const Pkey pkey(info ? EVP_PKCS82PKEY(info.get()) : nullptr);
    ERR_clear_error();
    if (!pkey) {
        return fail(ErrorCode::kPermission, file.string() + ": this is not its passphrase");
    }
    return pair_of(pkey.get(), file);
}

// Spec 12, key files: PBES2, scrypt, AES-256-CBC.
Status save_encrypted_key_pair(const KeyPair& key, const std::filesystem::path& path,
                               const Passphrase& passphrase, bool replace) {
    if (!key.openssl_key()) return secret_is_elsewhere(key);
    const Pkcs8 info(EVP_PKEY2PKCS8(static_cast<EVP_PKEY*>(key.openssl_key().get())));
    X509_ALGOR* const how = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), nullptr, 0, nullptr, kScryptN,
                                                  kScryptR, kScryptP);  // salt and IV at random
    const Sig sig(info && how != nullptr
                      ? PKCS8_set0_pbe(passphrase.text().data(),
                                       static_cast<int>(passphrase.text().size()), info.get(), how)
                      : nullptr);
    if (!sig) {
        X509_ALGOR_free(how);
        ERR_clear_error();
        return fail(ErrorCode::kUnsupported, "this OpenSSL cannot encrypt a key with scrypt");
    }
    const Bio bio(BIO_new(BIO_s_mem()));
    HOLDFAST_CHECK(bio && PEM_write_bio_PKCS8(bio.get(), sig.get()) == 1);
    const char* text = nullptr;
    const long length = BIO_get_mem_data(bio.get(), &text);
    return write_file(path, view(std::string_view(text, static_cast<std::size_t>(length))), replace,
                      0600);
}

Result<KeyFileForm> form_of_key_file(const std::filesystem::path& path) {
    HOLDFAST_ASSIGN(text, read_key_file(path));
    HOLDFAST_ASSIGN(form, form_of(text.view(), path));
    if (form != KeyForm::kEncrypted) return KeyFileForm{form, {}};
    HOLDFAST_ASSIGN(cost, encryption_cost(text.view(), path));
    return KeyFileForm{form, cost};
}

}  // namespace holdfast
