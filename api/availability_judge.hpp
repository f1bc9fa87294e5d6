// What a registry node makes of the availability objects that blocks list.
//
// Takes the facts from the registry, has the book judge and remember, notes a miss for an invalid
// response, and says whom the quorum suspends. Evidence of kind 6 that holds is one miss, and an
// offence for the court (registry_knowledge and registry_bonds are what a Court needs for it).
//
// Threading: any thread, as registry and book. Ownership: both, and the token, must outlive it.
// Spec: docs/spec.md sections 8, 10 and 11.
#pragma once

#include <vector>

#include "api/availability_challenger.hpp"
#include "api/court.hpp"
#include "callbacks/token.hpp"
#include "core/result.hpp"
#include "hierarchy/availability_book.hpp"
#include "hierarchy/registry.hpp"
#include "proofs/evidence.hpp"

namespace holdfast {

/// Chains, final blocks and y as the registry knows them: enough for kinds 1, 2 and 6.
[[nodiscard]] EvidenceKnowledge registry_knowledge(const Registry& registry);
/// The bond of the accused chain's registration, owned by its prover; none for other offenders.
[[nodiscard]] Court::BondsOf registry_bonds(const Registry& registry);

class AvailabilityJudge {
  public:
    /// `token` may be null: then the bonds of challengers are not looked at. `min_bond`: the least
    /// that such a bond must hold.
    AvailabilityJudge(Registry& registry, AvailabilityBook& book, Token* token,
                      std::uint64_t min_bond);

    // Each at the registry's tip. Besides those of the book: kTooEarly before the first block.
    /// kNoBond.
    [[nodiscard]] Result<Verdict> take_challenger(const Challenger& challenger);
    /// kUnknownChain, kNoSlot (the chain held none at that height), kWrongHeight (no such block).
    [[nodiscard]] Result<Verdict> take_challenge(const Challenge& challenge);
    [[nodiscard]] Result<Verdict> take_outcome(const Outcome& outcome);
    /// Evidence of kind 6: one miss at its height. kAlreadySettled, kTooLate (settled without it),
    /// kBadKind for any other evidence, and those of judge_without_fill.
    [[nodiscard]] Result<Verdict> take_bad_response(const Evidence& evidence);

    /// For FinalBlock::suspended of the block that closes the digest of h.
    [[nodiscard]] Result<std::vector<ChainId>> suspended(Height h) const;
    /// What a challenger draws from, with the newest final block at height + 1. Empty: the height
    /// has no y (yet).
    [[nodiscard]] Result<std::optional<ChallengeRound>> round(Height height) const;

  private:
    Registry& registry_;
    AvailabilityBook& book_;
    Token* token_;
    std::uint64_t min_bond_;
};

/// Whether a chain may be challenged at h: it took its slot before h and had not lost it.
[[nodiscard]] bool may_be_challenged(const ChainInfo& chain, Height h);

}  // namespace holdfast
