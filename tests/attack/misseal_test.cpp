// Attack 22: register a replica of which some windows, or some cells everywhere, were never sealed,
// and hope that the seal proof opens others.
//
// Every proof's signature and multiproofs hold: only the fill shows what was left out. The naive
// schemes beside it are a verifier that stops before the fill, which finds nothing at all, and one
// that always looks at the first window.
#include <gtest/gtest.h>

#include "analysis/bounds.hpp"
#include "core/selection.hpp"
#include "support/forged_replica.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kTrials = 300;
constexpr SealParams kSmall{16, 512};
constexpr std::uint64_t kWindows = 32;
constexpr std::uint64_t kCellsOfWindow = 16 * kCellsPerChunk;

NetworkParams misseal_network() {
    NetworkParams p;
    p.name = "misseal";
    p.seal_presets = {kSmall};
    return p;  // seal_windows 2, seal_cells 64, as by default
}

/// Seals all but the last `unsealed` windows.
ForgedReplica::Sealer without_windows(std::uint64_t unsealed) {
    return [unsealed](const ReplicaId& id, const Window& window, MutByteView all) {
        if (window.index + unsealed < kWindows) seal_window(id, window, all);
    };
}

/// Seals every window and puts `unsealed` cells of each back, by lot.
ForgedReplica::Sealer without_cells(std::uint64_t unsealed) {
    return [unsealed](const ReplicaId& id, const Window& window, MutByteView all) {
        const MutByteView bytes = all.subspan(window.first_byte(), window.bytes());
        const Bytes raw(bytes.begin(), bytes.end());
        seal_window(id, window, all);
        const auto drawn =
            select_v2(tagged_hash("test/unsealed", window.index), window.cells(), unsealed);
        for (const std::uint64_t cell : *drawn) {
            std::copy_n(raw.begin() + static_cast<std::ptrdiff_t>(cell * kCellBytes), kCellBytes,
                        bytes.begin() + static_cast<std::ptrdiff_t>(cell * kCellBytes));
        }
    };
}

struct Passed {
    std::uint64_t without_fill = 0;
    std::uint64_t whole = 0;
};

/// How many of kTrials challenges each verifier lets pass.
Passed challenge(const ForgedReplica& cheat) {
    Passed passed;
    for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
        const Height h(1'000 + trial);
        const SealContext known{h, VdfOutput(tagged_hash("test/y", h)), SealProofKind::kSeal};
        const Bytes body = cheat.seal_proof(h, known.y).encode();
        const auto cheap =
            check_seal_proof(cheat.network, cheat.network_id, cheat.registration, known, body);
        passed.without_fill += cheap ? 1 : 0;
        const auto verdict =
            verify_seal_proof(cheat.network, cheat.network_id, cheat.registration, known, body);
        EXPECT_TRUE(verdict);
        EXPECT_TRUE(verdict->accepted() || verdict->reason == Reason::kBadSealing);
        passed.whole += verdict->accepted() ? 1 : 0;
    }
    return passed;
}

/// What a verifier that always looks at window 0 sees.
bool window_0_is_sealed(const ForgedReplica& cheat) {
    Bytes window(cheat.raw);
    const Window first = cheat.windows().window(0);
    seal_window(cheat.id, first, window);
    return std::equal(window.begin(), window.begin() + static_cast<std::ptrdiff_t>(first.bytes()),
                      cheat.sealed.begin());
}

TEST(AttackMisseal, WindowsLeftUnsealed) {
    for (const std::uint64_t unsealed : {1U, 2U, 16U}) {
        const ForgedReplica cheat(misseal_network(), raw_chunks_of(kWindows * 16, "misseal"),
                                  "misseal", without_windows(unsealed));
        const Passed passed = challenge(cheat);
        std::printf("%llu of %llu windows never sealed\n",
                    static_cast<unsigned long long>(unsealed),
                    static_cast<unsigned long long>(kWindows));
        expect_rate("pass the seal proof", passed.whole, kTrials,
                    std::exp2(log2_all_good(kWindows, unsealed, 2)));
        EXPECT_EQ(passed.without_fill, kTrials);  // signature and paths say nothing
        EXPECT_TRUE(window_0_is_sealed(cheat));   // a place known beforehand is sealed
    }
}

TEST(AttackMisseal, CellsLeftUnsealedEverywhere) {
    for (const std::uint64_t percent : {1U, 2U, 5U, 10U}) {
        const std::uint64_t unsealed = kCellsOfWindow * percent / 100;
        const ForgedReplica cheat(misseal_network(), raw_chunks_of(kWindows * 16, "misseal"),
                                  "misseal", without_cells(unsealed));
        const Passed passed = challenge(cheat);
        const double e = static_cast<double>(unsealed) / kCellsOfWindow;
        std::printf("%.2f%% of cells never sealed; (1 - e)^128 = %.5f\n", 100 * e,
                    std::pow(1 - e, 128));
        expect_rate("pass the seal proof", passed.whole, kTrials,
                    std::exp2(2 * log2_all_good(kCellsOfWindow, unsealed, 64)));
        EXPECT_EQ(passed.without_fill, kTrials);
    }
}

TEST(AttackMisseal, HonestSealingPasses) {
    const ForgedReplica honest(misseal_network(), raw_chunks_of(kWindows * 16, "misseal"),
                               "misseal");
    EXPECT_EQ(challenge(honest).whole, kTrials);
}

}  // namespace
}  // namespace holdfast::test
