// Which error a call ended in.
#pragma once

#include <optional>

#include "core/result.hpp"

namespace holdfast::test {

template <class T>
[[nodiscard]] std::optional<ErrorCode> code_of(const Result<T>& result) {
    return result ? std::nullopt : std::optional(result.error().code);
}

}  // namespace holdfast::test
