// B88: when a challenge leaves.
#include "core/codec.hpp"
#include "support/availability_world.hpp"

namespace holdfast {
namespace {

using test::must;

std::uint64_t by_the_formula(std::uint64_t block_ms, const Reveal& reveal, const ChainId& chain) {
    const Digest drawn = tagged_hash("availability/moment", reveal, chain);
    std::uint64_t number = 0;
    for (int i = 7; i >= 0; --i) number = number << 8 | drawn.bytes[static_cast<std::size_t>(i)];
    const std::uint64_t margin = std::min<std::uint64_t>(block_ms / 8, 5'000);
    return margin + number % (block_ms - 2 * margin);
}

TEST(ChallengeMoment, IsThatOfTheFormulaWithinItsMarginsForEveryBlockTime) {
    NetworkParams p = test::availability_network();
    for (const std::uint32_t block_ms :
         {1U, 2U, 7U, 8U, 1'000U, 39'999U, 40'000U, 52'000U, 64'800'000U, 4'294'967'295U}) {
        p.block_ms = block_ms;
        const std::uint64_t margin = std::min<std::uint64_t>(block_ms / 8, 5'000);
        for (std::uint64_t n = 0; n < 200; ++n) {
            const Reveal reveal(tagged_hash("test/reveal", n));
            const ChainId chain(tagged_hash("test/chain", n));
            const std::uint32_t moment = challenge_moment_ms(p, reveal, chain);
            EXPECT_EQ(moment, by_the_formula(block_ms, reveal, chain)) << block_ms;
            EXPECT_GE(moment, margin);
            EXPECT_LT(moment, block_ms - margin);
        }
    }
}

TEST(ChallengeMoment, IsWhenTheEngineSendsAndARestartDoesNotChangeIt) {
    test::AvailabilityWorld w(1, 1);
    test::AvailabilityWorld::Challenging& c = w.challengers[0];
    Digest owner;
    owner.bytes = c.key.public_key().bytes;
    RevealChain reveals = RevealChain::make(w.params.id(), owner, c.base, c.key).value();
    for (int i = 0; i < 3; ++i) {
        w.feed();
        const Height h = w.world.tip() - 1;
        const std::uint64_t moment = by_the_formula(w.params.block_ms, reveals.at_height(h).value(),
                                                    w.provers[0].chain->id());
        c.engine->on_final_block(h + 1);
        must(c.engine->draw(w.round(h)));
        EXPECT_EQ(must(c.engine->next_due_ms()), moment);
        w.time.pass_us(moment * 1'000 - 1);
        EXPECT_EQ(must(c.engine->work()).sent, 0U);
        // Drawn again, as after a restart: nothing is new, and the moment is the same.
        EXPECT_EQ(must(c.engine->draw(w.round(h))), 0U);
        EXPECT_EQ(must(c.engine->next_due_ms()), 1U);
        w.time.pass_us(1);
        EXPECT_EQ(must(c.engine->work()).sent, 1U);
        EXPECT_FALSE(must(c.engine->next_due_ms()));
        w.time.pass_us(w.params.block_ms * 1'000ULL);
    }
}

}  // namespace
}  // namespace holdfast
