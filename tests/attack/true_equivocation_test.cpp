// Attack 9: a prover signs two links for one chain, height, block and anchor, and then has itself
// accused in as many forms as it, or a greedy accuser, can think of.
//
// Cost: the bond, once. Bound: the offence is named by kind, chain and height and by nothing that
// can be varied, so that swapped, re-signed and further pairs settle nothing twice. The naive
// scheme beside it names an offence by the bytes of its evidence.
#include <gtest/gtest.h>

#include <set>

#include "embedded/bond_ledger.hpp"
#include "support/court.hpp"
#include "support/ed25519_math.hpp"
#include "support/sealed_chain.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kBond = 1'000;
constexpr std::uint64_t kProver = 3;

struct Accused {
    NetworkParams params = [] {
        NetworkParams p = short_network();
        p.name = "equivocation";
        return p;
    }();
    TempFolder folder;
    std::unique_ptr<BondLedger> ledger = must(BondLedger::open(folder / "ledger", params.id()));
    RegistryWorld world{params};
    BondId bond = make_bond();
    SealedChain chain{params, 1, {16, kProver, false, Height(110), bond}};
    Court court{world};

    BondId make_bond() {
        const PublicKey owner = SealedChain::prover_key(kProver).public_key();
        must(ledger->issue(owner, kBond, IdempotencyKey(tagged_hash("test/issue"))));
        return must(ledger->create_bond(owner, kBond, BondPurpose::kStorage,
                                        IdempotencyKey(tagged_hash("test/bond"))));
    }
    /// What a court does with accepted evidence: a tenth of the bond.
    std::uint64_t settle(const Judgement& judgement, std::uint64_t attempt) {
        return must(ledger->slash_bond(chain.registration().bond_id, kBond / 10, judgement.id,
                                       IdempotencyKey(tagged_hash("test/slash", attempt))));
    }
    /// Signed again with a nonce of one's own: other bytes, as valid as the first.
    Receipt sign_again(const KnownHeight& known, const Receipt& receipt,
                       std::uint64_t nonce) const {
        Receipt out = receipt;
        const Digest d = receipt_digest(chain.network_id(), chain.id(), known.height,
                                        known.block_hash, known.anchor, receipt.link);
        out.signature = ed25519::sign(SealedChain::prover_secret(kProver), chain.key().public_key(),
                                      ed25519::Int(nonce) + 1'000, view(d));
        return out;
    }
};

TEST(AttackTrueEquivocation, IsOneOffenceHoweverItIsShown) {
    Accused a;
    enrol(a.world, {&a.chain});
    a.world.feed();
    const KnownHeight known = known_height(a.world, a.chain, a.world.tip());

    // Four links for one height: the true one and three with a cell of one's choice.
    std::vector<Receipt> receipts{a.chain.honest(known).receipt};
    for (std::uint64_t n = 0; n < 3; ++n) {
        receipts.push_back(a.chain
                               .forge(known,
                                      [&](const OpenedCell& at) {
                                          Cell cell = a.chain.cell(at);
                                          cell[0] = static_cast<std::uint8_t>(cell[0] + n + 1);
                                          return cell;
                                      })
                               .receipt);
    }
    // The registry keeps the smaller of two, in whatever order they come.
    const auto smaller = std::minmax(receipts[0].link, receipts[1].link).first;
    for (const Receipt& one : {receipts[0], receipts[1], receipts[0]}) {
        (void)submit(a.world, a.chain, one);
    }
    EXPECT_EQ(must(a.world->link(a.chain.id(), known.height))->link, smaller);

    std::set<Bytes> bodies;
    std::set<OffenceId> offences;
    std::uint64_t taken = 0;
    std::uint64_t naive_taken = 0;
    const auto accuse = [&](const Receipt& x, const Receipt& y) {
        const Evidence evidence = make_equivocation(a.chain.id(), known.block_hash, x, y);
        const Judgement judgement = a.court.judge(evidence);
        ASSERT_EQ(judgement.verdict, Verdict::ok()) << to_string(judgement.verdict);
        EXPECT_EQ(judgement.offence,
                  (Offence{EvidenceKind::kEquivocation, a.chain.id(), known.height}));
        naive_taken += bodies.insert(evidence.encode()).second ? kBond / 10 : 0;
        offences.insert(judgement.id);
        taken += a.settle(judgement, bodies.size());
    };
    for (std::size_t i = 0; i < receipts.size(); ++i) {
        for (std::size_t k = 0; k < receipts.size(); ++k) {
            if (i == k) continue;
            accuse(receipts[i], receipts[k]);  // and swapped
            accuse(a.sign_again(known, receipts[i], i), receipts[k]);
            accuse(receipts[i], a.sign_again(known, receipts[k], 10 + k));
        }
    }
    std::printf("%zu forms of evidence, %zu offence: %llu taken; naive scheme: %llu of %llu\n",
                bodies.size(), offences.size(), static_cast<unsigned long long>(taken),
                static_cast<unsigned long long>(naive_taken),
                static_cast<unsigned long long>(kBond));
    EXPECT_EQ(offences.size(), 1U);
    EXPECT_EQ(taken, kBond / 10);
    EXPECT_GT(naive_taken, kBond);
    must(a.ledger->audit());

    // The wrong order on the wire is another byte string of the same accusation: refused.
    Evidence swapped = make_equivocation(a.chain.id(), known.block_hash, receipts[0], receipts[1]);
    auto& pair = std::get<Equivocation>(swapped.body);
    std::swap(pair.smaller, pair.larger);
    EXPECT_EQ(a.court.reason(swapped), Reason::kEvidenceOrder);
    // One link signed twice is none.
    Evidence twice = swapped;
    auto& same = std::get<Equivocation>(twice.body);
    same.smaller = receipts[0];
    same.larger = a.sign_again(known, receipts[0], 99);
    EXPECT_EQ(a.court.reason(twice), Reason::kEvidenceOrder);
}

TEST(AttackTrueEquivocation, TheNextHeightIsTheNextOffence) {
    Accused a;
    enrol(a.world, {&a.chain});
    std::set<OffenceId> offences;
    std::uint64_t taken = 0;
    for (std::uint64_t n = 0; n < 3; ++n) {
        a.world.feed();
        const KnownHeight known = known_height(a.world, a.chain, a.world.tip());
        const Judgement judgement = a.court.judge(make_equivocation(
            a.chain.id(), known.block_hash, a.chain.honest(known).receipt,
            a.chain.sign(known, Link(tagged_hash("test/other link", known.height)))));
        ASSERT_EQ(judgement.verdict, Verdict::ok());
        offences.insert(judgement.id);
        taken += a.settle(judgement, n);
    }
    EXPECT_EQ(offences.size(), 3U);
    EXPECT_EQ(taken, 3 * kBond / 10);
}

}  // namespace
}  // namespace holdfast::test
