#include "vdf/walk_kernel.hpp"

#include <algorithm>
#include <array>

#include "core/cpu.hpp"
#include "vdf/walk_impl.h"

namespace holdfast {
namespace {

static_assert(sizeof(WalkState) == kVdfLineBytes);
std::uint32_t* words(WalkState* states) { return reinterpret_cast<std::uint32_t*>(states); }

bool always() { return true; }
constexpr WalkKernel kKernels[] = {
    {"portable", 64, walk_portable, always},
#if defined(__x86_64__)
    {"avx2", 64, walk_avx2, cpu_has_avx2},
    {"avx512", 64, walk_avx512, cpu_has_avx512},
#endif
};

const WalkKernel& choose() {
    const WalkKernel* best = &kKernels[0];
    HOLDFAST_CHECK(walk_self_test(*best));
    for (const WalkKernel& kernel : kKernels) {
        if (kernel.usable() && walk_self_test(kernel)) best = &kernel;
    }
    return *best;
}

}  // namespace

std::span<const WalkKernel> walk_kernels() { return kKernels; }

const WalkKernel& best_walk_kernel() {
    static const WalkKernel& best = choose();
    return best;
}

const WalkKernel* find_walk_kernel(std::string_view name) {
    for (const WalkKernel& kernel : kKernels) {
        if (kernel.name == name) return kernel.usable() ? &kernel : nullptr;
    }
    return nullptr;
}

bool walk_self_test(const WalkKernel& kernel) {
    constexpr std::uint32_t kLines = 128;
    constexpr std::uint64_t kSteps = 20;
    alignas(kVdfLineBytes) std::array<std::uint8_t, kLines * kVdfLineBytes> arena;
    for (std::size_t i = 0; i < arena.size(); ++i) {
        arena[i] = static_cast<std::uint8_t>((i * 0x9E3779B1U) >> 13);
    }
    ArenaView view{arena.data(), {}, 0, {}};
    view.params.arena_kib = kLines / kVdfLinesPerKib;
    // Every path of a kernel: single states, part groups, whole groups, whole groups and a rest.
    constexpr std::size_t kMost = 80;
    std::array<WalkState, kMost> wanted;
    for (std::size_t s = 0; s < kMost; ++s) {
        for (std::size_t i = 0; i < 16; ++i) {
            wanted[s].words[i] = static_cast<std::uint32_t>((s * 16 + i + 1) * 0x85EBCA6BU);
        }
    }
    const std::array<WalkState, kMost> begin = wanted;
    for (WalkState& x : wanted) vdf_walk(x, view, kSteps);
    for (const std::size_t count : {1, 2, 3, 5, 8, 13, 16, 17, 32, 47, 64, 80}) {
        std::array<WalkState, kMost> got = begin;
        kernel.walk(arena.data(), kLines - 1, words(got.data()), count, kSteps);
        for (std::size_t s = 0; s < kMost; ++s) {
            if (got[s] != (s < count ? wanted[s] : begin[s])) return false;
        }
    }
    return true;
}

void walk_states(const WalkKernel* kernel, const ArenaView& arena, std::span<WalkState> states,
                 std::uint64_t steps) {
    if (states.empty()) return;
    const WalkKernel& chosen = kernel != nullptr ? *kernel : best_walk_kernel();
    chosen.walk(arena.bytes, arena.params.lines() - 1, words(states.data()), states.size(), steps);
}

}  // namespace holdfast
