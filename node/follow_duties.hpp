// What a prover owes, as the nodes say that it follows, and the way to hand over what it has made.
//
// One node is asked; everything is handed over to all that are named. Of the asked node's word on y
// nothing is used: y is what `verified` gives. Block hashes and anchors are its word, but
// remembered, also across nodes and, by the link records, across runs: a second hash or anchor of a
// height is refused (kRefused: kWrongBlock, kWrongAnchor), since somebody tells another history.
//
// What is handed over leaves by an Outbox (node/outbox.hpp); while a seal proof waits there, no
// second one is asked for.
//
// begin_pass() asks everything that a block needs side by side: where the heights are those of the
// pass before, one round trip, otherwise two. What it fetched answers the pass; whatever else is
// asked goes to the node.
//
// Threading: any thread; begin_pass() and what a block asks for from one. No lock is held while a
// node is asked. Ownership: the clients and the store must outlive it. Memory: the key's chains as
// the node lists them, fetched only when asked about and at most once a tip. Spec: docs/spec.md
// sections 13 to 15.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "api/duty_source.hpp"
#include "core/params.hpp"
#include "follow/duty_client.hpp"
#include "node/outbox.hpp"
#include "storage/link_set_records.hpp"

namespace holdfast::node {

class FollowDuties final : public DutySource {
  public:
    /// y of a final height as this process vouches for it (node/verified_output.hpp); kUnavailable:
    /// not (yet). Called by the caller's thread.
    using VerifiedY = std::function<Result<VdfOutput>(Height height)>;

    /// `nodes`: at least one; the first is asked. `signed_at`: where this key has links on record,
    /// ascending.
    FollowDuties(const NetworkParams& params, const PublicKey& prover, std::vector<DutyNode> nodes,
                 VerifiedY verified, Acknowledgements& store,
                 std::span<const LinkPlace> signed_at = {});

    /// Asks this node from now on.
    void follow(std::size_t node);
    /// Holds what another node tells of heights against what was told before. kRefused: another
    /// history.
    [[nodiscard]] Status compare(std::size_t node);
    [[nodiscard]] OutboxStatus status() const;
    [[nodiscard]] Outbox& outbox() { return outbox_; }

    [[nodiscard]] Result<std::optional<Height>> tip() override;
    [[nodiscard]] Result<std::vector<Height>> open_heights() override;
    [[nodiscard]] Result<std::vector<Height>> proof_heights() override;
    [[nodiscard]] Result<KnownHeight> known_height(Height height) override;
    [[nodiscard]] Result<std::vector<DueLink>> due_links(Height height,
                                                         const Wanted& wanted) override;
    [[nodiscard]] Result<std::vector<DueProof>> due_proofs(Height height,
                                                           const Wanted& wanted) override;
    [[nodiscard]] Result<std::vector<SealDuty>> due_seal_proofs(const Wanted& wanted) override;
    [[nodiscard]] Result<std::vector<DueUpdate>> due_updates(const Wanted& wanted) override;
    [[nodiscard]] Result<std::optional<Registration>> registration(
        const ChainId& chain_id) override;
    [[nodiscard]] Result<std::optional<OwnedChain>> chain_of_replica(
        const ReplicaId& replica_id) override;
    /// kInvalidArgument for another key than this source's.
    [[nodiscard]] Result<std::vector<OwnedChain>> chains_of(const PublicKey& prover) override;
    /// An error where no node answered.
    [[nodiscard]] Result<std::vector<ObjectOutcome>> accept(std::span<const ByteView> objects,
                                                            const SealCheck& check) override;
    [[nodiscard]] Status list(Kind kind, ByteView object) override;
    [[nodiscard]] Status begin_pass() override;
    /// The key's chains as the followed node knows them at the pass's tip.
    [[nodiscard]] Result<std::vector<FollowedChain>> followed_chains();

  private:
    struct Place {
        BlockHash block_hash;
        GlobalDigest anchor;
    };
    /// A list of what is due of one height.
    struct List {
        bool proofs = false;  // or links
        Height height;
        friend auto operator<=>(const List&, const List&) = default;
    };

    /// In the order in which they are asked.
    [[nodiscard]] std::vector<DutyNode> nodes() const;
    [[nodiscard]] DutyNode asked() const { return nodes().front(); }
    [[nodiscard]] Height told_tip() const;
    [[nodiscard]] Result<DutyHeights> heights_of(std::size_t node);
    [[nodiscard]] Status refresh();
    [[nodiscard]] Status remember(Height height, const Place& place);
    [[nodiscard]] Result<std::vector<Height>> heights(std::vector<DutyHeight> DutyHeights::* list);
    [[nodiscard]] std::optional<DutyHeight> find(Height height) const;
    [[nodiscard]] Result<std::optional<VdfOutput>> verified(Height height);
    [[nodiscard]] Status fetch_chains();
    [[nodiscard]] Status gather();
    [[nodiscard]] Result<std::set<List>> lists_to_ask();
    void fetch(const List& list);

    const NetworkParams params_;
    const NetworkId network_id_;
    const PublicKey prover_;
    const std::vector<DutyNode> nodes_;
    const VerifiedY verified_;

    mutable std::mutex mutex_;  // guards what follows, up to the outbox
    std::size_t asked_ = 0;
    DutyHeights heights_;
    bool gathered_ = false;  // heights_ and the lists are this pass's
    std::map<Height, std::vector<DueLink>> links_;
    std::map<Height, std::vector<DueProof>> proofs_;
    std::map<Height, Place> places_;
    std::map<Height, VdfOutput> outputs_;
    std::optional<Height> chains_at_;  // the tip at which they were fetched
    std::vector<FollowedChain> chains_;
    std::map<ReplicaId, std::size_t> by_replica_;
    std::map<ChainId, Registration> registrations_;
    std::uint64_t bad_answers_ = 0;

    Outbox outbox_;
};

}  // namespace holdfast::node
