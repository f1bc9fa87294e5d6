// Every way of reading gives the same bytes and the same kinds of errors, range by range.
#include "chunking/batch_reader.hpp"

#include <gtest/gtest.h>

#include "chunking/open_files.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

using test::TempFolder;
using Way = BatchReader::Way;

class BatchReaders : public testing::TestWithParam<Way> {
  protected:
    void SetUp() override {
        Result<std::unique_ptr<BatchReader>> made = BatchReader::make(GetParam(), 8);
        if (!made) {
            ASSERT_EQ(GetParam(), Way::kUring) << made.error().message;
            GTEST_SKIP() << made.error().message;
        }
        reader_ = std::move(*made);
        EXPECT_EQ(reader_->way(), GetParam());
        for (int f = 0; f < 3; ++f) {
            Bytes content(50'000 + f);
            for (std::size_t i = 0; i < content.size(); ++i) {
                content[i] = static_cast<std::uint8_t>(i * 31 + i / 256 + f);
            }
            const auto path = folder_ / ("file" + std::to_string(f));
            test::spill(path, content);
            contents_.push_back(content);
            files_.push_back(std::make_unique<File>(File::open(path, File::Mode::kRead).value()));
        }
    }
    FileRead read_of(std::size_t file, std::uint64_t offset, std::size_t bytes) {
        buffers_.push_back(std::make_unique<Bytes>(bytes));
        return {files_[file].get(), offset, *buffers_.back(), {}};
    }
    void expect_good(const FileRead& r, std::size_t file) const {
        ASSERT_TRUE(r.status) << r.status.error().message;
        EXPECT_TRUE(std::equal(r.out.begin(), r.out.end(),
                               contents_[file].begin() + static_cast<std::ptrdiff_t>(r.offset)));
    }

    TempFolder folder_;
    std::unique_ptr<BatchReader> reader_;
    std::vector<Bytes> contents_;
    std::vector<std::unique_ptr<File>> files_;
    std::vector<std::unique_ptr<Bytes>> buffers_;
};

TEST_P(BatchReaders, MoreRangesThanDepthFromSeveralFiles) {
    for (int round = 0; round < 3; ++round) {
        std::vector<FileRead> reads;
        for (std::size_t i = 0; i < 100; ++i) {
            reads.push_back(read_of(i % 3, i * 437, 1 + i * 53 % 4'096));
        }
        reader_->read(reads);
        for (std::size_t i = 0; i < reads.size(); ++i) expect_good(reads[i], i % 3);
    }
    reader_->read({});
}

TEST_P(BatchReaders, ARangeBehindTheEndIsAnErrorOfThatRangeAlone) {
    std::filesystem::resize_file(folder_ / "file1", 10'000);  // under the open file
    std::vector<FileRead> reads = {read_of(0, 20'000, 4'096), read_of(1, 20'000, 4'096),
                                   read_of(1, 9'000, 4'096), read_of(1, 0, 4'096),
                                   read_of(2, 40'000, 4'096)};
    reader_->read(reads);
    expect_good(reads[0], 0);
    EXPECT_FALSE(reads[1].status);
    EXPECT_FALSE(reads[2].status);
    expect_good(reads[3], 1);
    expect_good(reads[4], 2);
}

std::string name_of(const testing::TestParamInfo<Way>& info) {
    return std::string(to_string(info.param));
}
INSTANTIATE_TEST_SUITE_P(AllWays, BatchReaders,
                         testing::Values(Way::kAdvised, Way::kMapped, Way::kThreads, Way::kUring),
                         name_of);

TEST(BatchReaderNames, AreReadBack) {
    for (const Way way : {Way::kAdvised, Way::kMapped, Way::kThreads, Way::kUring}) {
        EXPECT_EQ(batch_reader_way(to_string(way)), way);
    }
    EXPECT_FALSE(batch_reader_way("fast"));
    EXPECT_NE(BatchReader::best(), nullptr);
}

TEST(OpenFiles, NeverMoreThanItsLimit) {
    TempFolder folder;
    for (int i = 0; i < 10; ++i) test::spill(folder / std::to_string(i), Bytes(10, 1));
    OpenFiles files(3);
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 10; ++i) {
            ASSERT_TRUE(files.get(folder / std::to_string(i)));
            EXPECT_LE(files.open(), 3U);
        }
    }
    EXPECT_EQ(files.most(), 3U);
    std::vector<std::shared_ptr<const File>> held;
    for (int i = 0; i < 3; ++i) held.push_back(files.get(folder / std::to_string(i)).value());
    EXPECT_EQ(files.get(folder / "5").error().code, ErrorCode::kBusy);
    EXPECT_EQ(files.get(folder / "0").value(), held[0]);
    held.pop_back();
    EXPECT_TRUE(files.get(folder / "5"));
    EXPECT_EQ(files.get(folder / "none").error().code, ErrorCode::kNotFound);
}

TEST(OpenFiles, ForgetSeesWhatANameMeansNow) {
    TempFolder folder;
    test::spill(folder / "a", Bytes(10, 1));
    OpenFiles files(2);
    ASSERT_TRUE(files.get(folder / "a"));
    test::spill(folder / "b", Bytes(20, 2));
    std::filesystem::rename(folder / "b", folder / "a");
    EXPECT_EQ(files.get(folder / "a").value()->size().value(), 10U);
    files.forget(folder / "a");
    EXPECT_EQ(files.get(folder / "a").value()->size().value(), 20U);
}

}  // namespace
}  // namespace holdfast
