// Geometry: how data become chunks, windows and segments.
//
// Sizes are in chunks of 4,096 bytes unless the name says otherwise. Pure values, any thread, no
// allocation; part of the trusted rooms. Spec: docs/spec.md section 1 (units) and section 3
// (windows).
#pragma once

#include "core/constants.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// max(16, ceil(data_len / 4096)), for any data_len; check_geometry says whether it is allowed.
[[nodiscard]] ChunkCount chunk_count(std::uint64_t data_len);
/// kBadGeometry unless 1 <= data_len <= 2^32 and chunks == chunk_count(data_len).
[[nodiscard]] Verdict check_geometry(std::uint64_t data_len, ChunkCount chunks);

/// A run of chunks that is sealed with one fill.
struct Window {
    std::uint64_t index = 0;
    ChunkIndex first;
    ChunkCount chunks;
    std::uint32_t passes = 0;  // t(w)

    [[nodiscard]] std::uint64_t blocks() const { return chunks.value * kBlocksPerChunk; }
    [[nodiscard]] std::uint64_t bytes() const { return chunks.value * kChunkBytes; }
    [[nodiscard]] std::uint64_t cells() const { return chunks.value * kCellsPerChunk; }
    [[nodiscard]] std::uint64_t first_byte() const { return first.value * kChunkBytes; }
    [[nodiscard]] CellIndex first_cell() const { return CellIndex(first.value * kCellsPerChunk); }
    friend bool operator==(const Window&, const Window&) = default;
};

/// The windows of a replica. `chunks` and `seal` must lie within the bounds of every build
/// (check_geometry or 16 to 2^20, SealParams::validate); anything else is a bug of the caller.
class WindowPlan {
  public:
    WindowPlan(ChunkCount chunks, const SealParams& seal);
    /// ceil(chunks / window_chunks)
    [[nodiscard]] std::uint64_t count() const { return count_; }
    /// Window w < count().
    [[nodiscard]] Window window(std::uint64_t w) const;
    /// Index of the window that holds a chunk < chunks.
    [[nodiscard]] std::uint64_t window_of(ChunkIndex chunk) const;
    [[nodiscard]] ChunkCount chunks() const { return chunks_; }
    /// Bytes of the largest window: what one fill needs.
    [[nodiscard]] std::uint64_t largest_bytes() const;

  private:
    ChunkCount chunks_;
    SealParams seal_;
    std::uint64_t count_;
    std::uint64_t size_;    // floor(chunks / count)
    std::uint64_t larger_;  // so many first windows have one chunk more
};

/// Data of more than 4 GiB are cut into segments of 4 GiB, each a replica of its own.
/// ceil(data_len / 2^32); 0 for no data.
[[nodiscard]] std::uint64_t segment_count(std::uint64_t data_len);
/// Bytes of segment i < segment_count(data_len); it starts at byte i * 2^32.
[[nodiscard]] std::uint64_t segment_bytes(std::uint64_t data_len, std::uint64_t segment);

}  // namespace holdfast
