// Guard, retry, cache, recording and replay around hosts that throw, hang, lie and stumble.

#include "callbacks/intercept.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "callbacks/cache.hpp"
#include "callbacks/guard.hpp"
#include "callbacks/retry.hpp"
#include "core/codec.hpp"
#include "core/hash.hpp"
#include "embedded/bond_ledger.hpp"
#include "embedded/call_log.hpp"
#include "embedded/local_chain.hpp"
#include "storage/file.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

using test::TempFolder;

BlockHash hash_of(std::uint64_t n) { return BlockHash(tagged_hash("test/block", n)); }

/// A chain whose answers the test sets, and which counts how often it was asked.
class ScriptedChain final : public Blockchain {
  public:
    std::function<Result<BlockInfo>(Height)> block = [](Height h) -> Result<BlockInfo> {
        return BlockInfo{h, hash_of(h.value), hash_of(h.value - 1), 1'000 * h.value, h.value < 10};
    };
    std::atomic<unsigned> asked = 0;

    Result<Height> current_height() override { return Height(12); }
    Result<BlockInfo> block_by_height(Height h) override {
        ++asked;
        return block(h);
    }
    Status submit(Kind, ByteView) override {
        ++asked;
        return {};
    }
    Result<std::vector<BondEvent>> bond_events_at(Height) override {
        return std::vector<BondEvent>();
    }
    Result<std::vector<Submission>> submissions_at(Height h) override {
        ++asked;
        return std::vector<Submission>{{Kind::kRemoval, Bytes(h.value, 7)}};
    }
};

/// Lets nobody through until it is opened.
class Gate {
  public:
    void wait() {
        std::unique_lock lock(mutex_);
        opened_.wait(lock, [&] { return open_; });
    }
    void open() {
        const std::scoped_lock lock(mutex_);
        open_ = true;
        opened_.notify_all();
    }

