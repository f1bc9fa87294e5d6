// Acknowledged objects are found in the journal, and a node that left one out, or tells two
// histories, is named with what shows it.
#include <gtest/gtest.h>

#include "node/log_monitor.hpp"
#include "proofs/evidence.hpp"
#include "support/replica_world.hpp"

namespace holdfast::test {
namespace {

using node::LogMonitor;
using node::PlacedEntry;
using node::Promise;
using node::PromiseResult;
using node::PromiseState;

class Monitored : public ::testing::Test {
  protected:
    void SetUp() override {
        world.live(24);
        client.emplace(world.request());
        monitor.emplace(must(LogMonitor::open(world.params, heads(), evidence())));
    }
    [[nodiscard]] std::filesystem::path heads() const { return world.folder / "heads"; }
    [[nodiscard]] std::filesystem::path evidence() const { return world.folder / "evidence"; }
    Promise promise(ByteView object, Height height, bool has_object,
                    const std::optional<std::uint64_t>& entry = {}) const {
        const KeyPair host = KeyPair::from_secret(Bytes(32, 9));
        const BlockHash block = must(world.registry->block(height)).value().hash;
        Promise out;
        out.acknowledgement =
            make_acknowledgement(world.params.id(), object, height, block, host).value();
        out.object = sha256(object);
        if (has_object) out.leaf = Promise::leaf_of(object);
        out.entry = entry;
        return out;
    }
    /// Every object entry: its number, the tip at which it was taken, the object.
    struct Taken {
        std::uint64_t entry;
        Height height;
        Bytes object;
    };
    std::vector<Taken> taken() const {
        std::vector<Taken> out;
        Height tip;
        const auto entries = must(world.registry->entries(0, SIZE_MAX / 2));
        for (std::size_t n = 0; n < entries.size(); ++n) {
            const HistoryEntry entry = decode_entry(entries[n]).value();
            if (const auto* block = std::get_if<BlockEntry>(&entry)) tip = block->height;
            if (const auto* object = std::get_if<ObjectEntry>(&entry)) {
                out.push_back({n, tip, object->object});
            }
        }
        return out;
    }

