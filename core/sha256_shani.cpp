// SHA-256 with SHA-NI, two messages in step: one alone waits for its own rounds.
#if defined(__x86_64__)

#include <immintrin.h>
#include <stdint.h>

#include "core/sha256_kernel.hpp"

namespace holdfast {
namespace {

/// A message on its way. The instructions want the state's words as (A, B, E, F) and (C, D, G, H).
struct Stream {
    __m128i abef;
    __m128i cdgh;
};

inline __m128i load(const void* p) { return _mm_loadu_si128(static_cast<const __m128i*>(p)); }

inline Stream start_stream() {
    const uint32_t* s = kSha256Start;
    const auto word = [s](unsigned i) { return static_cast<int>(s[i]); };
    return {_mm_setr_epi32(word(5), word(4), word(1), word(0)),
            _mm_setr_epi32(word(7), word(6), word(3), word(2))};
}

inline __m128i byte_order() {
    return _mm_setr_epi8(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

inline void four_rounds(Stream& s, __m128i words, unsigned at) {
    const __m128i k = _mm_add_epi32(words, load(kSha256Constants + at));
    s.cdgh = _mm_sha256rnds2_epu32(s.cdgh, s.abef, k);
    s.abef = _mm_sha256rnds2_epu32(s.abef, s.cdgh, _mm_shuffle_epi32(k, 0x0e));
}

/// The schedule's next four words, into the place of the oldest four.
inline void extend(__m128i& w0, __m128i w1, __m128i w2, __m128i w3) {
    const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
    w0 = _mm_sha256msg2_epu32(sum, w3);
}

/// One block of each of two streams.
inline void compress(Stream& x, const uint8_t* p, Stream& y, const uint8_t* q) {
    const Stream before_x = x;
    const Stream before_y = y;
    __m128i w[4];
    __m128i v[4];
    for (unsigned i = 0; i < 4; ++i) {
        w[i] = _mm_shuffle_epi8(load(p + size_t{16} * i), byte_order());
        v[i] = _mm_shuffle_epi8(load(q + size_t{16} * i), byte_order());
        four_rounds(x, w[i], 4 * i);
        four_rounds(y, v[i], 4 * i);
    }
    for (unsigned at = 16; at < 64; at += 16) {
        for (unsigned i = 0; i < 4; ++i) {
            extend(w[i], w[(i + 1) % 4], w[(i + 2) % 4], w[(i + 3) % 4]);
            extend(v[i], v[(i + 1) % 4], v[(i + 2) % 4], v[(i + 3) % 4]);
            four_rounds(x, w[i], at + 4 * i);
            four_rounds(y, v[i], at + 4 * i);
        }
    }
    x = {_mm_add_epi32(x.abef, before_x.abef), _mm_add_epi32(x.cdgh, before_x.cdgh)};
    y = {_mm_add_epi32(y.abef, before_y.abef), _mm_add_epi32(y.cdgh, before_y.cdgh)};
}

inline void store_digest(const Stream& s, uint8_t* out) {
    const __m128i feba = _mm_shuffle_epi32(s.abef, 0x1b);  // (A, B, E, F) in memory order
    const __m128i hgdc = _mm_shuffle_epi32(s.cdgh, 0x1b);
    const __m128i abcd = _mm_unpacklo_epi64(feba, hgdc);
    const __m128i efgh = _mm_unpackhi_epi64(feba, hgdc);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_shuffle_epi8(abcd, byte_order()));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out) + 1, _mm_shuffle_epi8(efgh, byte_order()));
}

}  // namespace

void sha256_run_shani(const Sha256Run& run) {
    const uint64_t blocks = sha256_blocks(run);
    for (uint64_t i = 0; i < run.count; i += 2) {
        // The last of an odd number runs beside itself.
        const uint64_t j = i + 1 < run.count ? i + 1 : i;
        const uint8_t* p = run.data + i * run.stride_bytes;
        const uint8_t* q = run.data + j * run.stride_bytes;
        Stream x = start_stream();
        Stream y = start_stream();
        for (uint64_t block = 0; block < blocks; ++block) {
            const Sha256Part part = sha256_part(run, block);
            uint8_t buffers[2][kSha256BlockBytes];
            if (part.count < kSha256BlockBytes) {
                sha256_padding(run, block, buffers[0]);
                memcpy(buffers[1], buffers[0], kSha256BlockBytes);
            }
            compress(x, sha256_block(p, part, buffers[0]), y, sha256_block(q, part, buffers[1]));
        }
        store_digest(x, run.out + 32 * i);
        if (j != i) store_digest(y, run.out + 32 * j);
    }
}

}  // namespace holdfast

#endif
