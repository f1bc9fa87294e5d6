#include "deposit/pieces.hpp"

#include "core/geometry.hpp"
#include "core/merkle.hpp"

namespace holdfast {

std::uint64_t piece_count(std::uint64_t bytes) {
    return bytes / kPieceBytes + (bytes % kPieceBytes != 0);
}

std::uint64_t piece_bytes(std::uint64_t bytes, std::uint64_t index) {
    if (index >= piece_count(bytes)) return 0;
    return std::min(kPieceBytes, bytes - index * kPieceBytes);
}

Digest piece_root(std::uint64_t bytes, std::uint64_t index, ByteView piece) {
    HOLDFAST_CHECK(!piece.empty() && piece.size() == piece_bytes(bytes, index));
    constexpr std::uint64_t kChunksPerPiece = kPieceBytes / kChunkBytes;
    // The last piece has what is left of the replica's chunks, of which there are at least 16.
    const std::uint64_t chunks =
        std::min(kChunksPerPiece, chunk_count(bytes).value - index * kChunksPerPiece);
    std::vector<Digest> roots(chunks);
    if (piece.size() == chunks * kChunkBytes) {
        chunk_roots(piece.data(), roots);
    } else {
        Bytes padded(piece.begin(), piece.end());
        padded.resize(chunks * kChunkBytes);
        chunk_roots(padded.data(), roots);
    }
    return merkle_root(roots);
}

Root root_of_pieces(std::span<const Digest> roots) {
    return roots.empty() ? Root{} : Root{merkle_root(roots)};
}

}  // namespace holdfast
