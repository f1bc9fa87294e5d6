// y that comes one block late, at every height: links and proofs are made while their deadlines
// allow, so that nothing is missed.

#include "api/prover_set.hpp"
#include "unit/api/node_fixture.hpp"

namespace holdfast {
namespace {

using test::Node;
using test::succeed;
using test::value_of;

class LateOutput : public Node {
  protected:
    /// Proofs of y, made elsewhere, come to a clock that evaluates nothing once the block after
    /// theirs is there.
    void run(Aggregator& node, VdfClock& late, VdfClock& elsewhere,
             std::span<Prover* const> provers, std::span<ProverSet* const> sets,
             std::uint64_t blocks) {
        advance_all(node, {});  // what is final before the first y
        for (std::uint64_t i = 0; i < blocks; ++i) {
            new_blocks(1);
            value_of(elsewhere.advance());
            const Height tip = value_of(chain_->current_height()) - params_.finality_blocks;
            if (tip > params_.genesis_height) {
                ASSERT_TRUE(value_of(late.import(value_of(elsewhere.proof(tip - 1)))));
            }
            const auto report = value_of(node.advance(provers, sets));
            ASSERT_TRUE(report);
            EXPECT_FALSE(report->y) << "the newest height has no y yet";
            made_ += report->proofs.size();
            for (const SetReport& set : report->sets) {
                made_ += set.compact_proofs + set.full_proofs;
            }
        }
    }
    std::uint64_t made_ = 0;
};

void expect_nothing_missed(Registry& registry, const ChainId& chain_id) {
    const auto info = value_of(registry.chain(chain_id));
    ASSERT_TRUE(info && info->sealed_at);
    const Height closed = *value_of(registry.closed());
    std::uint64_t looked_at = 0;
    for (Height h = *info->sealed_at + 1; h <= closed; ++h) {
        const auto link = value_of(registry.link(chain_id, h));
        if (!link) continue;  // settled, and forgotten
        ++looked_at;
    }
    EXPECT_GT(looked_at, 0U);
    EXPECT_EQ(info->misses, 0U);
}

TEST_F(LateOutput, OneBlockLateCostsAProverNoLink) {
    new_blocks(4);
    const Registration registration = seal_and_register("a", 1, 100'000);
    VdfClock elsewhere = clock(key_of(9), "elsewhere");
    VdfClock late = clock(std::nullopt, "late");
    Aggregator node = aggregator(late);
    Prover prover = value_of(Prover::open(params_, files("a"), registration, key_of(1)));
    Prover* const provers[] = {&prover};
    run(node, late, elsewhere, provers, {}, 40);
    EXPECT_GT(made_, 10U);
    expect_nothing_missed(node.registry(), prover.chain_id());
}

TEST_F(LateOutput, OneBlockLateCostsASetNoLink) {
    new_blocks(4);
    const Registration registration = seal_and_register("a", 1, 100'000);
    VdfClock elsewhere = clock(key_of(9), "elsewhere");
    VdfClock late = clock(std::nullopt, "late");
    Aggregator node = aggregator(late);
    ProverSet set = value_of(ProverSet::open(params_, key_of(1), dir_ / "records"));
    succeed(set.add(files("a").replica));
    ProverSet* const sets[] = {&set};
    run(node, late, elsewhere, {}, sets, 40);
    EXPECT_GT(made_, 10U);
    expect_nothing_missed(node.registry(), registration.chain_id(params_.id()));
}

}  // namespace
}  // namespace holdfast
