// The fill's compression function for any CPU; the one that the others are compared with.
#include <stdint.h>
#include <string.h>

#include "core/fill_kernel.hpp"

namespace holdfast {
namespace {

constexpr unsigned kWords = kFillBlockBytes / 8;

// Words are little-endian in memory whatever the machine. Compilers make one load or store of this,
// as they would not of a loop.
inline uint64_t load(const uint8_t* p) {
    return uint64_t{p[0]} | uint64_t{p[1]} << 8 | uint64_t{p[2]} << 16 | uint64_t{p[3]} << 24 |
           uint64_t{p[4]} << 32 | uint64_t{p[5]} << 40 | uint64_t{p[6]} << 48 |
           uint64_t{p[7]} << 56;
}

inline void store(uint8_t* p, uint64_t v) {
    p[0] = static_cast<uint8_t>(v);
    p[1] = static_cast<uint8_t>(v >> 8);
    p[2] = static_cast<uint8_t>(v >> 16);
    p[3] = static_cast<uint8_t>(v >> 24);
    p[4] = static_cast<uint8_t>(v >> 32);
    p[5] = static_cast<uint8_t>(v >> 40);
    p[6] = static_cast<uint8_t>(v >> 48);
    p[7] = static_cast<uint8_t>(v >> 56);
}

inline uint64_t rotr(uint64_t x, unsigned n) { return (x >> n) | (x << (64 - n)); }

inline uint64_t multiply_add(uint64_t a, uint64_t b) {
    return a + b + 2 * (a & 0xffffffff) * (b & 0xffffffff);
}

inline void mix(uint64_t& a, uint64_t& b, uint64_t& c, uint64_t& d) {
    a = multiply_add(a, b);
    d = rotr(d ^ a, 32);
    c = multiply_add(c, d);
    b = rotr(b ^ c, 24);
    a = multiply_add(a, b);
    d = rotr(d ^ a, 16);
    c = multiply_add(c, d);
    b = rotr(b ^ c, 63);
}

/// The permutation P of RFC 9106 section 3.6 on eight pairs of words, `stride` words apart.
inline void permute(uint64_t* v, size_t stride) {
    uint64_t w[16];
    for (size_t i = 0; i < 8; ++i) {
        w[2 * i] = v[i * stride];
        w[2 * i + 1] = v[i * stride + 1];
    }
    mix(w[0], w[4], w[8], w[12]);
    mix(w[1], w[5], w[9], w[13]);
    mix(w[2], w[6], w[10], w[14]);
    mix(w[3], w[7], w[11], w[15]);
    mix(w[0], w[5], w[10], w[15]);
    mix(w[1], w[6], w[11], w[12]);
    mix(w[2], w[7], w[8], w[13]);
    mix(w[3], w[4], w[9], w[14]);
    for (size_t i = 0; i < 8; ++i) {
        v[i * stride] = w[2 * i];
        v[i * stride + 1] = w[2 * i + 1];
    }
}

/// out = G(previous, reference), XORed into what is there when `into`.
void compress(const uint8_t* previous, const uint8_t* reference, uint8_t* out, bool into) {
    uint64_t r[kWords];
    uint64_t z[kWords];
    for (size_t i = 0; i < kWords; ++i) r[i] = load(previous + 8 * i) ^ load(reference + 8 * i);
    memcpy(z, r, sizeof(z));
    for (size_t row = 0; row < 8; ++row) permute(z + 16 * row, 2);
    for (size_t column = 0; column < 8; ++column) permute(z + 2 * column, 16);
    for (size_t i = 0; i < kWords; ++i) {
        const uint64_t old = into ? load(out + 8 * i) : 0;
        store(out + 8 * i, z[i] ^ r[i] ^ old);
    }
}

}  // namespace

void fill_run_portable(const FillRun& run) {
    const FillPlace place = fill_place(run);
    for (uint64_t column = run.first; column < run.end; ++column) {
        const uint8_t* previous = fill_previous(place, column);
        const uint8_t* reference = fill_reference(run, place, column, load(previous));
        uint8_t* out = place.own + (place.segment_start + column) * kFillBlockBytes;
        compress(previous, reference, out, !run.first_pass);
    }
}

}  // namespace holdfast
