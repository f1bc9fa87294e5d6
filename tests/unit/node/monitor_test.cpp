// The monitor: right answers, and nobody who can connect to it can make it stop answering.
#include "node/monitor.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

#include "node/metrics.hpp"
#include "support/tcp_world.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::node;
using holdfast::test::RawSocket;
using Json = nlohmann::ordered_json;

MonitorSources sources_of(std::vector<std::string> problems = {}) {
    return {[] {
                return std::vector<Metric>{
                    {"holdfast_things_total", "Things.", Metric::Kind::kCounter, 3, {}},
                    {"holdfast_room_bytes", "Room.", Metric::Kind::kGauge, 4'096, {}}};
            },
            [problems = std::move(problems)] { return Health{problems}; },
            [] { return Json{{"role", "test"}}; }};
}

HttpOptions listening_at(const std::string& address) {
    HttpOptions out;
    out.address = address;
    return out;
}

std::unique_ptr<HttpServer> start(MonitorSources sources = sources_of(),
                                  const HttpLimits& limits = {}) {
    HttpOptions options = listening_at("127.0.0.1:0");
    options.limits = limits;
    auto monitor = serve_monitor(options, std::move(sources));
    if (!monitor) throw std::runtime_error(monitor.error().message);
    return std::move(*monitor);
}

std::string read_to_end(const RawSocket& socket) {
    std::string out;
    std::array<char, 4'096> part{};
    while (true) {
        const ssize_t got = ::recv(socket.descriptor(), part.data(), part.size(), 0);
        if (got <= 0) return out;
        out.append(part.data(), static_cast<std::size_t>(got));
    }
}

/// All that comes back for some bytes until the other side closes.
std::string converse(const HttpServer& monitor, const std::string& bytes) {
    RawSocket socket(monitor.address());
    EXPECT_TRUE(socket.write(view(bytes)));
    return read_to_end(socket);
}
std::string get(const HttpServer& monitor, const std::string& path,
                const std::string& method = "GET") {
    return converse(
        monitor, method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
}
std::string body_of(const std::string& response) {
    return response.substr(response.find("\r\n\r\n") + 4);
}
bool has_status(const std::string& response, unsigned status) {
    return response.starts_with("HTTP/1.1 " + std::to_string(status) + " ");
}

TEST(Monitor, AnswersWhatItsSourcesSay) {
    const auto good = start();
    const std::string metrics = get(*good, "/metrics");
    EXPECT_TRUE(has_status(metrics, 200)) << metrics;
    EXPECT_NE(metrics.find("text/plain; version=0.0.4"), std::string::npos);
    EXPECT_NE(metrics.find("# HELP holdfast_things_total Things.\n"
                           "# TYPE holdfast_things_total counter\n"
                           "holdfast_things_total 3\n"),
              std::string::npos)
        << metrics;
    EXPECT_NE(metrics.find("# TYPE holdfast_room_bytes gauge\nholdfast_room_bytes 4096\n"),
              std::string::npos)
        << metrics;
    const std::string health = get(*good, "/health");
    EXPECT_TRUE(has_status(health, 200));
    EXPECT_EQ(Json::parse(body_of(health)), Json({{"healthy", true}, {"problems", Json::array()}}));
    EXPECT_EQ(Json::parse(body_of(get(*good, "/status?pretty=1"))), Json({{"role", "test"}}));
    const std::string head = get(*good, "/metrics", "HEAD");
    EXPECT_TRUE(has_status(head, 200));
    EXPECT_EQ(body_of(head), "");

    const auto ill = start(sources_of({"the host does not answer"}));
    const std::string unhealthy = get(*ill, "/health");
    EXPECT_TRUE(has_status(unhealthy, 503));
    EXPECT_EQ(Json::parse(body_of(unhealthy))["problems"][0], "the host does not answer");
}

TEST(Monitor, AsksItsSourcesAtEachRequest) {
    std::atomic<std::uint64_t> value{1};
    MonitorSources sources = sources_of();
    sources.status = [&] { return Json{{"value", value.load()}}; };
    const auto monitor = start(std::move(sources));
    EXPECT_EQ(Json::parse(body_of(get(*monitor, "/status")))["value"], 1);
    value = 2;
    EXPECT_EQ(Json::parse(body_of(get(*monitor, "/status")))["value"], 2);
}

TEST(Monitor, RefusesWhatItDoesNotServe) {
    const auto monitor = start();
    EXPECT_TRUE(has_status(get(*monitor, "/nothing"), 404));
    EXPECT_TRUE(has_status(get(*monitor, "/metrics/x"), 404));
    EXPECT_TRUE(has_status(get(*monitor, "/../etc/passwd"), 404));
    EXPECT_TRUE(has_status(get(*monitor, "/status", "POST"), 405));
    EXPECT_TRUE(has_status(get(*monitor, "/status", "DELETE"), 405));
    // A page of a browser that has bent a name of its own to a loopback address.
    EXPECT_TRUE(has_status(
        converse(*monitor,
                 "GET /status HTTP/1.1\r\nHost: evil.example:80\r\nConnection: close\r\n\r\n"),
        403));
    // Which of the two would a browser mean?
    EXPECT_TRUE(has_status(converse(*monitor,
                                    "GET /status HTTP/1.1\r\nHost: localhost\r\nHost: "
                                    "evil.example\r\nConnection: close\r\n\r\n"),
                           400));
    EXPECT_TRUE(has_status(
        converse(*monitor, "GET http://evil.example/status HTTP/1.1\r\nConnection: close\r\n\r\n"),
        400));
    for (const char* const host : {"127.0.0.1:1", "[::1]:1", "LOCALHOST", "127.9.9.9"}) {
        const std::string request =
            "GET /status HTTP/1.1\r\nConnection: close\r\nHost: " + std::string(host) + "\r\n\r\n";
        EXPECT_TRUE(has_status(converse(*monitor, request), 200)) << host;
    }
}

TEST(Monitor, SurvivesGarbage) {
    const auto monitor = start();
    for (const std::string& garbage :
         {std::string("\r\n\r\n"), std::string("GET\r\n\r\n"), std::string("GET  HTTP/1.1\r\n\r\n"),
          std::string("GET /status HTTP/2\r\n\r\n"),
          std::string("GET status HTTP/1.1\r\nConnection: close\r\n\r\n"),
          std::string("GET /a b HTTP/1.1\r\n\r\n"), std::string("GET /\0 HTTP/1.1\r\n\r\n", 20),
          std::string("\x16\x03\x01\x02\x00\x01\xff\xff\r\n\r\n", 12),
          std::string("GET /status HTTP/1.1\r\n: x\r\n\r\n"),
          std::string("GET /status HTTP/1.1\r\nnocolon\r\n\r\n")}) {
        EXPECT_TRUE(has_status(converse(*monitor, garbage), 400)) << garbage;
    }
    EXPECT_TRUE(has_status(converse(*monitor, "GET /" + std::string(9'000, 'a')), 431));
    const std::string many = "GET /status HTTP/1.1\r\nX: " + std::string(9'000, 'a');
    EXPECT_TRUE(has_status(converse(*monitor, many + "\r\n\r\n"), 431));
    EXPECT_TRUE(has_status(get(*monitor, "/health"), 200));
}

TEST(Monitor, TheSlowAndTheManyKeepNobodyOut) {
    HttpLimits limits;
    limits.connections = 8;
    limits.exchange_ms = 200;
    const auto monitor = start(sources_of(), limits);
    const std::size_t before = test::open_descriptors();
    std::vector<std::unique_ptr<RawSocket>> holding;
    for (int i = 0; i < 40; ++i) {
        holding.push_back(std::make_unique<RawSocket>(monitor->address()));
        EXPECT_TRUE(holding.back()->write(view("GET /sta")));
    }
    EXPECT_TRUE(has_status(get(*monitor, "/health"), 200));
    // 40 sockets of ours; the monitor's own are at most 8, and none after their time.
    EXPECT_TRUE(test::soon([&] { return test::open_descriptors() == before + 40; }));
    for (const auto& socket : holding) {
        EXPECT_EQ(read_to_end(*socket), "");
    }
}

TEST(Monitor, ASourceThatThrowsIsAnErrorOfThatPageAlone) {
    MonitorSources sources = sources_of();
    sources.status = []() -> Json { throw std::runtime_error("secret inner text"); };
    const auto monitor = start(std::move(sources));
    const std::string failed = get(*monitor, "/status");
    EXPECT_TRUE(has_status(failed, 500));
    EXPECT_EQ(failed.find("secret"), std::string::npos);
    EXPECT_TRUE(has_status(get(*monitor, "/metrics"), 200));
}

TEST(Monitor, ListensOnLoopbackAlone) {
    for (const char* const address :
         {"0.0.0.0:0", "[::]:0", "192.168.1.1:0", "[::ffff:127.0.0.1]:0", "no-such-host.invalid:80",
          "localhost", "127.0.0.1", "127.0.0.1:65536", "", ":9100", "127.0.0.1:x"}) {
        const auto monitor = serve_monitor(listening_at(address), sources_of());
        ASSERT_FALSE(monitor) << address;
        EXPECT_EQ(monitor.error().code, ErrorCode::kInvalidArgument) << address;
        EXPECT_NE(monitor.error().message.find("loopback"), std::string::npos);
    }
    const auto first = start();
    const auto second = serve_monitor(listening_at(first->address()), sources_of());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kAlreadyExists);
    EXPECT_NE(second.error().message.find(first->address()), std::string::npos);
}

TEST(Monitor, ListensAtANameThatMeansLoopback) {
    const auto monitor = serve_monitor(listening_at("localhost:0"), sources_of());
    ASSERT_TRUE(monitor) << monitor.error().message;
    EXPECT_EQ((*monitor)->address().find("localhost"), std::string::npos);
    EXPECT_EQ(monitor_address_problem("localhost:9100"), nullptr);
}

TEST(Monitor, StopsWithConnectionsOpen) {
    auto monitor = start();
    RawSocket idle(monitor->address());
    RawSocket half(monitor->address());
    EXPECT_TRUE(half.write(view("GET /")));
    monitor.reset();
    EXPECT_EQ(read_to_end(idle), "");
}

TEST(Metrics, NamesFollowTheConventions) {
    std::vector<Metric> all;
    append_metrics(all, TcpStatistics{});
    ResponderStatistics responder;
    responder.ignored[Reason::kTooEarly] = 5;
    append_metrics(all, responder);
    append_metrics(all, ChunkServerStatistics{});
    append_metrics(all, ChallengerReport{.sent = 7, .late = 2});
    append_process_metrics(all);
    for (const Metric& one : all) {
        EXPECT_EQ(one.name.ends_with("_total"), one.kind == Metric::Kind::kCounter) << one.name;
        EXPECT_TRUE(one.name.starts_with("holdfast_") || one.name.starts_with("process_"));
        EXPECT_TRUE(one.help.ends_with(".")) << one.name;
    }
    const std::string text = metrics_text(all);
    EXPECT_NE(text.find("holdfast_challenges_ignored_total{reason=\"too-early\"} 5\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("holdfast_challenger_outcomes_total{outcome=\"late\"} 2\n"),
              std::string::npos);
    EXPECT_NE(text.find("process_resident_memory_bytes "), std::string::npos);
    // One HELP for each name, however many labels it has.
    const std::string help = "# HELP holdfast_transport_refused_total";
    EXPECT_EQ(text.find(help), text.rfind(help));
}

}  // namespace
