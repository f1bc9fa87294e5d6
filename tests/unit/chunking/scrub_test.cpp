#include "chunking/scrub.hpp"

#include "storage/file.hpp"
#include "support/damaged_replica.hpp"

namespace holdfast {
namespace {

using test::DamagedReplica;
using Ranges = std::vector<IndexRange>;
using Nodes = std::vector<NodeRange>;

TEST(Scrub, AWholeReplicaIsCleanAndLeavesNoLog) {
    DamagedReplica r;
    const ScrubReport report = r.scrubbed();
    EXPECT_TRUE(report.clean());
    EXPECT_EQ(report.header, r.header());
    EXPECT_EQ(report.resumed_at_chunk, 0U);
    r.expect_pristine();
}

TEST(Scrub, BadChunksAreNamedAsRanges) {
    DamagedReplica r;
    for (const std::uint64_t chunk : {0U, 7U, 8U, 9U, 40U}) r.flip_chunk(chunk);
    const ScrubReport report = r.scrubbed();
    EXPECT_EQ(report.bad_chunks, (Ranges{{0, 1}, {7, 3}, {40, 1}}));
    EXPECT_TRUE(report.files.empty() && report.bad_nodes.empty());
    EXPECT_TRUE(report.unreadable_chunks.empty() && report.unproven_chunks.empty());
    EXPECT_EQ(report.damaged_chunks(), 5U);
    EXPECT_TRUE(std::filesystem::exists(r.files().log));  // for the repair
    // A second scrub reads everything again.
    r.flip_chunk(7);
    EXPECT_EQ(r.scrubbed().bad_chunks, (Ranges{{0, 1}, {8, 2}, {40, 1}}));
}

TEST(Scrub, BadNodesAreToldApartFromBadChunks) {
    for (const TreeKind tree : {TreeKind::kRaw, TreeKind::kSealed}) {
        for (const unsigned level : {1U, 3U, 5U}) {
            DamagedReplica r;
            r.flip_node(tree, level, 1);
            r.flip_chunk(30);
            const ScrubReport report = r.scrubbed();
            EXPECT_EQ(report.bad_nodes, (Nodes{{tree, level, {1, 1}}}));
            EXPECT_EQ(report.bad_chunks, (Ranges{{30, 1}}));
        }
    }
    DamagedReplica r;
    r.flip_node(TreeKind::kSealed, 0, 12);
    const ScrubReport report = r.scrubbed();
    EXPECT_EQ(report.bad_nodes, (Nodes{{TreeKind::kSealed, 0, {12, 1}}}));
    EXPECT_EQ(report.damaged_chunks(), 0U);
}

TEST(Scrub, WhatNothingProvesIsCalledUnproven) {
    DamagedReplica r;
    r.flip_node(TreeKind::kSealed, 0, 12);
    r.flip_chunk(12);
    const ScrubReport report = r.scrubbed();
    EXPECT_EQ(report.unproven_chunks, (Ranges{{12, 1}}));
    EXPECT_TRUE(report.bad_chunks.empty());
}

TEST(Scrub, ATruncatedReplicaIsAFinding) {
    DamagedReplica r;
    std::filesystem::resize_file(r.files().replica, kFileHeaderBytes + 20 * kChunkBytes + 100);
    const ScrubReport report = r.scrubbed();
    EXPECT_EQ(report.unreadable_chunks, (Ranges{{20, 21}}));
    EXPECT_TRUE(report.bad_chunks.empty());
    ASSERT_EQ(report.files.size(), 1U);
    EXPECT_NE(report.files[0].find("instead of"), std::string::npos) << report.files[0];
}

TEST(Scrub, AMissingOrTruncatedTreeDoesNotCondemnTheChunks) {
    for (const std::uint64_t left : {std::uint64_t{0}, kFileHeaderBytes + std::uint64_t{1000}}) {
        DamagedReplica r;
        if (left == 0) {
            std::filesystem::remove(r.files().tree);
        } else {
            std::filesystem::resize_file(r.files().tree, left);
        }
        const ScrubReport report = r.scrubbed();
        EXPECT_EQ(report.files.size(), 1U);
        EXPECT_EQ(report.damaged_chunks(), 0U);
        EXPECT_FALSE(report.bad_nodes.empty());
    }
}

TEST(Scrub, WithoutTreeAndWithABadChunkNothingIsClaimedAboutTheRest) {
    DamagedReplica r;
    std::filesystem::remove(r.files().tree);
    r.flip_chunk(3);
    EXPECT_EQ(r.scrubbed().unproven_chunks, (Ranges{{0, 41}}));
}

TEST(Scrub, AMissingReplicaIsAllUnreadable) {
    DamagedReplica r;
    std::filesystem::remove(r.files().replica);
    const ScrubReport report = r.scrubbed();
    EXPECT_EQ(report.unreadable_chunks, (Ranges{{0, 41}}));
    EXPECT_TRUE(report.bad_nodes.empty());
    std::filesystem::remove(r.files().tree);
    const auto nothing = scrub(r.files(), r.network());
    ASSERT_FALSE(nothing.has_value());
    EXPECT_EQ(nothing.error().code, ErrorCode::kNotFound);
    r.files().expected = r.header();  // the registration is left
    EXPECT_EQ(r.scrubbed().damaged_chunks(), 41U);
}

TEST(Scrub, DamagedHeaders) {
    DamagedReplica r;
    r.flip(r.files().replica, 30);
    ScrubReport report = r.scrubbed();
    ASSERT_EQ(report.files.size(), 1U);
    EXPECT_NE(report.files[0].find("damaged header"), std::string::npos);
    EXPECT_EQ(report.damaged_chunks(), 0U);
    r.flip(r.files().tree, 30);
    const auto neither = scrub(r.files(), r.network());
    ASSERT_FALSE(neither.has_value());
    EXPECT_EQ(neither.error().code, ErrorCode::kCorrupt);
    r.files().expected = r.header();
    EXPECT_EQ(r.scrubbed().files.size(), 2U);
}

TEST(Scrub, FilesOfTwoReplicas) {
    DamagedReplica r;
    r.world().seal_bytes("y", test::some_bytes(50'000, "y"));
    ReplicaFiles mixed = r.files();
    mixed.tree = r.world().folder / "y.tree";
    const auto refused = scrub(mixed, r.network());
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
    mixed.expected = r.header();
    const auto report = scrub(mixed, r.network());
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->files.size(), 1U);
    EXPECT_EQ(report->damaged_chunks(), 0U);  // the root proves them without the tree
}

TEST(Scrub, AnotherNetworkIsRefused) {
    DamagedReplica r;
    NetworkParams other = r.network();
    other.name = "other";
    const auto refused = scrub(r.files(), other);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().verdict.reason, Reason::kWrongNetwork);
}

/// Stops once so many bytes have been read.
ScrubOptions stopping_after(std::uint64_t bytes, std::uint64_t& read) {
    ScrubOptions options;
    options.workers = 1;
    options.log_bytes = 1 << 20;
    options.pace = [&read](std::uint64_t n) { read += n; };
    options.stop = [&read, bytes] { return read >= bytes; };
    return options;
}

TEST(Scrub, GoesOnWhereItWasStopped) {
    for (const bool tree_is_bad : {false, true}) {
        DamagedReplica r(4'000'000);
        r.flip_chunk(5);
        r.flip_chunk(900);
        if (tree_is_bad) r.flip_node(TreeKind::kSealed, 0, 17);
        std::uint64_t read = 0;
        const auto stopped = scrub(r.files(), r.network(), stopping_after(2 << 20, read));
        ASSERT_FALSE(stopped.has_value());
        EXPECT_EQ(stopped.error().code, ErrorCode::kInterrupted);
        read = 0;
        ScrubOptions rest = stopping_after(UINT64_MAX, read);
        const ScrubReport report = r.scrubbed(rest);
        EXPECT_EQ(report.resumed_at_chunk, 512U);
        EXPECT_LT(read, std::uint64_t{2} << 20);
        EXPECT_EQ(report.bad_chunks, (Ranges{{5, 1}, {900, 1}}));
        EXPECT_EQ(report.bad_nodes.size(), tree_is_bad ? 1U : 0U);
    }
}

TEST(Scrub, ALogThatDoesNotFitIsBegunAnew) {
    DamagedReplica r(4'000'000);
    std::uint64_t read = 0;
    ASSERT_FALSE(scrub(r.files(), r.network(), stopping_after(2 << 20, read)).has_value());
    const Bytes log = test::slurp(r.files().log);
    // Rot in the log, and a tree that came into doubt after the scrub had begun.
    for (std::size_t at = 0; at < log.size(); at += 29) {
        Bytes damaged = log;
        damaged[at] ^= 4;
        test::spill(r.files().log, damaged);
        EXPECT_TRUE(r.scrubbed().clean());
    }
    test::spill(r.files().log, log);
    r.flip_node(TreeKind::kSealed, 0, 3);
    const ScrubReport report = r.scrubbed();
    EXPECT_EQ(report.resumed_at_chunk, 0U);
    EXPECT_EQ(report.bad_nodes.size(), 1U);
}

TEST(Scrub, OneAtATime) {
    DamagedReplica r;
    auto lock = File::open(r.files().log, File::Mode::kCreate);
    ASSERT_TRUE(lock.has_value() && lock->lock_exclusive().has_value());
    const auto busy = scrub(r.files(), r.network());
    ASSERT_FALSE(busy.has_value());
    EXPECT_EQ(busy.error().code, ErrorCode::kBusy);
}

TEST(Scrub, TheSameFindingsFromOneThreadAndMany) {
    DamagedReplica r(3'000'000);
    for (std::uint64_t chunk = 3; chunk < 700; chunk += 31) r.flip_chunk(chunk);
    ScrubOptions one;
    one.workers = 1;
    ScrubOptions many;
    many.workers = 16;
    EXPECT_EQ(r.scrubbed(one).bad_chunks, r.scrubbed(many).bad_chunks);
}

}  // namespace
}  // namespace holdfast
