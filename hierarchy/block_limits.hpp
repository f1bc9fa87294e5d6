// What one block can make a registry do beyond what its bytes cost. Spec: docs/spec.md section
// 15.6.
#pragma once

namespace holdfast {

/// Fills that evidence may cost in one block entry; what comes above it waits.
inline constexpr unsigned kEvidenceFillsPerBlock = 1;

}  // namespace holdfast
