// Attack 17: a block producer looks for the beacon round that suits it: it names another round for
// its block, or dates the block back until its round is one that it has already seen.
//
// Cost: nothing. Bound: the round follows from the block's time and nothing else, and another
// round's value is refused whatever number it carries. Dating back by less than beacon_delay_s
// names a round that nobody has seen; a host chain that lets producers date back further than that
// gives them the value first, and only the VDF is left: the delay must exceed what the host
// tolerates. The naive scheme beside it lets the block name its round.
#include <gtest/gtest.h>

#include "embedded/local_beacon.hpp"
#include "proofs/entropy.hpp"
#include "support/rates.hpp"
#include "support/temp_folder.hpp"
#include "unit/api/node_fixture.hpp"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kStart = 1'700'000'000;  // seconds

class AttackBeaconRoundChoice : public Node {
  protected:
    AttackBeaconRoundChoice() {
        const KeyPair key = key_of(33);
        params_.name = "beacon choice";
        params_.has_beacon = true;
        params_.beacon_key = Bytes(key.public_key().begin(), key.public_key().end());
        params_.beacon_genesis_s = kStart - 1'000;
        params_.beacon_period_s = 10;
        params_.beacon_delay_s = 60;  // more than the 52 s between a block and its parent
    }
    void SetUp() override {
        Node::SetUp();
        beacon_ = value_of(
            LocalBeacon::publisher(dir_ / "beacon", params_, key_of(33), [this] { return now_; }));
    }
    VdfClock clock_with(Beacon& beacon, const std::string& folder) {
        return value_of(VdfClock::open(params_, *chain_, &beacon, key_of(9), {dir_ / folder, 1}));
    }
    std::uint64_t now_ = kStart;
    std::unique_ptr<LocalBeacon> beacon_;
};

/// A beacon that answers with the value of another round.
struct LyingBeacon final : Beacon {
    LyingBeacon(Beacon& honest, std::int64_t shift, bool relabel)
        : honest_(honest), shift_(shift), relabel_(relabel) {}
    Result<BeaconRound> randomness(std::uint64_t round) override {
        HOLDFAST_ASSIGN(value, honest_.randomness(round + static_cast<std::uint64_t>(shift_)));
        if (relabel_) value.round = round;
        return value;
    }
    Status verify(std::uint64_t round, const BeaconRound& value) override {
        return honest_.verify(round, value);
    }

  private:
    Beacon& honest_;
    std::int64_t shift_;
    bool relabel_;
};

TEST_F(AttackBeaconRoundChoice, ABlockHasOneRoundAndNoOtherValueServes) {
    new_blocks(3);
    now_ = kStart + 10'000;  // everything is published by now
    const Height height(2);
    const BlockInfo block = value_of(chain_->block_by_height(height));
    const std::uint64_t round = *beacon_round(params_, block.time_ms / 1000);
    const Seed right =
        *make_seed(params_, params_.id(), height, block.hash,
                   BeaconRandomness{round, value_of(beacon_->randomness(round)).randomness});
    std::size_t refused = 0;
    for (std::int64_t shift = -20; shift <= 20; ++shift) {
        for (const bool relabel : {false, true}) {
            LyingBeacon lying(*beacon_, shift, relabel);
            VdfClock clock =
                clock_with(lying, "vdf" + std::to_string(shift) + (relabel ? "r" : ""));
            const auto entropy = clock.at(height);
            if (shift == 0) {
                ASSERT_TRUE(entropy);
                EXPECT_EQ(entropy->seed, right);
                continue;
            }
            ASSERT_FALSE(entropy);
            EXPECT_EQ(entropy.error().code, ErrorCode::kRefused);
            EXPECT_EQ(entropy.error().verdict.reason, Reason::kBadBeacon);
            ++refused;
        }
    }
    std::printf("values of 40 other rounds: %zu of 80 refused\n", refused);
    EXPECT_EQ(refused, 80U);
}

TEST_F(AttackBeaconRoundChoice, DatedBackWithinTheDelayTheValueIsStillUnknown) {
    new_blocks(1);
    const BlockInfo parent = value_of(chain_->block_by_height(Height(1)));
    const std::uint64_t parent_s = parent.time_ms / 1000;
    now_ = parent_s + 52;  // when the block is made
    EXPECT_FALSE(chain_->append_block(parent.time_ms - 1)) << "before its parent: the host refuses";
    std::set<std::uint64_t> rounds;
    std::size_t known = 0;
    std::size_t known_without_delay = 0;
    NetworkParams no_delay = params_;
    no_delay.beacon_delay_s = 0;
    for (std::uint64_t stated = parent_s; stated <= now_; ++stated) {
        const std::uint64_t round = *beacon_round(params_, stated);
        rounds.insert(round);
        known += beacon_->randomness(round) ? 1 : 0;
        known_without_delay += beacon_->randomness(*beacon_round(no_delay, stated)) ? 1 : 0;
    }
    std::printf(
        "dating back by up to 52 s: %zu rounds to be had, %zu of 53 times with a value "
        "that is known; with delay 0: %zu\n",
        rounds.size(), known, known_without_delay);
    EXPECT_EQ(known, 0U);
    EXPECT_GT(known_without_delay, 40U);

    // The block gets its value when its round is due, and waits until then.
    value_of(chain_->append_block(parent.time_ms));
    VdfClock clock = clock_with(*beacon_, "vdf");
    EXPECT_EQ(clock.at(Height(2)).error().code, ErrorCode::kUnavailable);
    now_ = parent_s + 52 + 60 + 10;
    EXPECT_TRUE(clock.at(Height(2)));
}

TEST_F(AttackBeaconRoundChoice, NamingTheRoundIsWorthWhatTheFormulaSays) {
    now_ = kStart + 100'000;
    new_blocks(1);
    const BlockInfo block = value_of(chain_->block_by_height(Height(1)));
    constexpr std::uint64_t kTrials = 300;
    constexpr std::uint64_t kRounds = 10;
    std::uint64_t naive = 0;
    std::uint64_t bound = 0;
    const auto suits = [&](std::uint64_t round) {
        const BeaconRound value = value_of(beacon_->randomness(round));
        const Seed seed = *make_seed(params_, params_.id(), Height(1), block.hash,
                                     BeaconRandomness{round, value.randomness});
        return (seed[0] & 15) == 0;
    };
    for (std::uint64_t trial = 0; trial < kTrials; ++trial) {
        bool any = false;
        for (std::uint64_t k = 0; k < kRounds; ++k) any = suits(1 + trial * kRounds + k) || any;
        naive += any ? 1 : 0;
        bound += suits(1 + trial * kRounds) ? 1 : 0;
    }
    expect_rate("ten rounds to choose from (naive)", naive, kTrials,
                1 - std::pow(15.0 / 16, kRounds));
    expect_rate("the round of the block's time", bound, kTrials, 1.0 / 16);
}

}  // namespace
}  // namespace holdfast::test
