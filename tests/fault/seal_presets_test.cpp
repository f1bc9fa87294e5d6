// The presets that provers use, once each, over files of more than one window. Minutes, not
// seconds.
#include "chunking/unseal.hpp"
#include "support/seal_world.hpp"

namespace holdfast {
namespace {

void seal_and_unseal(const SealParams& preset) {
    test::SealWorld world;
    world.network.seal_presets = {preset};
    // One chunk more than a window: two windows of half the size, so twice the passes.
    const std::size_t length = std::size_t{preset.window_chunks} * kChunkBytes + 1;
    const Bytes data = test::some_bytes(length);
    const SealedReplica sealed = world.seal_bytes("x", data, preset);
    EXPECT_EQ(sealed.windows, 2U);
    const auto replica = world.open("x");
    ASSERT_TRUE(replica.has_value()) << replica.error().message;
    // The bytes where the windows meet cost both fills and check both.
    const std::uint64_t border = replica->windows().window(1).first_byte();
    Bytes out(2 * kChunkBytes);
    const Status done = unseal_range(*replica, border - kChunkBytes, MutByteView(out));
    ASSERT_TRUE(done.has_value()) << done.error().message;
    const auto from = data.begin() + static_cast<std::ptrdiff_t>(border - kChunkBytes);
    EXPECT_TRUE(std::equal(out.begin(), out.end(), from));
}

TEST(SealPresets, Economy) { seal_and_unseal(kSealEconomy); }
TEST(SealPresets, Standard) { seal_and_unseal(kSealStandard); }
TEST(SealPresets, Hardened) { seal_and_unseal(kSealHardened); }

TEST(SealPresets, WholeFileOfStandardComesBack) {
    test::SealWorld world;
    world.network.seal_presets = {kSealStandard};
    const Bytes data = test::some_bytes(1'000'001);  // a small window: as much work, many passes
    world.seal_bytes("x", data, kSealStandard);
    const auto replica = world.open("x");
    ASSERT_TRUE(replica.has_value());
    ASSERT_TRUE(unseal(*replica, world.folder / "back").has_value());
    EXPECT_EQ(test::slurp(world.folder / "back"), data);
}

}  // namespace
}  // namespace holdfast
