// Selection: which chunks and cells a digest picks.
//
// Pure functions, any thread; memory in proportion to the number of indices asked for. Part of the
// trusted rooms. Spec: docs/spec.md section 4; Lemire 2019 (arXiv:1805.10941) for the bounded draw.
#pragma once

#include <vector>

#include "core/constants.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// select(E, n, count): min(count, n) distinct indices below n, in an order that matters.
/// kBadField unless 1 <= n <= 2^63; kTooLarge when min(count, n) does not fit in a u32.
[[nodiscard]] Checked<std::vector<std::uint64_t>> select_v2(const Digest& e, std::uint64_t n,
                                                            std::uint64_t count);

/// The cell (0..15) that is opened in the j-th selected chunk.
[[nodiscard]] std::uint8_t cell_in_chunk(const Digest& e, std::uint32_t j);

/// Legacy version 1: four chunks from the block hash alone. Biased and grindable: for checking
/// chains made before version 2 only, refused for new ones. kBadField when n < 4.
[[nodiscard]] Checked<std::vector<std::uint64_t>> select_v1(const BlockHash& block_hash,
                                                            std::uint64_t n);

}  // namespace holdfast
