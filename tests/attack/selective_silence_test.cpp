// Attack 4: a prover keeps part of its replica and links only at heights where it happens to hold
// all sixteen cells. It never says anything false.
//
// Cost: nothing; it saves what it does not store. Bound: a height without a link that counts is one
// miss, or sixteen where only a full proof counts; more than misses_late of rate_window make a
// chain late, more than misses_expired end it. The windows here are a tenth of the default ones,
// with their ratios. The naive scheme beside it asks whether the links that it got are right.
#include <gtest/gtest.h>

#include <vector>

#include "analysis/bounds.hpp"
#include "support/rates.hpp"
#include "support/sealed_chain.hpp"

namespace holdfast::test {
namespace {

NetworkParams tenth_of_default() {
    NetworkParams p = short_network();
    p.name = "silence";
    p.block_ms = 52'000;
    p.rate_window = 207;
    p.misses_late = 10;
    p.misses_expired = 103;
    p.group_slots = 64;
    return p;
}

/// A chain that lacks the first `lacking` of its chunks.
struct Silent {
    SealedChain chain;
    std::uint64_t lacking;
    std::uint64_t links = 0;
    std::uint64_t misses = 0;  // owed by the rule, summed over the heights told
    std::optional<Height> late;
    std::optional<Height> expired;

    Silent(const NetworkParams& params, std::uint64_t seed, std::uint64_t lacks)
        : chain(params, seed, {256, seed, false, Height(110), {}}), lacking(lacks) {}

    [[nodiscard]] bool can_answer(const KnownHeight& known) const {
        const OpenedCells where = chain.opened(known);
        return std::none_of(where.begin(), where.end(),
                            [&](const OpenedCell& at) { return at.chunk.value < lacking; });
    }
};

class SilenceWorld {
  public:
    SilenceWorld(std::size_t count, std::uint64_t lacking) {
        std::vector<const SealedChain*> all;
        for (std::size_t i = 0; i < count; ++i) {
            silent_.push_back(std::make_unique<Silent>(params_, i, lacking));
            all.push_back(&silent_.back()->chain);
        }
        enrol(world_, all);
        // Audits are another matter: here they pass.
        for (const SealedChain* chain : all) world_.keep(chain->id());
        first_ = world_.tip() + 1;
    }
    [[nodiscard]] const NetworkParams& params() const { return params_; }
    [[nodiscard]] Height first() const { return first_; }
    std::vector<std::unique_ptr<Silent>>& chains() { return silent_; }
    /// How many linked heights of how many were judged by whoever looks at links alone, and held.
    [[nodiscard]] std::uint64_t links_held() const { return links_held_; }

    void tell(std::uint64_t heights) {
        for (std::uint64_t i = 0; i < heights; ++i) {
            world_.feed();
            link();
            prove();
            watch();
        }
    }

  private:
    void link() {
        const Height h = world_.tip();
        for (const auto& s : silent_) {
            if (s->expired) continue;
            const KnownHeight known = known_height(world_, s->chain, h);
            if (!s->can_answer(known)) continue;
            const SignedLink link = s->chain.honest(known);
            EXPECT_EQ(submit(world_, s->chain, link.receipt), Verdict::ok());
            made_[h].emplace_back(to_full(link));
            ++s->links;
        }
    }
    void prove() {
        const auto due = made_.find(world_.tip() - params_.closing_blocks());
        if (due == made_.end()) return;
        for (const AnyProof& proof : due->second) {
            EXPECT_EQ(world_.prove(proof), Verdict::ok());
            ++links_held_;
        }
        made_.erase(due);
    }
    void watch() {
        const Height closed = world_.closed();
        for (const auto& s : silent_) {
            const auto leaf = must(world_->leaf(s->chain.id(), closed));
            if (!leaf) continue;
            if (!s->late && leaf->status != ChainStatus::kActive) s->late = closed;
            if (!s->expired && leaf->status == ChainStatus::kExpired) s->expired = closed;
            s->misses = must(world_->chain(s->chain.id()))->misses;
        }
    }

