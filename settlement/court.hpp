// The court: takes evidence from anybody, judges it from public data, and has each offence settled
// once.
//
// An accusation is judged cheaply first. One of kinds 3 and 4, whose judgement costs a fill, is
// heard only with a deposit behind it: a bond of the accuser, of purpose kAccusation, which pays
// for the fill when there is no offence and is given back otherwise. Such an accusation is durable
// before the fill begins, and the ceiling on those that wait bounds what strangers can make a judge
// do. An offence that is shown becomes a case of the SettlementLedger; nothing here moves money:
// that is SettlementLedger::work.
//
// Threading: one call at a time. Ownership: ledger and token must outlive it. Spec: docs/spec.md
// section 11.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "callbacks/token.hpp"
#include "core/result.hpp"
#include "proofs/evidence.hpp"
#include "settlement/settlement_ledger.hpp"

namespace holdfast {

/// A bond that answers for an offence, and who must own it: the offender. A bond of somebody else
/// is not touched, whatever the offender has signed.
struct LiableBond {
    BondId bond;
    PublicKey owner;
    friend bool operator==(const LiableBond&, const LiableBond&) = default;
};
/// The bonds that evidence itself names: of the registration (kind 3), of the checkpoints (kind 5).
[[nodiscard]] std::vector<LiableBond> bonds_in_evidence(const Evidence& evidence);

struct CourtTerms {
    std::uint64_t accusation_deposit = 1;     // least that a deposit must hold
    std::uint64_t slash_amount = UINT64_MAX;  // at most, of each liable bond
    std::uint32_t reward_per_mille = 100;     // of what was taken, to the accuser
    std::size_t waiting_accusations = 8;      // fills that may be owed at once: kBusy beyond
};

struct Ruling {
    /// kOk: the offence is shown and decided now. kAlreadySettled, kNoBond, kBusy, or why the
    /// evidence is refused.
    Verdict verdict;
    Offence offence;
    OffenceId id;
    std::optional<CaseId> decided;  // the case that this call has added: offence, or the deposit's
};

class Court {
  public:
    /// The bonds that answer for an offence, beside those that the evidence names: of a chain's
    /// registration (kinds 1, 2, 6), of an evaluator (4, 7, 8). None: nothing can be taken.
    using BondsOf = std::function<Result<std::vector<LiableBond>>(const Offence&)>;

    Court(EvidenceKnowledge knowledge, BondsOf bonds, SettlementLedger& ledger, Token& token,
          const CourtTerms& terms);

    /// `evidence`: the body, with kind and length. Errors: what knowledge, token, ledger or memory
    /// could not give; an accusation that was recorded before is then judged by resume().
    [[nodiscard]] Result<Ruling> accuse(ByteView evidence, const PublicKey& accuser,
                                        const std::optional<BondId>& deposit = std::nullopt);
    /// Judges what was recorded and not judged when an earlier process ended, or its fill was
    /// stopped.
    [[nodiscard]] Result<std::vector<Ruling>> resume();

  private:
    Result<Verdict> check_deposit(const PublicKey& accuser,
                                  const std::optional<BondId>& deposit) const;
    Result<Ruling> hear(const Accusation& accusation, const Evidence& evidence);
    Result<Verdict> decide_offence(const Judgement& judgement, const Evidence& evidence,
                                   const PublicKey& accuser,
                                   const std::optional<Accusation>& accusation);

    EvidenceKnowledge knowledge_;
    BondsOf bonds_;
    SettlementLedger& ledger_;
    Token& token_;
    CourtTerms terms_;
};

}  // namespace holdfast
