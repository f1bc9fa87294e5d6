// A secret key on paper: text that survives printing and typing.
//
//   holdfast key on paper, version 1
//   public key 7f6b3f8c61d6e7dd...
//   1  0C4T 8R2M 6Z1Q 9HBN  K3VD
//   2  ...
//
// Four lines of sixteen characters of Crockford's base32 (no I, L, O, U; those and lower case are
// read as 1, 1, 0, V) in groups of four, each behind its number and before four characters that
// check that line alone: a mistyped line is named, a swapped one too. The 40 bytes are version 1,
// the 32 bytes of the secret, and 7 that check all: the first of H("paper/key"; secret). The public
// key is there for people, and compared where it stands. Whoever can read the paper has the key.
// Pure; any thread. Spec: docs/spec.md section 12, key files.
#pragma once

#include <string>
#include <string_view>

#include "core/keys.hpp"
#include "core/result.hpp"

namespace holdfast {

/// kUnsupported for a key whose secret is with a signer. The text is secret.
[[nodiscard]] Result<std::string> key_to_paper(const KeyPair& key);
/// kCorrupt, naming every line that does not check, what is missing, or that the whole does not.
[[nodiscard]] Result<KeyPair> key_from_paper(std::string_view text);

}  // namespace holdfast