    mutable OperatorWorld world{11};
    std::optional<HistoryClient> client;
    std::optional<LogMonitor> monitor;
};

TEST_F(Monitored, EveryObjectOfTheJournalIsFoundByEntryByHashAndByItsBytes) {
    EXPECT_GT(must(monitor->follow(*client, world.params.genesis_height)), 0U);
    const Height closed = must(world.registry->closed()).value();
    std::size_t kept = 0;
    for (const Taken& one : taken()) {
        for (const bool has_object : {true, false}) {
            for (const bool knows : {true, false}) {
                const auto entry = knows ? std::optional(one.entry) : std::nullopt;
                const PromiseResult result = must(
                    monitor->check(*client, promise(one.object, one.height, has_object, entry)));
                if (one.height + world.params.link_lag >= closed) {
                    EXPECT_NE(result.state, PromiseState::kBroken) << result.why;
                    continue;
                }
                ASSERT_EQ(result.state, PromiseState::kKept) << one.entry << " " << result.why;
                EXPECT_LE(*result.entry, one.entry);  // the same again stands where it was first
                ++kept;
            }
        }
    }
    EXPECT_GT(kept, 40U);
}

TEST_F(Monitored, ManyEntriesAtOnceStandUnderAHeadOnlyAsTheyAre) {
    must(monitor->follow(*client, world.params.genesis_height));
    std::vector<PlacedEntry> placed;
    for (const Taken& one : taken()) {
        if (one.entry >= monitor->newest()->size) break;
        placed.push_back({one.entry, Promise::leaf_of(one.object)});
    }
    ASSERT_GT(placed.size(), 10U);
    for (std::size_t from = 0; from < placed.size(); ++from) {
        const auto run = std::span(placed).subspan(from);
        EXPECT_TRUE(must(monitor->stand(*client, run))) << from;
        EXPECT_TRUE(must(monitor->stand(*client, run.first(1)))) << from;
    }
    const Digest other(tagged_hash("another"));
    for (const std::size_t at : {std::size_t{0}, placed.size() / 2, placed.size() - 1}) {
        std::vector<PlacedEntry> changed = placed;
        changed[at].leaf = other;
        EXPECT_FALSE(must(monitor->stand(*client, changed)));
        // A node that lies in its hashes as well.
        world.lie<EntryHashesPage>([&](EntryHashesPage& page) {
            const std::uint64_t place = changed[at].entry - page.first;
            if (place < page.hashes.size()) page.hashes[place] = other;
        });
        EXPECT_FALSE(must(monitor->stand(*client, changed)));
        world.falsify = nullptr;
    }
    EXPECT_FALSE(must(monitor->stand(*client, std::vector{PlacedEntry{1U << 20, other}})));
}

TEST_F(Monitored, AnObjectThatWasLeftOutIsNamedOnceItsDigestHasClosed) {
    must(monitor->follow(*client, world.params.genesis_height));
    const Bytes left_out = wrap_object(Kind::kBundle, Bytes(200, 7));
    const Height tip = must(world.registry->tip()).value();
    EXPECT_EQ(must(monitor->check(*client, promise(left_out, tip, true))).state,
              PromiseState::kWaiting);
    world.live(world.params.link_lag + 3);
    must(monitor->follow(*client, world.params.genesis_height));
    for (const bool has_object : {true, false}) {
        const PromiseResult result =
            must(monitor->check(*client, promise(left_out, tip, has_object)));
        EXPECT_EQ(result.state, PromiseState::kBroken);
        ASSERT_EQ(result.files.size(), 3U);
        const Bytes kept = slurp(result.files[0]);
        const auto body = unwrap_object(Kind::kAcknowledgement, kept);
        ASSERT_TRUE(body);
        EXPECT_EQ(Acknowledgement::decode(*body)->object, sha256(left_out));
        for (const auto& file : {result.files[1], result.files[2]}) {
            const Bytes head = slurp(file);
            const auto head_body = unwrap_object(Kind::kHead, head);
            ASSERT_TRUE(head_body);
            EXPECT_TRUE(check_head(world.params, world.params.id(),
                                   JournalHead::decode(*head_body).value()));
        }
    }
    // An entry that is another object's helps it as little.
    const PromiseResult elsewhere =
        must(monitor->check(*client, promise(left_out, tip, true, taken()[0].entry)));
    EXPECT_EQ(elsewhere.state, PromiseState::kBroken);
}

TEST_F(Monitored, WhatIsNotKeptAnyMoreIsUnknownWithoutTheObjectAndFoundWithIt) {
    OperatorWorld pruned(11, 1);
    pruned.live(24);
    const auto objects = taken();
    pruned.live(25);
    ASSERT_GT(must(pruned.registry->journal()).first_kept, objects[0].entry);
    HistoryClient asks(pruned.request());
    LogMonitor late =
        must(LogMonitor::open(pruned.params, pruned.folder / "heads", pruned.folder / "evidence"));
    must(late.follow(asks, pruned.params.genesis_height));
    const Promise without = promise(objects[0].object, objects[0].height, false);
    EXPECT_EQ(must(late.check(asks, without)).state, PromiseState::kUnknown);
    const Promise with = promise(objects[0].object, objects[0].height, true);
    EXPECT_EQ(must(late.check(asks, with)).state, PromiseState::kKept);
}

TEST_F(Monitored, HeadsThatContradictWhatWasSeenAreRefusedAlsoByTheNextRun) {
    must(monitor->follow(*client, world.params.genesis_height));
    monitor.reset();
    world.live(2);
    LogMonitor next = must(LogMonitor::open(world.params, heads(), evidence()));
    // Of a height that was seen.
    world.lie<HeadsPage>([&](HeadsPage& page) {
        page.heads[0].root = Root(tagged_hash("another"));
        page.heads[0] = sign_head(world.params.id(), page.heads[0], test_operator()).value();
    });
    const auto second = next.follow(*client, world.params.genesis_height);
    EXPECT_EQ(second.error().verdict.reason, Reason::kBadPath);
    EXPECT_TRUE(next.two_heads());
    std::size_t evidences = 0;
    for (const auto& file : std::filesystem::directory_iterator(evidence())) {
        evidences += file.path().extension() == ".evidence" ? 1 : 0;
    }
    EXPECT_EQ(evidences, 1U);
    // A new one, of a journal that does not begin with what was seen.
    world.lie<HeadsPage>([&](HeadsPage& page) {
        page.heads.back().root = Root(tagged_hash("another"));
        page.heads.back() =
            sign_head(world.params.id(), page.heads.back(), test_operator()).value();
    });
    EXPECT_FALSE(next.follow(*client, world.params.genesis_height));
    // One that nobody signed.
    world.lie<HeadsPage>([&](HeadsPage& page) { page.heads.back().signature.bytes[3] ^= 1; });
    EXPECT_EQ(next.follow(*client, world.params.genesis_height).error().verdict.reason,
              Reason::kBadSignature);
    world.falsify = nullptr;
    EXPECT_TRUE(next.follow(*client, world.params.genesis_height));
}

}  // namespace
}  // namespace holdfast::test
