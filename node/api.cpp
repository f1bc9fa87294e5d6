#include "node/api.hpp"

#include <algorithm>
#include <charconv>

#include "node/events.hpp"

namespace holdfast::node {
namespace {

using json::Json;

constexpr std::string_view kBase = "/api/v1";
constexpr std::string_view kDocument = "/api/v1/openapi.json";
constexpr std::string_view kEvents = "/api/v1/events";
constexpr int kMostDepth = 32;

HttpResponse api_json(unsigned status, const Json& body) {
    HttpResponse out;
    out.status = status;
    out.body = json::dump(body, json::kIndented) + "\n";
    return out;
}

HttpResponse api_error(const Error& error) {
    HttpResponse out =
        api_json(http_status_of(error.code),
                 {{"error", error.message}, {"code", std::string(to_string(error.code))}});
    if (error.code == ErrorCode::kBusy || error.code == ErrorCode::kUnavailable) {
        out.headers.emplace_back("Retry-After", "1");
    }
    return out;
}

Error bad_argument(const std::string& what) { return {ErrorCode::kInvalidArgument, what, {}}; }

/// Of a query, by what the table says it is.
Result<Json> value_of(const ApiArgument& argument, const std::string& text) {
    if (argument.type == "boolean") {
        if (text == "true" || text == "false") return Json(text == "true");
        return fail(bad_argument(argument.name + " is true or false"));
    }
    if (argument.type == "integer") {
        std::uint64_t out = 0;
        const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
        if (!text.empty() && read.ec == std::errc{} && read.ptr == text.data() + text.size()) {
            return Json(out);
        }
        return fail(bad_argument(argument.name + " is a whole number"));
    }
    return Json(text);
}

bool has_type(const ApiArgument& argument, const Json& value) {
    if (argument.type == "boolean") return value.is_boolean();
    if (argument.type == "integer") return value.is_number_unsigned();
    return value.is_string();
}

Status check_arguments(const ApiRoute& route, const Json& given) {
    for (const auto& [name, value] : given.items()) {
        const auto known = std::find_if(route.arguments.begin(), route.arguments.end(),
                                        [&](const ApiArgument& one) { return one.name == name; });
        if (known == route.arguments.end()) return fail(bad_argument("no argument is " + name));
        if (!has_type(*known, value))
            return fail(bad_argument(name + " is of type " + known->type));
        if (known->words.empty() || !value.is_string()) continue;
        const auto word = value.get<std::string>();
        if (std::find(known->words.begin(), known->words.end(), word) == known->words.end()) {
            std::string words;
            for (const std::string& one : known->words) words += (words.empty() ? "" : ", ") + one;
            return fail(bad_argument(name + " is one of " + words));
        }
    }
    for (const ApiArgument& one : route.arguments) {
        if (one.required && !given.contains(one.name)) {
            return fail(bad_argument(one.name + " is needed"));
        }
    }
    return {};
}

Result<Json> body_arguments(const HttpRequest& request) {
    if (request.body.empty()) return Json::object();
    const std::string_view type = request.header("content-type");
    if (!type.starts_with("application/json")) {
        return fail(bad_argument("the body is JSON: say Content-Type: application/json"));
    }
    bool deep = false;
    const auto watch = [&deep](int depth, Json::parse_event_t, Json&) {
        deep = deep || depth > kMostDepth;
        return !deep;
    };
    Json out = Json::parse(request.body, watch, false);
    if (deep || !out.is_object()) return fail(bad_argument("the body is no JSON object"));
    return out;
}

Result<Json> query_arguments(const ApiRoute& route, const HttpRequest& request) {
    Json out = Json::object();
    for (const ApiArgument& one : route.arguments) {
        const auto given = request.parameter(one.name);
        if (!given) continue;
        HOLDFAST_ASSIGN(value, value_of(one, *given));
        out[one.name] = std::move(value);
    }
    return out;
}

// --- OpenAPI -------------------------------------------------------------------------------------

Json schema_of(const ApiArgument& one) {
    Json out = {{"type", one.type}};
    if (!one.words.empty()) out["enum"] = one.words;
    return out;
}

Json object_schema(const std::vector<ApiArgument>& parts) {
    Json properties = Json::object();
    Json required = Json::array();
    for (const ApiArgument& one : parts) {
        properties[one.name] = schema_of(one);
        if (!one.help.empty()) properties[one.name]["description"] = one.help;
        if (one.required) required.push_back(one.name);
    }
    Json out = {{"type", "object"}, {"properties", std::move(properties)}};
    if (!required.empty()) out["required"] = std::move(required);
    return out;
}

Json content(const Json& schema) { return {{"application/json", {{"schema", schema}}}}; }

Json query_parameter(const ApiArgument& one) {
    return {{"name", one.name},
            {"in", "query"},
            {"required", one.required},
            {"description", one.help},
            {"schema", schema_of(one)}};
}

Json error_answer(const char* description) {
    return {{"description", description},
            {"content", content({{"$ref", "#/components/schemas/Error"}})}};
}

Json operation_of(const ApiRoute& route) {
    Json out = {{"operationId", route.command}, {"summary", route.summary}};
    if (route.method == "POST") {
        if (!route.arguments.empty()) {
            const bool required = std::any_of(route.arguments.begin(), route.arguments.end(),
                                              [](const ApiArgument& one) { return one.required; });
            out["requestBody"] = {{"required", required},
                                  {"content", content(object_schema(route.arguments))}};
        }
    } else if (!route.arguments.empty()) {
        out["parameters"] = Json::array();
        for (const ApiArgument& one : route.arguments) {
            out["parameters"].push_back(query_parameter(one));
        }
    }
    out["responses"] = {{"200",
                         {{"description", "Done, or what was asked for."},
                          {"content", content(object_schema(route.answer))}}},
                        {"default", error_answer("What was wrong, and what to do.")}};
    if (route.method != "GET") out["security"] = Json::array({{{"token", Json::array()}}});
    return out;
}

Json events_operation() {
    const std::vector<ApiArgument> parameters = {
        {"from", "integer", false, "The number of the first event; without it, from now."},
        {"name", "string", false, "Prefixes of names, with commas between them."},
        {"level", "string", false, "This and worse ones.", {"debug", "info", "warn", "error"}}};
    Json out = {{"operationId", "events"},
                {"summary",
                 "What happens, as server-sent events (Accept: text/event-stream, from "
                 "the number behind Last-Event-ID), or what is remembered as a list."},
                {"parameters", Json::array()}};
    for (const ApiArgument& one : parameters) out["parameters"].push_back(query_parameter(one));
    const Json list = object_schema(
        {{"next", "integer", true, "From where to go on."},
         {"missed", "integer", true, "Events between from and the oldest that is remembered."},
         {"events", "array", true, "Each with sequence, time_ms, level, event and its fields."}});
    out["responses"] = {{"200",
                         {{"description", "Events."},
                          {"content",
                           {{"text/event-stream", {{"schema", {{"type", "string"}}}}},
                            {"application/json", {{"schema", list}}}}}}},
                        {"default", error_answer("What was wrong.")}};
    return out;
}

}  // namespace

unsigned http_status_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInvalidArgument:
            return 400;
        case ErrorCode::kPermission:
            return 403;
        case ErrorCode::kNotFound:
            return 404;
        case ErrorCode::kAlreadyExists:
            return 409;
        case ErrorCode::kRefused:
            return 422;
        case ErrorCode::kBusy:
        case ErrorCode::kUnavailable:
            return 503;
        case ErrorCode::kTimeout:
            return 504;
        default:
            return 500;
    }
}

