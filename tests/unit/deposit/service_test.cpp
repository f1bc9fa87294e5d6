#include "deposit/service.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "support/deposit_world.hpp"
#include "support/full_disk.hpp"

namespace holdfast {
namespace {

using test::DepositWorld;
using test::never;
using test::some_bytes;

constexpr std::uint64_t kBytes = 2 * kPieceBytes + 5'000;

class Deposits : public ::testing::Test, protected DepositWorld {
  protected:
    void SetUp() override { start(); }
    template <class T>
    static std::string why(const Result<T>& result) {
        return result ? "" : result.error().message;
    }
    static std::string text(DepositReason reason) {
        return "the prover refused: " + std::string(to_string(reason));
    }
    Bytes data = some_bytes(kBytes);
};

TEST_F(Deposits, ADepositIsSealedAndBecomesProven) {
    const DepositClient a = client(alice);
    const DepositOrder one = order(alice, kBytes);
    ASSERT_TRUE(upload(a, one, data));
    EXPECT_EQ(a.state(one)->phase, DepositPhase::kSealing);
    EXPECT_TRUE(service->step(never));
    auto state = a.state(one);
    ASSERT_TRUE(state) << state.error().message;
    EXPECT_EQ(state->phase, DepositPhase::kSealed);
    EXPECT_EQ(state->arrived_root, root_of(data));
    EXPECT_GT(looks, 0);
    const auto replica = Replica::open(file(one, ".replica"), file(one, ".tree"), network);
    ASSERT_TRUE(replica) << replica.error().message;
    EXPECT_EQ(replica->header().replica.raw_root, root_of(data));
    EXPECT_EQ(replica->header().replica.replica_id(network.id()), state->replica);
    EXPECT_EQ(test::slurp(file(one, ".raw")), data);  // hot

    chain = DepositChain{ChainId{sha256({})}, tip, Height(0), false, false};
    EXPECT_EQ(a.state(one)->phase, DepositPhase::kRegistered);
    chain->proven = true;
    EXPECT_EQ(a.state(one)->phase, DepositPhase::kProven);
    EXPECT_EQ(a.state(one)->chain, chain->chain);
    tip = one.terms.until - settings.expiring_heights;
    EXPECT_EQ(a.state(one)->phase, DepositPhase::kExpiring);
    // Held beyond its time: nothing is dropped that was registered.
    tip = one.terms.until + 1'000;
    now_ms += std::uint64_t{400} * 86'400'000;
    service->step(never);
    EXPECT_EQ(a.state(one)->phase, DepositPhase::kExpiring);
    EXPECT_TRUE(std::filesystem::exists(file(one, ".replica")));
}

TEST_F(Deposits, ColdDepositsKeepTheReplicaAlone) {
    settings.hot = false;
    start();
    const DepositOrder one = order(alice, kBytes);
    ASSERT_TRUE(upload(client(alice), one, data));
    service->step(never);
    EXPECT_TRUE(std::filesystem::exists(file(one, ".replica")));
    EXPECT_FALSE(std::filesystem::exists(file(one, ".raw")));
    EXPECT_FALSE(std::filesystem::exists(file(one, ".part")));
}

TEST_F(Deposits, TwoDepositsOfTheSameDataAreTwoReplicas) {
    const DepositOrder one = order(alice, kBytes, 1);
    const DepositOrder two = order(bob, kBytes, 2);
    ASSERT_TRUE(upload(client(alice), one, data));
    ASSERT_TRUE(upload(client(bob), two, data));
    service->step(never);
    service->step(never);
    EXPECT_NE(client(alice).state(one)->replica, client(bob).state(two)->replica);
    // Each sees its own.
    EXPECT_EQ(why(client(bob).state(one)), text(DepositReason::kUnknown));
    EXPECT_EQ(client(bob).list()->deposits.size(), 1U);
    EXPECT_EQ(service->counts().held, 2U);
}

TEST_F(Deposits, AnUploadGoesOnWhereItWasAfterARestart) {
    const DepositOrder one = order(alice, kBytes);
    ASSERT_TRUE(client(alice).open(one));
    ASSERT_TRUE(client(alice).send_piece(one, 0, piece(data, 0)));
    ASSERT_TRUE(client(alice).send_piece(one, 2, piece(data, 2)));  // before its turn
    start();
    const auto state = client(alice).state(one);
    ASSERT_TRUE(state) << state.error().message;
    EXPECT_EQ(state->arrived, kPieceBytes);
    EXPECT_EQ(state->arrived_root, root_of(ByteView(data).first(kPieceBytes)));
    const auto all = client(alice).send_piece(one, 1, piece(data, 1));
    ASSERT_TRUE(all);
    EXPECT_EQ(all->arrived, kBytes);
    start();
    ASSERT_TRUE(upload(client(alice), one, data));
    start();
    service->step(never);
    start();
    EXPECT_EQ(client(alice).state(one)->phase, DepositPhase::kSealed);
    EXPECT_EQ(service->deposits().size(), 1U);
}

TEST_F(Deposits, QuestionsMayBeRepeatedAndChargeOnce) {
    settings.clients[0].count = 1;
    start();
    const DepositOrder one = order(alice, kBytes);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(client(alice).open(one));
    ASSERT_TRUE(client(alice).send_piece(one, 0, piece(data, 0)));
    ASSERT_TRUE(client(alice).send_piece(one, 0, piece(data, 0)));
    ASSERT_TRUE(upload(client(alice), one, data));
    ASSERT_TRUE(upload(client(alice), one, data));
    EXPECT_EQ(service->deposits().size(), 1U);
    EXPECT_EQ(service->counts().bytes, kBytes);
    EXPECT_EQ(service->counts().pieces, 3U);
}

TEST_F(Deposits, WrongPiecesAreRefusedAndNothingIsLost) {
    const DepositClient a = client(alice);
    const DepositOrder one = order(alice, kBytes);
    ASSERT_TRUE(a.open(one));
    ASSERT_TRUE(a.send_piece(one, 0, piece(data, 0)));
    const auto raw = [&](std::uint64_t index, ByteView bytes) {
        const auto told = decode_deposit_answer(
            service->handle(alice.public_key(), encode_piece(one.id, index, bytes)));
        const auto* refused = std::get_if<DepositRefused>(&*told);
        return refused == nullptr ? DepositReason::kNone : refused->reason;
    };
    EXPECT_EQ(raw(0, piece(data, 1)), DepositReason::kWrongPiece);  // another than arrived
    EXPECT_EQ(raw(3, piece(data, 1)), DepositReason::kWrongPiece);  // more than offered
    EXPECT_EQ(raw(2, piece(data, 1)), DepositReason::kWrongPiece);  // longer than its place
    EXPECT_EQ(raw(1, ByteView(data).first(10)), DepositReason::kWrongPiece);
    EXPECT_EQ(why(a.finish(one, root_of(data))), text(DepositReason::kIncomplete));
    // Wrong bytes of the right size are found when the client says what it meant.
    ASSERT_TRUE(a.send_piece(one, 1, piece(data, 0)));
    ASSERT_TRUE(a.send_piece(one, 2, piece(data, 2)));
    EXPECT_EQ(why(a.finish(one, root_of(data))), text(DepositReason::kWrongRoot));
    EXPECT_EQ(a.state(one)->phase, DepositPhase::kReceiving);
}

TEST_F(Deposits, StrangersGetNothing) {
    const DepositOrder one = order(alice, kBytes);
    ASSERT_TRUE(client(alice).open(one));
    const DepositClient s = client(stranger);
    EXPECT_EQ(why(s.terms(kBytes)), text(DepositReason::kNotAllowed));
    EXPECT_EQ(why(s.open(one)), text(DepositReason::kConflict));
    DepositOrder other = one;
    other.id.bytes[0] = 9;
    EXPECT_EQ(why(s.open(other)), text(DepositReason::kNotAllowed));
    EXPECT_EQ(why(client(bob).open(other)), text(DepositReason::kBadTerms));  // alice's terms
    EXPECT_EQ(why(s.send_piece(one, 0, piece(data, 0))), text(DepositReason::kUnknown));
    EXPECT_EQ(why(s.remove(one.id, 1)), text(DepositReason::kBadSignature));
    EXPECT_TRUE(s.list()->deposits.empty());
    EXPECT_EQ(client(alice).state(one)->phase, DepositPhase::kReceiving);
}

TEST_F(Deposits, TermsAreTheProversOwnUnalteredAndInTime) {
    const DepositClient a = client(alice);
    DepositOrder one = order(alice, kBytes);
    DepositOrder altered = one;
    altered.terms.price += 1;
    EXPECT_EQ(why(a.open(altered)), text(DepositReason::kBadTerms));
    altered = one;
    altered.bytes = one.terms.max_bytes + 1;
    EXPECT_FALSE(a.open(altered));
    now_ms = one.terms.valid_until_ms + 1;
    EXPECT_EQ(why(a.open(one)), text(DepositReason::kBadTerms));
    now_ms = one.terms.valid_until_ms;
    ASSERT_TRUE(a.open(one));
    // An id stands for one deposit.
    DepositOrder longer = one;
    longer.bytes += 1;
    EXPECT_EQ(why(a.open(longer)), text(DepositReason::kConflict));
}

TEST_F(Deposits, APausedProverTakesNothingNewAndCompletesWhatIsOpen) {
    start();
    const DepositOrder open = order(alice, kBytes, 1);
    const DepositOrder fresh = order(alice, kBytes, 2);
    ASSERT_TRUE(client(alice).open(open));
    service->pause(true);
    EXPECT_EQ(why(client(alice).terms(1)), text(DepositReason::kStopped));
    EXPECT_EQ(why(client(alice).open(fresh)), text(DepositReason::kStopped));
    ASSERT_TRUE(upload(client(alice), open, data));
    service->step(never);
    EXPECT_EQ(client(alice).state(open)->phase, DepositPhase::kSealing);  // and is not sealed yet
    service->pause(false);
    service->step(never);
    EXPECT_EQ(client(alice).state(open)->phase, DepositPhase::kSealed);
    EXPECT_TRUE(client(alice).open(fresh));
}

TEST_F(Deposits, QuotasHoldInTheMiddleOfAFile) {
    settings.clients[0].bytes = 2 * kBytes;
    settings.clients[1].count = 1;
    start();
    const DepositOrder first = order(alice, kBytes, 1);
    DepositOrder third = order(alice, kBytes, 3);
    ASSERT_TRUE(upload(client(alice), first, data));
    ASSERT_TRUE(upload(client(alice), order(alice, kBytes, 2), data));
    EXPECT_EQ(why(client(alice).terms(1)), text(DepositReason::kQuotaBytes));
    EXPECT_EQ(why(client(alice).open(third)), text(DepositReason::kQuotaBytes));
    ASSERT_TRUE(client(bob).open(order(bob, kBytes, 4)));
    EXPECT_EQ(why(client(bob).terms(1)), text(DepositReason::kQuotaCount));
    // What is removed makes room.
    ASSERT_TRUE(client(alice).remove(first, 1));
    service->step(never);
    EXPECT_TRUE(client(alice).open(third));
}

TEST_F(Deposits, TheFolderHasALimitAndAReserveStaysFree) {
    settings.limit_bytes = 3 * kBytes;
    start();
    const DepositOrder one = order(alice, kBytes);
    ASSERT_TRUE(client(alice).open(one));
    EXPECT_EQ(why(client(bob).terms(kBytes)), text(DepositReason::kNoSpace));
    settings.limit_bytes = std::uint64_t{1} << 40;
    settings.reserve_bytes = std::uint64_t{1} << 60;
    start();
    EXPECT_EQ(why(client(bob).terms(1)), text(DepositReason::kNoSpace));
    EXPECT_TRUE(client(alice).send_piece(one, 0, piece(data, 0)));  // was counted at its opening
}

TEST_F(Deposits, AFullDiskIsSaidAndTheUploadGoesOnAfterwards) {
    const DepositClient a = client(alice);
    const DepositOrder one = order(alice, kBytes);
    ASSERT_TRUE(a.open(one));
    ASSERT_TRUE(a.send_piece(one, 0, piece(data, 0)));
    {
        const test::FullDisk full(kPieceBytes + 1'000);
        EXPECT_FALSE(a.send_piece(one, 1, piece(data, 1)));
        EXPECT_EQ(a.state(one)->arrived, kPieceBytes);
        EXPECT_FALSE(service->counts().error.empty());
    }
    ASSERT_TRUE(upload(a, one, data));
    {
        const test::FullDisk full(kPieceBytes);
        service->step(never);
        EXPECT_EQ(a.state(one)->phase, DepositPhase::kSealing);
    }
    service->step(never);
    EXPECT_EQ(a.state(one)->phase, DepositPhase::kSealed);
}

TEST_F(Deposits, WhatWasNeverFinishedOrRegisteredIsDroppedAfterItsTime) {
    const DepositOrder one = order(alice, kBytes, 1);
    const DepositOrder two = order(alice, kBytes, 2);
    ASSERT_TRUE(client(alice).open(one));
    ASSERT_TRUE(client(alice).send_piece(one, 0, piece(data, 0)));
    ASSERT_TRUE(upload(client(alice), two, data));
    service->step(never);
    now_ms += std::uint64_t{settings.upload_s} * 1'000 + 1;
    service->step(never);
    EXPECT_EQ(client(alice).state(one)->phase, DepositPhase::kFailed);
    EXPECT_EQ(client(alice).state(one)->reason, DepositReason::kUploadTime);
    EXPECT_FALSE(std::filesystem::exists(file(one, ".part")));
    EXPECT_EQ(client(alice).state(two)->phase, DepositPhase::kSealed);
    // Registration written: it may be accepted any time.
    test::spill(file(two, ".registration"), Bytes{1});
    now_ms += std::uint64_t{settings.unregistered_s} * 1'000;
    service->step(never);
    EXPECT_EQ(client(alice).state(two)->phase, DepositPhase::kSealed);
    std::filesystem::remove(file(two, ".registration"));
    service->step(never);
    EXPECT_EQ(client(alice).state(two)->reason, DepositReason::kNotRegistered);
    EXPECT_FALSE(std::filesystem::exists(file(two, ".replica")));
    // The record goes in the end.
    now_ms += std::uint64_t{31} * 86'400'000;
    service->step(never);
    EXPECT_TRUE(service->deposits().empty());
    EXPECT_TRUE(std::filesystem::is_empty(settings.folder));
}

TEST_F(Deposits, ARegisteredDepositIsRemovedOnceItsChainOwesNothing) {
    const DepositClient a = client(alice);
    const DepositOrder one = order(alice, kBytes);
    ASSERT_TRUE(upload(a, one, data));
    service->step(never);
    chain = DepositChain{ChainId{sha256({})}, tip, tip, true, false};
    ASSERT_TRUE(a.remove(one, 7));
    service->step(never);
    EXPECT_GT(ends_asked, 0);
    EXPECT_EQ(a.state(one)->phase, DepositPhase::kExpiring);
    EXPECT_TRUE(std::filesystem::exists(file(one, ".replica")));
    start();  // the wish is on record
    chain->over = true;
    service->step(never);
    EXPECT_EQ(a.state(one)->phase, DepositPhase::kEnded);
    EXPECT_EQ(a.state(one)->reason, DepositReason::kRemoved);
    EXPECT_EQ(a.state(one)->counter, 7U);
    EXPECT_FALSE(std::filesystem::exists(file(one, ".replica")));
    EXPECT_FALSE(std::filesystem::exists(file(one, ".raw")));
    // Neither the wish nor the upload, replayed, changes anything.
    EXPECT_TRUE(a.remove(one, 7));
    EXPECT_EQ(a.open(one)->phase, DepositPhase::kEnded);
}

TEST_F(Deposits, DataThatChangedOnTheDiskAreNeverRegistered) {
    const DepositOrder one = order(alice, kBytes);
    ASSERT_TRUE(upload(client(alice), one, data));
    Bytes damaged = data;
    damaged[12'345] ^= 1;
    test::spill(file(one, ".part"), damaged);
    service->step(never);
    EXPECT_EQ(client(alice).state(one)->phase, DepositPhase::kFailed);
    EXPECT_EQ(client(alice).state(one)->reason, DepositReason::kDamaged);
    EXPECT_FALSE(std::filesystem::exists(file(one, ".replica")));
    EXPECT_EQ(looks, 0);
}

TEST_F(Deposits, AFloodIsToldToWait) {
    settings.bytes_per_second = 4'096;
    start();
    const DepositOrder one = order(alice, kBytes);
    ASSERT_TRUE(client(alice).open(one));
    ASSERT_TRUE(client(alice).send_piece(one, 0, piece(data, 0)));
    const auto second = client(alice).send_piece(one, 1, piece(data, 1));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kTimeout);
    EXPECT_TRUE(client(bob).terms(1));  // another's rate
}

TEST_F(Deposits, TwoClientsAtOnceWhileOthersAreSealed) {
    std::atomic<bool> stop{false};
    std::jthread worker([&] { service->run([&] { return stop.load(); }); });
    const auto bring = [&](const KeyPair& key, std::uint8_t first) {
        for (std::uint8_t n = 0; n < 3; ++n) {
            const Bytes own = some_bytes(kBytes, std::string(1, static_cast<char>(first + n)));
            const DepositOrder one = order(key, kBytes, static_cast<std::uint8_t>(first + n));
            EXPECT_TRUE(upload(client(key), one, own));
        }
    };
    {
        const std::jthread a([&] { bring(alice, 10); });
        const std::jthread b([&] { bring(bob, 20); });
    }
    for (int i = 0; i < 1'000 && service->counts().held < 6; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    stop = true;
    worker.join();
    EXPECT_EQ(service->counts().held, 6U);
    EXPECT_EQ(client(alice).list()->deposits.size(), 3U);
}

TEST_F(Deposits, GarbageIsRefusedAndAListIsPaged) {
    const auto told = decode_deposit_answer(service->handle(alice.public_key(), Bytes{1, 68, 99}));
    ASSERT_TRUE(told);
    EXPECT_EQ(std::get<DepositRefused>(*told).reason, DepositReason::kMalformed);
    for (std::uint8_t n = 1; n <= 3; ++n) ASSERT_TRUE(client(alice).open(order(alice, 100, n)));
    const auto first = client(alice).list({}, 2);
    ASSERT_TRUE(first);
    EXPECT_TRUE(first->more);
    const auto rest = client(alice).list(first->deposits.back().id, 2);
    ASSERT_TRUE(rest);
    EXPECT_EQ(rest->deposits.size(), 1U);
    EXPECT_FALSE(rest->more);
}

}  // namespace
}  // namespace holdfast
