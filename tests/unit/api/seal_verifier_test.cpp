// Seal proofs of strangers: order of the checks, ceilings, turns, deadlines.
#include "api/seal_verifier.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "api/seal_prover.hpp"
#include "support/seal_world.hpp"

namespace holdfast {
namespace {

using namespace std::chrono_literals;

/// A sealed replica of several windows, and proofs about it.
struct SealVerifierTest : ::testing::Test {
    test::SealWorld world;
    NetworkId network_id;
    Registration registration;
    std::optional<Replica> replica;
    SealVerifier::Request request;
    Bytes proof;

    void SetUp() override {
        world.network.seal_windows = 3;
        network_id = world.network.id();
        const SealedReplica sealed = world.seal_bytes("x", test::some_bytes(400'000));
        replica.emplace(std::move(*world.open("x")));
        registration.header = sealed.header.replica;
        registration.sealed_root = sealed.header.sealed_root;
        registration.retention = Retention::kDefault;
        registration.signature = world.key.sign(view(registration.digest(network_id))).value();
        request.peer = "alice";
        request.registration = registration;
        request.known = {Height(7), {}, SealProofKind::kSeal};
        request.known.y.bytes.fill(9);
        proof = must_make();
    }
    [[nodiscard]] Bytes must_make() const {
        const auto made =
            make_seal_proof(world.network, network_id, registration, *replica,
                            request.known.y_height, request.known.y, request.known.kind, world.key);
        EXPECT_TRUE(made.has_value()) << made.error().message;
        return made ? made->encode() : Bytes();
    }
    [[nodiscard]] SealVerifier::Request from(const std::string& peer) const {
        SealVerifier::Request r = request;
        r.peer = peer;
        return r;
    }
};

TEST_F(SealVerifierTest, AcceptsWhatTheVerifierAcceptsAndCountsItsFills) {
    SealVerifier verifier(world.network);
    const auto verdict = verifier.verify(request, proof);
    ASSERT_TRUE(verdict.has_value());
    EXPECT_TRUE(verdict->accepted()) << to_string(*verdict);
    EXPECT_EQ(verifier.counts().fills, 3U);
    EXPECT_GE(verifier.counts().most_fills_at_once, 1U);
}

TEST_F(SealVerifierTest, WhatFailsCheaplyTakesNoPlace) {
    SealVerifierLimits limits;
    limits.proofs_at_most = 0;  // a place cannot be had
    SealVerifier verifier(world.network, limits);
    Bytes unsigned_proof = proof;
    unsigned_proof.back() ^= 1;
    EXPECT_EQ(verifier.verify(request, unsigned_proof)->reason, Reason::kBadSignature);
    EXPECT_EQ(verifier.verify(request, ByteView(proof).first(100))->reason, Reason::kTruncated);
    EXPECT_EQ(verifier.verify(request, proof)->reason, Reason::kBusy);
    EXPECT_EQ(verifier.counts().refused_cheaply, 2U);
    EXPECT_EQ(verifier.counts().busy, 1U);
    EXPECT_EQ(verifier.counts().fills, 0U);
}

TEST_F(SealVerifierTest, ABadWindowGivesTheVerdictOfThePlainVerifier) {
    // The registration is of another replica_id: roots and proofs hold, the keystream does not.
    SealVerifier::Request other = request;
    other.registration.header.nonce = 5;
    other.registration.signature =
        world.key.sign(view(other.registration.digest(network_id))).value();
    const SealChallenge challenge = draw_seal_challenge(
        world.network, network_id, other.registration, request.known.y, SealProofKind::kSeal);
    SealProof made;
    made.chain_id = other.registration.chain_id(network_id);
    made.y_height = request.known.y_height;
    const auto sealed = replica->open_cells(challenge.cells);
    const auto raw = replica->open_raw_cells(challenge.cells);
    ASSERT_TRUE(sealed && raw);
    made.raw_cells = raw->data;
    made.raw_siblings = raw->siblings;
    made.sealed_cells = sealed->data;
    made.sealed_siblings = sealed->siblings;
    made.signature = world.key.sign(view(made.digest(network_id))).value();
    const Bytes body = made.encode();
    const auto plain =
        verify_seal_proof(world.network, network_id, other.registration, other.known, body);
    ASSERT_EQ(plain->reason, Reason::kBadSealing);
    for (const unsigned fills : {1U, 2U, 8U}) {
        SealVerifierLimits limits;
        limits.fills_at_once = fills;
        SealVerifier verifier(world.network, limits);
        EXPECT_EQ(*verifier.verify(other, body), *plain);
        EXPECT_LE(verifier.counts().most_fills_at_once, fills);
    }
}

TEST_F(SealVerifierTest, CeilingsHoldForManyPeersAtOnce) {
    SealVerifierLimits limits;
    limits.fills_at_once = 2;
    limits.proofs_at_most = 6;
    limits.proofs_of_a_peer = 2;
    SealVerifier verifier(world.network, limits);
    std::atomic<int> accepted = 0;
    std::atomic<int> busy = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 12; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 3; ++i) {
                const auto verdict = verifier.verify(from("peer " + std::to_string(t % 4)), proof);
                ASSERT_TRUE(verdict.has_value());
                if (verdict->accepted()) ++accepted;
                if (verdict->reason == Reason::kBusy) ++busy;
            }
        });
    }
    for (std::thread& t : threads) t.join();
    EXPECT_EQ(accepted + busy, 36);
    EXPECT_GT(accepted, 0);
    const SealVerifierCounts counts = verifier.counts();
    EXPECT_EQ(counts.fills, 3U * (static_cast<unsigned>(accepted) - counts.remembered));
    EXPECT_EQ(counts.busy, static_cast<unsigned>(busy));
    EXPECT_LE(counts.most_fills_at_once, 2U);
    EXPECT_TRUE(verifier.verify(request, proof)->accepted()) << "every place came back";
}

