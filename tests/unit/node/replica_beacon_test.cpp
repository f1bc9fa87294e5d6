// A replica of a network with a real VDF and a beacon that begins with a state: y of the heights
// behind it rests on epoch sources from before it, whose proofs and beacon rounds it fetches and
// checks.
#include <gtest/gtest.h>

#include "follow/service.hpp"
#include "node/history_source.hpp"
#include "node/node_folder.hpp"
#include "node/output_source.hpp"
#include "node/replica_reader.hpp"
#include "proofs/entropy.hpp"
#include "storage/key_file.hpp"
#include "support/quiet_log.hpp"

namespace holdfast::test {
namespace {

namespace fs = std::filesystem;
using node::NodePaths;

const KeyPair kBeaconKey = KeyPair::from_secret(Bytes(32, 31));

NetworkParams beacon_network() {
    NetworkParams p = short_network();
    p.name = "beacon and state";
    p.has_vdf = true;
    p.vdf = {64, 1, 4, 16, 5};
    p.epoch_blocks = 8;
    p.epoch_lag = 4;
    p.has_beacon = true;
    p.beacon_key.assign(kBeaconKey.public_key().begin(), kBeaconKey.public_key().end());
    p.beacon_genesis_s = 1'699'000'000;
    p.beacon_period_s = 3'600;
    return p;
}

/// The operator's node, whose journal has lost its beginning, and what it tells.
class BeaconAndState : public ::testing::Test {
  protected:
    void SetUp() override {
        const fs::path dir = folder / "first";
        fs::create_directories(dir);
        const NodePaths paths{dir};
        must(LocalChain::create(paths.chain(), params, 1'700'000'000'000));
        must(save_key_pair(test_operator(), paths.operator_key()));
        must(save_key_pair(KeyPair::from_secret(Bytes(32, 32)), paths.evaluator_key()));
        must(save_key_pair(kBeaconKey, paths.beacon_key()));
        AggregatorOptions options;
        options.registry_options.journal_heights = 1;
        options.registry_options.threads = 1;
        node_.emplace(must(node::Node::open(dir, options)));
        heads_ = must(HeadFile::open(paths.heads(), params));
        outputs_.emplace(node::OutputParts{
            node_->registry(), *node_->chain, node_->beacon.get(), node_->clock.get(), *heads_,
            [this](Height h) { return node_->aggregator->head(h); }});
        FollowSource source = follow_source(node_->registry(), *node_->chain);
        source.history = node::history_source(node_->registry(), *node_->chain, *heads_, nullptr);
        source.output = [this](Height h) { return outputs_->output(h); };
        FollowServiceOptions unlimited;
        unlimited.questions = {.per_second = UINT32_MAX, .burst = UINT32_MAX};
        service_.emplace(
            std::move(source), *node_->chain, [] { return std::uint64_t{1}; }, unlimited);
        blocks(60);
        ASSERT_GT(must(node_->registry().journal()).first_kept, 0U);
    }
    void blocks(int count) {
        for (int i = 0; i < count; ++i) {
            must(node_->chain->append_block());
            while (must(node_->aggregator->advance({}))) {
            }
            must(outputs_->refresh());
            must(service_->refresh());
        }
    }
    FollowRequest request() {
        return [this](ByteView message) -> Result<Bytes> {
            HOLDFAST_ASSIGN(answer, service_->handle(PublicKey{}, message));
            FollowAnswer said = decode_answer(answer).value();
            auto* output = std::get_if<FollowOutput>(&said);
            if (output != nullptr && output->beacon) {
                asked_.insert(output->block.height);
                if (forge) output->beacon->randomness.bytes[0] ^= 1;
            }
            return encode_answer(said);
        };
    }
    [[nodiscard]] std::uint64_t round_of(Height h) const {
        return beacon_round(params, must(node_->chain->block_by_height(h)).time_ms / 1'000).value();
    }

    /// Opens the replica, begins it where it is new, and reads all that there is.
    Status follow(const std::string& name) {
        reader_.reset();
        stores_.reset();
        history_.emplace(request());
        client_.emplace(request());
        const node::PeerEntry followed{test_operator().public_key(), "127.0.0.1:1"};
        auto opened = node::ReplicaStores::open(folder / name, params, followed, *history_);
        if (!opened) return fail(opened.error());
        stores_.emplace(std::move(*opened));
        HOLDFAST_TRY(node::begin_registry(*stores_, *history_, *client_, {}, *log_, {}));
        HOLDFAST_TRY(stores_->open_registry({}, 1, *client_));
        node::ReaderOptions options;
        options.copy_ledger = false;
        reader_.emplace(*stores_, *history_, *client_, options, *log_);
        for (;;) {
            HOLDFAST_ASSIGN(more, reader_->step({}));
            if (!more) return {};
        }
    }
    void expect_equal() {
        EXPECT_EQ(must(stores_->registry->export_state()), must(node_->registry().export_state()));
    }

    const NetworkParams params = beacon_network();
    TempFolder folder;
    std::optional<node::Node> node_;
    std::unique_ptr<HeadFile> heads_;
    std::optional<node::OutputSource> outputs_;
    std::optional<FollowService> service_;
    std::set<Height> asked_;  // whose rounds were handed over
    bool forge = false;
    std::unique_ptr<node::Log> log_ = quiet_log();
    std::optional<HistoryClient> history_;
    std::optional<FollowClient> client_;
    std::optional<node::ReplicaStores> stores_;
    std::optional<node::ReplicaReader> reader_;
};

TEST_F(BeaconAndState, RoundsFromBeforeTheStateAreFetchedAndKept) {
    must(follow("late"));
    expect_equal();
    ASSERT_GT(must(stores_->registry->journal()).origin, 0U);
    const Height state = must(history_->states()).states.front().height;
    ASSERT_FALSE(asked_.empty());
    EXPECT_LT(*asked_.begin(), state) << "no epoch source from before the state";
    for (const Height h : asked_) {
        EXPECT_EQ(must(stores_->beacon->randomness(round_of(h))),
                  must(node_->beacon->randomness(round_of(h))));
    }
    // Started again, it asks for none of them once more.
    const Height before = *asked_.rbegin();
    asked_.clear();
    blocks(9);
    must(follow("late"));
    expect_equal();
    ASSERT_FALSE(asked_.empty());
    EXPECT_GT(*asked_.begin(), before);
}

TEST_F(BeaconAndState, AForgedRoundEndsIt) {
    forge = true;
    const Status end = follow("deceived");
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().verdict.reason, Reason::kBadBeacon);
    EXPECT_TRUE(reader_->counts().disagreement);
}

}  // namespace
}  // namespace holdfast::test
