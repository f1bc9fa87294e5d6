#include "storage/mapped_file.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <numeric>
#include <thread>

#include "storage/file.hpp"
#include "support/code_of.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

using test::code_of;
using test::slurp;
using test::TempFolder;

Bytes counted(std::size_t length) {
    Bytes bytes(length);
    for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
    return bytes;
}

/// Descriptors and mappings of this process that refer to `path`.
int traces_of(const std::filesystem::path& path) {
    int found = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code ignored;
        found += std::filesystem::read_symlink(entry.path(), ignored) == path ? 1 : 0;
    }
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        found += line.find(path.string()) != std::string::npos ? 1 : 0;
    }
    return found;
}

TEST(MappedFile, ReadsAndRefusesWhatLiesBeyond) {
    const TempFolder folder;
    const Bytes data = counted(10'000);
    test::spill(folder / "a", data);
    const auto map = *MappedFile::open(folder / "a", MappedFile::Access::kRead);
    EXPECT_EQ(map.size(), data.size());
    EXPECT_EQ(map.path(), folder / "a");
    Bytes out(10'000);
    ASSERT_TRUE(map.read(0, out).has_value());
    EXPECT_EQ(out, data);
    out.resize(5);
    ASSERT_TRUE(map.read(9'995, out).has_value());
    EXPECT_EQ(out, Bytes(data.end() - 5, data.end()));
    EXPECT_EQ(code_of(map.read(9'996, out)), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_of(map.read(UINT64_MAX, out)), ErrorCode::kInvalidArgument);
    EXPECT_TRUE(map.read(10'000, {}).has_value());
    std::uint64_t sum = 0;
    const auto add = [&](ByteView bytes) {
        sum = std::accumulate(bytes.begin(), bytes.end(), std::uint64_t{0});
    };
    ASSERT_TRUE(map.with_bytes(100, 200, add).has_value());
    EXPECT_EQ(sum, std::accumulate(data.begin() + 100, data.begin() + 300, std::uint64_t{0}));
    EXPECT_EQ(code_of(map.with_bytes(9'999, 2, add)), ErrorCode::kInvalidArgument);
}

TEST(MappedFile, WhatCannotBeMapped) {
    const TempFolder folder;
    test::spill(folder / "empty", {});
    const auto open = [&](const std::filesystem::path& path) {
        return code_of(MappedFile::open(path, MappedFile::Access::kRead));
    };
    EXPECT_EQ(open(folder / "absent"), ErrorCode::kNotFound);
    EXPECT_EQ(open(folder / "empty"), ErrorCode::kCorrupt);
    EXPECT_EQ(open(folder.path()), ErrorCode::kInvalidArgument);
}

TEST(MappedFile, WritesReachTheFile) {
    const TempFolder folder;
    test::spill(folder / "a", counted(9'000));
    {
        auto map = *MappedFile::open(folder / "a", MappedFile::Access::kReadWrite);
        ASSERT_TRUE(map.write(8'990, Bytes(10, 0xee)).has_value());
        EXPECT_EQ(code_of(map.write(8'991, Bytes(10))), ErrorCode::kInvalidArgument);
        ASSERT_TRUE(map.flush().has_value());
        for (const auto advice : {MappedFile::Advice::kNormal, MappedFile::Advice::kSequential,
                                  MappedFile::Advice::kRandom, MappedFile::Advice::kWillNeed,
                                  MappedFile::Advice::kDontNeed}) {
            EXPECT_TRUE(map.advise(advice).has_value());
        }
    }
    const Bytes now = slurp(folder / "a");
    EXPECT_EQ(Bytes(now.end() - 10, now.end()), Bytes(10, 0xee));
    auto map = *MappedFile::open(folder / "a", MappedFile::Access::kRead);
    EXPECT_EQ(code_of(map.write(0, Bytes(1))), ErrorCode::kInvalidArgument);
}

TEST(MappedFile, LetsGoWhenToldAndWhenDestroyed) {
    const TempFolder folder;
    test::spill(folder / "a", counted(5'000));
    {
        auto map = *MappedFile::open(folder / "a", MappedFile::Access::kRead);
        EXPECT_EQ(traces_of(folder / "a"), 1);  // the view alone: no descriptor stays open
        map.unmap();
        EXPECT_EQ(traces_of(folder / "a"), 0);
        EXPECT_EQ(map.size(), 0U);
        Bytes out(1);
        EXPECT_FALSE(map.read(0, out).has_value());
        EXPECT_TRUE(map.flush().has_value());
        map.unmap();
    }
    {
        auto map = *MappedFile::open(folder / "a", MappedFile::Access::kRead);
        const MappedFile moved = std::move(map);
        EXPECT_EQ(traces_of(folder / "a"), 1);
    }
    EXPECT_EQ(traces_of(folder / "a"), 0);
}

constexpr std::size_t kPages = 64;
constexpr std::size_t kPage = 4'096;

TEST(MappedFileFault, TruncationIsAnErrorAtTheRightByte) {
    const TempFolder folder;
    const Bytes data = counted(kPages * kPage);
    test::spill(folder / "a", data);
    auto map = *MappedFile::open(folder / "a", MappedFile::Access::kReadWrite);
    std::filesystem::resize_file(folder / "a", 10 * kPage);
    Bytes out(100);
    for (int round = 0; round < 100; ++round) {
        const Status error = map.read(20 * kPage + 50, out);
        ASSERT_EQ(code_of(error), ErrorCode::kIo);
        EXPECT_NE(error.error().message.find("truncated under the map at byte"), std::string::npos);
    }
    Bytes whole(data.size());
    const Status error = map.read(0, whole);
    ASSERT_FALSE(error.has_value());
    EXPECT_NE(error.error().message.find("at byte 40960"), std::string::npos)
        << error.error().message;
    EXPECT_EQ(code_of(map.write(20 * kPage, out)), ErrorCode::kIo);
    volatile std::uint8_t last = 0;
    EXPECT_EQ(code_of(map.with_bytes(0, data.size(), [&](ByteView b) { last = b.back(); })),
              ErrorCode::kIo);
    // What is still there can be read, and what comes back can be read again.
    ASSERT_TRUE(map.read(5 * kPage, out).has_value());
    EXPECT_TRUE(std::equal(out.begin(), out.end(), data.begin() + 5 * kPage));
    std::filesystem::resize_file(folder / "a", data.size());
    ASSERT_TRUE(map.read(20 * kPage, out).has_value());
    EXPECT_EQ(out, Bytes(100, 0));
}

TEST(MappedFileFault, NestedReadsFaultIndependently) {
    const TempFolder folder;
    test::spill(folder / "a", counted(kPages * kPage));
    test::spill(folder / "b", counted(kPages * kPage));
    const auto a = *MappedFile::open(folder / "a", MappedFile::Access::kRead);
    const auto b = *MappedFile::open(folder / "b", MappedFile::Access::kRead);
    std::filesystem::resize_file(folder / "b", kPage);
    bool inner_failed = false;
    bool outer_read = false;
    std::array<std::uint8_t, 8> out{};
    ASSERT_TRUE(a.with_bytes(0, kPages * kPage, [&](ByteView bytes) {
                     inner_failed = !b.read(2 * kPage, out).has_value();
                     outer_read = bytes[3 * kPage] == counted(3 * kPage + 1).back();
                 }).has_value());
    EXPECT_TRUE(inner_failed);
    EXPECT_TRUE(outer_read);
    std::filesystem::resize_file(folder / "a", kPage);
    volatile std::uint8_t last = 0;
    EXPECT_EQ(code_of(a.with_bytes(0, kPages * kPage,
                                   [&](ByteView bytes) {
                                       static_cast<void>(b.read(2 * kPage, out));
                                       last = bytes[5 * kPage];
                                   })),
              ErrorCode::kIo);
}

TEST(MappedFileFault, ManyThreadsFaultAtOnce) {
    const TempFolder folder;
    test::spill(folder / "a", counted(kPages * kPage));
    const auto map = *MappedFile::open(folder / "a", MappedFile::Access::kRead);
    std::filesystem::resize_file(folder / "a", kPages / 2 * kPage);
    std::atomic<int> errors = 0;
    std::atomic<int> reads = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            Bytes out(64);
            for (std::size_t page = 0; page < kPages; ++page) {
                (map.read(page * kPage, out) ? reads : errors) += 1;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(reads, 4 * 32);
    EXPECT_EQ(errors, 4 * 32);
}

/// Runs `body` in a child and gives its wait status.
template <class Body>
int in_child(Body&& body) {
    const pid_t child = ::fork();
    if (child == 0) {
        body();
        ::_exit(7);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return status;
}

/// Touches a page beyond the end of a file, outside any guard.
void fault_elsewhere(const std::filesystem::path& path) {
    const auto file = *File::open(path, File::Mode::kReadWrite);
    void* p = ::mmap(nullptr, 4 * kPage, PROT_READ, MAP_SHARED, file.descriptor(), 0);
    const volatile std::uint8_t* bytes = static_cast<const std::uint8_t*>(p);
    static_cast<void>(bytes[3 * kPage]);
}

// The handler takes nothing that is not its own: an earlier handler still gets it, and without one
// the process ends as it would have.
TEST(MappedFileFault, FaultsOfOthersGoToTheEarlierHandler) {
    const TempFolder folder;
    test::spill(folder / "a", counted(kPage));
    const int with_default = in_child([&] {
        ::signal(SIGBUS, SIG_DFL);
        static_cast<void>(MappedFile::open(folder / "a", MappedFile::Access::kRead));
        fault_elsewhere(folder / "a");
    });
    EXPECT_FALSE(WIFEXITED(with_default) && WEXITSTATUS(with_default) == 7);
    EXPECT_NE(with_default, 0);
}

TEST(MappedFileFault, ASignalSentByAProcessIsNotAFault) {
    const TempFolder folder;
    test::spill(folder / "a", counted(kPage));
    const auto map = *MappedFile::open(folder / "a", MappedFile::Access::kRead);
    const int status = in_child(
        [&] { static_cast<void>(map.with_bytes(0, kPage, [](ByteView) { ::raise(SIGBUS); })); });
    EXPECT_NE(status, 0);
    EXPECT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

}  // namespace
}  // namespace holdfast
