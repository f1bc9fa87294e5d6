// Attack 7: a prover signs a receipt for a made-up link at every height and stores nothing.
//
// Cost: one signature a height. Bound: a receipt shows that somebody signed; a link counts when a
// compact or full proof of it has held, and there is none of a made-up link. The chain misses as
// much as one that says nothing. The naive scheme beside it counts receipts.
#include <gtest/gtest.h>

#include "support/sealed_chain.hpp"

namespace holdfast::test {
namespace {

TEST(AttackGarbageReceipts, AreTakenAndNeverCount) {
    NetworkParams params = short_network();
    params.name = "garbage";
    params.block_ms = 52'000;
    params.rate_window = 207;
    params.misses_late = 10;
    params.misses_expired = 103;
    RegistryWorld world(params);
    const SealedChain chain(params, 1);
    enrol(world, {&chain});
    world.keep(chain.id());  // audits are another matter

    std::uint64_t naive_count = 0;
    std::uint64_t heights = 0;
    std::map<Height, Full> attempts;
    std::optional<Height> late;
    std::optional<Height> expired;
    std::uint64_t owed = 0;
    const std::uint64_t draw_lag = params.closing_blocks() + params.finality_blocks;
    for (; heights < 130 && !expired; ++heights) {
        world.feed();
        const KnownHeight known = known_height(world, chain, world.tip());
        Full attempt;  // what it would show as its cells
        attempt.chain_id = chain.id();
        attempt.link_before = known.link_before.value();
        attempt.receipt = chain.sign(known, Link(tagged_hash("test/garbage", known.height)));
        attempt.siblings = chain.honest(known).opening.siblings;
        naive_count += submit(world, chain, attempt.receipt) ? 1 : 0;
        attempts.emplace(known.height, attempt);

        const Height due = world.tip() - draw_lag;
        if (const auto at = attempts.find(due); at != attempts.end()) {
            EXPECT_EQ(world.prove(at->second).reason, Reason::kSealedMismatch);
            // Even with the true cells, fetched from an archive: they are not what was signed.
            Full right = to_full(chain.honest(known_height(world, chain, due)));
            EXPECT_EQ(world.prove(right).reason, Reason::kNotInDigest);
            right.receipt = at->second.receipt;
            EXPECT_EQ(world.prove(right).reason, Reason::kBadLink);
        }
        const auto leaf = must(world->leaf(chain.id(), world.closed()));
        if (!leaf) continue;
        if (!late && leaf->status == ChainStatus::kLate) late = world.closed();
        if (leaf->status == ChainStatus::kExpired) expired = world.closed();
        // Misses of every settled height, as if nothing had been signed.
        const Height settled = world.closed() - params.proof_deadline;
        if (attempts.contains(settled)) {
            owed += link_misses(chain.network_id(),
                                known_height(world, chain, settled).y_compact.value(), chain.id(),
                                LinkProof::kNone);
        }
        EXPECT_EQ(must(world->chain(chain.id()))->misses, owed);
    }
    ASSERT_TRUE(late && expired);
    std::printf(
        "naive: %llu links of %llu heights count; here: none, late after %llu heights, "
        "expired after %llu with %llu misses\n",
        static_cast<unsigned long long>(naive_count), static_cast<unsigned long long>(heights),
        static_cast<unsigned long long>(late->since(attempts.begin()->first)),
        static_cast<unsigned long long>(expired->since(attempts.begin()->first)),
        static_cast<unsigned long long>(owed));
    EXPECT_EQ(naive_count, heights - 1) << "all but the one that came after the end";
    EXPECT_GT(owed, params.misses_expired);
    // Ended like any other: the slot falls vacant and the bond stays liable.
    world.feed();
    EXPECT_EQ(must(world->leaf(chain.id(), world.closed())), std::nullopt);
    EXPECT_EQ(must(world->chain(chain.id()))->phase, ChainPhase::kLiable);
}

}  // namespace
}  // namespace holdfast::test
