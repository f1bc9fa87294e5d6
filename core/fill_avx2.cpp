// The fill with AVX2: a block is 32 vectors, word i of it lane i % 4 of vector i / 4. They live in
// memory (L1), eight at a time in registers.
#if defined(__x86_64__)

#include <immintrin.h>
#include <stdint.h>

#include "core/fill_kernel.hpp"

namespace holdfast {
namespace {

constexpr unsigned kVectors = 32;

/// Four vectors of words that G mixes: a row, or half of each of 2 columns.
struct Quad {
    __m256i a, b, c, d;
};

inline __m256i multiply_add(__m256i a, __m256i b) {
    const __m256i product = _mm256_mul_epu32(a, b);
    return _mm256_add_epi64(_mm256_add_epi64(_mm256_add_epi64(a, b), product), product);
}

inline __m256i rotate_32(__m256i x) { return _mm256_shuffle_epi32(x, 0xb1); }

inline __m256i rotate_24(__m256i x) {
    const __m256i bytes = _mm256_setr_epi8(3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10, 3,
                                           4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10);
    return _mm256_shuffle_epi8(x, bytes);
}

inline __m256i rotate_16(__m256i x) {
    const __m256i bytes = _mm256_setr_epi8(2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9, 2,
                                           3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9);
    return _mm256_shuffle_epi8(x, bytes);
}

inline __m256i rotate_63(__m256i x) {
    return _mm256_or_si256(_mm256_add_epi64(x, x), _mm256_srli_epi64(x, 63));
}

/// Two G at once, in step, so that one's multiplications hide the other's latency.
inline void mix(Quad& x, Quad& y) {
    x.a = multiply_add(x.a, x.b);
    y.a = multiply_add(y.a, y.b);
    x.d = rotate_32(_mm256_xor_si256(x.d, x.a));
    y.d = rotate_32(_mm256_xor_si256(y.d, y.a));
    x.c = multiply_add(x.c, x.d);
    y.c = multiply_add(y.c, y.d);
    x.b = rotate_24(_mm256_xor_si256(x.b, x.c));
    y.b = rotate_24(_mm256_xor_si256(y.b, y.c));
    x.a = multiply_add(x.a, x.b);
    y.a = multiply_add(y.a, y.b);
    x.d = rotate_16(_mm256_xor_si256(x.d, x.a));
    y.d = rotate_16(_mm256_xor_si256(y.d, y.a));
    x.c = multiply_add(x.c, x.d);
    y.c = multiply_add(y.c, y.d);
    x.b = rotate_63(_mm256_xor_si256(x.b, x.c));
    y.b = rotate_63(_mm256_xor_si256(y.b, y.c));
}

inline void turn_row(Quad& q) {
    q.b = _mm256_permute4x64_epi64(q.b, 0x39);
    q.c = _mm256_permute4x64_epi64(q.c, 0x4e);
    q.d = _mm256_permute4x64_epi64(q.d, 0x93);
}

inline void turn_row_back(Quad& q) {
    q.b = _mm256_permute4x64_epi64(q.b, 0x93);
    q.c = _mm256_permute4x64_epi64(q.c, 0x4e);
    q.d = _mm256_permute4x64_epi64(q.d, 0x39);
}

/// P on two rows: vectors v[0..7].
inline void permute_rows(__m256i* v) {
    Quad x{v[0], v[1], v[2], v[3]};
    Quad y{v[4], v[5], v[6], v[7]};
    mix(x, y);
    turn_row(x);
    turn_row(y);
    mix(x, y);
    turn_row_back(x);
    turn_row_back(y);
    v[0] = x.a;
    v[1] = x.b;
    v[2] = x.c;
    v[3] = x.d;
    v[4] = y.a;
    v[5] = y.b;
    v[6] = y.c;
    v[7] = y.d;
}

/// P on two columns, one in each 128-bit lane of vectors v[0], v[4], … v[28].
inline void permute_columns(__m256i* v) {
    Quad x{v[0], v[8], v[16], v[24]};
    Quad y{v[4], v[12], v[20], v[28]};
    mix(x, y);
    Quad s{x.a, _mm256_alignr_epi8(y.b, x.b, 8), y.c, _mm256_alignr_epi8(x.d, y.d, 8)};
    Quad t{y.a, _mm256_alignr_epi8(x.b, y.b, 8), x.c, _mm256_alignr_epi8(y.d, x.d, 8)};
    mix(s, t);
    v[0] = s.a;
    v[4] = t.a;
    v[8] = _mm256_alignr_epi8(s.b, t.b, 8);
    v[12] = _mm256_alignr_epi8(t.b, s.b, 8);
    v[16] = t.c;
    v[20] = s.c;
    v[24] = _mm256_alignr_epi8(t.d, s.d, 8);
    v[28] = _mm256_alignr_epi8(s.d, t.d, 8);
}

inline uint64_t first_word(__m256i v) {
    return static_cast<uint64_t>(_mm_cvtsi128_si64(_mm256_castsi256_si128(v)));
}

inline __m256i load(const uint8_t* block, unsigned i) {
    return _mm256_load_si256(reinterpret_cast<const __m256i*>(block) + i);
}

inline void prefetch_to_read(const uint8_t* block) {
    for (unsigned i = 0; i < kFillBlockBytes; i += 64) __builtin_prefetch(block + i, 0);
}

inline void prefetch_to_write(const uint8_t* block) {
    for (unsigned i = 0; i < kFillBlockBytes; i += 64) __builtin_prefetch(block + i, 1);
}

/// Vectors v[q], v[q+4], … v[q+28]: permutes their columns and writes them.
inline void finish_columns(__m256i* v, const __m256i* kept, uint8_t* out, unsigned q) {
    permute_columns(v + q);
    for (unsigned i = q; i < kVectors; i += 4) {
        v[i] = _mm256_xor_si256(v[i], kept[i]);
        _mm256_store_si256(reinterpret_cast<__m256i*>(out) + i, v[i]);
    }
}

}  // namespace

void fill_run_avx2(const FillRun& run) {
    const FillPlace place = fill_place(run);
    __m256i v[kVectors];     // the block before
    __m256i kept[kVectors];  // what the permuted block is XORed with
    const uint8_t* previous = fill_previous(place, run.first);
    for (unsigned i = 0; i < kVectors; ++i) v[i] = load(previous, i);
    const uint8_t* reference = fill_reference(run, place, run.first, first_word(v[0]));
    uint8_t* out = place.own + (place.segment_start + run.first) * kFillBlockBytes;

    for (uint64_t column = run.first; column < run.end; ++column, out += kFillBlockBytes) {
        for (unsigned i = 0; i < kVectors; ++i) {
            v[i] = _mm256_xor_si256(v[i], load(reference, i));
            kept[i] = run.first_pass ? v[i] : _mm256_xor_si256(v[i], load(out, i));
        }
        prefetch_to_write(out + kFillAheadBytes);
        for (unsigned i = 0; i < kVectors; i += 8) permute_rows(v + i);
        finish_columns(v, kept, out, 0);
        // The new block's first word names the next reference: ask for it while three quarters of
        // the columns are still to do.
        if (column + 1 < run.end) {
            reference = fill_reference(run, place, column + 1, first_word(v[0]));
            prefetch_to_read(reference);
        }
        for (unsigned q = 1; q < 4; ++q) finish_columns(v, kept, out, q);
    }
}

}  // namespace holdfast

#endif
