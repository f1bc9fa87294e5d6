#include "node/http_server.hpp"

#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>

#include "json/json.hpp"
#include "node/exchanges_impl.hpp"
#include "node/http_admission.hpp"
#include "node/http_session_impl.hpp"
#include "transport/tcp_network.hpp"

namespace holdfast::node {
namespace {

namespace ssl = boost::asio::ssl;
using boost::asio::ip::tcp;
using Failure = boost::system::error_code;

constexpr auto kBetweenPulls = std::chrono::milliseconds(250);
constexpr auto kLookAtQuiet = std::chrono::seconds(5);

/// The addresses that a text means, itself or by its name.
std::vector<tcp::endpoint> parse_endpoints(const std::string& text) {
    std::vector<tcp::endpoint> out;
    for (const std::string& one : numeric_tcp_addresses(text)) {
        const std::size_t colon = one.rfind(':');
        std::string host = one.substr(0, colon);
        if (host.front() == '[') host = host.substr(1, host.size() - 2);
        Failure failed;
        const auto address = boost::asio::ip::make_address(host, failed);
        if (failed) return {};
        out.emplace_back(address, static_cast<std::uint16_t>(std::stoul(one.substr(colon + 1))));
    }
    return out;
}

bool all_loopback(const std::vector<tcp::endpoint>& places) {
    return !places.empty() && std::all_of(places.begin(), places.end(), [](const auto& place) {
        return place.address().is_loopback();
    });
}

bool only_reads(std::string_view method) {
    return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

/// Whether a browser says that another site's page asks.
bool asked_by_another_site(const HttpRequest& request) {
    const std::string_view site = request.header("sec-fetch-site");
    if (!site.empty() && site != "same-origin" && site != "none") return true;
    const std::string_view origin = request.header("origin");
    if (origin.empty()) return false;
    const std::size_t scheme = origin.find("://");
    return scheme == std::string_view::npos || origin.substr(scheme + 3) != request.header("host");
}

/// What a handler sees. Secrets stay here.
HttpHeaders headers_of(const HttpMessage& message) {
    HttpHeaders out;
    for (const auto& field : message) {
        std::string name(field.name_string());
        std::transform(name.begin(), name.end(), name.begin(),
                       [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
        if (name == "authorization" || name == "proxy-authorization" || name == "cookie") continue;
        out.emplace_back(std::move(name), std::string(field.value()));
    }
    return out;
}

Result<ssl::context> make_server_tls(const HttpOptions& options) {
    ssl::context context(ssl::context::tls_server);
    SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
    struct stat found{};
    if (::stat(options.certificate_key.c_str(), &found) == 0 && (found.st_mode & 07) != 0) {
        return fail(ErrorCode::kPermission, "everybody can read the certificate's key " +
                                                options.certificate_key.string() + ": chmod 600");
    }
    Failure failed;
    context.use_certificate_chain_file(options.certificate.string(), failed);
    if (failed) {
        return fail(ErrorCode::kInvalidArgument, "no certificate in PEM can be read from " +
                                                     options.certificate.string() + ": " +
                                                     failed.message());
    }
    // Without a passphrase: nobody is there to be asked for one.
    context.set_password_callback([](std::size_t, ssl::context::password_purpose) { return ""; },
                                  failed);
    context.use_private_key_file(options.certificate_key.string(), ssl::context::pem, failed);
    if (failed) {
        return fail(ErrorCode::kInvalidArgument,
                    "the certificate's key cannot be used: " + options.certificate_key.string() +
                        ": " + failed.message());
    }
    return context;
}

}  // namespace

// --- requests and responses ----------------------------------------------------------------------

std::string_view HttpRequest::header(std::string_view name) const {
    for (const auto& [one, value] : headers) {
        if (one == name) return value;
    }
    return {};
}

std::optional<std::string> HttpRequest::parameter(std::string_view name) const {
    const std::string_view all = query;
    for (std::size_t begin = 0; begin < all.size();) {
        const std::size_t end = std::min(all.find('&', begin), all.size());
        const std::string_view one = all.substr(begin, end - begin);
        const std::size_t equals = std::min(one.find('='), one.size());
        if (unescape(one.substr(0, equals), true) == name) {
            return unescape(equals < one.size() ? one.substr(equals + 1) : std::string_view(), true)
                .value_or("");
        }
        begin = end + 1;
    }
    return std::nullopt;
}

HttpResponse http_error(unsigned status, const std::string& what) {
    HttpResponse out;
    out.status = status;
    out.body = json::dump(json::Json{{"error", what}}, json::kIndented) + "\n";
    return out;
}

// --- the server ----------------------------------------------------------------------------------

class HttpServer::Impl final : public HttpSessionHost {
  public:
    Impl(const HttpOptions& options, Handler handler, bool loopback)
        : options_(options),
          handler_(std::move(handler)),
          loopback_(loopback),
          wake_timer_(loop_.io()),
          quiet_timer_(loop_.io()) {}
    ~Impl() override {
        loop_.stop();
        reads_.join();
        commands_.join();
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    /// Token and certificate.
    Status prepare();
    /// At the first of `places` that will do.
    Status listen(const std::vector<tcp::endpoint>& places);
    void run() {
        look_at_quiet();
        loop_.start([this](tcp::socket socket) { begin(std::move(socket)); });
    }
    void wake() {
        if (woken_.exchange(true)) return;
        boost::asio::post(loop_.io(), [this] { pull_soon(); });
    }
    [[nodiscard]] const std::string& address() const { return address_; }

    void handle(const HttpSessionPtr& session, HttpMessage message) override;
    [[nodiscard]] bool room_for_stream() const override {
        const auto streams = std::count_if(open_.begin(), open_.end(), [](const auto& one) {
            return one->state() == HttpSession::State::kStreaming;
        });
        return static_cast<std::size_t>(streams) < options_.limits.streams;
    }
    void forget(HttpSession& session) override { open_.erase(session.place); }
    [[nodiscard]] const HttpLimits& limits() const override { return options_.limits; }

  private:
    void begin(tcp::socket socket);
    void make_room();
    void pull_soon();
    void pull_all();
    void look_at_quiet();
    std::optional<HttpResponse> refuse(const HttpMessage& message, HttpRequest& request) const;
    [[nodiscard]] bool is_own_name(std::string_view host) const;
    [[nodiscard]] HttpResponse answer(const HttpRequest& request) const;

    const HttpOptions options_;
    const Handler handler_;
    const bool loopback_;
    std::optional<AccessToken> token_;
    std::optional<ssl::context> tls_;
    X509* certificate_ = nullptr;  // of tls_
    AcceptLoop<tcp> loop_;
    std::string address_;
    std::atomic<bool> woken_{false};
    boost::asio::steady_timer wake_timer_;
    boost::asio::steady_timer quiet_timer_;
    boost::asio::thread_pool reads_{1};
    boost::asio::thread_pool commands_{1};
    std::list<HttpSessionPtr> open_;
};

Status HttpServer::Impl::prepare() {
    if (!loopback_ && !options_.only_public &&
        (options_.token.empty() || options_.certificate.empty())) {
        return fail(ErrorCode::kInvalidArgument,
                    "\"" + options_.address +
                        "\" is no loopback address: other machines are served only with a "
                        "token and a certificate");
    }
    if (options_.certificate.empty() != options_.certificate_key.empty()) {
        return fail(ErrorCode::kInvalidArgument, "a certificate and its key belong together");
    }
    if (!options_.token.empty()) {
        HOLDFAST_ASSIGN(token, AccessToken::open(options_.token));
        token_ = token;
    }
    if (options_.certificate.empty()) return {};
    HOLDFAST_ASSIGN(tls, make_server_tls(options_));
    tls_.emplace(std::move(tls));
    certificate_ = SSL_CTX_get0_certificate(tls_->native_handle());
    return {};
}

Status HttpServer::Impl::listen(const std::vector<tcp::endpoint>& places) {
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
        return fail(ErrorCode::kAlreadyExists, options_.address + ": the address is in use");
    }
    if (failed) return fail_errno(failed.value(), "listening at " + options_.address);
    const tcp::endpoint bound = acceptor.local_endpoint(failed);
    const std::string host = bound.address().to_string();
    address_ =
        (bound.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(bound.port());
    return {};
}

void HttpServer::Impl::begin(tcp::socket socket) {
    if (open_.size() >= options_.limits.connections) make_room();
    HttpSessionPtr session;
    if (tls_) {
        session = std::make_shared<HttpSessionOn<ssl::stream<tcp::socket>>>(
            *this, loop_.io(), std::move(socket), *tls_);
    } else {
        session =
            std::make_shared<HttpSessionOn<tcp::socket>>(*this, loop_.io(), std::move(socket));
    }
    session->place = open_.insert(open_.end(), session);
    session->begin();
}

/// Closes the oldest of those who hold on to nothing but a connection.
void HttpServer::Impl::make_room() {
    using State = HttpSession::State;
    auto victim = std::find_if(open_.begin(), open_.end(), [](const HttpSessionPtr& one) {
        return one->state() != State::kAnswering && one->state() != State::kStreaming;
    });
    if (victim == open_.end()) victim = open_.begin();
    const HttpSessionPtr closed = *victim;
    closed->close();
}

/// Our own names: numbers and "localhost", and those that the certificate is for.
bool HttpServer::Impl::is_own_name(std::string_view host) const {
    if (host.empty() || is_unbendable_host(host, !loopback_)) return true;
    if (certificate_ == nullptr) return false;
    return X509_check_host(certificate_, host.data(), host.size(), 0, nullptr) == 1;
}

/// What is said before the handler is asked; none: it may be.
std::optional<HttpResponse> HttpServer::Impl::refuse(const HttpMessage& message,
                                                     HttpRequest& request) const {
    HttpTarget target;
    const std::string_view text(message.target().data(), message.target().size());
    const TargetFault fault = parse_target(text, target);
    if (fault == TargetFault::kDots) return http_error(404, "no path with dots is served");
    if (fault != TargetFault::kNone || message.count(http::field::host) > 1) {
        return http_error(400, "not HTTP");
    }
    request.method = std::string(message.method_string());
    request.path = std::move(target.path);
    request.query = std::move(target.query);
    request.headers = headers_of(message);
    request.has_token = token_.has_value();
    const bool open_to_all = !options_.public_prefix.empty() && only_reads(request.method) &&
                             request.path.starts_with(options_.public_prefix);
    if (open_to_all) return std::nullopt;
    if (options_.only_public) {
        return only_reads(request.method) ? http_error(404, "there is " + options_.public_prefix)
                                          : http_error(405, "only GET and HEAD");
    }
    if (!is_own_name(host_without_port(request.header("host")))) {
        return http_error(403, "asked for under a name that is not this machine's own");
    }
    if (!only_reads(request.method) && asked_by_another_site(request)) {
        return http_error(403, "asked for by a page of another site");
    }
    const auto given = message.find(http::field::authorization);
    request.authorized = token_ && given != message.end() &&
                         token_->given_by({given->value().data(), given->value().size()});
    const bool wrong = token_ && given != message.end() && !request.authorized;
    if (wrong || (!loopback_ && !request.authorized)) {
        HttpResponse out = http_error(401, "the token is needed");
        out.headers = {{"WWW-Authenticate", "Basic realm=\"holdfast\", charset=\"UTF-8\""}};
        return out;
    }
    return std::nullopt;
}

HttpResponse HttpServer::Impl::answer(const HttpRequest& request) const {
    try {  // the host's code may throw what it likes
        return handler_(request);
    } catch (...) {
        return http_error(500, "the source of this page failed");
    }
}

void HttpServer::Impl::handle(const HttpSessionPtr& session, HttpMessage message) {
    open_.splice(open_.end(), open_, session->place);  // the newest of those who ask
    const auto request = std::make_shared<HttpRequest>();
    if (auto refused = refuse(message, *request)) return session->respond(*std::move(refused));
    request->body = std::move(message.body());
    boost::asio::post(only_reads(request->method) ? reads_ : commands_, [this, session, request] {
        if (loop_.io().stopped()) return;
        const auto response = std::make_shared<HttpResponse>(answer(*request));
        boost::asio::post(loop_.io(),
                          [session, response] { session->respond(std::move(*response)); });
    });
}

/// Many events at once are one look at the streams.
void HttpServer::Impl::pull_soon() {
    wake_timer_.expires_after(kBetweenPulls);
    wake_timer_.async_wait([this](const Failure& failed) {
        if (failed) return;
        woken_ = false;
        pull_all();
    });
}

void HttpServer::Impl::pull_all() {
    const std::vector<HttpSessionPtr> sessions(open_.begin(), open_.end());
    for (const HttpSessionPtr& one : sessions) one->pull();
}

void HttpServer::Impl::look_at_quiet() {
    quiet_timer_.expires_after(kLookAtQuiet);
    quiet_timer_.async_wait([this](const Failure& failed) {
        if (failed) return;
        pull_all();
        look_at_quiet();
    });
}

bool is_loopback_address(const std::string& address) {
    return all_loopback(parse_endpoints(address));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpOptions& options, Handler handler) {
    const auto places = parse_endpoints(options.address);
    if (places.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    "\"" + options.address +
                        "\" is no address or name with a port (a loopback one, for this machine)");
    }
    occupy_standard_descriptors();
    auto impl = std::make_unique<Impl>(options, std::move(handler), all_loopback(places));
    HOLDFAST_TRY(impl->prepare());
    HOLDFAST_TRY(impl->listen(places));
    impl->run();
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

const std::string& HttpServer::address() const { return impl_->address(); }
void HttpServer::wake_streams() { impl_->wake(); }

}  // namespace holdfast::node
