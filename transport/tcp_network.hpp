// The Network that ships: nodes over TCP and TLS 1.3, each known by its Ed25519 key.
//
// Every node may listen, dial or both, and either side of a connection may ask the other. A peer
// that has an address is dialled as soon as it is added and kept connected: after a failure again,
// with exponential backoff and jitter. Frames, handshake and what is refused: docs/spec.md
// section 13; why: docs/architecture.md section 11.
//
// Threading   any number of threads. The network has one thread that owns all sockets and their
//             state, and `workers` threads that run the handler; all are joined by stop(). Host
//             names (not numbers) are looked up on a thread of Asio's that stop() waits for.
// Time        round trips and services are measured with the clock handed in, on this side alone;
//             deadlines wait on the machine's monotonic clock. No time of a peer is read.
// Bounds      everything that a peer can make grow has a ceiling in TcpLimits: connections,
//             handshakes, bytes held, requests in flight, frames and bytes a second. What is above
//             one is refused (kBusy) or not read until there is room.
// Failure     as of Network. kTimeout: the peer took the request, and no answer came in time, or it
//             refused, or closed the connection. kUnavailable: it was not connected when asked, or
//             no longer before it had the request; the message says why (link_failure.hpp). kBusy:
//             a ceiling of our own. kInterrupted: this network is stopping.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>

#include "callbacks/network.hpp"
#include "core/keys.hpp"
#include "transport/frame.hpp"
#include "transport/link_failure.hpp"

namespace holdfast {

/// Answers a message (u8 version || u8 kind || body) of a peer that has proved its key. Called on
/// the network's worker threads, several at once. An error is told to the peer as a refusal: kBusy,
/// kRefused with its reason, anything else as "failed" without the message. kPermission: the peer
/// is sent away, over all its connections; it may dial again.
using TcpHandler = std::function<Result<Bytes>(const PublicKey& from, ByteView message)>;

struct TcpLimits {
    FrameBounds bounds;
    std::uint32_t max_connections = 2'048;
    std::uint32_t max_per_address = 256;  // connections from one IPv4 address or IPv6 /64
    std::uint32_t max_per_key = 4;        // the oldest gives way
    /// Accepted and not through. For a newcomer the oldest gives way of the address that has most
    /// of them, within the network (/24, /48) that has most.
    std::uint32_t max_handshakes = 128;
    std::uint32_t connects_per_second =
        32;  // new ones from an address; eight seconds' worth at once
    std::uint32_t network_connects_per_second = 128;  // and from the /24 or /48 around it
    std::uint32_t max_sources = 8'192;  // addresses, and networks, whose rates are remembered
    std::uint32_t max_peers = 8'192;    // keys remembered
    std::uint32_t max_requests_per_peer = 16;  // in flight at once: each other's
    /// Of all peers, waiting for the handler; one of each is taken in any case.
    std::uint32_t max_requests = 1'024;
    std::uint64_t max_queue_bytes_per_peer = std::uint64_t{32} << 20;  // waiting to be sent
    /// Of all peers, arriving or to be sent. A quarter for each of both directions is common, and a
    /// quarter is divided among max_connections: messages of up to 64 KiB have room in any case.
    std::uint64_t max_bytes = std::uint64_t{512} << 20;
    std::uint32_t frames_per_second = 500;       // of a peer; a second's worth at once
    std::uint32_t bytes_per_second = 64U << 20;  // of a peer; a second's worth at once
    std::uint32_t handshake_timeout_ms = 5'000;  // from the connection to the peer's hello
    std::uint32_t frame_timeout_ms = 30'000;     // from a frame's first byte to its last, both ways
    std::uint32_t keepalive_ms = 20'000;         // a ping after so long a silence
    std::uint32_t idle_timeout_ms = 60'000;  // silence, pings unanswered, that ends a connection
    std::uint32_t backoff_first_ms = 250;    // wait before dialling again
    std::uint32_t backoff_max_ms = 60'000;
};

struct TcpNetworkOptions {
    NetworkId network;
    std::uint8_t roles = kRoleProver | kRoleChallenger;  // told to peers; bits kRole…
    std::string listen;                       // "127.0.0.1:0", "[::]:9001", "localhost:9001",
                                              // whose name is looked up; empty: dials only
    bool accept_anyone = false;               // or only keys of add_peer()
    TcpHandler handler;                       // none: requests are refused
    unsigned workers = 2;                     // threads for the handler; 1 to 64
    std::string vantage = "here";             // this node's name in verify_place()
    std::optional<Place> place;               // where this node is; none: it is no vantage
    std::function<std::uint64_t()> clock_ns;  // monotonic; none: the machine's
    /// Told when a peer of add_peer() is connected, and when it is not for another reason than
    /// before: for logs. On the socket thread; must not call the network.
    std::function<void(const PeerReport&)> on_link;
    /// For jitter, and for pings' numbers, which no peer may guess; none: the system's randomness.
    std::function<std::uint64_t()> random;
    TcpLimits limits;
};

struct TcpReply {
    Bytes response;
    /// From the request's last byte handed to the socket to the response's last byte read, rounded
    /// up.
    std::uint32_t service_us = 0;
};

/// Counts since the start, and states now.
struct TcpStatistics {
    std::uint64_t connections = 0;  // now, handshakes included
    std::uint64_t handshakes = 0;   // now
    std::uint64_t peers_connected = 0;
    std::uint64_t requests_waiting = 0;  // peers' requests with the handler or before it
    std::uint64_t bytes_held = 0;        // arriving or waiting to be sent
    std::uint64_t accepted = 0;
    std::uint64_t dialled = 0;
    std::uint64_t completed = 0;        // handshakes
    std::uint64_t refused_ceiling = 0;  // connections closed at once: a ceiling was reached
    std::uint64_t refused_tls = 0;      // TLS failed: garbage, another protocol, a bad key
    std::uint64_t refused_key = 0;      // a proved key that is not served, or not the expected one
    std::uint64_t refused_version = 0;  // hellos
    std::uint64_t refused_network = 0;  // hellos
    std::uint64_t refused_malformed = 0;  // frames and hellos
    /// Attempts to connect, and connections that we made, by how they ended: index LinkFailure.
    std::array<std::uint64_t, kLinkFailureCount> link_failures{};
    /// Connections that another process with our key has taken our place on, and how long ago the
    /// newest was; and how often the key of a peer came back from a process that it had already
    /// been replaced by: two run with it.
    std::uint64_t same_key = 0;
    std::uint64_t same_key_age_ms = 0;
    std::uint64_t peers_doubled = 0;
    std::uint64_t timed_out = 0;   // handshakes, frames and idle connections
    std::uint64_t throttled = 0;   // times that reading from a peer paused
    std::uint64_t duplicates = 0;  // requests and posts not handed over again
    std::uint64_t busy = 0;        // peers' requests refused for a ceiling
    std::uint64_t frames_in = 0;
    std::uint64_t frames_out = 0;
    std::uint64_t bytes_in = 0;   // of frames, TLS not counted
    std::uint64_t bytes_out = 0;  // of frames, TLS not counted
};

/// Whether TcpNetwork takes it for an address: "host:port" or "[v6]:port".
[[nodiscard]] bool is_tcp_address(const std::string& text);
/// The same with numbers in place of a name, which is looked up while the caller waits: all that it
/// means. None when it is malformed or unknown.
[[nodiscard]] std::vector<std::string> numeric_tcp_addresses(const std::string& text);

class TcpNetwork final : public Network {
  public:
    /// Listens (where asked to) and is ready when it returns. kInvalidArgument for options without
    /// sense, kPermission, kAlreadyExists (address in use) or kIo where it cannot listen,
    /// kUnsupported where OpenSSL lacks TLS 1.3 with Ed25519.
    [[nodiscard]] static Result<std::unique_ptr<TcpNetwork>> start(const KeyPair& key,
                                                                   TcpNetworkOptions options);
    /// Stops without draining.
    ~TcpNetwork() override;

