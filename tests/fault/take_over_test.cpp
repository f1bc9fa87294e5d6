// A standby takes the operator's place: nothing is signed twice, nothing is paid twice, no block of
// the first node is made again, and a take-over that is killed is finished by the next one.
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "follow/service.hpp"
#include "node/history_source.hpp"
#include "node/replica_reader.hpp"
#include "node/take_over.hpp"
#include "storage/key_file.hpp"
#include "storage/signed_statements.hpp"
#include "support/killed_child.hpp"
#include "support/quiet_log.hpp"
#include "support/registry_world.hpp"

namespace holdfast::test {
namespace {

namespace fs = std::filesystem;
using node::NodePaths;

NetworkParams standby_network() {
    NetworkParams p = short_network();
    p.name = "standby";
    return p;
}

/// The operator's node with some bonds, and a replica's folder that has all of it.
class Standby : public ::testing::Test {
  protected:
    void SetUp() override {
        fs::create_directories(first());
        must(LocalChain::create(NodePaths{first()}.chain(), params, 1'700'000'000'000));
        must(save_key_pair(test_operator(), NodePaths{first()}.operator_key()));
        open_first();
        must(node_->ledger->fund_pool(1'000, key_of("fund")));
        for (std::uint8_t i = 0; i < 4; ++i) {
            const KeyPair owner =
                KeyPair::from_secret(Bytes(32, static_cast<std::uint8_t>(40 + i)));
            const std::string name = "bond" + std::to_string(i);
            must(node_->ledger->issue(owner.public_key(), 100, key_of("issue " + name)));
            must(node_->ledger->create_bond(owner.public_key(), 60, BondPurpose::kStorage,
                                            key_of(name)));
        }
        blocks(12);
        replicate();
    }
    void TearDown() override { close_first(); }

    static IdempotencyKey key_of(const std::string& what) {
        return IdempotencyKey(sha256(view(std::string_view(what))));
    }
    [[nodiscard]] fs::path first() const { return folder / "first"; }
    [[nodiscard]] fs::path replica() const { return folder / "replica"; }
    void open_first() {
        node_.emplace(must(node::Node::open(first())));
        heads_ = must(HeadFile::open(node_->paths.heads(), params));
    }
    void close_first() {
        heads_.reset();
        node_.reset();
    }
    void blocks(int count) {
        for (int i = 0; i < count; ++i) {
            must(list_bond_events(*node_->chain, *node_->ledger));
            must(node_->chain->append_block());
            while (const auto report = must(node_->aggregator->advance({}))) {
                if (report->head) must(heads_->keep(*report->head));
            }
        }
    }
    /// Until the replica in `to` has all that the source has, its ledger too.
    void follow(const fs::path& to, FollowSource source, Blockchain& chain) {
        FollowService service(std::move(source), chain, [] { return std::uint64_t{1}; });
        const FollowRequest request = [&](ByteView message) {
            return service.handle(PublicKey{}, message);
        };
        HistoryClient history(request);
        FollowClient client(request);
        auto log = quiet_log();
        const node::PeerEntry followed{test_operator().public_key(), "127.0.0.1:1"};
        auto stores = must(node::ReplicaStores::open(to, params, followed, history));
        must(stores.open_registry({}, 1, client));
        node::ReplicaReader reader(stores, history, client, {}, *log);
        while (must(reader.step({}))) {
        }
        EXPECT_EQ(reader.counts().ledger_copies, 1U) << reader.counts().ledger_error;
        EXPECT_EQ(must(stores.registry->export_state()), must(node_->registry().export_state()));
    }
    static std::uint64_t now() { return 1; }
    void replicate() {
        node::LedgerCopies copies(*node_->ledger, node_->paths.ledger_copy(), now);
        FollowSource source = follow_source(node_->registry(), *node_->chain);
        source.history = node::history_source(node_->registry(), *node_->chain, *heads_, &copies);
        follow(replica(), std::move(source), *node_->chain);
    }
    /// A replica of the replica.
    void replicate_again(const fs::path& to) {
        const auto nobody = [](ByteView) -> Result<Bytes> {
            return fail(ErrorCode::kUnavailable, "away");
        };
        HistoryClient history(nobody);
        FollowClient client(nobody);
        const node::PeerEntry followed{test_operator().public_key(), "127.0.0.1:1"};
        auto stores = must(node::ReplicaStores::open(replica(), params, followed, history));
        must(stores.open_registry({}, 1, client));
        node::LedgerCopies copies(node::ledger_file(stores.paths), now);
        FollowSource source = follow_source(*stores.registry, *stores.repeated);
        source.history =
            node::history_source(*stores.registry, *stores.chain, *stores.heads, &copies);
        follow(to, std::move(source), *stores.repeated);
    }
    [[nodiscard]] node::TakeOver how() const { return {NodePaths{first()}.operator_key(), {}, {}}; }

    NetworkParams params = standby_network();
    TempFolder folder;
    std::optional<node::Node> node_;
    std::unique_ptr<HeadFile> heads_;
};

TEST_F(Standby, GoesOnFromWhatItHasAndSignsNothingThatTheFirstMayHaveSigned) {
    const Height seen = must(node_->registry().closed()).value();
    const JournalHead seen_head = must(node_->aggregator->head(seen));
    const auto totals = must(node_->ledger->totals());
    // What the first node did that the replica never saw: heads of heights whose blocks it has.
    const Height through = *must(node_->registry().tip());
    blocks(4);
    const Height unseen = seen + 2;
    ASSERT_LE(unseen, through);
    const JournalHead unseen_head = must(node_->aggregator->head(unseen));
    const BlockInfo theirs = must(node_->chain->block_by_height(through + 1));
    close_first();

    EXPECT_EQ(node::Node::open(replica()).error().code, ErrorCode::kPermission);
    EXPECT_FALSE(must(node::describe_take_over(replica(), how())).empty());
    auto log = quiet_log();
    must(node::take_over(replica(), how(), *log));
    EXPECT_EQ(node::take_over(replica(), how(), *log).error().code, ErrorCode::kNotFound);

    node::Node second = must(node::Node::open(replica()));
    // The same time and nothing new to list, and still another block.
    must(list_bond_events(*second.chain, *second.ledger));
    const BlockInfo ours = must(second.chain->append_block(theirs.time_ms));
    EXPECT_EQ(ours.height, theirs.height);
    EXPECT_EQ(ours.parent, theirs.parent);
    EXPECT_NE(ours.hash, theirs.hash);
    std::vector<JournalHead> signed_now;
    for (int i = 0; i < 12; ++i) {
        must(second.chain->append_block());
        while (const auto report = must(second.aggregator->advance({}))) {
            EXPECT_TRUE(report->faults.empty());
            if (report->head) signed_now.push_back(*report->head);
        }
    }
    ASSERT_FALSE(signed_now.empty());
    for (const JournalHead& head : signed_now) EXPECT_GT(head.height, through);
    EXPECT_EQ(signed_now.front().height, through + 1);
    EXPECT_EQ(must(second.aggregator->head(seen)), seen_head);
    for (Height h = seen + 1; h <= through; h = h + 1) {
        EXPECT_EQ(second.aggregator->head(h).error().code, ErrorCode::kNotFound) << h.value;
    }
    EXPECT_EQ(unseen_head.height, unseen);  // nobody will ever sign another one
    EXPECT_EQ(must(second.ledger->totals()), totals);
}

TEST_F(Standby, AReplicaOfAReplicaHasTheLedgerAndGoesOnAsWell) {
    const fs::path second = folder / "second";
    replicate_again(second);
    EXPECT_EQ(slurp(second / "ledger" / "data.mdb"), slurp(replica() / "ledger" / "data.mdb"));
    const auto totals = must(node_->ledger->totals());
    const Height through = *must(node_->registry().tip());
    close_first();
    auto log = quiet_log();
    must(node::take_over(second, how(), *log));
    node::Node third = must(node::Node::open(second));
    EXPECT_EQ(must(third.ledger->totals()), totals);
    for (int i = 0; i < 8; ++i) {
        must(third.chain->append_block());
        while (must(third.aggregator->advance({}))) {
        }
    }
    EXPECT_GT(*must(third.registry().closed()), through);
    // One that has no copy says so, and is asked again.
    fs::remove(replica() / "ledger" / "data.mdb");
    node::LedgerCopies none(replica() / "ledger" / "data.mdb", now);
    EXPECT_EQ(none.newest().error().code, ErrorCode::kNotFound);
}

TEST_F(Standby, IsRefusedWithAnotherKeyWithoutALedgerAndWhileItIsHalfDone) {
    close_first();
    auto log = quiet_log();
    const fs::path other = folder / "other.key";
    must(save_key_pair(KeyPair::from_secret(Bytes(32, 3)), other));
    EXPECT_EQ(node::take_over(replica(), {other, {}, {}}, *log).error().verdict.reason,
              Reason::kNotOperator);
    EXPECT_EQ(node::take_over(replica(), {}, *log).error().code, ErrorCode::kInvalidArgument);
    fs::rename(replica() / "ledger", folder / "ledger away");
    EXPECT_EQ(node::take_over(replica(), how(), *log).error().code, ErrorCode::kUnavailable);
    fs::rename(folder / "ledger away", replica() / "ledger");
    must(node::require_no_take_over(NodePaths{replica()}));
    spill(replica() / "take-over", Writer(41).u8(1).height(Height(20)).fixed(BondId{}).take());
    EXPECT_FALSE(node::require_no_take_over(NodePaths{replica()}));
}

TEST_F(Standby, KilledAtAnyMomentIsFinishedByTheNextTry) {
    const Height through = *must(node_->registry().tip());
    close_first();
    std::mt19937 random(7);
    const int points = kill_points(12);
    for (int point = 0; point < points; ++point) {
        const fs::path copy = folder / ("copy" + std::to_string(point));
        fs::copy(replica(), copy, fs::copy_options::recursive);
        for (int tries = 0; tries < 3; ++tries) {
            KilledChild child([&](int, int) {
                auto log = quiet_log();
                (void)node::take_over(copy, how(), *log);
            });
            std::this_thread::sleep_for(std::chrono::microseconds(random() % 60'000));
            child.kill();
        }
        auto log = quiet_log();
        const Status done = node::take_over(copy, how(), *log);
        if (!done) {
            EXPECT_EQ(done.error().code, ErrorCode::kNotFound) << done.error().message;
        }
        node::Node second = must(node::Node::open(copy));
        EXPECT_EQ(must(second.chain->pending_count()), 1U);  // one event makes the block another
        for (int i = 0; i < 8; ++i) {
            must(second.chain->append_block());
            while (const auto report = must(second.aggregator->advance({}))) {
                if (report->head) {
                    EXPECT_GT(report->head->height, through);
                }
            }
        }
        EXPECT_GT(*must(second.registry().closed()), through);
    }
}

}  // namespace
}  // namespace holdfast::test
