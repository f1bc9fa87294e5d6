// Roots of data that pass by once, in memory that does not grow with them.
//
// Internal to this room. Spec: docs/spec.md section 3 (raw_root).
#pragma once

#include <optional>
#include <vector>

#include "core/constants.hpp"
#include "core/merkle.hpp"
#include "core/types.hpp"

namespace holdfast {

/// Chunks that are read, hashed and written at a time: 256 KiB, which stay in a core's cache.
inline constexpr std::uint64_t kBatchChunks = 64;
inline constexpr std::size_t kBatchBytes = kBatchChunks * kChunkBytes;

/// Roots of full batches, one after another, become the root over all of them.
class RootStack {
  public:
    void push(const Digest& full_batch);
    /// `last`: root of a last batch that is not full. At least one batch in all.
    [[nodiscard]] Digest finish(const std::optional<Digest>& last) const;

  private:
    struct Subtree {
        unsigned level;  // 0: one batch
        Digest root;
    };
    std::vector<Subtree> stack_;  // perfect subtrees of falling height, left to right
};

/// MTH over the cells of at most 4 GiB of data, padded as spec section 1 says. Feed the bytes in
/// order.
class RawRootHasher {
  public:
    /// 1 <= data_len <= 2^32.
    explicit RawRootHasher(std::uint64_t data_len);
    /// All feeds together may not exceed data_len.
    void feed(ByteView bytes);
    /// After exactly data_len bytes.
    [[nodiscard]] Root finish();

  private:
    std::uint64_t left_;     // bytes still to come
    std::uint64_t padding_;  // zero bytes after them
    Bytes buffer_;           // the beginning of a batch
    RootStack stack_;
};

/// MTH over the cells of some chunks that lie one behind another: at most a batch.
[[nodiscard]] Digest batch_root(ByteView chunks);

}  // namespace holdfast
