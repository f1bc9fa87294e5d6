// /metrics, /health and /status over HTTP, and whatever else a daemon mounts beside them: its page,
// its API (node/api.hpp), public data.
//
//   GET /metrics   Prometheus' text format (0.0.4)
//   GET /health    200 {"healthy":true,"problems":[]} or 503 with the problems
//   GET /status    the host's own JSON
//   GET /          the same as a page to look at, and what belongs to it (node/page.hpp)
//
// Whom it serves, and with which token: node/http_server.hpp. Nothing is kept between requests: the
// sources are asked at each of them.
//
// Threading   sources are called on one thread, one at a time; a source that blocks delays the
//             others. Sources and mounts must be callable until the server's destructor has
//             returned.
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

/// Counts of observations up to bounds, cumulative: the last bucket is that of all.
struct MetricHistogram {
    std::vector<double> bounds;         // ascending, without the infinite one
    std::vector<std::uint64_t> counts;  // one more than bounds; not cumulative
    double sum = 0;
};

[[nodiscard]] MetricHistogram make_histogram(std::vector<double> bounds);
/// Adds an observation to the bucket that it belongs to.
void observe(MetricHistogram& histogram, double value);

/// One number or histogram, named by Prometheus' conventions: base units, counters end in _total.
struct Metric {
    enum class Kind : std::uint8_t { kCounter, kGauge, kHistogram };
    std::string name;
    std::string help;
    Kind kind = Kind::kGauge;
    double value = 0;
    std::vector<std::pair<std::string, std::string>> labels;
    MetricHistogram histogram = {};  // of a kHistogram, in place of the value
};

struct Health {
    std::vector<std::string> problems;  // none: healthy
};

/// What a daemon serves beside the three: "/" is every path that nobody else has.
struct MonitorMount {
    std::string prefix;  // "/api/": every path below; "/style.css": this path
    HttpServer::Handler handler;
};

struct MonitorSources {
    std::function<std::vector<Metric>()> metrics;
    std::function<Health()> health;
    std::function<json::Json()> status;
    /// As PageSources::chains; empty: this daemon has none.
    std::function<json::Json(const std::string& state, std::uint64_t page)> chains = {};
    std::vector<MonitorMount> mounts = {};  // the first whose prefix fits
};

/// Metrics in the text format; those of one name stand together.
[[nodiscard]] std::string metrics_text(const std::vector<Metric>& metrics);

/// Why a text is no address for a monitor, or null.
[[nodiscard]] const char* monitor_address_problem(const std::string& address);
/// Serves the pages until the result is destroyed.
[[nodiscard]] Result<std::unique_ptr<HttpServer>> serve_monitor(const HttpOptions& options,
                                                                MonitorSources sources);

}  // namespace holdfast::node
