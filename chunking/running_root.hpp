// Roots of data that pass by once, in memory that does not grow with them.
//
// Internal to this room. Spec: docs/spec.md section 3 (raw_root).
#pragma once

#include <vector>

#include "core/constants.hpp"
#include "core/merkle.hpp"
#include "core/types.hpp"

namespace holdfast {

/// Chunks that are read, hashed and written at a time: 256 KiB, which stay in a core's cache.
inline constexpr std::uint64_t kBatchChunks = 64;
inline constexpr std::size_t kBatchBytes = kBatchChunks * kChunkBytes;

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
    void hash_batch(ByteView batch);

    struct Subtree {
        unsigned level;  // 0: one batch
        Digest root;
    };
    std::uint64_t left_;          // bytes still to come
    std::uint64_t padding_;       // zero bytes after them
    Bytes buffer_;                // the beginning of a batch
    std::vector<Subtree> stack_;  // perfect subtrees of falling height, left to right
};

}  // namespace holdfast
