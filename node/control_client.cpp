#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "node/control.hpp"
#include "node/control_wire_impl.hpp"
#include "storage/descriptors.hpp"

namespace holdfast::node {
namespace {

using Clock = std::chrono::steady_clock;

/// A connected socket whose calls end at a deadline.
class Connection {
  public:
    Connection(int descriptor, Clock::time_point deadline, std::string name)
        : descriptor_(descriptor), deadline_(deadline), name_(std::move(name)) {}
    ~Connection() { ::close(descriptor_); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    Status send(const std::string& text) {
        std::size_t sent = 0;
        while (sent < text.size()) {
            HOLDFAST_TRY(wait_for(POLLOUT));
            const ssize_t n =
                ::send(descriptor_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
            if (n > 0) sent += static_cast<std::size_t>(n);
            // It answers and closes before the end of a request that it refuses: read the answer.
            if (n < 0 && (errno == EPIPE || errno == ECONNRESET)) return {};
            if (n < 0 && errno != EAGAIN && errno != EINTR) return fail_errno(errno, name_);
        }
        return {};
    }
    Result<std::string> read_line() {
        std::string out;
        std::array<char, 65'536> part{};
        while (true) {
            HOLDFAST_TRY(wait_for(POLLIN));
            const ssize_t n = ::recv(descriptor_, part.data(), part.size(), 0);
            if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
            if (n < 0 && errno != ECONNRESET) return fail_errno(errno, name_);
            if (n <= 0) {
                return fail(ErrorCode::kUnavailable,
                            name_ +
                                ": the daemon ended before it answered; whether it did what "
                                "was asked shows when it runs again");
            }
            const std::string_view got(part.data(), static_cast<std::size_t>(n));
            const std::size_t end = got.find('\n');
            out += got.substr(0, end);
            if (end != std::string_view::npos) return out;
            if (out.size() > kControlResponseBytes) {
                return fail(ErrorCode::kIo, name_ + ": the daemon's response has no end");
            }
        }
    }

  private:
    Status wait_for(short events) {
        while (true) {
            const auto left =
                std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now())
                    .count();
            pollfd one{descriptor_, events, 0};
            const int n = left <= 0 ? 0 : ::poll(&one, 1, static_cast<int>(left));
            if (n > 0) return {};
            if (n == 0) {
                return fail(ErrorCode::kTimeout,
                            name_ +
                                ": the daemon has not answered in time; what was asked may "
                                "still be done");
            }
            if (errno != EINTR) return fail_errno(errno, name_);
        }
    }

    int descriptor_;
    Clock::time_point deadline_;
    std::string name_;
};

tl::unexpected<Error> nobody_listens(const std::filesystem::path& socket) {
    return fail(ErrorCode::kUnavailable, "no daemon listens at " + socket.string());
}

}  // namespace

Result<Json> control_request(const std::filesystem::path& socket, const std::string& command,
                             const Json& arguments, std::uint32_t patience_ms) {
    const Result<sockaddr_un> address = control_address(socket);
    if (!address) return fail(ErrorCode::kUnavailable, "no daemon: " + address.error().message);
    const int descriptor = above_standard_descriptors(
        ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (descriptor < 0) return fail_errno(errno, "a socket");
    Connection connection(descriptor, Clock::now() + std::chrono::milliseconds(patience_ms),
                          socket.string());
    if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) !=
        0) {
        if (errno == ENOENT || errno == ECONNREFUSED) return nobody_listens(socket);
        if (errno == EAGAIN) {
            return fail(ErrorCode::kBusy, socket.string() +
                                              ": the daemon has no room for another "
                                              "command now; try again");
        }
        return fail_errno(errno, socket.string());
    }
    HOLDFAST_ASSIGN(user, peer_user(descriptor));
    if (user != ::geteuid() && user != 0 && ::geteuid() != 0) {
        return fail(ErrorCode::kPermission, socket.string() + ": user " + std::to_string(user) +
                                                " listens there, and neither this one nor root");
    }
    HOLDFAST_TRY(connection.send(request_line(command, arguments) + "\n"));
    HOLDFAST_ASSIGN(line, connection.read_line());
    return parse_response(line);
}

}  // namespace holdfast::node
