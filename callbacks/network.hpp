// What the host's network does for the engine: peers, latency, challenges, places.
//
// The engine brings no transport. Times are the implementation's own monotonic clock, on a
// connection that is already warm; no timestamp of a peer is read (spec section 8).
//
// Threading   every function may be called from several threads at once, also for one peer.
// Time-out    each waiting call is given its limit in milliseconds and returns within it and a
//             small margin, whatever the peer does.
// Failure     kTimeout: the peer took the request and did not answer in time (late). kUnavailable:
//             no connection (unreachable). kNotFound: no such peer. kRefused: see the function.
//             Bytes from a peer are passed on unread, at most kMaxResponseBytes of them.
// Ownership   the engine keeps a reference; the host keeps the object alive as long as the engine.
//
//     Result<ChallengeReply> MyNetwork::send_challenge(const PublicKey& peer, ByteView challenge,
//                                                      std::uint32_t deadline_ms) {
//         Connection* const connection = find(peer);  // kept warm by the host
//         if (connection == nullptr) return fail(ErrorCode::kUnavailable, "not connected");
//         const std::uint64_t sent = monotonic_us();
//         auto response = connection->ask(challenge, deadline_ms);
//         if (!response) return fail(ErrorCode::kTimeout, "no response in time");
//         const auto service_us = static_cast<std::uint32_t>(monotonic_us() - sent);
//         return ChallengeReply{std::move(*response), service_us, connection->ping_us()};
//     }
//
//     One that is finished: transport/tcp_network.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// A peer that is known, and where it is.
struct Peer {
    PublicKey key;        // a prover's or challenger's key
    std::string address;  // in the transport's own form; never interpreted by the engine
    friend bool operator==(const Peer&, const Peer&) = default;
};

/// What came back for a challenge, and how long it took: from the last byte of the challenge handed
/// over to the last byte of the response.
struct ChallengeReply {
    Bytes response;
    std::uint32_t service_us = 0;
    std::uint32_t ping_us = 0;  // round trip on the same connection, measured beside the challenge
};

/// A place on Earth, in millionths of a degree.
struct Place {
    std::int32_t latitude_udeg = 0;   // -90,000,000 to 90,000,000
    std::int32_t longitude_udeg = 0;  // -180,000,000 to 180,000,000
    friend bool operator==(const Place&, const Place&) = default;
};

inline constexpr std::size_t kMaxResponseBytes = std::size_t{16} << 20;

/// What one vantage of the host found out about a peer that claims a place.
struct VantageReport {
    std::string vantage;           // the host's name for it
    std::uint64_t rtt_ns = 0;      // shortest round trip measured
    std::uint64_t distance_m = 0;  // from the vantage to the claimed place, rounded down
    friend bool operator==(const VantageReport&, const VantageReport&) = default;
};

/// Messages to peers by their keys, with measured times. A host implements it.
class Network {
  public:
    virtual ~Network() = default;

    /// The peers known now, in no particular order.
    [[nodiscard]] virtual Result<std::vector<Peer>> peers() = 0;

    /// Round-trip times in nanoseconds, in the order measured; `samples` of them (1 to 1,000).
    [[nodiscard]] virtual Result<std::vector<std::uint64_t>> measure_latency(
        const PublicKey& peer, std::uint32_t samples, std::uint32_t timeout_ms) = 0;

    /// Sends the bytes of a challenge and waits for the response, at most `deadline_ms`.
    [[nodiscard]] virtual Result<ChallengeReply> send_challenge(const PublicKey& peer,
                                                                ByteView challenge,
                                                                std::uint32_t deadline_ms) = 0;

    /// Verifies a claimed place as far as measuring goes: the peer's shortest round trip from every
    /// vantage that could reach it, with the distance to the place. check_place() of
    /// proofs/latency.hpp judges the reports, by the light rule of spec section 8; passing it means
    /// "not ruled out", never "is there". kUnavailable when no vantage could measure.
    [[nodiscard]] virtual Result<std::vector<VantageReport>> verify_place(
        const PublicKey& peer, const Place& claimed, std::uint32_t timeout_ms) = 0;
};

}  // namespace holdfast
