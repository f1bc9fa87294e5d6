// kill -9 at random moments of settling: no case is forgotten, none is decided or paid twice.
#include <gtest/gtest.h>
#include <unistd.h>

#include <random>

#include "core/hash.hpp"
#include "embedded/bond_ledger.hpp"
#include "settlement/settlement_ledger.hpp"
#include "support/faulty_token.hpp"
#include "support/killed_child.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kCases = 60;

NetworkId network() { return NetworkId(tagged_hash("test/network")); }
CaseId case_id(std::uint64_t n) { return CaseId(tagged_hash("test/case", n)); }
IdempotencyKey key(std::uint64_t n) { return IdempotencyKey(tagged_hash("test/key", n)); }
PublicKey account(std::uint8_t n) {
    PublicKey k;
    k[0] = n;
    return k;
}

template <class T>
T must(Result<T> result) {
    if (!result) {
        std::fprintf(stderr, "%s\n", result.error().message.c_str());
        ::_exit(4);
    }
    return std::move(*result);
}

/// Takes over every decision and asks for its steps through a token that misbehaves; acknowledges
/// each decision on the pipe once it is durable.
void settle_all(const std::filesystem::path& folder, const std::vector<BondId>& bonds,
                std::uint64_t seed, int pipe) {
    const auto token = must(BondLedger::open(folder / "token", network()));
    const auto ledger = must(SettlementLedger::open(folder / "settlement", network()));
    std::mt19937_64 random(seed);
    test::FaultyToken faulty(*token, [&] {
        return random() % 2 == 0 ? test::Fault::kNone
                                 : static_cast<test::Fault>(random() % test::kFaults);
    });
    for (std::uint64_t n = must(ledger->next_decision()); n < kCases; ++n) {
        const Decision decision{case_id(n),
                                CaseKind::kOffence,
                                {DecidedStep::slash(bonds[n], account(1), 1'000),
                                 DecidedStep::reward(account(9), 100)}};
        if (!ledger->take(n, {&decision, 1}, {})) ::_exit(4);
        if (pipe >= 0 && ::write(pipe, &n, sizeof n) < 0) ::_exit(3);
        if (n % 3 == 2) (void)must(ledger->work(faulty));
    }
    while (must(ledger->work(faulty)).open != 0) {
    }
}

TEST(SettlementKill, NothingIsPaidTwiceAndNothingIsForgotten) {
    const int points = test::kill_points(25);
    test::TempFolder folder;
    std::vector<BondId> bonds;
    {
        const auto token = must(BondLedger::open(folder / "token", network()));
        for (std::uint64_t n = 0; n < kCases; ++n) {
            ASSERT_TRUE(token->issue(account(1), 1'000, key(2 * n)));
            bonds.push_back(
                must(token->create_bond(account(1), 1'000, BondPurpose::kStorage, key(2 * n + 1))));
        }
    }
    std::mt19937_64 random(7);
    std::uint64_t acknowledged = 0;
    int at_work = 0;
    for (int point = 0; point < points; ++point) {
        test::KilledChild child([&](int, int out) {
            settle_all(folder.path(), bonds, random() + static_cast<std::uint64_t>(point), out);
        });
        ::usleep(static_cast<useconds_t>(200 + random() % 2'500));
        if (child.kill()) ++at_work;
        while (const auto n = child.heard<std::uint64_t>()) {
            acknowledged = std::max(acknowledged, *n + 1);
        }
        const auto ledger = must(SettlementLedger::open(folder / "settlement", network()));
        for (std::uint64_t n = 0; n < acknowledged; ++n) {
            ASSERT_TRUE(must(ledger->find(case_id(n)))) << "an acknowledged decision is gone";
        }
    }
    EXPECT_GE(at_work, points / 3);
    settle_all(folder.path(), bonds, 1, -1);
    const auto token = must(BondLedger::open(folder / "token", network()));
    ASSERT_TRUE(token->audit());
    EXPECT_EQ(must(token->balance(account(9))), kCases * 100);
    EXPECT_EQ(must(token->totals()).in_pool, kCases * 900);
    for (const BondId& bond : bonds) EXPECT_EQ(must(token->bond_info(bond)).slashed_amount, 1'000U);
}

}  // namespace
}  // namespace holdfast
