#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "node/control_wire_impl.hpp"
#include "storage/descriptors.hpp"

namespace holdfast::node {
namespace {

std::optional<ErrorCode> error_code_named(const std::string& name) {
    constexpr auto kLast = static_cast<unsigned>(ErrorCode::kUnsupported);
    for (unsigned i = 0; i <= kLast; ++i) {
        if (to_string(static_cast<ErrorCode>(i)) == name) return static_cast<ErrorCode>(i);
    }
    return std::nullopt;
}

std::optional<Reason> reason_named(const std::string& name) {
    for (std::size_t i = 0; i < reason_count(); ++i) {
        if (describe(static_cast<Reason>(i)).name == name) return static_cast<Reason>(i);
    }
    return std::nullopt;
}

Json error_json(const Error& error) {
    Json out = {{"code", to_string(error.code)}, {"message", error.message}};
    if (!error.verdict) {
        out["reason"] = describe(error.verdict.reason).name;
        if (error.verdict.index) out["index"] = *error.verdict.index;
    }
    return out;
}

/// The text under a name, or empty.
std::string text_of(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

tl::unexpected<Error> no_response() {
    return fail(ErrorCode::kIo, "the daemon's control socket gave what is no response");
}

}  // namespace

Result<sockaddr_un> control_address(const std::filesystem::path& socket) {
    sockaddr_un out{};
    out.sun_family = AF_UNIX;
    const std::string& name = socket.native();
    if (name.empty() || name.size() >= sizeof(out.sun_path)) {
        return fail(ErrorCode::kInvalidArgument,
                    "'" + name + "' has " + std::to_string(name.size()) +
                        " bytes, and the path of a control socket may have 1 to " +
                        std::to_string(sizeof(out.sun_path) - 1) +
                        ": give a shorter one, a relative one say");
    }
    std::memcpy(out.sun_path, name.data(), name.size());
    return out;
}

Result<bool> control_listens(const std::filesystem::path& socket) {
    HOLDFAST_ASSIGN(address, control_address(socket));
    const int descriptor = above_standard_descriptors(
        ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (descriptor < 0) return fail_errno(errno, "a socket");
    const bool connected =
        ::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
    const int why = errno;
    ::close(descriptor);
    if (connected || why == EAGAIN) return true;  // EAGAIN: its queue is full
    if (why == ECONNREFUSED || why == ENOENT) return false;
    return fail_errno(why, socket.string());
}

Result<unsigned> peer_user(int descriptor) {
    ucred peer{};
    socklen_t bytes = sizeof(peer);
    if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0) {
        return fail_errno(errno, "the user at the other end of a control socket");
    }
    return peer.uid;
}

std::string request_line(const std::string& command, const Json& arguments) {
    return json::dump({{"command", command}, {"arguments", arguments}});
}

Result<ControlRequest> parse_request(const std::string& line) {
    const Json request = Json::parse(line, nullptr, false);
    if (!request.is_object()) return fail(ErrorCode::kInvalidArgument, "not a line of JSON");
    ControlRequest out{text_of(request, "command"), Json::object()};
    if (out.command.empty()) return fail(ErrorCode::kInvalidArgument, "no command is named");
    if (const auto found = request.find("arguments"); found != request.end()) {
        if (!found->is_object()) {
            return fail(ErrorCode::kInvalidArgument, "\"arguments\" is no object");
        }
        out.arguments = *found;
    }
    return out;
}

std::string response_line(const Result<Json>& outcome) {
    return json::dump(outcome ? Json{{"result", *outcome}}
                              : Json{{"error", error_json(outcome.error())}});
}

Result<Json> parse_response(const std::string& line) {
    const Json response = Json::parse(line, nullptr, false);
    if (!response.is_object()) return no_response();
    if (const auto result = response.find("result"); result != response.end()) return *result;
    const auto told = response.find("error");
    if (told == response.end() || !told->is_object()) return no_response();
    const auto code = error_code_named(text_of(*told, "code"));
    if (!code) return no_response();
    Error error{*code, text_of(*told, "message"), {}};
    if (const auto reason = reason_named(text_of(*told, "reason"))) {
        error.verdict = Verdict(*reason);
        const auto index = told->find("index");
        if (index != told->end() && index->is_number_unsigned()) {
            error.verdict.index = index->get<std::uint64_t>();
        }
    }
    return fail(std::move(error));
}

}  // namespace holdfast::node
