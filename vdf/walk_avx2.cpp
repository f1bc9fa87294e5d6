// The walk with AVX2: one state in 128-bit rows, or two pairs in 256-bit rows.
#if defined(__x86_64__)

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#include "vdf/walk_impl.h"
#include "vdf/walk_rows.h"

namespace holdfast {
namespace {

inline __m128i load(const void* from) { return _mm_load_si128(static_cast<const __m128i*>(from)); }

inline void save(void* to, __m128i v) { _mm_store_si128(static_cast<__m128i*>(to), v); }

// Rotations by whole bytes are one shuffle: where byte i of each word comes from.
inline __m128i byte_order(int n) {
    return n == 16 ? _mm_set_epi8(13, 12, 15, 14, 9, 8, 11, 10, 5, 4, 7, 6, 1, 0, 3, 2)
                   : _mm_set_epi8(14, 13, 12, 15, 10, 9, 8, 11, 6, 5, 4, 7, 2, 1, 0, 3);
}

// Word i of the result is word (i + n) mod 4: as an immediate operand, at every optimisation level.
template <int n>
constexpr int kTurn = n % 4 | (n + 1) % 4 << 2 | (n + 2) % 4 << 4 | (n + 3) % 4 << 6;

struct OneState {
    using Vector = __m128i;
    static constexpr size_t kStates = 1;

    static Vector add(Vector x, Vector y) { return _mm_add_epi32(x, y); }
    static Vector exclusive_or(Vector x, Vector y) { return _mm_xor_si128(x, y); }
    template <int n>
    static Vector rotate(Vector x) {
        if (n == 16 || n == 8) return _mm_shuffle_epi8(x, byte_order(n));
        return _mm_or_si128(_mm_slli_epi32(x, n), _mm_srli_epi32(x, 32 - n));
    }
    template <int n>
    static Vector turn(Vector x) {
        return _mm_shuffle_epi32(x, kTurn<n>);
    }
    static uint32_t first(Vector x) { return static_cast<uint32_t>(_mm_cvtsi128_si32(x)); }
    static void store(uint32_t* out, Vector x) { save(out, x); }

    static void read_lines(Rows<OneState>& r, const uint8_t* const* lines) {
        r = {load(lines[0]), load(lines[0] + 16), load(lines[0] + 32), load(lines[0] + 48)};
    }
    static void read_states(Rows<OneState>& r, uint32_t* const* states) {
        r = {load(states[0]), load(states[0] + 4), load(states[0] + 8), load(states[0] + 12)};
    }
    static void write_states(uint32_t* const* states, const Rows<OneState>& r) {
        save(states[0], r.a);
        save(states[0] + 4, r.b);
        save(states[0] + 8, r.c);
        save(states[0] + 12, r.d);
    }
};

struct TwoStates {
    using Vector = __m256i;
    static constexpr size_t kStates = 2;

    static Vector add(Vector x, Vector y) { return _mm256_add_epi32(x, y); }
    static Vector exclusive_or(Vector x, Vector y) { return _mm256_xor_si256(x, y); }
    template <int n>
    static Vector rotate(Vector x) {
        if (n == 16 || n == 8) {
            return _mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(byte_order(n)));
        }
        return _mm256_or_si256(_mm256_slli_epi32(x, n), _mm256_srli_epi32(x, 32 - n));
    }
    template <int n>
    static Vector turn(Vector x) {
        return _mm256_shuffle_epi32(x, kTurn<n>);
    }
    static void store(uint32_t* out, Vector x) {
        _mm256_store_si256(reinterpret_cast<__m256i*>(out), x);
    }

    static Vector pair(const void* x, const void* y) {
        return _mm256_inserti128_si256(_mm256_castsi128_si256(load(x)), load(y), 1);
    }
    static void read_lines(Rows<TwoStates>& r, const uint8_t* const* lines) {
        const uint8_t* x = lines[0];
        const uint8_t* y = lines[1];
        r = {pair(x, y), pair(x + 16, y + 16), pair(x + 32, y + 32), pair(x + 48, y + 48)};
    }
    static void read_states(Rows<TwoStates>& r, uint32_t* const* states) {
        const uint32_t* x = states[0];
        const uint32_t* y = states[1];
        r = {pair(x, y), pair(x + 4, y + 4), pair(x + 8, y + 8), pair(x + 12, y + 12)};
    }
    static void write_row(uint32_t* const* states, size_t word, Vector row) {
        save(states[0] + word, _mm256_castsi256_si128(row));
        save(states[1] + word, _mm256_extracti128_si256(row, 1));
    }
    static void write_states(uint32_t* const* states, const Rows<TwoStates>& r) {
        write_row(states, 0, r.a);
        write_row(states, 4, r.b);
        write_row(states, 8, r.c);
        write_row(states, 12, r.d);
    }
};

}  // namespace

void walk_avx2(const uint8_t* arena, uint64_t mask, uint32_t* states, size_t count,
               uint64_t steps) {
    walk_any<OneState, Twice<TwoStates>>(arena, mask, states, count, steps);
}

}  // namespace holdfast
#endif
