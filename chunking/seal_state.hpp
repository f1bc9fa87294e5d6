// An unfinished sealing on the disk: what survives a stop, a crash or a full disk, and how it is
// taken up again.
//
// Internal to this room. Beside X.replica that is being made stand two hidden files,
//   .X.replica.sealing      the replica so far, without its header; locked while somebody seals
//   .X.replica.sealing-log  records (spec section 12): first `u8 1 || replica header ||
//                           network_id`, then for each finished window `u64 window || MTH of its
//                           chunk roots`
// A window is recorded after its bytes were read again and made durable, and a record is believed
// only when the bytes on the disk still have that root. The tree is made again each time, in
// .X.tree.sealing. Sizes in bytes.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/replica_header.hpp"
#include "storage/file.hpp"
#include "storage/keyed_tag.hpp"
#include "storage/record_log.hpp"

namespace holdfast {

class SealState {
  public:
    /// Creates the files or opens those of an earlier attempt; `restart` throws that away first.
    /// kAlreadyExists where the replica or a tree that does not belong to the earlier attempt
    /// stands, kBusy where somebody else seals, kOutOfSpace.
    static Result<SealState> open(const std::filesystem::path& replica_path,
                                  std::uint64_t replica_bytes,
                                  const std::filesystem::path& tree_path, std::uint64_t tree_bytes,
                                  bool restart);
    /// Nothing finished: both files go. Otherwise they stay for the next attempt.
    ~SealState();
    SealState(SealState&&) = default;
    SealState& operator=(SealState&&) = delete;

    [[nodiscard]] File& replica() { return replica_.file(); }
    [[nodiscard]] File& tree() { return tree_.file(); }

    /// kAlreadyExists when an earlier attempt at data of the same length stands here that these
    /// parameters cannot continue; asked before any long work, when raw_root is not known yet.
    [[nodiscard]] Status check_continues(const ReplicaHeader& header,
                                         const NetworkId& network) const;
    /// Binds the state to a replica, and throws away what belongs to other data. Gives the windows
    /// recorded so far.
    [[nodiscard]] Result<std::map<std::uint64_t, Digest>> bind(const ReplicaHeader& header,
                                                               const NetworkId& network);
    /// Records windows whose bytes are durable.
    [[nodiscard]] Status record(std::span<const std::pair<std::uint64_t, Digest>> windows);
    [[nodiscard]] std::uint64_t recorded() const { return log_ ? log_->records() - 1 : 0; }
    /// Nothing is kept, whatever was finished.
    void discard();
    /// Both files get their names, the tree first; the log goes last.
    [[nodiscard]] Status publish();

  private:
    SealState(PendingFile replica, PendingFile tree, std::filesystem::path log_path)
        : replica_(std::move(replica)), tree_(std::move(tree)), log_path_(std::move(log_path)) {}
    Status read_log();
    Status start_log(ByteView identity);

    PendingFile replica_;
    PendingFile tree_;
    std::filesystem::path log_path_;
    std::filesystem::path tree_path_;
    std::unique_ptr<RecordLog> log_;  // with an identity; nullptr: none yet
    Bytes identity_;                  // of the log
    std::map<std::uint64_t, Digest> windows_;
};

/// A finished window on its way to the log.
struct FinishedWindow {
    std::uint64_t index = 0;
    ChunkIndex first;
    std::uint64_t bytes = 0;
    Digest root;                 // MTH of its chunk roots
    std::vector<KeyedTag> tags;  // of its batches as they were written
};

/// Reads finished windows again, makes them durable and records them, on a thread of its own that
/// mostly waits for the disk. submit() from any thread.
class SealRecorder {
  public:
    /// Both must outlive it.
    SealRecorder(SealState& state, const KeyedTagger& tagger);
    ~SealRecorder();
    SealRecorder(const SealRecorder&) = delete;
    SealRecorder& operator=(const SealRecorder&) = delete;
    /// The recorder's own error where it has failed; nothing is recorded after that.
    [[nodiscard]] Status submit(FinishedWindow window);
    /// Waits until everything submitted is recorded, and ends the thread.
    [[nodiscard]] Status finish();

  private:
    void run();
    Status record(std::span<const FinishedWindow> windows);
    Status check_written(const FinishedWindow& window);

    SealState& state_;
    const KeyedTagger& tagger_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<FinishedWindow> waiting_;
    bool ending_ = false;
    Status outcome_;
    std::thread thread_;
};

/// Series of the tags of a seal: bytes of the source, bytes of the replica.
inline constexpr std::uint32_t kSourceTags = 0;
inline constexpr std::uint32_t kReplicaTags = 1;

}  // namespace holdfast
