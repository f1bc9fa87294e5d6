#include "core/cpu.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace holdfast {

#if defined(__x86_64__)

// __builtin_cpu_supports reads cpuid once and checks xgetbv for the register state it needs.
bool cpu_has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"); }

bool cpu_has_avx512() {
    return cpu_has_avx2() && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}

bool cpu_has_shani() {
    // g++ 12 has no name for SHA-NI: leaf 7, EBX bit 29. Its registers are SSE's, which every
    // x86-64 system saves. Asked once: under a hypervisor cpuid takes microseconds.
    static const bool has = [] {
        unsigned eax = 0;
        unsigned ebx = 0;
        unsigned ecx = 0;
        unsigned edx = 0;
        return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && ((ebx >> 29) & 1) != 0;
    }();
    return has && __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("ssse3");
}

#else

bool cpu_has_avx2() { return false; }
bool cpu_has_avx512() { return false; }
bool cpu_has_shani() { return false; }

#endif

}  // namespace holdfast
