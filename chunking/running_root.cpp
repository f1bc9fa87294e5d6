#include "chunking/running_root.hpp"

#include <algorithm>
#include <array>

#include "core/geometry.hpp"
#include "core/result.hpp"

namespace holdfast {

// Spec 1 and 3: raw_root, over data padded with zeros to whole chunks.
RawRootHasher::RawRootHasher(std::uint64_t data_len) : left_(data_len) {
    HOLDFAST_CHECK(data_len >= 1 && data_len <= kMaxDataBytes);
    padding_ = chunk_count(data_len).value * kChunkBytes - data_len;
}

void RawRootHasher::feed(ByteView bytes) {
    HOLDFAST_CHECK(bytes.size() <= left_);
    left_ -= bytes.size();
    while (!bytes.empty()) {
        if (buffer_.empty() && bytes.size() >= kBatchBytes) {
            stack_.push(batch_root(bytes.first(kBatchBytes)));
            bytes = bytes.subspan(kBatchBytes);
            continue;
        }
        const std::size_t taken = std::min(bytes.size(), kBatchBytes - buffer_.size());
        buffer_.insert(buffer_.end(), bytes.begin(),
                       bytes.begin() + static_cast<std::ptrdiff_t>(taken));
        bytes = bytes.subspan(taken);
        if (buffer_.size() < kBatchBytes) continue;
        stack_.push(batch_root(buffer_));
        buffer_.clear();
    }
}

Root RawRootHasher::finish() {
    HOLDFAST_CHECK(left_ == 0);
    buffer_.resize(buffer_.size() + static_cast<std::size_t>(padding_));
    std::optional<Digest> last;
    if (!buffer_.empty()) last = batch_root(buffer_);
    return Root(stack_.finish(last));
}

void RootStack::push(const Digest& full_batch) {
    Subtree subtree{0, full_batch};
    while (!stack_.empty() && stack_.back().level == subtree.level) {
        subtree.root = node_hash(stack_.back().root, subtree.root);
        stack_.pop_back();
        ++subtree.level;
    }
    stack_.push_back(subtree);
}

Digest RootStack::finish(const std::optional<Digest>& last) const {
    // RFC 9162 splits at the largest power of two: a last batch that is not full is the right
    // subtree of every split above it, so everything folds from the right.
    std::optional<Digest> root = last;
    for (auto subtree = stack_.rbegin(); subtree != stack_.rend(); ++subtree) {
        root = root ? node_hash(subtree->root, *root) : subtree->root;
    }
    HOLDFAST_CHECK(root.has_value());
    return *root;
}

Digest batch_root(ByteView chunks) {
    HOLDFAST_CHECK(chunks.size() <= kBatchBytes && chunks.size() % kChunkBytes == 0);
    std::array<Digest, kBatchChunks> roots;
    const auto some = std::span(roots).first(chunks.size() / kChunkBytes);
    chunk_roots(chunks.data(), some);
    return merkle_root(some);
}

}  // namespace holdfast