TEST_F(SealVerifierTest, AProofWhoseDeadlineHasPassedCostsNothing) {
    SealVerifier verifier(world.network);
    verifier.set_tip(Height(20));
    SealVerifier::Request late = request;
    late.deadline = Height(19);
    EXPECT_EQ(verifier.verify(late, proof)->reason, Reason::kTooLate);
    EXPECT_EQ(verifier.counts().fills, 0U);
    EXPECT_EQ(verifier.counts().late, 1U);
    late.deadline = Height(20);
    EXPECT_TRUE(verifier.verify(late, proof)->accepted());
}

TEST_F(SealVerifierTest, ClosingEndsEverything) {
    SealVerifier verifier(world.network);
    verifier.close();
    const auto verdict = verifier.verify(request, proof);
    ASSERT_FALSE(verdict.has_value());
    EXPECT_EQ(verdict.error().code, ErrorCode::kInterrupted);
}

TEST_F(SealVerifierTest, WhatABlockListsIsNotRefusedForLoad) {
    SealVerifierLimits limits;
    limits.proofs_at_most = 0;
    SealVerifier verifier(world.network, limits);
    SealVerifier::Request listed = request;
    listed.listed = true;
    EXPECT_EQ(verifier.verify(request, proof)->reason, Reason::kBusy);
    EXPECT_TRUE(verifier.verify(listed, proof)->accepted());
}

TEST_F(SealVerifierTest, WhatWasAcceptedIsNotFilledAgain) {
    SealVerifier verifier(world.network);
    EXPECT_TRUE(verifier.verify(request, proof)->accepted());
    EXPECT_TRUE(verifier.verify(from("bob"), proof)->accepted());
    EXPECT_EQ(verifier.counts().fills, 3U);
    EXPECT_EQ(verifier.counts().remembered, 1U);
    // Another y is another question, to which these bytes are no answer.
    SealVerifier::Request other = request;
    other.known.y.bytes.fill(8);
    EXPECT_FALSE(verifier.verify(other, proof)->accepted());
}

