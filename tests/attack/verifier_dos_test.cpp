// Attack 26: make verifiers work. Seal proofs with a valid signature over garbage paths, a thousand
// at once; seal proofs whose paths are right and whose sealing is not; reveals 2^20 steps away.
//
// A fill is spent only when everything cheap holds, and the first bad window is the last that is
// filled. A reveal is hashed at most rate_window + 1 times, however far it claims to be. The naive
// scheme fills first and looks at the paths afterwards.
#include <sys/resource.h>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "proofs/reveal.hpp"
#include "support/forged_replica.hpp"
#include "support/registry_world.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kProofs = 1'000;
constexpr SealParams kLarge{4'096, 131'072};  // 16 MiB windows: memory for one shows

NetworkParams dos_network() {
    NetworkParams p = short_network();
    p.seal_presets = {kLarge};
    p.seal_windows = 2;
    p.seal_cells = 4;
    return p;
}

/// Two windows, nothing sealed: no fill is spent to make it.
ForgedReplica unsealed_replica(const NetworkParams& params) {
    return {params,
            raw_chunks_of(2 * kLarge.window_chunks, "dos"),
            "dos",
            [](const ReplicaId&, const Window&, MutByteView) {},
            0,
            Height(108),
            test_hash(Height(108))};
}

struct CountedFills {
    std::atomic<std::uint64_t> quarters = 0;
    FillOptions options;
    CountedFills() {
        options.progress = [this](std::uint64_t, std::uint64_t) { ++quarters; };
    }
    /// Windows filled, each with `passes` passes.
    [[nodiscard]] std::uint64_t windows(std::uint32_t passes) const {
        return quarters / (4 * std::uint64_t{passes});
    }
};

long peak_kib() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

