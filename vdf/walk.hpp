// The sequential function of the VDF: start, expansion, the walk through the arena, gate, output;
// and which epoch's arena a height uses.
//
// Pure functions of bytes and parameters, any thread, no allocation. Part of the trusted rooms. The
// forms here are the plain ones that define the function; the fast ones of walk_kernel.hpp give the
// same bytes. Parameters must have passed VdfParams::validate(). Spec: docs/spec.md section 6.
#pragma once

#include <array>
#include <functional>
#include <optional>

#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// x of the walk: 16 words, each little-endian wherever the state is bytes.
struct alignas(64) WalkState {
    std::array<std::uint32_t, 16> words{};
    friend bool operator==(const WalkState&, const WalkState&) = default;
};

/// A filled arena, or the bytes that stand for one, with what they were filled from. Owns nothing:
/// the bytes must outlive it. 64-byte aligned, params.arena_bytes() long.
struct ArenaView {
    const std::uint8_t* bytes = nullptr;
    VdfParams params;  // arena_kib, passes and lanes are the arena's; the rest is free
    std::uint64_t epoch = 0;
    EpochSeed epoch_seed;

    /// Whether this is the arena that `wanted` has in the epoch of this number and seed.
    [[nodiscard]] bool serves(const VdfParams& wanted, std::uint64_t wanted_epoch,
                              const EpochSeed& wanted_seed) const;
};

/// F(s) = s + R(s), R the 8 rounds of ChaCha on the 16 words as they stand.
[[nodiscard]] WalkState vdf_f(const WalkState& s);
/// x at the beginning of a segment that starts from checkpoint d.
[[nodiscard]] WalkState vdf_expand(const Digest& d);
/// d_0.
[[nodiscard]] Digest vdf_start(const NetworkId& network_id, const VdfParams& params,
                               const EpochSeed& epoch_seed, const Seed& input);
/// d_{i+1} from x at the end of segment i; `next` is i + 1.
[[nodiscard]] Digest vdf_gate(const WalkState& x, std::uint64_t next);
/// y from d_K.
[[nodiscard]] VdfOutput vdf_output(const Digest& d_last, const VdfParams& params);

/// `steps` times x = F(x XOR V[x_0 mod N]). N = lines of the arena, a power of two.
void vdf_walk(WalkState& x, const ArenaView& arena, std::uint64_t steps);
/// d_{i+1} from d_i: expand, params.steps_per_checkpoint steps, gate. i < params.checkpoints.
[[nodiscard]] Digest vdf_run_segment(const ArenaView& arena, const VdfParams& params,
                                     const Digest& d_i, std::uint32_t i);

/// Number of the epoch that `height` belongs to; 0 below the genesis height. The network has a VDF.
[[nodiscard]] std::uint64_t epoch_of(const NetworkParams& params, Height height);
/// The height whose y is to make the epoch's seed; none for epoch 0 (spec section 6).
[[nodiscard]] std::optional<Height> epoch_source_height(const NetworkParams& params,
                                                        std::uint64_t epoch);
/// The height whose y does make it: where the source height has none, the next earlier one that has
/// (spec section 5). Empty: there is none down to the genesis height, and genesis_output() stands
/// for it. `has_y` is asked from the source height downwards; its error ends the search.
[[nodiscard]] Result<std::optional<Height>> epoch_source_with_y(
    const NetworkParams& params, std::uint64_t epoch,
    const std::function<Result<bool>(Height)>& has_y);
/// The y that stands for the source of epoch 0.
[[nodiscard]] VdfOutput genesis_output(const NetworkId& network_id);
/// e_n from the y of its source height.
[[nodiscard]] EpochSeed epoch_seed(const NetworkId& network_id, std::uint64_t epoch,
                                   const VdfOutput& source);

}  // namespace holdfast
