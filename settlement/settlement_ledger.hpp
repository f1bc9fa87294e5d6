// The settlement ledger: carries out, once each, what the registry has decided.
//
// Decisions (hierarchy/decision.hpp) are numbered; take() makes each a case, in order and without a
// gap, from where the ledger stands: whoever was away for a thousand heights goes on there. work()
// asks the Token for every step that has no answer yet, in order, under a key that follows from
// case and step, and makes each answer durable. It is called again until nothing is open: after a
// failure, a time-out, a crash. Since the decision, the key and the answer are durable, a token
// that fails, that times out after it has acted, that throws, answers twice or claims more than was
// asked can make no step happen twice and none be forgotten. Nothing that a token says flows back
// into the registry.
//
// Threading   any thread; no lock and no transaction is held during a callback. One work() at a
//             time (kBusy for another). One process at a time (kBusy).
// Failure     kCorrupt for a damaged or vanished database, kOutOfSpace, kIo; kRefused
//             (kWrongNetwork) for the ledger of another network. Amounts are u64 counts of the
//             token's smallest unit. Spec: docs/spec.md section 11.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "callbacks/token.hpp"
#include "core/fill.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "hierarchy/decision.hpp"

namespace holdfast {

enum class StepKind : std::uint8_t { kSlash = 1, kReward = 2, kRelease = 3 };
enum class StepState : std::uint8_t {
    kOpen = 1,     // no answer yet: asked again by every work()
    kDone = 2,     // `answer` is what the token took, paid or gave back
    kRefused = 3,  // the token will never do it; nothing moved, see reopen()
};

std::string_view to_string(StepKind kind);
std::string_view to_string(StepState state);

struct SettlementStep {
    StepKind kind = StepKind::kSlash;
    BondId bond;               // kSlash, kRelease
    PublicKey party;           // whom a reward goes to; who must own a bond that is slashed
    std::uint64_t amount = 0;  // at most: of a slash, a release or a reward
    /// Of a reward: at most this share of what the slashes of its case have taken. 0: not tied to
    /// them.
    std::uint32_t share_per_mille = 0;

    StepState state = StepState::kOpen;
    std::uint64_t answer = 0;
    std::uint32_t asked = 0;  // how often, as far as it was recorded
    friend bool operator==(const SettlementStep&, const SettlementStep&) = default;

    static SettlementStep slash(const BondId& bond, const PublicKey& owner, std::uint64_t most);
    static SettlementStep reward(const PublicKey& to, std::uint64_t most,
                                 std::uint32_t share_per_mille = 0);
    static SettlementStep release(const BondId& bond, std::uint64_t amount);
};

struct SettlementCase {
    CaseId id;
    CaseKind kind = CaseKind::kOffence;
    std::vector<SettlementStep> steps;  // at most kMaxSteps; may be empty: decided, nothing to move
    friend bool operator==(const SettlementCase&, const SettlementCase&) = default;

    static constexpr std::size_t kMaxSteps = 16;
    [[nodiscard]] bool settled() const;
    [[nodiscard]] Bytes encode() const;
    static Checked<SettlementCase> decode(ByteView bytes);
};

/// What a host pays for the outcome of a challenge, in the token's smallest unit; both together at
/// most what check_pay_terms allows.
struct PayTerms {
    std::uint64_t prover_reward = 0;      // for a served challenge
    std::uint64_t challenger_reward = 0;  // for any outcome
};
/// The most that an outcome may pay.
[[nodiscard]] std::uint64_t most_pay(const NetworkParams& params);
/// kNetworkPolicy where an outcome would pay more than a 32nd of what a challenger forfeits whose
/// outcome fails its audit: then two that collude would gain (spec 15.8).
[[nodiscard]] Verdict check_pay_terms(const NetworkParams& params, const PayTerms& terms);

struct SettlementFault {
    CaseId id;
    std::size_t step = 0;
    Error error;
};

struct SettlementReport {
    std::uint64_t answered = 0;  // steps that got an answer
    std::uint64_t refused = 0;   // steps that the token will never do
    std::uint64_t open = 0;      // cases that still wait
    std::uint64_t timeouts = 0;  // answers that did not come in time; they end the pass
    static constexpr std::uint64_t kMaxTimeouts = 3;
    std::vector<SettlementFault> faults;  // why; at most kMaxFaults
    static constexpr std::size_t kMaxFaults = 100;
};

class SettlementLedger {
  public:
    struct Options {
        std::uint64_t map_bytes = std::uint64_t{16} << 30;  // largest size on disk
    };
    /// Opens or makes the ledger in `folder`.
    static Result<std::unique_ptr<SettlementLedger>> open(const std::filesystem::path& folder,
                                                          const NetworkId& network,
                                                          const Options& options);
    static Result<std::unique_ptr<SettlementLedger>> open(const std::filesystem::path& folder,
                                                          const NetworkId& network) {
        return open(folder, network, Options{});
    }
    /// For reading alone, beside whoever works on it; what would write gives kPermission.
    static Result<std::unique_ptr<SettlementLedger>> read(const std::filesystem::path& folder,
                                                          const NetworkId& network);
    ~SettlementLedger();

    /// Number of the registry's first decision that this ledger has not taken over.
    [[nodiscard]] Result<std::uint64_t> next_decision() const;
    /// Of a new ledger: decisions before that number were carried out elsewhere. kInvalidArgument
    /// where it stands at another one already.
    [[nodiscard]] Status begin_at(std::uint64_t first);
    /// Takes over decisions, the first of which has this number: as cases, all in one transaction,
    /// on the device when it returns. kInvalidArgument unless `first` is next_decision(). What pays
    /// nothing under these terms makes no step.
    [[nodiscard]] Status take(std::uint64_t first, std::span<const Decision> decisions,
                              const PayTerms& terms);

    [[nodiscard]] Result<std::optional<SettlementCase>> find(const CaseId& id) const;
    /// Ascending by id, until `visit` gives false.
    [[nodiscard]] Status for_each(const std::function<bool(const SettlementCase&)>& visit) const;

    /// Asks for every open step once. A fault of one case does not stop the others, but a token
    /// that lets kMaxTimeouts calls run into their time-out is asked no more in this pass; the next
    /// one starts with the cases that have not been asked. The time-out itself is the token's, or
    /// that of a guard around it (callbacks/guard.hpp).
    [[nodiscard]] Result<SettlementReport> work(Token& token, const StopCheck& stop = {});
    /// Makes the refused steps of a case open again, for an operator who has repaired the token.
    /// kNotFound.
    [[nodiscard]] Status reopen(const CaseId& id);

  private:
    class Impl;
    explicit SettlementLedger(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
