// Attack 10: an accuser shows a full proof of its own making, or any opening that it likes, against
// an honest prover's receipt.
//
// Cost: nothing. Bound: evidence of kind 2 must hash to the link that was signed, its opening must
// lie under the O of that link, and its cell under the registered root; whatever passes all three
// is what the prover itself committed to. The naive scheme beside it takes a full proof that fails
// under a signed receipt for proof of guilt.
#include <gtest/gtest.h>

#include "support/court.hpp"
#include "support/sealed_chain.hpp"

namespace holdfast::test {
namespace {

/// Naive: the receipt is signed and what came with it does not hold.
bool naive_guilty(const NetworkParams& params, const SealedChain& chain, const KnownHeight& known,
                  const Full& shown) {
    return verify_receipt(chain.network_id(), chain.known(), known, shown.receipt).accepted() &&
           !verify_full(params, chain.network_id(), chain.known(), known, shown).accepted();
}

struct Framed {
    NetworkParams params = [] {
        NetworkParams p = short_network();
        p.name = "framed";
        return p;
    }();
    RegistryWorld world{params};
    SealedChain chain{params, 1, {64, 1, true, Height(110), {}}};
    Court court{world};
    KnownHeight known;
    SignedLink link;

    Framed() {
        enrol(world, {&chain});
        world.feed();
        known = known_height(world, chain, world.tip());
        link = chain.honest(known);
        EXPECT_EQ(submit(world, chain, link.receipt), Verdict::ok());
    }
    [[nodiscard]] std::vector<Digest> cell_path(std::uint8_t j) const {
        return chain.tree().path(link.opening.where[j].index().value);
    }
    /// Evidence from the true openings, for the accuser to change.
    [[nodiscard]] FalseOpening opening(std::uint8_t j) const {
        return std::get<FalseOpening>(make_false_opening(claim_of(link), link.opening.openings, j,
                                                         link.opening.cells[j], cell_path(j))
                                          .body);
    }
};

TEST(AttackFrameBadLink, ARandomFullProofFramesOnlyInTheNaiveScheme) {
    Framed f;
    std::size_t naive = 0;
    constexpr std::size_t kTries = 50;
    for (std::uint64_t n = 0; n < kTries; ++n) {
        Full shown = to_full(f.link);
        for (std::size_t i = 0; i < shown.cells.size(); ++i) {
            const Digest d = tagged_hash("test/random cell", n, std::uint64_t{i});
            std::copy(d.begin(), d.end(), shown.cells[i].bytes.begin());
        }
        naive += naive_guilty(f.params, f.chain, f.known, shown);
        EXPECT_EQ(verify_full(f.params, f.chain.network_id(), f.chain.known(), f.known, shown),
                  Verdict(Reason::kSealedMismatch));
        // As evidence: the openings of those cells, under any O, against the receipt.
        std::array<Digest, kChunksPerLink> openings;
        for (std::size_t j = 0; j < openings.size(); ++j) {
            openings[j] = opening_hash(f.link.opening.e, f.link.opening.where[j], shown.cells[j]);
        }
        LinkClaim claim = claim_of(f.link);
        claim.openings = opening_root(openings);
        const auto j = static_cast<std::uint8_t>(n % kChunksPerLink);
        EXPECT_EQ(f.court.reason(make_false_opening(claim, openings, j, f.link.opening.cells[j],
                                                    f.cell_path(j))),
                  Reason::kBadLink);
    }
    std::printf("random full proofs: naive scheme %zu of %zu guilty; here 0\n", naive, kTries);
    EXPECT_EQ(naive, kTries);
}

TEST(AttackFrameBadLink, EveryPartThatTheAccuserMayChooseIsBound) {
    const Framed f;
    struct Row {
        const char* what;
        std::function<void(FalseOpening&)> change;
        Reason reason;
    };
    const Row rows[] = {
        {"nothing", [](FalseOpening&) {}, Reason::kNoOffence},
        {"link_before", [](FalseOpening& e) { e.claim.link_before[0] ^= 1; }, Reason::kBadLink},
        {"E", [](FalseOpening& e) { e.claim.e[0] ^= 1; }, Reason::kBadLink},
        {"O", [](FalseOpening& e) { e.claim.openings[0] ^= 1; }, Reason::kBadLink},
        {"link", [](FalseOpening& e) { std::get<Receipt>(e.claim.statement).link[0] ^= 1; },
         Reason::kBadLink},
        {"anchor", [](FalseOpening& e) { std::get<Receipt>(e.claim.statement).anchor[0] ^= 1; },
         Reason::kBadLink},
        {"block", [](FalseOpening& e) { e.claim.block_hash[0] ^= 1; }, Reason::kWrongBlock},
        {"chain", [](FalseOpening& e) { e.claim.chain_id[0] ^= 1; }, Reason::kUnknownChain},
        {"signature",
         [](FalseOpening& e) { std::get<Receipt>(e.claim.statement).signature[0] ^= 1; },
         Reason::kBadSignature},
        {"opening", [](FalseOpening& e) { e.opening[0] ^= 1; }, Reason::kBadOpening},
        {"path of the opening", [](FalseOpening& e) { e.opening_path[2][0] ^= 1; },
         Reason::kBadOpening},
        {"another j", [](FalseOpening& e) { e.j ^= 1; }, Reason::kBadOpening},
        {"cell", [](FalseOpening& e) { e.cell[0] ^= 1; }, Reason::kSealedMismatch},
        {"path of the cell", [](FalseOpening& e) { e.cell_path[3][0] ^= 1; },
         Reason::kSealedMismatch},
    };
    for (const Row& row : rows) {
        for (const std::uint8_t j : {std::uint8_t{0}, std::uint8_t{7}, std::uint8_t{15}}) {
            FalseOpening evidence = f.opening(j);
            row.change(evidence);
            EXPECT_EQ(f.court.reason({evidence}), row.reason) << row.what;
        }
    }
    // A true cell of another place, with its true path.
    FalseOpening elsewhere = f.opening(0);
    elsewhere.cell = f.link.opening.cells[1];
    elsewhere.cell_path = f.cell_path(1);
    EXPECT_EQ(f.court.reason({elsewhere}), Reason::kSealedMismatch);
}

TEST(AttackFrameBadLink, NoRevealButTheCommittedOneMakesEFalse) {
    const Framed f;
    const LinkClaim claim = claim_of(f.link);
    EXPECT_EQ(f.court.reason(make_false_entropy(claim, f.link.opening.facts.reveal)),
              Reason::kNoOffence);
    for (const Height h : {Height(112), Height(113), f.known.height + 1}) {
        EXPECT_EQ(f.court.reason(make_false_entropy(claim, f.chain.reveal(h))), Reason::kBadReveal);
    }
    EXPECT_EQ(f.court.reason(make_false_entropy(claim, Reveal{})), Reason::kBadReveal);
    EXPECT_EQ(
        f.court.reason(make_false_entropy(claim, Reveal(tagged_hash("test/invented reveal")))),
        Reason::kBadReveal);
}

}  // namespace
}  // namespace holdfast::test
