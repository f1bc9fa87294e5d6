// What every daemon needs to take part: its key, its network, a transport, the node it follows.
//
// Threading: opening is one thread's work; the parts are as their headers say. Errors:
// kInvalidArgument names the setting that is missing or wrong.
#pragma once

#include <memory>

#include "core/keys.hpp"
#include "follow/client.hpp"
#include "node/config.hpp"
#include "node/log.hpp"
#include "node/monitor.hpp"
#include "transport/tcp_network.hpp"

namespace holdfast::node {

/// The machine's monotonic clock.
[[nodiscard]] MonotonicNs machine_clock();

/// The settings that a daemon cannot do without.
[[nodiscard]] Status require_setting(bool present, std::string_view setting,
                                     std::string_view option);

struct Identity {
    NetworkParams params;
    std::shared_ptr<const KeyPair> key;
};
/// From [network] params and [identity] key.
[[nodiscard]] Result<Identity> open_identity(const Config& config);

/// A transport with the settings' limits and peers, the followed node among them. The log, which
/// must outlive it, is told when a peer is connected, and why one is not.
[[nodiscard]] Result<std::unique_ptr<TcpNetwork>> start_network(const Config& config,
                                                                const NetworkId& network,
                                                                const KeyPair& key,
                                                                std::uint8_t roles,
                                                                TcpHandler handler, Log& log);

/// Ends the transport as [transport] drain_ms says; the log says what was cut off.
void stop_network(TcpNetwork& network, const Config& config, Log& log);

/// Questions to one node over the transport, which must outlive it.
[[nodiscard]] FollowClient::Request requests_to(TcpNetwork& network, const PublicKey& host);
[[nodiscard]] FollowClientOptions client_options(const Config& config);
/// A client of the first of [[hosts]] over the transport, which must outlive it.
[[nodiscard]] Result<std::unique_ptr<FollowClient>> follow_host(const Config& config,
                                                                TcpNetwork& network);

/// A daemon's monitor, and the log that wakes its event streams; both are let go of together.
class DaemonMonitor {
  public:
    DaemonMonitor() = default;
    DaemonMonitor(std::unique_ptr<HttpServer> server, Log& log);
    DaemonMonitor(DaemonMonitor&&) = default;
    DaemonMonitor& operator=(DaemonMonitor&&) = delete;
    DaemonMonitor(const DaemonMonitor&) = delete;
    DaemonMonitor& operator=(const DaemonMonitor&) = delete;
    ~DaemonMonitor();
    /// For ready lines: where it listens, or null.
    [[nodiscard]] json::Json address() const;

  private:
    std::unique_ptr<HttpServer> server_;
    Log* log_ = nullptr;
};

/// The monitor of [monitor] listen; one without an address where none is wanted. The sources, the
/// log and `network` are used until it ends: the network's health is part of the daemon's.
[[nodiscard]] Result<DaemonMonitor> start_monitor(const Config& config, MonitorSources sources,
                                                  const TcpNetwork* network, Log& log);

}  // namespace holdfast::node
