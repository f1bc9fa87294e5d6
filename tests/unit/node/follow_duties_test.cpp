// Sets that are driven from afar: the digests of sets in the node's process, acknowledgements that
// are lost or false, nodes that lie.
#include "node/follow_duties.hpp"

#include <algorithm>

#include "support/followed_node.hpp"

namespace holdfast::node {
namespace {

using test::FollowingProver;
using test::ServedNode;
using test::succeed;
using test::value_of;

class Followed : public test::Node {
  protected:
    static constexpr std::uint8_t kKey = 1;

    void SetUp() override {
        Node::SetUp();
        new_blocks(4);
        seal_and_register("r0", kKey, 150'000);
        seal_and_register("r1", kKey, 65'536);
        host_ = key_of(77);
        clock_.emplace(clock(key_of(9)));
    }
    void open_node(const std::string& registry = "followed") {
        node_.reset();
        node_ = std::make_unique<ServedNode>(params_, *chain_, *clock_, operator_, *host_,
                                             dir_ / registry);
    }
    void open_prover() {
        prover_.reset();
        std::filesystem::create_directory(dir_ / "prover");
        prover_ = std::make_unique<FollowingProver>(
            params_, key_of(kKey), key_of(77).public_key(), dir_ / "prover",
            [this](ByteView message) { return carry(message); });
        value_of(prover_->set.add_folder(dir_, {}));
    }
    Result<Bytes> carry(ByteView message) {
        const std::lock_guard lock(mutex_);
        sent_.emplace_back(message.begin(), message.end());
        Result<Bytes> answer = node_->handle(key_of(kKey).public_key(), message);
        const bool wanted = answer && lose_ && lose_(message);
        if (wanted) return fail(ErrorCode::kTimeout, "the answer was lost");
        if (!answer || !falsify_) return answer;
        FollowAnswer said = *decode_answer(*answer);
        falsify_(said);
        return encode_answer(said);
    }
    /// Block by block, with everything that is owed at each.
    void live(std::uint64_t blocks) {
        for (std::uint64_t i = 0; i < blocks; ++i) {
            new_blocks(1);
            while (node_->advance()) worked_.push_back(prover_->work());
        }
    }
    std::size_t times_sent(const Bytes& message) const {
        return static_cast<std::size_t>(std::count(sent_.begin(), sent_.end(), message));
    }
    static bool is_bundle(ByteView message) {
        const auto kind = peek_kind(message);
        return kind && *kind == Kind::kBundle;
    }
    static bool is_batch(ByteView message) {
        const auto question = decode_question(message);
        return question && std::holds_alternative<HandOver>(*question);
    }
    std::vector<KeptAcknowledgement> kept() const {
        std::vector<KeptAcknowledgement> out;
        succeed(Acknowledgements::for_each(dir_ / "prover" / "acks", params_.id(),
                                           [&](const KeptAcknowledgement& k) -> Status {
                                               out.push_back(k);
                                               return {};
                                           }));
        return out;
    }

    std::optional<KeyPair> host_;
    std::optional<VdfClock> clock_;
    std::unique_ptr<ServedNode> node_;
    std::unique_ptr<FollowingProver> prover_;
    std::mutex mutex_;  // guards what carry() uses
    std::vector<Bytes> sent_;
    std::vector<Result<SetReport>> worked_;
    std::function<bool(ByteView message)> lose_;
    std::function<void(FollowAnswer&)> falsify_;
};

TEST_F(Followed, GivesTheDigestsOfASetInTheProcessOfTheNode) {
    open_node();
    open_prover();
    live(17);
    open_node();    // restarted
    open_prover();  // restarted
    live(12);
    std::uint64_t links = 0;
    std::uint64_t proofs = 0;
    for (const Result<SetReport>& r : worked_) {
        ASSERT_TRUE(r) << r.error().message;
        ASSERT_TRUE(r->faults.empty()) << r->faults[0].error.message;
        links += r->links;
        proofs += r->compact_proofs + r->full_proofs;
    }
    EXPECT_GT(links, 20U);
    EXPECT_GT(proofs, 10U);

    // The same blocks with a set in the process.
    AggregatorOptions options;
    options.registry = dir_ / "direct";
    options.operator_key = &operator_;
    Aggregator direct =
        value_of(Aggregator::open(params_, *chain_, *clock_, nullptr, nullptr, options));
    ProverSet set = value_of(ProverSet::open(params_, key_of(kKey), dir_ / "direct.links"));
    value_of(set.add_folder(dir_, {}));
    ProverSet* const sets[] = {&set};
    std::map<Height, GlobalDigest> globals;
    while (const auto report = value_of(direct.advance({}, sets))) {
        if (report->closed) globals[*report->closed] = report->global;
    }
    ASSERT_GT(node_->globals.size(), 10U);
    for (const auto& [height, global] : node_->globals) {
        EXPECT_EQ(globals.at(height), global) << height.value;
    }

    // Everything has been acknowledged, and each acknowledgement is of what was sent.
    EXPECT_TRUE(prover_->store.unsettled().empty());
    std::set<Digest> messages;
    for (const Bytes& m : sent_) messages.insert(sha256(m));
    std::uint64_t bundles = 0;
    for (const KeptAcknowledgement& k : kept()) {
        EXPECT_TRUE(messages.contains(k.acknowledgement.object));
        EXPECT_EQ(k.acknowledgement.host, host_->public_key());
        bundles += k.objects[0].kind == Kind::kBundle ? 1 : 0;
        for (const AcknowledgedObject& o : k.objects) EXPECT_TRUE(o.entry) << int(o.kind);
    }
    EXPECT_GT(bundles, 10U);
}

TEST_F(Followed, WhatWasNotAcknowledgedIsSentAgainWithTheSameBytes) {
    open_node();
    open_prover();
    live(22);
    Bytes lost;
    for (const auto& wanted : {is_bundle, is_batch}) {
        lost.clear();
        lose_ = [&](ByteView message) {
            if (!lost.empty() || !wanted(message)) return false;
            lost.assign(message.begin(), message.end());
            return true;
        };
        worked_.clear();
        live(1);
        ASSERT_FALSE(lost.empty());
        ASSERT_FALSE(worked_.at(0));
        EXPECT_EQ(worked_[0].error().code, ErrorCode::kTimeout);
        open_prover();  // it was recorded before it left
        EXPECT_EQ(times_sent(lost), 1U);
        const auto again = prover_->work();
        ASSERT_TRUE(again) << again.error().message;
        EXPECT_EQ(times_sent(lost), 2U);
        const auto all = kept();
        EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const KeptAcknowledgement& k) {
            return k.acknowledgement.object == sha256(lost);
        }));
        EXPECT_TRUE(prover_->store.unsettled().empty());
        succeed(prover_->source->begin_pass());
        EXPECT_EQ(times_sent(lost), 2U);
    }
}

TEST_F(Followed, AnAcknowledgementOfAnotherObjectOrHostIsRefusedAndTheObjectSentAgain) {
    open_node();
    open_prover();
    live(22);
    const std::uint64_t before = prover_->store.kept();
    const KeyPair stranger = key_of(78);
    const KeyPair* signer = nullptr;
    Bytes object = wrap_object(Kind::kBundle, Bytes(8, 1));
    falsify_ = [&](FollowAnswer& answer) {
        auto* said = std::get_if<HandedOvers>(&answer);
        if (said == nullptr || !said->acknowledgement) return;
        const Acknowledgement& true_one = *said->acknowledgement;
        if (signer) {
            Acknowledgement other =
                make_acknowledgement(params_.id(), sent_.back(), true_one.height,
                                     true_one.block_hash, *signer)
                    .value();
            said->acknowledgement = other;
        } else {
            said->acknowledgement = make_acknowledgement(params_.id(), object, true_one.height,
                                                         true_one.block_hash, *host_)
                                        .value();
        }
    };
    worked_.clear();
    live(1);
    ASSERT_FALSE(worked_.at(0));
    EXPECT_EQ(worked_[0].error().verdict.reason, Reason::kWrongObject);
    signer = &stranger;
    const auto other_host = prover_->work();
    ASSERT_FALSE(other_host);
    EXPECT_EQ(other_host.error().verdict.reason, Reason::kWrongHost);
    EXPECT_EQ(prover_->store.kept(), before);
    EXPECT_EQ(prover_->store.unsettled().size(), 1U);
    EXPECT_EQ(prover_->source->status().bad_answers, 2U);
    falsify_ = {};
    ASSERT_TRUE(prover_->work());
    EXPECT_GT(prover_->store.kept(), before);
    EXPECT_TRUE(prover_->store.unsettled().empty());
}

TEST_F(Followed, ANodeThatTellsAnotherBlockOrAnchorThanBeforeIsNotBelieved) {
    open_node();
    open_prover();
    live(22);
    const std::size_t places = prover_->set.records().places().size();
    const auto told = [&](const std::function<void(DutyHeight&)>& change) {
        falsify_ = [change](FollowAnswer& answer) {
            auto* said = std::get_if<DutyHeights>(&answer);
            if (said != nullptr) change(said->open.front());
        };
        const auto worked = prover_->work();
        EXPECT_FALSE(worked);
        return worked ? Reason::kOk : worked.error().verdict.reason;
    };
    const auto anchor = [](DutyHeight& h) { h.anchor.bytes[0] ^= 1; };
    const auto block = [](DutyHeight& h) { h.block_hash.bytes[0] ^= 1; };
    EXPECT_EQ(told(anchor), Reason::kWrongAnchor);
    EXPECT_EQ(told(block), Reason::kWrongBlock);
    open_prover();  // what it has signed is on record
    EXPECT_EQ(told(anchor), Reason::kWrongAnchor);
    EXPECT_EQ(told(block), Reason::kWrongBlock);
    EXPECT_EQ(prover_->set.records().places().size(), places);
}

TEST_F(Followed, NothingIsSignedUnderAFalseY) {
    open_node();
    open_prover();
    live(22);
    const std::size_t places = prover_->set.records().places().size();
    falsify_ = [](FollowAnswer& answer) {
        auto* said = std::get_if<FollowOutput>(&answer);
        if (said != nullptr && !said->proof.empty()) said->proof[60] ^= 1;
    };
    worked_.clear();
    live(2);
    for (const auto& worked : worked_) {
        ASSERT_TRUE(worked) << worked.error().message;
        EXPECT_EQ(worked->links, 0U);
    }
    EXPECT_EQ(prover_->set.records().places().size(), places);
    falsify_ = {};
    const auto late = prover_->work();
    ASSERT_TRUE(late);
    EXPECT_EQ(late->links, 4U);  // both heights are open still
}

TEST_F(Followed, ANodeThatOnlyReadsIsPassedOver) {
    open_node();
    open_prover();
    live(22);
    // The same node for reading only, named first.
    FollowClient reading([&](ByteView message) -> Result<Bytes> {
        Result<Bytes> answer = carry(message);
        const auto said = answer ? decode_answer(*answer) : decode_answer({});
        const auto* handed = said ? std::get_if<HandedOvers>(&*said) : nullptr;
        if (handed == nullptr) return answer;
        return encode_answer(FollowRefused{Reason::kNotOperator});
    });
    DutyClient reading_duties(reading, params_.id(), key_of(79).public_key());
    FollowDuties both(
        params_, key_of(kKey).public_key(),
        {{key_of(79).public_key(), &reading, &reading_duties},
         {host_->public_key(), &prover_->client, &prover_->duties}},
        [](Height) { return fail(ErrorCode::kUnavailable, "not asked"); }, prover_->store);
    succeed(both.compare(1));
    ASSERT_TRUE(value_of(both.tip()));
    const auto bundle = std::find_if(sent_.rbegin(), sent_.rend(), is_bundle);
    ASSERT_NE(bundle, sent_.rend());
    const std::uint64_t before = prover_->store.kept();
    const ByteView object(*bundle);
    const auto outcomes = value_of(both.accept({&object, 1}, {}));
    EXPECT_TRUE(outcomes.at(0).verdict);
    EXPECT_EQ(prover_->store.kept(), before + 1);
}

}  // namespace
}  // namespace holdfast::node
