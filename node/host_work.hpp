// Processes a node's final blocks as they come, and keeps count of what became of them.
//
// Threading: advance() from one thread, the rest from any, also during it. The parts must outlive
// it.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "follow/service.hpp"
#include "node/journal_door.hpp"
#include "node/log.hpp"
#include "node/node_folder.hpp"
#include "node/output_source.hpp"

namespace holdfast::node {

struct HostCounts {
    struct Judged {
        std::uint64_t accepted = 0;
        std::map<Reason, std::uint64_t> refused;
    };
    std::uint64_t blocks = 0;  // processed since the start
    std::optional<Height> tip;
    std::optional<Height> closed;
    std::uint64_t behind = 0;        // final blocks to go
    std::map<Kind, Judged> objects;  // that blocks list, and that were handed over
    std::vector<ChainId> suspended;  // by the quorum, in the digest of `closed`
    std::uint64_t slashed = 0;       // chains whose bond was forfeited or that were voided
    double seconds = 0;              // for the newest block
    std::string error;               // of the newest try; empty: none
    JournalDoorCounts door;          // what was handed over, and acknowledged
};

class HostWork {
  public:
    /// `key`: the node's own, which acknowledges.
    HostWork(Node& node, FollowService& follow, OutputSource& outputs, const KeyPair& key, Log& log)
        : node_(node),
          follow_(follow),
          outputs_(outputs),
          log_(log),
          door_(*node.aggregator, key) {}

    /// The next final block; false when there is none. Followers are told as soon as it is near the
    /// tip. After an error the next call goes on.
    [[nodiscard]] Result<bool> advance(const StopCheck& stop);
    /// Objects that somebody hands over, for the journal.
    [[nodiscard]] Result<HandedOvers> hand_over(const PublicKey& from, ByteView message,
                                                std::span<const ByteView> objects);
    [[nodiscard]] HostCounts counts() const;

  private:
    bool count(const ObjectOutcome& object);
    Result<bool> process(const StopCheck& stop);
    void note(const BlockReport& report);

    Node& node_;
    FollowService& follow_;
    OutputSource& outputs_;
    Log& log_;
    JournalDoor door_;
    mutable std::mutex mutex_;  // guards counts_
    HostCounts counts_;
};

}  // namespace holdfast::node
