// SHA-256 of one message in every lane of a vector (FIPS 180-4 section 6.2). Internal: included by
// a kernel file after it has defined, in an anonymous namespace,
//   Vector, splat(u32), add(x, y), big_sigma_0, big_sigma_1, small_sigma_0, small_sigma_1 (x),
//   choose(e, f, g), majority(a, b, c).
#pragma once

#include "core/sha256_kernel.hpp"

namespace holdfast {
namespace {

struct State {
    Vector a, b, c, d, e, f, g, h;
};

inline State start_state() {
    const uint32_t* s = kSha256Start;
    return {splat(s[0]), splat(s[1]), splat(s[2]), splat(s[3]),
            splat(s[4]), splat(s[5]), splat(s[6]), splat(s[7])};
}

/// One round; the roles of the eight words move on by one, so that nothing is copied.
inline void one_round(Vector a, Vector b, Vector c, Vector& d, Vector e, Vector f, Vector g,
                      Vector& h, Vector word, uint32_t constant) {
    const Vector t1 = add(add(add(h, add(word, splat(constant))), choose(e, f, g)), big_sigma_1(e));
    d = add(d, t1);
    h = add(t1, add(big_sigma_0(a), majority(a, b, c)));
}

inline void eight_rounds(State& s, const Vector* w, const uint32_t* k) {
    one_round(s.a, s.b, s.c, s.d, s.e, s.f, s.g, s.h, w[0], k[0]);
    one_round(s.h, s.a, s.b, s.c, s.d, s.e, s.f, s.g, w[1], k[1]);
    one_round(s.g, s.h, s.a, s.b, s.c, s.d, s.e, s.f, w[2], k[2]);
    one_round(s.f, s.g, s.h, s.a, s.b, s.c, s.d, s.e, w[3], k[3]);
    one_round(s.e, s.f, s.g, s.h, s.a, s.b, s.c, s.d, w[4], k[4]);
    one_round(s.d, s.e, s.f, s.g, s.h, s.a, s.b, s.c, w[5], k[5]);
    one_round(s.c, s.d, s.e, s.f, s.g, s.h, s.a, s.b, w[6], k[6]);
    one_round(s.b, s.c, s.d, s.e, s.f, s.g, s.h, s.a, w[7], k[7]);
}

inline void extend_word(Vector& w, Vector second, Vector tenth, Vector fifteenth) {
    w = add(add(w, small_sigma_0(second)), add(tenth, small_sigma_1(fifteenth)));
}

/// The message schedule's next 16 words.
inline void extend(Vector* w) {
    extend_word(w[0], w[1], w[9], w[14]);
    extend_word(w[1], w[2], w[10], w[15]);
    extend_word(w[2], w[3], w[11], w[0]);
    extend_word(w[3], w[4], w[12], w[1]);
    extend_word(w[4], w[5], w[13], w[2]);
    extend_word(w[5], w[6], w[14], w[3]);
    extend_word(w[6], w[7], w[15], w[4]);
    extend_word(w[7], w[8], w[0], w[5]);
    extend_word(w[8], w[9], w[1], w[6]);
    extend_word(w[9], w[10], w[2], w[7]);
    extend_word(w[10], w[11], w[3], w[8]);
    extend_word(w[11], w[12], w[4], w[9]);
    extend_word(w[12], w[13], w[5], w[10]);
    extend_word(w[13], w[14], w[6], w[11]);
    extend_word(w[14], w[15], w[7], w[12]);
    extend_word(w[15], w[0], w[8], w[13]);
}

/// Takes in one block of every lane's message: w[i] holds word i of all of them, and is used up.
inline void compress(State& s, Vector* w) {
    const State before = s;
    eight_rounds(s, w, kSha256Constants);
    eight_rounds(s, w + 8, kSha256Constants + 8);
    for (unsigned i = 16; i < 64; i += 16) {
        extend(w);
        eight_rounds(s, w, kSha256Constants + i);
        eight_rounds(s, w + 8, kSha256Constants + i + 8);
    }
    s = {add(s.a, before.a), add(s.b, before.b), add(s.c, before.c), add(s.d, before.d),
         add(s.e, before.e), add(s.f, before.f), add(s.g, before.g), add(s.h, before.h)};
}

}  // namespace
}  // namespace holdfast
