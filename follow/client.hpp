// Follows a node from afar: what is final, what provers and challengers need of it, and a way to
// its chain.
//
// Asks through a function that carries a message to that node and its answer back, and brings no
// transport. The node is trusted as one trusts the node of one's own chain: what it says of blocks,
// chains and challengers is believed. y is not, by those who sign: they take output() and verify it
// (node/verified_output.hpp). What can be held against the node is: an answer to another
// question, a height that goes back, a block, parent or y that differs from what it said before, a
// list that is not the one named. Those are kRefused, and nothing of such an answer is used.
//
// As a Blockchain it knows final blocks alone: current_height() is the newest of them.
//
// Memory: facts of the newest kKnownHeights heights, one list of at most options.max_chains chains.
// Threading: any thread; one list is fetched at a time. Errors: those of the request function;
// kBusy, kNotFound (no such final height there, or not kept any more), kRefused.
// Spec: docs/spec.md section 14.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "availability/responder.hpp"
#include "callbacks/blockchain.hpp"
#include "follow/ask.hpp"

namespace holdfast {

struct FollowClientOptions {
    std::uint32_t page_chains = 16'384;  // asked for at once: 1.6 MiB
    std::uint32_t max_chains = kMaxFollowChains;
    std::size_t max_message_bytes = kMaxEntryObjectBytes;  // that the transport carries
};

class FollowClient final : public Blockchain {
  public:
    using Request = FollowRequest;
    static constexpr std::size_t kKnownHeights = 8;

    explicit FollowClient(Request request, const FollowClientOptions& options = {});

    /// The newest final block. kUnavailable before the first one.
    [[nodiscard]] Result<FollowTip> tip();
    [[nodiscard]] Result<FollowHeight> at(Height height);
    /// What a challenger draws from, with the newest final block at height + 1. Empty: the height
    /// has no y (yet).
    [[nodiscard]] Result<std::optional<ChallengeRound>> round(Height height);

    /// What y of a final height is made of, to be verified by whoever uses it. kRefused for another
    /// height or block than was asked for or told before.
    [[nodiscard]] Result<FollowOutput> output(Height height);

    /// Challenges of whose outcomes an audit waits for the response.
    [[nodiscard]] Result<std::vector<ChallengeKey>> open_audits(const PublicKey& challenger);

    /// For clients of a subject (follow/duty_client.hpp).
    template <class T>
    [[nodiscard]] Result<T> ask_for(const FollowQuestion& question) const {
        return ask_node_for<T>(request_, question);
    }
    [[nodiscard]] Result<FollowAnswer> ask(ByteView message) const {
        return ask_node(request_, message);
    }
    /// Holds what was said of a block, or of the newest one, against what was said before.
    [[nodiscard]] Status note_block(Height height, const BlockHash& hash);
    /// `least`: newest_told() from before the question; answers may overtake each other.
    [[nodiscard]] Status note_tip(Height height, const BlockHash& hash,
                                  const std::optional<Height>& least);
    [[nodiscard]] std::optional<Height> newest_told() const;

    [[nodiscard]] Result<Height> current_height() override;
    [[nodiscard]] Result<BlockInfo> block_by_height(Height height) override;
    /// kInvalidArgument for more bytes than the transport carries.
    [[nodiscard]] Status submit(Kind kind, ByteView object) override;
    /// kUnsupported: followers are not told what blocks list.
    [[nodiscard]] Result<std::vector<Submission>> submissions_at(Height height) override;
    [[nodiscard]] Result<std::vector<BondEvent>> bond_events_at(Height height) override;

  private:
    struct Known {
        BlockHash hash;
        std::optional<VdfOutput> y;
    };
    /// Compares a block with what was said before, and remembers it.
    [[nodiscard]] Status note(Height height, const Known& said);
    [[nodiscard]] Status check_parent(const FollowHeight& said) const;
    [[nodiscard]] Status fetch_list(const FollowHeight& height);

    const Request request_;
    const FollowClientOptions options_;

    mutable std::mutex mutex_;  // guards known_ and newest_
    std::map<Height, Known> known_;
    std::optional<Height> newest_;

    std::mutex list_mutex_;  // guards the two below; held while they are fetched
    std::optional<Digest> list_hash_;
    std::vector<ChallengedChain> list_;
};

}  // namespace holdfast
