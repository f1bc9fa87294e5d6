// Attack 11: a prover that lacks part of its replica commits wrong cells and hopes that nobody
// looks, or that a refusal is all that it gets.
//
// Cost: the bond. Bound: whoever holds a refused compact or full proof and has the true cell from
// any copy of the replica makes evidence of kind 2 out of them: the receipt signs O, o_j stands
// under O, and it is not the opening of the cell that the prover registered. The naive scheme
// beside it signs no opening root and can only refuse what it was shown.
#include <gtest/gtest.h>

#include "embedded/bond_ledger.hpp"
#include "support/court.hpp"
#include "support/sealed_chain.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kLacking = 64;  // of 256 chunks
constexpr std::uint64_t kBond = 1'000'000;

bool lacks(const OpenedCell& at) { return at.chunk.value < kLacking; }

/// Naive: the receipt holds, and the cell shown beside it is not the registered one. Nothing says
/// that the prover chose that cell.
bool naive_guilty(const SealedChain& chain, const KnownHeight& known, const Receipt& receipt,
                  const OpenedCell& where, const Cell& shown) {
    return verify_receipt(chain.network_id(), chain.known(), known, receipt).accepted() &&
           leaf_hash(view(shown)) != chain.tree().level(0)[where.index().value];
}

struct Garbage {
    NetworkParams params = [] {
        NetworkParams p = short_network();
        p.name = "bad opening";
        p.block_ms = 52'000;
        p.misses_late = p.misses_expired = 100'000;  // it goes on for the sake of counting
        return p;
    }();
    TempFolder folder;
    std::unique_ptr<BondLedger> ledger = must(BondLedger::open(folder / "ledger", params.id()));
    RegistryWorld world{params};
    SealedChain chain{params, 1, {256, 0, true, Height(110), make_bond()}};
    Court court{world};

    BondId make_bond() {
        const PublicKey owner = SealedChain::prover_key(0).public_key();
        must(ledger->issue(owner, kBond, IdempotencyKey(tagged_hash("test/issue"))));
        return must(ledger->create_bond(owner, kBond, BondPurpose::kStorage,
                                        IdempotencyKey(tagged_hash("test/bond"))));
    }
    /// Garbage where it lacks the chunk, the true cell elsewhere.
    [[nodiscard]] SignedLink lie(const KnownHeight& known) const {
        return chain.forge(known, [&](const OpenedCell& at) {
            Cell cell = chain.cell(at);
            if (lacks(at)) cell[0] = static_cast<std::uint8_t>(cell[0] ^ 0xff);
            return cell;
        });
    }
    [[nodiscard]] Checked<Evidence> accuse(const KnownHeight& known, const AnyProof& shown,
                                           std::uint8_t j, const OpenedCell& where) const {
        return make_false_opening(chain.network_id(), chain.known(), known, shown, j,
                                  chain.cell(where), chain.tree().path(where.index().value));
    }
};

TEST(AttackBadOpening, EveryRefusedCompactProofIsEvidence) {
    Garbage g;
    enrol(g.world, {&g.chain});
    std::map<Height, SignedLink> waiting;
    KnownChain follower = g.chain.known();  // of a light client that sees every height
    std::set<OffenceId> offences;
    std::size_t refused = 0;
    std::size_t held = 0;
    std::size_t naive_caught = 0;
    std::uint64_t taken = 0;
    const std::uint64_t draw_lag = g.params.closing_blocks() + g.params.finality_blocks;
    for (std::uint64_t n = 0; n < 60; ++n) {
        g.world.feed();
        const KnownHeight now = known_height(g.world, g.chain, g.world.tip());
        waiting.emplace(g.world.tip(), g.lie(now));
        ASSERT_EQ(submit(g.world, g.chain, waiting.at(g.world.tip()).receipt), Verdict::ok());
        const auto due = waiting.find(g.world.tip() - draw_lag);
        if (due == waiting.end()) continue;
        const SignedLink& link = due->second;
        const KnownHeight known = known_height(g.world, g.chain, due->first);
        const Compact shown =
            g.chain.compact(link, must(g.world->path(g.chain.id(), due->first)), *known.y_compact);
        const std::uint8_t j = opening_shown(g.chain.network_id(), g.chain.known(), known).value();
        const OpenedCell where = link.opening.where[j];
        const Verdict v = verify_compact(g.params, g.chain.network_id(), follower, known, shown);
        note_reveal(follower, due->first, shown.reveal);
        const Checked<Evidence> evidence = g.accuse(known, shown, j, where);
        if (!lacks(where)) {
            EXPECT_EQ(v, Verdict::ok());
            EXPECT_EQ(evidence.error().reason, Reason::kNoOffence);
            ++held;
            continue;
        }
        EXPECT_EQ(v, Verdict(Reason::kSealedMismatch));
        ++refused;
        ASSERT_TRUE(evidence) << to_string(evidence.error());
        const Judgement judgement = g.court.judge(*evidence);
        EXPECT_EQ(judgement.verdict, Verdict::ok()) << to_string(judgement.verdict);
        EXPECT_EQ(judgement.offence,
                  (Offence{EvidenceKind::kBadOpening, g.chain.id(), due->first}));
        offences.insert(judgement.id);
        for (const std::uint64_t again : {0, 1}) {  // paid once, however often it is settled
            const std::uint64_t got =
                must(g.ledger->slash_bond(g.chain.registration().bond_id, kBond / 100, judgement.id,
                                          IdempotencyKey(tagged_hash("test/slash", due->first))));
            if (again == 0) taken += got;
        }
        naive_caught += naive_guilty(g.chain, known, shown.receipt, where, shown.cell) ? 1 : 0;
    }
    std::printf("%zu refused compact proofs: %zu offences, %llu of %llu taken; %zu openings held\n",
                refused, offences.size(), static_cast<unsigned long long>(taken),
                static_cast<unsigned long long>(kBond), held);
    EXPECT_GT(refused, 5U);
    EXPECT_GT(held, 20U);
    EXPECT_EQ(offences.size(), refused);
    EXPECT_EQ(naive_caught, refused);
    EXPECT_EQ(taken, refused * (kBond / 100));
    must(g.ledger->audit());
}

