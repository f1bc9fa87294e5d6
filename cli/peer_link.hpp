// A connection from the command line to one prover, and what is known of the chain that it is asked
// about.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "availability/range_reader.hpp"
#include "cli/console.hpp"
#include "core/keys.hpp"
#include "core/params.hpp"
#include "transport/tcp_network.hpp"

namespace holdfast::cli {

/// TcpNetwork::wait_connected() in steps, so that Ctrl-C is heard. Where the answer is that nobody
/// is there, at once. kUnavailable says why; kPermission and kRefused as TcpNetwork.
Status wait_connected(TcpNetwork& network, const Peer& peer, double seconds);

/// What fetch and latency are told about whom to ask.
struct PeerArguments {
    std::string chain;    // chain id, or X.registration
    std::string network;  // folder of public data, node folder, network.params
    std::string from;     // [KEY@]HOST:PORT
    std::string key;      // this side's key file; empty: one made for the run
    double timeout = 10;  // seconds to wait for the connection
    void add_to(CLI::App* command);
};

/// The chain's registration, verified, and its network.
struct AskedChain {
    NetworkParams params;
    Registration registration;
    ReadSource source;
    /// `word`: a chain id that the folder's public record knows, or a registration file.
    static Result<AskedChain> find(const std::string& word, const std::string& network);
};

class PeerLink {
  public:
    /// Connects. kInvalidArgument for a malformed --from; kTimeout, kUnavailable, kPermission and
    /// kRefused with the peer's reason, as TcpNetwork. `options` for what else the connection
    /// needs.
    static Result<std::unique_ptr<PeerLink>> connect(const PeerArguments& arguments,
                                                     const AskedChain& chain,
                                                     TcpNetworkOptions options = {});
    ~PeerLink();
    PeerLink(const PeerLink&) = delete;
    PeerLink& operator=(const PeerLink&) = delete;

    [[nodiscard]] TcpNetwork& network() { return *network_; }
    [[nodiscard]] const Peer& peer() const { return peer_; }
    /// Whether the key on this side was made for the run.
    [[nodiscard]] bool made_key() const { return made_key_; }

  private:
    PeerLink() = default;

    std::unique_ptr<TcpNetwork> network_;
    Peer peer_;
    bool made_key_ = false;
    std::atomic<bool> done_{false};
    std::thread watch_;  // ends what waits when the user stops the command
};

}  // namespace holdfast::cli
