#include "core/keystream.hpp"

#include <cstring>

#include "core/codec.hpp"

namespace holdfast {

// Spec 3: keystream(w).
Status fill_keystream(const ReplicaId& replica, const Window& window, MutByteView memory,
                      const FillOptions& options) {
    std::array<std::uint8_t, 8> window_index{};
    store_le64(window_index.data(), window.index);
    FillSpec spec;
    spec.lanes = 1;
    spec.passes = window.passes;
    spec.blocks = window.blocks();
    spec.password = view(replica);
    spec.salt = view(kSealSalt);
    spec.associated_data = window_index;
    return fill(spec, memory, options);
}

void xor_bytes(MutByteView target, ByteView other) {
    HOLDFAST_CHECK(target.size() == other.size());
    // In words: byte by byte it would take a tenth of the time that hashing the result takes.
    std::size_t i = 0;
    for (; i + 64 <= target.size(); i += 64) {
        std::array<std::uint64_t, 8> a;
        std::array<std::uint64_t, 8> b;
        std::memcpy(a.data(), target.data() + i, 64);
        std::memcpy(b.data(), other.data() + i, 64);
        for (std::size_t word = 0; word < 8; ++word) a[word] ^= b[word];
        std::memcpy(target.data() + i, a.data(), 64);
    }
    for (; i < target.size(); ++i) target[i] ^= other[i];
}

}  // namespace holdfast
