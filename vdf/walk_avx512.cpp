// The walk with AVX-512: one state in 128-bit rows, four states in 512-bit rows.
#if defined(__x86_64__)

#if defined(__GNUC__) && !defined(__clang__)
// g++ 12 takes the don't-care operand in its own header for an uninitialised variable (GCC bug
// 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif
#include <stddef.h>
#include <stdint.h>

#include "vdf/walk_impl.h"
#include "vdf/walk_rows.h"

namespace holdfast {
namespace {

inline __m128i load(const void* from) { return _mm_load_si128(static_cast<const __m128i*>(from)); }

inline void save(void* to, __m128i v) { _mm_store_si128(static_cast<__m128i*>(to), v); }

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
        return _mm_rol_epi32(x, n);
    }
    template <int n>
    static Vector turn(Vector x) {
        return _mm_shuffle_epi32(x, kTurn<n>);
    }
    static uint32_t first(Vector x) { return static_cast<uint32_t>(_mm_cvtsi128_si32(x)); }

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

struct FourStates {
    using Vector = __m512i;
    static constexpr size_t kStates = 4;

    static Vector add(Vector x, Vector y) { return _mm512_add_epi32(x, y); }
    static Vector exclusive_or(Vector x, Vector y) { return _mm512_xor_si512(x, y); }
    template <int n>
    static Vector rotate(Vector x) {
        return _mm512_rol_epi32(x, n);
    }
    template <int n>
    static Vector turn(Vector x) {
        return _mm512_shuffle_epi32(x, static_cast<_MM_PERM_ENUM>(kTurn<n>));
    }
    static void store(uint32_t* out, Vector x) { _mm512_store_si512(out, x); }

    /// 4 by 4 transposition of rows, its own inverse.
    static Rows<FourStates> transposed(const Rows<FourStates>& r) {
        const Vector ab_low = _mm512_shuffle_i32x4(r.a, r.b, 0x44);
        const Vector ab_high = _mm512_shuffle_i32x4(r.a, r.b, 0xee);
        const Vector cd_low = _mm512_shuffle_i32x4(r.c, r.d, 0x44);
        const Vector cd_high = _mm512_shuffle_i32x4(r.c, r.d, 0xee);
        return {_mm512_shuffle_i32x4(ab_low, cd_low, 0x88),
                _mm512_shuffle_i32x4(ab_low, cd_low, 0xdd),
                _mm512_shuffle_i32x4(ab_high, cd_high, 0x88),
                _mm512_shuffle_i32x4(ab_high, cd_high, 0xdd)};
    }
    static void read_lines(Rows<FourStates>& r, const uint8_t* const* lines) {
        r = transposed({_mm512_load_si512(lines[0]), _mm512_load_si512(lines[1]),
                        _mm512_load_si512(lines[2]), _mm512_load_si512(lines[3])});
    }
    static void read_states(Rows<FourStates>& r, uint32_t* const* states) {
        r = transposed({_mm512_load_si512(states[0]), _mm512_load_si512(states[1]),
                        _mm512_load_si512(states[2]), _mm512_load_si512(states[3])});
    }
    static void write_states(uint32_t* const* states, const Rows<FourStates>& r) {
        const Rows<FourStates> whole = transposed(r);
        _mm512_store_si512(states[0], whole.a);
        _mm512_store_si512(states[1], whole.b);
        _mm512_store_si512(states[2], whole.c);
        _mm512_store_si512(states[3], whole.d);
    }
};

}  // namespace

void walk_avx512(const uint8_t* arena, uint64_t mask, uint32_t* states, size_t count,
                 uint64_t steps) {
    walk_any<OneState, FourStates>(arena, mask, states, count, steps);
}

}  // namespace holdfast
#endif
