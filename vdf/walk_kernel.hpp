// Kernels of the walk: the same function as vdf_walk, many states at once.
//
// One state is walked for latency (evaluation), many for throughput (verification): while one state
// waits for its line of the arena the others compute. Every kernel gives the same bytes for every
// count. Kernels are pure; the table is constant; any thread. Part of the trusted rooms.
// Spec: docs/spec.md section 6.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "vdf/walk.hpp"

namespace holdfast {

struct WalkKernel {
    std::string_view name;  // "portable", "avx2", "avx512"
    /// States walked at once at full throughput: callers that can choose hand over multiples of it.
    std::size_t width;
    /// Advances `count` states, one behind another, 16 words each, 64-byte aligned, by `steps`
    /// steps. `line_mask` is N - 1, N a power of two.
    void (*walk)(const std::uint8_t* arena, std::uint64_t line_mask, std::uint32_t* states,
                 std::size_t count, std::uint64_t steps);
    bool (*usable)();  // this CPU has the instructions
};

/// All kernels of this build, portable first, fastest last.
std::span<const WalkKernel> walk_kernels();
/// The fastest usable kernel that passed its self-test on this machine.
const WalkKernel& best_walk_kernel();
/// By name; nullptr for one that this build lacks or this CPU cannot run.
const WalkKernel* find_walk_kernel(std::string_view name);
/// Compares a usable kernel with vdf_walk on a small arena; false when a byte differs.
[[nodiscard]] bool walk_self_test(const WalkKernel& kernel);

/// Advances all states by `steps` steps with the kernel (nullptr: the best).
void walk_states(const WalkKernel* kernel, const ArenaView& arena, std::span<WalkState> states,
                 std::uint64_t steps);

}  // namespace holdfast