    /// Where it listens, with the port that the system chose; empty when it does not.
    [[nodiscard]] std::string address() const;
    /// The peer may connect; one with an address ("host:port", "[v6]:port") is dialled and kept
    /// connected. kAlreadyExists, kBusy at max_peers, kInvalidArgument for a malformed address or a
    /// key that may not be registered.
    [[nodiscard]] Status add_peer(const Peer& peer);
    /// Closes its connections and forgets it. kNotFound.
    [[nodiscard]] Status remove_peer(const PublicKey& key);
    /// Until the peer is connected. kRefused with its reason or kPermission at once when it will
    /// not have us, or is another than expected (kBadVersion, kWrongNetwork, kBadKey); kTimeout,
    /// with what was wrong last; kNotFound, kInterrupted.
    [[nodiscard]] Status wait_connected(const PublicKey& key, std::uint32_t timeout_ms);

    /// Sends a message and waits for the answer. Also kRefused, kUnsupported or kBusy as the peer
    /// says; kInvalidArgument for bytes that are no message or above their bound.
    [[nodiscard]] Result<TcpReply> request(const PublicKey& peer, ByteView message,
                                           std::uint32_t timeout_ms);
    /// Hands a message over once, repeated over reconnections until the peer has confirmed it.
    /// kTimeout: not confirmed; it may or may not have arrived. Refusals as of request().
    [[nodiscard]] Status post(const PublicKey& peer, ByteView message, std::uint32_t timeout_ms);

    [[nodiscard]] TcpStatistics statistics() const;
    /// How a peer of add_peer() stands now. kNotFound.
    [[nodiscard]] Result<PeerReport> peer_report(const PublicKey& key);
    /// Of up to `most` peers of add_peer(), those that are not connected first.
    [[nodiscard]] Result<std::vector<PeerReport>> peer_reports(std::size_t most);
    /// Takes no further requests, waits up to `drain_ms` for answers in flight to be sent and
    /// messages of our own to be answered, tells the peers, closes everything and joins the
    /// threads. A handler that runs is waited for. kTimeout when the deadline cut something off;
    /// safe to call again. Never from a handler.
    [[nodiscard]] Status stop(std::uint32_t drain_ms);

    [[nodiscard]] Result<std::vector<Peer>> peers() override;
    [[nodiscard]] Result<std::vector<std::uint64_t>> measure_latency(
        const PublicKey& peer, std::uint32_t samples, std::uint32_t timeout_ms) override;
    [[nodiscard]] Result<ChallengeReply> send_challenge(const PublicKey& peer, ByteView challenge,
                                                        std::uint32_t deadline_ms) override;
    /// From this node alone, when it has a place.
    [[nodiscard]] Result<std::vector<VantageReport>> verify_place(
        const PublicKey& peer, const Place& claimed, std::uint32_t timeout_ms) override;

  private:
    class Impl;
    explicit TcpNetwork(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
