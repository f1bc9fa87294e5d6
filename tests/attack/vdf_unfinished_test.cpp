// Attack 14: proofs of evaluations that were not finished, signed as if they were.
//
//   last segment     all but the last segment is walked; d_K, and with it y, is the cheater's
//                    choice
//   parallel parts   32 threads walk 32 parts at once, 31 of them from invented starts
//
// A spot check sees them only as often as it looks at a break; full verification always does, and
// only it makes y usable. The naive scheme beside it takes "not refuted" for proof.
#include <gtest/gtest.h>

#include "support/rates.hpp"
#include "support/vdf_world.hpp"

namespace holdfast::test {
namespace {

/// A verifier's fresh randomness.
Digest fresh(std::uint64_t round) { return tagged_hash("test/verifier", round); }

/// How often a spot check of `count` segments refutes the proof.
std::uint32_t refuted(const VdfWorld& world, const VdfProof& proof, std::uint32_t count,
                      std::uint32_t rounds) {
    std::uint32_t out = 0;
    for (std::uint32_t round = 0; round < rounds; ++round) {
        const auto picked = pick_spot_segments(fresh(round), world.params.vdf.checkpoints, count);
        const auto verdict = verify_vdf_spot(world.context(), proof, picked, world.arena->view());
        EXPECT_TRUE(verdict.has_value());
        if (verdict->accepted()) continue;
        EXPECT_EQ(verdict->reason, Reason::kVdfSegment);
        ++out;
    }
    return out;
}

/// Chance that `count` distinct segments of K meet at least one of `bad`.
double detection(double segments, double bad, std::uint32_t count) {
    double missed = 1;
    for (std::uint32_t i = 0; i < count; ++i) {
        missed *= 1 - bad / (segments - i);
    }
    return 1 - missed;
}

Verdict full(const VdfWorld& world, const VdfProof& proof) {
    const auto verdict = verify_vdf_full(world.context(), proof, world.arena->view());
    EXPECT_TRUE(verdict.has_value());
    return verdict.has_value() ? *verdict : Verdict(Reason::kBusy);
}

TEST(AttackVdfUnfinished, LastSegment) {
    constexpr std::uint32_t kSegments = 64;
    constexpr std::uint32_t kSpot = 4;
    const VdfWorld world({64, 1, 4, 8, kSegments});
    const std::vector<Digest> honest = world.checkpoints();
    // The cheater tries ends until y suits it: here, begins with a zero byte.
    std::vector<Digest> d = honest;
    std::uint64_t tried = 0;
    do {
        d.back() = tagged_hash("test/end", ++tried);
    } while (vdf_output(d.back(), world.params.vdf)[0] != 0);
    const VdfProof proof = world.sign(d);
    EXPECT_NE(proof.y, world.sign(honest).y);

    constexpr std::uint32_t kRounds = 1'500;
    const std::uint32_t seen = refuted(world, proof, kSpot, kRounds);
    expect_rate("last segment, 4 of 64 looked at", seen, kRounds, detection(kSegments, 1, kSpot));
    // Naive: y is used when a spot check does not refute it. The cheater's y passes nearly always.
    EXPECT_GT(kRounds - seen, kRounds * 9 / 10);

    EXPECT_EQ(full(world, proof), Verdict(Reason::kVdfSegment, kSegments - 1));
    const auto offence = verify_segment_evidence(
        world.context(), make_segment_evidence(proof, kSegments - 1), world.arena->view());
    ASSERT_TRUE(offence.has_value());
    EXPECT_EQ(*offence, Verdict::ok());
}

TEST(AttackVdfUnfinished, ParallelParts) {
    constexpr std::uint32_t kSegments = 1'024;
    constexpr std::uint32_t kParts = 32;
    constexpr std::uint32_t kSpot = 16;
    const VdfWorld world({64, 1, 4, 2, kSegments});
    const VdfParams& vdf = world.params.vdf;
    const std::uint32_t part = kSegments / kParts;

    std::vector<Digest> d(std::size_t{kSegments} + 1);
    const ArenaView arena = world.arena->view();
    pool_parallel()(kParts, [&](std::size_t p) {
        // Each part ends where the next one was said to begin: only its last segment is a lie.
        const auto first = static_cast<std::uint32_t>(p) * part;
        d[first] = p == 0 ? vdf_start(world.network_id, vdf, arena.epoch_seed, world.input)
                          : tagged_hash("test/part", std::uint64_t{p});
        for (std::uint32_t i = first; i + 1 < first + part; ++i) {
            d[std::size_t{i} + 1] = vdf_run_segment(arena, vdf, d[i], i);
        }
    });
    d.back() = vdf_run_segment(arena, vdf, d[kSegments - 1], kSegments - 1);
    const VdfProof proof = world.sign(d);

    constexpr std::uint32_t kRounds = 400;
    expect_rate("31 breaks of 1024, 16 looked at", refuted(world, proof, kSpot, kRounds), kRounds,
                detection(kSegments, kParts - 1, kSpot));
    EXPECT_EQ(full(world, proof), Verdict(Reason::kVdfSegment, part - 1));
    // Every break is evidence by itself, and nothing else is.
    for (std::uint32_t i = 0; i < kSegments; i += part / 2 - 1) {
        const bool lie = i % part == part - 1 && i != kSegments - 1;
        const auto offence =
            verify_segment_evidence(world.context(), make_segment_evidence(proof, i), arena);
        ASSERT_TRUE(offence.has_value());
        EXPECT_EQ(offence->accepted(), lie) << i;
    }
}

TEST(AttackVdfUnfinished, SkippedSteps) {
    // One step in twenty left out of every segment: every spot check sees it.
    const VdfWorld world({64, 1, 4, 20, 64});
    std::vector<Digest> d{world.checkpoints().front()};
    while (d.size() <= world.params.vdf.checkpoints) {
        WalkState x = vdf_expand(d.back());
        vdf_walk(x, world.arena->view(), 19);
        d.push_back(vdf_gate(x, d.size()));
    }
    const VdfProof proof = world.sign(d);
    EXPECT_EQ(refuted(world, proof, 1, 200), 200U);
    EXPECT_EQ(full(world, proof), Verdict(Reason::kVdfSegment, 0));
}

}  // namespace
}  // namespace holdfast::test
