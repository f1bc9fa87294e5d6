// The availability book: challengers, what they have challenged, and what came of it, for every
// chain of one network; durable in one folder.
//
// A deterministic state machine like the registry beside it. It is fed with what final blocks list,
// block by block, in the order of their lists; `tip` is the height of the block that lists them. A
// block is one transaction, with its height: it is taken wholly or not at all, and once, whatever
// crashes. Objects are checked by the trusted rooms before anything is written. It knows nothing of
// blocks and chains: whoever calls brings the facts (availability/judge.hpp takes them from the
// registry).
//
// A challenge is listed before its outcome, both between tip h + 2 and tip h + 2 + proof_deadline.
// One challenge and one outcome for each chain and height: the first listed counts. What an
// outcome pays is noted in the transaction that accepts it, and leaves the book when the
// settlement ledger has decided it: once, whatever crashes in between. A challenger that has shown
// no reveal for more than rate_window heights registers again, with a later base.
//
// Threading: any thread; writers wait for one another. One process at a time (kBusy). Errors:
// kCorrupt, kOutOfSpace, kIo; kRefused (kWrongNetwork) at open. Spec: docs/spec.md section 8.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "availability/score.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "proofs/availability_verify.hpp"
#include "settlement/settlement_ledger.hpp"

namespace holdfast {

/// What the caller knows of a challenge's height and chain, of its own final branch.
struct ChallengeFacts {
    BlockHash block_hash;
    std::optional<VdfOutput> y;  // empty: the height has none, and nobody is challenged there
    PublicKey prover;
};

/// What the book judges of a block's list.
struct ChallengeWithFacts {
    Challenge challenge;
    ChallengeFacts facts;
};
using BookObject = std::variant<Challenger, ChallengeWithFacts, Outcome>;

/// What outcomes pay, in the token's smallest unit. The challenger gets the same whatever it says,
/// so that no outcome is worth more to it than another.
struct AvailabilityTerms {
    std::uint64_t served_reward = 0;      // to the prover, for a served challenge
    std::uint64_t challenger_reward = 0;  // to the challenger, for any outcome that counts
};

/// The longest time, in heights, after which a challenge or an outcome is still taken.
[[nodiscard]] Verdict check_listing_height(const NetworkParams& params, Height challenge_height,
                                           Height tip);
/// The case under which the outcome of a challenge is settled.
[[nodiscard]] CaseId outcome_case(const NetworkId& network_id, const ChallengeId& id);

class AvailabilityBook {
  public:
    struct Options {
        std::uint64_t map_bytes = std::uint64_t{16} << 30;  // largest size on disk
        bool pays = true;  // false: nobody settles, and what outcomes pay is not noted
    };
    static Result<std::unique_ptr<AvailabilityBook>> open(const std::filesystem::path& folder,
                                                          const NetworkParams& params,
                                                          const Options& options);
    static Result<std::unique_ptr<AvailabilityBook>> open(const std::filesystem::path& folder,
                                                          const NetworkParams& params) {
        return open(folder, params, Options{});
    }
    ~AvailabilityBook();

    // --- what blocks list ---

    /// Everything of the block `tip` that this book judges, in the order of the block's list; the
    /// verdicts. `tip` is above taken(): kInvalidArgument. The caller has looked at the bonds of
    /// challengers. Reasons:
    ///   challenger  those of check_challenger and check_challenger_base; the same again: ok
    ///   challenge   kTooEarly, kTooLate, kNoEntropy, kDuplicateChallenge (another one of this
    ///               chain and height was listed first), and those of check_challenge
    ///   outcome     kWrongChallenge (no such challenge is listed), kTooEarly, kTooLate,
    ///               kAlreadySettled (an outcome of it was listed first), and those of
    ///               check_outcome
    [[nodiscard]] Result<std::vector<Verdict>> take_block(Height tip,
                                                          std::span<const BookObject> objects);
    /// The newest block taken. After a restart it may be one of up to kIdleBlocks before, when the
    /// blocks in between listed nothing for this book.
    [[nodiscard]] std::optional<Height> taken() const;
    static constexpr std::uint64_t kIdleBlocks = 64;

    // --- what follows from it ---

    /// In force at h, ascending by key.
    [[nodiscard]] Result<std::vector<Challenger>> challengers_at(Height h) const;
    /// The chains that the quorum suspends in the digest of h, ascending.
    [[nodiscard]] Result<std::vector<ChainId>> suspended(Height h) const;
    [[nodiscard]] Result<AvailabilityScore> score(const ChainId& chain_id) const;
    /// Accepted outcomes of a chain that may still decide a suspension, ascending by height.
    [[nodiscard]] Result<std::vector<OutcomeRecord>> outcomes(const ChainId& chain_id) const;
    /// The listed challenge that an id names, while its outcome may come.
    [[nodiscard]] Result<std::optional<Challenge>> challenge(const ChallengeId& id) const;

    /// Has the ledger decide what accepted outcomes pay, once each; how many cases. What pays
    /// nothing under these terms makes none. Moves no money: SettlementLedger::work does.
    [[nodiscard]] Result<std::uint64_t> settle(SettlementLedger& ledger,
                                               const AvailabilityTerms& terms);

  private:
    class Impl;
    explicit AvailabilityBook(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
