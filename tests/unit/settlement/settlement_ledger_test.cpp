#include "settlement/settlement_ledger.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <random>
#include <set>

#include "callbacks/guard.hpp"
#include "core/hash.hpp"
#include "embedded/bond_ledger.hpp"
#include "support/faulty_token.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

using test::Fault;
using test::FaultyToken;

NetworkId network(std::uint64_t n = 1) { return NetworkId(tagged_hash("test/network", n)); }
CaseId case_id(std::uint64_t n) { return CaseId(tagged_hash("test/case", n)); }
IdempotencyKey key(std::uint64_t n) { return IdempotencyKey(tagged_hash("test/key", n)); }
PublicKey account(std::uint8_t n) {
    PublicKey k;
    k[0] = n;
    return k;
}

/// A real token and a real ledger in one folder.
struct World {
    test::TempFolder folder;
    std::unique_ptr<BondLedger> token = open_token();
    std::unique_ptr<SettlementLedger> ledger = open_ledger();
    std::uint64_t bonds = 0;

    std::unique_ptr<BondLedger> open_token() {
        auto opened = BondLedger::open(folder / "token", network());
        EXPECT_TRUE(opened) << opened.error().message;
        return std::move(*opened);
    }
    std::unique_ptr<SettlementLedger> open_ledger() {
        auto opened = SettlementLedger::open(folder / "settlement", network());
        EXPECT_TRUE(opened) << opened.error().message;
        return std::move(*opened);
    }
    void reopen() {
        ledger.reset();
        ledger = open_ledger();
    }
    BondId bond(std::uint8_t owner, std::uint64_t amount) {
        EXPECT_TRUE(token->issue(account(owner), amount, key(2 * ++bonds)));
        return *token->create_bond(account(owner), amount, BondPurpose::kStorage,
                                   key(2 * bonds + 1));
    }
    /// Slash all of it, a tenth to the accuser, the deposit back.
    Decision offence(std::uint64_t n, const BondId& bond, const BondId& deposit) const {
        return {case_id(n),
                CaseKind::kOffence,
                {DecidedStep::slash(bond, account(1), 1'000'000),
                 DecidedStep::reward(account(9), 100), DecidedStep::release(deposit, 1'000)}};
    }
    /// The next decision of the registry.
    void take(const Decision& decision, const PayTerms& terms = {}) {
        EXPECT_TRUE(ledger->take(*ledger->next_decision(), {&decision, 1}, terms));
    }
    SettlementReport work() {
        const auto report = ledger->work(*token);
        EXPECT_TRUE(report) << report.error().message;
        return *report;
    }
    std::uint64_t balance(std::uint8_t n) { return *token->balance(account(n)); }
};

TEST(Settlement, ACaseIsDecidedOnceAndEveryStepIsDoneOnce) {
    World w;
    const BondId bad = w.bond(1, 1'000);
    const BondId deposit = w.bond(9, 50);
    const Decision decision = w.offence(1, bad, deposit);
    w.take(decision);
    EXPECT_EQ(*w.ledger->next_decision(), 1U);
    // Neither again nor with a gap.
    for (const std::uint64_t number : {0, 2}) {
        EXPECT_EQ(w.ledger->take(number, {&decision, 1}, {}).error().code,
                  ErrorCode::kInvalidArgument);
    }
    EXPECT_FALSE((*w.ledger->find(case_id(1)))->settled());
    EXPECT_EQ(w.balance(9), 0U) << "nothing moves before work()";
    SettlementReport report = w.work();
    EXPECT_EQ(report.answered, 3U);
    EXPECT_EQ(report.open, 0U);
    EXPECT_EQ(w.balance(9), 150U) << "a tenth of 1,000, and the deposit";
    EXPECT_EQ(w.token->totals()->in_pool, 900U);
    report = w.work();
    EXPECT_EQ(report.answered, 0U);
    EXPECT_EQ(w.balance(9), 150U);
    w.reopen();
    EXPECT_EQ(*w.ledger->next_decision(), 1U);
    EXPECT_TRUE((*w.ledger->find(case_id(1)))->settled());
    EXPECT_EQ((*w.ledger->find(case_id(1)))->steps[0].answer, 1'000U);
    EXPECT_EQ(w.work().answered, 0U);
    EXPECT_FALSE(*w.ledger->find(case_id(2)));
}

TEST(Settlement, NoFaultOfTheTokenPaysTwiceOrForgets) {
    std::mt19937_64 random(5);
    World w;
    std::uint64_t accuser = 0;
    std::uint64_t most_asked = 0;
    for (std::uint64_t n = 0; n < 40; ++n) {
        const std::uint64_t amount = 100 * (n + 1);
        const BondId bad = w.bond(1, amount);
        const BondId deposit = w.bond(9, 7);
        FaultyToken token(*w.token, [&] {
            return random() % 4 == 0 ? Fault::kNone : static_cast<Fault>(random() % test::kFaults);
        });
        w.take(w.offence(n, bad, deposit));
        for (int round = 0; round < 200; ++round) {
            const auto report = w.ledger->work(token);
            ASSERT_TRUE(report) << report.error().message;
            EXPECT_EQ(report->refused, 0U);
            if (report->open == 0) break;
            EXPECT_FALSE(report->faults.empty());
            if (round % 5 == 4) w.reopen();
        }
        const auto settled = *w.ledger->find(case_id(n));
        ASSERT_TRUE(settled && settled->settled()) << n;
        for (const SettlementStep& step : settled->steps) {
            most_asked = std::max<std::uint64_t>(most_asked, step.asked);
        }
        accuser += amount / 10 + 7;
        EXPECT_EQ(w.balance(9), accuser) << n;
        EXPECT_EQ(w.token->bond_info(bad)->slashed_amount, amount);
        ASSERT_TRUE(w.token->audit());
    }
    EXPECT_GT(most_asked, 3U);
}

TEST(Settlement, EachFaultAloneLeavesTheStepOpen) {
    for (std::size_t f = 1; f < test::kFaults; ++f) {
        const Fault fault = static_cast<Fault>(f);
        World w;
        const BondId bad = w.bond(1, 1'000);
        w.take({case_id(1),
                CaseKind::kOffence,
                {DecidedStep::slash(bad, account(1), 400), DecidedStep::reward(account(9), 500)}});
        FaultyToken token(*w.token, [&] { return fault; });
        const auto report = w.ledger->work(token);
        ASSERT_TRUE(report);
        EXPECT_EQ(report->open, fault == Fault::kTwice ? 0U : 1U) << f;
        EXPECT_EQ(w.balance(9), fault == Fault::kTwice ? 200U : 0U) << f;
        EXPECT_EQ(w.work().open, 0U);
        EXPECT_EQ(w.token->bond_info(bad)->slashed_amount, 400U) << f;
        EXPECT_EQ(w.balance(9), 200U) << f;
    }
}

/// Hangs in its next calls until it is let go, and then does what it was asked.
class HangingToken final : public Token {
  public:
    explicit HangingToken(BondLedger& inner) : inner_(inner) {}
    void hang(bool now) {
        const std::lock_guard lock(mutex_);
        hang_ = now;
        changed_.notify_all();
    }
    /// Waits until nobody hangs any more.
    void drain() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return inside_ == 0; });
    }
    Result<BondId> create_bond(const PublicKey& owner, std::uint64_t amount, BondPurpose purpose,
                               const IdempotencyKey& k) override {
        return inner_.create_bond(owner, amount, purpose, k);
    }
    Result<std::uint64_t> release_bond(const BondId& bond, std::uint64_t amount,
                                       const IdempotencyKey& k) override {
        return late([&] { return inner_.release_bond(bond, amount, k); });
    }
    Result<std::uint64_t> slash_bond(const BondId& bond, std::uint64_t amount,
                                     const OffenceId& offence, const IdempotencyKey& k) override {
        return late([&] { return inner_.slash_bond(bond, amount, offence, k); });
    }
    Status pay_reward(const PublicKey& to, std::uint64_t amount, const Digest& reference,
                      const IdempotencyKey& k) override {
        return late([&] { return inner_.pay_reward(to, amount, reference, k); });
    }
    Result<BondInfo> bond_info(const BondId& bond) override { return inner_.bond_info(bond); }

  private:
    template <class Call>
    auto late(Call&& call) -> decltype(call()) {
        std::unique_lock lock(mutex_);
        ++inside_;
        changed_.wait(lock, [&] { return !hang_; });
        auto answer = call();
        --inside_;
        changed_.notify_all();
        return answer;
    }
    BondLedger& inner_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool hang_ = false;
    int inside_ = 0;
};

TEST(Settlement, ATokenThatHangsBlocksNobodyAndPaysOnce) {
    World w;
    constexpr std::uint64_t kCases = 8;
    const auto hanging = std::make_shared<HangingToken>(*w.token);
    const auto guard = make_guard({.timeout_ms = 50, .max_calls = 64});
    ASSERT_TRUE(guard);
    const auto token = intercept(std::shared_ptr<Token>(hanging), *guard);
    ASSERT_TRUE(token);
    for (std::uint64_t n = 0; n < kCases; ++n) {
        w.take(w.offence(n, w.bond(1, 100), w.bond(9, 5)));
    }
    hanging->hang(true);
    std::set<CaseId> asked;
    for (int pass = 0; pass < 4; ++pass) {
        const auto begin = std::chrono::steady_clock::now();
        const auto report = w.ledger->work(**token);
        ASSERT_TRUE(report) << report.error().message;
        // Three time-outs end a pass; without that it would be one for each case.
        EXPECT_EQ(report->timeouts, SettlementReport::kMaxTimeouts);
        EXPECT_EQ(report->open, kCases);
        EXPECT_EQ(report->answered, 0U);
        for (const SettlementFault& fault : report->faults) asked.insert(fault.id);
        EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
    }
    EXPECT_EQ(asked.size(), kCases) << "no case starves behind those that hang";
    EXPECT_EQ(*w.token->balance(account(9)), 0U);
    // The answers that nobody waited for take effect, all of them; then the token is well again.
    hanging->hang(false);
    hanging->drain();
    for (int pass = 0; pass < 50 && w.ledger->work(**token)->open != 0; ++pass) {
    }
    EXPECT_EQ(w.ledger->work(**token)->open, 0U);
    EXPECT_EQ(w.token->totals()->in_pool, kCases * 90);
    EXPECT_EQ(w.balance(9), kCases * (10 + 5)) << "a tenth of each slash, and the deposit back";
    EXPECT_TRUE(w.token->audit());
}

TEST(Settlement, ManyDecisionsAreTakenOverInOrder) {
    World w;
    std::vector<Decision> all;
    for (std::uint64_t n = 0; n < 100; ++n) {
        all.push_back(w.offence(n, w.bond(1, 50), w.bond(9, 5)));
    }
    const std::span<const Decision> decisions(all);
    ASSERT_TRUE(w.ledger->take(0, decisions.first(60), {}));
    w.reopen();
    EXPECT_EQ(*w.ledger->next_decision(), 60U);
    ASSERT_TRUE(w.ledger->take(60, decisions.subspan(60), {}));
    EXPECT_EQ(w.work().answered, 300U);
    EXPECT_EQ(w.balance(9), 100U * (5 + 5));
}

TEST(Settlement, WhatTheTokenRefusesForGoodIsKeptAndMayBeReopened) {
    World w;
    const BondId foreign = w.bond(2, 1'000);
    w.take(w.offence(1, foreign, BondId(case_id(77))));
    const SettlementReport report = w.work();
    EXPECT_EQ(report.refused, 2U) << "a bond of somebody else, and one that does not exist";
    EXPECT_EQ(report.open, 0U);
    EXPECT_EQ(w.token->bond_info(foreign)->held_amount, 1'000U);
    const auto c = **w.ledger->find(case_id(1));
    EXPECT_EQ(c.steps[0].state, StepState::kRefused);
    EXPECT_EQ(c.steps[1].state, StepState::kDone);
    EXPECT_EQ(c.steps[1].answer, 0U) << "no share of nothing";
    EXPECT_EQ(c.steps[2].state, StepState::kRefused);
    ASSERT_TRUE(w.ledger->reopen(case_id(1)));
    EXPECT_EQ(w.work().refused, 2U);
    EXPECT_EQ(w.ledger->reopen(case_id(5)).error().code, ErrorCode::kNotFound);
}

TEST(Settlement, RewardsAndOutcomesNeedNoOffence) {
    World w;
    ASSERT_TRUE(w.token->issue(account(3), 500, key(1'000)));
    ASSERT_TRUE(w.token->fund_pool(100, key(1'001)));
    const auto outcome = [](std::uint64_t n, std::uint8_t challenger, std::uint8_t prover) {
        return Decision{case_id(n),
                        CaseKind::kOutcome,
                        {DecidedStep::pay(DecidedStep::Kind::kPayChallenger, account(challenger)),
                         DecidedStep::pay(DecidedStep::Kind::kPayProver, account(prover))}};
    };
    w.take(outcome(1, 4, 5), {.prover_reward = 0, .challenger_reward = 30});
    w.take(outcome(2, 4, 5), {});
    EXPECT_TRUE((*w.ledger->find(case_id(2)))->settled()) << "decided, and nothing to move";
    w.take(outcome(3, 5, 4), {.prover_reward = 1'000, .challenger_reward = 0});
    SettlementReport report = w.work();
    EXPECT_EQ(report.answered, 1U);
    EXPECT_EQ(report.open, 1U) << "the pool does not hold as much yet";
    EXPECT_EQ(w.balance(4), 30U);
    ASSERT_TRUE(w.token->fund_pool(1'000, key(1'002)));
    EXPECT_EQ(w.work().open, 0U);
    EXPECT_EQ(w.balance(4), 1'030U);
    std::size_t cases = 0;
    ASSERT_TRUE(w.ledger->for_each([&](const SettlementCase&) { return ++cases < 2; }));
    EXPECT_EQ(cases, 2U);
}

TEST(Settlement, TermsThatWouldPayMoreThanAnAuditCostsAreRefused) {
    NetworkParams params = NetworkParams::preset(kParamsVersion2);
    params.least_challenger_part = 32 * 32 * 10;  // 32 rewards are 320
    EXPECT_TRUE(check_pay_terms(params, {5, 5}));
    EXPECT_FALSE(check_pay_terms(params, {5, 6}));
    EXPECT_FALSE(check_pay_terms(params, {UINT64_MAX, 1}));
    EXPECT_TRUE(check_pay_terms(params, {}));
}

TEST(Settlement, ItsFolderBelongsToOneNetworkAndOneProcess) {
    World w;
    const auto second = SettlementLedger::open(w.folder / "settlement", network());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kBusy);
    w.ledger.reset();
    const auto foreign = SettlementLedger::open(w.folder / "settlement", network(2));
    ASSERT_FALSE(foreign);
    EXPECT_EQ(foreign.error().verdict, Verdict(Reason::kWrongNetwork));
    std::filesystem::remove(w.folder / "settlement" / "data.mdb");
    const auto lost = SettlementLedger::open(w.folder / "settlement", network());
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, ErrorCode::kCorrupt) << "it must not decide everything again";
}

TEST(Settlement, CasesHaveOneEncoding) {
    World w;
    w.take(w.offence(3, BondId(case_id(1)), BondId(case_id(2))));
    SettlementCase c = **w.ledger->find(case_id(3));
    c.steps[0].state = StepState::kDone;
    c.steps[0].answer = 12;
    c.steps[0].asked = 3;
    Bytes bytes = c.encode();
    EXPECT_EQ(*SettlementCase::decode(bytes), c);
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        EXPECT_FALSE(SettlementCase::decode(ByteView(bytes).first(n)));
    }
    bytes.push_back(0);
    EXPECT_EQ(SettlementCase::decode(bytes).error().reason, Reason::kTrailingBytes);
    bytes.pop_back();
    bytes[33] = 17;
    EXPECT_EQ(SettlementCase::decode(bytes).error().reason, Reason::kBadField);
}

}  // namespace
}  // namespace holdfast
