#include "clock/entropy_record.hpp"

#include <gtest/gtest.h>

#include "embedded/local_beacon.hpp"
#include "proofs/entropy.hpp"
#include "support/registry_world.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kStart = 1'700'000'000;  // seconds
const Height kHeight(108);

/// One height of a network with both sources, as a node would publish it.
struct EntropyStory {
    static KeyPair beacon_key() { return KeyPair::from_secret(Bytes(32, 33)); }

    NetworkParams params = test::short_network();
    PublicHeight facts;

    EntropyStory() {
        params.has_beacon = true;
        const PublicKey key = beacon_key().public_key();
        params.beacon_key = Bytes(key.begin(), key.end());
        params.beacon_genesis_s = kStart - 1'000;
        params.beacon_period_s = 10;
        params.beacon_delay_s = 60;
        params.has_vdf = true;
        params.vdf = {256, 1, 4, 16, 4};
        params.epoch_blocks = 32;
        params.epoch_lag = 8;
        facts.block = {kHeight, test::test_hash(kHeight), {}, kStart * 1000 + 999, true};
        facts.beacon = round(107);  // due at kStart + 60
        facts.y = test::test_y(kHeight);
    }
    BeaconRound round(std::uint64_t number) const {
        const test::TempFolder published;
        const auto beacon = LocalBeacon::publisher(published.path() / "beacon", params,
                                                   beacon_key(), [] { return kStart + 10'000; });
        return test::must((*beacon)->randomness(number));
    }
    [[nodiscard]] Result<EntropyRecord> record() const {
        PublicRecord record(params);
        record.set_height(facts);
        return entropy_record(record, kHeight);
    }
    void expect_refused(Reason reason) const {
        const auto made = record();
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().code, ErrorCode::kRefused);
        EXPECT_EQ(made.error().verdict.reason, reason) << made.error().message;
    }
};

TEST(EntropyRecord, SaysWhenTheSeedCanHaveBeenKnownAtTheEarliest) {
    const EntropyStory story;
    const EntropyRecord e = test::must(story.record());
    EXPECT_EQ(e.block, story.facts.block);
    ASSERT_TRUE(e.beacon && e.beacon_due_s);
    EXPECT_EQ(*e.beacon, *story.facts.beacon);
    // The round comes into being beacon_delay_s after the block, never before.
    EXPECT_EQ(*e.beacon_due_s, kStart + 60);
    EXPECT_EQ(e.seed_not_before_s, kStart + 60);
    EXPECT_EQ(e.seed, *make_seed(story.params, story.params.id(), kHeight, e.block.hash,
                                 BeaconRandomness{107, e.beacon->randomness}));
    EXPECT_EQ(e.vdf_steps, 64U);
    EXPECT_EQ(e.y, *story.facts.y);
}

TEST(EntropyRecord, OfASourceThatIsMissingOrFalseThereIsNone) {
    const EntropyStory story;
    EntropyStory s = story;
    s.facts.beacon.reset();
    s.expect_refused(Reason::kNoEntropy);
    s = story;
    s.facts.y.reset();
    s.expect_refused(Reason::kNoEntropy);
    // Rounds before and after the one of the block's time, each with its own true value.
    for (const std::uint64_t other : {1U, 106U, 108U}) {
        s = story;
        s.facts.beacon = story.round(other);
        s.expect_refused(Reason::kBadBeacon);
        s.facts.beacon->round = 107;
        s.expect_refused(Reason::kBadBeacon);
    }
    s = story;
    s.facts.beacon->randomness[0] ^= 1;
    s.expect_refused(Reason::kBadBeacon);
    // A block that is dated back names an earlier round than the one that is there.
    s = story;
    s.facts.block.time_ms -= 10'000;
    s.expect_refused(Reason::kBadBeacon);
    s = story;
    s.params.has_beacon = s.params.has_vdf = false;
    s.expect_refused(Reason::kNetworkPolicy);

    PublicRecord record(story.params);
    record.set_height(story.facts);
    EXPECT_EQ(entropy_record(record, kHeight + 1).error().code, ErrorCode::kNotFound);
}

TEST(EntropyRecord, WithoutAVdfYIsTheSeed) {
    EntropyStory s;
    s.params.has_vdf = false;
    s.params.epoch_blocks = s.params.epoch_lag = 0;
    s.facts.beacon = s.round(107);  // another network's beacon signs other bytes
    s.expect_refused(Reason::kVdfOutputMismatch);
    s.facts.y = seed_as_output(*make_seed(s.params, s.params.id(), kHeight, s.facts.block.hash,
                                          BeaconRandomness{107, s.facts.beacon->randomness}));
    const EntropyRecord e = test::must(s.record());
    EXPECT_EQ(e.vdf_steps, 0U);
    EXPECT_EQ(e.y, seed_as_output(e.seed));
}

TEST(EntropyRecord, AChainsOwnPartIsItsSecretUntilItIsRevealed) {
    const EntropyStory s;
    const NetworkId id = s.params.id();
    test::TestChain plain(s.params, 1, Height(101));
    test::TestChain secret(s.params, 2, Height(101), Retention::kDefault, true);
    RevealChain& reveals = secret.reveals_at(Height(101));
    const auto with_reveal = [&](std::optional<RevealState> reveal) {
        PublicRecord record(s.params);
        record.set_height(s.facts);
        EXPECT_TRUE(record.add_chain({plain.registration(), Height(101), {}, {}}));
        std::vector<RevealState> known;
        if (reveal) known.push_back(*reveal);
        EXPECT_TRUE(record.add_chain({secret.registration(), Height(101), {}, known}));
        return record;
    };
    PublicRecord record = with_reveal({});
    const EntropyRecord e = test::must(entropy_record(record, kHeight));
    EXPECT_EQ(test::must(chain_entropy_at(record, e, plain.id())),
              chain_entropy(id, e.y, plain.id(), Reveal()));
    for (const std::uint64_t i : {0U, 6U}) {
        record = with_reveal(RevealState{Height(101), {i, reveals.at(i)}});
        const auto hidden = chain_entropy_at(record, e, secret.id());
        ASSERT_FALSE(hidden);
        EXPECT_EQ(hidden.error().verdict.reason, Reason::kNoEntropy);
    }
    for (const std::uint64_t i : {7U, 8U, 40U}) {
        record = with_reveal(RevealState{Height(101), {i, reveals.at(i)}});
        EXPECT_EQ(test::must(chain_entropy_at(record, e, secret.id())),
                  chain_entropy(id, e.y, secret.id(), reveals.at(7)));
    }
    EXPECT_EQ(chain_entropy_at(record, e, ChainId()).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace holdfast
