// One HTTP GET, bounded in time and size.
#pragma once

#include <string>

#include "core/result.hpp"

namespace holdfast {

struct FetchLimits {
    std::uint32_t timeout_ms = 3'000;  // of the whole request
    std::size_t max_bytes = 64 * 1024;
};

/// The body of a 200. http and https only, no redirects. kTimeout; kNotFound for 404 and 425 (too
/// early); kUnavailable for everything else, with what the server or libcurl said. Thread-safe.
[[nodiscard]] Result<std::string> fetch(const std::string& url, const FetchLimits& limits);

}  // namespace holdfast
