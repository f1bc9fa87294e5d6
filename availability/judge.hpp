// What a registry node makes of the availability objects that blocks list.
//
// Takes the facts from the registry, has the book judge and remember, notes a miss for an invalid
// response, and says whom the quorum suspends. Evidence of kind 6 that holds is one miss, and an
// offence for the court where there is one: accused in the name of the challenger whose challenge
// it shows, so that nobody gains by listing another's evidence first.
//
// Every node must come to the same verdicts, whenever its own y came: a block is judged only when
// it is settled for each height that it may speak of whether that height has y. With link_lag <= 2
// that is just before the next block is fed; blocks wait for link_lag - 2 blocks otherwise (at most
// for seal_delay - 2, so that a challenger is known before its base). Registry, book and ledger are
// three stores. The book is written last, with the height of the block: a run that ends in between
// judges the block again, and what it did to the others is known there. A book that is lost is made
// again from the host chain.
//
// Threading: any thread, as registry and book; catch_up() one at a time. Ownership: all that is
// handed in must outlive it. Spec: docs/spec.md sections 8, 10.4 and 11.
#pragma once

#include <vector>

#include "availability/book.hpp"
#include "availability/challenger.hpp"
#include "callbacks/token.hpp"
#include "core/result.hpp"
#include "hierarchy/registry.hpp"
#include "proofs/evidence.hpp"
#include "settlement/court.hpp"
#include "settlement/object_outcome.hpp"

namespace holdfast {

/// Chains, final blocks and y as the registry knows them: enough for kinds 1, 2 and 6.
[[nodiscard]] EvidenceKnowledge registry_knowledge(const Registry& registry);
/// The bond of the accused chain's registration, owned by its prover; none for other offenders.
[[nodiscard]] Court::BondsOf registry_bonds(const Registry& registry);

/// How many blocks a block's availability objects wait, beyond the next block, to be judged.
[[nodiscard]] std::uint64_t availability_lag(const NetworkParams& params);
/// Whether this is what the judge takes of a block's list: challengers, challenges, outcomes, and
/// evidence of kind 6.
[[nodiscard]] bool is_availability_object(const Submission& submission);

class AvailabilityJudge {
  public:
    /// `token` may be null: then the bonds of challengers are not looked at. `min_bond`: the least
    /// that such a bond must hold. `court` may be null: then an invalid response is a miss alone.
    AvailabilityJudge(Registry& registry, AvailabilityBook& book, Token* token,
                      std::uint64_t min_bond, Court* court);

    /// Takes every block that can be judged before block `next` is fed to the registry, from where
    /// the book stands. What became of the objects of the newest kReported of them. Errors: those
    /// of the host chain, the token and the stores, after which the next call goes on; kCorrupt
    /// when the book has taken a block that comes later (a registry from an old backup);
    /// kInterrupted.
    [[nodiscard]] Result<std::vector<ObjectOutcome>> catch_up(Blockchain& chain, Height next,
                                                              const StopCheck& stop = {});
    static constexpr std::uint64_t kReported = 64;
    /// One block, with everything that it lists. Besides the reasons of the book:
    ///   challenger  kNoBond
    ///   challenge   kUnknownChain, kNoSlot (the chain held none at that height), kWrongHeight (no
    ///               such block)
    ///   evidence    kTooEarly (before block h + 2), kTooLate (settled without it),
    ///               kAlreadySettled, and those of judge_without_fill
    [[nodiscard]] Result<std::vector<ObjectOutcome>> take_block(
        Height height, std::span<const Submission> submissions);

    /// For FinalBlock::suspended of the block that closes the digest of h.
    [[nodiscard]] Result<std::vector<ChainId>> suspended(Height h) const;
    /// What a challenger draws from, with the newest final block at height + 1. Empty: the height
    /// has no y (yet).
    [[nodiscard]] Result<std::optional<ChallengeRound>> round(Height height) const;

  private:
    /// Of an object that the book is to judge, or why it need not.
    using Prepared = Result<Checked<BookObject>>;
    Prepared prepare_challenger(const Submission& listed, ObjectOutcome& out);
    Prepared prepare_challenge(const Submission& listed, Height listed_at, ObjectOutcome& out);
    Result<Verdict> take_bad_response(const Submission& listed, Height listed_at,
                                      ObjectOutcome& out);

    Registry& registry_;
    AvailabilityBook& book_;
    Token* token_;
    std::uint64_t min_bond_;
    Court* court_;
};

/// Whether a chain may be challenged at h: it took its slot before h and had not lost it.
[[nodiscard]] bool may_be_challenged(const ChainInfo& chain, Height h);
/// All of those, ascending by id.
[[nodiscard]] Result<std::vector<ChallengedChain>> challengeable_chains(const Registry& registry,
                                                                        Height h);

}  // namespace holdfast
