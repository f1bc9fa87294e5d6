#include "node/monitor.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "transport/tcp_network.hpp"

#include "node/page.hpp"

namespace holdfast::node {
namespace {

using json::Json;

HttpResponse json_response(unsigned status, const Json& json) {
    return {status, "application/json", json::dump(json, json::kIndented) + "\n"};
}

/// One of the three; none: another path.
std::optional<HttpResponse> own_page(const MonitorSources& sources, const std::string& path) {
    if (path == "/metrics") {
        return HttpResponse{200, "text/plain; version=0.0.4; charset=utf-8",
                            metrics_text(sources.metrics())};
    }
    if (path == "/health") {
        const Health now = sources.health();
        const bool good = now.problems.empty();
        return json_response(good ? 200 : 503, {{"healthy", good}, {"problems", now.problems}});
    }
    if (path == "/status") return json_response(200, sources.status());
    return std::nullopt;
}

bool mounted_at(const MonitorMount& mount, const std::string& path) {
    return mount.prefix.ends_with('/') ? path.starts_with(mount.prefix) : path == mount.prefix;
}

HttpResponse page(const MonitorSources& sources, const HttpRequest& request) {
    const bool is_own =
        request.path == "/metrics" || request.path == "/health" || request.path == "/status";
    if (!is_own) {
        for (const MonitorMount& mount : sources.mounts) {
            if (mounted_at(mount, request.path)) return mount.handler(request);
        }
    }
    if (request.method != "GET" && request.method != "HEAD") {
        HttpResponse out = http_error(405, "only GET and HEAD");
        out.headers = {{"Allow", "GET, HEAD"}};
        return out;
    }
    if (auto own = own_page(sources, request.path)) return *std::move(own);
    const PageSources shown{sources.status, [&] { return sources.health().problems; },
                            sources.chains};
    if (const auto found = page_at(request.path, shown)) {
        // "frame-ancestors" has no effect in the page itself.
        return {
            found->status,
            found->type,
            found->body,
            {{"Content-Security-Policy", std::string(kPageSecurity) + "; frame-ancestors 'none'"}}};
    }
    return http_error(404, "there are /, /metrics, /health and /status");
}

prometheus::MetricType type_of(Metric::Kind kind) {
    switch (kind) {
        case Metric::Kind::kCounter:
            return prometheus::MetricType::Counter;
        case Metric::Kind::kHistogram:
            return prometheus::MetricType::Histogram;
        case Metric::Kind::kGauge:
            break;
    }
    return prometheus::MetricType::Gauge;
}

prometheus::ClientMetric::Histogram histogram_of(const MetricHistogram& from) {
    prometheus::ClientMetric::Histogram out;
    for (std::size_t i = 0; i < from.counts.size(); ++i) {
        out.sample_count += from.counts[i];
        out.bucket.push_back({out.sample_count, i < from.bounds.size()
                                                    ? from.bounds[i]
                                                    : std::numeric_limits<double>::infinity()});
    }
    out.sample_sum = from.sum;
    return out;
}

}  // namespace

MetricHistogram make_histogram(std::vector<double> bounds) {
    MetricHistogram out;
    out.bounds = std::move(bounds);
    out.counts.resize(out.bounds.size() + 1);
    return out;
}

void observe(MetricHistogram& histogram, double value) {
    const auto at = std::lower_bound(histogram.bounds.begin(), histogram.bounds.end(), value);
    ++histogram.counts.at(static_cast<std::size_t>(at - histogram.bounds.begin()));
    histogram.sum += value;
}

std::string metrics_text(const std::vector<Metric>& metrics) {
    std::vector<prometheus::MetricFamily> families;
    for (const Metric& metric : metrics) {
        auto family = std::find_if(families.begin(), families.end(),
                                   [&](const auto& one) { return one.name == metric.name; });
        if (family == families.end()) {
            families.push_back({metric.name, metric.help, type_of(metric.kind), {}});
            family = families.end() - 1;
        }
        prometheus::ClientMetric one;
        for (const auto& [name, value] : metric.labels) one.label.push_back({name, value});
        if (metric.kind == Metric::Kind::kHistogram) {
            one.histogram = histogram_of(metric.histogram);
        } else {
            (metric.kind == Metric::Kind::kCounter ? one.counter.value : one.gauge.value) =
                metric.value;
        }
        family->metric.push_back(std::move(one));
    }
    return prometheus::TextSerializer().Serialize(families);
}

const char* monitor_address_problem(const std::string& address) {
    if (is_tcp_address(address)) return nullptr;
    return "an address with a port: a loopback one, e.g. 127.0.0.1:9100 or localhost:9100; or, "
           "with a "
           "token and a certificate, one that other machines reach";
}

Result<std::unique_ptr<HttpServer>> serve_monitor(const HttpOptions& options,
                                                  MonitorSources sources) {
    auto server =
        HttpServer::start(options, [sources = std::move(sources)](const HttpRequest& request) {
            return page(sources, request);
        });
    if (server) return server;
    Error error = std::move(server).error();
    error.message = "the monitor cannot start: " + error.message;
    if (error.code == ErrorCode::kAlreadyExists) error.message += "; set another [monitor] listen";
    return fail(std::move(error));
}

}  // namespace holdfast::node