TEST(AttackBadOpening, AFullProofAccusesEachOfItsWrongCellsAndNoOther) {
    Garbage g;
    enrol(g.world, {&g.chain});
    g.world.feed();
    const KnownHeight known = known_height(g.world, g.chain, g.world.tip());
    const SignedLink link = g.lie(known);
    const AnyProof shown = to_full(link);
    std::set<OffenceId> offences;
    std::size_t wrong = 0;
    for (std::uint8_t j = 0; j < kChunksPerLink; ++j) {
        const OpenedCell where = link.opening.where[j];
        const Checked<Evidence> evidence = g.accuse(known, shown, j, where);
        EXPECT_EQ(evidence.has_value(), lacks(where));
        if (!evidence) {
            EXPECT_EQ(evidence.error().reason, Reason::kNoOffence);
            continue;
        }
        ++wrong;
        const Judgement judgement = g.court.judge(*evidence);
        EXPECT_EQ(judgement.verdict, Verdict::ok());
        offences.insert(judgement.id);
    }
    EXPECT_GT(wrong, 0U);
    EXPECT_EQ(offences.size(), 1U) << "one height, one offence, however many cells are wrong";
}

TEST(AttackBadOpening, WhatTheProverDidNotCommitToIsNoEvidence) {
    Garbage g;
    enrol(g.world, {&g.chain});
    g.world.feed();
    const KnownHeight known = known_height(g.world, g.chain, g.world.tip());
    const SignedLink honest = g.chain.honest(known);
    const OpenedCell where = honest.opening.where[3];
    // Somebody on the way replaces a cell: the link no longer follows from what is shown.
    Full tampered = to_full(honest);
    tampered.cells[5][0] ^= 1;
    EXPECT_EQ(g.accuse(known, tampered, 3, where).error().reason, Reason::kBadLink);
    const OpenedCell garbled = honest.opening.where[ascending_order(honest.opening.where)[5]];
    EXPECT_TRUE(naive_guilty(g.chain, known, honest.receipt, garbled, tampered.cells[5]))
        << "the naive scheme convicts the honest as readily";
    Full reveal = to_full(honest);
    reveal.reveal[0] ^= 1;
    EXPECT_EQ(g.accuse(known, reveal, 3, where).error().reason, Reason::kBadLink);
    // An accuser brings another cell than the registered one.
    const OpenedCell other = honest.opening.where[4];
    const auto foreign = g.accuse(known, to_full(honest), 3, other);
    ASSERT_TRUE(foreign);
    EXPECT_EQ(g.court.reason(*foreign), Reason::kSealedMismatch);

    EXPECT_EQ(g.accuse(known, to_full(honest), 16, where).error().reason, Reason::kBadIndex);
    Full elsewhere = to_full(honest);
    elsewhere.chain_id[0] ^= 1;
    EXPECT_EQ(g.accuse(known, elsewhere, 3, where).error().reason, Reason::kWrongChain);
    KnownHeight later = known;
    later.height = later.height + 1;
    EXPECT_EQ(g.accuse(later, to_full(honest), 3, where).error().reason, Reason::kWrongHeight);
    KnownHeight without = known;
    without.y.reset();
    EXPECT_EQ(g.accuse(without, to_full(honest), 3, where).error().reason, Reason::kNoEntropy);
    EXPECT_EQ(
        g.accuse(known, Compact{honest.receipt, g.chain.id(), {}, {}, {}, {}, {}, {}, {}}, 3, where)
            .error()
            .reason,
        Reason::kNoEntropy)
        << "y_c is not known yet";
}

}  // namespace
}  // namespace holdfast::test
