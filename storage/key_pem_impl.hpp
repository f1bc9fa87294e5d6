// What the sources of key files share: OpenSSL's objects, a key file's text, which form it has.
#pragma once

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <filesystem>
#include <memory>

#include "core/keys.hpp"
#include "core/result.hpp"
#include "storage/key_encryption.hpp"

namespace holdfast {

struct FreeBio {
    void operator()(BIO* bio) const { BIO_free_all(bio); }
};
struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;
using Pkey = std::unique_ptr<EVP_PKEY, FreeKey>;

inline int no_passphrase(char*, int, int, void*) { return -1; }  // never ask on a terminal

/// A key file's bytes, wiped when they go.
class KeyText {
  public:
    explicit KeyText(Bytes bytes) : bytes_(std::move(bytes)) {}
    KeyText(KeyText&&) noexcept = default;
    KeyText& operator=(KeyText&&) = delete;
    KeyText(const KeyText&) = delete;
    KeyText& operator=(const KeyText&) = delete;
    ~KeyText() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
    [[nodiscard]] ByteView view() const { return bytes_; }
    [[nodiscard]] MutByteView bytes() { return bytes_; }

  private:
    Bytes bytes_;
};

/// kPermission when others can read it; kCorrupt for what is no file, or too large; kNotFound.
[[nodiscard]] Result<KeyText> read_key_file(const std::filesystem::path& path);
[[nodiscard]] Result<KeyForm> form_of(ByteView text, const std::filesystem::path& path);
/// kCorrupt for another kind of key.
[[nodiscard]] Result<KeyPair> pair_of(EVP_PKEY* pkey, const std::filesystem::path& path);
[[nodiscard]] tl::unexpected<Error> secret_is_elsewhere(const KeyPair& key);

}  // namespace holdfast
