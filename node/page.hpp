// The page of a daemon: its status as HTML that works without scripts, and follows with one.
//
//   GET /                  everything at a glance; chains that need attention in words
//   GET /chains/STATE/N    a prover's chains in a state ("all": any), a hundred a page
//   GET /page.css, /page.js
//
// Pure functions of the JSON that /status tells. Whatever stands in it may come from a peer or be a
// file's name: it is escaped, and characters that would reorder or hide text are replaced. Nothing
// foreign is loaded, and kPageSecurity lets nothing foreign be. Threading: any.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.hpp"

namespace holdfast::node {

/// Content-Security-Policy of every page.
inline constexpr std::string_view kPageSecurity =
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'";

struct PageSources {
    std::function<json::Json()> status;
    std::function<std::vector<std::string>()> problems;
    /// A page of chains in a state (chain_page()); empty: this daemon has no chains.
    std::function<json::Json(const std::string& state, std::uint64_t page)> chains;
};

struct Page {
    unsigned status = 200;
    std::string type;
    std::string body;
};

/// Empty: there is no page at this path (without its query).
[[nodiscard]] std::optional<Page> page_at(const std::string& path, const PageSources& sources);

/// The first page. `problems`: as /health tells them.
[[nodiscard]] std::string overview_page(const json::Json& status,
                                        const std::vector<std::string>& problems);
/// A page of chains: as chain_page() tells it.
[[nodiscard]] std::string chains_page(const json::Json& chains);

/// Text for HTML, in an element or an attribute in quotes, of any bytes.
[[nodiscard]] std::string html_text(std::string_view bytes);

}  // namespace holdfast::node
