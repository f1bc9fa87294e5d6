// /api/v1: what the command line does with a running daemon, as JSON over HTTP.
//
// A table says what there is (ApiRoute). Dispatch, the check of arguments and the OpenAPI 3.1
// document at /api/v1/openapi.json all follow from it. A route is a command of the daemon's control
// socket (node/control.hpp), carried out by the same handler: nothing can be done here that cannot
// be done there. Arguments of GET and DELETE are in the query, those of POST in a JSON object.
//
//   POST /api/v1/replicas {"path":"/mnt/disk1/a.replica"}   {"added":…}
//   an error                                                {"error":"…","code":"not_found"}
//
// Reading needs what the server asks for (node/http_server.hpp); everything else the token.
// Threading: as the server calls it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "json/json.hpp"
#include "node/http_server.hpp"
#include "node/log.hpp"

namespace holdfast::node {

struct ApiArgument {
    std::string name;
    std::string type;  // "string", "boolean", "integer"
    bool required = false;
    std::string help;
    std::vector<std::string> words = {};  // that a string may be; none: any
};

struct ApiRoute {
    std::string method;  // "GET", "POST", "DELETE"
    std::string path;    // below /api/v1
    std::string command;
    std::string summary;
    std::vector<ApiArgument> arguments = {};
    std::vector<ApiArgument> answer = {};  // what it holds, besides what is told for people
};

/// The commands of a daemon, as its control socket takes them.
using ApiCommands =
    std::function<Result<json::Json>(const std::string& command, const json::Json& arguments)>;

class Api {
  public:
    /// `role`: "prover", "node", "challenger". The log outlives it.
    Api(std::string role, std::vector<ApiRoute> routes, ApiCommands commands, Log& log);

    /// Of a path below /api/.
    [[nodiscard]] HttpResponse answer(const HttpRequest& request) const;
    [[nodiscard]] json::Json openapi() const;

  private:
    [[nodiscard]] HttpResponse carry_out(const ApiRoute& route, const HttpRequest& request) const;

    const std::string role_;
    const std::vector<ApiRoute> routes_;
    const ApiCommands commands_;
    Log& log_;
};

/// The status that an error of a command has.
[[nodiscard]] unsigned http_status_of(ErrorCode code);

}  // namespace holdfast::node
