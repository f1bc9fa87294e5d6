// /metrics, /health and /status over HTTP, for programs on the same machine.
//
//   GET /metrics   Prometheus' text format (0.0.4)
//   GET /health    200 {"healthy":true,"problems":[]} or 503 with the problems
//   GET /status    the host's own JSON
//
// Listens on loopback addresses alone and refuses all others: there is neither a password nor
// encryption. Pages of a browser that reach it under another name than a loopback one are refused
// too (403). Nothing is kept between requests: the sources are asked at each of them.
//
// Threading   one thread of its own serves all connections and calls the sources, one at a time; a
//             source that blocks delays the others. Sources must be callable until the destructor
//             has returned.
// Bounds      MonitorLimits: connections, bytes of a request, time of an exchange. One request for
//             each connection. Above the connections' ceiling the oldest is closed.
// Failure     start(): kInvalidArgument for an address that is no loopback address with a port,
//             kAlreadyExists when it is in use, kPermission, kIo. A source that throws is a 500.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "json/json.hpp"

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

struct MonitorLimits {
    std::size_t connections = 32;
    std::size_t request_bytes = 8'192;
    std::uint32_t exchange_ms = 5'000;  // from the connection to its end
};

/// Why a text is no address for a monitor, or null.
[[nodiscard]] const char* monitor_address_problem(const std::string& address);
/// Metrics in the text format; those of one name stand together.
[[nodiscard]] std::string metrics_text(const std::vector<Metric>& metrics);

class Monitor {
  public:
    [[nodiscard]] static Result<std::unique_ptr<Monitor>> start(const std::string& address,
                                                                MonitorSources sources,
                                                                const MonitorLimits& limits = {});
    /// Closes every connection and joins the thread.
    ~Monitor();
    Monitor(const Monitor&) = delete;
    Monitor& operator=(const Monitor&) = delete;

    /// Where it listens, with the port that the system chose.
    [[nodiscard]] std::string address() const;

  private:
    class Impl;
    explicit Monitor(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::node