TEST_F(SealVerifierTest, TheCallerIsAskedOnlyWhenEverythingCheapHolds) {
    SealVerifier verifier(world.network);
    int asked = 0;
    SealVerifier::Request guarded = request;
    guarded.admit = [&] { return ++asked > 1; };
    EXPECT_EQ(verifier.verify(guarded, ByteView(proof).first(100))->reason, Reason::kTruncated);
    EXPECT_EQ(asked, 0);
    EXPECT_EQ(verifier.verify(guarded, proof)->reason, Reason::kBusy);
    EXPECT_EQ(verifier.counts().fills, 0U);
    EXPECT_TRUE(verifier.verify(guarded, proof)->accepted());
}

TEST_F(SealVerifierTest, AWishToStopEndsOneAndNotTheOthers) {
    SealVerifier verifier(world.network);
    SealVerifier::Request stopped = request;
    stopped.stop = [] { return true; };
    const auto verdict = verifier.verify(stopped, proof);
    ASSERT_FALSE(verdict.has_value());
    EXPECT_EQ(verdict.error().code, ErrorCode::kInterrupted);
    EXPECT_TRUE(verifier.verify(request, proof)->accepted());
}

/// A kernel that waits until it is told to go on: the place is taken for as long as a test likes.
/// It notes who fills, in the order in which they begin.
std::atomic<bool> gate_open = true;
std::atomic<int> at_gate = 0;
std::mutex begun_mutex;
std::vector<int> begun;
thread_local int this_proof = 0;

void gated_run(const FillRun& run) {
    {
        const std::scoped_lock lock(begun_mutex);
        if (begun.empty() || begun.back() != this_proof) begun.push_back(this_proof);
    }
    ++at_gate;
    while (!gate_open) std::this_thread::sleep_for(1ms);
    fill_kernels().front().run(run);
}
constexpr FillKernel kGated{"gated", gated_run, [] { return true; }};

TEST_F(SealVerifierTest, PlacesGoRoundAmongPeersAndTheLateAreLetGo) {
    SealVerifierLimits limits;
    limits.fills_at_once = 1;
    SealVerifier verifier(world.network, limits, &kGated);
    gate_open = false;
    at_gate = 0;
    begun.clear();
    std::atomic<int> entered = 0;
    std::vector<std::thread> threads;
    const auto hand_over = [&](const std::string& peer, std::optional<Height> deadline,
                               Reason wanted) {
        const int number = static_cast<int>(threads.size()) + 1;
        threads.emplace_back([&, peer, deadline, wanted, number] {
            this_proof = number;
            SealVerifier::Request r = from(peer);
            r.deadline = deadline;
            r.admit = [&] { return ++entered > 0; };
            const auto verdict = verifier.verify(r, proof);
            ASSERT_TRUE(verdict.has_value());
            EXPECT_EQ(verdict->reason, wanted) << number;
        });
        while (entered < number) std::this_thread::sleep_for(1ms);
        std::this_thread::sleep_for(20ms);  // until it waits
    };
    hand_over("greedy", {}, Reason::kOk);
    while (at_gate == 0) std::this_thread::sleep_for(1ms);
    hand_over("greedy", {}, Reason::kOk);
    hand_over("greedy", {}, Reason::kOk);
    hand_over("late", Height(5), Reason::kTooLate);
    hand_over("modest", {}, Reason::kOk);
    verifier.set_tip(Height(6));
    while (verifier.counts().late == 0) std::this_thread::sleep_for(1ms);
    gate_open = true;
    for (std::thread& t : threads) t.join();
    // The first was at work already. Greedy's next and modest have waited for a turn each; greedy's
    // third comes after modest, and the late one never.
    EXPECT_EQ(begun, (std::vector<int>{1, 2, 5, 3}));
    EXPECT_EQ(verifier.counts().fills, 9U + 3U);
}

}  // namespace
}  // namespace holdfast
