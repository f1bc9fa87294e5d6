// The pieces in which the data of a deposit arrive, and what a row of them hashes to.
//
// A piece is 1 MiB, the last one shorter. Cut so, each is a whole subtree of the raw tree of the
// replica that is made of the data, and the root over the pieces' roots is its raw_root: what
// arrived is compared without reading it again.
//
// Pure functions; any thread. Sizes in bytes. Spec: docs/spec.md sections 1 and 16.1.
#pragma once

#include <span>

#include "core/constants.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

inline constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kMostPieces = kMaxDataBytes / kPieceBytes;

/// ceil(bytes / 1 MiB).
[[nodiscard]] std::uint64_t piece_count(std::uint64_t bytes);
/// Bytes of piece `index` of a deposit; 0 for one that it does not have.
[[nodiscard]] std::uint64_t piece_bytes(std::uint64_t bytes, std::uint64_t index);
/// Root of a piece's cells, padded as the replica pads them. `piece` must have piece_bytes(bytes,
/// index) bytes, at least one.
[[nodiscard]] Digest piece_root(std::uint64_t bytes, std::uint64_t index, ByteView piece);
/// Over the roots of the first pieces, in order; of all pieces: raw_root. Zeros for none.
[[nodiscard]] Root root_of_pieces(std::span<const Digest> roots);

}  // namespace holdfast
