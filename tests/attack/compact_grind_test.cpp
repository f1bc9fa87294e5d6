// Attack 6: a prover that lacks some of the sixteen cells commits garbage in their place and rolls
// the garbage again until the compact proof will open a cell that it holds.
//
// Cost: some hashes a link. Bound: the index is drawn from y_c, which does not exist before the
// digest that holds the link has closed, so rolling again changes nothing: b bad openings of
// sixteen are seen with probability b/16, and at one height in sixteen all of them are. The naive
// scheme beside it draws the index from the link itself.
#include <gtest/gtest.h>

#include "support/rates.hpp"
#include "support/sealed_chain.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kLacking = 64;  // of 256 chunks

/// Naive: whoever knows the link knows what will be opened.
std::uint8_t naive_index(const Link& link) { return link[0] & 15; }

struct Rolled {
    SignedLink link;
    std::uint32_t bad = 0;
    std::uint64_t rolls = 1;
};

bool lacks(const OpenedCell& at) { return at.chunk.value < kLacking; }

/// Rolls until the naive index opens a cell that is held.
Rolled roll(const SealedChain& chain, const KnownHeight& known) {
    Rolled out;
    for (const OpenedCell& at : chain.opened(known)) out.bad += lacks(at) ? 1 : 0;
    for (;; ++out.rolls) {
        out.link = chain.forge(known, [&](const OpenedCell& at) {
            Cell cell = chain.cell(at);
            if (lacks(at)) store_le64(cell.data(), out.rolls);
            return cell;
        });
        const OpenedCells& where = out.link.opening.where;
        if (out.bad == kChunksPerLink || !lacks(where[naive_index(out.link.opening.link)])) break;
    }
    return out;
}

TEST(AttackCompactGrind, DetectionIsThatOfTheBadOpeningsHoweverOftenItRolls) {
    NetworkParams params = short_network();
    params.name = "grind";
    params.block_ms = 52'000;
    params.misses_late = params.misses_expired = 100'000;  // it goes on for the sake of counting
    RegistryWorld world(params);
    const SealedChain a(params, 1);
    const SealedChain b(params, 2, {256, 1, false, Height(110), {}});
    enrol(world, {&a, &b});

    struct Waiting {
        const SealedChain* chain;
        Rolled rolled;
    };
    std::map<Height, std::vector<Waiting>> waiting;
    ExpectedRate expected;
    std::uint64_t seen = 0;
    std::uint64_t opened = 0;
    std::uint64_t full_only = 0;
    std::uint64_t rolls = 0;
    std::uint64_t naive_seen = 0;
    const std::uint64_t draw_lag = params.closing_blocks() + params.finality_blocks;
    for (std::uint64_t n = 0; n < 400; ++n) {
        world.feed();
        for (const SealedChain* chain : {&a, &b}) {
            const KnownHeight known = known_height(world, *chain, world.tip());
            waiting[world.tip()].push_back({chain, roll(*chain, known)});
            const Rolled& rolled = waiting[world.tip()].back().rolled;
            ASSERT_EQ(submit(world, *chain, rolled.link.receipt), Verdict::ok());
            rolls += rolled.rolls;
            naive_seen += lacks(rolled.link.opening.where[naive_index(rolled.link.opening.link)]);
        }
        const auto due = waiting.find(world.tip() - draw_lag);
        if (due == waiting.end()) continue;
        for (const auto& [chain, rolled] : due->second) {
            const KnownHeight known = known_height(world, *chain, due->first);
            const PathProof path = must(world->path(chain->id(), due->first));
            const Verdict v =
                world.prove(chain->compact(rolled.link, path, known.y_compact.value()));
            // Nobody can make the full proof of a link that holds garbage.
            const Verdict full = world.prove(to_full(rolled.link));
            EXPECT_EQ(full.accepted(), rolled.bad == 0);
            ++opened;
            if (full_required(chain->network_id(), *known.y_compact, chain->id())) {
                ++full_only;
                EXPECT_FALSE(v.accepted());
                continue;
            }
            expected.add(rolled.bad / 16.0);
            seen += v.accepted() ? 0 : 1;
            EXPECT_TRUE(v.accepted() || v.reason == Reason::kSealedMismatch) << to_string(v);
        }
        waiting.erase(due);
    }
    expect_rate("garbage seen by compact proofs", seen, expected);
    expect_rate("heights where only a full proof counts", full_only, opened, 1.0 / 16);
    std::printf("naive index out of the link: %llu of %llu seen, after %.1f rolls a link\n",
                static_cast<unsigned long long>(naive_seen),
                static_cast<unsigned long long>(opened),
                static_cast<double>(rolls) / static_cast<double>(opened));
    EXPECT_EQ(naive_seen, 0U);
    EXPECT_GT(rolls, opened);
}

TEST(AttackCompactGrind, TheIndexIsDrawnFromABlockAfterTheDigestOfTheLink) {
    const NetworkParams params;
    for (std::uint64_t h = 0; h < 100; ++h) {
        const Height closes = Height(h) + params.closing_blocks();
        EXPECT_GT(compact_draw_height(params, Height(h)), closes);
        // Not even at the host's tip is that block there when the last receipt can be handed in.
        EXPECT_GE(compact_draw_height(params, Height(h)), closes + params.finality_blocks);
    }
}

}  // namespace
}  // namespace holdfast::test
