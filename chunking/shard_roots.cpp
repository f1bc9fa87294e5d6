#include "chunking/shard_roots.hpp"

#include <algorithm>
#include <utility>

#include "core/geometry.hpp"
#include "core/result.hpp"

namespace holdfast {

ShardRoots::ShardRoots(std::uint64_t shard_len, std::uint64_t segment_bytes)
    : shard_len_(shard_len), segment_bytes_(segment_bytes) {
    HOLDFAST_CHECK(shard_len >= 1 && segment_bytes >= 1 && segment_bytes % kBatchBytes == 0);
}

void ShardRoots::put(std::uint64_t offset, ByteView bytes) {
    HOLDFAST_CHECK(offset % kBatchBytes == 0 && offset < shard_len_ &&
                   bytes.size() == std::min<std::uint64_t>(kBatchBytes, shard_len_ - offset));
    Digest root;
    if (bytes.size() == kBatchBytes) {
        root = batch_root(bytes);
    } else {
        const std::uint64_t begin = offset - offset % segment_bytes_;
        const std::uint64_t padded = chunk_count(shard_len_ - begin).value * kChunkBytes;
        Bytes whole(bytes.begin(), bytes.end());
        whole.resize(static_cast<std::size_t>(begin + padded - offset));
        root = batch_root(whole);
    }
    const std::scoped_lock lock(mutex_);
    waiting_.emplace(offset, root);
    for (auto it = waiting_.find(next_); it != waiting_.end(); it = waiting_.find(next_)) {
        fold(it->second);
        waiting_.erase(it);
    }
}

void ShardRoots::fold(const Digest& root) {
    const std::uint64_t end = std::min(next_ + kBatchBytes, shard_len_);
    const bool full = end - next_ == kBatchBytes;
    if (full) stack_.push(root);
    if (end == shard_len_ || end % segment_bytes_ == 0) {
        roots_.push_back(Root(stack_.finish(full ? std::nullopt : std::optional(root))));
        stack_ = {};
    }
    next_ = end;
}

const std::vector<Root>& ShardRoots::roots() const {
    HOLDFAST_CHECK(next_ == shard_len_);
    return roots_;
}

}  // namespace holdfast
