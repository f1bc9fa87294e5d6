// A disk that fills up, or cannot be written, under a registry: a clear error, nothing half done,
// and the same story afterwards.
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <optional>

#include "support/registry_story.hpp"
#include "support/small_disk.hpp"

namespace holdfast {
namespace {

using test::must;
using test::RegistryStory;

constexpr std::uint64_t kDiskBytes = 1 << 20;

struct RegistryDiskFull : ::testing::Test {
    NetworkParams params = test::story_network();
    test::TempFolder folder;
    std::optional<test::SmallDisk> disk;
    RegistryOptions options;

    void SetUp() override {
        options.map_bytes = std::uint64_t{1} << 30;
        disk.emplace(folder / "disk", kDiskBytes);
        if (!disk->mounted()) GTEST_SKIP() << "mounting a small tmpfs is not allowed here";
    }
    /// Takes all the room that is left, but for `bytes`.
    void fill_but(std::uint64_t bytes) const {
        const auto space = std::filesystem::space(disk->path());
        ASSERT_GE(space.available, bytes);
        test::spill(disk->path() / "ballast", Bytes(space.available - bytes));
    }
};

TEST_F(RegistryDiskFull, OpeningSaysSo) {
    ASSERT_NO_FATAL_FAILURE(fill_but(8'192));
    const auto opened = Registry::open(disk->path() / "registry", params, options);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kOutOfSpace) << opened.error().message;
    std::filesystem::remove(disk->path() / "ballast");
    EXPECT_TRUE(Registry::open(disk->path() / "registry", params, options));
}

TEST_F(RegistryDiskFull, EveryWriteIsWholeOrNotDone) {
    auto registry = must(Registry::open(disk->path() / "registry", params, options));
    RegistryStory story(params, 1);
    const Height full_at = params.genesis_height + 30;
    for (Height h = params.genesis_height; h < full_at; ++h) {
        (void)must(registry->on_final_block(story.block(h)));
        story.act(*registry, h);
    }
    ASSERT_NO_FATAL_FAILURE(fill_but(0));
    std::optional<Error> failed;
    Height h = full_at;
    for (; h < full_at + 200; ++h) {
        const auto fed = registry->on_final_block(story.block(h));
        if (!fed) {
            failed = fed.error();
            break;
        }
    }
    ASSERT_TRUE(failed) << "the registry found room on a full disk";
    EXPECT_EQ(failed->code, ErrorCode::kOutOfSpace) << failed->message;
    EXPECT_EQ(must(registry->tip()), h - 1);
    const RegistrySlots before = must(registry->slots());
    EXPECT_FALSE(registry->on_final_block(story.block(h)));

    // With room again the very same registry goes on, and so does one that is opened anew.
    std::filesystem::remove(disk->path() / "ballast");
    EXPECT_EQ(must(registry->slots()), before);
    EXPECT_TRUE(registry->on_final_block(story.block(h)));
    const auto global = must(registry->block(must(registry->closed()).value()))->global;
    registry.reset();
    registry = must(Registry::open(disk->path() / "registry", params, options));
    EXPECT_EQ(must(registry->block(must(registry->closed()).value()))->global, global);

    test::TempFolder elsewhere;
    const auto whole = must(Registry::open(elsewhere / "registry", params, options));
    for (Height again = params.genesis_height; again <= h; ++again) {
        (void)must(whole->on_final_block(story.block(again)));
        if (again < full_at) story.act(*whole, again);
    }
    EXPECT_EQ(must(whole->block(must(whole->closed()).value()))->global, global);
}

TEST_F(RegistryDiskFull, AReadOnlyDiskIsAnErrorOfPermission) {
    {
        must(Registry::open(disk->path() / "registry", params, options));
    }
    ASSERT_EQ(::mount(nullptr, disk->path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
    const auto opened = Registry::open(disk->path() / "registry", params, options);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::kPermission) << opened.error().message;
    ASSERT_EQ(::mount(nullptr, disk->path().c_str(), nullptr, MS_REMOUNT, nullptr), 0);
    EXPECT_TRUE(Registry::open(disk->path() / "registry", params, options));
}

}  // namespace
}  // namespace holdfast
