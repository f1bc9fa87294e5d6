// A prover whose node is far away: how many round trips a height costs it, and that those who want
// proofs of its links do not wait for them.
#include <algorithm>
#include <atomic>
#include <thread>

#include "api/recorded_link.hpp"
#include "follow/public_source.hpp"
#include "support/followed_node.hpp"

namespace holdfast::node {
namespace {

using test::FollowingProver;
using test::ServedNode;
using test::value_of;

class SlowLine : public test::Node {
  protected:
    static constexpr std::uint8_t kKey = 1;

    void SetUp() override {
        Node::SetUp();
        new_blocks(4);
        chains_.push_back(seal_and_register("r0", kKey, 66'000).chain_id(params_.id()));
        chains_.push_back(seal_and_register("r1", kKey, 70'000).chain_id(params_.id()));
        clock_.emplace(clock(key_of(9)));
        node_.emplace(params_, *chain_, *clock_, operator_, host_, dir_ / "followed");
        std::filesystem::create_directory(dir_ / "prover");
        prover_.emplace(
            params_, key_of(kKey), host_.public_key(), dir_ / "prover",
            [this](ByteView message) { return carry(message); },
            [this](Height height) -> Result<VdfOutput> {
                const auto known = outputs_.find(height);
                if (known != outputs_.end()) return known->second;
                return fail(ErrorCode::kUnavailable, "no y");
            });
        value_of(prover_->set.add_folder(dir_, {}));
        for (int i = 0; i < 22; ++i) {
            new_tip();
            know_outputs();
            worked();
        }
        // As in the daemon: seal proofs are asked for, and made, beside the links.
        BlockProcessorOptions options;
        options.threads = 1;
        options.seal_proofs = false;
        prover_->processor.emplace(
            value_of(BlockProcessor::make(params_, *prover_->source, options)));
    }
    void new_tip() {
        new_blocks(1);
        while (node_->advance()) continue;
    }
    void know_outputs() {
        const Height tip = *value_of(node_->registry().tip());
        const auto block = value_of(node_->registry().block(tip));
        if (block->y) outputs_[tip] = *block->y;
    }
    SetReport worked() {
        const auto report = prover_->work();
        EXPECT_TRUE(report) << report.error().message;
        return report.value_or(SetReport());
    }
    /// A message over the line. A question is one round trip behind the answers that were there
    /// when it was asked.
    Result<Bytes> carry(ByteView message) {
        const std::uint64_t behind = round_trips_.load();
        const auto kind = peek_kind(message);
        at_gate_ = at_gate_ || (kind && *kind == Kind::kBundle);
        while (at_gate_ && closed_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        std::this_thread::sleep_for(delay_);
        Result<Bytes> answer = [&] {
            const std::lock_guard lock(mutex_);
            return node_->handle(key_of(kKey).public_key(), message);
        }();
        std::this_thread::sleep_for(delay_);
        std::uint64_t now = round_trips_.load();
        while (now < behind + 1 && !round_trips_.compare_exchange_weak(now, behind + 1)) continue;
        return answer;
    }
    /// A node that asks the prover for proofs of its links, each time anew.
    PublicSource asking(RecordedLinks& recorded) {
        PublicSourceHooks hooks;
        hooks.ask_prover = [&recorded](const PublicKey&, ByteView message) -> Result<Bytes> {
            const auto question = decode_question(message);
            const auto& q = std::get<RecordedLinkQuestion>(std::get<PublicQuestion>(*question));
            const Result<AnyProof> proof = recorded.prove(
                {q.chain_id,
                 {q.height, q.block_hash, q.y, q.anchor, q.link_before, q.reveal_base},
                 q.y_compact,
                 q.path});
            if (!proof) return encode_answer(FollowRefused{proof.error().verdict.reason});
            return encode_answer(PublicAnswer(PublicLinkProof{*proof}));
        };
        PublicSourceOptions options;
        options.kept_proofs = 0;
        return {node_->registry(), *chain_, std::move(hooks), options};
    }
    std::uint64_t round_trips_of(const std::function<void()>& work) {
        const std::uint64_t before = round_trips_.load();
        work();
        return round_trips_.load() - before;
    }

    KeyPair host_ = key_of(77);
    std::vector<ChainId> chains_;
    std::optional<VdfClock> clock_;
    std::optional<ServedNode> node_;
    std::map<Height, VdfOutput> outputs_;
    std::mutex mutex_;  // the node's: its one line
    std::chrono::milliseconds delay_{0};
    std::atomic<bool> closed_{false};   // bundles, and what comes behind them, wait
    std::atomic<bool> at_gate_{false};  // a bundle has come
    std::atomic<std::uint64_t> round_trips_{0};
    std::optional<FollowingProver> prover_;
};

TEST_F(SlowLine, AHeightCostsThreeRoundTripsFromItsYToItsProofs) {
    delay_ = std::chrono::milliseconds(20);
    // The fewest: on a busy machine a question may leave late, behind another one's answer.
    std::uint64_t at_block = UINT64_MAX;
    std::uint64_t at_y = UINT64_MAX;
    for (int i = 0; i < 6; ++i) {
        new_tip();
        at_block = std::min(at_block, round_trips_of([&] { worked(); }));  // y is not there yet
        know_outputs();
        SetReport report;
        const std::uint64_t now = round_trips_of([&] { report = worked(); });
        EXPECT_EQ(report.links, chains_.size());
        if (report.compact_proofs + report.full_proofs > 0) at_y = std::min(at_y, now);
    }
    EXPECT_LE(at_block, 3U);
    EXPECT_LE(at_y, 3U);  // what is due, the bundle, the proofs of an earlier height
}

TEST_F(SlowLine, ReadersGetProofsWhileALinkIsOnItsWay) {
    RecordedLinks recorded(params_, prover_->set);
    PublicSource node = asking(recorded);
    new_tip();
    know_outputs();
    const Height height = *value_of(node_->registry().closed());
    at_gate_ = false;
    closed_ = true;
    SetReport report;
    std::atomic<bool> done{false};
    std::jthread pass([&] {
        report = worked();
        done = true;
    });
    while (!at_gate_ && !done) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    // The pass is at its bundle, and stays there until all of them have been answered.
    std::vector<FollowAnswer> answers;
    for (std::size_t i = 0; i < 6; ++i) {
        answers.push_back(
            value_of(node.answer(LinkProofQuestion{chains_[i % chains_.size()], height})));
    }
    closed_ = false;
    pass.join();
    EXPECT_EQ(report.links, chains_.size());
    for (const FollowAnswer& answer : answers) {
        const auto* data = std::get_if<PublicAnswer>(&answer);
        EXPECT_TRUE(data != nullptr && std::holds_alternative<PublicLinkProof>(*data));
    }
}

TEST_F(SlowLine, OlderLinksAreProvenAsFarAsTheRecordsGoAndThenRefusedForThat) {
    RecordedLinks recorded(params_, prover_->set);
    PublicSource node = asking(recorded);
    for (int i = 0; i < 12; ++i) {
        new_tip();
        know_outputs();
        worked();
    }
    const Height oldest = prover_->set.records().floor();
    ASSERT_LT(oldest, *value_of(node_->registry().closed()));
    const auto ask = [&](Height height) {
        return value_of(node.answer(LinkProofQuestion{chains_[0], height}));
    };
    const FollowAnswer kept = ask(oldest);
    const auto* data = std::get_if<PublicAnswer>(&kept);
    EXPECT_TRUE(data != nullptr && std::holds_alternative<PublicLinkProof>(*data));
    const FollowAnswer gone = ask(oldest - 1);
    const auto* refused = std::get_if<FollowRefused>(&gone);
    ASSERT_NE(refused, nullptr);
    EXPECT_EQ(refused->reason, Reason::kTooLate);
}

}  // namespace
}  // namespace holdfast::node
