// The HTTP server of a daemon: pages, API and event streams, over TCP or TLS (Boost.Beast).
//
// Whom it serves. At a loopback address: programs of this machine, without a token for what only
// reads; where there is a token, a request that gives it is `authorized`, and what steers the
// daemon asks for that. At any other address: TLS and a token are needed to start, and every
// request must give the token, but for those under `public_prefix`. A server that is `only_public`
// serves those and nothing else, to anybody, at any address and under any name. The token is given
// as "Authorization: Bearer TOKEN", or as the password of Basic, for which a browser asks.
//
// What it refuses before a handler is called: names of this server that are not its own (a page
// of a browser that was led here, DNS rebinding: 403), two Host lines (400), paths with "." or ".."
// as a part, however written (404), what is no HTTP (400), heads and bodies that are too large
// (431, 413), and what would change something on behalf of another site's page (403).
//
// Threading   one thread serves all connections. Handlers of GET, HEAD and OPTIONS are called on
//             one more, all others on a third, one at a time each: a command that takes long delays
//             other commands, neither pages nor streams. Nobody who connects can make the daemon
//             wait: streams are pulled (HttpStream), and who does not read is closed.
// Bounds      HttpLimits. Above the connections' ceiling the oldest that is not being answered is
//             closed: who is served at once is not kept out by those who only hold on.
// Failure     start(): kInvalidArgument for an address, certificate or token that cannot be,
//             kAlreadyExists when the address is in use, kPermission, kIo. A handler that throws is
//             a 500 without its text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"

namespace holdfast::node {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
    std::string method;   // "GET", "HEAD", "POST", "DELETE", ...
    std::string path;     // begins with '/'; decoded, without the query
    std::string query;    // after the '?', as it was sent
    HttpHeaders headers;  // names in lower case; without what holds a secret
    std::string body;
    bool authorized = false;  // the token was given
    bool has_token = false;   // the server has one that could be given
    std::string peer;         // address of who asks, for the log

    /// The first of a name (in lower case); empty where there is none.
    [[nodiscard]] std::string_view header(std::string_view name) const;
    /// The first parameter of a name in the query, decoded; none where it is not given.
    [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const;
};

/// A body without an end, as of server-sent events. The server pulls it, on its own thread, when
/// the client can take more: at first, after HttpServer::wake_streams(), and now and then.
class HttpStream {
  public:
    virtual ~HttpStream() = default;
    /// What there is to be sent now: at most some 64 KiB, empty: nothing yet. None: the end. Must
    /// not wait. `quiet`: nothing was sent for a while; what keeps proxies patient is due.
    [[nodiscard]] virtual std::optional<std::string> next(bool quiet) = 0;
};

struct HttpResponse {
    unsigned status = 200;
    std::string type = "application/json";
    std::string body;
    HttpHeaders headers = {};  // besides, or in place of, Cache-Control: no-store and the like
    std::shared_ptr<HttpStream> stream = nullptr;  // follows the body
};

/// {"error": what} as JSON.
[[nodiscard]] HttpResponse http_error(unsigned status, const std::string& what);

struct HttpLimits {
    std::size_t connections = 256;
    std::size_t streams = 128;          // of them; more are told so (503)
    std::size_t request_bytes = 8'192;  // of the head
    std::size_t body_bytes = 1'048'576;
    std::uint32_t exchange_ms = 5'000;       // for a request, handshake included
    std::uint32_t response_ms = 30'000;      // for a response, once it is there
    std::uint32_t idle_ms = 15'000;          // of a connection between two requests
    std::uint32_t stream_write_ms = 10'000;  // a client that takes nothing for so long is closed
};

struct HttpOptions {
    std::string address;                    // "127.0.0.1:9100", "[::1]:9100", "localhost:9100"
    std::filesystem::path token;            // 0600; made where it is missing; empty: none
    std::filesystem::path certificate;      // PEM, the chain; empty: no TLS
    std::filesystem::path certificate_key;  // PEM
    std::string public_prefix;              // "/public/": for everybody; empty: nothing is
    bool only_public = false;               // needs neither token nor certificate
    HttpLimits limits;
};

/// A loopback address with a port: "127.0.0.1:9100", "[::1]:9100"; or a name that means nothing
/// else, which is looked up: "localhost:9100".
[[nodiscard]] bool is_loopback_address(const std::string& address);

class HttpServer {
  public:
    /// The response to a request; that to HEAD is sent without its body.
    using Handler = std::function<HttpResponse(const HttpRequest& request)>;

    [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(const HttpOptions& options,
                                                                   Handler handler);
    /// Closes every connection, waits for handlers that run, joins the threads.
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// Where it listens, with the port that the system chose.
    [[nodiscard]] const std::string& address() const;
    /// Streams may have something to send. From any thread; cheap, and many at once are one.
    void wake_streams();

  private:
    class Impl;
    explicit HttpServer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::node
