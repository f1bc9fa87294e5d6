// The door of a node for objects that come in by the journal: takes them, and acknowledges what
// stands.
//
// Signatures and openings are checked on the thread that brings an object, beside whoever writes,
// and a message with too much garbage is left there. What remains of all messages that wait goes
// into the registry in one transaction, so that they share the wait for the device. Seal proofs go
// their own way, one by one, since each may need a fill.
//
// Acknowledgements are signed with the node's transport key, and only after what they are of is
// durable: one object, or the message that brought several, once each of them stands in the
// journal. An object that stands there already is acknowledged again. In networks without an
// operator objects go to the host's chain, nothing stands before a block lists it, and nothing is
// acknowledged.
//
// Threading: any thread. Ownership: registry or aggregator, and key, must outlive it; no call may
// be under way when it ends. Spec: docs/spec.md sections 13 (acknowledgement) and 14.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <span>
#include <vector>

#include "api/aggregator.hpp"
#include "core/keys.hpp"
#include "follow/duty_messages.hpp"
#include "node/recent_entries.hpp"

namespace holdfast::node {

struct JournalDoorCounts {
    std::uint64_t messages = 0;
    std::uint64_t objects = 0;
    std::uint64_t transactions = 0;  // of the registry
    std::uint64_t acknowledged = 0;  // messages
    std::uint64_t repeated = 0;      // objects that stood there already
    std::uint64_t left = 0;          // objects not looked at, behind too much garbage
};

class JournalDoor {
  public:
    /// Objects of one message that are garbage before the rest is left.
    static constexpr std::size_t kMostGarbage = 64;

    /// For what goes its own way: seal proofs, and everything in networks without an operator.
    using Submit = std::function<Result<ObjectOutcome>(const std::string& peer, ByteView object)>;

    JournalDoor(Registry& registry, const KeyPair& key, Submit submit);
    JournalDoor(Aggregator& aggregator, const KeyPair& key);

    struct Taken {
        HandedOvers answer;
        std::vector<ObjectOutcome> outcomes;
    };
    /// `message`: what brought the objects. Errors: of the registry; then none of the objects need
    /// have been taken.
    [[nodiscard]] Result<Taken> take(const PublicKey& from, ByteView message,
                                     std::span<const ByteView> objects);
    [[nodiscard]] JournalDoorCounts counts() const;

  private:
    /// What one thread wants to have taken.
    struct Waiting {
        std::vector<ByteView> objects;
        std::vector<Prejudged> judged;
        std::vector<std::size_t> places;  // in the message
        std::vector<ObjectOutcome> outcomes;
        Status status;
        bool done = false;
    };
    [[nodiscard]] Status check(const PublicKey& from, std::span<const ByteView> objects,
                               Waiting& remaining, std::vector<ObjectOutcome>& out);
    [[nodiscard]] Status commit(Waiting& mine);
    void commit_group(std::span<Waiting* const> group);
    [[nodiscard]] Result<std::optional<Acknowledgement>> acknowledge(
        ByteView message, const std::vector<HandedOver>& objects);

    Registry& registry_;
    const KeyPair& key_;
    const Submit submit_;
    RecentEntries recent_;

    mutable std::mutex mutex_;  // guards what follows, and `done` of all that wait
    std::condition_variable changed_;
    std::deque<Waiting*> waiting_;
    bool committing_ = false;
    JournalDoorCounts counts_;
};

}  // namespace holdfast::node
