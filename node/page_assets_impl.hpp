// The style sheet and the script of the daemons' pages. Internal to node/page*.cpp.
#pragma once

#include <string_view>

namespace holdfast::node::html {

extern const std::string_view kStyleSheet;
extern const std::string_view kScript;

}  // namespace holdfast::node::html
