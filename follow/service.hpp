// What a node answers those who follow it, and how it takes what they submit.
//
// The other end of follow/client.hpp. The node tells it after each block what the newest final
// heights are (refresh); questions are answered from that alone, so that a flood of them never
// reaches the registry; only open audits, at the price of 64, and what y is made of, at that of 16,
// are looked up. Submissions are handed to the node's own chain, which decides: what it refuses is
// refused with its reason. Only kinds that a block lists are taken, and only bytes that are such an
// object; whether it counts is decided, like that of any other, once a final block lists it.
//
// Objects for the journal are handed to the host's door, alone or as a batch, and what stands is
// acknowledged. A peer has a budget of objects that no sound prover makes; above it its connection
// ends, and so does the next one with its first such object.
//
// Bounds: the newest kKeptHeights heights, whose lists of chains are shared while they are equal;
// for each peer a budget of questions (a page costs one unit for every 256 chains) and one of
// submissions, which refill with time. Above them the answer is `busy` with the time to wait.
//
// Threading: handle() and statistics() from any thread; refresh() one call at a time. The source's
// functions are called by refresh(), but for those that say so; chain.submit() by handle().
// Ownership: what the source refers to, and the chain, must outlive it. Spec: docs/spec.md
// section 14.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "availability/peer_budget.hpp"
#include "callbacks/blockchain.hpp"
#include "follow/duty_answers.hpp"
#include "follow/history_service.hpp"
#include "follow/messages.hpp"
#include "hierarchy/registry.hpp"

namespace holdfast {

/// A final height as the node knows it.
struct FollowFacts {
    BlockInfo block;
    std::optional<VdfOutput> y;
    std::vector<ChallengerPart> challengers;  // in force there, ascending by key
};

/// Where the facts come from.
struct FollowSource {
    std::function<Result<std::optional<Height>>()> tip;  // newest final height; empty: none yet
    std::function<Result<FollowFacts>(Height)> facts;
    std::function<Result<std::vector<ChallengedChain>>(Height)> chains;  // ascending by id
    /// Open audits of this challenger's outcomes, ascending; empty: this node knows of none. Called
    /// by handle(), any thread.
    std::function<Result<std::vector<ChallengeKey>>(const PublicKey& challenger)> audits;
    /// The door for objects that no block lists, in their order; empty: this node takes none.
    /// `message`: what brought them, which an acknowledgement is of. Called by handle(), any
    /// thread.
    std::function<Result<HandedOvers>(const PublicKey& from, ByteView message,
                                      std::span<const ByteView> objects)>
        hand_over;
    /// Whose chains' duties are told; null: nobody's.
    const Registry* duties = nullptr;
    /// What y of a final height is made of, however long ago; empty: this node hands none over.
    /// kNotFound where there is no such final block. Called by handle(), any thread.
    std::function<Result<FollowOutput>(Height)> output;
    /// The network's history. Called by handle(), any thread.
    HistorySource history = {};
    /// Public data for light clients (follow/public_source.hpp); empty: this node hands none over.
    /// Called by handle(), any thread.
    std::function<Result<FollowAnswer>(const PublicQuestion& question)> public_data;
};
/// A registry node's own.
[[nodiscard]] FollowSource follow_source(const Registry& registry, Blockchain& chain);

struct FollowServiceOptions {
    BudgetLimits questions{.per_second = 500, .burst = 16'384};  // for each peer
    BudgetLimits submissions{.per_second = 200, .burst = 4'096};
    /// Objects that no sound prover makes (is_garbage()): above this the peer's connection ends.
    BudgetLimits garbage{.per_second = 1, .burst = 64};
};

/// Whether an object is one that no sound prover makes for any state of this network: its form,
/// key, signature or openings are false, or it has signed for chains of others. Not what comes too
/// late or too early, nor what another one overtook.
[[nodiscard]] bool is_garbage(const HandedOver& handed);

struct FollowServiceStatistics {
    std::uint64_t questions = 0;              // answered with what was asked for
    std::uint64_t submissions = 0;            // taken
    std::map<Reason, std::uint64_t> refused;  // kBusy among them
    std::uint64_t failed = 0;                 // the chain could not take a submission
    std::uint64_t acknowledged = 0;           // messages
    std::uint64_t garbage = 0;                // objects that no sound prover makes
    std::uint64_t dropped = 0;                // times that a peer lost its connection for them
};

class FollowService {
  public:
    static constexpr std::size_t kKeptHeights = 4;

    FollowService(FollowSource source, Blockchain& chain, MonotonicNs clock,
                  const FollowServiceOptions& options = {});

    /// Takes in what is new at the tip, and y where it was missing. After an error the next call
    /// goes on. kUnsupported for more chains or challengers than an answer may name.
    [[nodiscard]] Status refresh();

    /// The answer to a question or a submission, standing alone. kRefused (kBadKind) for a kind
    /// that is neither; kPermission: the peer's connection is to end, it has handed over too much
    /// garbage; kIo and others where the chain cannot take a submission now.
    [[nodiscard]] Result<Bytes> handle(const PublicKey& from, ByteView message);

    [[nodiscard]] FollowServiceStatistics statistics() const;

  private:
    struct ChainList {
        Digest hash;
        std::vector<ChallengedChain> chains;
    };
    struct Kept {
        FollowFacts facts;
        std::shared_ptr<const ChainList> list;
    };
    [[nodiscard]] Result<Kept> build(Height height) const;
    [[nodiscard]] Result<FollowAnswer> answer(const PublicKey& from, ByteView message);
    [[nodiscard]] Result<FollowAnswer> answer_audits(const PublicKey& challenger) const;
    [[nodiscard]] Result<FollowAnswer> answer_output(Height height) const;
    [[nodiscard]] FollowAnswer answer_height(const FollowQuestion& question) const;
    [[nodiscard]] Result<FollowAnswer> answer_duties(const FollowQuestion& question) const;
    [[nodiscard]] Result<FollowAnswer> answer_question(const PublicKey& from, ByteView message);
    [[nodiscard]] Result<FollowAnswer> submit(const PublicKey& from, Kind kind, ByteView object);
    [[nodiscard]] Result<FollowAnswer> take_batch(const PublicKey& from, ByteView message,
                                                  const HandOver& batch);
    [[nodiscard]] Result<HandedOvers> hand_over(const PublicKey& from, ByteView message,
                                                std::span<const ByteView> objects);
    /// kPermission where the peer has no budget for it left.
    [[nodiscard]] Status charge_garbage(const PublicKey& from, std::uint64_t objects);
    void count(const HandedOvers& handed);
    [[nodiscard]] Checked<Kept> find(Height height) const;
    [[nodiscard]] std::uint64_t cost_of(const FollowQuestion& question) const;

    const FollowSource source_;
    Blockchain& chain_;
    PeerBudget questions_;
    PeerBudget submissions_;
    PeerBudget garbage_;
    std::optional<DutyAnswers> duties_;
    mutable std::mutex mutex_;  // guards the two below
    std::map<Height, Kept> kept_;
    FollowServiceStatistics statistics_;
};

}  // namespace holdfast