    NetworkParams params_ = tenth_of_default();
    RegistryWorld world_{params_};
    std::vector<std::unique_ptr<Silent>> silent_;
    std::map<Height, std::vector<AnyProof>> made_;
    Height first_;
    std::uint64_t links_held_ = 0;
};

/// Heights until more than `allowed` misses have come together, each height giving 1 with
/// probability 15/16 s and 16 with s/16.
struct HeightsUntil {
    double mean = 0;
    double variance = 0;
};
HeightsUntil heights_until(std::uint32_t allowed, double silent) {
    std::vector<double> at(std::size_t{allowed} + 1);
    at[0] = 1;
    double first = 0;
    double second = 0;
    for (double n = 1; n < 100'000; ++n) {
        std::vector<double> next(at.size());
        double beyond = 0;
        const auto move = [&](std::size_t to, double p) {
            (to < next.size() ? next[to] : beyond) += p;
        };
        for (std::size_t m = 0; m < at.size(); ++m) {
            move(m, at[m] * (1 - silent));
            move(m + 1, at[m] * silent * 15 / 16);
            move(m + 16, at[m] * silent / 16);
        }
        first += n * beyond;
        second += n * n * beyond;
        at = next;
    }
    return {first, second - first * first};
}

double silent_share(std::uint64_t chunks, std::uint64_t lacking) {
    return 1 - std::exp2(log2_links_undetected(chunks, lacking, 1));
}

TEST(AttackSelectiveSilence, KeepingSeventyPercentIsLateAtOnceAndExpiresSoon) {
    constexpr std::size_t kChains = 24;
    constexpr std::uint64_t kLacking = 77;  // of 256 chunks
    SilenceWorld world(kChains, kLacking);
    world.tell(120);

    const double silent = silent_share(256, kLacking);
    const HeightsUntil late = heights_until(world.params().misses_late, silent);
    const HeightsUntil expired = heights_until(world.params().misses_expired, silent);
    double late_sum = 0;
    double expired_sum = 0;
    std::uint64_t links = 0;
    for (const auto& s : world.chains()) {
        ASSERT_TRUE(s->late && s->expired);
        // The digest of h counts heights up to h - proof_deadline.
        const Height settled_from = world.first() + world.params().proof_deadline;
        late_sum += static_cast<double>(s->late->since(settled_from)) + 1;
        expired_sum += static_cast<double>(s->expired->since(settled_from)) + 1;
        links += s->links;
        EXPECT_LT(s->late->since(world.first()), world.params().rate_window);
    }
    const double n = kChains;
    expect_within_3_sigma("heights until late", late_sum / n, late.mean,
                          std::sqrt(late.variance / n));
    expect_within_3_sigma("heights until expired", expired_sum / n, expired.mean,
                          std::sqrt(expired.variance / n));
    // Naive: every link that came is right, so nothing is ever held against the chain.
    std::printf("naive: %llu of %llu links that came hold; 30%% of the storage saved forever\n",
                static_cast<unsigned long long>(world.links_held()),
                static_cast<unsigned long long>(links));
    EXPECT_GT(links, 0U);
    EXPECT_EQ(world.links_held(), links);
}

TEST(AttackSelectiveSilence, OneChunkOf256IsMoreThanTheBoundAllows) {
    constexpr std::size_t kChains = 6;
    SilenceWorld world(kChains, 1);
    const NetworkParams& p = world.params();
    const double lacking = 1.0 / 256;
    ASSERT_GT(lacking, 1 - storable_by_silence(p.rate_window, p.misses_late));
    world.tell(p.rate_window + p.proof_deadline + p.closing_blocks());

    const double silent = silent_share(256, 1);
    double misses = 0;
    for (const auto& s : world.chains()) {
        EXPECT_TRUE(s->late) << "within one window";
        EXPECT_FALSE(s->expired);
        misses += static_cast<double>(s->misses);
    }
    const double heights = static_cast<double>(kChains) * p.rate_window;
    const double mean = silent * (15.0 / 16 + 1);
    const double square = silent * (15.0 / 16 + 16);
    expect_within_3_sigma("misses of a whole window, six chains", misses, heights * mean,
                          std::sqrt(heights * (square - mean * mean)));
}

TEST(AttackSelectiveSilence, AnHonestChainMissesNothing) {
    SilenceWorld world(1, 0);
    world.tell(60);
    EXPECT_FALSE(world.chains()[0]->late);
    EXPECT_EQ(world.chains()[0]->misses, 0U);
    EXPECT_EQ(world.chains()[0]->links, 60U);
}

}  // namespace
}  // namespace holdfast::test
