// The replicas that `serve` answers for, each independent of the others.
//
// One that cannot be opened, because its disk is not mounted or its file is damaged, is named and
// counted, and tried again every few seconds until it can; the others are served meanwhile.
//
// Threading: any thread; run() is one thread's. Ownership: responder, chunks and log outlive it.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "availability/chunk_server.hpp"
#include "availability/responder.hpp"
#include "node/config.hpp"
#include "node/connect.hpp"
#include "node/log.hpp"

namespace holdfast::node {

class ServedReplicas {
  public:
    static constexpr std::uint32_t kRetryMs = 5'000;

    struct Missing {
        std::string replica;
        std::string error;
    };

    ServedReplicas(std::vector<ReplicaEntry> entries, const Identity& identity,
                   AvailabilityResponder& responder, ChunkServer& chunks, Log& log);

    /// Opens what is not open yet. The first of the errors where none at all is.
    Status open_missing();
    /// Tries again every kRetryMs, until `stop`.
    void run(const StopCheck& stop);

    [[nodiscard]] std::vector<ChainId> chains() const;
    [[nodiscard]] std::vector<Missing> missing() const;

  private:
    struct Entry {
        ReplicaEntry files;
        std::optional<ChainId> chain;  // once it is open
        std::optional<Error> error;    // of the newest try
    };
    [[nodiscard]] Result<ChainId> open(const ReplicaEntry& entry) const;
    void note(Entry& entry, const Result<ChainId>& opened);

    const Identity& identity_;
    AvailabilityResponder& responder_;
    ChunkServer& chunks_;
    Log& log_;
    mutable std::mutex mutex_;  // guards the next; not held while a disk is read
    std::vector<Entry> entries_;
};

}  // namespace holdfast::node
