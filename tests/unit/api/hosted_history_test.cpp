// A network without an operator: the host's own blocks list everything, and are the journal.
#include "api/journal_file.hpp"
#include "api/replay.hpp"
#include "unit/api/node_fixture.hpp"

namespace holdfast {
namespace {

using test::succeed;
using test::value_of;

class HostedHistory : public test::Node {
  protected:
    void SetUp() override {
        params_.operator_key = PublicKey{};
        params_.least_evaluator_part = 100;
        params_.finality_blocks = 1;
        params_.link_lag = 4;  // y is listed two blocks after it is made, and then the link
        params_.checkpoint_blocks = 4;
        Node::SetUp();
        new_blocks(4);
    }
    Aggregator node(VdfClock& with, const std::string& folder) {
        AggregatorOptions options;
        options.registry = dir_ / folder;
        return value_of(Aggregator::open(params_, *chain_, with, ledger_.get(), nullptr, options));
    }
    void bond_evaluator(std::uint8_t key_number) {
        const PublicKey key = key_of(key_number).public_key();
        const IdempotencyKey once(tagged_hash("evaluator", std::uint64_t{key_number}));
        succeed(ledger_->issue(key, 100, once));
        (void)value_of(ledger_->create_bond(key, 100, BondPurpose::kEvaluator,
                                            IdempotencyKey(sha256(view(once)))));
    }
    static Digest state(Aggregator& of) { return value_of(of.registry().export_state()); }
};

TEST_F(HostedHistory, AWholeChainsLifeComesOutOfBlocksAlone) {
    bond_evaluator(9);
    const Registration registration = seal_and_register("a", 1, 70'000);
    const ChainId id = registration.chain_id(params_.id());
    VdfClock evaluator = clock(key_of(9));
    VdfClock other = clock(std::nullopt, "other-vdf");
    Aggregator first = node(evaluator, "first");
    auto second = std::make_unique<Aggregator>(node(other, "second"));
    Prover prover = value_of(Prover::open(params_, files("a"), registration, key_of(1)));
    Prover* const provers[] = {&prover};
    for (int i = 0; i < 40; ++i) {
        new_blocks(1);
        for (const BlockReport& report : advance_all(first, provers)) {
            EXPECT_FALSE(report.head) << "nobody signs for a host";
        }
        (void)advance_all(*second, {});
        ASSERT_EQ(state(first), state(*second)) << "block " << i;
        if (i % 7 != 3) continue;  // a restart changes nothing
        second.reset();
        second = std::make_unique<Aggregator>(node(other, "second"));
    }
    const ChainInfo info = value_of(first.registry().chain(id)).value();
    EXPECT_EQ(info.phase, ChainPhase::kSealed);
    EXPECT_EQ(info.status, ChainStatus::kActive);
    EXPECT_EQ(info.misses, 0U);
    const RegistryStatistics s = value_of(first.registry().statistics());
    EXPECT_GT(s.heights_with_y, 25U);
    EXPECT_EQ(s.entries, s.tip->since(params_.genesis_height) + 1) << "blocks and nothing else";

    // Who comes years later, with the chain and nothing else.
    const auto file = dir_ / "journal";
    succeed(write_journal(first.registry(), file, {}));
    auto late = value_of(Registry::open(dir_ / "late", params_));
    ReplayOptions options;
    options.check_y = [&](Height h, const VdfOutput& y) -> Result<Verdict> {
        HOLDFAST_ASSIGN(entropy, evaluator.at(h));
        return Verdict(entropy.y == y ? Reason::kOk : Reason::kWrongOutput);
    };
    (void)value_of(replay_journal(*late, *chain_, file, options));
    EXPECT_EQ(value_of(late->export_state()), state(first));
}

TEST_F(HostedHistory, NothingComesInBesideTheBlocks) {
    VdfClock with = clock(key_of(9));
    Aggregator hosted = node(with, "hosted");
    (void)advance_all(hosted, {});
    const Height tip = value_of(hosted.registry().tip()).value();
    EXPECT_EQ(value_of(hosted.registry().note_y(tip, VdfOutput{})).reason, Reason::kNotOperator);
    const Bytes object = wrap_object(Kind::kSealProof, Bytes(40, 0));
    EXPECT_EQ(value_of(hosted.registry().accept(ByteView(object))).verdict.reason,
              Reason::kNotOperator);
    EXPECT_EQ(hosted.head(params_.genesis_height).error().verdict.reason, Reason::kNotOperator);
    // What is handed to the node goes onto the chain, and is judged where a block lists it.
    EXPECT_EQ(value_of(hosted.submit("p", object)).verdict, Verdict::ok());
    new_blocks(2);
    std::size_t judged = 0;
    for (const BlockReport& report : advance_all(hosted, {})) {
        for (const ObjectOutcome& o : report.objects) {
            if (o.kind != Kind::kSealProof) continue;
            EXPECT_EQ(o.verdict.reason, Reason::kUnknownChain);
            ++judged;
        }
    }
    EXPECT_EQ(judged, 1U);
}

TEST_F(HostedHistory, YOfAnEvaluatorWithoutAPartOrAFalseOneCountsForNothing) {
    VdfClock unbonded = clock(key_of(8), "unbonded");
    Aggregator poor = node(unbonded, "poor");
    for (int i = 0; i < 8; ++i) {
        new_blocks(1);
        (void)advance_all(poor, {});
    }
    EXPECT_EQ(value_of(poor.registry().statistics()).heights_with_y, 0U);
    bond_evaluator(8);
    // A proof whose y is another one, signed by an evaluator that holds a part.
    new_blocks(4);
    (void)advance_all(poor, {});
    const Height tip = value_of(poor.registry().tip()).value();
    VdfProof lie = value_of(unbonded.proof(tip));
    lie.y = VdfOutput(tagged_hash("another y"));
    succeed(chain_->submit(Kind::kVdfProof, wrap_object(Kind::kVdfProof, lie.encode())));
    std::size_t wrong = 0;
    for (int i = 0; i < 12; ++i) {
        new_blocks(1);
        for (const BlockReport& report : advance_all(poor, {})) {
            for (const ObjectOutcome& o : report.objects) {
                wrong += o.verdict.reason == Reason::kWrongOutput ? 1 : 0;
            }
        }
    }
    EXPECT_GT(wrong, 0U);
    EXPECT_GT(value_of(poor.registry().statistics()).heights_with_y, 0U);
    const auto settled = value_of(poor.registry().block(tip));
    ASSERT_TRUE(settled);
    EXPECT_NE(settled->y, lie.y);
}

TEST_F(HostedHistory, ANetworkWithABeaconNeedsAnOperator) {
    params_.has_beacon = true;
    params_.beacon_key = Bytes(32, 7);
    params_.beacon_period_s = 3;
    const auto opened = Registry::open(dir_ / "beacon", params_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().verdict.reason, Reason::kNetworkPolicy);
}

}  // namespace
}  // namespace holdfast
