// A disk that fills up, or cannot be written, under a registry: a clear error, nothing half done,
// and the same story afterwards.
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <optional>

#include "hierarchy/registry_backup.hpp"
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
        (void)story.feed(*registry, h);
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
        (void)story.feed(*whole, again);
        if (again < full_at) story.act(*whole, again);
    }
    EXPECT_EQ(must(whole->block(must(whole->closed()).value()))->global, global);
}

TEST_F(RegistryDiskFull, ABackupThatFindsNoRoomLeavesNothing) {
    auto registry = must(Registry::open(folder / "registry", params, options));
    RegistryStory story(params, 1);
    for (Height h = params.genesis_height; h < params.genesis_height + 40; ++h) {
        (void)story.feed(*registry, h);
        story.act(*registry, h);
    }
    const RegistrySlots before = must(registry->slots());
    for (const std::uint64_t room : {0U, 8'192U, 40'960U}) {
        ASSERT_NO_FATAL_FAILURE(fill_but(room));
        const auto copied = registry->backup(disk->path() / "backup");
        ASSERT_FALSE(copied) << room;
        EXPECT_EQ(copied.error().code, ErrorCode::kOutOfSpace) << copied.error().message;
        std::filesystem::remove(disk->path() / "ballast");
        EXPECT_TRUE(disk->empty()) << "with " << room << " bytes of room";
    }
    EXPECT_EQ(must(registry->slots()), before);
    EXPECT_TRUE(registry->backup(disk->path() / "backup"));
}

TEST_F(RegistryDiskFull, ARestoreThatFindsNoRoomLeavesTheRegistryAsItWas) {
    const std::filesystem::path at = disk->path() / "registry";
    {
        const auto long_one = must(Registry::open(folder / "registry", params, options));
        const auto registry = must(Registry::open(at, params, options));
        RegistryStory story(params, 1);
        for (Height h = params.genesis_height; h < params.genesis_height + 40; ++h) {
            (void)story.feed(*long_one, h);
            story.act(*long_one, h);
        }
        (void)must(registry->on_final_block(story.block(params.genesis_height)));
        (void)must(long_one->backup(folder / "backup"));
    }
    ASSERT_NO_FATAL_FAILURE(fill_but(8'192));
    const auto restored = restore_registry(folder / "backup", at, params, true);
    ASSERT_FALSE(restored);
    EXPECT_EQ(restored.error().code, ErrorCode::kOutOfSpace) << restored.error().message;
    EXPECT_EQ(must(must(Registry::open(at, params, options))->tip()), params.genesis_height);
    std::filesystem::remove(disk->path() / "ballast");
    EXPECT_TRUE(restore_registry(folder / "backup", at, params, true));
    EXPECT_EQ(must(must(Registry::open(at, params, options))->tip()), params.genesis_height + 39);
}

TEST_F(RegistryDiskFull, ABatchIsTakenAsAWholeOrNotAtAll) {
    auto registry = must(Registry::open(disk->path() / "registry", params, options));
    const Height first = params.genesis_height;
    constexpr std::size_t kChains = 400;
    FinalBlock block{first, test::test_hash(first), 0, {}};
    for (std::uint64_t i = 0; i < kChains; ++i) {
        const test::TestChain chain(params, 7'000 + i, first);
        block.listed.bonds.push_back(chain.bond());
        block.listed.objects.push_back(
            {Kind::kRegistration, wrap_object(Kind::kRegistration, chain.registration().encode())});
    }
    ASSERT_NO_FATAL_FAILURE(fill_but(65'536));
    const auto refused = registry->on_final_block(block);
    ASSERT_FALSE(refused) << "400 registrations found room in 64 KiB";
    EXPECT_EQ(refused.error().code, ErrorCode::kOutOfSpace) << refused.error().message;
    EXPECT_EQ(must(registry->statistics()).registrations, 0U);
    EXPECT_EQ(must(registry->journal()).entries, 0U);
    std::filesystem::remove(disk->path() / "ballast");
    for (const ObjectOutcome& o : must(registry->on_final_block(block)).objects) {
        EXPECT_EQ(o.verdict, Verdict::ok());
    }
    registry.reset();
    registry = must(Registry::open(disk->path() / "registry", params, options));
    EXPECT_EQ(must(registry->statistics()).registrations, kChains);
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
