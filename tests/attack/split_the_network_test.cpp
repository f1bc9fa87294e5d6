// Attack: bring two honest nodes to two digests. Whoever can do so takes the network apart, or gets
// whoever signs digests slashed.
//
// What split nodes before: a block that lists things out of order, judged again by whoever
// restarted on it; a token asked at acceptance, whose answer another node's settlement had changed;
// a bond that was released since. Bound: the state follows from final blocks and the journal (spec
// 15.1).
#include "api/replay.hpp"
#include "api/seal_prover.hpp"
#include "unit/api/node_fixture.hpp"

namespace holdfast::test {
namespace {

class AttackSplitTheNetwork : public Node {
  protected:
    void SetUp() override {
        params_.removal_delay = 2;
        params_.liability_blocks = 3;
        Node::SetUp();
        new_blocks(4);
    }
    template <class T>
    void submit(Kind kind, const T& object) {
        succeed(chain_->submit(kind, wrap_object(kind, object.encode())));
    }
    Digest state(Aggregator& node) { return value_of(node.registry().export_state()); }
    /// What somebody comes to who starts now and reads the chain and the journal; no token.
    Digest late_comer(Aggregator& node, VdfClock& with) {
        auto late = value_of(Registry::open(dir_ / "late", params_));
        ReplayOptions options;
        options.check_y = [&](Height h, const VdfOutput& y) -> Result<Verdict> {
            HOLDFAST_ASSIGN(entropy, with.at(h));
            return Verdict(entropy.y == y ? Reason::kOk : Reason::kWrongOutput);
        };
        Replay replay(*late, *chain_, options);
        const std::uint64_t size = value_of(node.registry().journal()).entries;
        for (std::uint64_t n = 0; n < size; ++n) {
            const Bytes entry = value_of(node.registry().entries(n, 1)).at(0);
            succeed(replay.take(n, decode_entry(entry).value()));
        }
        succeed(replay.finish());
        EXPECT_EQ(replay.report().entries, size);
        return value_of(late->export_state());
    }
};

TEST_F(AttackSplitTheNetwork, ByABlockThatListsARemovalAndASealProofUnderARestart) {
    const Registration registration = seal_and_register("a", 1, 70'000);
    const ChainId id = registration.chain_id(params_.id());
    VdfClock with = clock(key_of(9));
    Aggregator steady = aggregator(with, "steady");
    auto restarted = std::make_unique<Aggregator>(aggregator(with, "restarted"));
    // Nobody drives the prover yet: the chain's seal challenge is open.
    std::optional<SealDuty> duty;
    while (!duty) {
        new_blocks(1);
        advance_all(steady, {});
        advance_all(*restarted, {});
        for (const SealDuty& d : value_of(steady.registry().seal_duties(id))) {
            if (d.y_height) duty = d;
        }
    }
    const Replica replica = value_of(Replica::open(files("a").replica, files("a").tree, params_));
    const SealProof proof =
        value_of(make_seal_proof(params_, params_.id(), registration, replica, *duty->y_height,
                                 *duty->y, duty->kind, key_of(1)));
    submit(Kind::kRemoval,
           make_removal(params_.id(), id, 1, value_of(steady.registry().tip()).value(), key_of(1))
               .value());
    submit(Kind::kSealProof, proof);
    new_blocks(1 + params_.finality_blocks);
    for (Aggregator* node : {&steady, restarted.get()}) {
        std::vector<Reason> listed;
        for (const BlockReport& report : advance_all(*node, {})) {
            for (const ObjectOutcome& o : report.objects) listed.push_back(o.verdict.reason);
        }
        ASSERT_EQ(listed.size(), 2U);
        EXPECT_NE(listed[0], Reason::kOk) << "a removal before the seal proof";
        EXPECT_EQ(listed[1], Reason::kBadKind) << "a seal proof's door is the journal";
    }
    restarted.reset();
    restarted = std::make_unique<Aggregator>(aggregator(with, "restarted"));
    // Handed over at its one door it is taken, by the one that restarted as by the other.
    const Bytes object = wrap_object(Kind::kSealProof, proof.encode());
    EXPECT_EQ(value_of(steady.submit("", object)).verdict, Verdict::ok());
    EXPECT_EQ(value_of(restarted->submit("", object)).verdict, Verdict::ok());
    new_blocks(4);
    advance_all(steady, {});
    advance_all(*restarted, {});
    EXPECT_EQ(state(steady), state(*restarted));
    EXPECT_EQ(late_comer(steady, with), state(steady));
    EXPECT_EQ(value_of(steady.registry().chain(id))->phase, ChainPhase::kSealed);
}

TEST_F(AttackSplitTheNetwork, ByTheSettlementOfAnotherNodeOnTheSameToken) {
    // Never proven: voided, and its bond slashed, by whichever node comes first.
    const Registration registration = seal_and_register("a", 1, 70'000);
    const BondId bond = registration.bond_id;
    VdfClock with = clock(key_of(9));
    Aggregator first = aggregator(with, "first");
    Aggregator second = aggregator(with, "second");
    bool apart = false;  // the token says something else to the second than to the first
    for (int i = 0; i < 60; ++i) {
        new_blocks(1);
        const std::uint64_t before = value_of(ledger_->bond_info(bond)).slashed_amount;
        advance_all(first, {});
        apart |= value_of(ledger_->bond_info(bond)).slashed_amount != before;
        advance_all(second, {});
        ASSERT_EQ(state(first), state(second)) << i;
    }
    EXPECT_TRUE(apart);
    EXPECT_EQ(value_of(ledger_->bond_info(bond)).slashed_amount, 100U) << "and once";
    EXPECT_EQ(value_of(first.registry().statistics()).voided, 1U);
    EXPECT_EQ(late_comer(first, with), state(first));
}

TEST_F(AttackSplitTheNetwork, ByABondThatWasReleasedBeforeTheOtherCame) {
    const Registration registration = seal_and_register("a", 1, 70'000);
    const ChainId id = registration.chain_id(params_.id());
    VdfClock with = clock(key_of(9));
    Aggregator node = aggregator(with);
    Prover prover = value_of(Prover::open(params_, files("a"), registration, key_of(1)));
    Prover* const provers[] = {&prover};
    live(node, provers, 20);
    submit(Kind::kRemoval, prover.removal(1, value_of(node.registry().tip()).value()).value());
    live(node, provers, 40);
    // The token has long given the bond back, and would not vouch for the registration any more.
    EXPECT_EQ(value_of(node.registry().chain(id))->phase, ChainPhase::kEnded);
    EXPECT_EQ(value_of(ledger_->bond_info(registration.bond_id)).held_amount, 0U);
    EXPECT_EQ(value_of(ledger_->balance(key_of(1).public_key())), 100U);
    EXPECT_EQ(value_of(node.registry().bond(registration.bond_id))->held, 0U);
    EXPECT_EQ(late_comer(node, with), state(node));
}

}  // namespace
}  // namespace holdfast::test
