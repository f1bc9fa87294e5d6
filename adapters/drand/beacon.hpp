// A Beacon over drand's public HTTP servers: rounds of a chain whose key no single party holds.
//
// Any number of servers; one that works is asked first the next time. No server is believed: a
// round counts when its signature verifies under the network's own key, and a server that tells a
// wrong one is passed over like one that is down. What it cannot do against all of them lying or
// silent is invent a round: then there is none.
//
// Threading   every function may be called from several threads at once.
// Time-out    a request takes at most timeout_ms, so a call at most that for each server.
// Failure     randomness(): kUnavailable where no server has the round (yet) or all that answer are
//             wrong, with what each said; kTimeout where none answers in time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adapters/drand/chain.hpp"

namespace holdfast {

struct DrandOptions {
    std::vector<std::string> servers;  // e.g. https://api.drand.sh; at least one
    std::uint32_t timeout_ms = 3'000;
    std::size_t kept_rounds = 1'024;  // that are answered without asking again
};

/// What became of the requests to one server.
struct DrandServerState {
    std::string server;
    std::uint64_t good = 0;
    std::uint64_t absent = 0;  // down, late, or without the round
    std::uint64_t wrong = 0;   // answered with something that is not the chain's
    std::string last_error;
};

class DrandBeacon final : public Beacon {
  public:
    /// kInvalidArgument for parameters without a drand chain, or no server. Asks nobody.
    static Result<std::unique_ptr<DrandBeacon>> create(const NetworkParams& params,
                                                       DrandOptions options);
    ~DrandBeacon() override;

    [[nodiscard]] Result<BeaconRound> randomness(std::uint64_t round) override;
    [[nodiscard]] Status verify(std::uint64_t round, const BeaconRound& value) override;

    [[nodiscard]] std::vector<DrandServerState> servers() const;

  private:
    class Impl;
    explicit DrandBeacon(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
