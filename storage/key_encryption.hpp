// Key files under a passphrase: PKCS#8 "ENCRYPTED PRIVATE KEY" (RFC 5958, PBES2 of RFC 8018), which
// OpenSSL reads and writes as well.
//
// Written with AES-256-CBC under a key that scrypt makes of the passphrase (RFC 7914: N = 2^14,
// r = 8, p = 5: 16 MiB five times over, about a fifth of a second). Read with scrypt or PBKDF2, up
// to costs that take seconds: a file cannot hang who opens it. load_key_pair (storage/key_file.hpp)
// reads both forms. Any thread. Spec: docs/spec.md section 12, key files.
#pragma once

#include <filesystem>
#include <string>

#include "core/keys.hpp"
#include "core/result.hpp"
#include "storage/passphrase.hpp"

namespace holdfast {

/// How a key file holds its key.
enum class KeyForm { kPlain, kEncrypted };

struct KeyFileForm {
    KeyForm form{};
    std::string cost;  // of the passphrase's function, for people; kEncrypted alone
};

/// Without any passphrase. kCorrupt where it is none of these forms, or its costs are beyond what
/// is read; kPermission when others can read it; kNotFound.
[[nodiscard]] Result<KeyFileForm> form_of_key_file(const std::filesystem::path& file);

/// Writes the key under a passphrase, mode 0600. kAlreadyExists unless `replace`: then the file
/// holds the old key or the new one, whole. kUnsupported for a key whose secret is with a signer.
[[nodiscard]] Status save_encrypted_key_pair(const KeyPair& key, const std::filesystem::path& file,
                                             const Passphrase& passphrase, bool replace = false);

/// The key in the text of an encrypted file. kPermission: not its passphrase; kCorrupt.
[[nodiscard]] Result<KeyPair> decrypt_key_pair(ByteView pem, const Passphrase& passphrase,
                                               const std::filesystem::path& file);
/// What the passphrase's function costs. kCorrupt: above what is read, or an unknown one.
[[nodiscard]] Result<std::string> encryption_cost(ByteView pem, const std::filesystem::path& file);

}  // namespace holdfast
