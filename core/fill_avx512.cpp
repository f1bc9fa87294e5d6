// The fill with AVX-512: a block is 16 registers, word i of it lane i % 8 of register i / 8.
#if defined(__x86_64__)

#include <immintrin.h>
#include <stdint.h>

#include "core/fill_kernel.hpp"

namespace holdfast {
namespace {

constexpr unsigned kRegisters = 16;

/// Four vectors of words that G mixes: 2 rows at a time, or half of each of 4 columns.
struct Quad {
    __m512i a, b, c, d;
};

inline __m512i multiply_add(__m512i a, __m512i b) {
    const __m512i product = _mm512_mul_epu32(a, b);
    return _mm512_add_epi64(_mm512_add_epi64(_mm512_add_epi64(a, b), product), product);
}

inline void mix(Quad& x, Quad& y) {
    x.a = multiply_add(x.a, x.b);
    y.a = multiply_add(y.a, y.b);
    x.d = _mm512_ror_epi64(_mm512_xor_si512(x.d, x.a), 32);
    y.d = _mm512_ror_epi64(_mm512_xor_si512(y.d, y.a), 32);
    x.c = multiply_add(x.c, x.d);
    y.c = multiply_add(y.c, y.d);
    x.b = _mm512_ror_epi64(_mm512_xor_si512(x.b, x.c), 24);
    y.b = _mm512_ror_epi64(_mm512_xor_si512(y.b, y.c), 24);
    x.a = multiply_add(x.a, x.b);
    y.a = multiply_add(y.a, y.b);
    x.d = _mm512_ror_epi64(_mm512_xor_si512(x.d, x.a), 16);
    y.d = _mm512_ror_epi64(_mm512_xor_si512(y.d, y.a), 16);
    x.c = multiply_add(x.c, x.d);
    y.c = multiply_add(y.c, y.d);
    x.b = _mm512_ror_epi64(_mm512_xor_si512(x.b, x.c), 63);
    y.b = _mm512_ror_epi64(_mm512_xor_si512(y.b, y.c), 63);
}

inline void mix(Quad& x, Quad& y, Quad& z, Quad& w) {
    x.a = multiply_add(x.a, x.b);
    y.a = multiply_add(y.a, y.b);
    z.a = multiply_add(z.a, z.b);
    w.a = multiply_add(w.a, w.b);
    x.d = _mm512_ror_epi64(_mm512_xor_si512(x.d, x.a), 32);
    y.d = _mm512_ror_epi64(_mm512_xor_si512(y.d, y.a), 32);
    z.d = _mm512_ror_epi64(_mm512_xor_si512(z.d, z.a), 32);
    w.d = _mm512_ror_epi64(_mm512_xor_si512(w.d, w.a), 32);
    x.c = multiply_add(x.c, x.d);
    y.c = multiply_add(y.c, y.d);
    z.c = multiply_add(z.c, z.d);
    w.c = multiply_add(w.c, w.d);
    x.b = _mm512_ror_epi64(_mm512_xor_si512(x.b, x.c), 24);
    y.b = _mm512_ror_epi64(_mm512_xor_si512(y.b, y.c), 24);
    z.b = _mm512_ror_epi64(_mm512_xor_si512(z.b, z.c), 24);
    w.b = _mm512_ror_epi64(_mm512_xor_si512(w.b, w.c), 24);
    x.a = multiply_add(x.a, x.b);
    y.a = multiply_add(y.a, y.b);
    z.a = multiply_add(z.a, z.b);
    w.a = multiply_add(w.a, w.b);
    x.d = _mm512_ror_epi64(_mm512_xor_si512(x.d, x.a), 16);
    y.d = _mm512_ror_epi64(_mm512_xor_si512(y.d, y.a), 16);
    z.d = _mm512_ror_epi64(_mm512_xor_si512(z.d, z.a), 16);
    w.d = _mm512_ror_epi64(_mm512_xor_si512(w.d, w.a), 16);
    x.c = multiply_add(x.c, x.d);
    y.c = multiply_add(y.c, y.d);
    z.c = multiply_add(z.c, z.d);
    w.c = multiply_add(w.c, w.d);
    x.b = _mm512_ror_epi64(_mm512_xor_si512(x.b, x.c), 63);
    y.b = _mm512_ror_epi64(_mm512_xor_si512(y.b, y.c), 63);
    z.b = _mm512_ror_epi64(_mm512_xor_si512(z.b, z.c), 63);
    w.b = _mm512_ror_epi64(_mm512_xor_si512(w.b, w.c), 63);
}

/// Rows r and r+1 (registers v[0..3]) as a quad: one row in each half of every vector.
inline Quad gather_rows(const __m512i* v) {
    return {_mm512_shuffle_i64x2(v[0], v[2], 0x44), _mm512_shuffle_i64x2(v[0], v[2], 0xee),
            _mm512_shuffle_i64x2(v[1], v[3], 0x44), _mm512_shuffle_i64x2(v[1], v[3], 0xee)};
}

/// Turns the 4 words of b, c, d in each half so that diagonals stand above one another.
inline void turn_rows(Quad& q) {
    q.b = _mm512_permutex_epi64(q.b, 0x39);
    q.c = _mm512_permutex_epi64(q.c, 0x4e);
    q.d = _mm512_permutex_epi64(q.d, 0x93);
}

/// Undoes turn_rows and gather_rows in one step.
inline void scatter_rows(const Quad& q, __m512i* v) {
    const __m512i low_ab = _mm512_setr_epi64(0, 1, 2, 3, 11, 8, 9, 10);
    const __m512i high_ab = _mm512_setr_epi64(4, 5, 6, 7, 15, 12, 13, 14);
    const __m512i low_cd = _mm512_setr_epi64(2, 3, 0, 1, 9, 10, 11, 8);
    const __m512i high_cd = _mm512_setr_epi64(6, 7, 4, 5, 13, 14, 15, 12);
    v[0] = _mm512_permutex2var_epi64(q.a, low_ab, q.b);
    v[1] = _mm512_permutex2var_epi64(q.c, low_cd, q.d);
    v[2] = _mm512_permutex2var_epi64(q.a, high_ab, q.b);
    v[3] = _mm512_permutex2var_epi64(q.c, high_cd, q.d);
}

/// P on all eight rows.
inline void permute_rows(__m512i* v) {
    Quad x = gather_rows(v);
    Quad y = gather_rows(v + 4);
    Quad z = gather_rows(v + 8);
    Quad w = gather_rows(v + 12);
    mix(x, y, z, w);
    turn_rows(x);
    turn_rows(y);
    turn_rows(z);
    turn_rows(w);
    mix(x, y, z, w);
    scatter_rows(x, v);
    scatter_rows(y, v + 4);
    scatter_rows(z, v + 8);
    scatter_rows(w, v + 12);
}

/// P on four columns, one in each 128-bit lane of registers v[0], v[2], … v[14].
inline void permute_columns(__m512i* v) {
    Quad x{v[0], v[4], v[8], v[12]};
    Quad y{v[2], v[6], v[10], v[14]};
    mix(x, y);
    Quad s{x.a, _mm512_alignr_epi8(y.b, x.b, 8), y.c, _mm512_alignr_epi8(x.d, y.d, 8)};
    Quad t{y.a, _mm512_alignr_epi8(x.b, y.b, 8), x.c, _mm512_alignr_epi8(y.d, x.d, 8)};
    mix(s, t);
    v[0] = s.a;
    v[2] = t.a;
    v[4] = _mm512_alignr_epi8(s.b, t.b, 8);
    v[6] = _mm512_alignr_epi8(t.b, s.b, 8);
    v[8] = t.c;
    v[10] = s.c;
    v[12] = _mm512_alignr_epi8(t.d, s.d, 8);
    v[14] = _mm512_alignr_epi8(s.d, t.d, 8);
}

inline uint64_t first_word(__m512i v) {
    return static_cast<uint64_t>(_mm_cvtsi128_si64(_mm512_castsi512_si128(v)));
}

inline void prefetch_to_read(const uint8_t* block) {
    for (size_t i = 0; i < kRegisters; ++i) __builtin_prefetch(block + 64 * i, 0);
}

inline void prefetch_to_write(const uint8_t* block) {
    for (size_t i = 0; i < kRegisters; ++i) __builtin_prefetch(block + 64 * i, 1);
}

}  // namespace

void fill_run_avx512(const FillRun& run) {
    const FillPlace place = fill_place(run);
    __m512i v[kRegisters];     // the block before
    __m512i kept[kRegisters];  // what the permuted block is XORed with
    const uint8_t* previous = fill_previous(place, run.first);
    for (size_t i = 0; i < kRegisters; ++i) v[i] = _mm512_load_si512(previous + 64 * i);
    const uint8_t* reference = fill_reference(run, place, run.first, first_word(v[0]));
    uint8_t* out = place.own + (place.segment_start + run.first) * kFillBlockBytes;

    for (uint64_t column = run.first; column < run.end; ++column, out += kFillBlockBytes) {
        for (size_t i = 0; i < kRegisters; ++i) {
            v[i] = _mm512_xor_si512(v[i], _mm512_load_si512(reference + 64 * i));
            kept[i] =
                run.first_pass ? v[i] : _mm512_xor_si512(v[i], _mm512_load_si512(out + 64 * i));
        }
        prefetch_to_write(out + kFillAheadBytes);
        permute_rows(v);
        permute_columns(v);
        v[0] = _mm512_xor_si512(v[0], kept[0]);
        // The new block's first word names the next reference: ask for it while the other half of
        // the columns is still to do.
        if (column + 1 < run.end) {
            reference = fill_reference(run, place, column + 1, first_word(v[0]));
            prefetch_to_read(reference);
        }
        permute_columns(v + 1);
        _mm512_store_si512(out, v[0]);
        for (size_t i = 1; i < kRegisters; ++i) {
            v[i] = _mm512_xor_si512(v[i], kept[i]);
            _mm512_store_si512(out + 64 * i, v[i]);
        }
    }
}

}  // namespace holdfast

#endif
