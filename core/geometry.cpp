#include "core/geometry.hpp"

#include <algorithm>

namespace holdfast {
namespace {

constexpr std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) {
    return a / b + (a % b != 0 ? 1 : 0);
}

}  // namespace

// Spec 1: what is behind the data is zeros, and there are at least 16 chunks.
ChunkCount chunk_count(std::uint64_t data_len) {
    return ChunkCount(std::max(kMinChunks, divide_up(data_len, kChunkBytes)));
}

// Spec 3, registration (3).
Verdict check_geometry(std::uint64_t data_len, ChunkCount chunks) {
    if (data_len < 1 || data_len > kMaxDataBytes) return Reason::kBadGeometry;
    return chunks == chunk_count(data_len) ? Reason::kOk : Reason::kBadGeometry;
}

// Spec 3: windows as equal as possible, the larger ones first.
WindowPlan::WindowPlan(ChunkCount chunks, const SealParams& seal) : chunks_(chunks), seal_(seal) {
    HOLDFAST_CHECK(chunks.value >= kMinChunks && chunks.value <= kMaxChunks);
    HOLDFAST_CHECK(seal.validate().accepted());
    count_ = divide_up(chunks.value, seal.window_chunks);
    size_ = chunks.value / count_;
    larger_ = chunks.value % count_;
}

// Spec 3: t(w) of the window's own number of blocks.
Window WindowPlan::window(std::uint64_t w) const {
    HOLDFAST_CHECK(w < count_);
    Window window;
    window.index = w;
    window.first = ChunkIndex(w * size_ + std::min(w, larger_));
    window.chunks = ChunkCount(size_ + (w < larger_ ? 1 : 0));
    // At most 2^34 / 32: two windows of a 17-chunk replica have at least 8 chunks each.
    window.passes = static_cast<std::uint32_t>(divide_up(seal_.work_blocks, window.blocks()));
    return window;
}

std::uint64_t WindowPlan::window_of(ChunkIndex chunk) const {
    HOLDFAST_CHECK(chunk.value < chunks_.value);
    const std::uint64_t in_larger = larger_ * (size_ + 1);
    if (chunk.value < in_larger) return chunk.value / (size_ + 1);
    return larger_ + (chunk.value - in_larger) / size_;
}

std::uint64_t WindowPlan::largest_bytes() const {
    return (size_ + (larger_ > 0 ? 1 : 0)) * kChunkBytes;
}

// Spec 1: a segment is at most 2^32 bytes.
std::uint64_t segment_count(std::uint64_t data_len) { return divide_up(data_len, kMaxDataBytes); }

std::uint64_t segment_bytes(std::uint64_t data_len, std::uint64_t segment) {
    HOLDFAST_CHECK(segment < segment_count(data_len));
    return std::min(kMaxDataBytes, data_len - segment * kMaxDataBytes);
}

}  // namespace holdfast
