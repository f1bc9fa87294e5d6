#include <algorithm>
#include <cmath>

#include "api/forecast.hpp"
#include "node/page_html_impl.hpp"

namespace holdfast::node {
namespace {

/// Characters of UTF-8 that hide or reorder what stands around them: controls, and the marks,
/// embeddings, overrides and isolates of directions. Bytes of the one at the begin; 0: none.
std::size_t hidden_character(std::string_view rest) {
    const auto byte = [&](std::size_t i) {
        return i < rest.size() ? static_cast<unsigned char>(rest[i]) : 0U;
    };
    if ((byte(0) < 0x20 && byte(0) != '\n' && byte(0) != '\t') || byte(0) == 0x7F) return 1;
    if (byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) <= 0x9F) return 2;
    if (byte(0) == 0xD8 && byte(1) == 0x9C) return 2;
    if (byte(0) != 0xE2) return 0;
    const bool marks = byte(1) == 0x80 && ((byte(2) >= 0x8B && byte(2) <= 0x8F) ||
                                           (byte(2) >= 0xA8 && byte(2) <= 0xAE));
    const bool isolates = byte(1) == 0x81 && byte(2) >= 0xA0 && byte(2) <= 0xAF;
    return marks || isolates ? 3 : 0;
}

}  // namespace

std::string html_text(std::string_view bytes) {
    const std::string known = json::utf8_text(bytes);
    std::string out;
    out.reserve(known.size());
    for (std::size_t i = 0; i < known.size();) {
        if (const std::size_t hidden = hidden_character(std::string_view(known).substr(i))) {
            out += "\xEF\xBF\xBD";
            i += hidden;
            continue;
        }
        switch (known[i]) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            case '\'':
                out += "&#39;";
                break;
            default:
                out += known[i];
        }
        ++i;
    }
    return out;
}

