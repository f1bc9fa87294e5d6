// The walk for any CPU, in the compiler's own vectors of four words.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "vdf/walk_impl.h"
#include "vdf/walk_rows.h"

namespace holdfast {
namespace {

struct Portable {
    using Vector = uint32_t __attribute__((vector_size(16)));
    static constexpr size_t kStates = 1;

    static Vector add(Vector x, Vector y) { return x + y; }
    static Vector exclusive_or(Vector x, Vector y) { return x ^ y; }
    template <int n>
    static Vector rotate(Vector x) {
        return x << n | x >> (32 - n);
    }
    template <int n>
    static Vector turn(Vector x) {
        return __builtin_shufflevector(x, x, n % 4, (n + 1) % 4, (n + 2) % 4, (n + 3) % 4);
    }
    static uint32_t first(Vector x) { return x[0]; }
    static void store(uint32_t* out, Vector x) { memcpy(out, &x, sizeof(x)); }

    static Vector load(const void* from) {
        Vector x;
        memcpy(&x, from, sizeof(x));
        return x;
    }
    static Vector load_little_endian(const uint8_t* from) {
        const Vector x = load(from);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        return x;
#else
        const Vector pairs = (x & 0x00ff00ffU) << 8 | (x >> 8 & 0x00ff00ffU);
        return pairs << 16 | pairs >> 16;
#endif
    }
    static void read_lines(Rows<Portable>& r, const uint8_t* const* lines) {
        r.a = load_little_endian(lines[0]);
        r.b = load_little_endian(lines[0] + 16);
        r.c = load_little_endian(lines[0] + 32);
        r.d = load_little_endian(lines[0] + 48);
    }
    static void read_states(Rows<Portable>& r, uint32_t* const* states) {
        r.a = load(states[0]);
        r.b = load(states[0] + 4);
        r.c = load(states[0] + 8);
        r.d = load(states[0] + 12);
    }
    static void write_states(uint32_t* const* states, const Rows<Portable>& r) {
        store(states[0], r.a);
        store(states[0] + 4, r.b);
        store(states[0] + 8, r.c);
        store(states[0] + 12, r.d);
    }
};

}  // namespace

void walk_portable(const uint8_t* arena, uint64_t mask, uint32_t* states, size_t count,
                   uint64_t steps) {
    walk_any<Portable, Twice<Portable>>(arena, mask, states, count, steps);
}

}  // namespace holdfast
