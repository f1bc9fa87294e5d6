// What a verifier knows, as the JavaScript side hands it over: the fields of a context one after
// another in the canonical encoding (core/codec.hpp), an optional one behind a byte 0 or 1, a list
// behind its u64 count. src/known.js writes it.
//
// Readers never fail loudly: what is wrong sticks to the Reader, and its finish() tells.
#pragma once

#include <vector>

#include "core/codec.hpp"
#include "proofs/evidence.hpp"
#include "proofs/link_verify.hpp"
#include "proofs/registration.hpp"
#include "vdf/verify.hpp"

namespace holdfast::wasm {

[[nodiscard]] bool read_flag(Reader& r);

template <class T>
std::optional<T> read_optional(Reader& r) {
    if (!read_flag(r)) return std::nullopt;
    return r.fixed<T>();
}

/// One element for each that the bytes really hold: a count beyond them ends with them.
template <class Read>
auto read_list(Reader& r, Read read_one) {
    std::vector<decltype(read_one(r))> out;
    for (std::uint64_t left = r.u64(); left > 0 && !r.failed(); --left) out.push_back(read_one(r));
    return out;
}

/// Behind a u64 length.
[[nodiscard]] ByteView read_bytes(Reader& r);
[[nodiscard]] KnownChain read_chain(Reader& r, const NetworkId& network_id);
[[nodiscard]] KnownHeight read_height(Reader& r);
[[nodiscard]] KnownPlace read_place(Reader& r, const NetworkId& network_id);
[[nodiscard]] KnownReveal read_reveal(Reader& r);
[[nodiscard]] VdfContext read_vdf_context(Reader& r, const NetworkParams& params,
                                          const NetworkId& network_id);
/// Holds what it read; arenas are filled when kind 4 asks for one.
[[nodiscard]] EvidenceKnowledge read_evidence_knowledge(Reader& r, const NetworkParams& params,
                                                        const NetworkId& network_id);

}  // namespace holdfast::wasm
