#include "node/monitor.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <boost/asio.hpp>
#include <list>
#include <thread>

#include "node/http_request.hpp"
#include "storage/descriptors.hpp"
#include "transport/tcp_network.hpp"

namespace holdfast::node {
namespace {

using boost::asio::ip::tcp;
using Failure = boost::system::error_code;
using json::Json;

/// The loopback address and port in a text.
std::optional<tcp::endpoint> parse_loopback(const std::string& text) {
    if (!is_tcp_address(text)) return std::nullopt;
    const std::size_t colon = text.rfind(':');
    std::string host = text.substr(0, colon);
    if (host.front() == '[') host = host.substr(1, host.size() - 2);
    Failure failed;
    const auto address = boost::asio::ip::make_address(host, failed);
    if (failed || !address.is_loopback()) return std::nullopt;
    return tcp::endpoint(address, static_cast<std::uint16_t>(std::stoul(text.substr(colon + 1))));
}

HttpResponse json_response(unsigned status, const Json& json) {
    return {status, "application/json", json::dump(json, json::kIndented) + "\n"};
}

HttpResponse error_response(unsigned status, const char* what) {
    return json_response(status, {{"error", what}});
}

HttpResponse answer(const MonitorSources& sources, const HttpRequest& request) {
    if (!request.host.empty() && !is_loopback_host(request.host)) {
        return error_response(403, "asked for under a name that is not this machine's own");
    }
    const bool metrics = request.path == "/metrics";
    const bool health = request.path == "/health";
    if (!metrics && !health && request.path != "/status") {
        return error_response(404, "there are /metrics, /health and /status");
    }
    if (request.method != "GET" && request.method != "HEAD") {
        return error_response(405, "only GET and HEAD");
    }
    if (metrics) {
        return {200, "text/plain; version=0.0.4; charset=utf-8", metrics_text(sources.metrics())};
    }
    if (health) {
        const Health now = sources.health();
        const bool good = now.problems.empty();
        return json_response(good ? 200 : 503, {{"healthy", good}, {"problems", now.problems}});
    }
    return json_response(200, sources.status());
}

/// The host's code may throw what it likes.
HttpResponse answer_or_500(const MonitorSources& sources, const HttpRequest& request) {
    try {
        return answer(sources, request);
    } catch (...) {
        return error_response(500, "the source of this page failed");
    }
}

/// One request and its response. Lives in the list of its monitor until it is closed.
struct Exchange {
    Exchange(tcp::socket accepted, boost::asio::io_context& io)
        : socket(std::move(accepted)), deadline(io) {}
    tcp::socket socket;
    boost::asio::steady_timer deadline;
    std::string request;
    std::array<char, 1'024> arriving{};
    std::string response;
};
using ExchangePtr = std::shared_ptr<Exchange>;

}  // namespace

class Monitor::Impl {
  public:
    Impl(MonitorSources sources, const MonitorLimits& limits)
        : sources_(std::move(sources)), limits_(limits), acceptor_(io_) {}
    ~Impl() {
        io_.stop();
        if (thread_.joinable()) thread_.join();
    }

    Status listen(const tcp::endpoint& where, const std::string& text);
    void run() {
        accept();
        thread_ = std::thread([this] {
            // Memory that is missing for one exchange costs that exchange.
            while (!io_.stopped()) {
                try {
                    io_.run();
                } catch (...) {
                    continue;
                }
            }
        });
    }
    [[nodiscard]] const std::string& address() const { return address_; }

  private:
    void accept();
    void begin(tcp::socket socket);
    void read(const ExchangePtr& exchange);
    void respond(const ExchangePtr& exchange, const HttpResponse& response, bool head_only);
    void drain(const ExchangePtr& exchange);
    void close(const ExchangePtr& exchange);

