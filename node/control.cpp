#include "node/control.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio.hpp>
#include <list>
#include <optional>

#include "node/control_wire_impl.hpp"
#include "node/exchanges_impl.hpp"
#include "storage/file.hpp"

namespace holdfast::node {
namespace {

using boost::asio::local::stream_protocol;
using Failure = boost::system::error_code;

/// One request and its response. Lives in the list of its server until it is closed.
struct CommandExchange {
    CommandExchange(stream_protocol::socket accepted, boost::asio::io_context& io)
        : socket(std::move(accepted)), deadline(io) {}
    stream_protocol::socket socket;
    boost::asio::steady_timer deadline;
    std::string request;
    std::string response;
    std::array<char, 1'024> drained{};
};
using CommandPtr = std::shared_ptr<CommandExchange>;

/// Who may say what this process is to do.
Status check_peer(int descriptor) {
    HOLDFAST_ASSIGN(user, peer_user(descriptor));
    if (user == ::geteuid() || user == 0) return {};
    return fail(ErrorCode::kPermission, "only the daemon's own user and root may ask here");
}

/// Room for the name: what a process that has died left there is removed.
Status clear_stale(const std::filesystem::path& socket) {
    struct stat found{};
    if (::lstat(socket.c_str(), &found) != 0) {
        if (errno == ENOENT) return {};
        return fail_errno(errno, socket.string());
    }
    if (!S_ISSOCK(found.st_mode)) {
        return fail(ErrorCode::kAlreadyExists,
                    socket.string() + " is in the way: it is no socket, so it is left as it is");
    }
    HOLDFAST_ASSIGN(listens, control_listens(socket));
    if (listens) {
        return fail(ErrorCode::kBusy, socket.string() + ": another process listens there");
    }
    if (::unlink(socket.c_str()) != 0) return fail_errno(errno, socket.string());
    return {};
}

}  // namespace

class ControlServer::Impl {
  public:
    Impl(std::filesystem::path socket, Handler handler, const ControlLimits& limits)
        : path_(std::move(socket)), handler_(std::move(handler)), limits_(limits) {}
    ~Impl() {
        loop_.stop();
        handling_.join();
        if (listening_) ::unlink(path_.c_str());
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    Status listen();
    void run() {
        loop_.start([this](stream_protocol::socket socket) { begin(std::move(socket)); });
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    void begin(stream_protocol::socket socket);
    void expire(const CommandPtr& exchange);
    void handle(const CommandPtr& exchange);
    void respond(const CommandPtr& exchange, const Result<Json>& outcome);
    void close(const CommandPtr& exchange);
    Result<Json> outcome_of(const std::string& line) const;

    const std::filesystem::path path_;
    const Handler handler_;
    const ControlLimits limits_;
    std::optional<File> lock_;  // two that start at once do not both replace a stale socket
    bool listening_ = false;
    AcceptLoop<stream_protocol> loop_;
    boost::asio::thread_pool handling_{1};
    std::list<CommandPtr> open_;
};

Status ControlServer::Impl::listen() {
    HOLDFAST_TRY(control_address(path_));
    const std::filesystem::path lock_name = path_.string() + ".lock";
    HOLDFAST_ASSIGN(lock, File::open(lock_name, File::Mode::kCreate, 0600));
    HOLDFAST_TRY(lock.lock_exclusive());
    lock_.emplace(std::move(lock));
    HOLDFAST_TRY(clear_stale(path_));
    Failure failed;
    const stream_protocol::endpoint where(path_.string());
    stream_protocol::acceptor& acceptor = loop_.acceptor();
    acceptor.open(where.protocol(), failed);
    if (!failed) acceptor.bind(where, failed);
    if (failed) return fail_errno(failed.value(), path_.string());
    listening_ = true;
    // Nobody can connect before listen(): by then the mode is right.
    if (::chmod(path_.c_str(), 0600) != 0) return fail_errno(errno, path_.string());
    acceptor.listen(boost::asio::socket_base::max_listen_connections, failed);
    if (failed) return fail_errno(failed.value(), path_.string());
    return {};
}

void ControlServer::Impl::expire(const CommandPtr& exchange) {
    exchange->deadline.expires_after(std::chrono::milliseconds(limits_.exchange_ms));
    exchange->deadline.async_wait([this, exchange](const Failure& failed) {
        if (!failed) close(exchange);
    });
}

void ControlServer::Impl::begin(stream_protocol::socket socket) {
    const auto exchange = std::make_shared<CommandExchange>(std::move(socket), loop_.io());
    const Status welcome = check_peer(exchange->socket.native_handle());
    if (!welcome || open_.size() >= 2 * limits_.connections) return;  // its end closes it
    const bool full = open_.size() >= limits_.connections;
    open_.push_back(exchange);
    expire(exchange);
    if (full) {
        return respond(exchange,
                       fail(ErrorCode::kBusy, "too many commands at once; try again in a moment"));
    }
    boost::asio::async_read_until(
        exchange->socket, boost::asio::dynamic_buffer(exchange->request, limits_.line_bytes), '\n',
        [this, exchange](const Failure& failed, std::size_t bytes) {
            if (failed == boost::asio::error::not_found) {
                return respond(exchange, fail(ErrorCode::kInvalidArgument, "too long a request"));
            }
            if (failed) return close(exchange);
            exchange->request.resize(bytes - 1);  // without its end, and what stands behind it
            handle(exchange);
        });
}

Result<Json> ControlServer::Impl::outcome_of(const std::string& line) const {
    HOLDFAST_ASSIGN(request, parse_request(line));
    try {  // the host's code may throw what it likes
        return handler_(request.command, request.arguments);
    } catch (...) {
        return fail(ErrorCode::kIo, "the daemon failed at \"" + request.command + "\"");
    }
}

void ControlServer::Impl::handle(const CommandPtr& exchange) {
    exchange->deadline.cancel();  // from here on it is the daemon that is waited for
    boost::asio::post(handling_, [this, exchange] {
        if (loop_.io().stopped()) return;
        auto outcome = std::make_shared<Result<Json>>(outcome_of(exchange->request));
        boost::asio::post(loop_.io(), [this, exchange, outcome] { respond(exchange, *outcome); });
    });
}

void ControlServer::Impl::respond(const CommandPtr& exchange, const Result<Json>& outcome) {
    exchange->response = response_line(outcome) + "\n";
    expire(exchange);
    boost::asio::async_write(exchange->socket, boost::asio::buffer(exchange->response),
                             [this, exchange](const Failure& failed, std::size_t) {
                                 if (failed) return close(exchange);
                                 finish(exchange, [this](const CommandPtr& done) { close(done); });
                             });
}

void ControlServer::Impl::close(const CommandPtr& exchange) {
    Failure ignored;
    exchange->deadline.cancel();
    exchange->socket.close(ignored);
    open_.remove(exchange);
}

ControlServer::ControlServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ControlServer::~ControlServer() = default;

Result<std::unique_ptr<ControlServer>> ControlServer::start(const std::filesystem::path& socket,
                                                            Handler handler,
                                                            const ControlLimits& limits) {
    occupy_standard_descriptors();
    auto impl = std::make_unique<Impl>(socket, std::move(handler), limits);
    HOLDFAST_TRY(impl->listen());
    impl->run();
    return std::unique_ptr<ControlServer>(new ControlServer(std::move(impl)));
}

const std::filesystem::path& ControlServer::socket() const { return impl_->path(); }

}  // namespace holdfast::node
