// Audits at the size of real networks: the draw itself, with the preset's parameters, for a sample
// of the chains of 1,000, 100,000 and 1,000,000. The tables of docs/security.md, section 3.7.
#include <gtest/gtest.h>

#include <cmath>

#include "analysis/bounds.hpp"
#include "core/hash.hpp"
#include "proofs/seal_proof.hpp"
#include "proofs/seal_proof_verify.hpp"

namespace holdfast {
namespace {

const NetworkParams& preset() {
    static const NetworkParams params = NetworkParams::preset(kParamsVersion2);
    return params;
}
const NetworkId& network_id() {
    static const NetworkId id = preset().id();
    return id;
}
VdfOutput y_of(std::uint64_t world, std::uint64_t h) {
    return VdfOutput(tagged_hash("test/audits", world, h));
}
/// A replica of 4 GiB, 32 windows.
Registration whole_replica() {
    Registration r;
    r.header.chunks = ChunkCount(kMaxChunks);
    r.header.data_len = kMaxChunks * kChunkBytes;
    r.header.seal = kSealStandard;
    return r;
}
/// Whether every window that is asked for is among the first `sealed`.
bool passes(const Registration& r, const VdfOutput& y, SealProofKind kind, std::uint64_t sealed) {
    const SealChallenge drawn = draw_seal_challenge(preset(), network_id(), r, y, kind);
    return std::all_of(drawn.windows.begin(), drawn.windows.end(),
                       [&](const auto& w) { return w.window.index < sealed; });
}
void expect_rate(const char* what, double seen, double trials, double p) {
    const double sigma = std::sqrt(trials * p * (1 - p));
    std::printf("%s: %.0f of %.0f, formula %.1f +- %.1f\n", what, seen, trials, trials * p, sigma);
    EXPECT_NEAR(seen, trials * p, 3 * sigma + 1e-9) << what;
}

TEST(AuditDraw, RegistrationsPassAsOftenAsTheFormulaSays) {
    constexpr std::uint64_t kTries = 4'000;
    for (const std::uint64_t sealed : {2U, 8U, 16U, 24U}) {
        Registration r = whole_replica();
        std::uint64_t passed = 0;
        for (std::uint64_t n = 0; n < kTries; ++n) {
            r.header.nonce = n;
            passed += passes(r, y_of(sealed, n), SealProofKind::kSeal, sealed) ? 1 : 0;
        }
        const double p = std::exp2(log2_all_good(32, 32 - sealed, preset().seal_windows));
        expect_rate(("sealed " + std::to_string(sealed) + " of 32 windows").c_str(),
                    static_cast<double>(passed), kTries, p);
    }
}

/// What becomes of chains with half of their windows unsealed that got in, while they stay, and of
/// those that leave at once.
struct Fate {
    std::uint64_t out_in_two_periods = 0;
    std::uint64_t out_in_four = 0;
    std::uint64_t left_with_part = 0;
};
Fate run(std::uint64_t total, std::uint64_t sample) {
    Fate fate;
    const std::uint64_t period = preset().liability_blocks;
    const std::uint64_t leave = preset().removal_delay + period;
    for (std::uint64_t n = 0; n < sample; ++n) {
        Registration r = whole_replica();
        r.header.nonce = n;
        const ChainId id(tagged_hash("test/audited chain", total, n));
        std::uint64_t h = 0;
        bool failed = false;
        while (!failed && h < 4 * period) {
            const VdfOutput y = y_of(total, h++);
            failed = is_audited(preset(), network_id(), y, id, total) &&
                     !passes(r, y_of(total + 1, h), SealProofKind::kAudit, 16);
        }
        fate.out_in_two_periods += failed && h <= 2 * period ? 1 : 0;
        fate.out_in_four += failed ? 1 : 0;
        const bool spared = !failed || h > leave;
        fate.left_with_part +=
            spared && passes(r, y_of(total + 2, n), SealProofKind::kAudit, 16) ? 1 : 0;
    }
    return fate;
}

TEST(AuditDraw, HalfSealedChainsAreFoundAtAnySizeAsOftenAsTheFormulaSays) {
    struct Size {
        std::uint64_t total;
        std::uint64_t sample;
    };
    for (const Size size : {Size{1'000, 1'000}, Size{100'000, 400}, Size{1'000'000, 400}}) {
        const auto n = static_cast<double>(size.sample);
        const Fate fate = run(size.total, size.sample);
        const double period = preset().liability_blocks;
        std::printf("%llu chains: audited %.2f times a liability period, out after %.2f periods\n",
                    static_cast<unsigned long long>(size.total),
                    audit_rate(preset(), size.total) * period,
                    heights_until_out(preset(), size.total, 0.5) / period);
        EXPECT_GE(audit_rate(preset(), size.total) * period, 1.0);
        // On average within two liability periods, and the 65 heights of three deadlines.
        EXPECT_LE(heights_until_out(preset(), size.total, 0.5),
                  2 * period + preset().seal_delay + 3 * preset().seal_deadline);
        expect_rate("  out within two liability periods",
                    static_cast<double>(fate.out_in_two_periods), n,
                    1 - unaudited(preset(), size.total, 0.5, 2 * period));
        expect_rate("  out within four", static_cast<double>(fate.out_in_four), n,
                    1 - unaudited(preset(), size.total, 0.5, 4 * period));
        expect_rate("  leaves at once, with its part", static_cast<double>(fate.left_with_part), n,
                    leaves_with_part(preset(), size.total, 0.5));
    }
}

TEST(AuditDraw, WhoDeletedEverythingNeverLeavesWithItsPart) {
    for (const std::uint64_t total : {1'000U, 100'000U, 1'000'000U}) {
        EXPECT_EQ(leaves_with_part(preset(), total, 1), 0.0);
        // What the draw alone would have left it: the naive scheme.
        const double spared =
            unaudited(preset(), total, 1, preset().removal_delay + preset().liability_blocks);
        std::printf("%llu chains: the draw alone spares %.3g\n",
                    static_cast<unsigned long long>(total), spared);
    }
}

}  // namespace
}  // namespace holdfast
