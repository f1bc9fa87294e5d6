// Attack: outlast what is owed. A token that is away for longer than anybody looks back loses no
// slash: settlement goes on from where it stopped, however long ago that was.
#include "support/faulty_token.hpp"
#include "unit/api/node_fixture.hpp"

namespace holdfast::test {
namespace {

using FailingToken = Node;

TEST_F(FailingToken, AwayForEightyHeightsLosesNoSlash) {
    new_blocks(4);
    // Two registrations that are never proved: both deposits are lost, some heights apart.
    const Registration first = seal_and_register("a", 1, 70'000);
    VdfClock with = clock(key_of(9));
    bool away = true;
    FaultyToken token(*ledger_, [&] { return away ? Fault::kFails : Fault::kNone; });
    const auto open = [&] {
        AggregatorOptions options;
        options.registry = dir_ / "registry";
        options.operator_key = &operator_;
        return value_of(Aggregator::open(params_, *chain_, with, &token, nullptr, options));
    };
    std::optional<Aggregator> node(open());
    new_blocks(10);
    advance_all(*node, {});
    const Registration second = seal_and_register("b", 2, 70'000);
    const auto voided = [&] { return value_of(node->registry().statistics()).voided; };
    for (int i = 0; i < 400 && voided() < 2; ++i) {
        new_blocks(1);
        advance_all(*node, {});
    }
    ASSERT_EQ(voided(), 2U);
    for (int i = 0; i < 80; ++i) {
        new_blocks(1);
        advance_all(*node, {});
        if (i == 40) {  // and a restart in the middle of it
            node.reset();
            node.emplace(open());
        }
    }
    const auto taken = [&](const Registration& r) {
        return value_of(ledger_->bond_info(r.bond_id)).slashed_amount;
    };
    EXPECT_EQ(taken(first) + taken(second), 0U);
    EXPECT_GT(token.calls, 80U);
    away = false;
    new_blocks(1);
    advance_all(*node, {});
    EXPECT_EQ(taken(first), 100U);
    EXPECT_EQ(taken(second), 100U);
    const auto report = value_of(node->settlement()->work(token));
    EXPECT_EQ(report.open, 0U);
}

}  // namespace
}  // namespace holdfast::test
