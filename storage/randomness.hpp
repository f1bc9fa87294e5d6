// The operating system's randomness: for new keys, nonces and the choice of spot checks. Any
// thread.
#pragma once

#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// Fills `out` from the operating system's randomness.
[[nodiscard]] Status random_bytes(MutByteView out);

}  // namespace holdfast
