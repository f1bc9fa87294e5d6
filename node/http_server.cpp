#include "node/http_server.hpp"

#include <array>
#include <boost/asio.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <list>
#include <optional>
#include <vector>

#include "node/exchanges_impl.hpp"
#include "transport/tcp_network.hpp"

namespace holdfast::node {
namespace {

namespace http = boost::beast::http;
using boost::asio::ip::tcp;
using Failure = boost::system::error_code;

/// The loopback addresses that a text means, itself or by its name; none where any of them is
/// another.
std::vector<tcp::endpoint> parse_loopback(const std::string& text) {
    std::vector<tcp::endpoint> out;
    for (const std::string& one : numeric_tcp_addresses(text)) {
        const std::size_t colon = one.rfind(':');
        std::string host = one.substr(0, colon);
        if (host.front() == '[') host = host.substr(1, host.size() - 2);
        Failure failed;
        const auto address = boost::asio::ip::make_address(host, failed);
        if (failed || !address.is_loopback()) return {};
        out.emplace_back(address, static_cast<std::uint16_t>(std::stoul(one.substr(colon + 1))));
    }
    return out;
}

/// Of "name:port", "1.2.3.4" or "[::1]:port".
std::string_view without_port(std::string_view host) {
    if (!host.empty() && host.front() == '[') {
        const std::size_t end = host.find(']');
        return end == std::string_view::npos ? host : host.substr(1, end - 1);
    }
    return host.substr(0, host.find(':'));
}

/// Names under which a program of this machine reaches a loopback address.
bool is_loopback_host(std::string_view host) {
    if (boost::beast::iequals({host.data(), host.size()}, "localhost")) return true;
    Failure failed;
    const auto address = boost::asio::ip::make_address(std::string(host), failed);
    return !failed && address.is_loopback();
}

HttpResponse error_response(unsigned status, const std::string& what) {
    return {status, "application/json", "{\n  \"error\": \"" + what + "\"\n}\n"};
}

using Head = http::request_header<>;

HttpResponse answer(const HttpServer::Pages& pages, const Head& head) {
    const std::string target(head.target());
    if (target.front() != '/' || head.count(http::field::host) > 1) {
        return error_response(400, "not HTTP");
    }
    const std::string host(head[http::field::host]);
    if (!host.empty() && !is_loopback_host(without_port(host))) {
        return error_response(403, "asked for under a name that is not this machine's own");
    }
    if (head.method() != http::verb::get && head.method() != http::verb::head) {
        return error_response(405, "only GET and HEAD");
    }
    try {  // the host's code may throw what it likes
        return pages(target.substr(0, target.find('?')));
    } catch (...) {
        return error_response(500, "the source of this page failed");
    }
}

http::response<http::string_body> encode(HttpResponse response) {
    http::response<http::string_body> out(static_cast<http::status>(response.status), 11);
    out.set(http::field::content_type, response.type);
    out.set(http::field::cache_control, "no-store");
    out.set("X-Content-Type-Options", "nosniff");
    if (out.result() == http::status::method_not_allowed) out.set(http::field::allow, "GET, HEAD");
    out.keep_alive(false);
    out.body() = std::move(response.body);
    out.prepare_payload();
    return out;
}

/// One request and its response. Lives in the list of its server until it is closed.
struct Exchange {
    Exchange(tcp::socket accepted, boost::asio::io_context& io, std::size_t request_bytes)
        : socket(std::move(accepted)), deadline(io), buffer(request_bytes) {
        parser.header_limit(static_cast<std::uint32_t>(request_bytes));
    }
    tcp::socket socket;
    boost::asio::steady_timer deadline;
    boost::beast::flat_buffer buffer;
    http::request_parser<http::empty_body> parser;
    http::response<http::string_body> response;
    std::optional<http::response_serializer<http::string_body>> serializer;
    std::array<char, 1'024> drained{};
};
using ExchangePtr = std::shared_ptr<Exchange>;

}  // namespace

class HttpServer::Impl {
  public:
    Impl(Pages pages, const HttpLimits& limits) : pages_(std::move(pages)), limits_(limits) {}
    ~Impl() { loop_.stop(); }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    /// At the first of `places` that will do.
    Status listen(const std::vector<tcp::endpoint>& places, const std::string& text);
    void run() {
        loop_.start([this](tcp::socket socket) {
            if (open_.size() >= limits_.connections) close(ExchangePtr(open_.front()));
            begin(std::move(socket));
        });
    }
    [[nodiscard]] const std::string& address() const { return address_; }

