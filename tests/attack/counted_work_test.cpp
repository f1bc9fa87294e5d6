// The counts that `holdfast cost` multiplies with what one piece of work takes: a registry looks
// up, walks over and changes no more records than they say.
#include "analysis/node_work.hpp"
#include "storage/lmdb_store.hpp"
#include "support/challenger_world.hpp"
#include "support/registry_world.hpp"

namespace holdfast::test {
namespace {

template <class Work>
double cost_of(const Work& work) {
    const std::uint64_t before = store_operations();
    work();
    return static_cast<double>(store_operations() - before);
}

/// Audits are rare, and no digest of the whole state is made.
NetworkParams plain_network() {
    NetworkParams p = patient_network();
    p.liability_blocks = 1'000'000;
    p.checkpoint_blocks = 10'000;
    return p;
}

struct Counted : testing::Test {
    static constexpr std::uint64_t kChains = 64;
    void SetUp() override {
        world.feed_to(Height(102));
        double listed = -cost_of([&] { world.feed(); });
        for (std::uint64_t n = 0; n < kChains; ++n) {
            chains.push_back(
                std::make_unique<TestChain>(world.params(), n, Height(101), Retention::kArchival));
            world.add(*chains.back());
        }
        listed += cost_of([&] { world.flush(); });
        a_registration = listed / kChains;
        world.feed_to(world.tip() + world.params().seal_delay);
        (void)world.flush();
        for (const auto& chain : chains) world.answer_duties(*chain);
        for (int i = 0; i < 3; ++i) world.feed();
    }
    RegistryWorld world{plain_network()};
    std::vector<std::unique_ptr<TestChain>> chains;
    double a_registration = 0;
};

TEST_F(Counted, RegistrationsLinksProofsAndDigests) {
    const Height h = world.tip();
    std::vector<Bytes> bundles;
    std::vector<Full> fulls;
    for (const auto& chain : chains) {
        fulls.push_back(chain->full(world.known(*chain, h)));
        bundles.push_back(chain->bundle(world.known(*chain, h), fulls.back().receipt.link));
    }
    double links = 0;
    for (const Bytes& bundle : bundles) {
        links += cost_of([&] { EXPECT_EQ(world.accept(bundle).members.at(0), Verdict::ok()); });
    }
    world.feed();
    const double closing = cost_of([&] { world.feed(); });  // closes h, with every link in it
    EXPECT_EQ(world.closed(), h);
    world.feed_to(h + world.params().link_lag + 3);
    (void)world.flush();
    double proofs = 0;
    for (const Full& full : fulls) {
        const Bytes object = wrap_object(Kind::kFull, full.encode());
        proofs += cost_of([&] { EXPECT_EQ(world.accept(object).verdict, Verdict::ok()); });
    }
    std::printf("records: registration %.1f, link %.1f, proof %.1f, digest %.1f a chain\n",
                a_registration, links / kChains, proofs / kChains, closing / kChains);
    EXPECT_LE(a_registration, kListedRecords);
    EXPECT_LE(links / kChains, kLinkRecords);
    EXPECT_LE(proofs / kChains, kProofRecords);
    EXPECT_LE(closing / kChains, kCloseRecords);
}

TEST(CountedAvailability, AChallengeWithItsOutcome) {
    ChallengerWorld w;
    w.blocks_until(Height(2));
    const TestChallenger c(w.network_id, 1, Height(8));
    const TestProver p(1);
    w.add_chain(p);
    EXPECT_EQ(w.join(c, 5'000), Verdict());
    w.blocks_until(Height(14));
    // Taking both, and what closing their digest does with them, beside a block without any.
    const double none = cost_of([&] { w.block(); });
    const Height h = w.tip() - 2;
    double both = cost_of([&] {
        EXPECT_EQ(w.take(w.challenge(c, p, h)), Verdict());
        EXPECT_EQ(w.take(w.outcome(c, p, h, OutcomeKind::kLate)), Verdict());
    });
    for (int i = 0; i < 4; ++i) both += cost_of([&] { w.block(); }) - none;
    std::printf("records: challenge with outcome %.0f\n", both);
    EXPECT_LE(both, kOutcomeRecords);
}

}  // namespace
}  // namespace holdfast::test
