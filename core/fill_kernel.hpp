// What the fill's driver (core/fill.cpp) and its kernels (core/fill_*.cpp) share. Internal.
//
// C headers only, and nothing with external linkage that is defined here: kernel files are compiled
// for one instruction set each, and no code of theirs may reach another file through the linker.
#pragma once

#include <stdint.h>

namespace holdfast {

/// A run of neighbouring columns within one segment of one lane; RFC 9106 section 3.4.
struct FillRun {
    uint8_t* memory;          // the whole matrix, 64-byte aligned
    uint64_t segment_blocks;  // blocks of a lane in a quarter pass
    uint32_t lanes;           // p
    uint32_t lane;
    uint32_t slice;   // 0 … 3
    bool first_pass;  // later passes XOR into what is there
    uint64_t
        first;  // columns of this segment, first to end - 1; in the first pass's slice 0 first >= 2
    uint64_t end;
};

void fill_run_portable(const FillRun& run);
void fill_run_avx2(const FillRun& run);
void fill_run_avx512(const FillRun& run);
void fill_run_neon(const FillRun& run);

namespace {

constexpr uint64_t kFillBlockBytes = 1024;
constexpr uint64_t kFillSlices = 4;

/// Where a run stands: what the choice of a reference block needs, worked out once.
struct FillPlace {
    uint8_t* own;            // first block of the run's lane
    uint64_t lane_blocks;    // blocks of a lane
    uint64_t segment_start;  // column of the segment's first block
    uint64_t window;         // finished blocks of another lane that may be referred to
    uint64_t window_start;   // the column of the oldest of them
    bool own_lane_only;      // nothing of another lane is finished yet
};

inline FillPlace fill_place(const FillRun& run) {
    FillPlace p{};
    p.lane_blocks = run.segment_blocks * kFillSlices;
    p.own = run.memory + run.lane * p.lane_blocks * kFillBlockBytes;
    p.segment_start = run.slice * run.segment_blocks;
    p.window = run.first_pass ? p.segment_start : p.lane_blocks - run.segment_blocks;
    p.window_start =
        run.first_pass || run.slice == kFillSlices - 1 ? 0 : p.segment_start + run.segment_blocks;
    p.own_lane_only = run.lanes == 1 || (run.first_pass && run.slice == 0);
    return p;
}

/// The reference block of column `column` of the segment, whose predecessor starts with `word`.
inline const uint8_t* fill_reference(const FillRun& run, const FillPlace& p, uint64_t column,
                                     uint64_t word) {
    const uint32_t lane =
        p.own_lane_only ? run.lane : static_cast<uint32_t>(word >> 32) % run.lanes;
    // In its own lane a block may refer to the segment's earlier blocks too, but never to the one
    // right before it; in others the newest is withheld from the segment's first block.
    const uint64_t area = lane == run.lane ? p.window + column - 1 : p.window - (column == 0);
    const uint64_t x = ((word & 0xffffffff) * (word & 0xffffffff)) >> 32;
    const uint64_t back = (area * x) >> 32;
    uint64_t at = p.window_start + area - 1 - back;
    if (at >= p.lane_blocks) at -= p.lane_blocks;
    return run.memory + (lane * p.lane_blocks + at) * kFillBlockBytes;
}

/// How far ahead of its use the block that will be overwritten is fetched: the reference block is
/// the only one that a run should have to wait for.
constexpr uint64_t kFillAheadBytes = 4 * kFillBlockBytes;

/// The block before column `column` of the segment: the lane is a ring.
inline uint8_t* fill_previous(const FillPlace& p, uint64_t column) {
    const uint64_t at = p.segment_start + column;
    return p.own + (at == 0 ? p.lane_blocks - 1 : at - 1) * kFillBlockBytes;
}

}  // namespace
}  // namespace holdfast
