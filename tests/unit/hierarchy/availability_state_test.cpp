// Challengers, their challenges and what came of them (spec 15.7 and 15.8): every refusal by its
// reason, and what follows from what was taken.
#include <algorithm>

#include "support/challenger_world.hpp"

namespace holdfast::test {
namespace {

std::vector<PublicKey> keys_of(const std::vector<ChallengerPart>& parts) {
    std::vector<PublicKey> out;
    for (const ChallengerPart& p : parts) out.push_back(p.key);
    return out;
}

/// One challenger in force from height 8 on, and one prover.
struct OnePair {
    explicit OnePair(NetworkParams p = challenger_network(), bool restarts = false)
        : w(std::move(p), restarts), challenger(w.network_id, 1, Height(8)) {
        w.add_chain(prover);
        w.blocks_until(Height(2));
        EXPECT_TRUE(w.join(challenger, 10'000));
        w.blocks_until(Height(12));
    }
    Challenge2 asked(Height h) { return w.challenge(challenger, prover, h); }
    Verdict ask(Height h) { return w.take(asked(h)); }
    Verdict say(Height h, OutcomeKind kind) {
        return w.take(w.outcome(challenger, prover, h, kind));
    }
    ChallengerWorld w;
    TestProver prover{1};
    TestChallenger challenger;
};

// --- challengers ---------------------------------------------------------------------------------

TEST(Challengers, BeginAtTheirBaseWithAllThatIsFreeInTheirBond) {
    ChallengerWorld w;
    TestChallenger c(w.network_id, 1, Height(8));
    w.blocks_until(Height(2));
    EXPECT_EQ(w.join(c, 1'234), Verdict());
    EXPECT_EQ(w.part(c), 1'234U);
    w.blocks_until(Height(9));
    EXPECT_TRUE(w.in_force(Height(7)).empty());
    EXPECT_EQ(w.in_force(Height(8)), (std::vector<ChallengerPart>{{c.key.public_key(), 1'234}}));
}

TEST(Challengers, AreRefusedByReason) {
    ChallengerWorld w;
    const TestChallenger c(w.network_id, 1, Height(20));
    const auto bond = [&](const BondId& id, const PublicKey& owner, std::uint64_t amount,
                          BondPurpose purpose) {
        return BondEvent::created(id, owner, amount, purpose);
    };
    const PublicKey& own = c.key.public_key();
    w.blocks_until(Height(2));
    Challenger listed = c.registration(w.network_id);
    // No bond; another's; of another purpose; too small.
    EXPECT_EQ(w.block({}, {listed}).at(0), Verdict(Reason::kNoBond));
    const PublicKey other = TestChallenger(w.network_id, 9, Height(8)).key.public_key();
    TestChallenger by_other(w.network_id, 1, Height(20));
    by_other.bond = BondId(numbered("of another", 0));
    EXPECT_EQ(w.block({bond(by_other.bond, other, 5'000, BondPurpose::kChallenger)},
                      {by_other.registration(w.network_id)})
                  .at(0),
              Verdict(Reason::kNoBond));
    TestChallenger by_storage(w.network_id, 1, Height(20));
    by_storage.bond = BondId(numbered("for storage", 0));
    EXPECT_EQ(w.block({bond(by_storage.bond, own, 5'000, BondPurpose::kStorage)},
                      {by_storage.registration(w.network_id)})
                  .at(0),
              Verdict(Reason::kNoBond));
    TestChallenger small(w.network_id, 1, Height(20));
    small.bond = BondId(numbered("small", 0));
    EXPECT_EQ(w.block({bond(small.bond, own, 999, BondPurpose::kChallenger)},
                      {small.registration(w.network_id)})
                  .at(0),
              Verdict(Reason::kBondTaken));
    // Another's signature.
    Challenger forged = listed;
    forged.signature.bytes[0] ^= 1;
    EXPECT_EQ(w.block({bond(c.bond, own, 5'000, BondPurpose::kChallenger)}, {forged}).at(0),
              Verdict(Reason::kBadSignature));
    // Too near.
    const TestChallenger near(w.network_id, 1, w.tip() + w.params.seal_delay);
    EXPECT_EQ(w.block({}, {near.registration(w.network_id)}).at(0), Verdict(Reason::kTooEarly));
    // Right; and one more of the key before it has begun.
    EXPECT_EQ(w.block({}, {listed}).at(0), Verdict());
    const TestChallenger second(w.network_id, 1, Height(30));
    EXPECT_EQ(w.block({}, {second.registration(w.network_id)}).at(0), Verdict(Reason::kTooEarly));
    w.blocks_until(Height(20));
    // Not above the base in force, however late.
    EXPECT_EQ(w.block({}, {listed}).at(0), Verdict(Reason::kTooEarly));
    // A part in another bond.
    TestChallenger elsewhere(w.network_id, 1, Height(40));
    elsewhere.bond = BondId(numbered("elsewhere", 0));
    EXPECT_EQ(w.block({bond(elsewhere.bond, own, 5'000, BondPurpose::kChallenger)},
                      {elsewhere.registration(w.network_id)})
                  .at(0),
              Verdict(Reason::kBondTaken));
    EXPECT_EQ(w.part(c), 5'000U);
}

TEST(Challengers, AreAtMostSoManyAndThoseWithTheLargestParts) {
    ChallengerWorld w;
    w.blocks_until(Height(2));
    std::vector<TestChallenger> all;
    std::vector<BondEvent> bonds;
    std::vector<Challenger> listed;
    for (std::uint64_t n = 0; n < 6; ++n) {
        const TestChallenger& c = all.emplace_back(w.network_id, n, Height(8));
        bonds.push_back(BondEvent::created(c.bond, c.key.public_key(), 1'000 + n % 5,
                                           BondPurpose::kChallenger));
        listed.push_back(c.registration(w.network_id));
    }
    for (const Verdict& v : w.block(bonds, listed)) EXPECT_EQ(v, Verdict());
    w.blocks_until(Height(8));
    // 1,004, 1,003, 1,002 and 1,001; of the two with 1,000 neither.
    std::vector<PublicKey> wanted;
    for (const std::uint64_t n : {1, 2, 3, 4}) wanted.push_back(all[n].key.public_key());
    std::sort(wanted.begin(), wanted.end());
    EXPECT_EQ(keys_of(w.in_force(Height(8))), wanted);
    // One of the four leaves: of the two that are equal the smaller key comes in.
    w.leave(all[4], Height(10));
    w.blocks_until(Height(10));
    std::erase(wanted, all[4].key.public_key());
    wanted.push_back(std::min(all[0].key.public_key(), all[5].key.public_key()));
    std::sort(wanted.begin(), wanted.end());
    EXPECT_EQ(keys_of(w.in_force(Height(10))), wanted);
    EXPECT_EQ(w.in_force(Height(9)).size(), 4U);
    EXPECT_NE(keys_of(w.in_force(Height(9))), wanted) << "the set of a height stays";
}

TEST(Challengers, LapseWithoutAnOutcomeThatCounts) {
    OnePair p;
    EXPECT_EQ(p.ask(Height(10)), Verdict());
    EXPECT_EQ(p.say(Height(10), OutcomeKind::kUnreachable), Verdict());
    p.w.blocks_until(Height(31));
    EXPECT_EQ(p.w.in_force(Height(30)).size(), 1U) << "its newest is of height 10";
    EXPECT_TRUE(p.w.in_force(Height(31)).empty());
    EXPECT_EQ(p.w.part(p.challenger), 10'000U) << "the part stays";
    // Back with a later base, in the same bond.
    p.challenger.begin_at(p.w.network_id, Height(40));
    EXPECT_EQ(p.w.block({}, {p.challenger.registration(p.w.network_id)}).at(0), Verdict());
    p.w.blocks_until(Height(40));
    EXPECT_TRUE(p.w.in_force(Height(39)).empty());
    EXPECT_EQ(p.w.in_force(Height(40)).size(), 1U);
}

TEST(Challengers, LeaveAndAreForgottenWhenNoOutcomeOfTheirsCanCome) {
    OnePair p;
    p.w.leave(p.challenger, Height(16));
    p.w.blocks_until(Height(16));
    EXPECT_EQ(p.w.in_force(Height(15)).size(), 1U);
    EXPECT_TRUE(p.w.in_force(Height(16)).empty());
    // Height 15 is still theirs.
    p.w.blocks_until(Height(17));
    EXPECT_EQ(p.ask(Height(15)), Verdict());
    EXPECT_EQ(p.say(Height(15), OutcomeKind::kServed), Verdict());
    EXPECT_EQ(p.ask(Height(16)), Verdict(Reason::kTooEarly));
    p.w.blocks_until(Height(18));
    EXPECT_EQ(p.ask(Height(16)), Verdict(Reason::kNotAssigned));
    p.w.blocks_until(Height(60));
    EXPECT_EQ(p.w.records(Table::kChallengers), 0U);
    EXPECT_EQ(p.w.records(Table::kRanks), 0U);
    EXPECT_EQ(p.w.records(Table::kChallengerDue), 0U);
}

TEST(Challengers, MayBeginAnewAndStillSpeakOfHeightsBefore) {
    OnePair p;
    TestChallenger before(p.w.network_id, 1, Height(8));
    p.challenger.begin_at(p.w.network_id, Height(18));
    EXPECT_EQ(p.w.block({}, {p.challenger.registration(p.w.network_id)}).at(0), Verdict());
    p.w.blocks_until(Height(20));
    EXPECT_EQ(p.w.take(p.w.challenge(before, p.prover, Height(17))), Verdict());
    EXPECT_EQ(p.w.take(p.w.outcome(before, p.prover, Height(17), OutcomeKind::kServed)), Verdict());
    EXPECT_EQ(p.ask(Height(18)), Verdict());
    EXPECT_EQ(p.say(Height(18), OutcomeKind::kServed), Verdict());
}

// --- challenges ----------------------------------------------------------------------------------

TEST(ChallengesOfTheJournal, AreRefusedByReason) {
    OnePair p;
    const Height h(10);
    const NetworkId& id = p.w.network_id;
    const auto remade = [&](const auto& change) {
        Challenge2 c = p.asked(h);
        change(c);
        c.signature = p.challenger.key.sign(view(c.id(id))).value();
        return p.w.take(c);
    };
    Challenge2 forged = p.asked(h);
    forged.signature.bytes[3] ^= 1;
    EXPECT_EQ(p.w.take(forged), Verdict(Reason::kBadSignature));
    EXPECT_EQ(p.ask(Height(11)), Verdict(Reason::kTooEarly));
    EXPECT_EQ(remade([](Challenge2& c) { c.chain_id = ChainId(numbered("nobody's", 0)); }),
              Verdict(Reason::kUnknownChain));
    EXPECT_EQ(remade([](Challenge2& c) { c.block_hash = BlockHash(numbered("b", 11)); }),
              Verdict(Reason::kWrongBlock));
    EXPECT_EQ(remade([](Challenge2& c) { c.y = VdfOutput(numbered("false", 10)); }),
              Verdict(Reason::kWrongOutput));
    const TestChallenger stranger(id, 7, Height(8));
    EXPECT_EQ(p.w.take(p.w.challenge(stranger, p.prover, h)), Verdict(Reason::kNotAssigned));
    EXPECT_EQ(p.ask(h), Verdict());
    EXPECT_EQ(p.ask(h), Verdict(Reason::kDuplicateChallenge));
    p.w.blocks_until(Height(19));
    EXPECT_EQ(p.ask(Height(9)), Verdict()) << "the last tip that is not too late";
    p.w.blocks_until(Height(20));
    EXPECT_EQ(remade([](Challenge2& c) { c.height = Height(9); }), Verdict(Reason::kTooLate));
}

TEST(ChallengesOfTheJournal, NeedAHeightWithYAndADrawThatHits) {
    NetworkParams rare = challenger_network();
    rare.availability_n = 1;
    rare.availability_d = 1'000'000'000;
    OnePair p(rare);
    EXPECT_EQ(p.ask(Height(10)), Verdict(Reason::kNotDrawn));
    p.w.block({}, {}, false);  // 13 stays without y
    p.w.blocks_until(Height(16));
    EXPECT_EQ(p.ask(Height(13)), Verdict(Reason::kNoEntropy));
}

TEST(ChallengesOfTheJournal, AreForgottenWhenNoOutcomeCanCome) {
    OnePair p;
    EXPECT_EQ(p.ask(Height(10)), Verdict());
    p.w.blocks_until(Height(20));
    EXPECT_EQ(p.w.records(Table::kChallenges), 1U);
    p.w.blocks_until(Height(21));
    EXPECT_EQ(p.w.records(Table::kChallenges), 0U);
    EXPECT_EQ(p.w.records(Table::kChallengeIds), 0U);
    EXPECT_EQ(p.w.in_force(p.w.tip()).size(), 1U);
    EXPECT_EQ(p.say(Height(10), OutcomeKind::kServed), Verdict(Reason::kWrongChallenge));
}

// --- outcomes ------------------------------------------------------------------------------------

TEST(OutcomesOfTheJournal, AreRefusedByReason) {
    OnePair p;
    const Height h(10);
    const auto remade = [&](const auto& change) {
        Outcome2 o = p.w.outcome(p.challenger, p.prover, h, OutcomeKind::kServed);
        change(o);
        o.signature = p.challenger.key.sign(view(o.digest())).value();
        return p.w.take(o);
    };
    EXPECT_EQ(p.say(h, OutcomeKind::kServed), Verdict(Reason::kWrongChallenge));
    ASSERT_EQ(p.ask(h), Verdict());
    EXPECT_EQ(remade([](Outcome2& o) { o.reveal = Reveal(numbered("r", 0)); }),
              Verdict(Reason::kBadNonce));
    // Without the prover's own signature nothing was served.
    EXPECT_EQ(remade([](Outcome2& o) { o.response_signature = {}; }),
              Verdict(Reason::kBadSignature));
    EXPECT_EQ(remade([](Outcome2& o) { o.response_hash = numbered("other", 0); }),
              Verdict(Reason::kBadSignature));
    Outcome2 forged = p.w.outcome(p.challenger, p.prover, h, OutcomeKind::kLate);
    forged.signature.bytes[1] ^= 1;
    EXPECT_EQ(p.w.take(forged), Verdict(Reason::kBadSignature));
    EXPECT_EQ(p.say(h, OutcomeKind::kLate), Verdict());
    EXPECT_EQ(p.say(h, OutcomeKind::kServed), Verdict(Reason::kAlreadySettled));
}

TEST(OutcomesOfTheJournal, NeedARevealOfTheRegistrationThatWasInForce) {
    ChallengerWorld w;
    TestProver prover(1);
    w.add_chain(prover);
    // A key that commits to one chain of reveals and shows another.
    TestChallenger c(w.network_id, 1, Height(8));
    const Challenger listed = c.registration(w.network_id);
    c.begin_at(w.network_id, Height(8), 65);
    w.blocks_until(Height(2));
    const auto bond =
        BondEvent::created(c.bond, c.key.public_key(), 5'000, BondPurpose::kChallenger);
    ASSERT_EQ(w.block({bond}, {listed}).at(0), Verdict());
    w.blocks_until(Height(12));
    ASSERT_EQ(w.take(w.challenge(c, prover, Height(10))), Verdict());
    EXPECT_EQ(w.take(w.outcome(c, prover, Height(10), OutcomeKind::kServed)),
              Verdict(Reason::kBadReveal));
}

TEST(OutcomesOfTheJournal, ArePaidOnceToBothOnlyWhenServed) {
    OnePair p;
    ASSERT_EQ(p.ask(Height(10)), Verdict());
    ASSERT_EQ(p.say(Height(10), OutcomeKind::kUnreachable), Verdict());
    EXPECT_TRUE(p.w.decisions().empty()) << "it waits for a later y";
    p.w.blocks_until(Height(14));
    const auto decisions = p.w.decisions();
    ASSERT_EQ(decisions.size(), 1U);
    EXPECT_EQ(decisions[0].kind, CaseKind::kOutcome);
    ASSERT_EQ(decisions[0].steps.size(), 1U);
    EXPECT_EQ(decisions[0].steps[0],
              DecidedStep::pay(DecidedStep::Kind::kPayChallenger, p.challenger.key.public_key()));
    p.w.blocks_until(Height(40));
    EXPECT_EQ(p.w.decisions().size(), 1U);
    EXPECT_EQ(p.w.records(Table::kUnpaid), 0U);
}

/// Serves every height from 10 on; audits are answered or not. What was decided.
struct Audits {
    explicit Audits(bool answered) : p(without_lapse()) {
        for (Height h(10); h < Height(70); ++h) {
            EXPECT_EQ(p.ask(h), Verdict());
            EXPECT_EQ(p.say(h, OutcomeKind::kServed), Verdict());
            p.w.block();
            if (answered) answer_all();
        }
        p.w.blocks_until(Height(100));
        for (const Decision& d : p.w.decisions()) {
            (d.steps[0].kind == DecidedStep::Kind::kSlash ? forfeits : payments) += 1;
        }
    }
    void answer_all() {
        for (Height h(10); h < p.w.tip(); ++h) {
            const Response r = p.prover.respond(p.w.params, p.w.network_id, p.asked(h));
            answers += p.w.take(r).accepted() ? 1 : 0;
        }
    }
    static NetworkParams without_lapse() {
        NetworkParams n = challenger_network();
        n.quorum_window = 100;
        return n;
    }
    OnePair p;
    std::uint64_t forfeits = 0;
    std::uint64_t payments = 0;
    std::uint64_t answers = 0;
};

TEST(OutcomesOfTheJournal, AreAuditedAndPaidWhenTheResponseFollows) {
    Audits all(true);
    EXPECT_EQ(all.payments, 60U);
    EXPECT_EQ(all.forfeits, 0U);
    EXPECT_GE(all.answers, 1U) << "no audit was drawn at all";
    EXPECT_EQ(all.p.w.part(all.p.challenger), 10'000U);
}

TEST(OutcomesOfTheJournal, WhoseAuditNobodyAnswersCostTheChallengerThirtyTwoRewards) {
    Audits none(false);
    EXPECT_GE(none.forfeits, 1U);
    EXPECT_EQ(none.payments + none.forfeits, 60U);
    EXPECT_EQ(forfeit_of(none.p.w.params), 32U);
    EXPECT_EQ(none.p.w.part(none.p.challenger), 10'000 - 32 * none.forfeits);
}

TEST(OutcomesOfTheJournal, AuditsTakeOnlyTheResponseThatWasNamedAndThatHolds) {
    OnePair p(Audits::without_lapse());
    // Until an audit is open.
    Height h(10);
    std::optional<OutcomeAudit> open;
    for (; !open && h < Height(70); ++h) {
        ASSERT_EQ(p.ask(h), Verdict());
        ASSERT_EQ(p.say(h, OutcomeKind::kServed), Verdict());
        p.w.block();
        const auto all = p.w.open_audits();
        if (!all.empty()) open = all[0];
    }
    ASSERT_TRUE(open.has_value());
    const Challenge2& about = open->challenge;
    const Response right = p.prover.respond(p.w.params, p.w.network_id, about);
    Response unknown = right;
    unknown.id = ChallengeId(numbered("id", 0));
    EXPECT_EQ(p.w.take(unknown), Verdict(Reason::kWrongChallenge));
    Response other = right;
    other.chunks_and_siblings[0] ^= 1;
    EXPECT_EQ(p.w.take(other), Verdict(Reason::kWrongResponse));
    Response unsigned_one = right;
    unsigned_one.signature.bytes[0] ^= 1;
    EXPECT_EQ(p.w.take(unsigned_one), Verdict(Reason::kBadSignature));
    EXPECT_EQ(p.w.take(right), Verdict());
    EXPECT_EQ(p.w.take(right), Verdict(Reason::kWrongChallenge)) << "it is answered";
}

TEST(OutcomesOfTheJournal, ThatNameAResponseWhichDoesNotHoldAreNotPaid) {
    // The prover signs the hash of bytes that are no answer: it has no replica.
    OnePair p(Audits::without_lapse());
    std::uint64_t tried = 0;
    for (Height h(10); h < Height(70); ++h) {
        const Challenge2 asked = p.asked(h);
        ASSERT_EQ(p.w.take(asked), Verdict());
        const Response junk =
            sign_response(asked.id(p.w.network_id), Bytes(100), p.prover.key).value();
        ASSERT_EQ(p.w.take(make_outcome2(junk.id, p.challenger.reveal(h), OutcomeKind::kServed, 1,
                                         1, &junk, p.challenger.key)
                               .value()),
                  Verdict());
        p.w.block();
        for (const OutcomeAudit& open : p.w.open_audits()) {
            const Response answer =
                sign_response(open.challenge.id(p.w.network_id), Bytes(100), p.prover.key).value();
            const Verdict v = p.w.take(answer);
            if (v.reason == Reason::kTooLate) continue;
            EXPECT_EQ(v, Verdict(Reason::kProofLength));
            ++tried;
        }
    }
    EXPECT_GE(tried, 1U);
}

// --- the quorum ----------------------------------------------------------------------------------

/// Two challengers of equal parts, and a chain of which both say what they are told.
struct Quorum {
    Quorum() : w(params()) {
        for (std::uint64_t n = 1; n <= 4; ++n) all.emplace_back(w.network_id, n, Height(14));
        w.add_chain(prover);
        w.blocks_until(Height(2));
        for (const TestChallenger& c : all) EXPECT_TRUE(w.join(c, 10'000));
        w.blocks_until(Height(18));
    }
    static NetworkParams params() {
        NetworkParams p = challenger_network();
        p.quorum_window = 12;
        return p;
    }
    /// Whoever is assigned says it.
    void say(Height h, OutcomeKind kind) {
        for (const TestChallenger& c : all) {
            if (!w.take(w.challenge(c, prover, h))) continue;
            EXPECT_EQ(w.take(w.outcome(c, prover, h, kind)), Verdict());
        }
    }
    ChallengerWorld w;
    TestProver prover{1};
    std::vector<TestChallenger> all;
};

TEST(QuorumOfTheJournal, SuspendsAndLetsGoExactlyAsTheRuleSays) {
    Quorum q;
    std::uint64_t suspended_heights = 0;
    std::uint64_t changes = 0;
    bool before = false;
    for (Height h(16); h < Height(60); ++h) {
        // Bad for a while, then good, then silent, then bad again.
        if (h < Height(22)) q.say(h, OutcomeKind::kLate);
        if (h >= Height(24) && h < Height(34)) q.say(h, OutcomeKind::kServed);
        if (h >= Height(37) && h < Height(43)) q.say(h, OutcomeKind::kUnreachable);
        const std::vector<OutcomeRecord> outcomes = q.w.outcomes(q.prover.chain_id);
        q.w.block();
        const Height g = q.w.tip() - q.w.params.closing_blocks();
        const bool is = !q.w.suspended.empty();
        EXPECT_EQ(is, suspended_by_quorum(q.w.params, g, outcomes)) << "height " << g.value;
        suspended_heights += is ? 1 : 0;
        changes += is != before ? 1 : 0;
        before = is;
    }
    EXPECT_GE(suspended_heights, 10U);
    EXPECT_GE(changes, 3U);
}

TEST(QuorumOfTheJournal, ForgetsAChainThatHasEnded) {
    Quorum q;
    for (Height h(16); h < Height(26); ++h) {
        q.say(h, OutcomeKind::kLate);
        q.w.block();
    }
    ASSERT_EQ(q.w.suspended.size(), 1U);
    q.w.in_entry(
        [&](AvailabilityState& s, BondBook&) { return s.forget_chain(q.prover.chain_id); });
    EXPECT_EQ(q.w.records(Table::kOutcomes), 0U);
    q.w.block();
    EXPECT_TRUE(q.w.suspended.empty());
}

TEST(ListingHeights, AreTwoBlocksAfterTheHeightUntilTheProofDeadline) {
    const NetworkParams p = challenger_network();
    EXPECT_EQ(check_listing_height(p, Height(10), Height(11)), Verdict(Reason::kTooEarly));
    EXPECT_EQ(check_listing_height(p, Height(10), Height(12)), Verdict());
    EXPECT_EQ(check_listing_height(p, Height(10), Height(20)), Verdict());
    EXPECT_EQ(check_listing_height(p, Height(10), Height(21)), Verdict(Reason::kTooLate));
}

}  // namespace
}  // namespace holdfast::test
