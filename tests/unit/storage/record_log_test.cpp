#include "storage/record_log.hpp"

#include "storage/begun.hpp"
#include "support/full_disk.hpp"
#include "support/json.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

using test::hex;
using test::load_vectors;
using test::spill;
using test::TempFolder;

Bytes text(std::string_view s) { return Bytes(view(s).begin(), view(s).end()); }

std::vector<Bytes> bodies_of(const RecordLog& log) {
    std::vector<Bytes> out;
    const Status read = log.for_each([&](std::uint64_t index, ByteView body) -> Status {
        EXPECT_EQ(index, out.size());
        out.emplace_back(body.begin(), body.end());
        return {};
    });
    EXPECT_TRUE(read) << read.error().message;
    return out;
}

TEST(RecordLog, Crc32cOfTheVectors) {
    for (const auto& c : load_vectors("files.json")["cases"]["crc32c"]) {
        const Bytes data = hex(c["data"]);
        EXPECT_EQ(crc32c(data), c["crc"].get<std::uint32_t>());
        for (std::size_t cut = 0; cut <= data.size(); ++cut) {
            const ByteView all(data);
            EXPECT_EQ(crc32c(all.subspan(cut), crc32c(all.first(cut))), crc32c(data));
        }
    }
}

TEST(RecordLog, FilesOfTheVectorsKeepTheirGoodRecords) {
    const auto records = load_vectors("files.json")["cases"]["records"];
    std::vector<Bytes> bodies;
    for (const auto& b : records["bodies"]) bodies.push_back(hex(b));
    const TempFolder folder;
    for (const auto& c : records["files"]) {
        SCOPED_TRACE(c["why"].get<std::string>());
        const Bytes file = hex(c["file"]);
        const auto kept = c["records"].get<std::uint64_t>();
        const auto good = c["good_bytes"].get<std::uint64_t>();

        std::uint64_t seen = 0;
        const RecordScan scan = scan_records(file, kMaxRecordBodyBytes, [&](ByteView body) {
            EXPECT_EQ(Bytes(body.begin(), body.end()), bodies.at(seen++));
        });
        EXPECT_EQ(scan.records, kept);
        EXPECT_EQ(seen, kept);
        EXPECT_EQ(scan.good_bytes, good);

        const auto path = folder.path() / "log";
        ASSERT_TRUE(remove_store_file(path));
        spill(path, file);
        {
            const auto log = RecordLog::open(path, {RecordLog::Mode::kRead});
            ASSERT_TRUE(log) << log.error().message;
            EXPECT_EQ(log->recovery().records, kept);
            EXPECT_EQ(log->recovery().good_bytes, good);
            EXPECT_EQ(log->recovery().cut_bytes, file.size() - good);
            EXPECT_EQ(std::filesystem::file_size(path), file.size()) << "read-only changes nothing";
        }
        auto log = RecordLog::open(path);
        ASSERT_TRUE(log) << log.error().message;
        EXPECT_EQ(log->recovery().cut_bytes, file.size() - good);
        EXPECT_EQ(std::filesystem::file_size(path), good);
        EXPECT_EQ(bodies_of(*log), std::vector<Bytes>(bodies.begin(), bodies.begin() + kept));
        // What was lost can be written again, to the same bytes.
        for (std::uint64_t i = kept; i < bodies.size(); ++i) ASSERT_TRUE(log->append(bodies[i]));
        EXPECT_EQ(bodies_of(*log), bodies);
        EXPECT_EQ(test::slurp(path), hex(records["files"][0]["file"]));
    }
}

