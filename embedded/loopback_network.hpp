// Peers inside this process: the embedded default Network, for one machine and for tests.
//
// A peer is an object that answers; a message is a call on the caller's thread. Times are measured
// around that call with the clock that is handed in, so a test owns time. A call cannot be broken
// off: it returns when the peer's does, and what took longer than the limit is kTimeout.
//
// Threading   every function may be called from several threads at once; peers are called without
//             any lock held and must allow the same.
// Failure     an error of the peer itself is passed on as it is; kUnavailable then means
//             unreachable.
#pragma once

#include <functional>
#include <memory>

#include "callbacks/network.hpp"

namespace holdfast {

/// What a peer does. Both may be called from several threads at once.
class LoopbackPeer {
  public:
    virtual ~LoopbackPeer() = default;
    [[nodiscard]] virtual Result<Bytes> respond(ByteView challenge) = 0;
    /// Returns when a ping of this peer would.
    [[nodiscard]] virtual Status ping() = 0;
};

/// The embedded default Network: peers are objects of this process.
class LoopbackNetwork final : public Network {
  public:
    using ClockNs = std::function<std::uint64_t()>;  // monotonic nanoseconds
    /// One round trip from a vantage to a peer, in nanoseconds.
    using Probe = std::function<Result<std::uint64_t>(const PublicKey& peer)>;

    explicit LoopbackNetwork(ClockNs clock);
    ~LoopbackNetwork() override;

    /// kAlreadyExists for a key that is there.
    [[nodiscard]] Status add_peer(const Peer& peer, std::shared_ptr<LoopbackPeer> handler);
    /// kNotFound. Calls in flight end as they would have.
    [[nodiscard]] Status remove_peer(const PublicKey& key);
    /// A place to measure from. Without a probe the round trip is this network's own ping.
    /// kInvalidArgument for a place that is not on Earth.
    [[nodiscard]] Status add_vantage(const std::string& name, const Place& place, Probe probe = {});

    [[nodiscard]] Result<std::vector<Peer>> peers() override;
    [[nodiscard]] Result<std::vector<std::uint64_t>> measure_latency(
        const PublicKey& peer, std::uint32_t samples, std::uint32_t timeout_ms) override;
    [[nodiscard]] Result<ChallengeReply> send_challenge(const PublicKey& peer, ByteView challenge,
                                                        std::uint32_t deadline_ms) override;
    [[nodiscard]] Result<std::vector<VantageReport>> verify_place(
        const PublicKey& peer, const Place& claimed, std::uint32_t timeout_ms) override;

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