  private:
    void begin(tcp::socket socket);
    void respond(const ExchangePtr& exchange, HttpResponse response);
    void close(const ExchangePtr& exchange);

    const Pages pages_;
    const HttpLimits limits_;
    AcceptLoop<tcp> loop_;
    std::string address_;
    std::list<ExchangePtr> open_;
};

Status HttpServer::Impl::listen(const std::vector<tcp::endpoint>& places, const std::string& text) {
    Failure failed;
    tcp::acceptor& acceptor = loop_.acceptor();
    for (const tcp::endpoint& where : places) {
        Failure ignored;
        acceptor.close(ignored);
        acceptor.open(where.protocol(), failed);
        if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
        if (!failed) acceptor.bind(where, failed);
        if (!failed) acceptor.listen(boost::asio::socket_base::max_listen_connections, failed);
        if (!failed) break;
    }
    if (failed == boost::asio::error::address_in_use) {
        return fail(ErrorCode::kAlreadyExists, text + ": the address is in use");
    }
    if (failed) return fail_errno(failed.value(), "listening at " + text);
    const tcp::endpoint bound = acceptor.local_endpoint(failed);
    const std::string host = bound.address().to_string();
    address_ =
        (bound.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(bound.port());
    return {};
}

void HttpServer::Impl::begin(tcp::socket socket) {
    const auto exchange =
        std::make_shared<Exchange>(std::move(socket), loop_.io(), limits_.request_bytes);
    open_.push_back(exchange);
    exchange->deadline.expires_after(std::chrono::milliseconds(limits_.exchange_ms));
    exchange->deadline.async_wait([this, exchange](const Failure& failed) {
        if (!failed) close(exchange);
    });
    // The head alone: whatever follows it is not looked at.
    http::async_read_header(
        exchange->socket, exchange->buffer, exchange->parser,
        [this, exchange](const Failure& failed, std::size_t) {
            if (!failed) return respond(exchange, answer(pages_, exchange->parser.get()));
            if (failed == http::error::header_limit || failed == http::error::buffer_overflow) {
                return respond(exchange, error_response(431, "too long a request"));
            }
            const bool gone =
                failed == http::error::end_of_stream || failed == http::error::partial_message;
            if (gone || failed.category() != make_error_code(http::error::bad_target).category()) {
                return close(exchange);
            }
            respond(exchange, error_response(400, "not HTTP"));
        });
}

void HttpServer::Impl::respond(const ExchangePtr& exchange, HttpResponse response) {
    exchange->response = encode(std::move(response));
    exchange->serializer.emplace(exchange->response);
    const auto written = [this, exchange](const Failure& failed, std::size_t) {
        if (failed) return close(exchange);
        finish(exchange, [this](const ExchangePtr& done) { close(done); });
    };
    if (exchange->parser.get().method() == http::verb::head) {
        http::async_write_header(exchange->socket, *exchange->serializer, written);
    } else {
        http::async_write(exchange->socket, *exchange->serializer, written);
    }
}

void HttpServer::Impl::close(const ExchangePtr& exchange) {
    Failure ignored;
    exchange->deadline.cancel();
    exchange->socket.close(ignored);
    open_.remove(exchange);
}

bool is_loopback_address(const std::string& address) { return !parse_loopback(address).empty(); }

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::start(const std::string& address, Pages pages,
                                                      const HttpLimits& limits) {
    const auto places = parse_loopback(address);
    if (places.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    "\"" + address + "\" is not a loopback address or name with a port");
    }
    occupy_standard_descriptors();
    auto impl = std::make_unique<Impl>(std::move(pages), limits);
    HOLDFAST_TRY(impl->listen(places, address));
    impl->run();
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

const std::string& HttpServer::address() const { return impl_->address(); }

}  // namespace holdfast::node
