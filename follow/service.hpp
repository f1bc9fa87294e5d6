// What a node answers those who follow it, and how it takes what they submit.
//
// The other end of follow/client.hpp. The node tells it after each block what the newest final
// heights are (refresh); questions are answered from that alone, so that a flood of them never
// reaches the registry; only open audits, at the price of 64, and what y is made of, at that of 16,
// are looked up. Submissions are handed to the node's own chain, which decides: what it refuses is
// refused with its reason. Only kinds that a block lists are taken, and only bytes that are such an
// object; whether it counts is decided, like that of any other, once a final block lists it.
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
    /// The door for objects that no block lists; empty: this node takes none.
    std::function<Result<Verdict>(const PublicKey& from, ByteView object)> submit;
    /// What y of a final height is made of, however long ago; empty: this node hands none over.
    /// kNotFound where there is no such final block. Called by handle(), any thread.
    std::function<Result<FollowOutput>(Height)> output;
};
/// A registry node's own.
[[nodiscard]] FollowSource follow_source(const Registry& registry, Blockchain& chain);

struct FollowServiceOptions {
    BudgetLimits questions{.per_second = 500, .burst = 4'096};  // for each peer
    BudgetLimits submissions{.per_second = 200, .burst = 4'096};
};

struct FollowServiceStatistics {
    std::uint64_t questions = 0;              // answered with what was asked for
    std::uint64_t submissions = 0;            // taken
    std::map<Reason, std::uint64_t> refused;  // kBusy among them
    std::uint64_t failed = 0;                 // the chain could not take a submission
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
    /// that is neither; kIo and others where the chain cannot take a submission now.
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
    [[nodiscard]] FollowAnswer answer_question(const FollowQuestion& question) const;
    [[nodiscard]] Result<FollowAnswer> submit(const PublicKey& from, Kind kind, ByteView object);
    [[nodiscard]] Checked<Kept> find(Height height) const;
    [[nodiscard]] std::uint64_t cost_of(const FollowQuestion& question) const;

    const FollowSource source_;
    Blockchain& chain_;
    PeerBudget questions_;
    PeerBudget submissions_;
    mutable std::mutex mutex_;  // guards the two below
    std::map<Height, Kept> kept_;
    FollowServiceStatistics statistics_;
};

}  // namespace holdfast
