// What a clock that signs must know of heights: which of them the network closed without y.
//
// An epoch takes its seed from a height that has y, and whether one has it is the registry's to say
// (spec 5, 15.2), not the evaluator's own: an operator may have left out a y that the evaluator
// knows. Any thread; the registry must outlive the function.
#pragma once

#include <functional>
#include <optional>

#include "hierarchy/registry.hpp"

namespace holdfast {

/// For VdfClock::set_closed_without_y. Empty while the digest of the height has not closed.
[[nodiscard]] inline std::function<Result<std::optional<bool>>(Height)> closed_without_y(
    const Registry& registry) {
    return [&registry](Height height) -> Result<std::optional<bool>> {
        HOLDFAST_ASSIGN(record, registry.block(height));
        if (!record || !record->closed) return std::optional<bool>();
        return std::optional(!record->y.has_value());
    };
}

}  // namespace holdfast
