// Roots of one shard, segment by segment, from batches in any order.
//
// Whoever has read a batch hashes it at once, on its own core; only the few nodes above are made
// under a lock, in order. Memory grows with the batches that are ahead of a missing one, which are
// as many as there are workers. Internal to this room. Spec: docs/spec.md section 9.
#pragma once

#include <map>
#include <mutex>

#include "chunking/running_root.hpp"

namespace holdfast {

class ShardRoots {
  public:
    /// `segment_bytes`: 4 GiB, or for tests another multiple of a batch.
    explicit ShardRoots(std::uint64_t shard_len, std::uint64_t segment_bytes = kMaxDataBytes);

    /// A whole batch of the shard, or its rest: `offset` is a multiple of kBatchBytes. Any thread.
    void put(std::uint64_t offset, ByteView bytes);
    /// After every byte was put.
    [[nodiscard]] const std::vector<Root>& roots() const;

  private:
    void fold(const Digest& root);

    std::uint64_t shard_len_;
    std::uint64_t segment_bytes_;
    std::mutex mutex_;  // what follows
    std::map<std::uint64_t, Digest> waiting_;
    std::uint64_t next_ = 0;  // offset of the batch that is folded next
    RootStack stack_;         // of its segment
    std::vector<Root> roots_;
};

}  // namespace holdfast
