// A prover's daemon looks for everything that was acknowledged, and says what is missing.
#include "node/promise_watch.hpp"

#include <gtest/gtest.h>

#include "node/prover_status.hpp"
#include "support/quiet_log.hpp"
#include "support/replica_world.hpp"

namespace holdfast::test {
namespace {

using node::PromiseWatch;
using node::PromiseWatchStatus;

class Promises : public ::testing::Test {
  protected:
    void SetUp() override {
        world.live(24);
        store.emplace(must(Acknowledgements::open(world.folder / "acks", world.params.id(),
                                                  prover_.public_key())));
        outbox.emplace(world.params, *store);
        open();
    }
    void open() {
        watch.reset();
        watch = must(PromiseWatch::open(world.params, world.folder.path(),
                                        {{"the node", world.request()}}, *outbox, *log));
    }
    [[nodiscard]] Height tip() const { return must(world.registry->tip()).value(); }
    /// The node acknowledges a message at its tip.
    void acknowledged(const Bytes& object, std::optional<std::uint64_t> entry = {}) {
        const BlockHash block = must(world.registry->block(tip())).value().hash;
        const AcknowledgedObject seen = AcknowledgedObject::of(object, entry);
        must(store->note_sent({tip() + 2, object}));
        must(store->take(
            host_.public_key(), object, {&seen, 1},
            make_acknowledgement(world.params.id(), object, tip(), block, host_).value()));
    }
    PromiseWatchStatus look() {
        must(watch->look(tip(), [this](const std::string& node, Height) { split_by = node; }));
        return watch->status();
    }
    std::size_t evidence(std::string_view suffix) const {
        std::size_t out = 0;
        for (const auto& file : std::filesystem::directory_iterator(watch->status().evidence)) {
            out += file.path().extension() == suffix ? 1 : 0;
        }
        return out;
    }

    KeyPair prover_ = KeyPair::from_secret(Bytes(32, 8));
    KeyPair host_ = KeyPair::from_secret(Bytes(32, 9));
    mutable OperatorWorld world{11};
    std::unique_ptr<node::Log> log = quiet_log();
    std::optional<Acknowledgements> store;
    std::optional<node::Outbox> outbox;
    std::unique_ptr<PromiseWatch> watch;
    std::string split_by;
};

TEST_F(Promises, AnAcknowledgedObjectThatIsMissingIsAnAlarmUntilItsEvidenceIsTakenAway) {
    const Bytes left_out = wrap_object(Kind::kBundle, Bytes(200, 7));
    acknowledged(left_out);
    EXPECT_EQ(look().waiting, 1U);
    EXPECT_TRUE(watch->status().broken.empty());
    world.live(world.params.link_lag + 3);
    for (int again = 0; again < 2; ++again) {
        const PromiseWatchStatus status = look();
        EXPECT_EQ(status.waiting, 0U);
        ASSERT_EQ(status.broken.size(), 1U);
        EXPECT_EQ(status.broken[0].host, host_.public_key());
        const std::vector<std::string> told = problems(status);
        ASSERT_EQ(told.size(), 1U);
        EXPECT_NE(told[0].find(to_hex(host_.public_key())), std::string::npos) << told[0];
        EXPECT_NE(told[0].find(status.evidence.string()), std::string::npos) << told[0];
        // What shows it: the acknowledgement, the message, the heads around it.
        EXPECT_EQ(evidence(".ack"), 1U);
        EXPECT_EQ(evidence(".message"), 1U);
        EXPECT_GE(evidence(".head"), 1U);
        open();  // a restart knows it still
    }
    std::filesystem::remove_all(watch->status().evidence);
    open();
    EXPECT_TRUE(look().broken.empty());
    EXPECT_TRUE(store->unchecked().empty());
}

TEST_F(Promises, WhatStandsInTheJournalIsSeenAndItsBytesGo) {
    const auto entries = must(world.registry->entries(0, SIZE_MAX / 2));
    std::size_t objects = 0;
    for (std::size_t n = entries.size(); n-- > 0 && objects < 3;) {
        const HistoryEntry entry = decode_entry(entries[n]).value();
        const auto* object = std::get_if<ObjectEntry>(&entry);
        if (object == nullptr) continue;
        // With the entry that the node named, with none, and with a wrong one.
        acknowledged(object->object, objects == 0   ? std::optional<std::uint64_t>(n)
                                     : objects == 1 ? std::nullopt
                                                    : std::optional<std::uint64_t>(0));
        ++objects;
    }
    ASSERT_EQ(objects, 3U);
    world.live(world.params.link_lag + 3);
    const PromiseWatchStatus status = look();
    EXPECT_EQ(status.kept, 3U);
    EXPECT_TRUE(status.broken.empty());
    EXPECT_TRUE(store->unchecked().empty());
    EXPECT_TRUE(problems(status).empty());
}

TEST_F(Promises, AnOperatorThatSignsTwoHeadsOfOneHeightIsNotBelieved) {
    look();
    EXPECT_TRUE(split_by.empty());
    world.lie<HeadsPage>([&](HeadsPage& page) {
        page.heads[0].root = Root(tagged_hash("another"));
        page.heads[0] = sign_head(world.params.id(), page.heads[0], test_operator()).value();
    });
    const PromiseWatchStatus status = look();
    EXPECT_EQ(split_by, "the node");
    EXPECT_FALSE(status.fault.empty());
    EXPECT_EQ(problems(status).size(), 1U);
    EXPECT_EQ(evidence(".evidence"), 1U);
    // It is told until somebody has looked; what is told from then on is believed.
    world.falsify = nullptr;
    EXPECT_FALSE(look().fault.empty());
    split_by.clear();
    watch->begin_anew();
    EXPECT_TRUE(look().fault.empty());
    EXPECT_TRUE(split_by.empty());
}

}  // namespace
}  // namespace holdfast::test
