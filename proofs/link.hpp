// Links: openings, the opening root, the link itself, receipts (format A), the compact index.
//
// Pure functions and plain values; part of the trusted rooms; any thread.
// Spec: docs/spec.md section 7.
#pragma once

#include <array>
#include <span>

#include "core/codec.hpp"
#include "core/constants.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

using Cell = FixedBytes<kCellBytes>;

/// Where one opening lies: the j-th selected chunk and the cell opened in it.
struct OpenedCell {
    ChunkIndex chunk;
    std::uint8_t cell = 0;  // 0 to 15, within the chunk
    [[nodiscard]] CellIndex index() const { return CellIndex(chunk.value * kCellsPerChunk + cell); }
    friend bool operator==(const OpenedCell&, const OpenedCell&) = default;
};
using OpenedCells = std::array<OpenedCell, kChunksPerLink>;

/// The 16 cells that entropy E opens in a replica of `chunks` >= 16 chunks, in the order of
/// selection.
[[nodiscard]] OpenedCells opened_cells(const Entropy& e, ChunkCount chunks);
/// For each position in ascending order of cell index, the j of that opening.
[[nodiscard]] std::array<std::uint8_t, kChunksPerLink> ascending_order(const OpenedCells& cells);

/// o_j = H("opening"; E, u64 chunk, u8 cell, cell bytes).
[[nodiscard]] Digest opening_hash(const Entropy& e, const OpenedCell& where, const Cell& cell);
/// o_0 … o_15 of cells in the order of selection, hashed as one batch.
[[nodiscard]] std::array<Digest, kChunksPerLink> opening_hashes(
    const Entropy& e, const OpenedCells& where, std::span<const Cell, kChunksPerLink> cells);
/// O = MTH(o_0 … o_15).
[[nodiscard]] Digest opening_root(std::span<const Digest, kChunksPerLink> openings);
/// The four hashes from o_j up to O.
[[nodiscard]] std::vector<Digest> opening_path(std::span<const Digest, kChunksPerLink> openings,
                                               std::uint8_t j);
/// Root that o_j at place j leads to. kProofLength unless the path has four hashes, kBadIndex.
[[nodiscard]] Checked<Digest> opening_root_from_path(const Digest& opening, std::uint8_t j,
                                                     std::span<const Digest> path);

/// Everything that a link commits to beside network and chain.
struct LinkFields {
    ChainId chain_id;
    Height height;
    BlockHash block_hash;
    GlobalDigest anchor;
    Link link_before;  // Link(chain_id) where the chain has no leaf under the anchor
    Entropy e;
    Digest openings;  // O
};
[[nodiscard]] Link link_hash(const NetworkId& network_id, const LinkFields& fields);

/// What a receipt's signature is over.
[[nodiscard]] Digest receipt_digest(const NetworkId& network_id, const ChainId& chain_id,
                                    Height height, const BlockHash& block_hash,
                                    const GlobalDigest& anchor, const Link& link);

/// Format A: link || u64 height || anchor || signature, 136 bytes.
struct Receipt {
    Link link;
    Height height;
    GlobalDigest anchor;
    Signature signature;
    friend bool operator==(const Receipt&, const Receipt&) = default;

    [[nodiscard]] Bytes encode() const;
    void encode(Writer& w) const;
    static Receipt decode(Reader& r);
    static Checked<Receipt> decode(ByteView body);
};

/// j of the compact proof at the height whose y_c this is (c = height + 1 + link_lag + finality).
[[nodiscard]] std::uint8_t compact_index(const NetworkId& network_id, const VdfOutput& y_c,
                                         const ChainId& chain_id);
/// One height in sixteen only a full proof counts.
[[nodiscard]] bool full_required(const NetworkId& network_id, const VdfOutput& y_c,
                                 const ChainId& chain_id);
/// c, the height whose y draws the compact index of `height`.
[[nodiscard]] Height compact_draw_height(const NetworkParams& params, Height height);

}  // namespace holdfast