    const MonitorSources sources_;
    const MonitorLimits limits_;
    boost::asio::io_context io_{1};
    tcp::acceptor acceptor_;
    std::string address_;
    std::list<ExchangePtr> open_;
    std::thread thread_;
};

Status Monitor::Impl::listen(const tcp::endpoint& where, const std::string& text) {
    Failure failed;
    acceptor_.open(where.protocol(), failed);
    if (!failed) acceptor_.set_option(tcp::acceptor::reuse_address(true), failed);
    if (!failed) acceptor_.bind(where, failed);
    if (!failed) acceptor_.listen(boost::asio::socket_base::max_listen_connections, failed);
    if (failed) {
        const std::string what = "the monitor cannot listen at " + text;
        if (failed == boost::asio::error::address_in_use) {
            return fail(ErrorCode::kAlreadyExists,
                        what + ": the address is in use; set another [monitor] listen");
        }
        return fail_errno(failed.value(), what);
    }
    const tcp::endpoint bound = acceptor_.local_endpoint(failed);
    const std::string host = bound.address().to_string();
    address_ =
        (bound.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(bound.port());
    return {};
}

void Monitor::Impl::accept() {
    occupy_standard_descriptors();
    acceptor_.async_accept([this](const Failure& failed, tcp::socket socket) {
        if (failed == boost::asio::error::operation_aborted) return;
        if (failed) {
            // No descriptors left, most likely: they come back as exchanges end.
            const auto pause =
                std::make_shared<boost::asio::steady_timer>(io_, std::chrono::milliseconds(100));
            pause->async_wait([this, pause](const Failure&) { accept(); });
            return;
        }
        accept();
        // The oldest gives way: who is served at once is not kept out by those who only hold on.
        if (open_.size() >= limits_.connections) close(ExchangePtr(open_.front()));
        begin(std::move(socket));
    });
}

void Monitor::Impl::begin(tcp::socket socket) {
    const auto exchange = std::make_shared<Exchange>(std::move(socket), io_);
    open_.push_back(exchange);
    exchange->deadline.expires_after(std::chrono::milliseconds(limits_.exchange_ms));
    exchange->deadline.async_wait([this, exchange](const Failure& failed) {
        if (!failed) close(exchange);
    });
    read(exchange);
}

void Monitor::Impl::read(const ExchangePtr& exchange) {
    exchange->socket.async_read_some(
        boost::asio::buffer(exchange->arriving),
        [this, exchange](const Failure& failed, std::size_t bytes) {
            if (failed) return close(exchange);
            exchange->request.append(exchange->arriving.data(), bytes);
            const std::size_t end = exchange->request.find("\r\n\r\n");
            if (end == std::string::npos) {
                if (exchange->request.size() >= limits_.request_bytes) {
                    return respond(exchange, error_response(431, "too long a request"), false);
                }
                return read(exchange);
            }
            const auto request =
                parse_http_request(std::string_view(exchange->request).substr(0, end + 4));
            if (!request) return respond(exchange, error_response(400, "not HTTP"), false);
            respond(exchange, answer_or_500(sources_, *request), request->method == "HEAD");
        });
}

void Monitor::Impl::respond(const ExchangePtr& exchange, const HttpResponse& response,
                            bool head_only) {
    exchange->response = encode_http_response(response, head_only);
    boost::asio::async_write(exchange->socket, boost::asio::buffer(exchange->response),
                             [this, exchange](const Failure& failed, std::size_t) {
                                 if (failed) return close(exchange);
                                 Failure ignored;
                                 exchange->socket.shutdown(tcp::socket::shutdown_send, ignored);
                                 drain(exchange);
                             });
}

/// Closing with bytes unread would reset the connection, and the client might lose the response.
void Monitor::Impl::drain(const ExchangePtr& exchange) {
    exchange->socket.async_read_some(boost::asio::buffer(exchange->arriving),
                                     [this, exchange](const Failure& failed, std::size_t) {
                                         if (failed) return close(exchange);
                                         drain(exchange);
                                     });
}

void Monitor::Impl::close(const ExchangePtr& exchange) {
    Failure ignored;
    exchange->deadline.cancel();
    exchange->socket.close(ignored);
    open_.remove(exchange);
}

std::string metrics_text(const std::vector<Metric>& metrics) {
    std::vector<prometheus::MetricFamily> families;
    for (const Metric& metric : metrics) {
        auto family = std::find_if(families.begin(), families.end(),
                                   [&](const auto& one) { return one.name == metric.name; });
        if (family == families.end()) {
            families.push_back({metric.name,
                                metric.help,
                                metric.kind == Metric::Kind::kCounter
                                    ? prometheus::MetricType::Counter
                                    : prometheus::MetricType::Gauge,
                                {}});
            family = families.end() - 1;
        }
        prometheus::ClientMetric one;
        for (const auto& [name, value] : metric.labels) one.label.push_back({name, value});
        (metric.kind == Metric::Kind::kCounter ? one.counter.value : one.gauge.value) =
            metric.value;
        family->metric.push_back(std::move(one));
    }
    return prometheus::TextSerializer().Serialize(families);
}

const char* monitor_address_problem(const std::string& address) {
    if (parse_loopback(address)) return nullptr;
    return "a loopback address with a port, e.g. 127.0.0.1:9100 or [::1]:9100 (the monitor has no "
           "password and serves this machine alone)";
}

Monitor::Monitor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Monitor::~Monitor() = default;

Result<std::unique_ptr<Monitor>> Monitor::start(const std::string& address, MonitorSources sources,
                                                const MonitorLimits& limits) {
    const auto where = parse_loopback(address);
    if (!where) {
        return fail(ErrorCode::kInvalidArgument, "the monitor's address must be " +
                                                     std::string(monitor_address_problem(address)) +
                                                     ", not \"" + address + "\"");
    }
    occupy_standard_descriptors();
    auto impl = std::make_unique<Impl>(std::move(sources), limits);
    HOLDFAST_TRY(impl->listen(*where, address));
    impl->run();
    return std::unique_ptr<Monitor>(new Monitor(std::move(impl)));
}

std::string Monitor::address() const { return impl_->address(); }

}  // namespace holdfast::node
