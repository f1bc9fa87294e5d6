// The shared link records of many chains: durable before a signature, one wait for all, never a
// second link, whatever is torn, killed or forgotten.
#include "storage/link_set_records.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "core/hash.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

using test::TempFolder;

class LinkSet : public testing::Test {
  protected:
    static LinkPlace place(std::uint64_t height, std::uint64_t branch = 0) {
        return {Height(height), BlockHash(tagged_hash("test/block", height, branch)),
                GlobalDigest(tagged_hash("test/anchor", height))};
    }
    static std::vector<ChainLink> links(std::uint64_t height, std::size_t count,
                                        std::uint64_t version = 0) {
        std::vector<ChainLink> out;
        for (std::uint64_t i = 0; i < count; ++i) {
            out.push_back({ChainId(tagged_hash("test/chain", i)),
                           Link(tagged_hash("test/link", height, i, version))});
        }
        std::sort(out.begin(), out.end());
        return out;
    }
    Result<LinkSetRecords> open(std::uint32_t kept = 4) const {
        return LinkSetRecords::open(folder_ / "links", network_, key_.public_key(), {kept});
    }
    LinkSetRecords opened(std::uint32_t kept = 4) const {
        Result<LinkSetRecords> records = open(kept);
        if (!records) throw std::runtime_error(records.error().message);
        return std::move(*records);
    }
    static void record_all(LinkSetRecords& records, const LinkPlace& at,
                           const std::vector<ChainLink>& links) {
        const auto verdicts = records.record(at, links);
        ASSERT_TRUE(verdicts) << verdicts.error().message;
        for (const Verdict& v : *verdicts) EXPECT_TRUE(v) << to_string(v);
    }
    std::vector<std::filesystem::path> files() const {
        std::vector<std::filesystem::path> out;
        for (const auto& e : std::filesystem::directory_iterator(folder_ / "links")) {
            if (e.path().extension() == ".links") out.push_back(e.path());
        }
        std::sort(out.begin(), out.end());
        return out;
    }

    TempFolder folder_;
    NetworkId network_ = NetworkId(tagged_hash("test/network"));
    KeyPair key_ = KeyPair::from_secret(Bytes(32, 7));
};

TEST_F(LinkSet, RecordsThenSignsAndSignsTheSameAgain) {
    LinkSetRecords records = opened();
    const auto three = links(5, 3);
    EXPECT_FALSE(records.sign(place(5), three[0], key_)) << "nothing is on record yet";
    record_all(records, place(5), three);
    const auto first = records.sign(place(5), three[1], key_);
    ASSERT_TRUE(first);
    EXPECT_TRUE(
        verify_signature(key_.public_key(),
                         view(receipt_digest(network_, three[1].chain_id, Height(5),
                                             place(5).block_hash, place(5).anchor, three[1].link)),
                         first->signature));
    record_all(records, place(5), three);  // again: no new record, the same bytes
    EXPECT_EQ(records.sign(place(5), three[1], key_).value(), *first);
    EXPECT_FALSE(records.sign(place(5), three[1], KeyPair::from_secret(Bytes(32, 8))));
}

TEST_F(LinkSet, ASecondLinkIsRefusedForItsChainAlone) {
    LinkSetRecords records = opened();
    record_all(records, place(5), links(5, 3));
    auto mixed = links(5, 4);
    mixed[2].link = Link(tagged_hash("test/other"));
    const auto verdicts = records.record(place(5), mixed).value();
    // Position 2 of four is a chain of the three only when it is not the new one.
    for (std::size_t i = 0; i < mixed.size(); ++i) {
        const auto known = records.find(place(5), mixed[i].chain_id);
        ASSERT_TRUE(known);
        EXPECT_EQ(verdicts[i].accepted(), *known == mixed[i].link);
        EXPECT_EQ(records.sign(place(5), mixed[i], key_).has_value(), *known == mixed[i].link);
    }
    record_all(records, place(5, 1), mixed);  // another branch is another triple
}

TEST_F(LinkSet, SurvivesReopeningAndIsLockedMeanwhile) {
    const auto five = links(9, 5);
    {
        LinkSetRecords records = opened();
        record_all(records, place(9), five);
        const auto second = open();
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, ErrorCode::kBusy);
    }
    LinkSetRecords again = opened();
    for (const ChainLink& l : five) EXPECT_EQ(again.find(place(9), l.chain_id), l.link);
    EXPECT_EQ(again.record(place(9), links(9, 5, 1)).value()[0], Verdict(Reason::kBadLink));
}

