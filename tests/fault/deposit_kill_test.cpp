// kill -9 at random moments of an upload and of the sealing behind it: what was acknowledged is
// there, nothing is sealed that is not what was sent, nothing is counted twice, and the next
// process goes on.
#include <sys/mman.h>
#include <unistd.h>

#include <random>

#include "support/deposit_world.hpp"
#include "support/killed_child.hpp"

namespace holdfast {
namespace {

/// What the child tells even when it is killed.
struct Shared {
    std::atomic<std::uint64_t> acknowledged{0};  // bytes from the first on
};

struct DepositKill : ::testing::Test, protected test::DepositWorld {
    const Bytes data = test::some_bytes(4 * kPieceBytes + 70'000);
    Shared* shared = new (::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Shared;

    [[nodiscard]] Root root_of_prefix(std::uint64_t bytes) const {
        std::vector<Digest> roots;
        for (std::uint64_t i = 0; i * kPieceBytes < bytes; ++i) {
            roots.push_back(piece_root(data.size(), i, piece(data, i)));
        }
        return root_of_pieces(roots);
    }
    /// One process: goes on with the upload, finishes, seals.
    void work(const DepositOrder& order) {
        auto opened = DepositService::open(settings, network, prover, host());
        if (!opened) ::_exit(2);
        service = std::move(*opened);
        const DepositClient a = client(alice);
        auto state = a.open(order);
        if (!state) ::_exit(3);
        for (std::uint64_t i = state->arrived / kPieceBytes;
             state->arrived < data.size() && i < piece_count(data.size()); ++i) {
            const auto sent = a.send_piece(order, i, piece(data, i));
            if (!sent) ::_exit(4);
            shared->acknowledged = sent->arrived;
        }
        if (!a.finish(order, root_of(data))) ::_exit(5);
        while (a.state(order)->phase != DepositPhase::kSealed) service->step(test::never);
    }
};

TEST_F(DepositKill, WhatWasAcknowledgedIsThereAndTheNextProcessGoesOn) {
    const int points = test::kill_points(8);
    settings.clients[0].count = 100'000;
    settings.clients[0].bytes = std::uint64_t{1} << 50;
    settings.limit_bytes = std::uint64_t{1} << 50;
    settings.seal_threads = 1;  // a forked child has no threads of TBB
    start();
    std::mt19937_64 random(7);
    std::uint8_t number = 1;
    DepositOrder one = order(alice, data.size(), number);
    int unfinished = 0;
    std::uint64_t span_us = 200'000;  // halved while the work is done before it
    for (int killed = 0; killed < points; ++killed) {
        service.reset();
        {
            test::KilledChild child([&](int, int) { work(one); });
            ::usleep(static_cast<useconds_t>(random() % span_us));
            (void)child.kill();
        }
        start();
        const auto state = client(alice).state(one);
        if (!state) {
            // Killed before it was opened.
            ASSERT_EQ(state.error().code, ErrorCode::kNotFound) << state.error().message;
            ASSERT_EQ(shared->acknowledged, 0U);
            continue;
        }
        ASSERT_GE(state->arrived, shared->acknowledged);
        if (state->arrived > 0) {
            ASSERT_EQ(state->arrived_root, state->arrived == data.size()
                                               ? root_of(data)
                                               : root_of_prefix(state->arrived));
        }
        ASSERT_EQ(service->deposits().size(), 1U);  // charged once
        ASSERT_EQ(service->counts().bytes, data.size());
        const bool sealed = state->phase == DepositPhase::kSealed;
        unfinished += sealed ? 0 : 1;
        if (sealed) span_us = std::max<std::uint64_t>(span_us / 2, 2'000);
        if (!sealed && killed + 1 < points) continue;
        // Whatever the kills left: it ends sealed, whole, with nothing half-made beside it.
        ASSERT_TRUE(upload(client(alice), one, data));
        while (client(alice).state(one)->phase != DepositPhase::kSealed) service->step(test::never);
        service->step(test::never);
        const auto replica = Replica::open(file(one, ".replica"), file(one, ".tree"), network);
        ASSERT_TRUE(replica) << replica.error().message;
        ASSERT_EQ(replica->header().replica.raw_root, root_of(data));
        ASSERT_EQ(test::slurp(file(one, ".raw")), data);
        ASSERT_TRUE(client(alice).remove(one, 1));
        service->step(test::never);
        std::vector<std::string> left;
        for (const auto& entry : std::filesystem::directory_iterator(settings.folder)) {
            left.push_back(entry.path().extension().string());
        }
        std::sort(left.begin(), left.end());
        ASSERT_EQ(left, (std::vector<std::string>{".begun", ".deposit"}));
        service.reset();
        std::filesystem::remove_all(settings.folder);
        start();
        shared->acknowledged = 0;
        one = order(alice, data.size(), ++number);
    }
    EXPECT_GT(unfinished, 0);
}

}  // namespace
}  // namespace holdfast
