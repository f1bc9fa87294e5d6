// Pieces of HTML that the pages are made of. Text that is given is escaped here, and nowhere else.
// Internal to node/page*.cpp. Pure functions; any thread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/json.hpp"
#include "node/page.hpp"

namespace holdfast::node::html {

using json::Json;

/// HTML that is ready; what is made of text by text().
struct Html {
    std::string code;
};
[[nodiscard]] Html text(std::string_view bytes);
/// In a <code>; what is longer than `most` is cut in its middle and stands whole in its title.
[[nodiscard]] Html mono(std::string_view bytes, std::size_t most = 20);
[[nodiscard]] Html number(std::uint64_t value);
/// "12.4 s", "870 ms"
[[nodiscard]] Html milliseconds(std::int64_t ms);
[[nodiscard]] Html microseconds(std::uint64_t us);
[[nodiscard]] Html bytes(std::uint64_t count);
/// A value of JSON, in words; "–" for null.
[[nodiscard]] Html value(const Json& json);
/// A word with a colour and a sign before it: "good", "notice", "warning", "problem".
[[nodiscard]] Html badge(std::string_view level, std::string_view words);
[[nodiscard]] Html join(std::initializer_list<Html> parts);

using Row = std::vector<Html>;
/// With a caption and headed columns; scrolls by itself where it is too wide. The first cell of
/// each row is its heading.
[[nodiscard]] Html table(std::string_view caption, const std::vector<std::string>& columns,
                         const std::vector<Row>& rows, std::string_view nothing = "None.");
/// A part of the page with a heading, which its navigation leads to.
[[nodiscard]] Html section(std::string_view id, std::string_view title, const Html& inside);
/// Terms and their values.
[[nodiscard]] Html facts(const std::vector<std::pair<std::string, Html>>& terms);
/// Items (<li>) of a list, the first few; the others unfold.
[[nodiscard]] Html told_items(const std::vector<Html>& items);
/// Bars above a line, each from 0 to 1, with what each one says; a label of the whole.
struct Bar {
    double height = 0;
    std::string_view level;  // as of badge()
    std::string says;
};
[[nodiscard]] Html bars(std::string_view label, const std::vector<Bar>& all, unsigned tall = 64);

/// A whole document around its parts.
[[nodiscard]] std::string document(std::string_view title, const Html& head, const Html& inside);

/// Members that may be missing or of another type.
[[nodiscard]] const Json& member(const Json& json, const char* name);
[[nodiscard]] std::uint64_t count_of(const Json& json, const char* name);
[[nodiscard]] std::string text_of(const Json& json, const char* name);

// What each daemon's page holds, in its files.
[[nodiscard]] Html prover_parts(const Json& status);
[[nodiscard]] Html node_parts(const Json& status);
[[nodiscard]] Html challenger_parts(const Json& status);
[[nodiscard]] Html network_part(const Json& status);  // of every daemon

}  // namespace holdfast::node::html
