#include "embedded/bond_ledger.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>
#include <thread>

#include "core/hash.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

using test::TempFolder;

NetworkId network(std::uint8_t n = 1) { return NetworkId(sha256(Bytes{n})); }
IdempotencyKey key(std::uint64_t n) { return IdempotencyKey(tagged_hash("test/key", n)); }
OffenceId offence(std::uint64_t n) { return OffenceId(tagged_hash("test/offence", n)); }
PublicKey account(std::uint8_t n) {
    PublicKey k;
    k[0] = n;
    return k;
}

std::unique_ptr<BondLedger> open_ledger(const std::filesystem::path& folder) {
    auto ledger = BondLedger::open(folder, network());
    EXPECT_TRUE(ledger) << ledger.error().message;
    return ledger ? std::move(*ledger) : nullptr;
}

BondLedger::Totals sums(std::uint64_t accounts, std::uint64_t bonds, std::uint64_t pool) {
    return {accounts + bonds + pool, accounts, bonds, pool};
}

TEST(BondLedger, MovesUnitsAndConservesThem) {
    const TempFolder t;
    const auto ledger = open_ledger(t / "l");
    EXPECT_EQ(ledger->totals().value(), sums(0, 0, 0));
    ASSERT_TRUE(ledger->issue(account(1), 1'000, key(1)));
    const BondId bond = ledger->create_bond(account(1), 300, BondPurpose::kStorage, key(2)).value();
    EXPECT_EQ(ledger->totals().value(), sums(700, 300, 0));
    EXPECT_EQ(ledger->slash_bond(bond, 120, offence(1), key(3)).value(), 120U);
    EXPECT_EQ(ledger->totals().value(), sums(700, 180, 120));
    ASSERT_TRUE(ledger->pay_reward(account(2), 50, Digest{}, key(4)));
    EXPECT_EQ(ledger->totals().value(), sums(750, 180, 70));
    const BondInfo expected{bond, account(1), BondPurpose::kStorage, BondState::kHeld, 300,
                            180,  120};
    EXPECT_EQ(ledger->bond_info(bond).value(), expected);
    EXPECT_EQ(ledger->release_bond(bond, UINT64_MAX, key(5)).value(), 180U);
    EXPECT_EQ(ledger->totals().value(), sums(930, 0, 70));
    EXPECT_EQ(ledger->balance(account(1)).value(), 880U);
    EXPECT_EQ(ledger->balance(account(2)).value(), 50U);
    EXPECT_EQ(ledger->balance(account(3)).value(), 0U);
    EXPECT_EQ(ledger->bond_info(bond)->state, BondState::kReleased);
    EXPECT_TRUE(ledger->audit());
}

TEST(BondLedger, RepeatedCallsHaveOneEffectAndTheFirstAnswer) {
    const TempFolder t;
    BondId bond;
    for (int life = 0; life < 2; ++life) {  // across a restart as well
        const auto ledger = open_ledger(t / "l");
        for (int i = 0; i < 3; ++i) {
            ASSERT_TRUE(ledger->issue(account(1), 100, key(1)));
            ASSERT_TRUE(ledger->fund_pool(40, key(2)));
            bond = ledger->create_bond(account(1), 60, BondPurpose::kChallenger, key(3)).value();
            EXPECT_EQ(ledger->slash_bond(bond, 25, offence(1), key(4)).value(), 25U);
            ASSERT_TRUE(ledger->pay_reward(account(2), 30, Digest{}, key(5)));
            EXPECT_EQ(ledger->release_bond(bond, UINT64_MAX, key(6)).value(), 35U);
        }
        EXPECT_EQ(ledger->totals().value(), sums(105, 0, 35));
        EXPECT_TRUE(ledger->audit());
    }
}

TEST(BondLedger, RefusesAKeyWithOtherArguments) {
    const TempFolder t;
    const auto ledger = open_ledger(t / "l");
    ASSERT_TRUE(ledger->issue(account(1), 100, key(1)));
    const BondId bond = ledger->create_bond(account(1), 50, BondPurpose::kStorage, key(2)).value();
    const auto before = ledger->totals().value();
    const auto code = [](const auto& result) {
        EXPECT_FALSE(result);
        return result.error().code;
    };
    EXPECT_EQ(code(ledger->issue(account(1), 101, key(1))), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(ledger->issue(account(2), 100, key(1))), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(ledger->fund_pool(100, key(1))), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(ledger->create_bond(account(1), 50, BondPurpose::kEvaluator, key(2))),
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(ledger->release_bond(bond, UINT64_MAX, key(2))), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(ledger->slash_bond(bond, 1, offence(1), key(2))), ErrorCode::kInvalidArgument);
    EXPECT_EQ(ledger->totals().value(), before);
}

TEST(BondLedger, SlashesAnOffenceOnceAndNeverMoreThanThereIs) {
    const TempFolder t;
    const auto ledger = open_ledger(t / "l");
    ASSERT_TRUE(ledger->issue(account(1), 100, key(1)));
    const BondId bond = ledger->create_bond(account(1), 50, BondPurpose::kStorage, key(2)).value();
    EXPECT_EQ(ledger->slash_bond(bond, 20, offence(1), key(3)).value(), 20U);
    EXPECT_EQ(ledger->slash_bond(bond, 20, offence(1), key(4)).value(), 0U);
    EXPECT_EQ(ledger->slash_bond(bond, UINT64_MAX, offence(2), key(5)).value(), 30U);
    EXPECT_EQ(ledger->slash_bond(bond, 1, offence(3), key(6)).value(), 0U);
    EXPECT_EQ(ledger->release_bond(bond, UINT64_MAX, key(7)).value(), 0U);
    EXPECT_EQ(ledger->release_bond(bond, UINT64_MAX, key(8)).value(), 0U);
    EXPECT_EQ(ledger->slash_bond(bond, 1, offence(4), key(9)).value(), 0U);
    EXPECT_EQ(ledger->totals().value(), sums(50, 0, 50));
}

TEST(BondLedger, FailedCallsHaveNoEffectAndMayBeRepeated) {
    const TempFolder t;
    const auto ledger = open_ledger(t / "l");
    EXPECT_EQ(ledger->create_bond(account(1), 10, BondPurpose::kStorage, key(1)).error().code,
              ErrorCode::kUnavailable);
    EXPECT_EQ(ledger->pay_reward(account(1), 10, Digest{}, key(2)).error().code,
              ErrorCode::kUnavailable);
    EXPECT_EQ(ledger->release_bond(BondId{}, UINT64_MAX, key(3)).error().code,
              ErrorCode::kNotFound);
    EXPECT_EQ(ledger->slash_bond(BondId{}, 1, offence(1), key(3)).error().code,
              ErrorCode::kNotFound);
    EXPECT_EQ(ledger->bond_info(BondId{}).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(ledger->create_bond(account(1), 0, BondPurpose::kStorage, key(3)).error().code,
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(ledger->create_bond(account(1), 1, BondPurpose{}, key(3)).error().code,
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(ledger->totals().value(), sums(0, 0, 0));
    ASSERT_TRUE(ledger->issue(account(1), 10, key(4)));
    ASSERT_TRUE(ledger->fund_pool(10, key(5)));
    EXPECT_TRUE(ledger->create_bond(account(1), 10, BondPurpose::kStorage, key(1)));
    EXPECT_TRUE(ledger->pay_reward(account(1), 10, Digest{}, key(2)));
}

TEST(BondLedger, NeverIssuesMoreThanAU64Counts) {
    const TempFolder t;
    const auto ledger = open_ledger(t / "l");
    ASSERT_TRUE(ledger->issue(account(1), UINT64_MAX - 5, key(1)));
    EXPECT_EQ(ledger->issue(account(2), 6, key(2)).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(ledger->fund_pool(6, key(3)).error().code, ErrorCode::kInvalidArgument);
    EXPECT_TRUE(ledger->fund_pool(5, key(4)));
    EXPECT_TRUE(ledger->pay_reward(account(1), 5, Digest{}, key(5)));
    EXPECT_EQ(ledger->balance(account(1)).value(), UINT64_MAX);
    EXPECT_TRUE(ledger->audit());
}

TEST(BondLedger, RefusesAnotherNetworkAndASecondProcess) {
    const TempFolder t;
    {
        const auto ledger = open_ledger(t / "l");
        EXPECT_EQ(BondLedger::open(t / "l", network()).error().code, ErrorCode::kBusy);
    }
    const auto other = BondLedger::open(t / "l", network(2));
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().verdict.reason, Reason::kWrongNetwork);
    EXPECT_EQ(BondLedger::open(t / "no" / "parent", network()).error().code, ErrorCode::kNotFound);
    EXPECT_TRUE(BondLedger::open(t / "l", network()));
}

TEST(BondLedger, GrowsAndStopsAtItsLargestSize) {
    const TempFolder t;
    BondLedger::Options options;
    options.max_bytes = std::uint64_t{512} << 10;  // twice what it starts with
    std::uint64_t paid = 0;
    {
        const auto ledger = BondLedger::open(t / "l", network(), options).value();
        ASSERT_TRUE(ledger->fund_pool(1'000'000, key(0)));
        Status last;
        while (last = ledger->pay_reward(account(2), 1, Digest{}, key(paid + 1)), last) ++paid;
        EXPECT_EQ(last.error().code, ErrorCode::kOutOfSpace);
        EXPECT_GT(paid, 1'000U);
        EXPECT_EQ(ledger->balance(account(2)).value(), paid);
        EXPECT_TRUE(ledger->audit());
    }
    EXPECT_GT(std::filesystem::file_size(t / "l" / "data.mdb"), options.max_bytes / 2);
    EXPECT_LE(std::filesystem::file_size(t / "l" / "data.mdb"), options.max_bytes);
    const auto ledger = open_ledger(t / "l");
    EXPECT_TRUE(ledger->pay_reward(account(2), 1, Digest{}, key(paid + 1)));
    EXPECT_EQ(ledger->balance(account(2)).value(), paid + 1);
    EXPECT_TRUE(ledger->audit());
}

TEST(BondLedger, NoticesDamage) {
    const TempFolder t;
    {
        const auto ledger = open_ledger(t / "l");
        ASSERT_TRUE(ledger->issue(account(7), 0x1122334455667788, key(1)));
    }
    const std::filesystem::path data = t / "l" / "data.mdb";
    const Bytes good = test::slurp(data);
    // Cut short: an error at open, not a fault at some later touch.
    test::spill(data, ByteView(good).first(good.size() / 2));
    EXPECT_EQ(BondLedger::open(t / "l", network()).error().code, ErrorCode::kCorrupt);
    // Not a ledger at all.
    test::spill(data, Bytes(good.size(), 0x5a));
    EXPECT_EQ(BondLedger::open(t / "l", network()).error().code, ErrorCode::kCorrupt);
    // One changed amount, wherever its bytes stand.
    Bytes changed = good;
    const Bytes amount{0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11};
    std::size_t places = 0;
    for (auto at = changed.begin();; ++places) {
        at = std::search(at, changed.end(), amount.begin(), amount.end());
        if (at == changed.end()) break;
        *at++ ^= 1;
    }
    EXPECT_GE(places, 2U);
    test::spill(data, changed);
    const auto ledger = BondLedger::open(t / "l", network());
    ASSERT_FALSE(ledger);
    EXPECT_EQ(ledger.error().code, ErrorCode::kCorrupt);
    test::spill(data, good);
    EXPECT_TRUE(open_ledger(t / "l")->audit());
}

TEST(BondLedger, WorksFromSeveralThreads) {
    const TempFolder t;
    const auto ledger = open_ledger(t / "l");
    ASSERT_TRUE(ledger->issue(account(1), 1'000, key(0)));
    std::vector<std::thread> threads;
    for (int n = 0; n < 4; ++n) {
        threads.emplace_back([&ledger] {
            for (std::uint64_t i = 1; i <= 20; ++i) {  // the same keys from every thread
                const auto bond =
                    ledger->create_bond(account(1), 10, BondPurpose::kStorage, key(i));
                ASSERT_TRUE(bond);
                ASSERT_TRUE(ledger->slash_bond(*bond, 4, offence(i), key(100 + i)));
                ASSERT_TRUE(ledger->totals());
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(ledger->totals().value(), sums(800, 120, 80));
    EXPECT_TRUE(ledger->audit());
}

/// Step i of a fixed history; the same whether it runs for the first time or again.
Result<std::uint64_t> step(BondLedger& ledger, std::uint64_t i) {
    switch (i % 4) {
        case 0:
            HOLDFAST_TRY(ledger.issue(account(1), 10 + i, key(i)));
            return std::uint64_t{0};
        case 1: {
            HOLDFAST_ASSIGN(bond, ledger.create_bond(account(1), 5, BondPurpose::kStorage, key(i)));
            return std::uint64_t{bond[0]};
        }
        case 2: {
            HOLDFAST_ASSIGN(bond,
                            ledger.create_bond(account(1), 5, BondPurpose::kStorage, key(i - 1)));
            return ledger.slash_bond(bond, i % 7, offence(i), key(i));
        }
        default: {
            HOLDFAST_ASSIGN(bond,
                            ledger.create_bond(account(1), 5, BondPurpose::kStorage, key(i - 2)));
            return ledger.release_bond(bond, UINT64_MAX, key(i));
        }
    }
}

TEST(BondLedger, SurvivesKillAtAnyMoment) {
    const TempFolder t;
    struct Ack {
        std::uint64_t step, answer;
    };
    std::vector<Ack> acknowledged;
    std::mt19937 random(7);
    for (unsigned round = 0; round < 8; ++round) {
        int channel[2];
        ASSERT_EQ(::pipe(channel), 0);
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            auto ledger = BondLedger::open(t / "l", network());
            for (std::uint64_t i = acknowledged.size(); ledger; ++i) {
                const auto answer = step(**ledger, i);
                if (!answer) break;
                const Ack ack{i, *answer};
                if (::write(channel[1], &ack, sizeof(ack)) != sizeof(ack)) break;
            }
            ::_exit(1);
        }
        ::close(channel[1]);
        Ack ack{};
        const std::uint64_t until = 3 + random() % 40;
        for (std::uint64_t i = 0; i < until; ++i) {
            ASSERT_EQ(::read(channel[0], &ack, sizeof(ack)), static_cast<ssize_t>(sizeof(ack)));
            acknowledged.push_back(ack);
        }
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        while (::read(channel[0], &ack, sizeof(ack)) == sizeof(ack)) acknowledged.push_back(ack);
        ::close(channel[0]);

        const auto ledger = open_ledger(t / "l");
        ASSERT_TRUE(ledger->audit());
        const auto before = ledger->totals().value();
        for (const Ack& a : acknowledged) ASSERT_EQ(step(*ledger, a.step).value(), a.answer);
        EXPECT_EQ(ledger->totals().value(), before) << "a repeated call had an effect";
    }
}

}  // namespace
}  // namespace holdfast
