#include "node/connect.hpp"

#include <chrono>

#include "node/node_folder.hpp"
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
    if (config.host) HOLDFAST_TRY(tcp->add_peer({config.host->key, config.host->address}));
    for (const PeerEntry& peer : config.peers) {
        if (config.host && peer.key == config.host->key) continue;
        HOLDFAST_TRY(tcp->add_peer({peer.key, peer.address}));
    }
    return tcp;
}

void stop_network(TcpNetwork& network, const Config& config, Log& log) {
    if (const Status drained = network.stop(config.drain_ms); !drained) {
        log.warn("drain", {{"error", drained.error().message}});
    }
}

Result<std::unique_ptr<FollowClient>> follow_host(const Config& config, TcpNetwork& network) {
    HOLDFAST_TRY(require_setting(config.host.has_value(), "[host]", "--host KEY@ADDRESS"));
    FollowClientOptions options;
    options.max_message_bytes = config.limits.bounds.max_request_bytes;
    return std::make_unique<FollowClient>(
        [&network, host = config.host->key](ByteView message) -> Result<Bytes> {
            HOLDFAST_ASSIGN(reply, network.request(host, message, kQuestionTimeoutMs));
            return std::move(reply.response);
        },
        options);
}

Result<std::unique_ptr<HttpServer>> start_monitor(const Config& config, MonitorSources sources) {
    if (config.monitor.empty()) return std::unique_ptr<HttpServer>();
    return serve_monitor(config.monitor, std::move(sources));
}

json::Json address_of(const std::unique_ptr<HttpServer>& monitor) {
    return monitor ? json::Json(monitor->address()) : json::Json(nullptr);
}

}  // namespace holdfast::node
