// What a prover hands over, to every node that it names, until it is acknowledged.
//
// Every message is recorded (api/acknowledgements.hpp) before it leaves: a bundle alone, other
// objects in batches. What no node has acknowledged is handed over again, byte for byte, also after
// a crash, until one has, it was refused, or the last tip that could take it has passed. In
// networks without an operator nothing is acknowledged, and nothing is recorded.
//
// Threading: any thread; of one message one call at a time. No lock is held while a node is asked.
// Ownership: nodes and store must outlive it. Errors: where no node answered; of the store. Spec:
// docs/spec.md sections 13 and 14.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "api/acknowledgements.hpp"
#include "core/params.hpp"
#include "follow/duty_client.hpp"
#include "hierarchy/registry.hpp"

namespace holdfast::node {

/// A node that provers hand over to, and may ask.
struct DutyNode {
    PublicKey host;  // its transport key, with which it acknowledges
    FollowClient* client = nullptr;
    DutyClient* duties = nullptr;
};

struct OutboxStatus {
    std::uint64_t acknowledged = 0;  // messages, since the start
    std::uint64_t unsettled = 0;     // handed over, neither acknowledged nor refused
    std::uint64_t expired = 0;       // without an acknowledgement when their time was over
    std::uint64_t refused = 0;       // objects
    std::uint64_t bad_answers = 0;   // a node's answers that were not believed
    std::string error;               // of the newest try to hand over; empty: none
};

/// The objects that a message brings.
[[nodiscard]] std::vector<Bytes> objects_of(const Bytes& message);

class Outbox {
  public:
    /// In the order in which they are believed.
    using Nodes = std::vector<DutyNode>;

    Outbox(const NetworkParams& params, Acknowledgements& store);
    /// Called for every object whose acknowledgement has been kept. Before any is handed over.
    void on_acknowledged(std::function<void(const AcknowledgedObject&)> seen) {
        on_acknowledged_ = std::move(seen);
    }

    /// One outcome each, as the first node has it that takes objects.
    [[nodiscard]] Result<std::vector<ObjectOutcome>> hand_over(const Nodes& nodes, Height tip,
                                                               std::span<const ByteView> objects);
    [[nodiscard]] bool has_waiting() const;
    /// Everything that waits, side by side.
    [[nodiscard]] Status hand_over_again(const Nodes& nodes, Height tip);
    /// Of seal proofs that are not settled: chain and height of y.
    [[nodiscard]] std::set<std::pair<ChainId, Height>> seal_proofs() const;
    [[nodiscard]] OutboxStatus status() const;

    // What was acknowledged, until it is seen to stand where it must (api/acknowledgements.hpp).
    [[nodiscard]] std::vector<KeptAcknowledgement> unchecked() const;
    [[nodiscard]] Result<Bytes> message(const Digest& message) const;
    [[nodiscard]] Status checked(const Digest& message);

  private:
    /// What became of the first so many of some objects.
    struct Handed {
        std::vector<HandedOver> objects;
        bool acknowledged = false;
    };
    [[nodiscard]] Height last_tip_for(Height tip, std::span<const ByteView> objects) const;
    [[nodiscard]] Result<Handed> hand_over_first(const Nodes& nodes, Height tip,
                                                 std::span<const ByteView> objects);
    [[nodiscard]] Result<Handed> send(const Nodes& nodes, const SentMessage& sent,
                                      std::span<const ByteView> objects);
    [[nodiscard]] Result<Handed> to_all(const Nodes& nodes, ByteView message,
                                        std::span<const ByteView> objects);
    [[nodiscard]] Status take(const DutyNode& node, const HandedBatch& batch,
                              std::span<const ByteView> objects);
    [[nodiscard]] Status note_sent(const SentMessage& sent);
    [[nodiscard]] Status settle(const DutyNode& node, const SentMessage& sent,
                                std::span<const ByteView> objects, const Handed& handed);
    [[nodiscard]] std::vector<SentMessage> waiting() const;
    [[nodiscard]] Status send_again(const Nodes& nodes, Height tip, const SentMessage& sent);
    void count_unsettled();
    void note(const std::function<void(OutboxStatus&)>& change);

    const NetworkParams params_;
    std::function<void(const AcknowledgedObject&)> on_acknowledged_;
    mutable std::mutex mutex_;  // guards the next
    OutboxStatus status_;
    mutable std::mutex store_mutex_;  // guards the two below; held while the device is waited for
    Acknowledgements& store_;
    std::set<Digest> under_way_;  // messages that are being handed over
};

}  // namespace holdfast::node