Api::Api(std::string role, std::vector<ApiRoute> routes, ApiCommands commands, Log& log)
    : role_(std::move(role)),
      routes_(std::move(routes)),
      commands_(std::move(commands)),
      log_(log) {}

HttpResponse Api::carry_out(const ApiRoute& route, const HttpRequest& request) const {
    const bool in_body = route.method == "POST";
    Result<Json> arguments = in_body ? body_arguments(request) : query_arguments(route, request);
    if (!arguments) return api_error(arguments.error());
    if (const Status good = check_arguments(route, *arguments); !good) {
        return api_error(good.error());
    }
    const Result<Json> done = commands_(route.command, *arguments);
    if (route.method != "GET") {
        log_.info("api.command", {{"command", route.command}, {"done", done.has_value()}});
    }
    return done ? api_json(200, *done) : api_error(done.error());
}

HttpResponse Api::answer(const HttpRequest& request) const {
    const std::string method = request.method == "HEAD" ? "GET" : request.method;
    std::string allowed;
    if (request.path == kDocument || request.path == kEvents) {
        if (method == "GET") {
            return request.path == kDocument ? api_json(200, openapi())
                                             : answer_events(log_.events(), request);
        }
        allowed = "GET, HEAD";
    }
    for (const ApiRoute& route : routes_) {
        if (request.path != std::string(kBase) + route.path) continue;
        if (route.method != method) {
            allowed += (allowed.empty() ? "" : ", ") + route.method;
            continue;
        }
        if (route.method == "GET" || request.authorized) return carry_out(route, request);
        if (!request.has_token) {
            return http_error(403,
                              "nothing can be steered here without a token: set [monitor] "
                              "token, or use the control socket");
        }
        HttpResponse out = http_error(401, "the token is needed");
        out.headers = {{"WWW-Authenticate", "Basic realm=\"holdfast\", charset=\"UTF-8\""}};
        return out;
    }
    if (allowed.empty()) {
        return http_error(404, "no such path; what there is, is in " + std::string(kDocument));
    }
    HttpResponse out = http_error(405, "not with this method");
    out.headers = {{"Allow", allowed}};
    return out;
}

Json Api::openapi() const {
    Json paths = Json::object();
    for (const ApiRoute& route : routes_) {
        std::string method = route.method;
        std::transform(method.begin(), method.end(), method.begin(),
                       [](char c) { return static_cast<char>(c | 0x20); });
        paths[route.path][method] = operation_of(route);
    }
    paths["/events"]["get"] = events_operation();
    const Json error = object_schema(
        {{"error", "string", true, "What was wrong."}, {"code", "string", false, "Its kind."}});
    return {{"openapi", "3.1.0"},
            {"info", {{"title", "Holdfast " + role_}, {"version", "1"}}},
            {"servers", Json::array({{{"url", std::string(kBase)}}})},
            {"paths", std::move(paths)},
            {"components",
             {{"schemas", {{"Error", error}}},
              {"securitySchemes", {{"token", {{"type", "http"}, {"scheme", "bearer"}}}}}}}};
}

}  // namespace holdfast::node
