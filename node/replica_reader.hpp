// Reads another node's history and judges all of it: the work of a replica.
//
// Repeats the host chain's final blocks, takes the journal entry by entry as Replay does, verifies
// every y, and holds each of the operator's heads against its own registry; since all of them are
// held against one and the same journal, each is consistent with those before it, whenever this
// node was stopped in between. What is transient (the node is away or busy, a proof is not there
// yet) is an error of step(), which is called again. Where the two do not agree, that is final: the
// reader names it, keeps what shows it, and takes nothing in any more.
//
// Threading: step() from one thread, counts() from any. The parts must outlive it. Spec:
// docs/spec.md sections 15.1, 15.5 and 15.10.
#pragma once

#include <mutex>
#include <string>

#include "api/replay.hpp"
#include "node/log.hpp"
#include "node/output_options.hpp"
#include "node/replica_folder.hpp"

namespace holdfast::node {

struct ReaderOptions {
    OutputTrust trust = OutputTrust::kFull;  // kOperator: y's proofs are looked at in some places
    std::uint32_t spot_segments = 16;
    std::optional<FillSample> fills;  // of seal proofs; empty: every fill is made again
    /// Instead of what is above: of networks whose y and seals are not real.
    std::function<Result<Verdict>(Height height, const VdfOutput& y)> check_y = {};
    SealCheck check_seal = {};
    bool copy_ledger = true;  // for a take-over
};

/// Where this node and the followed one do not agree.
struct Disagreement {
    std::optional<Height> height;
    std::optional<std::uint64_t> entry;
    Verdict verdict;
    std::string what;
    std::filesystem::path kept;  // the folder of what shows it
};

struct ReaderCounts {
    std::optional<Height> tip;       // of the registry
    std::optional<Height> closed;    // of it
    std::optional<Height> chain;     // newest block repeated
    std::uint64_t entries = 0;       // of the journal, here
    std::uint64_t total = 0;         // of the journal, as the followed node says
    std::uint64_t heads = 0;         // compared since the start
    std::optional<Height> head;      // the newest compared
    std::uint64_t without_head = 0;  // closed heights below it of which none was seen
    std::uint64_t ledger_copies = 0;
    std::string ledger_error;
    std::string error;  // of the newest step; empty: none
    std::optional<Disagreement> disagreement;
};

class ReplicaReader {
  public:
    ReplicaReader(ReplicaStores& stores, HistoryClient& history, FollowClient& follow,
                  ReaderOptions options, Log& log);

    /// A page of blocks, one of entries, the heads over them. Whether there was anything. After a
    /// disagreement: kRefused, always the same.
    [[nodiscard]] Result<bool> step(const StopCheck& stop);
    /// Blocks alone, up to this height at least: before a state is fetched.
    [[nodiscard]] Status repeat_through(Height height, const StopCheck& stop);
    [[nodiscard]] ReaderCounts counts() const;

  private:
    Result<bool> work(const StopCheck& stop);
    Result<bool> repeat_blocks(const StopCheck& stop);
    Status repeat(Height height, const ListedPage& block);
    Result<bool> take_entries(const StopCheck& stop);
    Status take(Replay& replay, const EntriesPage& page);
    Status check_heads();
    Status check_known_head(const JournalHead& known, const JournalHead& told);
    void copy_ledger(const StopCheck& stop);
    [[nodiscard]] ReplayOptions replaying(const StopCheck& stop);
    [[nodiscard]] Result<Verdict> check_y(Height height, const VdfOutput& y, const StopCheck& stop);
    void note_counts();

    // What shows a disagreement.
    Status disagree(Disagreement found, const Status& why);
    void keep(const std::string& name, ByteView bytes);
    void keep_entry(std::uint64_t number, ByteView entry);
    void keep_head(const std::string& name, const JournalHead& head);

    ReplicaStores& stores_;
    HistoryClient& history_;
    FollowClient& follow_;
    const ReaderOptions options_;
    Log& log_;
    std::vector<Bytes> part_;  // of the next block, what has come of its list
    std::optional<Height> ledger_at_;
    std::optional<Height> ledger_missing_at_;  // the followed node had no copy then
    std::uint64_t ledger_events_ = 0;

    mutable std::mutex mutex_;  // guards counts_
    ReaderCounts counts_;
};

/// Where there is no registry yet and the journal's beginning is not kept any more: makes one out
/// of the lowest state behind which the followed node keeps the whole journal. The blocks up to it
/// are repeated first, and the state is held against the operator's head. Nothing otherwise.
[[nodiscard]] Status begin_registry(ReplicaStores& stores, HistoryClient& history,
                                    FollowClient& follow, const RegistryOptions& options, Log& log,
                                    const StopCheck& stop);

}  // namespace holdfast::node
