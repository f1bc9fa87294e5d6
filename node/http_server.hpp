// A small HTTP server for pages of this machine: GET and HEAD, one request for each connection.
//
// Listens on loopback addresses alone. A request that names another host than a loopback one comes
// from a page of a browser that was led here (DNS rebinding) and is refused (403).
//
// Threading   one thread of its own serves all connections and calls `pages`, one at a time.
// Bounds      HttpLimits. Above the connections' ceiling the oldest is closed: who is served at
//             once is not kept out by those who only hold on.
// Failure     start(): kInvalidArgument for what is no loopback address or name with a port,
//             kAlreadyExists when it is in use, kPermission, kIo. A page that throws is a 500.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/result.hpp"

namespace holdfast::node {

struct HttpResponse {
    unsigned status = 200;
    std::string type = "application/json";
    std::string body;
};

struct HttpLimits {
    std::size_t connections = 32;
    std::size_t request_bytes = 8'192;
    std::uint32_t exchange_ms = 5'000;  // from the connection to its end
};

/// A loopback address with a port: "127.0.0.1:9100", "[::1]:9100"; or a name that means nothing
/// else, which is looked up: "localhost:9100".
[[nodiscard]] bool is_loopback_address(const std::string& address);

class HttpServer {
  public:
    /// The response to GET of a path (without the query); HEAD gets its head.
    using Pages = std::function<HttpResponse(const std::string& path)>;

    [[nodiscard]] static Result<std::unique_ptr<HttpServer>> start(const std::string& address,
                                                                   Pages pages,
                                                                   const HttpLimits& limits = {});
    /// Closes every connection and joins the thread.
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    /// Where it listens, with the port that the system chose.
    [[nodiscard]] const std::string& address() const;

  private:
    class Impl;
    explicit HttpServer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::node
