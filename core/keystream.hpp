// The keystream of a window, and the XOR that seals and unseals.
//
// Pure but for the memory that it fills, any thread; part of the trusted rooms.
// Spec: docs/spec.md section 3.
#pragma once

#include "core/fill.hpp"
#include "core/geometry.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// Writes keystream(w) over `memory`: exactly window.bytes() bytes, 64-byte aligned (FillMemory).
/// kInvalidArgument, or kInterrupted when options.stop said so.
[[nodiscard]] Status fill_keystream(const ReplicaId& replica, const Window& window,
                                    MutByteView memory, const FillOptions& options = {});

/// target ^= other; equal sizes.
void xor_bytes(MutByteView target, ByteView other);

}  // namespace holdfast
