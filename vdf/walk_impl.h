/* Entry points of the walk kernels. C headers only: a kernel file is compiled for its own
 * instruction set and may not instantiate anything that portable code could be linked against.
 * states: count times 16 words, 64-byte aligned, advanced in place. mask = lines - 1. */
#ifndef HOLDFAST_VDF_WALK_IMPL_H
#define HOLDFAST_VDF_WALK_IMPL_H

#include <stddef.h>
#include <stdint.h>

namespace holdfast {

void walk_portable(const uint8_t* arena, uint64_t mask, uint32_t* states, size_t count,
                   uint64_t steps);
#if defined(__x86_64__)
void walk_avx2(const uint8_t* arena, uint64_t mask, uint32_t* states, size_t count, uint64_t steps);
void walk_avx512(const uint8_t* arena, uint64_t mask, uint32_t* states, size_t count,
                 uint64_t steps);
#endif

}  // namespace holdfast

#endif
