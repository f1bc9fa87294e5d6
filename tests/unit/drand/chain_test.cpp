// Recorded rounds of both schemes, by real pairings, and everything that must not pass for one.
#include "adapters/drand/chain.hpp"

#include "core/hash.hpp"
#include "proofs/entropy.hpp"
#include "unit/drand/recorded.hpp"

namespace holdfast {
namespace {

using test::Json;
using test::Recorded;

class DrandChainTest : public ::testing::TestWithParam<const char*> {
  protected:
    const Recorded recorded_ = Recorded::read(GetParam());
};

TEST_P(DrandChainTest, TheNameOfTheChainFollowsFromWhatItsInfoSays) {
    EXPECT_EQ(to_hex(view(recorded_.chain.chain_hash())),
              recorded_.info["hash"].get<std::string>());
}

TEST_P(DrandChainTest, EveryRecordedRoundVerifies) {
    ASSERT_GE(recorded_.rounds.size(), 3U);
    for (std::size_t i = 0; i < recorded_.rounds.size(); ++i) {
        const BeaconRound value = recorded_.round(i);
        EXPECT_TRUE(verify_drand(recorded_.chain, recorded_.number(i), value));
        EXPECT_EQ(to_hex(view(value.randomness)),
                  recorded_.rounds[i]["randomness"].get<std::string>());
    }
}

TEST_P(DrandChainTest, ARoundIsRefusedUnderAnotherNumberWithAnyByteChangedOrInAnotherChain) {
    const BeaconRound value = recorded_.round(1);
    const std::uint64_t round = recorded_.number(1);
    const auto refused = [&](const DrandChain& chain, std::uint64_t as, const BeaconRound& v) {
        const Status s = verify_drand(chain, as, v);
        return !s && s.error().code == ErrorCode::kRefused &&
               s.error().verdict.reason == Reason::kBadBeacon;
    };
    EXPECT_TRUE(refused(recorded_.chain, round + 1, value));
    BeaconRound changed = value;
    ++changed.round;
    EXPECT_TRUE(refused(recorded_.chain, round + 1, changed));
    EXPECT_TRUE(refused(recorded_.chain, 0, value));
    for (std::size_t at = 0; at < value.proof.size(); at += 7) {
        changed = value;
        changed.proof[at] ^= 1;
        EXPECT_TRUE(refused(recorded_.chain, round, changed)) << at;
        // The same with the randomness that belongs to it.
        const std::size_t signed_bytes = recorded_.chain.scheme == DrandScheme::kChained ? 96 : 48;
        changed.randomness = sha256(ByteView(changed.proof).subspan(0, signed_bytes));
        EXPECT_TRUE(refused(recorded_.chain, round, changed)) << at;
    }
    changed = value;
    changed.randomness.bytes[31] ^= 1;
    EXPECT_TRUE(refused(recorded_.chain, round, changed));
    changed = value;
    changed.proof.push_back(0);
    EXPECT_TRUE(refused(recorded_.chain, round, changed));
    const Recorded other =
        Recorded::read(std::string(GetParam()) == "quicknet" ? "default" : "quicknet");
    EXPECT_TRUE(refused(other.chain, round, value));
    DrandChain nobody = recorded_.chain;
    nobody.public_key.assign(nobody.public_key.size(), 0);
    nobody.public_key[0] = 0xc0;  // the point at infinity, under which anything would hold
    BeaconRound infinity = value;
    const std::size_t signed_bytes = recorded_.chain.scheme == DrandScheme::kChained ? 96 : 48;
    std::fill_n(infinity.proof.begin(), signed_bytes, std::uint8_t{0});
    infinity.proof[0] = 0xc0;
    infinity.randomness = sha256(ByteView(infinity.proof).subspan(0, signed_bytes));
    EXPECT_TRUE(refused(nobody, round, infinity));
    EXPECT_TRUE(refused(recorded_.chain, round, infinity));
}

TEST_P(DrandChainTest, ANetworksParametersNameTheChain) {
    const auto chain = DrandChain::from_params(recorded_.params());
    ASSERT_TRUE(chain) << chain.error().message;
    EXPECT_EQ(*chain, recorded_.chain);
    EXPECT_LE(chain->beacon_key().size(), 256U);  // what parameters take (spec 1)
    NetworkParams wrong = recorded_.params();
    wrong.beacon_key.resize(40);
    EXPECT_FALSE(DrandChain::from_params(wrong));
    wrong = recorded_.params();
    wrong.beacon_key[0] = 3;
    EXPECT_FALSE(DrandChain::from_params(wrong));
    wrong = recorded_.params();
    wrong.beacon_key.clear();
    EXPECT_FALSE(DrandChain::from_params(wrong));
    wrong = recorded_.params();
    wrong.has_beacon = false;
    EXPECT_FALSE(DrandChain::from_params(wrong));
}

// Spec 5: the first round that is out at block time plus delay, or later.
TEST_P(DrandChainTest, TheRoundOfABlockIsTheFirstThatIsNotOutBeforeIt) {
    NetworkParams params = recorded_.params();
    params.beacon_delay_s = 2;
    const std::uint64_t out_at =
        recorded_.chain.genesis_s + (recorded_.number(1) - 1) * recorded_.chain.period_s;
    const auto round_at = [&](std::uint64_t block_time_s) {
        const auto r = beacon_round(params, block_time_s);
        return r ? *r : 0;
    };
    EXPECT_EQ(round_at(out_at - 2), recorded_.number(1));
    EXPECT_EQ(round_at(out_at - 1), recorded_.number(1) + 1);
    EXPECT_EQ(round_at(out_at - 2 - recorded_.chain.period_s + 1), recorded_.number(1));
    EXPECT_EQ(round_at(0), 1U);
}

TEST_P(DrandChainTest, HostileJsonIsAnErrorAndNothingElse) {
    for (const char* bad :
         {"", "null", "[]", "{}", "{\"round\":-1}", "{\"round\":1e999}", "[[[[[[[[",
          "{\"round\":\"1\",\"signature\":5}", "{\"round\":18446744073709551616}"}) {
        EXPECT_FALSE(drand_round(recorded_.chain, bad)) << bad;
        EXPECT_FALSE(DrandChain::from_info(bad)) << bad;
    }
    for (const auto& [name, value] : recorded_.rounds[1].items()) {
        if (name == "randomness") continue;  // not read: it follows from the signature
        Json changed = recorded_.rounds[1];
        changed[name] = value.is_string() ? Json("zz") : Json("x");
        EXPECT_FALSE(drand_round(recorded_.chain, changed.dump())) << name;
        changed.erase(name);
        EXPECT_FALSE(drand_round(recorded_.chain, changed.dump())) << name;
    }
    Json info = recorded_.info;
    info["schemeID"] = "bls-bn254-unchained-on-g1";
    const auto unknown = DrandChain::from_info(info.dump());
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code, ErrorCode::kUnsupported);
    info = recorded_.info;
    info["period"] = 0;
    EXPECT_FALSE(DrandChain::from_info(info.dump()));
}

INSTANTIATE_TEST_SUITE_P(Recorded, DrandChainTest, ::testing::Values("quicknet", "default"),
                         [](const auto& one) { return std::string(one.param); });

}  // namespace
}  // namespace holdfast
