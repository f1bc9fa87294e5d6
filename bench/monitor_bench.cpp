// O2: a scrape of /metrics of a prover with 100,000 chains, over HTTP on loopback. O3: what 100
// clients of the event stream, who also ask for /health and /metrics every 10 seconds, cost the
// daemon's process while ten events a second happen.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "bench/result.hpp"
#include "node/costly_metrics.hpp"
#include "node/events.hpp"
#include "node/metrics.hpp"
#include "node/prover_status.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::node;

constexpr std::uint64_t kChains = 100'000;
constexpr unsigned kClients = 100;
constexpr unsigned kSeconds = 20;
constexpr unsigned kEventsASecond = 10;

template <class Id>
Id numbered(std::uint64_t n) {
    Id out{};
    for (unsigned i = 0; i < 8; ++i) out.bytes[i] = static_cast<std::uint8_t>(n >> (56 - 8 * i));
    return out;
}

struct Stock {
    std::vector<StockedReplica> replicas;
    OwnChains chains;
    Stock() {
        std::vector<FollowedChain> list;
        for (std::uint64_t i = 0; i < kChains; ++i) {
            StockedReplica one;
            one.replica =
                "/mnt/disk" + std::to_string(i % 24) + "/data/" + std::to_string(i) + ".replica";
            one.folder = "/mnt/disk" + std::to_string(i % 24);
            one.linked = true;
            one.id = numbered<ReplicaId>(i);
            one.chain = numbered<ChainId>(i);
            replicas.push_back(one);
            FollowedChain chain;
            chain.chain_id = *one.chain;
            chain.replica_id = *one.id;
            chain.phase = ChainPhase::kSealed;
            chain.status = ChainStatus::kActive;
            chain.misses = i % 3;
            list.push_back(chain);
        }
        chains.take(list);
    }
};

int connect_to(const std::string& address) {
    const int out = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in there{};
    there.sin_family = AF_INET;
    ::inet_pton(AF_INET, "127.0.0.1", &there.sin_addr);
    there.sin_port =
        htons(static_cast<std::uint16_t>(std::stoul(address.substr(address.rfind(':') + 1))));
    bench::require(::connect(out, reinterpret_cast<sockaddr*>(&there), sizeof(there)) == 0,
                   "connected");
    return out;
}

void send_text(int socket, const std::string& text) {
    bench::require(
        ::send(socket, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()),
        "sent");
}

std::size_t get_once(const std::string& address, const std::string& path) {
    const int socket = connect_to(address);
    send_text(socket, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    std::size_t bytes = 0;
    char part[65'536];
    for (ssize_t got = 0; (got = ::recv(socket, part, sizeof(part), 0)) > 0;) {
        bytes += static_cast<std::size_t>(got);
    }
    ::close(socket);
    return bytes;
}

struct Daemon {
    Stock stock;
    EventLog events;
    CostlyMetrics counted{[this] {
        std::vector<Metric> out;
        append_metrics(out, StockView::of(stock.replicas, {}, stock.chains));
        append_metrics(out, stock.chains.all());
        return out;
    }};
    std::unique_ptr<HttpServer> server;

    Daemon() {
        counted.refresh();
        MonitorSources sources;
        sources.metrics = [this] {
            std::vector<Metric> out = counted.get();
            append_metrics(out, TcpStatistics{});
            append_metrics(out, ProverCounts{});
            append_process_metrics(out);
            return out;
        };
        sources.health = [] { return Health{}; };
        sources.status = [] { return json::Json{{"role", "bench"}}; };
        sources.mounts.push_back({"/api/v1/events", [this](const HttpRequest& request) {
                                      return answer_events(events, request);
                                  }});
        HttpOptions options;
        options.address = "127.0.0.1:0";
        auto started = serve_monitor(options, std::move(sources));
        bench::require(started.has_value(), "the monitor serves");
        server = std::move(*started);
        events.on_append([this] { server->wake_streams(); });
    }
    ~Daemon() { events.on_append({}); }
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;
};

void scrape(const bench::Options& options) {
    const Daemon daemon;
    bench::Samples times;
    std::size_t bytes = 0;
    for (unsigned i = 0; i < options.rounds(20, 100); ++i) {
        const auto begin = std::chrono::steady_clock::now();
        bytes = get_once(daemon.server->address(), "/metrics");
        times.seconds.push_back(
            std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    bench::require(bytes > 1'000 && bytes < 100'000, "numbers, and no series a chain");
    bench::report({.id = "O2",
                   .what = "a scrape of /metrics, 100,000 chains",
                   .value = times.median() * 1'000,
                   .unit = "ms",
                   .target = bench::Target::value_at_most(50),
                   .samples = times.size()});
}

double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

/// In a process of their own: what they cost is theirs.
[[noreturn]] void be_clients(const std::string& address) {
    std::vector<int> streams;
    for (unsigned i = 0; i < kClients; ++i) {
        streams.push_back(connect_to(address));
        send_text(
            streams.back(),
            "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
    }
    char part[65'536];
    for (unsigned tick = 0;; ++tick) {
        for (const int one : streams) {
            while (::recv(one, part, sizeof(part), MSG_DONTWAIT) > 0) {
            }
        }
        // Each of them once in ten seconds, ten a second of all.
        (void)get_once(address, tick % 2 == 0 ? "/health" : "/metrics");
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
}

void clients(const bench::Options&) {
    Daemon daemon;
    const pid_t child = ::fork();
    if (child == 0) be_clients(daemon.server->address());
    std::this_thread::sleep_for(std::chrono::seconds(1));
    const double before = cpu_seconds();
    const auto begin = std::chrono::steady_clock::now();
    for (unsigned i = 0; i < kSeconds * kEventsASecond; ++i) {
        daemon.events.append(LogLevel::kInfo, "links.made", R"({"event":"links.made","links":5})");
        if (i % (30 * kEventsASecond) == 0) daemon.counted.refresh();
        std::this_thread::sleep_until(begin +
                                      std::chrono::milliseconds(1'000 / kEventsASecond) * (i + 1));
    }
    const double used = cpu_seconds() - before;
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    bench::report({.id = "O3",
                   .what = "100 clients of page, API and events, of one core",
                   .value = used / kSeconds * 100,
                   .unit = "%",
                   .target = bench::Target::value_at_most(2)});
}

}  // namespace

int main(int argc, char** argv) {
    return holdfast::bench::run(argc, argv, {{"O2", scrape}, {"O3", clients}});
}
