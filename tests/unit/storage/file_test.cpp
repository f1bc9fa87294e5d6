#include "storage/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/code_of.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

using test::code_of;
using test::slurp;
using test::TempFolder;

const Bytes kHello{'h', 'e', 'l', 'l', 'o'};

std::size_t entries(const TempFolder& folder) {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder.path()), {}));
}

TEST(File, Modes) {
    const TempFolder folder;
    EXPECT_EQ(code_of(File::open(folder / "a", File::Mode::kRead)), ErrorCode::kNotFound);
    EXPECT_EQ(code_of(File::open(folder / "a", File::Mode::kReadWrite)), ErrorCode::kNotFound);
    ASSERT_TRUE(File::open(folder / "a", File::Mode::kCreateNew, 0600).has_value());
    EXPECT_EQ(code_of(File::open(folder / "a", File::Mode::kCreateNew)), ErrorCode::kAlreadyExists);
    auto again = File::open(folder / "a", File::Mode::kCreate);
    ASSERT_TRUE(again.has_value());
    EXPECT_TRUE(again->write_at(0, kHello).has_value());
    struct stat info{};
    ASSERT_EQ(::stat((folder / "a").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    auto reader = File::open(folder / "a", File::Mode::kRead);
    ASSERT_TRUE(reader.has_value());
    EXPECT_FALSE(reader->write_at(0, kHello).has_value());
}

TEST(File, OnlyRegularFilesOpenAndAFifoDoesNotHang) {
    const TempFolder folder;
    EXPECT_EQ(code_of(File::open(folder.path(), File::Mode::kRead)), ErrorCode::kInvalidArgument);
    ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
    EXPECT_EQ(code_of(File::open(folder / "fifo", File::Mode::kRead)), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_of(File::open("/dev/null", File::Mode::kReadWrite)),
              ErrorCode::kInvalidArgument);
}

TEST(File, PositionedReadsAndWrites) {
    const TempFolder folder;
    auto file = *File::open(folder / "a", File::Mode::kCreateNew);
    ASSERT_TRUE(file.write_at(10, kHello).has_value());
    EXPECT_EQ(*file.size(), 15U);
    Bytes out(5);
    ASSERT_TRUE(file.read_at(10, out).has_value());
    EXPECT_EQ(out, kHello);
    const Status beyond = file.read_at(12, out);
    EXPECT_EQ(code_of(beyond), ErrorCode::kCorrupt);
    EXPECT_NE(beyond.error().message.find("ends at byte 15"), std::string::npos)
        << beyond.error().message;
    EXPECT_EQ(*file.read_some_at(12, out), 3U);
    EXPECT_EQ(*file.read_some_at(99, out), 0U);
    EXPECT_EQ(code_of(file.read_at(UINT64_MAX - 2, out)), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_of(file.write_at(UINT64_MAX - 2, kHello)), ErrorCode::kInvalidArgument);
    ASSERT_TRUE(file.truncate(12).has_value());
    EXPECT_EQ(*file.size(), 12U);
    EXPECT_EQ(code_of(file.truncate(UINT64_MAX)), ErrorCode::kInvalidArgument);
    ASSERT_TRUE(file.reserve(100'000).has_value());
    EXPECT_EQ(*file.size(), 100'000U);
    ASSERT_TRUE(file.reserve(10).has_value());
    EXPECT_EQ(*file.size(), 100'000U);
    EXPECT_FALSE(file.reserve(0).has_value());
    EXPECT_FALSE(file.reserve(std::uint64_t{1} << 62).has_value());
    file.start_writeback(0, 100'000);
    EXPECT_TRUE(file.sync().has_value());
}

TEST(File, MovesCloseWhatTheyReplace) {
    const TempFolder folder;
    auto a = *File::open(folder / "a", File::Mode::kCreateNew);
    auto b = *File::open(folder / "b", File::Mode::kCreateNew);
    const int was_a = a.descriptor();
    a = std::move(b);
    EXPECT_EQ(a.path(), folder / "b");
    EXPECT_EQ(::fcntl(was_a, F_GETFD), -1);
    const int was_b = a.descriptor();
    {
        const File last = std::move(a);
    }
    EXPECT_EQ(::fcntl(was_b, F_GETFD), -1);
}

TEST(File, LockIsExclusiveAndEndsWithTheFile) {
    const TempFolder folder;
    auto other = *File::open(folder / "a", File::Mode::kCreate);
    {
        auto holder = *File::open(folder / "a", File::Mode::kCreate);
        ASSERT_TRUE(holder.lock_exclusive().has_value());
        EXPECT_EQ(code_of(other.lock_exclusive()), ErrorCode::kBusy);
        const pid_t child = ::fork();
        if (child == 0) {
            auto mine = File::open(folder / "a", File::Mode::kReadWrite);
            ::_exit(mine && code_of(mine->lock_exclusive()) == ErrorCode::kBusy ? 0 : 1);
        }
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_EQ(status, 0);
    }
    EXPECT_TRUE(other.lock_exclusive().has_value());
}

TEST(PendingFile, AppearsWholeOrNotAtAll) {
    const TempFolder folder;
    {
        auto pending = *PendingFile::create(folder / "a");
        ASSERT_TRUE(pending.file().write_at(0, kHello).has_value());
        EXPECT_TRUE(std::filesystem::exists(pending.temporary_path()));
        EXPECT_EQ(pending.temporary_path().parent_path(), folder.path());
        EXPECT_EQ(pending.temporary_path().filename().string().front(), '.');
        EXPECT_FALSE(std::filesystem::exists(folder / "a"));
    }
    EXPECT_EQ(entries(folder), 0U);
    {
        auto pending = *PendingFile::create(folder / "a", false, 0600);
        ASSERT_TRUE(pending.file().write_at(0, kHello).has_value());
        PendingFile moved = std::move(pending);
        ASSERT_TRUE(moved.publish().has_value());
    }
    EXPECT_EQ(entries(folder), 1U);
    EXPECT_EQ(slurp(folder / "a"), kHello);
    struct stat info{};
    ASSERT_EQ(::stat((folder / "a").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST(PendingFile, ReplacesOnlyWhenAsked) {
    const TempFolder folder;
    test::spill(folder / "a", kHello);
    EXPECT_EQ(code_of(PendingFile::create(folder / "a")), ErrorCode::kAlreadyExists);
    // Somebody else takes the name between create and publish.
    auto late = *PendingFile::create(folder / "b");
    test::spill(folder / "b", kHello);
    EXPECT_EQ(code_of(late.publish()), ErrorCode::kAlreadyExists);
    EXPECT_EQ(slurp(folder / "b"), kHello);
    ASSERT_TRUE(write_file(folder / "a", Bytes{1, 2}, true).has_value());
    EXPECT_EQ(slurp(folder / "a"), (Bytes{1, 2}));
    EXPECT_EQ(code_of(write_file(folder / "a", kHello)), ErrorCode::kAlreadyExists);
}

TEST(PendingFile, FolderTroubleIsReported) {
    const TempFolder folder;
    EXPECT_EQ(code_of(PendingFile::create(folder / "no" / "a")), ErrorCode::kNotFound);
    EXPECT_EQ(code_of(PendingFile::create(folder.path() / "")), ErrorCode::kAlreadyExists);
    EXPECT_EQ(code_of(sync_folder(folder / "no")), ErrorCode::kNotFound);
    EXPECT_TRUE(sync_folder(folder.path()).has_value());
    // A dangling link has a name already, though nothing is behind it.
    std::filesystem::create_symlink(folder / "nowhere", folder / "link");
    EXPECT_EQ(code_of(PendingFile::create(folder / "link")), ErrorCode::kAlreadyExists);
}

TEST(File, ReadFileKnowsItsLimit) {
    const TempFolder folder;
    test::spill(folder / "a", kHello);
    EXPECT_EQ(*read_file(folder / "a", 5), kHello);
    EXPECT_EQ(code_of(read_file(folder / "a", 4)), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_of(read_file(folder / "b", 4)), ErrorCode::kNotFound);
    test::spill(folder / "empty", {});
    EXPECT_TRUE(read_file(folder / "empty", 0)->empty());
}

}  // namespace
}  // namespace holdfast
