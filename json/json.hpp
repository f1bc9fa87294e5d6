// JSON as every command, daemon and file of this tree writes it: one type, one way to text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace holdfast::json {

/// The type that objects are printed as and read from: members keep their order.
using Json = nlohmann::ordered_json;

/// The layout of a text: all on one line, or one member a line with so many blanks a level.
inline constexpr int kOneLine = -1;
inline constexpr int kIndented = 2;

/// Whether non-ASCII characters stand as they are, or as \u escapes.
enum class Charset { kUtf8, kAscii };

/// Text that JSON can hold, for any bytes: names of files are bytes, JSON is UTF-8. Every byte that
/// is no part of UTF-8 becomes U+FFFD and its two hexadecimal digits ("a\xff" becomes "a�ff"). The
/// three bytes of U+FFFD itself are written the same way, so that U+FFFD always means this, and
/// original_bytes() undoes it. Text without either is returned as it is.
[[nodiscard]] std::string utf8_text(std::string_view bytes);
/// The bytes that utf8_text() made a text of.
[[nodiscard]] std::string original_bytes(std::string_view text);

/// The JSON text of a value, whatever bytes its strings and names hold; never fails. The only place
/// that turns JSON into text (a check of the tree keeps it so).
[[nodiscard]] std::string dump(const Json& value, int indent = kOneLine,
                               Charset charset = Charset::kUtf8);

}  // namespace holdfast::json
