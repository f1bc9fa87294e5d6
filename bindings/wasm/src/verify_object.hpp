// One object of the protocol, standing alone, judged by the verifier of its kind.
//
// Pure but for the memory of fills and arenas. Nothing is decided here: each kind's bytes go to its
// decoder, and what the caller knows to the one verifier of that kind (proofs/, vdf/).
#pragma once

#include "core/codec.hpp"
#include "core/params.hpp"
#include "core/result.hpp"

namespace holdfast::wasm {

struct Network {
    NetworkParams params;
    NetworkId id;
};

/// `context` holds what the kind's verifier must know, as src/known.js writes it. kBadKind for a
/// kind that nobody verifies; the context's own faults are an Error (kInvalidArgument).
[[nodiscard]] Result<Verdict> verify_object(const Network& network, ByteView context,
                                            ByteView object);

}  // namespace holdfast::wasm
