// Attack 5: a prover sleeps, its data in some archive, and then makes the links of thousands of
// heights at once.
//
// Cost: two signatures' work a thousandth of a second; no storage while it sleeps. Bound: receipts
// are taken for open heights alone (1 + link_lag of them), and each needs the link_before of the
// registry's own leaf. The naive scheme beside it takes a chain of links that hash together.
#include <gtest/gtest.h>

#include <chrono>

#include "support/sealed_chain.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kSlept = 2'000;

/// Naive: links of consecutive heights, each signed and naming the one before it.
bool naive_accepts(const SealedChain& chain, const std::vector<KnownHeight>& heights,
                   const std::vector<SignedLink>& links) {
    for (std::size_t i = 0; i < links.size(); ++i) {
        KnownHeight known = heights[i];
        known.link_before = i == 0 ? Link(chain.id()) : links[i - 1].receipt.link;
        if (!verify_receipt(chain.network_id(), chain.known(), known, links[i].receipt)) {
            return false;
        }
        if (i > 0 && links[i].opening.facts.link_before != links[i - 1].receipt.link) return false;
    }
    return true;
}

TEST(AttackBatchLinks, OnlyTheOpenHeightsAreTaken) {
    NetworkParams params = short_network();
    params.name = "batch";
    params.block_ms = 52'000;
    // Nothing ends the chain while it sleeps: the worst case for the registry.
    params.rate_window = 20;
    params.misses_late = params.misses_expired = 1'000;
    RegistryOptions options;
    options.kept_heights = kSlept + 100;  // so that even what is known of old heights is there
    RegistryWorld world(params, options);
    SealedChain chain(params, 1);
    enrol(world, {&chain});
    world.keep(chain.id());  // an archive answers audits as well
    const Height first = world.tip() + 1;
    world.feed_to(first + kSlept - 1);

    const auto begin = std::chrono::steady_clock::now();
    std::vector<KnownHeight> heights;
    std::vector<SignedLink> links;
    Link before(chain.id());
    for (Height h = first; h <= world.tip(); ++h) {
        KnownHeight known = known_height(world, chain, h);
        known.link_before = before;
        links.push_back(chain.honest(known));
        heights.push_back(known);
        before = links.back().receipt.link;
    }
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::printf("%zu links made in %.2f s after %llu heights of sleep\n", links.size(), seconds,
                static_cast<unsigned long long>(kSlept));
    EXPECT_TRUE(naive_accepts(chain, heights, links)) << "the naive scheme takes them all";

    std::size_t taken = 0;
    const std::size_t open = must(world->open_heights()).size();
    for (std::size_t i = 0; i < links.size(); ++i) {
        const Verdict verdict = submit(world, chain, links[i].receipt);
        taken += verdict ? 1 : 0;
        const bool is_open = i + open >= links.size();
        EXPECT_EQ(verdict.reason, is_open ? Reason::kOk : Reason::kTooLate) << i;
    }
    EXPECT_EQ(open, params.closing_blocks());
    EXPECT_EQ(taken, open);

    // Proofs of the closed heights are not looked at; those of the open ones, made on links that
    // never counted, name a link_before that is not the registry's.
    for (const std::size_t i : {std::size_t{0}, links.size() / 2, links.size() - open - 1}) {
        const Reason reason = world.prove(to_full(links[i])).reason;
        EXPECT_TRUE(reason == Reason::kTooLate || reason == Reason::kNotInDigest) << i;
    }
    world.feed_to(world.tip() + params.closing_blocks());
    std::size_t counted = 0;
    for (std::size_t i = links.size() - open; i < links.size(); ++i) {
        const Verdict verdict = world.prove(to_full(links[i]));
        EXPECT_EQ(verdict.reason, Reason::kBadLinkBefore) << i;
        counted += verdict ? 1 : 0;
    }
    std::printf("naive: %zu of %zu taken; here: %zu links taken, %zu counted\n", links.size(),
                links.size(), taken, counted);
}

TEST(AttackBatchLinks, AwakeAgainItCountsFromTheOpenHeightsOn) {
    NetworkParams params = short_network();
    params.misses_late = params.misses_expired = 1'000;
    RegistryWorld world(params);
    SealedChain chain(params, 1);
    enrol(world, {&chain});
    world.feed_to(world.tip() + 50);
    const std::uint64_t missed = must(world->chain(chain.id()))->misses;
    EXPECT_GE(missed, params.rate_window);  // all of the window
    const KnownHeight known = known_height(world, chain, world.tip());
    const SignedLink link = chain.honest(known);
    ASSERT_EQ(submit(world, chain, link.receipt), Verdict::ok());
    world.feed_to(world.tip() + params.closing_blocks());
    EXPECT_EQ(world.prove(to_full(link)), Verdict::ok());
}

}  // namespace
}  // namespace holdfast::test
