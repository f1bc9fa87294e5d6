#include "vdf/walk.hpp"

#include <bit>

#include "core/codec.hpp"
#include "core/hash.hpp"

namespace holdfast {
namespace {

using Words = std::array<std::uint32_t, 16>;

void quarter_round(Words& w, int a, int b, int c, int d) {
    w[a] += w[b];
    w[d] = std::rotl(w[d] ^ w[a], 16);
    w[c] += w[d];
    w[b] = std::rotl(w[b] ^ w[c], 12);
    w[a] += w[b];
    w[d] = std::rotl(w[d] ^ w[a], 8);
    w[c] += w[d];
    w[b] = std::rotl(w[b] ^ w[c], 7);
}

Bytes encoded(const VdfParams& params) {
    Writer w(kVdfParamsBytes);
    params.encode(w);
    return w.take();
}

}  // namespace

bool ArenaView::serves(const VdfParams& wanted, std::uint64_t wanted_epoch,
                       const EpochSeed& wanted_seed) const {
    return bytes != nullptr && params.arena_kib == wanted.arena_kib &&
           params.passes == wanted.passes && params.lanes == wanted.lanes &&
           epoch == wanted_epoch && epoch_seed == wanted_seed;
}

// Spec 6, the walk: F.
WalkState vdf_f(const WalkState& s) {
    Words w = s.words;
    for (int double_round = 0; double_round < 4; ++double_round) {
        for (int i = 0; i < 4; ++i) quarter_round(w, i, 4 + i, 8 + i, 12 + i);
        for (int i = 0; i < 4; ++i) {
            quarter_round(w, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
        }
    }
    WalkState out;
    for (std::size_t i = 0; i < w.size(); ++i) out.words[i] = s.words[i] + w[i];
    return out;
}

// Spec 6, the walk: expand.
WalkState vdf_expand(const Digest& d) {
    WalkState x;
    for (std::size_t half = 0; half < 2; ++half) {
        const Digest h = tagged_hash("vdf/expand", d, static_cast<std::uint8_t>(half));
        for (std::size_t i = 0; i < 8; ++i) x.words[8 * half + i] = load_le32(h.data() + 4 * i);
    }
    return x;
}

// Spec 6, the walk: d_0.
Digest vdf_start(const NetworkId& network_id, const VdfParams& params, const EpochSeed& epoch_seed,
                 const Seed& input) {
    return tagged_hash("vdf/start", network_id, ByteView(encoded(params)), epoch_seed, input);
}

// Spec 6, the walk: d_{i+1}.
Digest vdf_gate(const WalkState& x, std::uint64_t next) {
    std::array<std::uint8_t, kVdfLineBytes> raw;
    for (std::size_t i = 0; i < x.words.size(); ++i) store_le32(raw.data() + 4 * i, x.words[i]);
    return tagged_hash("vdf/gate", ByteView(raw), next);
}

// Spec 6, the walk: y.
VdfOutput vdf_output(const Digest& d_last, const VdfParams& params) {
    return VdfOutput{tagged_hash("vdf/output", d_last, params.total_steps())};
}

// Spec 6, the walk: x = F(x XOR V[x_0 mod N]).
void vdf_walk(WalkState& x, const ArenaView& arena, std::uint64_t steps) {
    const std::uint64_t mask = arena.params.lines() - 1;
    for (std::uint64_t step = 0; step < steps; ++step) {
        const std::uint8_t* line = arena.bytes + (x.words[0] & mask) * kVdfLineBytes;
        for (std::size_t i = 0; i < x.words.size(); ++i) x.words[i] ^= load_le32(line + 4 * i);
        x = vdf_f(x);
    }
}

Digest vdf_run_segment(const ArenaView& arena, const VdfParams& params, const Digest& d_i,
                       std::uint32_t i) {
    WalkState x = vdf_expand(d_i);
    vdf_walk(x, arena, params.steps_per_checkpoint);
    return vdf_gate(x, std::uint64_t{i} + 1);
}

// Spec 6, epoch(h).
std::uint64_t epoch_of(const NetworkParams& params, Height height) {
    HOLDFAST_CHECK(params.has_vdf && params.epoch_blocks > 0);
    return height.since(params.genesis_height) / params.epoch_blocks;
}

// Spec 6, source_n.
std::optional<Height> epoch_source_height(const NetworkParams& params, std::uint64_t epoch) {
    HOLDFAST_CHECK(params.has_vdf && params.epoch_lag <= params.epoch_blocks);
    if (epoch == 0) return std::nullopt;
    // (epoch - 1) * epoch_blocks may not wrap round for an epoch number that no height has.
    const std::uint64_t before = epoch - 1;
    if (before > UINT64_MAX / params.epoch_blocks) return Height(UINT64_MAX);
    return params.genesis_height + before * params.epoch_blocks +
           (params.epoch_blocks - params.epoch_lag);
}

// Spec 5, heights without y: the next earlier height that has one.
Result<std::optional<Height>> epoch_source_with_y(
    const NetworkParams& params, std::uint64_t epoch,
    const std::function<Result<bool>(Height)>& has_y) {
    for (std::optional<Height> height = epoch_source_height(params, epoch); height;) {
        HOLDFAST_ASSIGN(has, has_y(*height));
        if (has) return height;
        height = *height > params.genesis_height ? std::optional(*height - 1) : std::nullopt;
    }
    return std::optional<Height>();
}

// Spec 6: y of the source for n = 0.
VdfOutput genesis_output(const NetworkId& network_id) {
    return VdfOutput{tagged_hash("entropy/genesis", network_id)};
}

// Spec 6: e_n.
EpochSeed epoch_seed(const NetworkId& network_id, std::uint64_t epoch, const VdfOutput& source) {
    return EpochSeed{tagged_hash("vdf/epoch", network_id, epoch, source)};
}

}  // namespace holdfast
