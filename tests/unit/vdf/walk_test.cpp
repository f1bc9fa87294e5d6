// The walk's kernels give the bytes of the plain form, for every number of states.
#include <gtest/gtest.h>

#include <set>

#include "support/vdf_world.hpp"
#include "vdf/walk_kernel.hpp"

namespace holdfast::test {
namespace {

std::vector<WalkState> some_states(std::size_t count) {
    std::vector<WalkState> out;
    for (std::size_t s = 0; s < count; ++s) {
        out.push_back(vdf_expand(digest_of("state " + std::to_string(s))));
    }
    return out;
}

TEST(WalkKernels, TableIsPortableFirstAndNamesAreUnique) {
    ASSERT_FALSE(walk_kernels().empty());
    EXPECT_EQ(walk_kernels().front().name, "portable");
    std::set<std::string_view> names;
    for (const WalkKernel& kernel : walk_kernels()) names.insert(kernel.name);
    EXPECT_EQ(names.size(), walk_kernels().size());
}

TEST(WalkKernels, FoundByNameAndOnlyWhereUsable) {
    for (const WalkKernel& kernel : walk_kernels()) {
        const WalkKernel* found = find_walk_kernel(kernel.name);
        EXPECT_EQ(found, kernel.usable() ? &kernel : nullptr);
    }
    EXPECT_EQ(find_walk_kernel("none such"), nullptr);
    EXPECT_TRUE(best_walk_kernel().usable());
}

TEST(WalkKernels, SelfTestNoticesAWrongKernel) {
    for (const WalkKernel& kernel : walk_kernels()) {
        if (!kernel.usable()) continue;
        EXPECT_TRUE(walk_self_test(kernel)) << kernel.name;
    }
    WalkKernel lazy = walk_kernels().front();
    lazy.walk = [](const std::uint8_t* arena, std::uint64_t mask, std::uint32_t* states,
                   std::size_t count, std::uint64_t steps) {
        walk_kernels().front().walk(arena, mask, states, count, steps - 1);
    };
    EXPECT_FALSE(walk_self_test(lazy));
    // Right for every state but the last of a group of 17.
    lazy.walk = [](const std::uint8_t* arena, std::uint64_t mask, std::uint32_t* states,
                   std::size_t count, std::uint64_t steps) {
        walk_kernels().front().walk(arena, mask, states, count == 17 ? 16 : count, steps);
    };
    EXPECT_FALSE(walk_self_test(lazy));
}

TEST(WalkKernels, EveryCountGivesTheSameStates) {
    const VdfWorld world({1024, 1, 1, 16, 1});
    const ArenaView arena = world.arena->view();
    constexpr std::size_t kMost = 150;
    constexpr std::uint64_t kSteps = 100;
    const std::vector<WalkState> begin = some_states(kMost);
    std::vector<WalkState> wanted = begin;
    for (WalkState& x : wanted) vdf_walk(x, arena, kSteps);
    for (const WalkKernel& kernel : walk_kernels()) {
        if (!kernel.usable()) continue;
        for (std::size_t count = 0; count <= kMost; ++count) {
            std::vector<WalkState> got = begin;
            walk_states(&kernel, arena, {got.data(), count}, kSteps);
            for (std::size_t s = 0; s < kMost; ++s) {
                ASSERT_EQ(got[s], s < count ? wanted[s] : begin[s])
                    << kernel.name << " count " << count << " state " << s;
            }
        }
    }
}

TEST(WalkKernels, StepsAddUp) {
    const VdfWorld world;
    for (const WalkKernel& kernel : walk_kernels()) {
        if (!kernel.usable()) continue;
        for (const std::size_t count : {std::size_t{1}, std::size_t{6}, kernel.width}) {
            std::vector<WalkState> once = some_states(count);
            std::vector<WalkState> parts = once;
            walk_states(&kernel, world.arena->view(), once, 1'000);
            for (const std::uint64_t steps : {0, 1, 2, 997}) {
                walk_states(&kernel, world.arena->view(), parts, steps);
            }
            EXPECT_EQ(once, parts) << kernel.name;
        }
    }
}

TEST(Walk, ArenaServesOnlyItsOwnEpochAndParameters) {
    const VdfWorld world;
    const ArenaView arena = world.arena->view();
    const VdfParams& vdf = world.params.vdf;
    EXPECT_TRUE(arena.serves(vdf, 0, arena.epoch_seed));
    EXPECT_FALSE(arena.serves(vdf, 1, arena.epoch_seed));
    EXPECT_FALSE(arena.serves(vdf, 0, EpochSeed{digest_of("other")}));
    VdfParams other = vdf;
    other.passes = 2;
    EXPECT_FALSE(arena.serves(other, 0, arena.epoch_seed));
    other = vdf;
    other.arena_kib *= 2;
    EXPECT_FALSE(arena.serves(other, 0, arena.epoch_seed));
    other = vdf;
    other.lanes = 2;
    EXPECT_FALSE(arena.serves(other, 0, arena.epoch_seed));
    other = vdf;
    other.steps_per_checkpoint = 17;
    other.checkpoints = 9;
    EXPECT_TRUE(arena.serves(other, 0, arena.epoch_seed));
}

TEST(Arena, RefusesParametersOutOfBoundsBeforeAllocating) {
    VdfParams params;
    params.arena_kib = 0x8000'0000;  // 2 TiB
    auto arena = VdfArena::fill(params, 0, {});
    ASSERT_FALSE(arena.has_value());
    EXPECT_EQ(arena.error().code, ErrorCode::kRefused);
    EXPECT_EQ(arena.error().verdict.reason, Reason::kVdfPolicy);
}

TEST(Arena, StopsWhenAsked) {
    FillOptions options;
    options.stop = [] { return true; };
    auto arena = VdfArena::fill({64, 1, 4, 16, 5}, 0, {}, options);
    ASSERT_FALSE(arena.has_value());
    EXPECT_EQ(arena.error().code, ErrorCode::kInterrupted);
}

TEST(Arena, LanesInParallelGiveTheSameBytes) {
    const VdfParams params{256, 2, 8, 16, 5};
    const EpochSeed seed{digest_of("seed")};
    const auto plain = VdfArena::fill(params, 7, seed);
    FillOptions options;
    options.parallel = pool_parallel(4);
    const auto parallel = VdfArena::fill(params, 7, seed, options);
    ASSERT_TRUE(plain.has_value() && parallel.has_value());
    EXPECT_EQ(sha256((*plain)->bytes()), sha256((*parallel)->bytes()));
    const auto other = VdfArena::fill(params, 8, seed);
    ASSERT_TRUE(other.has_value());
    EXPECT_NE(sha256((*plain)->bytes()), sha256((*other)->bytes()));
}

TEST(Epochs, NumbersThatNoHeightHasDoNotWrap) {
    NetworkParams params;
    params.genesis_height = Height(100);
    EXPECT_EQ(epoch_of(params, Height(0)), 0U);
    EXPECT_EQ(epoch_of(params, Height(100 + 255)), 0U);
    EXPECT_EQ(epoch_of(params, Height(100 + 256)), 1U);
    EXPECT_EQ(epoch_source_height(params, 1), Height(100 + 256 - 8));
    EXPECT_EQ(epoch_source_height(params, UINT64_MAX), Height(UINT64_MAX));
    EXPECT_EQ(epoch_source_height(params, 0), std::nullopt);
}

// Spec section 5: the next earlier height that has y, and y of epoch 0 where there is none.
TEST(Epochs, ASourceHeightWithoutYTakesTheOneBefore) {
    NetworkParams params;
    params.genesis_height = Height(100);
    const Height source = *epoch_source_height(params, 1);
    const auto with_y = [&](const std::set<Height>& heights) {
        return epoch_source_with_y(
            params, 1, [heights](Height h) -> Result<bool> { return heights.contains(h); });
    };
    EXPECT_EQ(with_y({source - 2, source, source + 1}).value(), source);
    EXPECT_EQ(with_y({source - 2, source + 1}).value(), source - 2);
    EXPECT_EQ(with_y({params.genesis_height}).value(), params.genesis_height);
    EXPECT_EQ(with_y({params.genesis_height - 1}).value(), std::nullopt);

    int asked = 0;
    const auto unknown = [&](Height) -> Result<bool> {
        ++asked;
        return fail(ErrorCode::kUnavailable, "not known");
    };
    EXPECT_EQ(epoch_source_with_y(params, 0, unknown).value(), std::nullopt);
    EXPECT_EQ(asked, 0) << "epoch 0 has no source";
    EXPECT_EQ(epoch_source_with_y(params, 1, unknown).error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(asked, 1) << "an unknown height must not be passed over";
}

}  // namespace
}  // namespace holdfast::test
