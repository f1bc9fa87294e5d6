// The fill with NEON, which every aarch64 CPU has: a block is 64 vectors of two words.
#if defined(__aarch64__)

#include <arm_neon.h>
#include <stdint.h>

#include "core/fill_kernel.hpp"

namespace holdfast {
namespace {

using Vector = uint64x2_t;
constexpr unsigned kVectors = 64;

/// Four vectors of words that G mixes: half a row, or half a column.
struct Quad {
    Vector a, b, c, d;
};

inline Vector multiply_add(Vector a, Vector b) {
    const Vector product = vmull_u32(vmovn_u64(a), vmovn_u64(b));
    return vaddq_u64(vaddq_u64(vaddq_u64(a, b), product), product);
}

inline Vector rotate_32(Vector x) {
    return vreinterpretq_u64_u32(vrev64q_u32(vreinterpretq_u32_u64(x)));
}

template <int bits>
inline Vector rotate(Vector x) {
    return vsriq_n_u64(vshlq_n_u64(x, 64 - bits), x, bits);
}

/// Two G at once, in step, so that one's multiplications hide the other's latency.
inline void mix(Quad& x, Quad& y) {
    x.a = multiply_add(x.a, x.b);
    y.a = multiply_add(y.a, y.b);
    x.d = rotate_32(veorq_u64(x.d, x.a));
    y.d = rotate_32(veorq_u64(y.d, y.a));
    x.c = multiply_add(x.c, x.d);
    y.c = multiply_add(y.c, y.d);
    x.b = rotate<24>(veorq_u64(x.b, x.c));
    y.b = rotate<24>(veorq_u64(y.b, y.c));
    x.a = multiply_add(x.a, x.b);
    y.a = multiply_add(y.a, y.b);
    x.d = rotate<16>(veorq_u64(x.d, x.a));
    y.d = rotate<16>(veorq_u64(y.d, y.a));
    x.c = multiply_add(x.c, x.d);
    y.c = multiply_add(y.c, y.d);
    x.b = rotate<63>(veorq_u64(x.b, x.c));
    y.b = rotate<63>(veorq_u64(y.b, y.c));
}

/// P on the row or column whose eight vectors are `stride` apart.
inline void permute(Vector* v, unsigned stride) {
    Quad x{v[0], v[2 * stride], v[4 * stride], v[6 * stride]};
    Quad y{v[stride], v[3 * stride], v[5 * stride], v[7 * stride]};
    mix(x, y);
    Quad s{x.a, vextq_u64(x.b, y.b, 1), y.c, vextq_u64(y.d, x.d, 1)};
    Quad t{y.a, vextq_u64(y.b, x.b, 1), x.c, vextq_u64(x.d, y.d, 1)};
    mix(s, t);
    v[0] = s.a;
    v[stride] = t.a;
    v[2 * stride] = vextq_u64(t.b, s.b, 1);
    v[3 * stride] = vextq_u64(s.b, t.b, 1);
    v[4 * stride] = t.c;
    v[5 * stride] = s.c;
    v[6 * stride] = vextq_u64(s.d, t.d, 1);
    v[7 * stride] = vextq_u64(t.d, s.d, 1);
}

// Words are little-endian in memory: bytes are loaded as bytes.
inline Vector load(const uint8_t* block, unsigned i) {
    return vreinterpretq_u64_u8(vld1q_u8(block + 16 * i));
}

inline void prefetch_to_read(const uint8_t* block) {
    for (unsigned i = 0; i < kFillBlockBytes; i += 64) __builtin_prefetch(block + i, 0);
}

inline void prefetch_to_write(const uint8_t* block) {
    for (unsigned i = 0; i < kFillBlockBytes; i += 64) __builtin_prefetch(block + i, 1);
}

/// Permutes column `column` of the state and writes its vectors.
inline void finish_column(Vector* v, const Vector* kept, uint8_t* out, unsigned column) {
    permute(v + column, 8);
    for (unsigned i = column; i < kVectors; i += 8) {
        v[i] = veorq_u64(v[i], kept[i]);
        vst1q_u8(out + 16 * i, vreinterpretq_u8_u64(v[i]));
    }
}

}  // namespace

void fill_run_neon(const FillRun& run) {
    const FillPlace place = fill_place(run);
    Vector v[kVectors];     // the block before
    Vector kept[kVectors];  // what the permuted block is XORed with
    const uint8_t* previous = fill_previous(place, run.first);
    for (unsigned i = 0; i < kVectors; ++i) v[i] = load(previous, i);
    const uint8_t* reference = fill_reference(run, place, run.first, vgetq_lane_u64(v[0], 0));
    uint8_t* out = place.own + (place.segment_start + run.first) * kFillBlockBytes;

    for (uint64_t column = run.first; column < run.end; ++column, out += kFillBlockBytes) {
        for (unsigned i = 0; i < kVectors; ++i) {
            v[i] = veorq_u64(v[i], load(reference, i));
            kept[i] = run.first_pass ? v[i] : veorq_u64(v[i], load(out, i));
        }
        prefetch_to_write(out + kFillAheadBytes);
        for (unsigned i = 0; i < kVectors; i += 8) permute(v + i, 1);
        finish_column(v, kept, out, 0);
        // The new block's first word names the next reference: ask for it while the other columns
        // are still to do.
        if (column + 1 < run.end) {
            reference = fill_reference(run, place, column + 1, vgetq_lane_u64(v[0], 0));
            prefetch_to_read(reference);
        }
        for (unsigned i = 1; i < 8; ++i) finish_column(v, kept, out, i);
    }
}

}  // namespace holdfast

#endif