TEST(RecordLog, AppendsSurviveAndManyGoInTogether) {
    const TempFolder folder;
    const auto path = folder.path() / "log";
    const std::vector<Bytes> bodies{text("one"), Bytes(300'000, 7), text("three")};
    {
        auto log = RecordLog::open(path);
        ASSERT_TRUE(log) << log.error().message;
        EXPECT_EQ(log->records(), 0U);
        ASSERT_TRUE(log->append(bodies[0]));
        const ByteView rest[] = {bodies[1], bodies[2]};
        ASSERT_TRUE(log->append_all(rest));
        EXPECT_EQ(log->records(), 3U);
        EXPECT_EQ(log->size_bytes(), std::filesystem::file_size(path));
    }
    const auto log = RecordLog::open(path);
    ASSERT_TRUE(log) << log.error().message;
    EXPECT_EQ(log->recovery().cut_bytes, 0U);
    EXPECT_EQ(bodies_of(*log), bodies);
}

TEST(RecordLog, EverySingleBitFlipAndEveryTruncationIsNoticed) {
    Bytes file;
    Digest before;
    for (const auto* body : {"alpha", "b", "gamma gamma"}) {
        const Bytes record = encode_record(before, text(body));
        before = sha256(record);
        file.insert(file.end(), record.begin(), record.end());
    }
    ASSERT_EQ(scan_records(file).records, 3U);
    ASSERT_EQ(scan_records(file).last, before);
    const std::size_t sizes[] = {kRecordHeaderBytes + 5, 2 * kRecordHeaderBytes + 6, file.size()};
    const auto record_of = [&](std::size_t byte) {
        return static_cast<std::uint64_t>(byte >= sizes[0]) + (byte >= sizes[1] ? 1 : 0);
    };
    for (std::size_t bit = 0; bit < 8 * file.size(); ++bit) {
        Bytes bad = file;
        bad[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        EXPECT_EQ(scan_records(bad).records, record_of(bit / 8)) << bit;
    }
    for (std::size_t size = 0; size < file.size(); ++size) {
        EXPECT_EQ(scan_records(ByteView(file).first(size)).records, record_of(size)) << size;
    }
}

TEST(RecordLog, BodiesOutsideTheBoundAreRefusedAndNeverRead) {
    const TempFolder folder;
    const auto path = folder.path() / "log";
    RecordLog::Options small;
    small.max_body_bytes = 8;
    auto log = RecordLog::open(path, small);
    ASSERT_TRUE(log);
    EXPECT_EQ(log->append({}).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(log->append(Bytes(9)).error().code, ErrorCode::kInvalidArgument);
    const Bytes good(8, 1);
    const Bytes bad(9, 1);
    const ByteView both[] = {good, bad};
    EXPECT_FALSE(log->append_all(both));
    EXPECT_EQ(log->records(), 0U);
    EXPECT_EQ(std::filesystem::file_size(path), 0U);
    EXPECT_EQ(scan_records(encode_record({}, bad), 8).records, 0U);
    EXPECT_EQ(scan_records(encode_record({}, bad), 9).records, 1U);
}

TEST(RecordLog, OneWriterAtATime) {
    const TempFolder folder;
    const auto path = folder.path() / "log";
    auto first = RecordLog::open(path);
    ASSERT_TRUE(first);
    const auto second = RecordLog::open(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kBusy);
    EXPECT_TRUE(RecordLog::open(path, {RecordLog::Mode::kRead}));
}

TEST(RecordLog, AReaderNeitherCreatesNorAppends) {
    const TempFolder folder;
    const auto path = folder.path() / "log";
    const auto missing = RecordLog::open(path, {RecordLog::Mode::kRead});
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
    spill(path, encode_record({}, text("x")));
    auto reader = RecordLog::open(path, {RecordLog::Mode::kRead});
    ASSERT_TRUE(reader);
    EXPECT_EQ(reader->append(text("y")).error().code, ErrorCode::kInvalidArgument);
}

TEST(RecordLog, DamageBeyondTheCutLimitIsNotCut) {
    const TempFolder folder;
    const auto path = folder.path() / "log";
    Bytes file = encode_record({}, text("record"));
    const std::size_t good = file.size();
    file.resize(good + 50, 0xff);
    spill(path, file);
    RecordLog::Options options;
    options.max_cut_bytes = 49;
    const auto refused = RecordLog::open(path, options);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(std::filesystem::file_size(path), file.size());
    options.max_cut_bytes = 50;
    const auto cut = RecordLog::open(path, options);
    ASSERT_TRUE(cut);
    EXPECT_EQ(std::filesystem::file_size(path), good);
}

TEST(RecordLog, AFullDiskTakesNothingBack) {
    const TempFolder folder;
    const auto path = folder.path() / "log";
    auto log = RecordLog::open(path);
    ASSERT_TRUE(log);
    ASSERT_TRUE(log->append(text("kept")));
    const std::uint64_t size = log->size_bytes();

    {
        const test::FullDisk small(size + 10);
        const Status full = log->append(Bytes(100, 1));
        ASSERT_FALSE(full);
        EXPECT_EQ(full.error().code, ErrorCode::kOutOfSpace);
    }
    EXPECT_EQ(std::filesystem::file_size(path), size);
    EXPECT_EQ(log->records(), 1U);
    ASSERT_TRUE(log->append(text("space again")));
    EXPECT_EQ(bodies_of(*log), (std::vector<Bytes>{text("kept"), text("space again")}));
}

TEST(RecordLog, AFileChangedUnderneathIsReported) {
    const TempFolder folder;
    const auto path = folder.path() / "log";
    auto log = RecordLog::open(path);
    ASSERT_TRUE(log);
    ASSERT_TRUE(log->append(text("record")));
    spill(path, Bytes(kRecordHeaderBytes + 6, 1));
    const Status read = log->for_each([](std::uint64_t, ByteView) { return Status(); });
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace holdfast
