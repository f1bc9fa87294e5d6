#include "chunking/repair.hpp"

#include <gtest/gtest.h>

#include "support/damaged_replica.hpp"

namespace holdfast {
namespace {

using test::DamagedReplica;
using Ranges = std::vector<IndexRange>;

struct Case {
    const char* name;
    bool needs_source;
    std::function<void(DamagedReplica&)> damage;
};

const std::vector<Case>& cases() {
    static const std::vector<Case> all = {
        {"nothing", false, [](DamagedReplica&) {}},
        {"chunks of two windows", true,
         [](DamagedReplica& r) {
             r.flip_chunk(0);
             r.flip_chunk(1);
             r.flip_chunk(40);
         }},
        {"a sealed node", false, [](DamagedReplica& r) { r.flip_node(TreeKind::kSealed, 2, 1); }},
        {"a raw node", false, [](DamagedReplica& r) { r.flip_node(TreeKind::kRaw, 2, 1); }},
        {"a sealed chunk root", false,
         [](DamagedReplica& r) { r.flip_node(TreeKind::kSealed, 0, 7); }},
        {"raw chunk roots", false,
         [](DamagedReplica& r) {
             r.flip_node(TreeKind::kRaw, 0, 7);
             r.flip_node(TreeKind::kRaw, 0, 33);
         }},
        {"a chunk and its roots", true,
         [](DamagedReplica& r) {
             r.flip_chunk(12);
             r.flip_node(TreeKind::kSealed, 0, 12);
             r.flip_node(TreeKind::kRaw, 0, 12);
         }},
        {"the replica's header", false, [](DamagedReplica& r) { r.flip(r.files().replica, 50); }},
        {"both headers", false,
         [](DamagedReplica& r) {
             r.flip(r.files().replica, 50);
             r.flip(r.files().tree, 50);
             r.files().expected = r.header();
         }},
        {"a truncated replica", true,
         [](DamagedReplica& r) { std::filesystem::resize_file(r.files().replica, 70'000); }},
        {"a replica that is too long", false,
         [](DamagedReplica& r) { std::filesystem::resize_file(r.files().replica, 500'000); }},
        {"an empty replica", true,
         [](DamagedReplica& r) { std::filesystem::resize_file(r.files().replica, 0); }},
        {"a lost replica", true,
         [](DamagedReplica& r) { std::filesystem::remove(r.files().replica); }},
        {"a truncated tree", false,
         [](DamagedReplica& r) { std::filesystem::resize_file(r.files().tree, 5'000); }},
        {"a lost tree", false, [](DamagedReplica& r) { std::filesystem::remove(r.files().tree); }},
        {"a lost tree and a bad chunk", true,
         [](DamagedReplica& r) {
             std::filesystem::remove(r.files().tree);
             r.flip_chunk(20);
         }},
        {"everything but the registration", true,
         [](DamagedReplica& r) {
             std::filesystem::remove(r.files().replica);
             std::filesystem::remove(r.files().tree);
             r.files().expected = r.header();
         }},
    };
    return all;
}

TEST(Repair, EveryKindOfDamageBecomesTheSameBytesAgain) {
    for (const Case& c : cases()) {
        SCOPED_TRACE(c.name);
        DamagedReplica r;
        c.damage(r);
        if (c.needs_source) {
            const auto refused = r.repaired(false);
            ASSERT_FALSE(refused.has_value());
            EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable) << refused.error().message;
        }
        const auto report = r.repaired(c.needs_source);
        ASSERT_TRUE(report.has_value()) << report.error().message;
        EXPECT_TRUE(report->whole());
        r.expect_pristine();
        EXPECT_TRUE(r.scrubbed().clean());
    }
}

TEST(Repair, RawRootsComeFromTheSourceWhereThereIsOne) {
    DamagedReplica r;
    std::filesystem::remove(r.files().tree);
    const auto report = r.repaired(true);
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->windows_filled, 0U);
    r.expect_pristine();
}

TEST(Repair, TouchesOnlyTheWindowsAndChunksThatAreDamaged) {
    DamagedReplica r;
    r.flip_chunk(1);
    r.flip_chunk(2);
    const auto report = r.repaired();
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->windows_filled, 1U);
    EXPECT_EQ(report->replaced_chunks, (Ranges{{1, 2}}));
    EXPECT_EQ(report->nodes_written, 0U);
    EXPECT_EQ(report->found.bad_chunks, (Ranges{{1, 2}}));
}

TEST(Repair, StartsFromTheFindingsOfAScrub) {
    DamagedReplica r;
    r.flip_chunk(3);
    EXPECT_EQ(r.scrubbed().damaged_chunks(), 1U);
    const auto source = r.original();
    std::uint64_t read = 0;
    RepairOptions options;
    options.progress = [&](RepairStage stage, std::uint64_t done, std::uint64_t) {
        if (stage == RepairStage::kReading) read = std::max(read, done);
    };
    r.flip_chunk(9);  // after the scrub: not seen until something is read again
    auto report = repair(r.files(), r.network(), source.get(), options);
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->replaced_chunks, (Ranges{{3, 1}}));
    report = repair(r.files(), r.network(), source.get(), options);
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->replaced_chunks, (Ranges{{9, 1}}));
    r.expect_pristine();
}

TEST(Repair, AnotherSourceIsRefusedAndNothingWritten) {
    DamagedReplica r;
    r.flip_chunk(3);
    const Bytes before = test::slurp(r.files().replica);
    test::spill(r.world().folder / "longer", test::some_bytes(r.data().size() + 1));
    auto source = open_raw_file(r.world().folder / "longer", 0);
    ASSERT_TRUE(source.has_value());
    const auto refused = repair(r.files(), r.network(), source->get());
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(test::slurp(r.files().replica) == before);

    // Of the right length, but not the data; with the raw tree and without it.
    test::spill(r.world().folder / "other", test::some_bytes(r.data().size(), "other"));
    source = open_raw_file(r.world().folder / "other", 0);
    const auto report = repair(r.files(), r.network(), source->get());
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_FALSE(report->whole());
    EXPECT_EQ(report->unrepaired_chunks, (Ranges{{3, 1}}));
    EXPECT_TRUE(test::slurp(r.files().replica) == before);
    std::filesystem::remove(r.files().tree);
    const auto corrupt = repair(r.files(), r.network(), source->get());
    ASSERT_FALSE(corrupt.has_value());
    EXPECT_EQ(corrupt.error().code, ErrorCode::kCorrupt);
    EXPECT_TRUE(test::slurp(r.files().replica) == before);
}

TEST(Repair, APartlyDamagedSourceMendsWhatItCan) {
    DamagedReplica r;
    for (const std::uint64_t chunk : {2U, 3U, 4U, 30U}) r.flip_chunk(chunk);
    Bytes partly = r.data();
    partly[3 * kChunkBytes + 9] ^= 1;
    test::spill(r.world().folder / "partly", partly);
    const auto source = open_raw_file(r.world().folder / "partly", 0);
    ASSERT_TRUE(source.has_value());
    const auto report = repair(r.files(), r.network(), source->get());
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->unrepaired_chunks, (Ranges{{3, 1}}));
    EXPECT_EQ(total_count(report->replaced_chunks), 3U);
    const auto rest = r.repaired();
    ASSERT_TRUE(rest.has_value()) << rest.error().message;
    EXPECT_EQ(rest->replaced_chunks, (Ranges{{3, 1}}));
    EXPECT_EQ(rest->windows_filled, 1U);
    r.expect_pristine();
}

TEST(Repair, DoesNotOverwriteAnotherReplica) {
    DamagedReplica r;
    r.world().seal_bytes("y", test::some_bytes(50'000, "y"));
    ReplicaFiles mixed = r.files();
    mixed.replica = r.world().folder / "y.replica";
    mixed.expected = r.header();
    const Bytes before = test::slurp(mixed.replica);
    const auto source = r.original();
    const auto refused = repair(mixed, r.network(), source.get());
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
    EXPECT_TRUE(test::slurp(mixed.replica) == before);
}

TEST(Repair, GoesOnBehindTheLastFinishedWindow) {
    DamagedReplica r;
    for (const std::uint64_t chunk : {0U, 20U, 40U}) r.flip_chunk(chunk);
    const auto source = r.original();
    RepairOptions options;
    options.workers = 1;
    std::uint64_t sealed = 0;
    options.progress = [&](RepairStage stage, std::uint64_t done, std::uint64_t) {
        if (stage == RepairStage::kSealing) sealed = done;
    };
    options.stop = [&] { return sealed >= 16 * kChunkBytes; };  // not the first window alone
    const auto stopped = repair(r.files(), r.network(), source.get(), options);
    ASSERT_FALSE(stopped.has_value());
    EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
    const auto rest = r.repaired();
    ASSERT_TRUE(rest.has_value()) << rest.error().message;
    EXPECT_LT(rest->windows_filled, 3U);
    r.expect_pristine();
}

}  // namespace
}  // namespace holdfast
