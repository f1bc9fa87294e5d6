// SHA-256 of 8 messages at once with AVX2.
#if defined(__x86_64__)

#include <immintrin.h>
#include <stdint.h>

namespace holdfast {
namespace {

using Vector = __m256i;
constexpr unsigned kLanes = 8;

inline Vector splat(uint32_t x) { return _mm256_set1_epi32(static_cast<int>(x)); }
inline Vector add(Vector x, Vector y) { return _mm256_add_epi32(x, y); }
inline Vector xor3(Vector x, Vector y, Vector z) {
    return _mm256_xor_si256(_mm256_xor_si256(x, y), z);
}
inline Vector choose(Vector e, Vector f, Vector g) {
    return _mm256_xor_si256(g, _mm256_and_si256(e, _mm256_xor_si256(f, g)));
}
inline Vector majority(Vector a, Vector b, Vector c) {
    return _mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(c, _mm256_or_si256(a, b)));
}
inline Vector rotate(Vector x, int n) {
    return _mm256_or_si256(_mm256_srli_epi32(x, n), _mm256_slli_epi32(x, 32 - n));
}
inline Vector big_sigma_0(Vector x) { return xor3(rotate(x, 2), rotate(x, 13), rotate(x, 22)); }
inline Vector big_sigma_1(Vector x) { return xor3(rotate(x, 6), rotate(x, 11), rotate(x, 25)); }
inline Vector small_sigma_0(Vector x) {
    return xor3(rotate(x, 7), rotate(x, 18), _mm256_srli_epi32(x, 3));
}
inline Vector small_sigma_1(Vector x) {
    return xor3(rotate(x, 17), rotate(x, 19), _mm256_srli_epi32(x, 10));
}

}  // namespace
}  // namespace holdfast

#include "core/sha256_lanes.hpp"

namespace holdfast {
namespace {

inline Vector swap_bytes(Vector x) {
    const __m256i order = _mm256_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 3,
                                           2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
    return _mm256_shuffle_epi8(x, order);
}

/// Four vectors, transposed within each 128-bit lane.
inline void transpose_4(Vector& x0, Vector& x1, Vector& x2, Vector& x3) {
    const Vector low01 = _mm256_unpacklo_epi32(x0, x1);
    const Vector high01 = _mm256_unpackhi_epi32(x0, x1);
    const Vector low23 = _mm256_unpacklo_epi32(x2, x3);
    const Vector high23 = _mm256_unpackhi_epi32(x2, x3);
    x0 = _mm256_unpacklo_epi64(low01, low23);
    x1 = _mm256_unpackhi_epi64(low01, low23);
    x2 = _mm256_unpacklo_epi64(high01, high23);
    x3 = _mm256_unpackhi_epi64(high01, high23);
}

inline void swap_halves(Vector& x, Vector& y) {
    const Vector low = _mm256_permute2x128_si256(x, y, 0x20);
    y = _mm256_permute2x128_si256(x, y, 0x31);
    x = low;
}

/// Half a block of 8 messages, one in each vector, to word i of all in w[i].
inline void transpose_8(Vector* w) {
    transpose_4(w[0], w[1], w[2], w[3]);
    transpose_4(w[4], w[5], w[6], w[7]);
    for (unsigned i = 0; i < 4; ++i) swap_halves(w[i], w[i + 4]);
}

inline void load_blocks(const Sha256Run& run, const uint8_t* const* messages, uint64_t block,
                        Vector* w) {
    const Sha256Part part = sha256_part(run, block);
    uint8_t buffer[kSha256BlockBytes];
    if (part.count < kSha256BlockBytes) sha256_padding(run, block, buffer);
    for (unsigned i = 0; i < kLanes; ++i) {
        const __m256i* p =
            reinterpret_cast<const __m256i*>(sha256_block(messages[i], part, buffer));
        w[i] = swap_bytes(_mm256_loadu_si256(p));
        w[8 + i] = swap_bytes(_mm256_loadu_si256(p + 1));
    }
    transpose_8(w);
    transpose_8(w + 8);
}

inline void store_digests(const State& s, uint8_t* out, uint64_t count) {
    Vector d[kLanes] = {s.a, s.b, s.c, s.d, s.e, s.f, s.g, s.h};
    transpose_8(d);
    for (unsigned i = 0; i < kLanes && i < count; ++i) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + size_t{32} * i), swap_bytes(d[i]));
    }
}

}  // namespace

void sha256_run_avx2(const Sha256Run& run) {
    const uint64_t blocks = sha256_blocks(run);
    for (uint64_t first = 0; first < run.count; first += kLanes) {
        const uint64_t left = run.count - first;
        const uint8_t* messages[kLanes];
        for (unsigned i = 0; i < kLanes; ++i) {
            // Lanes without a message repeat the last one.
            messages[i] = run.data + (first + (i < left ? i : left - 1)) * run.stride_bytes;
        }
        State state = start_state();
        for (uint64_t block = 0; block < blocks; ++block) {
            Vector w[16];
            load_blocks(run, messages, block, w);
            compress(state, w);
        }
        store_digests(state, run.out + 32 * first, left);
    }
}

}  // namespace holdfast

#endif
