// What a randomness beacon does for the engine: the value of a round, and a check of it.
//
// Which round belongs to a block is the protocol's business, not the beacon's (spec section 5). A
// required value that is missing or fails verify() is an error of that height and is never
// replaced.
//
// Threading   both functions may be called from several threads at once.
// Time-out    an implementation bounds each call itself and then gives kTimeout; verify() should
//             need nothing from outside and end within milliseconds.
// Failure     kUnavailable: the round is not published yet, or the source cannot be reached; ask
//             again. kTimeout likewise. kRefused from verify(): the value is bad, verdict
//             kBadBeacon.
// Ownership   the engine keeps a reference; the host keeps the object alive as long as the engine.
//
//     Result<BeaconRound> MyBeacon::randomness(std::uint64_t round) {
//         const auto answer = client_.get(round);  // the host's own
//         if (!answer) return fail(ErrorCode::kUnavailable, "the round is not published yet");
//         return BeaconRound{round, answer->randomness, answer->signature};
//     }
#pragma once

#include <cstdint>

#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// The value of one round with what proves it.
struct BeaconRound {
    std::uint64_t round = 0;  // the first round is 1
    Digest randomness;
    Bytes proof;  // what verify() needs, e.g. a signature; at most kMaxBeaconProofBytes
    friend bool operator==(const BeaconRound&, const BeaconRound&) = default;
};

inline constexpr std::size_t kMaxBeaconProofBytes = 1024;

/// Public randomness of numbered rounds. A host implements it where its network has a beacon.
class Beacon {
  public:
    virtual ~Beacon() = default;

    /// The value of `round` (at least 1). The same round always has the same value.
    [[nodiscard]] virtual Result<BeaconRound> randomness(std::uint64_t round) = 0;

    /// Success only when `value` is the beacon's value of exactly this round; kRefused (kBadBeacon)
    /// otherwise. `value` may be hostile.
    [[nodiscard]] virtual Status verify(std::uint64_t round, const BeaconRound& value) = 0;
};

}  // namespace holdfast
