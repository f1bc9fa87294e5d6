#include "chunking/running_root.hpp"

#include <algorithm>

#include "chunking/geometry.hpp"
#include "core/result.hpp"

namespace holdfast {

RawRootHasher::RawRootHasher(std::uint64_t data_len) : left_(data_len) {
    HOLDFAST_CHECK(data_len >= 1 && data_len <= kMaxDataBytes);
    padding_ = chunk_count(data_len).value * kChunkBytes - data_len;
}

void RawRootHasher::feed(ByteView bytes) {
    HOLDFAST_CHECK(bytes.size() <= left_);
    left_ -= bytes.size();
    while (!bytes.empty()) {
        if (buffer_.empty() && bytes.size() >= kBatchBytes) {
            hash_batch(bytes.first(kBatchBytes));
            bytes = bytes.subspan(kBatchBytes);
            continue;
        }
        const std::size_t taken = std::min(bytes.size(), kBatchBytes - buffer_.size());
        buffer_.insert(buffer_.end(), bytes.begin(),
                       bytes.begin() + static_cast<std::ptrdiff_t>(taken));
        bytes = bytes.subspan(taken);
        if (buffer_.size() < kBatchBytes) continue;
        hash_batch(buffer_);
        buffer_.clear();
    }
}

void RawRootHasher::hash_batch(ByteView batch) {
    std::array<Digest, kBatchChunks> roots;
    chunk_roots(batch.data(), roots);
    Subtree subtree{0, merkle_root(roots)};
    while (!stack_.empty() && stack_.back().level == subtree.level) {
        subtree.root = node_hash(stack_.back().root, subtree.root);
        stack_.pop_back();
        ++subtree.level;
    }
    stack_.push_back(subtree);
}

Root RawRootHasher::finish() {
    HOLDFAST_CHECK(left_ == 0);
    buffer_.resize(buffer_.size() + static_cast<std::size_t>(padding_));
    // RFC 9162 splits at the largest power of two: a last batch that is not full is the right
    // subtree of every split above it, so everything folds from the right.
    Digest root;
    bool have_root = false;
    if (!buffer_.empty()) {
        std::vector<Digest> roots(buffer_.size() / kChunkBytes);
        chunk_roots(buffer_.data(), roots);
        root = merkle_root(roots);
        have_root = true;
    }
    for (; !stack_.empty(); stack_.pop_back()) {
        root = have_root ? node_hash(stack_.back().root, root) : stack_.back().root;
        have_root = true;
    }
    return Root(root);
}

}  // namespace holdfast
