// The aggregator: the operator's node. It appends the entries of the journal, and drives provers.
//
// A loop over entries (spec section 15). For each final block: y of open heights that has come, the
// block with what it lists, then y of the block itself, then the objects of the given provers: seal
// and audit proofs, links, proofs of earlier links. In-process provers use the same door as
// anybody: submit(). Each entry is one durable transaction of the registry; nothing is judged a
// second time, whatever run ended where. When a digest closes, its head is signed, and its
// checkpoint where one is due: both are recorded durably first, beside the key. What the registry
// has decided about bonds and pay is carried out through a SettlementLedger; what the Token answers
// goes nowhere else.
//
// Threading: one call at a time, but for submit() and head(). Ownership: callbacks, clock and keys
// must outlive it.
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
#include "callbacks/blockchain.hpp"
#include "callbacks/token.hpp"
#include "clock/public_record.hpp"
#include "clock/vdf_clock.hpp"
#include "core/result.hpp"
#include "hierarchy/checkpoints.hpp"
#include "hierarchy/registry.hpp"
#include "proofs/journal.hpp"
#include "settlement/settlement_ledger.hpp"

namespace holdfast {

/// What became of one final block.
struct BlockReport {
    Height height;
    std::optional<VdfOutput> y;    // empty while a required source has no answer
    std::optional<Height> closed;  // the height whose digest this block closed
    GlobalDigest global;           // of `closed`
    StatusCounts counts;           // in it
    std::vector<Effect> effects;
    std::optional<JournalHead> head;     // of `closed`, signed
    std::vector<ObjectOutcome> objects;  // that the block lists, then those of the provers
    std::vector<Receipt> receipts;
    std::vector<MadeProof> proofs;
    std::vector<BlockFault> faults;  // of sets: the first of them
    std::vector<SetReport> sets;     // in the order given; their receipts and proofs are not above
    double seconds = 0;              // in all
    double vdf_seconds = 0;          // of them, for y
    /// Of the next block with as many chains; empty where no chain was driven yet.
    std::optional<BlockForecast> forecast;
};

/// Where an aggregator keeps what it must not lose, its keys, and what it is asked to do.
struct AggregatorOptions {
    std::filesystem::path registry;
    RegistryOptions registry_options;
    /// Where it is written down what became of bonds; empty: the registry's folder with
    /// ".settlement" behind its name. Used where there is a Token.
    std::filesystem::path settlement;
    /// What the keys below have signed; empty: the registry's folder with ".signed" behind its
    /// name. It belongs to the keys: whoever makes the registry again keeps it.
    std::filesystem::path statements;
    /// The network's operator; kRefused (kNotOperator) at open where it is another key, since two
    /// journals would be two networks. Networks without an operator need none: their blocks list
    /// everything, submit() hands objects to the chain, and no head is signed.
    const KeyPair* operator_key = nullptr;
    /// Submits the checkpoints that fall due, signed with the checkpointer's key under this bond.
    std::optional<BondId> checkpoint_bond;
    PayTerms pay;  // of outcomes; needs a Token
    /// For seal proofs: windows refilled at once (0: one for each core), proofs
    /// that strangers may have under way.
    SealVerifierLimits seal_limits{.fills_at_once = 1};
    BlockProcessorOptions sets;  // how sets of provers are driven
    /// What stands between sets of provers and the registry; empty: RegistryDuties alone.
    std::function<std::unique_ptr<DutySource>(Registry& registry, RegistryDuties::List list)>
        duties;
};

/// The operator's node: journal, registry, heads, and the provers given to it.
class Aggregator {
  public:
    /// `token` may be null: then nothing is carried out. `checkpointer` may be null. kRefused:
    /// kNotOperator, kNetworkPolicy (terms, or parameters of version 1), and those of the parts.
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
    /// What is carried out, and how far. Null without a Token.
    [[nodiscard]] SettlementLedger* settlement();

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

    /// The door for every object that no block lists, standing alone, under the name that its
    /// connection proves (empty: our own): judged with bounded cost and, if it holds, durable in
    /// the journal when this returns. From any thread, also during advance(); none may be under way
    /// when the aggregator ends.
    [[nodiscard]] Result<ObjectOutcome> submit(const std::string& peer, ByteView object,
                                               const StopCheck& stop = {});
    /// The head of a closed height, signed; kNotFound while it has not closed or where the key's
    /// owner withholds one (SignedStatements::withhold), kRefused
    /// (kEvidenceOrder) when another was signed for this height and block before, (kTooLate) far
    /// below the newest. From any thread.
    [[nodiscard]] Result<JournalHead> head(Height height);
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