namespace html {
namespace {

std::string tenths(double value) {
    char out[32];
    std::snprintf(out, sizeof(out), value < 10 ? "%.1f" : "%.0f", value);
    return out;
}

std::string coordinate(double value) {
    char out[32];
    std::snprintf(out, sizeof(out), "%.1f", value);
    return out;
}

const char* sign_of(std::string_view level) {
    if (level == "problem") return "✗";
    if (level == "warning") return "!";
    return level == "good" ? "✓" : "·";
}

}  // namespace

Html text(std::string_view bytes) { return {html_text(bytes)}; }

Html mono(std::string_view bytes, std::size_t most) {
    const std::string known = json::utf8_text(bytes);
    std::string out = "<code";
    std::string shown(known);
    if (known.size() > most) {
        std::size_t end = most;
        while (end > 0 && (static_cast<unsigned char>(known[end]) & 0xC0U) == 0x80U) --end;
        shown = known.substr(0, end) + "…";
        out += " title=\"" + html_text(known) + "\"";
    }
    return {out + "><bdi>" + html_text(shown) + "</bdi></code>"};
}

Html number(std::uint64_t value) { return {with_commas(value)}; }

Html milliseconds(std::int64_t ms) {
    const std::int64_t size = std::abs(ms);
    const std::string sign = ms < 0 ? "−" : "";
    if (size < 1'000) return {sign + std::to_string(size) + "\u00A0ms"};
    return {sign + tenths(static_cast<double>(size) / 1'000) + "\u00A0s"};
}

Html microseconds(std::uint64_t us) {
    if (us < 1'000) return {std::to_string(us) + "\u00A0µs"};
    return {tenths(static_cast<double>(us) / 1'000) + "\u00A0ms"};
}

Html bytes(std::uint64_t count) {
    static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    auto size = static_cast<double>(count);
    std::size_t unit = 0;
    for (; size >= 1'024 && unit + 1 < std::size(kUnits); ++unit) size /= 1'024;
    return {(unit == 0 ? std::to_string(count) : tenths(size)) + "\u00A0" + kUnits[unit]};
}

Html value(const Json& json) {
    if (json.is_null()) return {"–"};
    if (json.is_boolean()) return {json.get<bool>() ? "yes" : "no"};
    if (json.is_number_unsigned()) return number(json.get<std::uint64_t>());
    if (json.is_string()) return text(json.get<std::string>());
    return text(json::dump(json));
}

Html badge(std::string_view level, std::string_view words) {
    const std::string name =
        level == "problem" || level == "warning" || level == "good" ? std::string(level) : "notice";
    return {"<span class=\"badge " + name + "\"><span aria-hidden=\"true\">" + sign_of(level) +
            "</span> " + html_text(words) + "</span>"};
}

Html join(std::initializer_list<Html> parts) {
    Html out;
    for (const Html& part : parts) out.code += part.code;
    return out;
}

Html table(std::string_view caption, const std::vector<std::string>& columns,
           const std::vector<Row>& rows, std::string_view nothing) {
    const std::string name = html_text(caption);
    if (rows.empty()) return {"<p class=\"quiet\">" + name + ": " + html_text(nothing) + "</p>"};
    std::string out = "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"" + name +
                      "\"><table><caption>" + name + "</caption><thead><tr>";
    for (const std::string& column : columns) {
        out += "<th scope=\"col\">" + html_text(column) + "</th>";
    }
    out += "</tr></thead><tbody>";
    for (const Row& row : rows) {
        out += "<tr>";
        for (std::size_t i = 0; i < row.size(); ++i) {
            const char* const cell = i == 0 ? "th" : "td";
            out += std::string("<") + cell + (i == 0 ? " scope=\"row\">" : ">") + row[i].code +
                   "</" + cell + ">";
        }
        out += "</tr>";
    }
    return {out + "</tbody></table></div>"};
}

Html section(std::string_view id, std::string_view title, const Html& inside) {
    const std::string name = html_text(id);
    return {"<section id=\"" + name + "\" aria-labelledby=\"" + name + "-title\"><h2 id=\"" + name +
            "-title\">" + html_text(title) + "</h2>" + inside.code + "</section>"};
}

Html facts(const std::vector<std::pair<std::string, Html>>& terms) {
    std::string out = "<dl>";
    for (const auto& [term, told] : terms) {
        out += "<div><dt>" + html_text(term) + "</dt><dd>" + told.code + "</dd></div>";
    }
    return {out + "</dl>"};
}

Html told_items(const std::vector<Html>& items) {
    constexpr std::size_t kShown = 5;
    if (items.empty()) return {};
    std::string out = "<ul class=\"told\">";
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i == kShown) {
            out += "</ul><details><summary>" + std::to_string(items.size() - kShown) +
                   " more</summary><ul class=\"told\">";
        }
        out += items[i].code;
    }
    return {out + (items.size() > kShown ? "</ul></details>" : "</ul>")};
}

Html bars(std::string_view label, const std::vector<Bar>& all, unsigned tall) {
    constexpr double kWide = 920;
    const double step = kWide / static_cast<double>(std::max<std::size_t>(all.size(), 40));
    std::string out = "<svg class=\"bars\" role=\"img\" viewBox=\"0 0 920 " +
                      std::to_string(tall + 2) + "\" preserveAspectRatio=\"none\" aria-label=\"" +
                      html_text(label) + "\">";
    for (std::size_t i = 0; i < all.size(); ++i) {
        const double high = std::clamp(all[i].height, 0.0, 1.0) * (tall - 2.0) + 2.0;
        out += "<rect class=\"" + html_text(all[i].level) + "\" x=\"" +
               coordinate(static_cast<double>(i) * step) + "\" y=\"" + coordinate(tall - high) +
               "\" width=\"" + coordinate(std::max(step - 1, 1.0)) + "\" height=\"" +
               coordinate(high) + "\"><title>" + html_text(all[i].says) + "</title></rect>";
    }
    const std::string line = std::to_string(tall + 1);
    return {out + "<line x1=\"0\" x2=\"920\" y1=\"" + line + "\" y2=\"" + line + "\"/></svg>"};
}

std::string document(std::string_view title, const Html& head, const Html& inside) {
    return "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
           "<meta http-equiv=\"Content-Security-Policy\" content=\"" +
           std::string(kPageSecurity) +
           "\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
           "<meta name=\"color-scheme\" content=\"light dark\"><title>" +
           html_text(title) +
           "</title><link rel=\"stylesheet\" href=\"/page.css\">"
           "</head><body><a class=\"skip\" href=\"#main\">Skip to the content</a><header>" +
           head.code + "</header><main id=\"main\">" + inside.code +
           "</main><footer><p><span id=\"live\">Reload to see what is new.</span> The same as "
           "data: "
           "<a href=\"/status\">/status</a>, <a href=\"/health\">/health</a>, "
           "<a href=\"/metrics\">/metrics</a></p></footer>"
           "<script src=\"/page.js\" defer></script></body></html>\n";
}

const Json& member(const Json& json, const char* name) {
    static const Json kNothing;
    if (!json.is_object()) return kNothing;
    const auto found = json.find(name);
    return found == json.end() ? kNothing : *found;
}

std::uint64_t count_of(const Json& json, const char* name) {
    const Json& found = member(json, name);
    return found.is_number_unsigned() ? found.get<std::uint64_t>()
           : found.is_number()
               ? static_cast<std::uint64_t>(std::max<std::int64_t>(0, found.get<std::int64_t>()))
               : 0;
}

std::string text_of(const Json& json, const char* name) {
    const Json& found = member(json, name);
    return found.is_string() ? found.get<std::string>() : std::string();
}

}  // namespace html
}  // namespace holdfast::node
