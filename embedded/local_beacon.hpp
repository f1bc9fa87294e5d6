// A real beacon kept in a folder: the embedded default Beacon, one Ed25519 key signing rounds.
//
//   proof      = Ed25519 signature by the network's beacon key
//                over H("local-beacon/round"; key, u64 round)
//   randomness = SHA-256(proof)
//
// Round r is due at beacon_genesis_s + (r-1) * beacon_period_s. The holder of the key publishes a
// round once it is due, durably, in beacon.log (a record file of u64 round || signature); everybody
// else reads it there. Anybody checks a value with the network's parameters alone. It is as
// unbiased as the key's holder is honest: a network that needs more plugs in a threshold beacon.
//
// Threading   every function may be called from several threads at once.
// Processes   one publisher at a time (kBusy), any number of readers beside it.
// The clock (seconds since 1970) is handed in: the library reads none.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "callbacks/beacon.hpp"
#include "core/keys.hpp"
#include "core/params.hpp"

namespace holdfast {

/// The check that anybody can make: success when `value` is this round's under the beacon's key;
/// kRefused (kBadBeacon) otherwise. Pure.
[[nodiscard]] Status check_beacon_round(const PublicKey& key, std::uint64_t round,
                                        const BeaconRound& value);

/// The embedded default Beacon: one key signs rounds, kept in a folder.
class LocalBeacon final : public Beacon {
  public:
    using ClockSeconds = std::function<std::uint64_t()>;
    static constexpr std::string_view kLogFile = "beacon.log";

    /// For the holder of the key. Makes the folder (its parent must exist). kRefused
    /// (kWrongNetwork) unless `key` is the network's beacon key, kBusy, kCorrupt, kPermission.
    static Result<std::unique_ptr<LocalBeacon>> publisher(const std::filesystem::path& folder,
                                                          const NetworkParams& params, KeyPair key,
                                                          ClockSeconds clock);
    /// For everybody else: values that the publisher has put into the folder, verified when read.
    /// kNotFound, kInvalidArgument for a network without a beacon of this kind.
    static Result<std::unique_ptr<LocalBeacon>> reader(const std::filesystem::path& folder,
                                                       const NetworkParams& params);
    /// For who copies the values of a publisher elsewhere: reads like a reader, and keep() adds.
    /// Makes the folder. Errors as of publisher(), but for the key.
    static Result<std::unique_ptr<LocalBeacon>> keeper(const std::filesystem::path& folder,
                                                       const NetworkParams& params);
    /// Puts a value into the folder, once; kRefused (kBadBeacon) unless it is its round's.
    [[nodiscard]] Status keep(const BeaconRound& value);
    ~LocalBeacon() override;

    /// The publisher signs and records a due round at the first call; kUnavailable before it is
    /// due, and for readers until it is in the folder.
    [[nodiscard]] Result<BeaconRound> randomness(std::uint64_t round) override;
    [[nodiscard]] Status verify(std::uint64_t round, const BeaconRound& value) override;

  private:
    class Impl;
    explicit LocalBeacon(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
