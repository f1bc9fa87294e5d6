// BLAKE2b with any output length from 1 to 64 bytes, unkeyed (RFC 7693), for the seed and the tag
// of the memory-hard fill. OpenSSL's has a fixed length of 64, which is another function.
//
// Pure, any thread, no allocation. Speed does not matter here: a fill hashes a few KiB. Spec:
// docs/spec.md section 2.
#pragma once

#include "core/types.hpp"

namespace holdfast {

/// BLAKE2b (RFC 7693) without a key, fed piece by piece.
class Blake2b {
  public:
    static constexpr std::size_t kMaxBytes = 64;

    /// `output_bytes` from 1 to 64; it enters the hash.
    explicit Blake2b(std::size_t output_bytes);
    Blake2b& update(ByteView bytes);
    /// `out` has exactly output_bytes; the object must not be used afterwards.
    void finish(MutByteView out);

  private:
    void compress(bool last);

    std::array<std::uint64_t, 8> h_;
    std::array<std::uint8_t, 128> block_{};
    std::size_t used_ = 0;       // bytes in block_
    std::uint64_t counted_ = 0;  // bytes in compressed blocks
    std::size_t output_bytes_;
};

}  // namespace holdfast
