// A daemon's control socket: commands of its own machine, for what needs writing beside it.
//
// An AF_UNIX stream socket of mode 0600. A connection carries one request and one response, each a
// line of JSON:
//
//   {"command":"ledger issue","arguments":{"key":"…","amount":5}}
//   {"result":{"issued":5}}
//   {"error":{"code":"busy","message":"…"}}     with "reason" (and "index") where it is a verdict
//
// Who may ask: processes of the same user as the daemon's, and root. A client asks only a server
// that runs as its own user or root (root asks any).
//
// Threading   a thread for the connections and one for `handler`, which handles one request at a
//             time: a command that takes long delays other commands, but no other part of a daemon.
// Bounds      ControlLimits. Above the connections' ceiling a new one is told so (kBusy).
// Failure     start(): kBusy when a living process listens there, kAlreadyExists when something
//             that is no socket bears the name, kInvalidArgument for a path that the system cannot
//             bind, kPermission, kIo. A handler that throws is a kIo of that request. The socket of
//             a process that has died is replaced.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "core/result.hpp"
#include "json/json.hpp"

namespace holdfast::node {

using json::Json;

struct ControlLimits {
    std::size_t connections = 16;
    std::size_t line_bytes = std::size_t{8} << 20;  // of a request
    std::uint32_t exchange_ms = 5'000;              // for the request, and again for the response
};

class ControlServer {
  public:
    /// `arguments` is an object. What it returns, or its error, is the response.
    using Handler = std::function<Result<Json>(const std::string& command, const Json& arguments)>;

    [[nodiscard]] static Result<std::unique_ptr<ControlServer>> start(
        const std::filesystem::path& socket, Handler handler, const ControlLimits& limits = {});
    /// Closes every connection, waits for a command that is being handled, removes the socket.
    ~ControlServer();
    ControlServer(const ControlServer&) = delete;
    ControlServer& operator=(const ControlServer&) = delete;

    [[nodiscard]] const std::filesystem::path& socket() const;

  private:
    class Impl;
    explicit ControlServer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

/// How long a client waits for a response: commands may wait for a block that is being processed.
inline constexpr std::uint32_t kControlPatienceMs = 120'000;
/// The most bytes of a response that a client takes.
inline constexpr std::size_t kControlResponseBytes = std::size_t{64} << 20;

/// Asks the daemon behind `socket`. kUnavailable when none listens there (no socket, that of a
/// process that has died, a path that none can have); kTimeout, kPermission, kIo; the handler's own
/// error as it returned it.
[[nodiscard]] Result<Json> control_request(const std::filesystem::path& socket,
                                           const std::string& command, const Json& arguments,
                                           std::uint32_t patience_ms = kControlPatienceMs);

}  // namespace holdfast::node
