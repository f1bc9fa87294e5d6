// What this CPU can run, with the operating system's consent to save the wide registers.
//
// Pure, any thread. Kernel tables ask these before they offer a kernel; nothing else may.
#pragma once

namespace holdfast {

/// AVX2 and BMI2.
[[nodiscard]] bool cpu_has_avx2();
/// AVX-512 F, BW, DQ and VL, and everything of cpu_has_avx2().
[[nodiscard]] bool cpu_has_avx512();
/// SHA-NI with SSE4.1.
[[nodiscard]] bool cpu_has_shani();

}  // namespace holdfast
