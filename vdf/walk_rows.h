/* The walk over any vector type, for the kernel files alone: C headers only, internal linkage only.
 *
 * A state is four rows of four words (the rows of ChaCha's square); a Vector holds one row of
 * kStates states. What depends on the instruction set is in a struct Ops:
 *
 *   Vector, kStates
 *   add, exclusive_or, rotate<n>     word by word; rotate to the left
 *   turn<n>                          word i becomes what word (i + n) mod 4 of its state was
 *   read_lines(rows, lines)          the rows of kStates lines of the arena (little-endian)
 *   read_states, write_states        the same with states (words as the machine has them)
 *   store(out, v)                    all 4 * kStates words
 *   first(v)                         word 0 of the only state (kStates = 1)
 *
 * What was tried, with figures: docs/design/vdf.md. */
#ifndef HOLDFAST_VDF_WALK_ROWS_H
#define HOLDFAST_VDF_WALK_ROWS_H

#include <stddef.h>
#include <stdint.h>

namespace holdfast {
namespace {

constexpr size_t kStateWords = 16;
constexpr unsigned kLineShift = 6;
// States that a round visits in turn: so many that a line has arrived when its turn comes again.
constexpr size_t kMostStates = 64;
// How many turns after its own a group's next lines are asked for, among at least kManyGroups
// groups. Asked for at once, the request waits for the end of the group's arithmetic and holds up
// all that stands behind it; among few groups later is too late.
constexpr size_t kAskBehind = 2;
constexpr size_t kManyGroups = 5;

template <class Ops>
struct Rows {
    typename Ops::Vector a, b, c, d;
};

/// Two vectors side by side: two chains of arithmetic for a CPU that looks ahead less than one of
/// them.
template <class Half>
struct Twice {
    struct Vector {
        typename Half::Vector x, y;
    };
    static constexpr size_t kStates = 2 * Half::kStates;

    static Vector add(Vector v, Vector w) { return {Half::add(v.x, w.x), Half::add(v.y, w.y)}; }
    static Vector exclusive_or(Vector v, Vector w) {
        return {Half::exclusive_or(v.x, w.x), Half::exclusive_or(v.y, w.y)};
    }
    template <int n>
    static Vector rotate(Vector v) {
        return {Half::template rotate<n>(v.x), Half::template rotate<n>(v.y)};
    }
    template <int n>
    static Vector turn(Vector v) {
        return {Half::template turn<n>(v.x), Half::template turn<n>(v.y)};
    }
    static void store(uint32_t* out, Vector v) {
        Half::store(out, v.x);
        Half::store(out + 4 * Half::kStates, v.y);
    }
    static Rows<Twice> joined(const Rows<Half>& x, const Rows<Half>& y) {
        return {{x.a, y.a}, {x.b, y.b}, {x.c, y.c}, {x.d, y.d}};
    }
    static void read_lines(Rows<Twice>& r, const uint8_t* const* lines) {
        Rows<Half> x;
        Rows<Half> y;
        Half::read_lines(x, lines);
        Half::read_lines(y, lines + Half::kStates);
        r = joined(x, y);
    }
    static void read_states(Rows<Twice>& r, uint32_t* const* states) {
        Rows<Half> x;
        Rows<Half> y;
        Half::read_states(x, states);
        Half::read_states(y, states + Half::kStates);
        r = joined(x, y);
    }
    static void write_states(uint32_t* const* states, const Rows<Twice>& r) {
        Half::write_states(states, {r.a.x, r.b.x, r.c.x, r.d.x});
        Half::write_states(states + Half::kStates, {r.a.y, r.b.y, r.c.y, r.d.y});
    }
};

template <class Ops>
inline void round_of_columns(Rows<Ops>& r) {
    r.a = Ops::add(r.a, r.b);
    r.d = Ops::template rotate<16>(Ops::exclusive_or(r.d, r.a));
    r.c = Ops::add(r.c, r.d);
    r.b = Ops::template rotate<12>(Ops::exclusive_or(r.b, r.c));
    r.a = Ops::add(r.a, r.b);
    r.d = Ops::template rotate<8>(Ops::exclusive_or(r.d, r.a));
    r.c = Ops::add(r.c, r.d);
    r.b = Ops::template rotate<7>(Ops::exclusive_or(r.b, r.c));
}

/// x = F(x XOR line). Row b is the last to be ready in every round, so the other three turn to meet
/// it on the diagonals: turning then costs no time on the longest path.
template <class Ops>
inline void step(Rows<Ops>& x, const uint8_t* const* lines) {
    Rows<Ops> line;
    Ops::read_lines(line, lines);
    x.a = Ops::exclusive_or(x.a, line.a);
    x.b = Ops::exclusive_or(x.b, line.b);
    x.c = Ops::exclusive_or(x.c, line.c);
    x.d = Ops::exclusive_or(x.d, line.d);
    Rows<Ops> w = x;
    for (int double_round = 0; double_round < 4; ++double_round) {
        round_of_columns<Ops>(w);
        w.a = Ops::template turn<3>(w.a);
        w.c = Ops::template turn<1>(w.c);
        w.d = Ops::template turn<2>(w.d);
        round_of_columns<Ops>(w);
        w.a = Ops::template turn<1>(w.a);
        w.c = Ops::template turn<3>(w.c);
        w.d = Ops::template turn<2>(w.d);
    }
    x.a = Ops::add(x.a, w.a);
    x.b = Ops::add(x.b, w.b);
    x.c = Ops::add(x.c, w.c);
    x.d = Ops::add(x.d, w.d);
}

/// One state, for the shortest way from x_0 to its line: all of it stays in registers.
template <class Ops>
void walk_one(const uint8_t* arena, uint64_t mask, uint32_t* state, uint64_t steps) {
    static_assert(Ops::kStates == 1, "one state");
    Rows<Ops> x;
    Ops::read_states(x, &state);
    for (uint64_t done = 0; done < steps; ++done) {
        const uint8_t* line = arena + ((Ops::first(x.a) & mask) << kLineShift);
        step<Ops>(x, &line);
    }
    Ops::write_states(&state, x);
}

template <class Ops>
struct Group {
    Rows<Ops> x;
    // Words 0, 4, 8, … are x_0 of each state.
    alignas(64) uint32_t row_a[4 * Ops::kStates];