TEST(AttackVerifierDos, NoFillBeforeThePathsPass) {
    const ForgedReplica cheat = unsealed_replica(dos_network());
    const SealContext known{Height(113), test_y(Height(113)), SealProofKind::kSeal};
    const SealProof right = cheat.seal_proof(known.y_height, known.y);
    std::vector<Bytes> bodies;
    for (std::uint64_t i = 0; i < kProofs; ++i) {
        SealProof garbage = right;
        auto& siblings = i % 2 == 0 ? garbage.raw_siblings : garbage.sealed_siblings;
        siblings[i % siblings.size()] = tagged_hash("test/garbage", i);
        garbage.signature = cheat.key.sign(view(garbage.digest(cheat.network_id))).value();
        bodies.push_back(garbage.encode());
    }
    CountedFills fills;
    std::atomic<std::uint64_t> refused = 0;
    const long before = peak_kib();
    {
        std::vector<std::jthread> peers;
        for (std::size_t peer = 0; peer < 8; ++peer) {
            peers.emplace_back([&, peer] {
                for (std::size_t i = peer; i < bodies.size(); i += 8) {
                    const auto verdict =
                        verify_seal_proof(cheat.network, cheat.network_id, cheat.registration,
                                          known, bodies[i], fills.options);
                    const bool paths = verdict && (verdict->reason == Reason::kRawMismatch ||
                                                   verdict->reason == Reason::kSealedMismatch);
                    refused += paths ? 1 : 0;
                }
            });
        }
    }
    EXPECT_EQ(refused, kProofs);
    EXPECT_EQ(fills.quarters, 0U);
    EXPECT_LT(peak_kib() - before, 12'288);  // not even one window's memory
    std::printf("1,000 proofs with garbage paths: 0 fills (naive, fill first: %llu)\n",
                static_cast<unsigned long long>(2 * kProofs));
}

TEST(AttackVerifierDos, TheFirstBadWindowIsTheLast) {
    const ForgedReplica cheat = unsealed_replica(dos_network());
    RegistryWorld world(dos_network());
    world.feed_to(Height(110));
    ASSERT_TRUE(world.judge_registration(cheat.registration));
    const Height y_height = world.tip() + world.params().seal_delay;
    world.feed_to(y_height);
    const Bytes body = cheat.seal_proof(y_height, test_y(y_height)).encode();
    CountedFills fills;
    const SealCheck check = [&](const Registration& registration, const SealContext& known,
                                ByteView shown) {
        return verify_seal_proof(world.params(), cheat.network_id, registration, known, shown,
                                 fills.options);
    };
    const auto reason = [&](const Bytes& object) {
        return must(world->accept(ByteView(object), check)).verdict.reason;
    };
    for (std::uint64_t again = 1; again <= 3; ++again) {
        EXPECT_EQ(reason(wrap_object(Kind::kSealProof, body)), Reason::kBadSealing);
        EXPECT_EQ(fills.windows(cheat.windows().window(0).passes), again);  // of two drawn
    }
    // Nobody is owed a check without a duty: neither another height nor an unknown chain.
    EXPECT_EQ(reason(seal_object(cheat.chain_id, y_height + 1)), Reason::kWrongHeight);
    EXPECT_EQ(reason(seal_object(ChainId{}, y_height)), Reason::kUnknownChain);
    // Once it is void not even the first window is.
    world.feed_to(y_height + 2 * world.params().seal_deadline);
    EXPECT_EQ(reason(wrap_object(Kind::kSealProof, body)), Reason::kTooLate);
    EXPECT_EQ(fills.windows(cheat.windows().window(0).passes), 3U);
}

TEST(AttackVerifierDos, ShortLongAndForeignBodiesCostNothing) {
    const ForgedReplica cheat = unsealed_replica(dos_network());
    const SealContext known{Height(113), test_y(Height(113)), SealProofKind::kSeal};
    const Bytes body = cheat.seal_proof(known.y_height, known.y).encode();
    CountedFills fills;
    const auto reason = [&](ByteView bytes) {
        return verify_seal_proof(cheat.network, cheat.network_id, cheat.registration, known, bytes,
                                 fills.options)
            ->reason;
    };
    EXPECT_EQ(reason({}), Reason::kTruncated);
    EXPECT_EQ(reason(ByteView(body).first(body.size() - 1)), Reason::kTruncated);
    EXPECT_EQ(reason(Bytes(std::size_t{1} << 22)), Reason::kTrailingBytes);
    Bytes unsigned_body = body;
    unsigned_body.back() ^= 0x80;  // S of the signature beyond the group's order
    EXPECT_EQ(reason(unsigned_body), Reason::kBadSignature);
    EXPECT_EQ(fills.quarters, 0U);
}

TEST(AttackVerifierDos, RevealsFarAwayAreNotHashed) {
    const NetworkParams params = short_network();
    TestChain chain(params, 1, Height(108), Retention::kDefault, true);
    RevealChain& reveals = chain.reveals_at(Height(108));
    const std::uint64_t limit = reveal_limit(params);
    KnownReveal known{0, reveals.commitment()};
    const auto reason = [&](std::uint64_t i, const Reveal& a) {
        return check_reveal(params.id(), view(chain.replica()), known, i, a, limit).reason;
    };
    // Right answers, all of them; the first is one hash too far.
    EXPECT_EQ(reason(kRevealChainLength, reveals.at(kRevealChainLength)), Reason::kRevealTooFar);
    EXPECT_EQ(reason(limit + 1, reveals.at(limit + 1)), Reason::kRevealTooFar);
    EXPECT_EQ(reason(limit, reveals.at(limit)), Reason::kOk);
    known = {limit, reveals.at(limit)};
    EXPECT_EQ(reason(kRevealChainLength + 1, reveals.at(1)), Reason::kRevealExhausted);
    // A wrong one within the limit costs the limit and no more; the distance is judged first.
    EXPECT_EQ(reason(2 * limit, Reveal{}), Reason::kBadReveal);
    EXPECT_EQ(reason(2 * limit + 1, Reveal{}), Reason::kRevealTooFar);
}

}  // namespace
}  // namespace holdfast::test
