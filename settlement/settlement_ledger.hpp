// The settlement ledger: what is slashed, paid or released once, decided before anybody is asked.
//
// A case has an id that follows from what it is about: an offence, an accusation, a reward, an
// outcome. decide() makes the case and all of its steps durable in one transaction; a second
// decision under the same id is refused, whatever it says. work() asks the Token for every step
// that has no answer yet, in order, under a key that follows from case and step, and makes each
// answer durable. It is called again until nothing is open: after a failure, a time-out, a crash.
// Since the decision, the key and the answer are durable, a token that fails, that times out after
// it has acted, that throws, answers twice or claims more than was asked can make no step happen
// twice and none be forgotten.
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
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

using CaseId = DigestOf<struct CaseIdTag>;

/// What a case is about; the id of each is made by whoever decides it.
enum class CaseKind : std::uint8_t { kOffence = 1, kAccusation = 2, kReward = 3, kOutcome = 4 };
enum class StepKind : std::uint8_t { kSlash = 1, kReward = 2, kRelease = 3 };
enum class StepState : std::uint8_t {
    kOpen = 1,     // no answer yet: asked again by every work()
    kDone = 2,     // `answer` is what the token took, paid or gave back
    kRefused = 3,  // the token will never do it; nothing moved, see reopen()
};

std::string_view to_string(CaseKind kind);
std::string_view to_string(StepKind kind);
std::string_view to_string(StepState state);

struct SettlementStep {
    StepKind kind = StepKind::kSlash;
    BondId bond;               // kSlash, kRelease
    PublicKey party;           // whom a reward goes to; who must own a bond that is slashed
    std::uint64_t amount = 0;  // at most: of a slash or a reward
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
    static SettlementStep release(const BondId& bond);
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

/// An accusation that waits for its judgement; kept so that a crash loses neither the accusation
/// nor the deposit behind it.
struct Accusation {
    Bytes evidence;  // the body, with kind and length
    PublicKey accuser;
    BondId deposit;
    friend bool operator==(const Accusation&, const Accusation&) = default;

    /// Under which the deposit is settled.
    [[nodiscard]] CaseId id(const NetworkId& network_id) const;
    [[nodiscard]] Bytes encode() const;
    static Checked<Accusation> decode(ByteView bytes);
};

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
    ~SettlementLedger();

    /// Durable when it returns kOk. kAlreadySettled: decided before, and nothing has changed.
    /// `closes`: an accusation that this decision ends, in the same transaction.
    [[nodiscard]] Result<Verdict> decide(const SettlementCase& decision,
                                         const std::optional<CaseId>& closes = std::nullopt);
    /// Many decisions in one transaction; those that were decided before stand as they are.
    [[nodiscard]] Status decide_all(std::span<const SettlementCase> decisions);
    /// Durable when it returns kOk. kAlreadySettled: the same accusation is open or was decided;
    /// kNoBond: its deposit stands behind another open one; kBusy: `ceiling` are open.
    [[nodiscard]] Result<Verdict> accuse(const Accusation& accusation, std::size_t ceiling);

    [[nodiscard]] Result<std::optional<SettlementCase>> find(const CaseId& id) const;
    /// Ascending by id, until `visit` gives false.
    [[nodiscard]] Status for_each(const std::function<bool(const SettlementCase&)>& visit) const;
    [[nodiscard]] Result<std::vector<Accusation>> open_accusations() const;

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
