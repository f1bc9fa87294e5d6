#include "callbacks/conformance.hpp"

#include <algorithm>

namespace holdfast {

bool ConformanceReport::passed() const {
    return !checks.empty() &&
           std::all_of(checks.begin(), checks.end(), [](const auto& c) { return c.passed; });
}

std::string ConformanceReport::to_text() const {
    std::string out;
    for (const ConformanceCheck& check : checks) {
        out += (check.passed ? "ok    " : "FAIL  ") + check.name + "\n";
        if (!check.passed) out += "      " + check.detail + "\n";
    }
    return out;
}

}  // namespace holdfast
