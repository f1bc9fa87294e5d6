#include "node/monitor.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>

namespace holdfast::node {
namespace {

using json::Json;

HttpResponse json_response(unsigned status, const Json& json) {
    return {status, "application/json", json::dump(json, json::kIndented) + "\n"};
}

HttpResponse page(const MonitorSources& sources, const std::string& path) {
    if (path == "/metrics") {
        return {200, "text/plain; version=0.0.4; charset=utf-8", metrics_text(sources.metrics())};
    }
    if (path == "/health") {
        const Health now = sources.health();
        const bool good = now.problems.empty();
        return json_response(good ? 200 : 503, {{"healthy", good}, {"problems", now.problems}});
    }
    if (path == "/status") return json_response(200, sources.status());
    return json_response(404, {{"error", "there are /metrics, /health and /status"}});
}

}  // namespace

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
    if (is_loopback_address(address)) return nullptr;
    return "a loopback address or name with a port, e.g. 127.0.0.1:9100 or localhost:9100 (the "
           "monitor has no password and serves this machine alone)";
}

Result<std::unique_ptr<HttpServer>> serve_monitor(const std::string& address,
                                                  MonitorSources sources,
                                                  const HttpLimits& limits) {
    if (const char* const problem = monitor_address_problem(address)) {
        return fail(
            ErrorCode::kInvalidArgument,
            "the monitor's address must be " + std::string(problem) + ", not \"" + address + "\"");
    }
    auto server = HttpServer::start(
        address,
        [sources = std::move(sources)](const std::string& path) { return page(sources, path); },
        limits);
    if (server) return server;
    Error error = std::move(server).error();
    error.message = "the monitor cannot start: " + error.message;
    if (error.code == ErrorCode::kAlreadyExists) error.message += "; set another [monitor] listen";
    return fail(std::move(error));
}

}  // namespace holdfast::node
