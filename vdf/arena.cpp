#include "vdf/arena.hpp"

#include <array>
#include <new>
#include <string>

#include "core/codec.hpp"

namespace holdfast {

Result<std::shared_ptr<const VdfArena>> VdfArena::fill(const VdfParams& params, std::uint64_t epoch,
                                                       const EpochSeed& epoch_seed,
                                                       const FillOptions& options) {
    const Verdict bounds = params.validate();
    if (!bounds.accepted()) return fail_refused(bounds, "VDF parameters");
    HOLDFAST_ASSIGN(memory, FillMemory::allocate(params.arena_bytes()));

    std::array<std::uint8_t, 8> number;
    store_le64(number.data(), epoch);
    FillSpec spec;
    spec.lanes = params.lanes;
    spec.passes = params.passes;
    spec.blocks = params.arena_kib;
    spec.password = holdfast::view(epoch_seed);
    spec.salt = holdfast::view(kVdfSalt);
    spec.associated_data = number;
    HOLDFAST_TRY(
        holdfast::fill(spec, {memory.data(), static_cast<std::size_t>(memory.size())}, options));

    auto* arena = new (std::nothrow) VdfArena(std::move(memory), params, epoch, epoch_seed);
    if (arena == nullptr) return fail(ErrorCode::kOutOfMemory, "no memory for an arena's record");
    return std::shared_ptr<const VdfArena>(arena);
}

}  // namespace holdfast
