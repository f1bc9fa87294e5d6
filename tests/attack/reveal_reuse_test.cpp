// Attack 21: one secret of a reveal chain for two chains, and an old update once more.
//
// Cost: nothing. Bound: owner and base are hashed into every step, so that a reveal serves one
// replica and one commitment; sequences of updates and removals grow by one, so that nothing is
// accepted twice. The naive schemes beside it hash a_i alone, and take the newest arrival.
#include <gtest/gtest.h>

#include "support/sealed_chain.hpp"

namespace holdfast::test {
namespace {

NetworkParams reveal_network() {
    NetworkParams p = short_network();
    p.name = "reveal";
    p.misses_late = p.misses_expired = 10'000;
    return p;
}

/// Naive: a_{i-1} = SHA-256(a_i), with nobody's name in it.
struct NaiveReveals {
    std::vector<Digest> a;  // a_0 first
    explicit NaiveReveals(std::size_t length) : a(length) {
        a.back() = tagged_hash("test/naive end");
        for (std::size_t i = length - 1; i > 0; --i) a[i - 1] = sha256(view(a[i]));
    }
    static bool holds(const Digest& commitment, std::uint64_t i, Digest revealed) {
        for (; i > 0; --i) revealed = sha256(view(revealed));
        return revealed == commitment;
    }
};

TEST(AttackRevealReuse, OneSecretForTwoChainsServesOne) {
    const NetworkParams params = reveal_network();
    const NetworkId id = params.id();
    RegistryWorld world(params);
    const SealedChain a(params, 1, {64, 1, true, Height(110), {}});
    const SealedChain b(params, 2, {64, 1, false, Height(110), {}});
    // The second chain commits to the first one's a_0: what the first reveals, the second uses.
    Registration copied = b.registration();
    copied.local_commitment = a.registration().local_commitment;
    copied = sign_registration(id, copied, b.key()).value();
    const ChainId b_id = copied.chain_id(id);
    world.feed_to(Height(110));
    world.list_registration(a.registration());
    world.list_registration(copied);
    for (const Verdict& v : world.listed()) ASSERT_EQ(v, Verdict::ok());
    world.feed_to(Height(113));
    for (const ChainId& chain : {a.id(), b_id}) {
        ASSERT_EQ(
            must(world->accept(ByteView(seal_object(chain, Height(113))), seal_passes())).verdict,
            Verdict::ok());
    }

    std::size_t honest = 0;
    std::size_t reused = 0;
    std::size_t naive = 0;
    const ReplicaId owner_b = copied.replica_id(id);
    const NaiveReveals naive_chain(100);
    for (const ChainId& chain : {a.id(), b_id}) world.keep(chain);
    for (int n = 0; n < 20; ++n) {
        world.feed();
        const Height h = world.tip();
        const Reveal revealed = a.reveal(h);
        const KnownHeight of_a = known_height(world, a, h);
        ASSERT_EQ(submit(world, a, a.honest(of_a).receipt), Verdict::ok());
        // The second chain's link with the first one's reveal.
        const KnownHeight of_b = must(world->known_height(h, b_id));
        const Entropy e = chain_entropy(id, of_b.y.value(), b_id, revealed);
        const OpenedCells where = opened_cells(e, b.chunks());
        std::array<Digest, kChunksPerLink> openings;
        std::vector<std::uint64_t> ascending;
        for (std::size_t j = 0; j < where.size(); ++j) {
            openings[j] = opening_hash(e, where[j], b.cell(where[j]));
            ascending.push_back(where[j].index().value);
        }
        std::sort(ascending.begin(), ascending.end());
        Full proof;
        proof.chain_id = b_id;
        proof.link_before = of_b.link_before.value();
        proof.reveal = revealed;
        for (std::size_t i = 0; i < ascending.size(); ++i) {
            const ChunkIndex chunk(ascending[i] / kCellsPerChunk);
            proof.cells[i] =
                b.cell({chunk, static_cast<std::uint8_t>(ascending[i] % kCellsPerChunk)});
        }
        proof.siblings = b.tree().multiproof(ascending);
        const Link link = link_hash(id, {b_id, h, of_b.block_hash, of_b.anchor, proof.link_before,
                                         e, opening_root(openings)});
        proof.receipt = {
            link, h, of_b.anchor,
            b.key()
                .sign(view(receipt_digest(id, b_id, h, of_b.block_hash, of_b.anchor, link)))
                .value()};
        ASSERT_EQ(submit(world, b_id, of_b, link, b.key()), Verdict::ok());
        world.feed_to(h + params.closing_blocks());
        honest += world.prove(to_full(a.honest(known_height(world, a, h)))) ? 1 : 0;
        const Verdict v = world.prove(proof);
        // Nothing of the copied commitment ever holds, so that it soon lies beyond the limit too.
        const bool within = h.since(Height(110)) <= reveal_limit(params);
        EXPECT_EQ(v.reason, within ? Reason::kBadReveal : Reason::kRevealTooFar);
        reused += v ? 1 : 0;
        // Naive: committed to by both chains, revealed by the first, used by the second.
        const std::uint64_t i = h.since(Height(110));
        naive += NaiveReveals::holds(naive_chain.a[0], i, naive_chain.a[i]) ? 1 : 0;
        // With the true owner's name each step is another one.
        EXPECT_NE(reveal_before(id, view(owner_b), h.since(Height(110)), revealed),
                  a.reveal(h - 1));
    }
    std::printf(
        "one secret, two chains: the owner links at %zu of 20 heights, the other at %zu; "
        "naive: %zu\n",
        honest, reused, naive);
    EXPECT_EQ(honest, 20U);
    EXPECT_EQ(reused, 0U);
    EXPECT_EQ(naive, 20U);
    // Nobody knows a preimage of a_0 under the second chain's name, its own key included.
    RevealChain own = RevealChain::make(id, owner_b, Height(110), b.key()).value();
    EXPECT_NE(own.commitment(), copied.local_commitment);
    // Nor does the same key give the same secret for another base.
    EXPECT_NE(reveal_end(id, view(owner_b), Height(110), b.key()).value(),
              reveal_end(id, view(owner_b), Height(111), b.key()).value());
}

TEST(AttackRevealReuse, AnOldUpdateAgainIsRefusedBySequence) {
    const NetworkParams params = reveal_network();
    const NetworkId id = params.id();
    RegistryWorld world(params);
    const SealedChain chain(params, 1, {16, 1, true, Height(110), {}});
    const SealedChain other(params, 2, {16, 1, true, Height(110), {}});
    enrol(world, {&chain, &other});
    const auto commitment = [&](Height base) {
        return RevealChain::make(id, chain.registration().replica_id(id), base, chain.key())
            .value()
            .commitment();
    };
    const auto accept = [&](const Update& u) { return world.judge(Kind::kUpdate, u).reason; };
    std::vector<Update> sent;
    for (std::uint32_t n = 1; n <= 3; ++n) {
        const Height effective = world.tip() + 1 + params.seal_delay;  // the next block lists it
        sent.push_back(
            make_update(id, chain.id(), n, effective, commitment(effective), chain.key()).value());
        ASSERT_EQ(accept(sent.back()), Reason::kOk);
        EXPECT_EQ(accept(sent.back()), Reason::kTooEarly) << "one update a seal_delay";
        world.feed_to(world.tip() + params.seal_delay);
        for (const Update& old : sent) EXPECT_EQ(accept(old), Reason::kSequence);
    }
    world.feed_to(world.tip() + 10);
    const RevealState in_force = world->known_chain(chain.id(), world.tip())->reveals.value();
    EXPECT_EQ(in_force.base, sent.back().effective_height);
    EXPECT_EQ(in_force.known.a, sent.back().local_commitment);
    // Naive: what arrives last is in force; the replay brings the first commitment back, and every
    // reveal of the third is refused from then on.
    const Update& naive_in_force = sent.front();
    const KnownReveal naive_known{0, naive_in_force.local_commitment};
    const Height h = sent.back().effective_height + 5;
    RevealChain newest = RevealChain::make(id, chain.registration().replica_id(id),
                                           sent.back().effective_height, chain.key())
                             .value();
    EXPECT_EQ(check_reveal(id, view(chain.registration().replica_id(id)), naive_known,
                           h.since(naive_in_force.effective_height), newest.at_height(h).value(),
                           reveal_limit(params))
                  .reason,
              Reason::kBadReveal);
    // Moved to the prover's other chain, or numbered again, it is not what was signed.
    Update moved = sent.front();
    moved.chain_id = other.id();
    moved.effective_height = world.tip() + 1 + params.seal_delay;
    EXPECT_EQ(accept(moved), Reason::kBadSignature);
    Update renumbered = sent.back();
    renumbered.sequence = 4;
    renumbered.effective_height = world.tip() + 1 + params.seal_delay;
    EXPECT_EQ(accept(renumbered), Reason::kBadSignature);
    // Removals count in the same row.
    const Removal removal = make_removal(id, chain.id(), 3, world.tip(), chain.key()).value();
    EXPECT_EQ(world.judge(Kind::kRemoval, removal).reason, Reason::kSequence);
    EXPECT_EQ(world.judge(Kind::kRemoval,
                          make_removal(id, chain.id(), 4, world.tip(), chain.key()).value()),
              Verdict::ok());
    EXPECT_EQ(accept(sent.back()), Reason::kSequence);
    std::printf(
        "three updates replayed after each other: all refused; naive: the oldest in force\n");
}

}  // namespace
}  // namespace holdfast::test
