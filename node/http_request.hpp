// The little of HTTP that a monitor needs: the head of one request, one response.
//
// Pure; any thread. Malformed heads are an empty result.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::node {

struct HttpRequest {
    std::string method;  // as it came
    std::string path;    // without the query
    std::string host;    // of the Host header, without the port; empty: none came
};

struct HttpResponse {
    unsigned status = 200;
    std::string type = "application/json";
    std::string body;
};

/// `head` ends with the empty line. RFC 9112 as far as it concerns GET and HEAD.
[[nodiscard]] std::optional<HttpRequest> parse_http_request(std::string_view head);
/// Status line, headers and body; the body is left out for HEAD. The connection closes after it.
[[nodiscard]] std::string encode_http_response(const HttpResponse& response, bool head_only);
/// Names under which a program of this machine reaches a loopback address.
[[nodiscard]] bool is_loopback_host(std::string_view host);

}  // namespace holdfast::node
