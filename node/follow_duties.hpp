// What a prover owes, as the nodes say that it follows, and the way to hand over what it has made.
//
// One node is asked; everything is handed over to all that are named. Of the asked node's word on y
// nothing is used: y is what `verified` gives. Block hashes and anchors are its word, but
// remembered, also across nodes and, by the link records, across runs: a second hash or anchor of a
// height is refused (kRefused: kWrongBlock, kWrongAnchor), since somebody tells another history.
//
// A bundle is recorded (api/acknowledgements.hpp) before it leaves, goes alone and is acknowledged
// alone; other objects go in batches. What no node has acknowledged is handed over again, byte for
// byte, until one has, it was refused, or the last tip that could take it has passed. Bundles
// survive a crash; other objects are made again from what a node says is due.
//
// Threading: one call at a time; registration() and status() from any thread. Ownership: the
// clients and the store must outlive it. Memory: the key's chains as the node lists them, fetched
// only when asked about and at most once a tip. Spec: docs/spec.md sections 13 to 15.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "api/acknowledgements.hpp"
#include "api/duty_source.hpp"
#include "core/params.hpp"
#include "follow/duty_client.hpp"
#include "storage/link_set_records.hpp"

namespace holdfast::node {

/// A node that provers hand over to, and may ask.
struct DutyNode {
    PublicKey host;  // its transport key, with which it acknowledges
    FollowClient* client = nullptr;
    DutyClient* duties = nullptr;
};

struct FollowDutiesStatus {
    std::uint64_t acknowledged = 0;  // messages, since the start
    std::uint64_t unsettled = 0;     // handed over, neither acknowledged nor refused
    std::uint64_t expired = 0;       // without an acknowledgement when their time was over
    std::uint64_t refused = 0;       // objects
    std::uint64_t bad_answers = 0;   // a node's answers that were not believed
    std::string error;               // of the newest try to hand over; empty: none
};

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
    [[nodiscard]] FollowDutiesStatus status() const;

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
    [[nodiscard]] Status hand_over_again() override;

  private:
    struct Place {
        BlockHash block_hash;
        GlobalDigest anchor;
    };
    /// Objects that were handed over together, of kinds that are not recorded.
    struct Unsettled {
        std::vector<Bytes> objects;
        Height last_tip;
    };
    /// What became of the first so many of some objects.
    struct Handed {
        std::vector<HandedOver> objects;
        bool acknowledged = false;
    };

    [[nodiscard]] DutyNode& asked() { return nodes_[asked_]; }
    [[nodiscard]] Result<DutyHeights> heights_of(std::size_t node);
    [[nodiscard]] Status refresh();
    [[nodiscard]] Status remember(Height height, const Place& place);
    [[nodiscard]] const DutyHeight* find(Height height) const;
    [[nodiscard]] Result<std::optional<VdfOutput>> verified(Height height);
    [[nodiscard]] Status fetch_chains();
    [[nodiscard]] Height last_tip_for(const AcknowledgedObject& object) const;

    [[nodiscard]] Result<Handed> to_all(std::span<const ByteView> objects);
    [[nodiscard]] Status take(const DutyNode& node, const HandedBatch& batch,
                              std::span<const ByteView> objects);
    [[nodiscard]] Result<Handed> hand_over(std::span<const ByteView> objects);
    [[nodiscard]] Status hand_bundles_again();
    [[nodiscard]] Status hand_batches_again();
    void keep(std::span<const ByteView> objects);
    void note(const std::function<void(FollowDutiesStatus&)>& change);

    const NetworkParams params_;
    const NetworkId network_id_;
    const PublicKey prover_;
    std::vector<DutyNode> nodes_;
    std::size_t asked_ = 0;
    const VerifiedY verified_;
    Acknowledgements& store_;

    DutyHeights heights_;
    std::map<Height, Place> places_;
    std::map<Height, VdfOutput> outputs_;
    std::optional<Height> chains_at_;  // the tip at which they were fetched
    std::vector<FollowedChain> chains_;
    std::map<ReplicaId, std::size_t> by_replica_;
    std::vector<Unsettled> batches_;

    mutable std::mutex mutex_;  // guards the two below
    std::map<ChainId, Registration> registrations_;
    FollowDutiesStatus status_;
};

}  // namespace holdfast::node
