// SHA-256 of 16 messages at once with AVX-512.
#if defined(__x86_64__)

#include <immintrin.h>
#include <stdint.h>

namespace holdfast {
namespace {

using Vector = __m512i;
constexpr unsigned kLanes = 16;

inline Vector splat(uint32_t x) { return _mm512_set1_epi32(static_cast<int>(x)); }
inline Vector add(Vector x, Vector y) { return _mm512_add_epi32(x, y); }
inline Vector xor3(Vector x, Vector y, Vector z) {
    return _mm512_ternarylogic_epi32(x, y, z, 0x96);
}
inline Vector choose(Vector e, Vector f, Vector g) {
    return _mm512_ternarylogic_epi32(e, f, g, 0xca);
}
inline Vector majority(Vector a, Vector b, Vector c) {
    return _mm512_ternarylogic_epi32(a, b, c, 0xe8);
}
inline Vector big_sigma_0(Vector x) {
    return xor3(_mm512_ror_epi32(x, 2), _mm512_ror_epi32(x, 13), _mm512_ror_epi32(x, 22));
}
inline Vector big_sigma_1(Vector x) {
    return xor3(_mm512_ror_epi32(x, 6), _mm512_ror_epi32(x, 11), _mm512_ror_epi32(x, 25));
}
inline Vector small_sigma_0(Vector x) {
    return xor3(_mm512_ror_epi32(x, 7), _mm512_ror_epi32(x, 18), _mm512_srli_epi32(x, 3));
}
inline Vector small_sigma_1(Vector x) {
    return xor3(_mm512_ror_epi32(x, 17), _mm512_ror_epi32(x, 19), _mm512_srli_epi32(x, 10));
}

}  // namespace
}  // namespace holdfast

#include "core/sha256_lanes.hpp"

namespace holdfast {
namespace {

inline Vector swap_bytes(Vector x) {
    const __m512i order =
        _mm512_broadcast_i32x4(_mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
    return _mm512_shuffle_epi8(x, order);
}

/// Four vectors, transposed within each 128-bit lane.
inline void transpose_4(Vector& x0, Vector& x1, Vector& x2, Vector& x3) {
    const Vector low01 = _mm512_unpacklo_epi32(x0, x1);
    const Vector high01 = _mm512_unpackhi_epi32(x0, x1);
    const Vector low23 = _mm512_unpacklo_epi32(x2, x3);
    const Vector high23 = _mm512_unpackhi_epi32(x2, x3);
    x0 = _mm512_unpacklo_epi64(low01, low23);
    x1 = _mm512_unpackhi_epi64(low01, low23);
    x2 = _mm512_unpacklo_epi64(high01, high23);
    x3 = _mm512_unpackhi_epi64(high01, high23);
}

/// Transposes the 128-bit lanes of four vectors.
inline void transpose_lanes(Vector& x0, Vector& x1, Vector& x2, Vector& x3) {
    const Vector low01 = _mm512_shuffle_i32x4(x0, x1, 0x44);
    const Vector high01 = _mm512_shuffle_i32x4(x0, x1, 0xee);
    const Vector low23 = _mm512_shuffle_i32x4(x2, x3, 0x44);
    const Vector high23 = _mm512_shuffle_i32x4(x2, x3, 0xee);
    x0 = _mm512_shuffle_i32x4(low01, low23, 0x88);
    x1 = _mm512_shuffle_i32x4(low01, low23, 0xdd);
    x2 = _mm512_shuffle_i32x4(high01, high23, 0x88);
    x3 = _mm512_shuffle_i32x4(high01, high23, 0xdd);
}

/// 16 messages' blocks, one in each vector, to word i of all in w[i].
inline void transpose(Vector* w) {
    for (unsigned i = 0; i < 16; i += 4) transpose_4(w[i], w[i + 1], w[i + 2], w[i + 3]);
    // Vector 4 q + i now has words i, 4 + i, 8 + i, 12 + i of messages 4 q … 4 q + 3 in its lanes.
    for (unsigned i = 0; i < 4; ++i) transpose_lanes(w[i], w[i + 4], w[i + 8], w[i + 12]);
}

/// The block of all lanes. Bytes that are not the message's are not read: masked loads do not
/// fault.
inline void load_blocks(const Sha256Run& run, const uint8_t* const* messages, uint64_t block,
                        Vector* w) {
    const Sha256Part part = sha256_part(run, block);
    alignas(64) uint8_t padding[kSha256BlockBytes];
    sha256_padding(run, block, padding);
    const Vector constant = _mm512_load_si512(padding);
    const __mmask64 own = part.count == 0 ? 0 : (~uint64_t{0} >> (64 - part.count)) << part.from;
    for (unsigned i = 0; i < kLanes; ++i) {
        // Where the block would start in memory; the first bytes may lie before the message.
        const uintptr_t at = reinterpret_cast<uintptr_t>(messages[i]) + part.at - part.from;
        w[i] = _mm512_or_si512(constant,
                               // NOLINTNEXTLINE(performance-no-int-to-ptr): no object is there
                               _mm512_maskz_loadu_epi8(own, reinterpret_cast<const void*>(at)));
    }
    for (unsigned i = 0; i < 16; ++i) w[i] = swap_bytes(w[i]);
    transpose(w);
}

inline void store_digests(State s, uint8_t* out, uint64_t count) {
    transpose_4(s.a, s.b, s.c, s.d);
    transpose_4(s.e, s.f, s.g, s.h);
    const Vector first[4] = {s.a, s.b, s.c, s.d};
    const Vector second[4] = {s.e, s.f, s.g, s.h};
    alignas(64) uint8_t digests[kLanes * 32];
    for (unsigned i = 0; i < 4; ++i) {
        const Vector x = swap_bytes(first[i]);
        const Vector y = swap_bytes(second[i]);
        // Lane q of x and y is the digest of message 4 q + i.
        __m128i* d = reinterpret_cast<__m128i*>(digests) + size_t{2} * i;
        _mm_store_si128(d, _mm512_extracti32x4_epi32(x, 0));
        _mm_store_si128(d + 1, _mm512_extracti32x4_epi32(y, 0));
        _mm_store_si128(d + 8, _mm512_extracti32x4_epi32(x, 1));
        _mm_store_si128(d + 9, _mm512_extracti32x4_epi32(y, 1));
        _mm_store_si128(d + 16, _mm512_extracti32x4_epi32(x, 2));
        _mm_store_si128(d + 17, _mm512_extracti32x4_epi32(y, 2));
        _mm_store_si128(d + 24, _mm512_extracti32x4_epi32(x, 3));
        _mm_store_si128(d + 25, _mm512_extracti32x4_epi32(y, 3));
    }
    memcpy(out, digests, (count < kLanes ? count : kLanes) * 32);
}

}  // namespace

void sha256_run_avx512(const Sha256Run& run) {
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
