// Stores that have vanished beside what says that they existed.
#include "storage/begun.hpp"

#include <gtest/gtest.h>

#include "embedded/bond_ledger.hpp"
#include "settlement/settlement_ledger.hpp"
#include "storage/link_records.hpp"
#include "storage/link_set_records.hpp"
#include "storage/record_log.hpp"
#include "support/code_of.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

using test::code_of;

namespace fs = std::filesystem;
using test::slurp;
using test::spill;
using test::TempFolder;

KeyPair prover() { return KeyPair::from_secret(Bytes(32, 5)); }
NetworkId network() { return NetworkId(tagged_hash("test/begun")); }

/// An emptied, then a missing file is kCorrupt to `open` and nothing is made; restored it opens
/// again, and without its marker it begins.
template <class Open>
void expect_no_beginning(const fs::path& file, const Open& open) {
    ASSERT_TRUE(fs::exists(file));
    ASSERT_TRUE(fs::exists(begun_marker(file)));
    const Bytes whole = slurp(file);
    spill(file, {});
    EXPECT_EQ(code_of(open()), ErrorCode::kCorrupt);
    EXPECT_EQ(fs::file_size(file), 0U);
    fs::remove(file);
    EXPECT_EQ(code_of(open()), ErrorCode::kCorrupt);
    EXPECT_FALSE(fs::exists(file));
    EXPECT_NE(open().error().message.find(begun_marker(file).string()), std::string::npos);
    spill(file, whole);
    EXPECT_TRUE(open().has_value());
    fs::remove(file);
    fs::remove(begun_marker(file));
    EXPECT_TRUE(open().has_value());
}

TEST(Begun, AnEmptiedRecordLogIsNotANewOne) {
    const TempFolder temp;
    {
        auto log = RecordLog::open(temp / "log").value();
        EXPECT_FALSE(fs::exists(temp / "log.begun"));
        ASSERT_TRUE(log.append(Bytes(10, 1)));
        EXPECT_TRUE(fs::exists(temp / "log.begun"));
    }
    expect_no_beginning(temp / "log", [&] { return RecordLog::open(temp / "log"); });
}

TEST(Begun, ARecordLogOfWhichNoRecordHoldsIsNotANewOne) {
    const TempFolder temp;
    ASSERT_TRUE(RecordLog::open(temp / "log").value().append(Bytes(10, 1)));
    spill(temp / "log", Bytes(70, 0));
    EXPECT_EQ(code_of(RecordLog::open(temp / "log")), ErrorCode::kCorrupt);
    EXPECT_EQ(slurp(temp / "log"), Bytes(70, 0));
}

TEST(Begun, ALogThatWasNeverWrittenOrHasBeenClearedMayBeEmpty) {
    const TempFolder temp;
    for (int run = 0; run < 2; ++run) EXPECT_TRUE(RecordLog::open(temp / "log").has_value());
    {
        auto log = RecordLog::open(temp / "log").value();
        ASSERT_TRUE(log.append(Bytes(10, 1)));
        ASSERT_TRUE(log.clear());
    }
    EXPECT_TRUE(RecordLog::open(temp / "log").has_value());
    // Torn in its first record: it had not begun.
    spill(temp / "log", Bytes(20, 9));
    EXPECT_TRUE(RecordLog::open(temp / "log").has_value());
}

TEST(Begun, ALogFromBeforeTheMarkerGetsOne) {
    const TempFolder temp;
    ASSERT_TRUE(RecordLog::open(temp / "log").value().append(Bytes(10, 1)));
    fs::remove(temp / "log.begun");
    EXPECT_EQ(RecordLog::open(temp / "log").value().records(), 1U);
    EXPECT_TRUE(fs::exists(temp / "log.begun"));
}

TEST(Begun, AnEmptiedLinkRecordSignsNothing) {
    const TempFolder temp;
    const auto open = [&] { return LinkRecords::open(temp / "x.chain"); };
    ASSERT_TRUE(open().value().record_then_sign(network(), ChainId{}, LinkRecord{}, prover()));
    expect_no_beginning(temp / "x.chain", open);
}

TEST(Begun, AnEmptiedSetOfLinkRecordsSignsNothing) {
    const TempFolder temp;
    const auto open = [&] {
        return LinkSetRecords::open(temp / "links", network(), prover().public_key());
    };
    const fs::path file = temp / "links/000000000001.links";
    {
        ASSERT_TRUE(open().has_value());
    }
    const Bytes whole = slurp(file);
    spill(file, {});
    EXPECT_EQ(code_of(open()), ErrorCode::kCorrupt);
    fs::remove(file);
    EXPECT_EQ(code_of(open()), ErrorCode::kCorrupt);
    // The whole folder, as when its disk is not mounted: emptied, then gone. Nothing is made.
    fs::remove_all(temp / "links");
    fs::create_directory(temp / "links");
    EXPECT_EQ(code_of(open()), ErrorCode::kCorrupt);
    EXPECT_TRUE(fs::is_empty(temp / "links"));
    fs::remove(temp / "links");
    EXPECT_EQ(code_of(open()), ErrorCode::kCorrupt);
    EXPECT_FALSE(fs::exists(temp / "links"));
    fs::create_directory(temp / "links");
    spill(file, whole);
    EXPECT_TRUE(open().has_value());
}

TEST(Begun, AnEmptiedLedgerIsNotANewOneInWhichTheSumsAgree) {
    const TempFolder temp;
    const auto open = [&] { return BondLedger::open(temp / "ledger", network()); };
    {
        ASSERT_TRUE(open().value()->issue(prover().public_key(), 7, IdempotencyKey{}));
    }
    expect_no_beginning(temp / "ledger/data.mdb", open);
}

TEST(Begun, AnEmptiedSettlementLedgerForgetsNoOffence) {
    const TempFolder temp;
    const auto open = [&] { return SettlementLedger::open(temp / "settlement", network()); };
    {
        ASSERT_TRUE(open().has_value());
    }
    expect_no_beginning(temp / "settlement/data.mdb", open);
}

TEST(Begun, AFolderThatIsEmptyBesideItsMarkerHasVanished) {
    const TempFolder temp;
    const fs::path store = temp / "store";
    EXPECT_TRUE(check_not_vanished(store));
    fs::create_directory(store);
    EXPECT_TRUE(check_not_vanished(store));
    ASSERT_TRUE(mark_begun(store));
    EXPECT_FALSE(fs::exists(begun_marker(store))) << "it has held nothing yet";
    spill(store / "file", {});
    ASSERT_TRUE(mark_begun(store));
    EXPECT_TRUE(check_not_vanished(store));
    fs::remove(store / "file");
    EXPECT_EQ(check_not_vanished(store).error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(check_not_vanished(store / "").error().code, ErrorCode::kCorrupt);
    fs::remove_all(store);
    EXPECT_EQ(check_not_vanished(store).error().code, ErrorCode::kCorrupt);
    ASSERT_TRUE(forget_begun(store));
    EXPECT_TRUE(check_not_vanished(store));
}

}  // namespace
}  // namespace holdfast
