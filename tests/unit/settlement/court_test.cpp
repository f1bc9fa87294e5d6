#include "settlement/court.hpp"

#include <gtest/gtest.h>

#include "embedded/bond_ledger.hpp"
#include "support/evidence_world.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

using test::cell_tree;
using test::EvidenceWorld;
using test::key_of;

/// A court over the world's knowledge, with bonds of the prover, the evaluator and an accuser.
struct CourtWorld {
    test::TempFolder folder;
    EvidenceWorld world;
    std::unique_ptr<BondLedger> token;
    std::unique_ptr<SettlementLedger> ledger;
    PublicKey accuser = key_of("accuser").public_key();
    BondId provers;
    BondId evaluators;
    std::uint64_t keys = 0;

    CourtWorld() {
        token = std::move(*BondLedger::open(folder / "token", world.network_id));
        ledger = std::move(*SettlementLedger::open(folder / "settlement", world.network_id));
        provers = bond(world.prover.public_key(), 1'000, BondPurpose::kStorage);
        evaluators = bond(world.evaluator.public_key(), 2'000, BondPurpose::kEvaluator);
    }
    IdempotencyKey next_key() { return IdempotencyKey(tagged_hash("test/court", ++keys)); }
    BondId bond(const PublicKey& owner, std::uint64_t amount, BondPurpose purpose) {
        EXPECT_TRUE(token->issue(owner, amount, next_key()));
        return *token->create_bond(owner, amount, purpose, next_key());
    }
    BondId deposit(std::uint64_t amount = 10) {
        return bond(accuser, amount, BondPurpose::kAccusation);
    }
    Court court(EvidenceKnowledge knowledge, const CourtTerms& terms) {
        return Court(
            std::move(knowledge),
            [this](const Offence& o) -> Result<std::vector<LiableBond>> {
                if (o.kind == EvidenceKind::kBadVdfSegment ||
                    o.kind == EvidenceKind::kFalseVdfOutput ||
                    o.kind == EvidenceKind::kFalseVdfStart) {
                    return std::vector<LiableBond>{{evaluators, world.evaluator.public_key()}};
                }
                return std::vector<LiableBond>{{provers, world.prover.public_key()}};
            },
            *ledger, *token, terms);
    }
    static CourtTerms terms() {
        CourtTerms t;
        t.accusation_deposit = 10;
        return t;
    }
    Court court() { return court(world.knowledge(), terms()); }
    Ruling accuse(Court& court, const Evidence& evidence, std::optional<BondId> deposit = {}) {
        const auto ruling = court.accuse(evidence.encode(), accuser, deposit);
        EXPECT_TRUE(ruling) << ruling.error().message;
        return *ruling;
    }
    void work() { EXPECT_EQ(ledger->work(*token)->open, 0U); }
    std::uint64_t held(const BondId& bond) { return token->bond_info(bond)->held_amount; }
    std::uint64_t paid() { return *token->balance(accuser); }
    Evidence bad_segment() const {
        std::vector<Digest> d = world.checkpoints;
        d[3] = sha256(view("made up"));
        return make_bad_segment(world.vdf_proof(d), 2);
    }
};

TEST(Court, AnOffenceIsSettledOnceHoweverItIsShown) {
    CourtWorld w;
    Court court = w.court();
    const Receipt a = w.world.receipt("a");
    const Receipt b = w.world.receipt("b");
    const Receipt c = w.world.receipt("c");
    const auto evidence = [&](const Receipt& x, const Receipt& y) {
        return make_equivocation(w.world.chain_id, w.world.block_hash, x, y);
    };
    const Ruling ruling = w.accuse(court, evidence(a, b));
    EXPECT_EQ(ruling.verdict, Verdict::ok());
    EXPECT_EQ(ruling.decided, CaseId(ruling.id));
    EXPECT_EQ(w.accuse(court, evidence(b, a)).verdict, Verdict(Reason::kAlreadySettled));
    EXPECT_EQ(w.accuse(court, evidence(a, c)).verdict, Verdict(Reason::kAlreadySettled))
        << "a third link of the same height is the same offence";
    w.work();
    EXPECT_EQ(w.held(w.provers), 0U);
    EXPECT_EQ(w.paid(), 100U);
    EXPECT_EQ(w.accuse(court, evidence(b, c)).verdict, Verdict(Reason::kAlreadySettled));
    w.work();
    EXPECT_EQ(w.paid(), 100U);
}

TEST(Court, RefusedEvidenceSettlesNothing) {
    CourtWorld w;
    Court court = w.court();
    const Receipt a = w.world.receipt("a");
    const Evidence none = make_equivocation(w.world.chain_id, w.world.block_hash, a, a);
    EXPECT_EQ(w.accuse(court, none).verdict, Verdict(Reason::kEvidenceOrder));
    EXPECT_EQ(court.accuse(Bytes{1, 2, 3}, w.accuser)->verdict, Verdict(Reason::kTruncated));
    std::size_t cases = 0;
    ASSERT_TRUE(w.ledger->for_each([&](const SettlementCase&) {
        ++cases;
        return true;
    }));
    EXPECT_EQ(cases, 0U);
    EXPECT_EQ(w.held(w.provers), 1'000U);
}

TEST(Court, DearEvidenceNeedsADepositThatComesBack) {
    CourtWorld w;
    Court court = w.court();
    const Evidence evidence = w.bad_segment();
    EXPECT_EQ(w.accuse(court, evidence).verdict, Verdict(Reason::kNoBond));
    EXPECT_EQ(w.accuse(court, evidence, w.deposit(9)).verdict, Verdict(Reason::kNoBond)) << "less";
    EXPECT_EQ(w.accuse(court, evidence, w.evaluators).verdict, Verdict(Reason::kNoBond))
        << "another's";
    EXPECT_EQ(w.accuse(court, evidence, BondId{}).verdict, Verdict(Reason::kNoBond));
    EXPECT_EQ(w.world.arenas_asked, 0) << "no fill without a deposit";
    const BondId deposit = w.deposit();
    const Ruling ruling = w.accuse(court, evidence, deposit);
    EXPECT_EQ(ruling.verdict, Verdict::ok());
    EXPECT_EQ(w.world.arenas_asked, 1);
    EXPECT_EQ(w.accuse(court, evidence, w.deposit()).verdict, Verdict(Reason::kAlreadySettled));
    EXPECT_EQ(w.world.arenas_asked, 1) << "a settled offence costs no fill";
    w.work();
    EXPECT_EQ(w.held(w.evaluators), 0U);
    EXPECT_EQ(w.token->bond_info(deposit)->state, BondState::kReleased);
    EXPECT_EQ(w.paid(), 200U + 10U);
}

TEST(Court, AWrongAccusationPaysForItsFill) {
    CourtWorld w;
    Court court = w.court();
    const Evidence honest = make_bad_segment(w.world.vdf_proof(w.world.checkpoints), 2);
    const BondId deposit = w.deposit(25);
    const Ruling ruling = w.accuse(court, honest, deposit);
    EXPECT_EQ(ruling.verdict, Verdict(Reason::kNoOffence));
    ASSERT_TRUE(ruling.decided);
    w.work();
    EXPECT_EQ(w.held(deposit), 15U);
    EXPECT_EQ(w.held(w.evaluators), 2'000U);
    EXPECT_EQ(w.accuse(court, honest, deposit).verdict, Verdict(Reason::kAlreadySettled))
        << "the same accusation again costs no second fill";
    EXPECT_EQ(w.world.arenas_asked, 1);
    const Evidence cell = w.world.accuse_cell(3);
    EXPECT_EQ(w.accuse(court, cell, deposit).verdict, Verdict(Reason::kNoOffence));
    w.work();
    EXPECT_EQ(w.held(deposit), 5U);
    EXPECT_EQ(w.accuse(court, w.world.accuse_cell(4), deposit).verdict, Verdict(Reason::kNoBond));
}

TEST(Court, AStoppedFillKeepsTheAccusation) {
    CourtWorld w;
    w.world.registration =
        w.world.make_registration([](Bytes& sealed) { sealed[70 * kCellBytes + 3] ^= 1; });
    EvidenceKnowledge stopped = w.world.knowledge();
    stopped.fill.stop = [] { return true; };
    CourtTerms terms = CourtWorld::terms();
    terms.waiting_accusations = 1;
    Court slow = w.court(stopped, terms);
    const BondId deposit = w.deposit();
    const auto interrupted = slow.accuse(w.world.accuse_cell(70).encode(), w.accuser, deposit);
    ASSERT_FALSE(interrupted);
    EXPECT_EQ(interrupted.error().code, ErrorCode::kInterrupted);
    EXPECT_EQ(w.accuse(slow, w.world.accuse_cell(71), w.deposit()).verdict, Verdict(Reason::kBusy));
    w.work();
    EXPECT_EQ(w.held(deposit), 10U) << "neither taken nor given back before the judgement";

    w.ledger.reset();
    w.ledger = std::move(*SettlementLedger::open(w.folder / "settlement", w.world.network_id));
    Court court = w.court();
    const auto rulings = court.resume();
    ASSERT_TRUE(rulings) << rulings.error().message;
    ASSERT_EQ(rulings->size(), 1U);
    EXPECT_EQ(rulings->front().verdict, Verdict::ok());
    w.work();
    EXPECT_EQ(w.token->bond_info(deposit)->state, BondState::kReleased);
    EXPECT_TRUE(court.resume()->empty());
}

TEST(Court, ABondOfSomebodyElseIsNotTouched) {
    CourtWorld w;
    // The offender names the bond of another in a registration that it signs itself.
    const BondId victim = w.bond(key_of("victim").public_key(), 500, BondPurpose::kStorage);
    w.world.registration =
        w.world.make_registration([](Bytes& sealed) { sealed[70 * kCellBytes + 3] ^= 1; });
    w.world.registration.bond_id = victim;
    w.world.registration =
        sign_registration(w.world.network_id, w.world.registration, w.world.prover);
    Court court = w.court();
    const Ruling ruling = w.accuse(court, w.world.accuse_cell(70), w.deposit());
    EXPECT_EQ(ruling.verdict, Verdict::ok());
    w.work();
    EXPECT_EQ(w.held(victim), 500U);
    EXPECT_EQ(w.paid(), 10U) << "the deposit, and no share of nothing";
}

TEST(Court, TheBondsThatEvidenceNames) {
    const EvidenceWorld& w = test::evidence_world();
    const auto checkpoint = [&](std::string_view global, std::string_view bond) {
        return make_checkpoint(w.network_id, w.height, w.block_hash,
                               GlobalDigest(sha256(view(global))), 7, BondId(sha256(view(bond))),
                               w.evaluator);
    };
    const PublicKey owner = w.evaluator.public_key();
    EXPECT_EQ(
        bonds_in_evidence(make_checkpoint_conflict(checkpoint("a", "1"), checkpoint("b", "1"))),
        (std::vector<LiableBond>{{BondId(sha256(view("1"))), owner}}));
    EXPECT_EQ(
        bonds_in_evidence(make_checkpoint_conflict(checkpoint("a", "1"), checkpoint("b", "2")))
            .size(),
        2U);
    EXPECT_TRUE(bonds_in_evidence(make_bad_segment(w.vdf_proof(w.checkpoints), 0)).empty());
}

}  // namespace
}  // namespace holdfast
