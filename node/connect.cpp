#include "node/connect.hpp"

#include <algorithm>
#include <chrono>

#include "node/events.hpp"
#include "node/gateway.hpp"
#include "node/node_folder.hpp"
#include "node/open_files.hpp"
#include "node/status.hpp"
#include "storage/key_file.hpp"

namespace holdfast::node {
namespace {

constexpr std::uint32_t kQuestionTimeoutMs = 5'000;

void tell(Log& log, const PeerReport& report) {
    if (report.connected) {
        log.info("peer.connected", {{"peer", report.peer.key}, {"address", report.peer.address}});
    } else if (report.failure) {
        log.warn("peer.not_connected", {{"peer", report.peer.key},
                                        {"reason", to_string(*report.failure)},
                                        {"why", report.why}});
    }
}

}  // namespace

MonotonicNs machine_clock() {
    return [] {
        return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                              std::chrono::steady_clock::now().time_since_epoch())
                                              .count());
    };
}

Status require_setting(bool present, std::string_view setting, std::string_view option) {
    if (present) return {};
    return fail(ErrorCode::kInvalidArgument, "no " + std::string(setting) +
                                                 ": set it in the settings file, or give " +
                                                 std::string(option));
}

Result<Identity> open_identity(const Config& config) {
    HOLDFAST_TRY(require_setting(!config.params.empty(), "[network] params", "--params"));
    HOLDFAST_TRY(require_setting(!config.key.empty(), "[identity] key", "--key"));
    Identity out;
    HOLDFAST_ASSIGN(params, read_network(config.params));
    HOLDFAST_ASSIGN(key, load_key_pair(config.key));
    out.params = std::move(params);
    out.key = std::make_shared<KeyPair>(std::move(key));
    return out;
}

Result<std::unique_ptr<TcpNetwork>> start_network(const Config& config, const NetworkId& network,
                                                  const KeyPair& key, std::uint8_t roles,
                                                  TcpHandler handler, Log& log) {
    // Who does not listen has the connections that it makes.
    const std::uint64_t dialled = config.peers.size() + config.hosts.size();
    // Replicas in folders are mapped; what links are read from is open for as long as it takes.
    const std::uint64_t for_links =
        config.folders.empty() ? 0 : config.proving.open_files / kFilesOfReplica + 1;
    HOLDFAST_TRY(make_room_for({config.listen.empty() ? dialled : config.limits.max_connections,
                                config.replicas.size() + for_links, config.workers}));
    TcpNetworkOptions options;
    options.network = network;
    options.roles = roles;
    options.listen = config.listen;
    options.accept_anyone = config.accept_anyone;
    options.workers = config.workers;
    options.limits = config.limits;
    options.handler = std::move(handler);
    options.on_link = [&log](const PeerReport& report) { tell(log, report); };
    HOLDFAST_ASSIGN(tcp, TcpNetwork::start(key, std::move(options)));
    for (const PeerEntry& host : config.hosts)
        HOLDFAST_TRY(tcp->add_peer({host.key, host.address}));
    for (const PeerEntry& peer : config.peers) {
        const bool is_host = std::any_of(config.hosts.begin(), config.hosts.end(),
                                         [&](const PeerEntry& h) { return h.key == peer.key; });
        if (!is_host) HOLDFAST_TRY(tcp->add_peer({peer.key, peer.address}));
    }
    return tcp;
}

void stop_network(TcpNetwork& network, const Config& config, Log& log) {
    if (const Status drained = network.stop(config.drain_ms); !drained) {
        log.warn("drain", {{"error", drained.error().message}});
    }
}

FollowClient::Request requests_to(TcpNetwork& network, const PublicKey& host) {
    return [&network, host](ByteView message) -> Result<Bytes> {
        HOLDFAST_ASSIGN(reply, network.request(host, message, kQuestionTimeoutMs));
        return std::move(reply.response);
    };
}

FollowClientOptions client_options(const Config& config) {
    FollowClientOptions options;
    options.max_message_bytes = config.limits.bounds.max_request_bytes;
    return options;
}

Result<std::unique_ptr<FollowClient>> follow_host(const Config& config, TcpNetwork& network) {
    HOLDFAST_TRY(require_setting(!config.hosts.empty(), "[[hosts]]", "--host KEY@ADDRESS"));
    return std::make_unique<FollowClient>(requests_to(network, config.hosts.front().key),
                                          client_options(config));
}

DaemonMonitor::DaemonMonitor(std::unique_ptr<HttpServer> server, Log& log)
    : server_(std::move(server)), log_(&log) {
    log.events().on_append([woken = server_.get()] { woken->wake_streams(); });
}

DaemonMonitor::~DaemonMonitor() {
    if (server_) log_->events().on_append({});
}

json::Json DaemonMonitor::address() const {
    return server_ ? json::Json(server_->address()) : json::Json(nullptr);
}

Result<DaemonMonitor> start_monitor(const Config& config, MonitorSources sources,
                                    const TcpNetwork* network, Log& log) {
    if (config.monitor.empty()) return DaemonMonitor();
    if (network != nullptr) {
        sources.health = [network, own = std::move(sources.health)] {
            Health out = own();
            for (std::string& problem : key_problems(network->statistics())) {
                out.problems.push_back(std::move(problem));
            }
            return out;
        };
    }
    HttpOptions options;
    options.address = config.monitor;
    options.token = config.monitor_token;
    options.certificate = config.monitor_certificate;
    options.certificate_key = config.monitor_certificate_key;
    if (config.monitor_public) options.public_prefix = Gateway::kPrefix;
    HOLDFAST_ASSIGN(server, serve_monitor(options, std::move(sources)));
    return DaemonMonitor(std::move(server), log);
}

}  // namespace holdfast::node
