// The replicas of one prover, from settings, folders and commands: which are at hand, which are
// linked (a member of the ProverSet), which are answered for (in the responder and the chunk
// server, once a registration lies beside them).
//
// Each stands for itself. One that cannot be opened, is damaged, or belongs to another key is named
// and left alone, and tried again at the next look; a folder that cannot be listed keeps what was
// found in it. A replica whose file is gone is taken out. Two files of one replica: the first.
//
// Threading: any thread. set() is for whoever holds lock_set(), which look(), add() and remove()
// take, too: they wait for a block that is being worked at. Ownership: all that is given outlives
// it. Memory: a few hundred bytes and two mappings for each replica, no descriptor but for raw
// files. Spec: docs/spec.md sections 3 and 12.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/prover_set.hpp"
#include "availability/chunk_server.hpp"
#include "availability/responder.hpp"
#include "node/config.hpp"
#include "node/connect.hpp"
#include "node/log.hpp"

namespace holdfast::node {

struct StockedReplica {
    std::filesystem::path replica;
    std::filesystem::path raw;                    // empty: not served
    std::optional<std::filesystem::path> folder;  // in which it was found
    bool linked = false;
    std::optional<ReplicaId> id;    // once it is linked
    std::optional<ChainId> chain;   // once it is answered for
    std::optional<Height> ends_at;  // its chain's retention is over
    std::string error;              // empty: none
    ErrorCode code{};               // with an error
};

struct StockedFolder {
    std::filesystem::path path;
    std::uint64_t replicas = 0;
    std::string error;  // of the newest look
};

class ReplicaStock {
  public:
    ReplicaStock(const Config& config, const Identity& identity, ProverSet& set,
                 AvailabilityResponder& responder, ChunkServer& chunks, Log& log);

    /// Looks at every folder and every replica that is not yet as it should be.
    void look();
    /// A file or a folder from now on. kNotFound; the replica's own error.
    [[nodiscard]] Status add(const std::filesystem::path& path);
    /// A replica, or everything in a folder, from now on no more. Returns the chains that were
    /// answered for. kNotFound.
    [[nodiscard]] Result<std::vector<ChainId>> remove(const std::filesystem::path& path);
    /// A registration beside it has been written anew.
    void registered(const std::filesystem::path& replica);

    [[nodiscard]] std::vector<StockedReplica> replicas() const;
    [[nodiscard]] std::vector<StockedFolder> folders() const;
    [[nodiscard]] std::vector<ChainId> chains() const;

    [[nodiscard]] std::unique_lock<std::mutex> lock_set() { return std::unique_lock(set_mutex_); }
    [[nodiscard]] ProverSet& set() { return set_; }

  private:
    using Entries = std::map<std::filesystem::path, StockedReplica>;
    void look_at_folders();
    void look_at(StockedReplica& entry);
    void link(StockedReplica& entry);
    [[nodiscard]] Result<std::optional<ChainId>> answer_for(StockedReplica& entry) const;
    void take_out(const StockedReplica& entry);
    void show();

    const Identity& identity_;
    ProverSet& set_;
    AvailabilityResponder& responder_;
    ChunkServer& chunks_;
    Log& log_;
    std::mutex set_mutex_;  // guards set_, and the three below
    Entries entries_;
    std::vector<StockedFolder> folders_;
    std::set<std::filesystem::path> left_out_;  // removed by command, though their folder is not
    mutable std::mutex view_mutex_;  // guards the two below; never held while a disk is read
    std::vector<StockedReplica> shown_;
    std::vector<StockedFolder> shown_folders_;
};

}  // namespace holdfast::node
