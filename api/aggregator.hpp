// The aggregator: follows the host chain, closes each height's digest, and drives provers.
//
// One final block at a time, in the order of spec section 10.3: y of the block, the digest that it
// closes, what the block lists (registrations, updates, removals, seal proofs, checkpoints), then
// what the given provers owe: seal and audit proofs, links, and compact or full proofs of earlier
// links. Two checkpoints of one submitter that contradict each other become evidence of kind 5,
// which is submitted. Listed challengers, challenges, outcomes and evidence of kind 6 go to an
// AvailabilityJudge with a book and, where there is a Token, a court of its own; it has judged them
// when the digest that they may suspend a chain in closes. Of other listed evidence only kind 5 is
// judged here, a court has the rest (settlement/court.hpp). State is the registry's and the book's,
// one durable transaction a step; every step may be repeated after a crash and changes nothing the
// second time. What closing a height did to bonds, and what outcomes pay, is decided in a
// SettlementLedger before the Token is asked, and the token is asked until it answers.
//
// Threading: one call at a time, but for offer_seal_proof. Ownership: the callbacks and the clock
// must outlive it.
//
//     AggregatorOptions options;
//     options.registry = "node/registry";
//     HOLDFAST_ASSIGN(node, Aggregator::open(params, chain, clock, &token, nullptr, options));
//     Prover* const provers[] = {&prover};
//     for (;;) {  // with each new final block of the host
//         HOLDFAST_ASSIGN(report, node.advance(provers));
//         if (!report) break;  // no further block is final
//         for (const MadeProof& proof : report->proofs) publish(proof.object);
//     }
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/block_processor.hpp"
#include "api/forecast.hpp"
#include "api/prover.hpp"
#include "api/prover_set.hpp"
#include "api/seal_intake.hpp"
#include "availability/book.hpp"
#include "availability/judge.hpp"
#include "callbacks/blockchain.hpp"
#include "callbacks/token.hpp"
#include "clock/public_record.hpp"
#include "clock/vdf_clock.hpp"
#include "core/result.hpp"
#include "hierarchy/checkpoints.hpp"
#include "hierarchy/registry.hpp"
#include "settlement/court.hpp"
#include "settlement/object_outcome.hpp"
#include "settlement/settlement_ledger.hpp"

namespace holdfast {

struct BlockReport {
    Height height;
    std::optional<VdfOutput> y;    // empty while a required source has no answer
    std::optional<Height> closed;  // the height whose digest this block closed
    GlobalDigest global;           // of `closed`
    StatusCounts counts;           // in it
    std::vector<Effect> effects;
    /// Of this block; those about availability are of earlier ones (availability/judge.hpp).
    std::vector<ObjectOutcome> objects;
    std::vector<Receipt> receipts;
    std::vector<MadeProof> proofs;
    /// Made again for the block before, in case a run ended before its proofs were handed on.
    std::vector<MadeProof> repeated_proofs;
    std::vector<BlockFault> faults;  // of sets: the first of them
    std::vector<SetReport> sets;     // in the order given; their receipts and proofs are not above
    double seconds = 0;              // in all
    double vdf_seconds = 0;          // of them, for y
    /// Of the next block with as many chains; empty where no chain was driven yet.
    std::optional<BlockForecast> forecast;
};

struct AggregatorOptions {
    std::filesystem::path registry;
    RegistryOptions registry_options;
    /// Where it is decided what becomes of bonds; empty: the registry's folder with ".settlement"
    /// behind its name. Used where there is a Token.
    std::filesystem::path settlement;
    /// What blocks say about availability; empty: the registry's folder with ".availability" behind
    /// its name. Made again from the host chain where it is missing.
    std::filesystem::path availability;
    /// Least amount that a registration's bond must hold; needs a Token.
    std::uint64_t min_bond = 0;
    /// The same for the bond that a submitted checkpoint names.
    std::uint64_t min_checkpoint_bond = 0;
    /// The same for a challenger's bond.
    std::uint64_t min_challenger_bond = 0;
    AvailabilityTerms availability_terms;  // what outcomes pay; needs a Token
    CourtTerms court_terms;                // for evidence of kind 6; needs a Token
    /// Submits the checkpoints that fall due, signed with this key under this bond.
    std::optional<BondId> checkpoint_bond;
    /// For seal proofs, listed and offered: windows refilled at once (0: one for each core), proofs
    /// that strangers may have in flight.
    SealVerifierLimits seal_limits{.fills_at_once = 1};
    BlockProcessorOptions sets;  // how sets of provers are driven
};

class Aggregator {
  public:
    /// `token` may be null: then bonds are neither checked nor settled. `checkpointer` may be null.
    static Result<Aggregator> open(const NetworkParams& params, Blockchain& chain, VdfClock& clock,
                                   Token* token, const KeyPair* checkpointer,
                                   const AggregatorOptions& options);
    Aggregator(Aggregator&&) noexcept;
    Aggregator& operator=(Aggregator&&) noexcept;
    Aggregator(const Aggregator&) = delete;
    Aggregator& operator=(const Aggregator&) = delete;
    ~Aggregator();

    [[nodiscard]] Registry& registry();
    [[nodiscard]] const Registry& registry() const;
    /// What is settled once; a Court beside this aggregator decides in the same. Null without a
    /// Token.
    [[nodiscard]] SettlementLedger* settlement();

    /// Says what a challenger draws from, and whom the quorum suspends.
    [[nodiscard]] AvailabilityJudge& availability();
    /// Challengers, outcomes, scores.
    [[nodiscard]] const AvailabilityBook& availability_book() const;

    /// How many final blocks the registry has not seen.
    [[nodiscard]] Result<std::uint64_t> behind() const;

    /// The next final block, if there is one. An error leaves everything as after some prefix of
    /// the block's steps, and the next call goes on from there.
    [[nodiscard]] Result<std::optional<BlockReport>> advance(std::span<Prover* const> provers,
                                                             const VdfClockWork& work = {}) {
        return advance(provers, {}, work);
    }
    /// The same, and everything that whole sets of chains owe.
    [[nodiscard]] Result<std::optional<BlockReport>> advance(std::span<Prover* const> provers,
                                                             std::span<ProverSet* const> sets,
                                                             const VdfClockWork& work = {});

    /// The request for a prover's link at an open height; kUnavailable where there is none to make
    /// (no y, no slot yet, chain ended).
    [[nodiscard]] Result<LinkRequest> link_request(const ChainId& chain_id, Height height) const;

    /// A stranger's seal or audit proof, standing alone, under the name that its connection proves:
    /// judged with bounded cost and, if it holds, handed to the host chain (api/seal_intake.hpp).
    /// From any thread, also during advance(); none may be in flight when the aggregator ends.
    [[nodiscard]] Result<Verdict> offer_seal_proof(const std::string& peer, ByteView object,
                                                   const StopCheck& stop = {});
    /// What seal proofs have cost so far.
    [[nodiscard]] SealVerifierCounts seal_counts() const;

    /// Everything public about chains, and about heights from `first` on, for PublicRecord::save.
    [[nodiscard]] Result<PublicRecord> public_record(Height first = Height(0)) const;

  private:
    struct Impl;
    explicit Aggregator(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
