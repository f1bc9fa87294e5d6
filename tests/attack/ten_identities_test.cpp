// Attack 30: keep one raw copy, register it under ten keys, and fill windows on demand whenever one
// of the ten must show a cell.
//
// It does work: every link and every challenge is answered, and the verifier cannot tell. What it
// costs is a fill for each window that is touched, ten times over, which is counted here beside the
// formula and beside honest storing. The naive scheme's keystream is plain hashing: a chunk is made
// from its key alone, and ten copies cost next to nothing.
#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "analysis/seal_cost.hpp"
#include "proofs/availability_verify.hpp"
#include "support/forged_replica.hpp"

namespace holdfast::test {
namespace {

constexpr std::size_t kIdentities = 10;
constexpr std::uint64_t kChunks = 512;
constexpr std::uint64_t kHeights = 120;
constexpr std::uint64_t kBatch = 6;

NetworkParams identity_network() {
    NetworkParams p;
    p.name = "identities";
    p.seal_presets = {{16, 512}};
    return p;
}

const std::vector<std::unique_ptr<ForgedReplica>>& identities() {
    static const auto all = [] {
        std::vector<std::unique_ptr<ForgedReplica>> made;
        for (std::size_t i = 0; i < kIdentities; ++i) {
            made.push_back(std::make_unique<ForgedReplica>(identity_network(),
                                                           raw_chunks_of(kChunks, "one raw copy"),
                                                           "identity " + std::to_string(i)));
        }
        return made;
    }();
    return all;
}

std::set<std::uint64_t> windows_of(const ForgedReplica& id, std::uint64_t height) {
    std::set<std::uint64_t> windows;
    const Entropy e = chain_entropy(id.network_id, *made_up_height(height).y, id.chain_id, {});
    for (const OpenedCell& opened : opened_cells(e, ChunkCount(kChunks))) {
        windows.insert(id.windows().window_of(opened.chunk));
    }
    return windows;
}

/// Mean and its standard error.
struct Mean {
    double mean = 0;
    double error = 0;
    explicit Mean(const std::vector<double>& samples) {
        for (const double x : samples) mean += x;
        mean /= static_cast<double>(samples.size());
        double squares = 0;
        for (const double x : samples) squares += (x - mean) * (x - mean);
        const auto n = static_cast<double>(samples.size());
        error = std::sqrt(squares / (n - 1) / n);
    }
};

TEST(AttackTenIdentities, EveryLinkIsAnsweredFromOneRawCopyAtTheCostOfTheFills) {
    const Bytes raw = identities().front()->raw;
    std::uint64_t fills = 0;
    std::uint64_t blocks = 0;
    constexpr std::uint64_t kAnswered = 5;
    for (std::uint64_t h = 1; h <= kAnswered; ++h) {
        for (const auto& id : identities()) {
            EXPECT_EQ(id->raw, raw);
            Bytes on_demand = raw;  // what is not filled stays raw, and would be refused
            for (const std::uint64_t w : windows_of(*id, h)) {
                const Window window = id->windows().window(w);
                seal_window(id->id, window, on_demand);
                ++fills;
                blocks += window.blocks() * window.passes;
            }
            const KnownHeight known = made_up_height(h);
            EXPECT_EQ(id->check(known, id->full(known, on_demand)), Verdict::ok());
            EXPECT_EQ(id->check(known, id->full(known, raw)).reason, Reason::kSealedMismatch);
        }
    }
    std::printf(
        "ten identities, one raw copy: %.1f fills (%.0f blocks) a height; honest storing: "
        "none\n",
        static_cast<double>(fills) / kAnswered, static_cast<double>(blocks) / kAnswered);
    EXPECT_GE(blocks, fills * identity_network().seal_presets.front().work_blocks);
}

TEST(AttackTenIdentities, FillsAreThoseOfTheFormula) {
    std::vector<double> single;
    std::vector<double> batched;
    for (const auto& id : identities()) {
        for (std::uint64_t h = 0; h < kHeights; h += kBatch) {
            std::set<std::uint64_t> together;
            for (std::uint64_t i = 0; i < kBatch; ++i) {
                const auto windows = windows_of(*id, 1'000 + h + i);
                single.push_back(static_cast<double>(windows.size()));
                together.insert(windows.begin(), windows.end());
            }
            batched.push_back(static_cast<double>(together.size()));
        }
    }
    const WindowPlan plan = identities().front()->windows();
    for (const auto& [what, samples, heights] :
         {std::tuple{"one by one", single, std::uint64_t{1}},
          std::tuple{"six heights together", batched, kBatch}}) {
        const Mean counted(samples);
        const double formula = windows_touched(plan, heights);
        std::printf("  windows, %-21s %6.3f +- %.3f, formula %6.3f\n", what, counted.mean,
                    counted.error, formula);
        EXPECT_NEAR(counted.mean, formula, 3 * counted.error) << what;
    }
}

TEST(AttackTenIdentities, AChallengeTouchesAsManyWindowsAsItAsksFor) {
    // Ten chunks of a large replica lie in almost as many windows: all to be filled within the
    // deadline, where one already takes longer.
    const WindowPlan plan(ChunkCount(kMaxChunks), kSealStandard);
    const double windows = windows_touched(plan, 1, NetworkParams{}.availability_chunks);
    std::printf("a challenge of ten chunks touches %.2f of %llu windows\n", windows,
                static_cast<unsigned long long>(plan.count()));
    EXPECT_GT(windows, 8);
    std::vector<double> counted;
    for (std::uint64_t i = 0; i < 400; ++i) {
        std::set<std::uint64_t> touched;
        const auto drawn = challenged_chunks(
            identity_network(), identities()[0]->network_id, VdfOutput(tagged_hash("test/y", i)),
            identities()[0]->chain_id, identities()[1]->key.public_key(),
            ChallengeNonce(tagged_hash("test/nonce", i)), ChunkCount(kChunks));
        for (const std::uint64_t chunk : drawn) {
            touched.insert(identities()[0]->windows().window_of(ChunkIndex(chunk)));
        }
        counted.push_back(static_cast<double>(touched.size()));
    }
    const Mean mean(counted);
    EXPECT_NEAR(mean.mean, windows_touched(identities()[0]->windows(), 1, 10), 3 * mean.error);
}

TEST(AttackTenIdentities, NaiveSchemeHashesItsKeystream) {
    // keystream(chunk) = hashes of (replica_id, chunk): 64 KiB away from any cell of any of the
    // ten.
    std::uint64_t compressions = 0;
    const ForgedReplica& id = *identities()[3];
    Bytes sealed_chunk(id.raw.begin(), id.raw.begin() + kChunkBytes);
    for (std::size_t at = 0; at < kChunkBytes; at += kDigestBytes) {
        const Digest key = tagged_hash("test/naive", view(id.id), std::uint64_t{at});
        for (std::size_t i = 0; i < kDigestBytes; ++i) sealed_chunk[at + i] ^= key[i];
        compressions += 2;
    }
    EXPECT_FALSE(std::equal(sealed_chunk.begin(), sealed_chunk.end(), id.raw.begin()));
    std::printf("naive: a chunk for %llu compressions of SHA-256, at `standard` %llu blocks\n",
                static_cast<unsigned long long>(compressions),
                static_cast<unsigned long long>(kSealStandard.work_blocks));
    EXPECT_LT(compressions * 10'000, kSealStandard.work_blocks);
}

}  // namespace
}  // namespace holdfast::test
