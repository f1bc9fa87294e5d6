// What opening cells or chunks of a replica gives. Plain value. Spec: docs/spec.md section 7.
#pragma once

#include <span>
#include <vector>

#include "core/constants.hpp"
#include "core/types.hpp"

namespace holdfast {

/// Opened leaves with the siblings of their multiproof (spec section 7), checked against the root.
struct Opening {
    Bytes data;                    // the cells (or chunks), ascending, one behind another
    std::vector<Digest> siblings;  // of the multiproof over all opened cells

    [[nodiscard]] std::span<const std::uint8_t, kCellBytes> cell(std::size_t i) const {
        return ByteView(data).subspan(i * kCellBytes).first<kCellBytes>();
    }
};

}  // namespace holdfast
