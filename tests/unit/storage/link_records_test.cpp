#include "storage/link_records.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include "storage/begun.hpp"
#include "support/full_disk.hpp"
#include "support/link_world.hpp"

namespace holdfast {
namespace {

using test::LinkWorld;
using test::slurp;
using test::spill;
using test::TempFolder;

template <class T>
T numbered(std::uint64_t n) {
    T out;
    store_le64(out.data(), n);
    return out;
}

LinkRecord record(std::uint64_t height, std::uint64_t block, std::uint64_t link) {
    return {Height(height), numbered<BlockHash>(block), numbered<GlobalDigest>(height),
            numbered<Link>(link)};
}

class ChainFile : public testing::Test {
  protected:
    Result<Receipt> sign(LinkRecords& records, const LinkRecord& r) {
        return records.record_then_sign(id_, chain_, r, key_);
    }
    TempFolder folder_;
    std::filesystem::path path_ = folder_ / "x.chain";
    NetworkId id_ = NetworkParams().id();
    ChainId chain_ = numbered<ChainId>(77);
    KeyPair key_ = KeyPair::from_secret(Bytes(32, 5));
};

TEST_F(ChainFile, TheSameLinkSignsToTheSameBytesAndAnotherIsRefused) {
    Receipt first;
    {
        auto records = LinkRecords::open(path_);
        ASSERT_TRUE(records) << records.error().message;
        const auto receipt = sign(*records, record(10, 1, 100));
        ASSERT_TRUE(receipt);
        first = *receipt;
        EXPECT_TRUE(
            verify_signature(key_.public_key(),
                             view(receipt_digest(id_, chain_, Height(10), numbered<BlockHash>(1),
                                                 numbered<GlobalDigest>(10), numbered<Link>(100))),
                             first.signature));
        EXPECT_EQ(*sign(*records, record(10, 1, 100)), first);
        EXPECT_EQ(records->size(), 1U) << "no second record";
        const auto second = sign(*records, record(10, 1, 101));
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, ErrorCode::kRefused);
        EXPECT_EQ(second.error().verdict.reason, Reason::kBadLink);
    }
    auto again = LinkRecords::open(path_);
    ASSERT_TRUE(again);
    EXPECT_EQ(*sign(*again, record(10, 1, 100)), first);
    EXPECT_FALSE(sign(*again, record(10, 1, 101)));
    EXPECT_EQ(again->size(), 1U);
}

TEST_F(ChainFile, BothBranchesOfAForkAreSigned) {
    auto records = LinkRecords::open(path_);
    ASSERT_TRUE(records);
    ASSERT_TRUE(sign(*records, record(10, 1, 100)));
    ASSERT_TRUE(sign(*records, record(10, 2, 200)));
    ASSERT_TRUE(sign(*records, record(11, 1, 101)));
    EXPECT_EQ(records->find(Height(10), numbered<BlockHash>(2), numbered<GlobalDigest>(10)),
              numbered<Link>(200));
    EXPECT_FALSE(records->find(Height(10), numbered<BlockHash>(2), numbered<GlobalDigest>(9)));
    EXPECT_EQ(records->at_height(Height(10)).size(), 2U);
    EXPECT_EQ(records->at_height(Height(11)), std::vector<LinkRecord>{record(11, 1, 101)});
    EXPECT_TRUE(records->at_height(Height(12)).empty());
}

TEST_F(ChainFile, AnotherOwnerOfTheRecordsCannotSign) {
    auto records = LinkRecords::open(path_);
    ASSERT_TRUE(records);
    const auto inside = LinkRecords::open(path_);
    ASSERT_FALSE(inside);
    EXPECT_EQ(inside.error().code, ErrorCode::kBusy);
    const pid_t child = ::fork();
    if (child == 0) {
        const auto other = LinkRecords::open(path_);
        ::_exit(!other && other.error().code == ErrorCode::kBusy ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    EXPECT_EQ(LinkRecords::read(path_)->size(), 0U) << "readers need no lock";
}

TEST_F(ChainFile, ATornLastRecordIsCutAndReported) {
    Bytes whole;
    {
        auto records = LinkRecords::open(path_);
        ASSERT_TRUE(records);
        ASSERT_TRUE(sign(*records, record(10, 1, 100)));
        ASSERT_TRUE(sign(*records, record(11, 1, 101)));
        whole = slurp(path_);
    }
    const std::size_t one = kRecordHeaderBytes + kLinkRecordBytes;
    ASSERT_EQ(whole.size(), 2 * one);
    for (const std::size_t kept : {one + 1, one + 39, one + 41, 2 * one - 1}) {
        spill(path_, ByteView(whole).first(kept));
        auto records = LinkRecords::open(path_);
        ASSERT_TRUE(records) << records.error().message;
        EXPECT_EQ(records->recovery().cut_bytes, kept - one);
        EXPECT_EQ(records->size(), 1U);
        // The record never became durable, so its signature never left: any link may follow.
        ASSERT_TRUE(sign(*records, record(11, 1, 101)));
        EXPECT_EQ(slurp(path_), whole);
    }
}

TEST_F(ChainFile, DamageBeyondATornRecordStopsSigning) {
    {
        auto records = LinkRecords::open(path_);
        ASSERT_TRUE(records);
        for (std::uint64_t h = 10; h < 14; ++h) ASSERT_TRUE(sign(*records, record(h, 1, h)));
    }
    Bytes bytes = slurp(path_);
    bytes[kRecordHeaderBytes + kLinkRecordBytes + 50] ^= 1;  // in the second of four
    spill(path_, bytes);
    const auto damaged = LinkRecords::open(path_);
    ASSERT_FALSE(damaged);
    EXPECT_EQ(damaged.error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(slurp(path_), bytes) << "nothing was cut";
    EXPECT_EQ(LinkRecords::read(path_)->size(), 1U);
}

TEST_F(ChainFile, AFileThatContradictsItselfOrHoldsSomethingElseIsRefused) {
    const auto put_records = [&](const std::vector<Bytes>& bodies) {
        ASSERT_TRUE(remove_store_file(path_));
        auto log = RecordLog::open(path_);
        ASSERT_TRUE(log);
        for (const Bytes& body : bodies) ASSERT_TRUE(log->append(body));
    };
    put_records({record(10, 1, 100).encode(), record(10, 1, 101).encode()});
    EXPECT_EQ(LinkRecords::open(path_).error().code, ErrorCode::kCorrupt);
    put_records({Bytes(kLinkRecordBytes - 1, 1)});
    EXPECT_EQ(LinkRecords::open(path_).error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(LinkRecords::read(path_).error().code, ErrorCode::kCorrupt);
}

TEST_F(ChainFile, AnOldBackupSignsTheSameBytesAgain) {
    LinkWorld w(0);
    test::SealedCase sealed(w.network, w.story);
    ASSERT_TRUE(sealed.replica);
    Bytes backup;
    std::vector<Receipt> receipts;
    const auto links = [&](LinkRecords& records) {
        std::vector<Receipt> out;
        for (std::size_t i = 0; i < w.heights.size(); ++i) {
            if (!w.heights[i].has_link()) continue;
            const auto made =
                make_link(w.network.id, *sealed.replica, w.facts(i), sealed.key, records);
            EXPECT_TRUE(made);
            out.push_back(made->receipt);
            if (out.size() == 2) backup = slurp(path_);
        }
        return out;
    };
    {
        auto records = LinkRecords::open(path_);
        ASSERT_TRUE(records);
        receipts = links(*records);
    }
    spill(path_, backup);
    auto restored = LinkRecords::open(path_);
    ASSERT_TRUE(restored);
    EXPECT_EQ(restored->size(), 2U);
    EXPECT_EQ(links(*restored), receipts);
}

TEST_F(ChainFile, ADamagedCellIsAMissedLinkAndNothingIsSigned) {
    LinkWorld w(0);
    test::SealedCase sealed(w.network, w.story);
    ASSERT_TRUE(sealed.replica);
    const std::size_t i = w.rich();
    const auto opening = open_link(w.network.id, *sealed.replica, w.facts(i));
    ASSERT_TRUE(opening);
    const OpenedCell where = opening->where[7];
    Bytes file = slurp(sealed.folder / "x.replica");
    file[kFileHeaderBytes + where.index().value * kCellBytes + 100] ^= 0x10;
    sealed.replica.reset();
    spill(sealed.folder / "x.replica", file);
    auto corrupt =
        Replica::open(sealed.folder / "x.replica", sealed.folder / "x.tree", w.network.params);
    ASSERT_TRUE(corrupt) << corrupt.error().message;
    auto records = LinkRecords::open(path_);
    ASSERT_TRUE(records);
    const auto made = make_link(w.network.id, *corrupt, w.facts(i), sealed.key, *records);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(records->size(), 0U);
    EXPECT_EQ(std::filesystem::file_size(path_), 0U);
}

TEST_F(ChainFile, APathOfAnotherLinkMakesNoCompactProof) {
    LinkWorld w(0);
    test::SealedCase sealed(w.network, w.story);
    ASSERT_TRUE(sealed.replica);
    auto records = LinkRecords::open(path_);
    ASSERT_TRUE(records);
    const std::size_t i = w.rich();
    const auto made = make_link(w.network.id, *sealed.replica, w.facts(i), sealed.key, *records);
    ASSERT_TRUE(made);
    PathProof path = *PathProof::decode(w.heights[i].body("path"));
    ++path.leaf.link_height;
    const auto compact = to_compact(w.network.id, *sealed.replica, *made, path, VdfOutput());
    ASSERT_FALSE(compact);
    EXPECT_EQ(compact.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(ChainFile, WhenTheDiskTakesNoRecordNothingIsSigned) {
    auto records = LinkRecords::open(path_);
    ASSERT_TRUE(records);
    ASSERT_TRUE(sign(*records, record(10, 1, 100)));
    {
        const test::FullDisk full(std::filesystem::file_size(path_) + 20);
        const auto receipt = sign(*records, record(11, 1, 101));
        ASSERT_FALSE(receipt);
        EXPECT_EQ(receipt.error().code, ErrorCode::kOutOfSpace);
    }
    EXPECT_FALSE(records->find(Height(11), numbered<BlockHash>(1), numbered<GlobalDigest>(11)));
    ASSERT_TRUE(sign(*records, record(11, 1, 102))) << "the refused one was never signed";
    EXPECT_EQ(LinkRecords::read(path_)->size(), 2U);
}

}  // namespace
}  // namespace holdfast
