#include "chunking/keystream.hpp"

#include "core/codec.hpp"

namespace holdfast {

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
    for (std::size_t i = 0; i < target.size(); ++i) target[i] ^= other[i];
}

}  // namespace holdfast
