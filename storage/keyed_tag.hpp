// Keyed tags of bytes that this process will see again: AES-128-GMAC under a key of its own.
//
// A second reading is compared with the first at several GB/s, where hashing it again would cost
// as much as the hash that it protects. Whoever does not know the key cannot change bytes without
// changing their tag; the key is made for each object and never leaves it. Tags are not for
// files or other processes. Any thread.
#pragma once

#include <array>
#include <cstdint>

#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

using KeyedTag = std::array<std::uint8_t, 16>;

class KeyedTagger {
  public:
    /// With a fresh key from the operating system's randomness.
    static Result<KeyedTagger> create();
    /// Tag of `bytes` at position `index` of series `series`; the same bytes have unrelated tags
    /// elsewhere. kOutOfMemory.
    [[nodiscard]] Result<KeyedTag> tag(std::uint32_t series, std::uint64_t index,
                                       ByteView bytes) const;

  private:
    KeyedTagger() = default;
    std::array<std::uint8_t, 16> key_{};
};

}  // namespace holdfast