    const uint8_t* line(const uint8_t* arena, uint64_t mask, size_t state) const {
        return arena + ((row_a[4 * state] & mask) << kLineShift);
    }
};

template <class Ops>
void walk_rounds(const uint8_t* arena, uint64_t mask, Group<Ops>* groups, size_t count,
                 uint64_t steps) {
    size_t asking = count - (count < kManyGroups ? 1 : kAskBehind);
    for (uint64_t done = 0; done < steps; ++done) {
        for (size_t g = 0; g < count; ++g) {
            for (size_t s = 0; s < Ops::kStates; ++s) {
                __builtin_prefetch(groups[asking].line(arena, mask, s));
            }
            if (++asking == count) asking = 0;
            const uint8_t* lines[Ops::kStates];
            for (size_t s = 0; s < Ops::kStates; ++s) lines[s] = groups[g].line(arena, mask, s);
            step<Ops>(groups[g].x, lines);
            Ops::store(groups[g].row_a, groups[g].x.a);
        }
    }
}

/// Up to kMostStates states; places of the last group that no state fills walk copies of the last
/// one.
template <class Ops>
void walk_groups(const uint8_t* arena, uint64_t mask, uint32_t* states, size_t count,
                 uint64_t steps) {
    Group<Ops> groups[kMostStates / Ops::kStates];
    const size_t used = (count + Ops::kStates - 1) / Ops::kStates;
    alignas(64) uint32_t spare[kStateWords];
    for (size_t g = 0; g < used; ++g) {
        uint32_t* from[Ops::kStates];
        for (size_t s = 0; s < Ops::kStates; ++s) {
            const size_t i = g * Ops::kStates + s;
            from[s] = states + (i < count ? i : count - 1) * kStateWords;
        }
        Ops::read_states(groups[g].x, from);
        Ops::store(groups[g].row_a, groups[g].x.a);
    }
    walk_rounds<Ops>(arena, mask, groups, used, steps);
    for (size_t g = 0; g < used; ++g) {
        uint32_t* to[Ops::kStates];
        for (size_t s = 0; s < Ops::kStates; ++s) {
            const size_t i = g * Ops::kStates + s;
            to[s] = i < count ? states + i * kStateWords : spare;
        }
        Ops::write_states(to, groups[g].x);
    }
}

template <class One, class Many>
inline void walk_any(const uint8_t* arena, uint64_t mask, uint32_t* states, size_t count,
                     uint64_t steps) {
    // Even parts: a small rest would walk at the speed of few states.
    size_t parts = (count + kMostStates - 1) / kMostStates;
    for (; parts > 0; --parts) {
        const size_t even = (count + parts - 1) / parts;
        const size_t whole = (even + Many::kStates - 1) / Many::kStates * Many::kStates;
        const size_t n = whole < count ? whole : count;
        if (n == 1) {
            walk_one<One>(arena, mask, states, steps);
        } else {
            walk_groups<Many>(arena, mask, states, n, steps);
        }
        states += n * kStateWords;
        count -= n;
    }
}

}  // namespace
}  // namespace holdfast

#endif
