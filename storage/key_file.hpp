// New keys from the system's randomness, and key files: Ed25519 PKCS#8 PEM, mode 0600.
//
// A key file that others can read is refused, and none is ever overwritten. Any thread.
#pragma once

#include <filesystem>

#include "core/keys.hpp"
#include "core/result.hpp"

namespace holdfast {

/// From the operating system's randomness.
[[nodiscard]] Result<KeyPair> generate_key_pair();
/// Reads an Ed25519 PKCS#8 PEM file. kPermission when others can read it, kCorrupt when it is not
/// such a key, kNotFound.
[[nodiscard]] Result<KeyPair> load_key_pair(const std::filesystem::path& file);
/// Writes a new PEM file with mode 0600; kAlreadyExists rather than overwriting.
[[nodiscard]] Status save_key_pair(const KeyPair& key, const std::filesystem::path& file);

}  // namespace holdfast