TEST_F(LinkSet, LinksOfALargeBlockTakeSeveralRecordsAndAllComeBack) {
    const auto many = links(3, 40'000);
    {
        LinkSetRecords records = opened();
        record_all(records, place(3), many);
    }
    const LinkSetRecords again = opened();
    for (const ChainLink& l : many) ASSERT_EQ(again.find(place(3), l.chain_id), l.link);
}

TEST_F(LinkSet, OldHeightsAreForgottenAndStayRefused) {
    LinkSetRecords records = opened();
    for (std::uint64_t h = 1; h <= 40; ++h) record_all(records, place(h), links(h, 2));
    EXPECT_EQ(records.floor(), Height(37));
    EXPECT_LE(files().size(), 3U);
    EXPECT_EQ(records.record(place(36), links(36, 2, 1)).value()[0], Verdict(Reason::kTooLate));
    EXPECT_EQ(records.record(place(37), links(37, 2, 1)).value()[0], Verdict(Reason::kBadLink));
}

TEST_F(LinkSet, TheFloorOutlivesARestart) {
    {
        LinkSetRecords records = opened();
        for (std::uint64_t h = 1; h <= 13; ++h) record_all(records, place(h), links(h, 1));
    }
    LinkSetRecords again = opened();
    EXPECT_EQ(again.floor(), Height(10));
    EXPECT_EQ(again.record(place(2), links(2, 1, 1)).value()[0], Verdict(Reason::kTooLate));
}

TEST_F(LinkSet, ATornTailIsCutAndWhatWasAcknowledgedStays) {
    {
        record_all(*std::make_unique<LinkSetRecords>(opened()), place(1), links(1, 3));
    }
    const auto file = files().at(0);
    const auto good = std::filesystem::file_size(file);
    std::ofstream(file, std::ios::app | std::ios::binary) << std::string(1'000, 'x');
    const LinkSetRecords again = opened();
    EXPECT_EQ(again.cut_bytes(), 1'000U);
    EXPECT_EQ(std::filesystem::file_size(file), good);
    for (const ChainLink& l : links(1, 3)) EXPECT_EQ(again.find(place(1), l.chain_id), l.link);
}

TEST_F(LinkSet, DamageInOlderFilesAndMissingFilesSignNothing) {
    {
        LinkSetRecords records = opened(2);
        for (std::uint64_t h = 1; h <= 5; ++h) record_all(records, place(h), links(h, 1));
    }
    auto all = files();
    ASSERT_GE(all.size(), 2U);
    const Bytes oldest = test::slurp(all[0]);
    std::filesystem::resize_file(all[0], oldest.size() - 1);
    EXPECT_EQ(open(2).error().code, ErrorCode::kCorrupt);
    test::spill(all[0], oldest);
    ASSERT_TRUE(open(2));
    std::filesystem::rename(all[0], folder_ / "away");
    EXPECT_EQ(open(2).error().code, ErrorCode::kCorrupt);
}

TEST_F(LinkSet, RecordsOfAnotherKeyOrNetworkAreRefused) {
    {
        record_all(*std::make_unique<LinkSetRecords>(opened()), place(1), links(1, 1));
    }
    const auto other_key = KeyPair::from_secret(Bytes(32, 8)).public_key();
    EXPECT_EQ(LinkSetRecords::open(folder_ / "links", network_, other_key).error().code,
              ErrorCode::kRefused);
    EXPECT_EQ(LinkSetRecords::open(folder_ / "links", NetworkId(tagged_hash("test/other")),
                                   key_.public_key())
                  .error()
                  .code,
              ErrorCode::kRefused);
}

TEST_F(LinkSet, KilledBetweenRecordAndSignatureItSignsTheSameOrNothing) {
    for (const bool before_record : {false, true}) {
        const std::uint64_t height = before_record ? 8 : 7;
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            Result<LinkSetRecords> records = open();
            if (!records) ::_exit(1);
            if (before_record) ::kill(::getpid(), SIGKILL);
            if (!records->record(place(height), links(height, 3))) ::_exit(2);
            ::kill(::getpid(), SIGKILL);  // recorded, and not one signature made
        }
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status));
        LinkSetRecords again = opened();
        const auto other = again.record(place(height), links(height, 3, 1)).value();
        for (const Verdict& v : other) {
            EXPECT_EQ(v, before_record ? Verdict::ok() : Verdict(Reason::kBadLink));
        }
    }
}

TEST_F(LinkSet, MalformedRequestsAreErrors) {
    EXPECT_EQ(open(1).error().code, ErrorCode::kInvalidArgument);
    LinkSetRecords records = opened();
    auto wrong = links(1, 3);
    std::reverse(wrong.begin(), wrong.end());
    EXPECT_EQ(records.record(place(1), wrong).error().code, ErrorCode::kInvalidArgument);
    const auto twice = links(1, 1);
    EXPECT_EQ(records.record(place(1), std::vector<ChainLink>{twice[0], twice[0]}).error().code,
              ErrorCode::kInvalidArgument);
    EXPECT_TRUE(records.record(place(1), {}).value().empty());
}

}  // namespace
}  // namespace holdfast
