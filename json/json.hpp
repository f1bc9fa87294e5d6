// The JSON type that objects are printed as and read from: members keep their order.
#pragma once

#include <nlohmann/json.hpp>

namespace holdfast::json {

using Json = nlohmann::ordered_json;

}  // namespace holdfast::json
