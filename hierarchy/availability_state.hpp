// Challengers, their challenges and what came of them: the rules of availability as a part of the
// registry's state.
//
// A view on the writing transaction of one entry, internal to this room: what it changes is durable
// with the entry, or not at all. It knows blocks and chains by the facts that it is given, bonds by
// the book, and no clock, token or option. What it costs is proportional to what an entry brings
// and, in a block entry, to the challengers in force. Threading: as its transaction; the functions
// that judge form are pure, for any thread. Spec: docs/spec.md sections 15.7 to 15.9.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "hierarchy/availability_records.hpp"
#include "hierarchy/bond_book.hpp"

namespace holdfast {

/// The draws of the heights that were asked for last. Who is in force at a height holds for good,
/// so nothing here is ever out of date; whoever sends challenges one by one reads the set once.
class ChallengerDraws {
  public:
    /// Those in force at h; the reference holds until the next call.
    [[nodiscard]] Result<const ChallengerDraw*> at(const Transaction& txn, Height h);

  private:
    static constexpr std::size_t kMost = 16;
    std::map<Height, ChallengerDraw> draws_;
};

/// What these rules need of the rest of the registry. References must outlive it.
struct AvailabilityFacts {
    const NetworkParams& params;
    const NetworkId& network_id;
    Transaction& txn;
    BondBook& bonds;
    Height tip;
    /// A final block, with its y where it has one.
    std::function<Result<std::optional<BlockRecord>>(Height)> block;
    /// A chain that may be challenged at the height: it took its slot before and is not vacant
    /// there. kUnknownChain, kNoSlot.
    std::function<Result<Checked<ChallengedChain>>(const ChainId&, Height)> chain;
    /// Kept from one entry to the next, where there is a place for it.
    ChallengerDraws* draws = nullptr;
};

/// A challenge and what its bytes alone say of it, the most of its cost.
struct JudgedChallenge {
    Challenge2 challenge;
    ChallengeId id;
    Verdict form;
};
[[nodiscard]] JudgedChallenge judge_form(const NetworkId& network_id, const Challenge2& challenge);

/// An outcome, the challenge that it names, and whether its signatures and nonce hold. `about`:
/// empty where no such challenge stands.
struct JudgedOutcome {
    Outcome2 outcome;
    std::optional<ListedChallenge> about;
    Verdict signatures;
};
void judge_signatures(const NetworkId& network_id, JudgedOutcome& judged);

/// Blocks after its height from which on a challenge and its outcome are taken.
inline constexpr std::uint64_t kListedAfter = 2;
/// The first and the last tip at which a challenge of `height` and its outcome are taken:
/// kTooEarly, kTooLate.
[[nodiscard]] Verdict check_listing_height(const NetworkParams& params, Height height, Height tip);
/// Under which an outcome is paid, or what its challenger forfeits is decided.
[[nodiscard]] CaseId outcome_case(const NetworkId& network_id, const ChallengeId& id);
/// What a challenger forfeits for an audit that it does not answer: the worth of 32 rewards, which
/// what a host pays for one outcome must not exceed.
[[nodiscard]] std::uint64_t forfeit_of(const NetworkParams& params);

/// Reading, for queries and challengers.
[[nodiscard]] Result<std::vector<ChallengerPart>> load_in_force(const Transaction& txn, Height h);
/// Those that may still decide a suspension; ascending by height.
[[nodiscard]] Result<std::vector<OutcomeRecord>> load_outcomes(const Transaction& txn,
                                                               const ChainId& chain_id);
[[nodiscard]] Result<std::optional<ChallengerRecord>> load_challenger(const Transaction& txn,
                                                                      const PublicKey& key);
/// Audits of outcomes that wait for a response, ascending by height drawn and id.
[[nodiscard]] Result<std::vector<OutcomeAudit>> load_outcome_audits(const Transaction& txn);

class AvailabilityState {
  public:
    explicit AvailabilityState(const AvailabilityFacts& facts)
        : facts_(facts), draws_(facts.draws != nullptr ? facts.draws : &own_draws_) {}
    AvailabilityState(const AvailabilityState&) = delete;
    AvailabilityState& operator=(const AvailabilityState&) = delete;

    // --- a block entry ---

    /// A registration that the block of the tip lists. `form`: that of check_challenger. Those,
    /// kTooEarly, and those of BondBook::claim.
    [[nodiscard]] Result<Verdict> take_challenger(const Challenger& challenger,
                                                  const Verdict& form);
    /// Its removal was accepted: in force until then.
    [[nodiscard]] Status end_challenger(const PublicKey& key, Height until);
    /// Step 5 of a block entry, with everything that the block lists done: what begins, ends and
    /// lapses at the tip, and who is in force there.
    [[nodiscard]] Status on_block();
    /// Step 4 of closing the digest of g: outcomes are paid or audited, audits run out. The chains
    /// that the quorum suspends there, ascending.
    [[nodiscard]] Result<std::vector<ChainId>> close(Height g, const std::optional<VdfOutput>& y_g);
    /// A chain has ended: nothing of its past counts any more.
    [[nodiscard]] Status forget_chain(const ChainId& chain_id);

    // --- object entries; ok only where the state has changed ---

    /// kBadKey, kBadSignature, kTooEarly, kTooLate, kUnknownChain, kNoSlot, kWrongHeight,
    /// kNoEntropy, kWrongBlock, kWrongOutput, kNotAssigned, kNotDrawn, kDuplicateChallenge.
    [[nodiscard]] Result<Verdict> take_challenge(const JudgedChallenge& judged);
    /// The challenge that an outcome names.
    [[nodiscard]] Result<JudgedOutcome> look_up(const Outcome2& outcome) const;
    /// kWrongChallenge, kTooEarly, kTooLate, kAlreadySettled, kBadNonce, kBadKey, kBadSignature,
    /// and those of check_outcome_reveal.
    [[nodiscard]] Result<Verdict> take_outcome(const JudgedOutcome& judged);
    /// What an audit of an outcome asks for: kWrongChallenge (none is open of this id), kTooLate,
    /// and those of check_audited_response.
    [[nodiscard]] Result<Verdict> take_response(const Response& response);

  private:
    struct Audited {
        Key key;
        UnpaidOutcome unpaid;
    };

    // Challengers (availability_state.cpp).
    Result<ChallengerRecord> challenger(const PublicKey& key) const;
    /// Brings the rank in step with the part, and the record into its table, or out of it where
    /// nothing of it is left.
    Status store(const PublicKey& key, ChallengerRecord& record);
    Status due(Height height, ChallengerItem item, const Digest& whom);
    Status run_due(ChallengerItem item, Status (AvailabilityState::*run)(const PublicKey&));
    Status begin(const PublicKey& key);
    Status end(const PublicKey& key);
    Status may_lapse(const PublicKey& key);
    Status forget(const PublicKey& key);
    Status set_in_force();
    Status forget_challenges();

    // Settling (availability_settle.cpp).
    Result<std::vector<Audited>> unpaid_of(std::uint64_t height) const;
    Status run_out(Height drawn);
    Status settle_waiting(Height g, const VdfOutput& y_g);
    Status pay(const ChallengeId& id, const UnpaidOutcome& unpaid);
    Status judge_quorum(Height g);
    Status judge_quorum_of(const ChainId& chain_id, Height g);
    Status note_outcome(const ListedChallenge& about, OutcomeKind outcome);
    AvailabilityFacts facts_;
    ChallengerDraws own_draws_;
    ChallengerDraws* draws_;
};

}  // namespace holdfast
