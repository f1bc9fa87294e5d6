// What both ends of a control socket share: addresses, credentials, and the lines themselves.
#pragma once

#include <sys/un.h>

#include <filesystem>
#include <string>

#include "core/result.hpp"
#include "json/json.hpp"

namespace holdfast::node {

using json::Json;

/// kInvalidArgument for a path that does not fit an address: how long it may be, and what to do.
[[nodiscard]] Result<sockaddr_un> control_address(const std::filesystem::path& socket);
/// Whether something listens there. Error: what is there cannot be asked (no rights, no socket).
[[nodiscard]] Result<bool> control_listens(const std::filesystem::path& socket);
/// The user that the other side of a connected socket runs as.
[[nodiscard]] Result<unsigned> peer_user(int descriptor);

struct ControlRequest {
    std::string command;
    Json arguments;
};
/// Lines without their end.
[[nodiscard]] std::string request_line(const std::string& command, const Json& arguments);
[[nodiscard]] Result<ControlRequest> parse_request(const std::string& line);
[[nodiscard]] std::string response_line(const Result<Json>& outcome);
/// What the line reports; kIo for what is no response.
[[nodiscard]] Result<Json> parse_response(const std::string& line);

}  // namespace holdfast::node
