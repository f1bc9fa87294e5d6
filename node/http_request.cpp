#include "node/http_request.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

namespace holdfast::node {
namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_printable(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

/// Of "name:port", "1.2.3.4" or "[::1]:port".
std::string_view without_port(std::string_view host) {
    if (!host.empty() && host.front() == '[') {
        const std::size_t end = host.find(']');
        return end == std::string_view::npos ? host : host.substr(1, end - 1);
    }
    return host.substr(0, host.find(':'));
}

const char* phrase(unsigned status) {
    switch (status) {
        case 200:
            return "OK";
        case 400:
            return "Bad Request";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 431:
            return "Request Header Fields Too Large";
        case 503:
            return "Service Unavailable";
        default:
            return "Internal Server Error";
    }
}

}  // namespace

std::optional<HttpRequest> parse_http_request(std::string_view head) {
    const auto next_line = [&]() -> std::optional<std::string_view> {
        const std::size_t end = head.find("\r\n");
        if (end == std::string_view::npos) return std::nullopt;
        const std::string_view line = head.substr(0, end);
        head.remove_prefix(end + 2);
        return line;
    };
    const auto first = next_line();
    if (!first || !is_printable(*first)) return std::nullopt;
    const std::size_t space = first->find(' ');
    const std::size_t last = first->rfind(' ');
    if (space == std::string_view::npos || space == 0 || last == space) return std::nullopt;
    const std::string_view target = first->substr(space + 1, last - space - 1);
    const std::string_view version = first->substr(last + 1);
    if (target.empty() || target.front() != '/' || target.find(' ') != std::string_view::npos ||
        (version != "HTTP/1.1" && version != "HTTP/1.0")) {
        return std::nullopt;
    }
    HttpRequest out{
        std::string(first->substr(0, space)), std::string(target.substr(0, target.find('?'))), {}};
    while (const auto line = next_line()) {
        if (line->empty()) return out;
        const std::size_t colon = line->find(':');
        if (colon == std::string_view::npos || colon == 0) return std::nullopt;
        if (lower(line->substr(0, colon)) == "host") {
            out.host = lower(without_port(trimmed(line->substr(colon + 1))));
        }
    }
    return std::nullopt;  // no empty line
}

std::string encode_http_response(const HttpResponse& response, bool head_only) {
    std::string out = "HTTP/1.1 " + std::to_string(response.status) + " " +
                      phrase(response.status) + "\r\nContent-Type: " + response.type +
                      "\r\nContent-Length: " + std::to_string(response.body.size()) +
                      "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
    if (response.status == 405) out += "Allow: GET, HEAD\r\n";
    out += "Connection: close\r\n\r\n";
    if (!head_only) out += response.body;
    return out;
}

bool is_loopback_host(std::string_view host) {
    if (host == "localhost") return true;
    boost::system::error_code failed;
    const auto address = boost::asio::ip::make_address(std::string(host), failed);
    return !failed && address.is_loopback();
}

}  // namespace holdfast::node
