// The nodes that a light client asks, over TCP: connected when first needed, waited for while busy.
//
// Threading: one thread asks at a time. Errors of a request: kUnavailable with why a node is not
// connected (transport/link_failure.hpp), kTimeout, kInterrupted, what the node answers otherwise.
#pragma once

#include <memory>
#include <vector>

#include "api/light_client.hpp"
#include "core/keys.hpp"
#include "node/config.hpp"
#include "transport/tcp_network.hpp"

namespace holdfast::node {

struct LightNodesOptions {
    std::vector<PeerEntry> nodes;  // with addresses
    std::uint32_t connect_ms = 10'000;
    std::uint32_t answer_ms = 10'000;
    std::uint32_t busy_ms = 30'000;  // how long a busy node is asked again
    StopCheck stop;
};

class LightNodes {
  public:
    /// Starts dialling. kInvalidArgument for an address that is none, or a node named twice.
    static Result<std::unique_ptr<LightNodes>> start(const NetworkId& network, const KeyPair& key,
                                                     LightNodesOptions options);

    /// KEY@HOST each. They must not outlive this.
    [[nodiscard]] std::vector<LightNode> nodes();

  private:
    explicit LightNodes(LightNodesOptions options) : options_(std::move(options)) {}
    [[nodiscard]] Result<Bytes> ask(const PeerEntry& node, ByteView message);
    [[nodiscard]] Status wait_connected(const PeerEntry& node);
    [[nodiscard]] Status wait(std::uint32_t ms) const;

    const LightNodesOptions options_;
    std::unique_ptr<TcpNetwork> network_;
};

}  // namespace holdfast::node