  private:
    std::mutex mutex_;
    std::condition_variable opened_;
    bool open_ = false;
};

template <class Host>
std::shared_ptr<Host> behind(const std::shared_ptr<Host>& host,
                             const std::shared_ptr<Interceptor>& by) {
    auto out = intercept(host, by);
    EXPECT_TRUE(out) << out.error().message;
    return out ? *out : nullptr;
}

std::shared_ptr<Interceptor> guard(std::uint32_t timeout_ms, unsigned max_calls = 4) {
    return make_guard({.timeout_ms = timeout_ms, .max_calls = max_calls}).value();
}

TEST(Intercept, RefusesNullsAndSenselessOptions) {
    const std::shared_ptr<Blockchain> chain = std::make_shared<ScriptedChain>();
    EXPECT_EQ(intercept(std::shared_ptr<Blockchain>(), guard(10)).error().code,
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(intercept(std::shared_ptr<Token>(), guard(10)).error().code,
              ErrorCode::kInvalidArgument);
    EXPECT_EQ(intercept(chain, nullptr).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(answered_by(nullptr).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(make_guard({.timeout_ms = 0}).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(make_guard({.max_calls = 0}).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(make_retry({}).error().code, ErrorCode::kInvalidArgument);
    const auto wait = [](std::uint32_t) { return true; };
    EXPECT_EQ(make_retry({.attempts = 0, .wait = wait}).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(make_retry({.jitter_percent = 101, .wait = wait}).error().code,
              ErrorCode::kInvalidArgument);
}

// --- guard ---------------------------------------------------------------------------------------

TEST(Guard, PassesAnswersAndErrorsOn) {
    const auto host = std::make_shared<ScriptedChain>();
    const auto chain = behind<Blockchain>(host, guard(5'000));
    EXPECT_EQ(chain->block_by_height(Height(3)).value(), host->block(Height(3)).value());
    EXPECT_EQ(chain->submissions_at(Height(4)).value(), host->submissions_at(Height(4)).value());
    host->block = [](Height) { return fail_refused(Verdict(Reason::kBadField, 7), "it"); };
    const auto refused = chain->block_by_height(Height(3));
    EXPECT_EQ(refused.error().code, ErrorCode::kRefused);
    EXPECT_EQ(refused.error().verdict, Verdict(Reason::kBadField, 7));
}

TEST(Guard, AnExceptionIsAnError) {
    const auto host = std::make_shared<ScriptedChain>();
    const auto chain = behind<Blockchain>(host, guard(5'000));
    host->block = [](Height) -> Result<BlockInfo> { throw std::runtime_error("no such luck"); };
    const auto answer = chain->block_by_height(Height(1));
    EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(answer.error().message.find("no such luck"), std::string::npos);
    host->block = [](Height) -> Result<BlockInfo> { throw 7; };
    EXPECT_EQ(chain->block_by_height(Height(1)).error().code, ErrorCode::kUnavailable);
}

TEST(Guard, AHangingHostCostsItsTimeOutAndItsLateAnswerIsThrownAway) {
    const auto host = std::make_shared<ScriptedChain>();
    const auto gate = std::make_shared<Gate>();
    host->block = [gate](Height h) -> Result<BlockInfo> {
        if (h.value == 1) gate->wait();
        return BlockInfo{h, hash_of(1), hash_of(2), 0, false};
    };
    const auto chain = behind<Blockchain>(host, guard(300));
    EXPECT_EQ(chain->block_by_height(Height(1)).error().code, ErrorCode::kTimeout);
    EXPECT_TRUE(chain->current_height());
    gate->open();
    EXPECT_TRUE(behind<Blockchain>(host, guard(5'000))->block_by_height(Height(1)));
}

TEST(Guard, HangingCallsAreBoundedAndOutliveTheGuard) {
    auto host = std::make_shared<ScriptedChain>();
    const std::weak_ptr<ScriptedChain> watched = host;
    const auto gate = std::make_shared<Gate>();
    host->block = [gate](Height h) -> Result<BlockInfo> {
        gate->wait();
        return BlockInfo{h, {}, {}, 0, false};
    };
    auto chain = behind<Blockchain>(host, guard(300, 2));
    EXPECT_EQ(chain->block_by_height(Height(1)).error().code, ErrorCode::kTimeout);
    EXPECT_EQ(chain->block_by_height(Height(2)).error().code, ErrorCode::kTimeout);
    EXPECT_EQ(chain->block_by_height(Height(3)).error().code, ErrorCode::kBusy);
    EXPECT_EQ(chain->current_height().error().code, ErrorCode::kBusy);
    EXPECT_EQ(host->asked, 2U);
    chain.reset();  // does not wait for the two
    host.reset();
    EXPECT_FALSE(watched.expired()) << "a hanging call keeps what it uses";
    gate->open();
    for (int i = 0; i < 5'000 && !watched.expired(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_TRUE(watched.expired());
}

TEST(Guard, ManyThreadsShareItsCalls) {
    const auto host = std::make_shared<ScriptedChain>();
    const auto chain = behind<Blockchain>(host, guard(60'000, 2));
    std::atomic<unsigned> good = 0;
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 6; ++t) {
        threads.emplace_back([&, t] {
            for (std::uint64_t i = 0; i < 50; ++i) {
                const auto block = chain->block_by_height(Height(1 + t * 50 + i));
                if (block && block->hash == hash_of(1 + t * 50 + i)) ++good;
            }
        });
    }
    for (auto& t : threads) t.join();
    EXPECT_EQ(good, 300U);
}

// --- answers that cannot be true -----------------------------------------------------------------

/// A token that says whatever the test likes.
class LyingToken final : public Token {
  public:
    BondInfo info;
    std::uint64_t taken = 0;
    Result<BondId> create_bond(const PublicKey&, std::uint64_t, BondPurpose,
                               const IdempotencyKey&) override {
        return BondId{};
    }
    Result<std::uint64_t> release_bond(const BondId&, std::uint64_t,
                                       const IdempotencyKey&) override {
        return std::uint64_t{0};
    }
    Result<std::uint64_t> slash_bond(const BondId&, std::uint64_t, const OffenceId&,
                                     const IdempotencyKey&) override {
        return taken;
    }
    Status pay_reward(const PublicKey&, std::uint64_t, const Digest&,
                      const IdempotencyKey&) override {
        return {};
    }
    Result<BondInfo> bond_info(const BondId&) override { return info; }
};

class LyingBeacon final : public Beacon {
  public:
    BeaconRound value;
    Result<BeaconRound> randomness(std::uint64_t) override { return value; }
    Status verify(std::uint64_t, const BeaconRound&) override { return {}; }
};

TEST(Intercept, AnswersThatCannotBeTrueAreNotUsed) {
    const auto host = std::make_shared<ScriptedChain>();
    const auto chain = behind<Blockchain>(host, make_call_cache());
    host->block = [](Height h) { return BlockInfo{h + 1, {}, {}, 0, true}; };
    EXPECT_EQ(chain->block_by_height(Height(1)).error().code, ErrorCode::kUnavailable);

    const auto liar = std::make_shared<LyingToken>();
    const auto token = behind<Token>(liar, guard(5'000));
    liar->taken = 11;
    EXPECT_EQ(token->slash_bond({}, 10, {}, {}).error().code, ErrorCode::kUnavailable);
    liar->taken = 10;
    EXPECT_TRUE(token->slash_bond({}, 10, {}, {}));
    const BondId bond(tagged_hash("test/bond"));
    const BondInfo honest{bond, {}, BondPurpose::kStorage, BondState::kHeld, 10, 7, 3};
    liar->info = honest;
    EXPECT_EQ(token->bond_info(bond).value(), honest);
    EXPECT_EQ(token->bond_info(BondId{}).error().code, ErrorCode::kUnavailable);
    for (const auto& spoil : std::vector<std::function<void(BondInfo&)>>{
             [](BondInfo& i) { i.held_amount = 8; }, [](BondInfo& i) { i.slashed_amount = 11; },
             [](BondInfo& i) { i.state = BondState::kReleased; },
             [](BondInfo& i) { i.state = static_cast<BondState>(9); },
             [](BondInfo& i) { i.purpose = static_cast<BondPurpose>(0); }}) {
        liar->info = honest;
        spoil(liar->info);
        EXPECT_EQ(token->bond_info(bond).error().code, ErrorCode::kUnavailable);
    }

    const auto false_beacon = std::make_shared<LyingBeacon>();
    const auto beacon = behind<Beacon>(false_beacon, guard(5'000));
    false_beacon->value.round = 4;
    EXPECT_EQ(beacon->randomness(5).error().code, ErrorCode::kUnavailable);
    EXPECT_TRUE(beacon->randomness(4));
    false_beacon->value.proof.resize(kMaxBeaconProofBytes + 1);
    EXPECT_EQ(beacon->randomness(4).error().code, ErrorCode::kUnavailable);
}

// --- retry ---------------------------------------------------------------------------------------

TEST(Retry, AsksAgainWithLongerWaits) {
    const auto host = std::make_shared<ScriptedChain>();
    unsigned failures = 3;
    host->block = [&](Height h) -> Result<BlockInfo> {
        if (failures > 0 && failures-- > 0) return fail(ErrorCode::kTimeout, "not yet");
        return BlockInfo{h, {}, {}, 0, false};
    };
    std::vector<std::uint32_t> waits;
    const auto retry = make_retry({.attempts = 5,
                                   .first_wait_ms = 100,
                                   .max_wait_ms = 350,
                                   .jitter_percent = 20,
                                   .wait =
                                       [&](std::uint32_t ms) {
                                           waits.push_back(ms);
                                           return true;
                                       }})
                           .value();
    EXPECT_TRUE(behind<Blockchain>(host, retry)->block_by_height(Height(1)));
    ASSERT_EQ(waits.size(), 3U);
    const std::uint32_t full[] = {100, 200, 350};
    for (int i = 0; i < 3; ++i) {
        EXPECT_LE(waits[i], full[i]);
        EXPECT_GE(waits[i], full[i] * 8 / 10);
    }
}

TEST(Retry, GivesUpStopsAndLeavesOtherErrorsAlone) {
    const auto host = std::make_shared<ScriptedChain>();
    ErrorCode code = ErrorCode::kBusy;
    host->block = [&](Height) { return fail(code, "no"); };
    bool go_on = true;
    const auto retry =
        make_retry({.attempts = 4, .wait = [&](std::uint32_t) { return go_on; }}).value();
    const auto chain = behind<Blockchain>(host, retry);
    const auto exhausted = chain->block_by_height(Height(1));
    EXPECT_EQ(exhausted.error().code, ErrorCode::kBusy);
    EXPECT_NE(exhausted.error().message.find("4 of 4"), std::string::npos);
    EXPECT_EQ(host->asked, 4U);
    code = ErrorCode::kNotFound;
    EXPECT_EQ(chain->block_by_height(Height(1)).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(host->asked, 5U);
    code = ErrorCode::kUnavailable;
    go_on = false;
    EXPECT_EQ(chain->block_by_height(Height(1)).error().code, ErrorCode::kInterrupted);
    EXPECT_EQ(host->asked, 6U);
}

class DeafNetwork final : public Network {
  public:
    unsigned challenges = 0;
    unsigned others = 0;
    Result<std::vector<Peer>> peers() override {
        ++others;
        return fail(ErrorCode::kUnavailable, "deaf");
    }
    Result<std::vector<std::uint64_t>> measure_latency(const PublicKey&, std::uint32_t,
                                                       std::uint32_t) override {
        return std::vector<std::uint64_t>(7, 1);
    }
    Result<ChallengeReply> send_challenge(const PublicKey&, ByteView, std::uint32_t) override {
        ++challenges;
        return fail(ErrorCode::kTimeout, "deaf");
    }
    Result<std::vector<VantageReport>> verify_place(const PublicKey&, const Place&,
                                                    std::uint32_t) override {
        return std::vector<VantageReport>{{"here", 1, 2}};
    }
};

TEST(Retry, AChallengeLeavesOnce) {
    const auto host = std::make_shared<DeafNetwork>();
    const auto retry =
        make_retry({.attempts = 3, .wait = [](std::uint32_t) { return true; }}).value();
    const auto network = behind<Network>(host, retry);
    EXPECT_EQ(network->send_challenge({}, Bytes{1}, 500).error().code, ErrorCode::kTimeout);
    EXPECT_EQ(host->challenges, 1U);
    EXPECT_FALSE(network->peers());
    EXPECT_EQ(host->others, 3U);
    EXPECT_EQ(network->measure_latency({}, 5, 10).error().code, ErrorCode::kUnavailable)
        << "seven samples where five were asked for";
    EXPECT_EQ(network->verify_place({}, {}, 10)->size(), 1U);
}

// --- cache ---------------------------------------------------------------------------------------

TEST(CallCache, KeepsWhatIsFixedForGoodAndNothingElse) {
    const auto host = std::make_shared<ScriptedChain>();
    const auto cache = make_call_cache();
    const auto chain = behind<Blockchain>(host, cache);
    const auto twice = [&](auto call) {
        const unsigned before = host->asked;
        EXPECT_TRUE(call());
        EXPECT_TRUE(call());
        return host->asked - before;
    };
    EXPECT_EQ(twice([&] { return chain->submissions_at(Height(3)); }), 2U) << "is 3 final?";
    EXPECT_EQ(twice([&] { return chain->block_by_height(Height(3)); }), 1U);
    EXPECT_EQ(twice([&] { return chain->submissions_at(Height(3)); }), 1U);
    EXPECT_EQ(twice([&] { return chain->block_by_height(Height(11)); }), 2U) << "not final";
    EXPECT_EQ(twice([&] { return chain->submissions_at(Height(11)); }), 2U);
    EXPECT_EQ(twice([&] { return chain->submit(Kind::kRemoval, Bytes{1}); }), 2U);
    EXPECT_EQ(cache->statistics().entries, 2U);
    EXPECT_EQ(cache->statistics().hits, 2U);
    EXPECT_EQ(chain->submissions_at(Height(3)).value(), host->submissions_at(Height(3)).value());
}

TEST(CallCache, StaysUnderItsCeilingAndForgetsABadRound) {
    const auto host = std::make_shared<ScriptedChain>();
    const auto cache = make_call_cache({.max_bytes = 2'000});
    const auto chain = behind<Blockchain>(host, cache);
    for (int round = 0; round < 20; ++round) {
        for (std::uint64_t h = 1; h < 10; ++h) EXPECT_TRUE(chain->block_by_height(Height(h)));
    }
    EXPECT_LE(cache->statistics().bytes, 2'000U);
    EXPECT_GE(cache->statistics().entries, 4U);

    class Unsteady final : public Beacon {
      public:
        std::uint8_t says = 1;
        Result<BeaconRound> randomness(std::uint64_t round) override {
            BeaconRound value{round, {}, {}};
            value.randomness.bytes[0] = says;
            return value;
        }
        Status verify(std::uint64_t, const BeaconRound& value) override {
            if (value.randomness.bytes[0] == 2) return {};
            return fail_refused(Reason::kBadBeacon, "it");
        }
    };
    const auto unsteady = std::make_shared<Unsteady>();
    const auto beacon = behind<Beacon>(unsteady, make_call_cache());
    const BeaconRound bad = beacon->randomness(5).value();
    unsteady->says = 2;
    EXPECT_EQ(beacon->randomness(5).value(), bad) << "a round has one value";
    EXPECT_FALSE(beacon->verify(5, bad));
    const BeaconRound good = beacon->randomness(5).value();
    EXPECT_NE(good, bad);
    EXPECT_TRUE(beacon->verify(5, good));
}

// --- record and replay ---------------------------------------------------------------------------

TEST(CallLog, ReplaysALedgerAndAChainWithoutThem) {
    const TempFolder t;
    const NetworkId network(tagged_hash("test/network"));
    PublicKey owner;
    owner[0] = 1;
    const auto key = [](std::uint64_t n) { return IdempotencyKey(tagged_hash("test/key", n)); };
    // The same calls, of the host and of the log; what they were told, as text.
    const auto story = [&](Token& token, Blockchain& chain) {
        std::string told;
        const auto note = [&](const auto& r) {
            told += r ? "ok;" : std::string(to_string(r.error().code)) + r.error().message + ";";
        };
        note(token.create_bond(owner, 5'000, BondPurpose::kStorage, key(1)));
        const auto bond = token.create_bond(owner, 300, BondPurpose::kStorage, key(2));
        note(bond);
        told += to_hex(*bond) + ";";
        note(token.slash_bond(*bond, 20, {}, key(3)));
        told += std::to_string(token.bond_info(*bond)->held_amount) + ";";
        note(token.pay_reward(owner, 10, {}, key(4)));
        told += std::to_string(token.release_bond(*bond, UINT64_MAX, key(5)).value()) + ";";
        told += std::to_string(token.bond_info(*bond)->held_amount) + ";";
        note(chain.submit(Kind::kRemoval, Bytes{1, 2}));
        note(chain.block_by_height(Height(99)));
        told += std::to_string(chain.current_height()->value) + ";";
        told += std::to_string(chain.block_by_height(Height(1))->time_ms) + ";";
        note(chain.submissions_at(Height(1)));
        return told;
    };
    std::string told;
    {
        auto opened = BondLedger::open(t / "ledger", network);
        ASSERT_TRUE(opened);
        const std::shared_ptr<BondLedger> ledger = std::move(*opened);
        ASSERT_TRUE(ledger->issue(owner, 1'000, key(0)));
        const auto chain = std::make_shared<ScriptedChain>();
        const auto recorder = CallRecorder::open(t / "calls").value();
        EXPECT_EQ(CallRecorder::open(t / "calls").error().code, ErrorCode::kBusy);
        told = story(*behind<Token>(ledger, recorder), *behind<Blockchain>(chain, recorder));
        EXPECT_TRUE(recorder->status());
    }
    const auto replay = CallReplay::open(t / "calls").value();
    EXPECT_EQ(replay->remaining(), 12U);
    const HostInterfaces hosts = answered_by(replay).value();
    EXPECT_EQ(story(*hosts.token, *hosts.blockchain), told);
    EXPECT_EQ(replay->remaining(), 0U);
    EXPECT_EQ(hosts.blockchain->current_height().error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(hosts.network->peers().error().code, ErrorCode::kUnavailable);
}

TEST(CallLog, ADamagedLogIsReported) {
    const TempFolder t;
    EXPECT_EQ(CallReplay::open(t / "none").error().code, ErrorCode::kNotFound);
    {
        const auto recorder = CallRecorder::open(t / "calls").value();
        const auto chain = behind<Blockchain>(std::make_shared<ScriptedChain>(), recorder);
        for (std::uint64_t h = 1; h <= 3; ++h) EXPECT_TRUE(chain->block_by_height(Height(h)));
    }
    const Bytes whole = read_file(t / "calls", 1 << 20).value();
    const Bytes torn(whole.begin(), whole.end() - 5);
    ASSERT_TRUE(write_file(t / "torn", torn));
    EXPECT_EQ(CallReplay::open(t / "torn").value()->remaining(), 2U);
    unsigned calls = 0;
    const auto found = read_call_log(t / "torn", [&](const RecordedCall&) -> Status {
        ++calls;
        return {};
    });
    EXPECT_EQ(calls, 2U);
    EXPECT_GT(found->cut_bytes, 0U);
    // A record that is whole and not a call.
    auto log = RecordLog::open(t / "other").value();
    ASSERT_TRUE(log.append(Bytes{9, 9, 9}));
    EXPECT_EQ(CallReplay::open(t / "other").error().code, ErrorCode::kCorrupt);
}

TEST(CallLog, EveryOtherRecordIsRefused) {
    Writer w;
    w.u8(1).u8(2).u64(8).u64(5).u8(0).u8(10).u64(2).raw(view("no")).u32(3).u8(1).u64(9);
    const Bytes good = w.bytes();
    const auto call = decode_recorded_call(good);
    ASSERT_TRUE(call);
    EXPECT_EQ(call->call.function, HostFunction::kBlockByHeight);
    EXPECT_EQ(call->answer.error().message, "no");
    EXPECT_EQ(call->answer.error().verdict.index, 9U);
    for (std::size_t n = 0; n < good.size(); ++n) {
        EXPECT_FALSE(decode_recorded_call(ByteView(good).first(n))) << n;
    }
    Bytes longer = good;
    longer.push_back(0);
    EXPECT_EQ(decode_recorded_call(longer).error(), Verdict(Reason::kTrailingBytes));
    const auto with = [&](std::size_t at, std::uint8_t value) {
        Bytes bytes = good;
        bytes[at] = value;
        return decode_recorded_call(bytes);
    };
    EXPECT_EQ(with(0, 2).error(), Verdict(Reason::kBadVersion));
    EXPECT_EQ(with(1, 6).error(), Verdict(Reason::kBadField));
    EXPECT_FALSE(with(9, 255)) << "a length beyond the end";
    EXPECT_EQ(with(18, 2).error(), Verdict(Reason::kBadField));
    EXPECT_EQ(with(19, 200).error(), Verdict(Reason::kBadField));
}

}  // namespace
}  // namespace holdfast
