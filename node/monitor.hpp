// /metrics, /health and /status over HTTP, for programs on the same machine.
//
//   GET /metrics   Prometheus' text format (0.0.4)
//   GET /health    200 {"healthy":true,"problems":[]} or 503 with the problems
//   GET /status    the host's own JSON
//
// Loopback addresses alone, and pages of a browser that reach one under another name are refused
// (node/http_server.hpp): there is neither a password nor encryption. Nothing is kept between
// requests: the sources are asked at each of them.
//
// Threading   the server's thread calls the sources, one at a time; a source that blocks delays the
//             others. Sources must be callable until the server's destructor has returned.
// Failure     as HttpServer::start. A source that throws is a 500.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "json/json.hpp"
#include "node/http_server.hpp"

namespace holdfast::node {

/// One number, named by Prometheus' conventions: base units, counters end in _total.
struct Metric {
    enum class Kind : std::uint8_t { kCounter, kGauge };
    std::string name;
    std::string help;
    Kind kind = Kind::kGauge;
    double value = 0;
    std::vector<std::pair<std::string, std::string>> labels;
};

struct Health {
    std::vector<std::string> problems;  // none: healthy
};

struct MonitorSources {
    std::function<std::vector<Metric>()> metrics;
    std::function<Health()> health;
    std::function<json::Json()> status;
};

/// Why a text is no address for a monitor, or null.
[[nodiscard]] const char* monitor_address_problem(const std::string& address);
/// Metrics in the text format; those of one name stand together.
[[nodiscard]] std::string metrics_text(const std::vector<Metric>& metrics);

/// Serves the pages until the result is destroyed.
[[nodiscard]] Result<std::unique_ptr<HttpServer>> serve_monitor(const std::string& address,
                                                                MonitorSources sources,
                                                                const HttpLimits& limits = {});

}  // namespace holdfast::node
