// The availability engine's two sides, the journal and readers, in virtual time.
#include <gtest/gtest.h>

#include "availability/latency_meter.hpp"
#include "availability/score.hpp"
#include "support/availability_world.hpp"

namespace holdfast {
namespace {

using test::AvailabilityWorld;

/// One prover, one challenger, ready to challenge.
class AvailabilityEngine : public ::testing::Test {
  protected:
    static AvailabilityWorld& world() {
        static AvailabilityWorld shared(1, 1);
        return shared;
    }
    AvailabilityWorld& w = world();
    test::SimPeer& peer = w.peer(0);
    const test::SealedChain& sealed = *w.provers[0].chain;

    void SetUp() override {
        const auto handle = [this](const PublicKey& from, ByteView object) {
            return w.provers[0].responder->respond(from, object);
        };
        peer = test::SimPeer{};
        peer.handle = handle;
        peer.jitter_us = 0;
        peer.repeated_percent = peer.reordered_percent = 0;
    }
    /// The outcome of the next block's challenge.
    ChallengerReport next() {
        const ChallengerReport before = w.report;
        w.block();
        ChallengerReport r = w.report;
        r.sent -= before.sent;
        r.served -= before.served;
        r.late -= before.late;
        r.invalid -= before.invalid;
        r.unreachable -= before.unreachable;
        r.abandoned -= before.abandoned;
        return r;
    }
    /// A challenge of the only challenger for the height below the tip.
    Challenge2 challenge() {
        const Height h = w.world.tip() - 1;
        const auto entries = test::must(w.challengers[0].journal->entries());
        for (const JournalEntry& e : entries) {
            if (e.challenge.height == h) return e.challenge;
        }
        ADD_FAILURE() << "no challenge at the height";
        return {};
    }
    Reason answer_of(const Challenge2& c) {
        const auto r =
            w.provers[0].responder->respond(stranger, wrap_object(Kind::kChallenge2, c.encode()));
        return r ? Reason::kOk : r.error().verdict.reason;
    }
    KeyPair stranger_key = KeyPair::from_secret(view(tagged_hash("test/stranger")));
    PublicKey stranger = stranger_key.public_key();
};

TEST_F(AvailabilityEngine, TheDeadlineIsExactToTheMicrosecond) {
    struct Case {
        std::uint64_t total_us;
        bool served;
    };
    for (const Case& c :
         {Case{499'000, true}, Case{500'000, true}, Case{500'001, false}, Case{501'000, false}}) {
        peer.rtt_us = 20'000;
        peer.service_us = c.total_us - peer.rtt_us;
        const ChallengerReport r = next();
        EXPECT_EQ(r.served, c.served ? 1U : 0U) << c.total_us;
        EXPECT_EQ(r.late, c.served ? 0U : 1U) << c.total_us;
    }
}

TEST_F(AvailabilityEngine, WhatIsNoSignedResponseIsLateAndNeverInvalid) {
    const auto honest = peer.handle;
    peer.handle = [](const PublicKey&, ByteView) -> Result<Bytes> { return Bytes(5'000, 7); };
    EXPECT_EQ(next().late, 1U);
    peer.handle = [](const PublicKey&, ByteView) -> Result<Bytes> { return Bytes(); };
    EXPECT_EQ(next().late, 1U);
    // Signed by somebody else: nobody can be blamed.
    peer.handle = [&](const PublicKey& from, ByteView object) -> Result<Bytes> {
        auto bytes = honest(from, object);
        if (bytes) bytes->back() ^= 1;
        return bytes;
    };
    EXPECT_EQ(next().late, 1U);
    peer.down = true;
    EXPECT_EQ(next().unreachable, 1U);
}

TEST_F(AvailabilityEngine, NoTimestampOfAPeerTakesPartInAVerdict) {
    // A response has no field for a time, and no other byte of it can make a late answer served or
    // a timely one late: every byte changed is refused, whatever the peer writes there.
    const ResponseContext context{ChallengeId(tagged_hash("test/id")),
                                  sealed.key().public_key(),
                                  sealed.registration().sealed_root,
                                  sealed.chunks(),
                                  {0, 3, 7, 9}};
    const Response good = test::must(make_response(context, sealed.replica(), sealed.key()));
    const Bytes object = wrap_object(Kind::kResponse, good.encode());
    const auto judge = [&](const Bytes& bytes, std::uint32_t service_us) {
        return judge_reply(w.params, context, ChallengeReply{bytes, service_us, 1}).outcome;
    };
    EXPECT_EQ(judge(object, 499'000), OutcomeKind::kServed);
    EXPECT_EQ(judge(object, 501'000), OutcomeKind::kLate);
    for (std::size_t at = 0; at < object.size(); at += 61) {
        Bytes forged = object;
        forged[at] ^= 0x40;
        EXPECT_NE(judge(forged, 499'000), OutcomeKind::kServed) << at;
        EXPECT_NE(judge(forged, 501'000), OutcomeKind::kServed) << at;
    }
    Bytes longer = object;
    longer.insert(longer.end(), 8, 0);  // room for a time
    EXPECT_NE(judge(longer, 501'000), OutcomeKind::kServed);
    // The prover's own clock may stand still or run backwards.
    AvailabilityResponder clockless(w.params, [] { return std::uint64_t{0}; });
    EXPECT_EQ(clockless.respond(stranger, object).error().verdict.reason, Reason::kBadKind);
}

TEST_F(AvailabilityEngine, ChallengesThatNeedNotBeAnsweredAreIgnoredWithAReason) {
    (void)next();
    const Challenge2 c = challenge();
    EXPECT_EQ(answer_of(c), Reason::kDuplicateChallenge);
    Challenge2 other = c;
    other.height = c.height + 1;
    EXPECT_EQ(answer_of(other), Reason::kTooEarly);
    other.height = c.height - 1;
    EXPECT_EQ(answer_of(other), Reason::kTooLate);
    other = c;
    other.chain_id = ChainId(tagged_hash("test/other"));
    EXPECT_EQ(answer_of(other), Reason::kUnknownChain);
    // On a responder that has not answered yet.
    AvailabilityResponder fresh(w.params, w.time.clock(), {.bad = {.per_second = 1, .burst = 6}});
    ASSERT_TRUE(fresh.add_chain(sealed.id(), std::make_shared<Replica>(sealed.open_replica()),
                                std::make_shared<KeyPair>(test::SealedChain::prover_key(0))));
    const auto ask = [&](const Challenge2& asked) {
        const auto r = fresh.respond(stranger, wrap_object(Kind::kChallenge2, asked.encode()));
        return r ? Reason::kOk : r.error().verdict.reason;
    };
    EXPECT_EQ(ask(c), Reason::kTooEarly) << "nothing is final here yet";
    const Height tip = w.world.tip();
    const std::vector<ChallengerPart> in_force = {
        {w.challengers[0].key.public_key(), AvailabilityWorld::kChallengerBond}};
    fresh.on_final_block({c.height, c.block_hash, std::nullopt, in_force});
    fresh.on_final_block({tip, test::test_hash(tip), test::test_y(tip), in_force});
    EXPECT_EQ(ask(c), Reason::kNoEntropy);
    fresh.note_y(c.height, test::test_y(c.height));
    other = c;
    other.signature[3] ^= 1;
    EXPECT_EQ(ask(other), Reason::kBadSignature);
    other = make_challenge2(w.params.id(), c.chain_id, c.height, c.block_hash, c.y, Reveal{},
                            stranger_key)
                .value();
    EXPECT_EQ(ask(other), Reason::kNotAssigned);
    other = c;
    other.block_hash = BlockHash(tagged_hash("test/branch"));
    EXPECT_EQ(ask(other), Reason::kWrongBlock);
    EXPECT_EQ(ask(c), Reason::kOk) << "forgeries before it do not spoil the true one";
    EXPECT_EQ(ask(other), Reason::kDuplicateChallenge);
    EXPECT_EQ(ask(other), Reason::kBusy) << "six bad ones are what a stranger may send";
    w.time.pass_us(1'000'000);
    EXPECT_EQ(ask(other), Reason::kDuplicateChallenge);
    EXPECT_EQ(fresh.statistics().answered, 1U);
}

TEST_F(AvailabilityEngine, OpenChallengesSurviveARestartAndNoneLeavesTwice) {
    test::TempFolder folder;
    JournalEntry entry;
    entry.challenge.height = Height(500);
    const auto with_chain = [&](const char* name) {
        entry.challenge.chain_id = ChainId(sha256(view(std::string_view(name))));
        return entry;
    };
    const JournalEntry drawn[] = {with_chain("planned"), with_chain("sent"),
                                  with_chain("measured")};
    std::vector<ChallengeKey> keys;
    for (const JournalEntry& e : drawn) keys.push_back(key_of(e.challenge));
    const Response response =
        sign_response(ChallengeId{}, Bytes(64), w.provers[0].chain->key()).value();
    const Outcome2 outcome = make_outcome2(ChallengeId{}, Reveal{}, OutcomeKind::kServed, 9, 1,
                                           &response, w.challengers[0].key)
                                 .value();
    {
        const auto journal = test::must(ChallengeJournal::open(folder / "j", w.params.id()));
        EXPECT_EQ(test::must(journal->plan(Height(500), drawn)), 3U);
        EXPECT_EQ(test::must(journal->plan(Height(500), drawn)), 0U);
        EXPECT_EQ(test::must(journal->begin_sending(std::span(keys).subspan(1))).size(), 2U);
        EXPECT_TRUE(test::must(journal->begin_sending(std::span(keys).subspan(1))).empty());
        ASSERT_TRUE(journal->note_outcome(keys[2], outcome, Bytes{1, 2}));
        EXPECT_FALSE(journal->note_outcome(keys[2], outcome));
        EXPECT_FALSE(ChallengeJournal::open(folder / "j", w.params.id()));
    }
    const auto journal = test::must(ChallengeJournal::open(folder / "j", w.params.id()));
    EXPECT_EQ(journal->abandoned_at_open(), 1U);
    const auto state = [&](std::size_t i) {
        return test::must(journal->find(keys[i])).value().state;
    };
    EXPECT_EQ(state(0), JournalState::kPlanned);
    EXPECT_EQ(state(1), JournalState::kAbandoned) << "its answer is lost: nothing is said of it";
    EXPECT_EQ(state(2), JournalState::kMeasured);
    EXPECT_EQ(test::must(journal->answer(keys[2])), (Bytes{1, 2}));
    EXPECT_EQ(test::must(journal->begin_sending(keys)).size(), 1U);
    ASSERT_TRUE(journal->forget(Height(501)));
    EXPECT_EQ(test::must(journal->entries()).size(), 1U) << "what is measured is published first";
    EXPECT_FALSE(journal->plan(Height(500), drawn));
}

TEST(AvailabilityScore, MovesAsTheAverageInExactIntegers) {
    AvailabilityScore s;
    EXPECT_EQ(s.per_mille(), 1'000U);
    for (int i = 0; i < 40; ++i) s.note(OutcomeKind::kLate);
    EXPECT_EQ(s.level(), ScoreLevel::kGood);  // 0.999^40 = 0.9607
    s.note(OutcomeKind::kUnreachable);
    EXPECT_EQ(s.level(), ScoreLevel::kWatched);
    for (int i = 0; i < 470; ++i) s.note(OutcomeKind::kInvalid);
    EXPECT_EQ(s.level(), ScoreLevel::kPoor);  // 0.999^511 = 0.5997, 0.999^510 = 0.6003
    for (int i = 0; i < 20'000; ++i) s.note(OutcomeKind::kServed);
    EXPECT_EQ(s.level(), ScoreLevel::kGood);
    EXPECT_LE(s.alpha, AvailabilityScore::kBeginning);
    const OutcomeRecord records[] = {{Height(1), {}, OutcomeKind::kServed},
                                     {Height(2), {}, OutcomeKind::kLate}};
    AvailabilityScore noted;
    noted.note(OutcomeKind::kServed);
    noted.note(OutcomeKind::kLate);
    EXPECT_EQ(score_of(records), noted);
}

TEST(PeerBudget, RefillsExactlyAndRemembersNoMoreThanItMay) {
    std::uint64_t now = 5;
    PeerBudget budget({.per_second = 3, .burst = 2, .peers = 2}, [&] { return now; });
    PublicKey a, b, c;
    b[0] = 1;
    c[0] = 2;
    EXPECT_EQ(budget.take(a, 2), 0U);
    EXPECT_EQ(budget.take(a, 1), 334U);
    EXPECT_EQ(budget.take(b, 1), 0U);
    EXPECT_GT(budget.take(c, 1), 0U) << "no place for a third";
    now += 333'333'333;
    EXPECT_GT(budget.take(a, 1), 0U);
    now += 1;
    EXPECT_EQ(budget.take(a, 1), 0U);
    EXPECT_EQ(budget.take(c, 1), 0U) << "b was full again and is forgotten";
    EXPECT_EQ(budget.remembered(), 2U);
}

class Readers : public AvailabilityEngine {
  protected:
    Readers() : server(w.time.clock(), {.chunks = {.per_second = 100, .burst = 64}}) {
        test::must(server.add_chain(sealed.id(), std::make_shared<Replica>(sealed.open_replica()),
                                    sealed.folder() / "source"));
    }
    ReadAnswer ask(const ReadRequest& request) {
        return ReadAnswer::decode(server.handle(stranger, request.encode())).value();
    }
    ReadContext context(ReadWhat what) const {
        const Registration& r = sealed.registration();
        return {what == ReadWhat::kRaw ? r.header.raw_root : r.sealed_root, sealed.chunks()};
    }
    ChunkServer server;
};

TEST_F(Readers, EveryRangeIsServedWithAProofThatHolds) {
    for (const ReadWhat what : {ReadWhat::kSealed, ReadWhat::kRaw}) {
        for (std::uint64_t first = 0; first < 16; first += 5) {
            const ReadRequest request{sealed.id(), what, ChunkIndex(first),
                                      static_cast<std::uint32_t>(16 - first)};
            w.time.pass_us(1'000'000);
            ReadAnswer answer = ask(request);
            ASSERT_EQ(answer.status, ReadStatus::kData);
            Bytes& payload = answer.chunks_and_siblings;
            EXPECT_EQ(check_read_payload(context(what), request, payload), Verdict::ok());
            payload[payload.size() / 2] ^= 1;
            EXPECT_EQ(check_read_payload(context(what), request, payload).reason,
                      Reason::kBadMultiproof);
            payload.pop_back();
            EXPECT_EQ(check_read_payload(context(what), request, payload).reason,
                      Reason::kProofLength);
        }
    }
}

TEST_F(Readers, BadRequestsAreRefusedAndTooManyAreToldToWait) {
    const ReadRequest whole{sealed.id(), ReadWhat::kSealed, ChunkIndex(0), 16};
    EXPECT_EQ(ask({sealed.id(), ReadWhat::kSealed, ChunkIndex(15), 2}).reason, Reason::kBadIndex);
    EXPECT_EQ(ask({sealed.id(), ReadWhat::kSealed, ChunkIndex(UINT64_MAX), 2}).reason,
              Reason::kBadIndex);
    EXPECT_EQ(ask({ChainId{}, ReadWhat::kSealed, ChunkIndex(0), 1}).reason, Reason::kUnknownChain);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(whole).status, ReadStatus::kData);
    const ReadAnswer wait = ask(whole);
    ASSERT_EQ(wait.status, ReadStatus::kBusy);  // 64 units less 3 bad requests and 48 chunks
    EXPECT_EQ(wait.retry_ms, 30U);
    w.time.pass_us(30'000);
    EXPECT_EQ(ask(whole).status, ReadStatus::kData);
    ReadRequest many = whole;
    many.count = kMaxReadChunks + 1;
    EXPECT_EQ(ReadRequest::decode(many.encode()).error().reason, Reason::kTooLarge);
    many.count = 0;
    EXPECT_EQ(ReadRequest::decode(many.encode()).error().reason, Reason::kBadField);
    EXPECT_EQ(server.statistics().busy, 1U);
}

TEST_F(Readers, DamagedAndForeignDataAreNeverServed) {
    test::TempFolder folder;
    Bytes data = test::must(read_file(sealed.folder() / "source", 1 << 20));
    data[9'000] ^= 1;
    ASSERT_TRUE(write_file(folder / "changed", data));
    ChunkServer other(w.time.clock());
    const auto replica = std::make_shared<Replica>(sealed.open_replica());
    test::must(other.add_chain(sealed.id(), replica, folder / "changed"));
    const auto raw = [&](std::uint64_t first) {
        const ReadRequest r{sealed.id(), ReadWhat::kRaw, ChunkIndex(first), 1};
        return ReadAnswer::decode(other.handle(stranger, r.encode())).value();
    };
    EXPECT_EQ(raw(1).status, ReadStatus::kData);
    EXPECT_EQ(raw(2).reason, Reason::kRootMismatch);
    EXPECT_EQ(other.statistics().failed, 1U);
    data.pop_back();
    ASSERT_TRUE(write_file(folder / "short", data));
    EXPECT_FALSE(ChunkServer(w.time.clock()).add_chain(sealed.id(), replica, folder / "short"));
    ChunkServer cold(w.time.clock());
    test::must(cold.add_chain(sealed.id(), replica));
    const ReadRequest r{sealed.id(), ReadWhat::kRaw, ChunkIndex(0), 1};
    EXPECT_EQ(ReadAnswer::decode(cold.handle(stranger, r.encode())).value().reason,
              Reason::kNetworkPolicy);
}

TEST_F(Readers, LatencyIsMeasuredByPingsAndVerifiedChunksInTurn) {
    PeerService service(w.provers[0].responder.get(), &server);
    peer.handle = [&](const PublicKey& from, ByteView object) {
        w.time.pass_us(100'000);  // so that budgets refill
        return service.handle(from, object);
    };
    std::uint64_t n = 0;
    const auto count = [&] { return n++; };
    const LatencyPlan plan{sealed.id(), context(ReadWhat::kSealed)};
    auto measured = measure_peer(*w.challengers[0].network, sealed.key().public_key(), plan, count);
    ASSERT_TRUE(measured) << measured.error().message;
    EXPECT_EQ(measured->ping_us.median, 20'000U);
    EXPECT_EQ(measured->service_us.minimum, 28'000U);
    EXPECT_EQ(measured->answered, 21U);
    EXPECT_FALSE(measured->relay_hint || measured->far || measured->unstable);
    peer.service_us = 20'000;
    measured = measure_peer(*w.challengers[0].network, sealed.key().public_key(), plan, count);
    EXPECT_TRUE(measured->relay_hint);
    peer.rtt_us = 100'001;
    measured = measure_peer(*w.challengers[0].network, sealed.key().public_key(), plan, count);
    EXPECT_TRUE(measured->far);
    peer.lost_percent = 100;
    measured = measure_peer(*w.challengers[0].network, sealed.key().public_key(), plan, count);
    EXPECT_EQ(measured.error().verdict.reason, Reason::kTooFewSamples);
}

TEST_F(Readers, APlaceIsRefusedByAnyVantageAndAcceptedByNoSingleOne) {
    test::SimNetwork& network = *w.challengers[0].network;
    const auto check = [&] {
        return test::must(check_claimed_place(network, stranger, Place{}, 3, 100)).reason;
    };
    network.places = {{"a", 10'000'000, 1'000'000}, {"b", 10'000'000, 1'400'000}};
    EXPECT_EQ(check(), Reason::kTooFewSamples);
    network.places.push_back({"c", 20'000'000, 2'900'000});
    EXPECT_EQ(check(), Reason::kOk);
    network.places.push_back({"d", 10'000'000, 1'500'000});  // light needs 10.007 ms
    EXPECT_EQ(check(), Reason::kImpossiblePlace);
}

}  // namespace
}  // namespace holdfast
