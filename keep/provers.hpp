// The provers that an owner's files are with: their addresses, and connections to many of them.
//
// Threading: any thread. Spec: docs/spec.md section 16.
#pragma once

#include <memory>
#include <string>

#include "availability/range_reader.hpp"
#include "core/keys.hpp"

namespace holdfast {

struct ProverAddress {
    PublicKey key;
    std::string address;  // HOST:PORT
    std::string place;    // where its operator or owner says it is; empty: nothing is said
    friend bool operator==(const ProverAddress&, const ProverAddress&) = default;
};
/// KEY@HOST:PORT, or KEY@HOST:PORT=PLACE. kInvalidArgument.
[[nodiscard]] Result<ProverAddress> parse_prover_address(const std::string& word);

/// How a prover is asked. What it gives may be called from any thread, several at once.
using AskProverOf = std::function<AskProver(const ProverAddress& prover)>;

struct TcpProversOptions {
    std::uint32_t connect_ms = 5'000;  // for the first request to a prover that is not connected
    std::uint32_t request_ms = 20'000;
    StopCheck stop = {};
};

/// Connections as they are needed, kept until the end.
class TcpProvers {
  public:
    [[nodiscard]] static Result<std::unique_ptr<TcpProvers>> start(
        const KeyPair& owner, const NetworkId& network, const TcpProversOptions& options = {});
    ~TcpProvers();
    /// Errors of the asker: kUnavailable with why there is no connection, kTimeout, kBusy, and what
    /// the prover refuses. This object outlives what it gives.
    [[nodiscard]] AskProverOf asker();

  private:
    class Impl;
    explicit TcpProvers(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
