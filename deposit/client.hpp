// The client's side of deposits: asks one prover, believes nothing that it can check.
//
// Brings no transport: a function asks the prover one request and gives its answer. A prover that
// is busy is asked again after the time that it names; one that does not answer, after a pause;
// both until `patience_ms` have passed without another answer (kTimeout, or the last error). That
// is safe: every question may be repeated.
//
// Every state is held against what was ordered: its id, size and terms' digest. A prover that
// answers for other terms than it signed is refused (kRefused, kWrongObject); a malformed answer
// with what is wrong with it. What the prover refuses has the code of refusal_error() and its
// reason in the message.
//
// Threading: any thread, several calls at once as far as `ask` allows. Memory: one piece for each
// call. Spec: docs/spec.md section 16.1.
#pragma once

#include "availability/range_reader.hpp"
#include "deposit/messages.hpp"

namespace holdfast {

/// What a client remembers of a deposit, from before it is opened.
struct DepositOrder {
    DepositId id;
    DepositTerms terms;
    std::uint64_t bytes = 0;  // 1 to terms.max_bytes
    friend bool operator==(const DepositOrder&, const DepositOrder&) = default;
};

struct DepositClientOptions {
    std::uint32_t patience_ms = 30'000;  // without an answer that is one
    std::uint32_t pause_ms = 200;        // before asking again who did not answer
    StopCheck stop = {};                 // asked often; kInterrupted
};

class DepositClient {
  public:
    /// `owner` signs the wishes, and must be the key that `ask` connects with. It and `ask`'s parts
    /// outlive the client.
    DepositClient(const NetworkId& network, const PublicKey& prover, const KeyPair& owner,
                  AskProver ask, DepositClientOptions options = {});

    /// Signed terms for a deposit of so many bytes, checked.
    [[nodiscard]] Result<DepositTerms> terms(std::uint64_t bytes) const;
    /// Begins a deposit, or finds it begun. Not charged twice, however often it is called.
    [[nodiscard]] Result<DepositState> open(const DepositOrder& order) const;
    /// Piece `index` of the data; durable at the prover when this returns.
    [[nodiscard]] Result<DepositState> send_piece(const DepositOrder& order, std::uint64_t index,
                                                  ByteView piece) const;
    [[nodiscard]] Result<DepositState> state(const DepositOrder& order) const;
    /// `raw_root`: root_of_pieces() of all that was sent.
    [[nodiscard]] Result<DepositState> finish(const DepositOrder& order,
                                              const Root& raw_root) const;
    /// The owner's wish, above every counter of one before; for good.
    [[nodiscard]] Result<DepositState> remove(const DepositOrder& order,
                                              std::uint64_t counter) const;
    /// The same for somebody who has the id alone.
    [[nodiscard]] Result<DepositState> remove(const DepositId& id, std::uint64_t counter) const;
    [[nodiscard]] Result<DepositState> state(const DepositId& id) const;
    /// What this key has at the prover, ascending by id, behind `after`.
    [[nodiscard]] Result<DepositList> list(const DepositId& after = {},
                                           std::uint32_t most = kMostListedDeposits) const;

    [[nodiscard]] const PublicKey& prover() const { return prover_; }

  private:
    [[nodiscard]] Result<DepositAnswer> ask(ByteView question) const;
    [[nodiscard]] Result<DepositState> ask_state(ByteView question, const DepositId& id) const;
    [[nodiscard]] Result<DepositState> ask_state(ByteView question,
                                                 const DepositOrder& order) const;
    [[nodiscard]] Status wait(std::uint32_t ms) const;

    NetworkId network_;
    PublicKey prover_;
    const KeyPair& owner_;
    AskProver ask_;
    DepositClientOptions options_;
};

/// That the state is of this deposit, on these terms; kWrongObject.
[[nodiscard]] Verdict check_deposit_state(const DepositState& state, const DepositOrder& order);
/// What a caller gets for a refusal: kPermission (kNotAllowed, kBadSignature), kOutOfSpace (quotas,
/// space), kNotFound (kUnknown), kAlreadyExists (kConflict), kUnavailable (kStopped,
/// kProverFailed), kInvalidArgument (all others).
[[nodiscard]] Error refusal_error(DepositReason reason);

}  // namespace holdfast
