#include "node/page.hpp"

#include <algorithm>
#include <charconv>

#include "node/page_assets_impl.hpp"
#include "node/page_html_impl.hpp"

namespace holdfast::node {
namespace {

using namespace html;

constexpr const char* kHtml = "text/html; charset=utf-8";

std::string level_of(const Json& one) {
    const std::string concern = text_of(one, "concern");
    return concern.empty() || concern == "none" ? "good" : concern;
}

/// Those that are not told in full below, among what needs attention.
Html told_list(const std::vector<std::string>& problems, const Json& attention) {
    std::vector<Html> told;
    for (const std::string& problem : problems) {
        const bool below = std::any_of(attention.begin(), attention.end(), [&](const Json& group) {
            return text_of(group, "text") == problem;
        });
        if (!below) told.push_back({"<li class=\"problem\">" + text(problem).code + "</li>"});
    }
    Html out = told_items(told);
    if (told.size() < problems.size()) {
        out = join({out,
                    {"<p><a href=\"/#chains\">" + std::to_string(problems.size() - told.size()) +
                     " of them are about chains: what needs attention</a></p>"}});
    }
    return out;
}

/// Announced when it changes.
Html health_part(const std::vector<std::string>& problems, const Json& attention) {
    const Html word = problems.empty()
                          ? badge("good", "All is well")
                          : badge("problem", std::to_string(problems.size()) +
                                                 (problems.size() == 1 ? " problem" : " problems"));
    return section("health", "Health",
                   join({{"<div role=\"status\" aria-live=\"polite\"><p>"},
                         word,
                         {"</p>"},
                         problems.empty() ? Html{} : told_list(problems, attention),
                         {"</div>"}}));
}

Html navigation(const std::string& role) {
    std::string out = "<nav aria-label=\"Parts of this page\"><ul>";
    const auto link = [&](const char* id, const char* title) {
        out += std::string("<li><a href=\"/#") + id + "\">" + title + "</a></li>";
    };
    link("health", "Health");
    if (role == "prover") {
        link("chains", "Chains");
        link("timeline", "Heights");
        link("misses", "Misses");
        link("disks", "Disks");
        link("work", "Work");
        link("income", "Serving");
    } else if (role == "node") {
        link("heights", "Heights");
        link("refused", "Refused");
        link("ledger", "Ledger");
    } else {
        link("rounds", "Rounds");
        link("service", "Service times");
    }
    link("hosts", "Peers");
    return {out + "</ul></nav>"};
}

Html heading(const std::string& role, const std::string& key, const std::string& address) {
    std::string title = "Holdfast " + role;
    return join({{"<h1>"},
                 text(title),
                 {"</h1><p class=\"quiet\">key "},
                 mono(key, 64),
                 address.empty() ? Html{} : join({{", listens at "}, mono(address, 60)}),
                 {"</p>"},
                 navigation(role)});
}

Html page_link(const std::string& state, std::uint64_t page, const char* words) {
    return {"<a href=\"/chains/" + html_text(state) + "/" + std::to_string(page) + "\">" + words +
            "</a>"};
}

/// A state's words in a path: '-' for blanks.
std::string state_path(const std::string& state) {
    std::string out;
    for (const char c : state) out += c == ' ' ? std::string("-") : std::string(1, c);
    return out;
}
std::string state_of_path(std::string path) {
    for (char& c : path) c = c == '-' ? ' ' : c;
    return path;
}

Html words(const Json& row) {
    Html out = text(text_of(row, "why"));
    for (const auto& [name, before] : {std::pair("cost", "Costs: "), std::pair("next", "Next: ")}) {
        const std::string told = text_of(row, name);
        if (!told.empty()) out = join({out, {"<br>"}, text(before + told)});
    }
    const std::string action = text_of(row, "do");
    if (!action.empty()) out = join({out, {"<br><strong>Do: "}, text(action), {"</strong>"}});
    return out;
}

std::optional<Page> chains_at(const std::string& rest, const PageSources& sources) {
    const std::size_t slash = rest.find('/');
    const std::string state = state_of_path(rest.substr(0, slash));
    std::uint64_t number = 1;
    if (slash != std::string::npos) {
        const char* const end = rest.data() + rest.size();
        const auto [stopped, error] = std::from_chars(rest.data() + slash + 1, end, number);
        if (error != std::errc() || stopped != end) return std::nullopt;
    }
    if (state.empty() || state.size() > 40) return std::nullopt;
    return Page{200, kHtml, chains_page(sources.chains(state, number))};
}

}  // namespace

std::string overview_page(const Json& status, const std::vector<std::string>& problems) {
    const std::string role = text_of(status, "role");
    const Html parts = role == "prover"       ? prover_parts(status)
                       : role == "challenger" ? challenger_parts(status)
                                              : node_parts(status);
    return document(
        "Holdfast " + role + (problems.empty() ? "" : ": problems"),
        heading(role, text_of(status, "key"), text_of(status, "address")),
        join({health_part(problems, member(status, "attention")), parts, network_part(status)}));
}

std::string chains_page(const Json& chains) {
    const std::string state = text_of(chains, "state");
    const std::uint64_t page = count_of(chains, "page");
    const std::uint64_t pages = count_of(chains, "pages");
    std::vector<Row> rows;
    for (const Json& row : member(chains, "rows")) {
        const std::string chain = text_of(row, "chain");
        const std::string replica = text_of(row, "replica");
        rows.push_back({chain.empty() ? text("none") : mono(chain, 16),
                        badge(level_of(row), text_of(row, "state")), value(member(row, "misses")),
                        words(row), replica.empty() ? text("not at hand") : mono(replica, 48)});
    }
    const std::string path = state_path(state);
    const Html turn = join({{"<p class=\"pages\">"},
                            page > 1 ? page_link(path, page - 1, "Previous page") : Html{},
                            page < pages ? page_link(path, page + 1, "Next page") : Html{},
                            {"<a href=\"/#chains\">Back to all states</a></p>"}});
    const std::string caption = "Page " + std::to_string(page) + " of " + std::to_string(pages) +
                                ", " + number(count_of(chains, "total")).code +
                                (count_of(chains, "total") == 1 ? " chain" : " chains");
    return document(
        "Holdfast prover: chains",
        join({{"<h1>Chains: "}, text(state), {"</h1>"}, navigation("prover")}),
        section("list", "Chains and why they stand so",
                join({turn,
                      table(caption, {"Chain", "State", "Misses", "Why, and what to do", "Replica"},
                            rows, "there is none in this state."),
                      turn})));
}

std::optional<Page> page_at(const std::string& path, const PageSources& sources) {
    constexpr std::string_view kChains = "/chains/";
    if (path == "/") return Page{200, kHtml, overview_page(sources.status(), sources.problems())};
    if (path == "/page.css") return Page{200, "text/css; charset=utf-8", std::string(kStyleSheet)};
    if (path == "/page.js") {
        return Page{200, "text/javascript; charset=utf-8", std::string(kScript)};
    }
    if (!sources.chains || !path.starts_with(kChains)) return std::nullopt;
    return chains_at(path.substr(kChains.size()), sources);
}

}  // namespace holdfast::node
