#include "core/params.hpp"

#include "core/hash.hpp"
#include "core/keys.hpp"
#include "support/refused.hpp"

namespace holdfast {
namespace {

using test::fixed;
using test::hex;

TEST(Params, NetworksOfTheVectors) {
    for (const auto& c : test::load_vectors("network.json")["cases"]) {
        const Bytes body = hex(c["network"]);
        const auto params = NetworkParams::decode(body);
        ASSERT_TRUE(params) << to_string(params.error());
        EXPECT_EQ(params->encode(), body);
        EXPECT_EQ(params->id(), fixed<NetworkId>(c["network_id"]));
        if (!c.contains("refused")) continue;
        test::expect_refused(c["refused"], body, [](ByteView bytes) -> Verdict {
            const auto decoded = NetworkParams::decode(bytes);
            return decoded ? Verdict::ok() : decoded.error();
        });
    }
}

TEST(Params, TheFirstNetworkOfTheVectorsIsTheDefault) {
    const auto first = test::load_vectors("network.json")["cases"][0];
    EXPECT_EQ(NetworkParams().encode(), hex(first["network"]));
    EXPECT_TRUE(NetworkParams().validate());
}

TEST(Params, EveryTruncationIsRefused) {
    const Bytes body = NetworkParams().encode();
    for (std::size_t size = 0; size < body.size(); ++size) {
        EXPECT_FALSE(NetworkParams::decode(ByteView(body).first(size))) << size;
    }
}

TEST(Params, EveryBitNamesAnotherNetworkOrNone) {
    const Bytes body = NetworkParams().encode();
    const NetworkId id = NetworkParams().id();
    for (std::size_t bit = 0; bit < 8 * body.size(); ++bit) {
        Bytes flipped = body;
        flipped[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        const auto decoded = NetworkParams::decode(flipped);
        if (!decoded) continue;
        EXPECT_EQ(decoded->encode(), flipped) << bit;
        EXPECT_NE(decoded->id(), id) << bit;
    }
}

TEST(Params, Version2IsVersion1AndItsOwnFields) {
    const NetworkParams two = NetworkParams::preset(kParamsVersion2);
    EXPECT_TRUE(two.validate());
    EXPECT_EQ(two.seal_windows, 4U);
    EXPECT_EQ(two.max_challengers, 4'096U);
    Bytes expected = NetworkParams().encode();
    expected[0] = 2;
    expected[129] = 4;  // seal_windows
    const std::size_t quorum = expected.size() - 9 * 4;
    expected[quorum] = 7;
    expected[quorum + 4] = 9;
    Writer tail;
    tail.u64(1'000).u64(1'000).u64(10'000).u64(10'000).u64(100'000).u32(4'096).fixed(PublicKey{});
    expected.insert(expected.end(), tail.bytes().begin(), tail.bytes().end());
    EXPECT_EQ(to_hex(two.encode()), to_hex(expected));
    EXPECT_EQ(two.id(), NetworkId(tagged_hash("network", ByteView(expected))));
    ASSERT_TRUE(NetworkParams::decode(expected));
    EXPECT_EQ(*NetworkParams::decode(expected), two);
    for (std::size_t size = 0; size < expected.size(); ++size) {
        EXPECT_FALSE(NetworkParams::decode(ByteView(expected).first(size))) << size;
    }
    expected[0] = 1;
    EXPECT_EQ(NetworkParams::decode(expected).error(), Reason::kTrailingBytes);
    expected[0] = 3;
    EXPECT_EQ(NetworkParams::decode(expected).error(), Reason::kBadVersion);
}

TEST(Params, WhatBelongsToVersion2IsRefusedInVersion1) {
    const auto one = [](void (*change)(NetworkParams&)) {
        NetworkParams p;
        change(p);
        return p.validate();
    };
    const Verdict refused(Reason::kBadParameters, 16);
    EXPECT_EQ(one([](auto& p) { p.least_chain_part = 1; }), refused);
    EXPECT_EQ(one([](auto& p) { p.least_challenger_part = 1; }), refused);
    EXPECT_EQ(one([](auto& p) { p.least_submitter_part = 1; }), refused);
    EXPECT_EQ(one([](auto& p) { p.least_evaluator_part = 1; }), refused);
    EXPECT_EQ(one([](auto& p) { p.least_operator_part = 1; }), refused);
    EXPECT_EQ(one([](auto& p) { p.max_challengers = 1; }), refused);
    EXPECT_EQ(one([](auto& p) { p.operator_key[0] = 9; }), refused);
    EXPECT_EQ(one([](auto& p) { p.version = 3; }), refused);
}

TEST(Params, BoundsOfVersion2HoldOnBothSides) {
    const auto two = [](void (*change)(NetworkParams&)) {
        NetworkParams p = NetworkParams::preset(kParamsVersion2);
        change(p);
        return p.validate();
    };
    EXPECT_EQ(two([](auto& p) { p.quorum = 0; }), Verdict(Reason::kBadParameters, 17));
    EXPECT_EQ(two([](auto& p) { p.liability_blocks = 0; }), Verdict(Reason::kBadParameters, 17));
    EXPECT_EQ(two([](auto& p) { p.least_challenger_part = 0; }),
              Verdict(Reason::kBadParameters, 18));
    EXPECT_EQ(two([](auto& p) { p.max_challengers = 0; }), Verdict(Reason::kBadParameters, 18));
    EXPECT_TRUE(two([](auto& p) { p.max_challengers = 65'536; }));
    EXPECT_EQ(two([](auto& p) { p.max_challengers = 65'537; }),
              Verdict(Reason::kBadParameters, 18));
    EXPECT_EQ(two([](auto& p) { p.operator_key[0] = 1; }),
              Verdict(Reason::kBadParameters, 19));  // the neutral element
    EXPECT_TRUE(two([](auto& p) {
        p.operator_key = KeyPair::from_secret(Bytes(32, 5)).public_key();
        p.least_operator_part = 0;
    }));
}

struct Bound {
    const char* what;
    void (*apply)(NetworkParams&);
    bool allowed;
};

TEST(Params, BoundsHoldOnBothSides) {
    const Bound bounds[] = {
        {"name of 64", [](auto& p) { p.name.assign(64, 'x'); }, true},
        {"name of 65", [](auto& p) { p.name.assign(65, 'x'); }, false},
        {"name not ASCII", [](auto& p) { p.name = "\x80"; }, false},
        {"block_ms 0", [](auto& p) { p.block_ms = 0; }, false},
        {"beacon without period", [](auto& p) { p.has_beacon = true; }, false},
        {"beacon", [](auto& p) { p.has_beacon = true, p.beacon_period_s = 1; }, true},
        {"delay without beacon", [](auto& p) { p.beacon_delay_s = 1; }, false},
        {"window_chunks 16", [](auto& p) { p.seal_presets = {{16, 512}}; }, true},
        {"window_chunks 15", [](auto& p) { p.seal_presets = {{15, 512}}; }, false},
        {"work below 32 a chunk", [](auto& p) { p.seal_presets = {{16, 511}}; }, false},
        {"work 2^34", [](auto& p) { p.seal_presets = {{16, std::uint64_t{1} << 34}}; }, true},
        {"work over 2^34", [](auto& p) { p.seal_presets = {{16, (1ULL << 34) + 1}}; }, false},
        {"16 presets", [](auto& p) { p.seal_presets.assign(16, kSealStandard); }, true},
        {"17 presets", [](auto& p) { p.seal_presets.assign(17, kSealStandard); }, false},
        {"no preset", [](auto& p) { p.seal_presets.clear(); }, false},
        {"passes 64", [](auto& p) { p.vdf.passes = 64; }, true},
        {"passes 65", [](auto& p) { p.vdf.passes = 65; }, false},
        {"passes 0", [](auto& p) { p.vdf.passes = 0; }, false},
        {"lanes 0", [](auto& p) { p.vdf.lanes = 0; }, false},
        {"lanes 3", [](auto& p) { p.vdf.lanes = 3; }, false},
        {"arena 8 a lane", [](auto& p) { p.vdf.arena_kib = 32, p.vdf.lanes = 4; }, true},
        {"arena below", [](auto& p) { p.vdf.arena_kib = 32, p.vdf.lanes = 8; }, false},
        {"arena 2^22", [](auto& p) { p.vdf.arena_kib = 1U << 22; }, true},
        {"arena 2^23", [](auto& p) { p.vdf.arena_kib = 1U << 23; }, false},
        {"checkpoints 0", [](auto& p) { p.vdf.checkpoints = 0; }, false},
        {"steps 0", [](auto& p) { p.vdf.steps_per_checkpoint = 0; }, false},
        {"2^36 steps",
         [](auto& p) { p.vdf.checkpoints = 1 << 16, p.vdf.steps_per_checkpoint = 1 << 20; }, true},
        {"more steps",
         [](auto& p) { p.vdf.checkpoints = 1 << 16, p.vdf.steps_per_checkpoint = (1 << 20) + 1; },
         false},
        {"steps overflow", [](auto& p) { p.vdf.steps_per_checkpoint = UINT64_MAX; }, false},
        {"epoch_lag 6", [](auto& p) { p.epoch_lag = 6; }, false},
        {"epoch_lag 7", [](auto& p) { p.epoch_lag = 7; }, true},
        {"epoch_lag over epoch", [](auto& p) { p.epoch_blocks = 7; }, false},
        {"seal_delay 4", [](auto& p) { p.seal_delay = 4; }, false},
        {"proof_deadline 5", [](auto& p) { p.proof_deadline = 5; }, false},
        {"proof_deadline 6", [](auto& p) { p.proof_deadline = 6; }, true},
        {"availability 1/1", [](auto& p) { p.availability_n = p.availability_d = 1; }, true},
        {"availability 2/1", [](auto& p) { p.availability_n = 2, p.availability_d = 1; }, false},
        {"availability n/0", [](auto& p) { p.availability_n = p.availability_d = 0; }, false},
        {"quorum over", [](auto& p) { p.quorum = 6; }, false},
        {"min_chunks 15", [](auto& p) { p.min_chunks = 15; }, false},
        {"min_chunks 2^20", [](auto& p) { p.min_chunks = 1 << 20; }, true},
        {"min_chunks over 2^20", [](auto& p) { p.min_chunks = (1 << 20) + 1; }, false},
        {"group_slots 0", [](auto& p) { p.group_slots = 0; }, false},
        {"region_groups 0", [](auto& p) { p.region_groups = 0; }, false},
        {"checkpoint_blocks 0", [](auto& p) { p.checkpoint_blocks = 0; }, false},
        {"availability_chunks 0", [](auto& p) { p.availability_chunks = 0; }, false},
        {"seal_windows 0", [](auto& p) { p.seal_windows = 0; }, false},
        {"audit_windows 0", [](auto& p) { p.audit_windows = 0; }, false},
        {"seal_cells 0", [](auto& p) { p.seal_cells = 0; }, false},
    };
    for (const Bound& bound : bounds) {
        NetworkParams params;
        bound.apply(params);
        const Verdict v = params.validate();
        EXPECT_EQ(v.accepted(), bound.allowed) << bound.what;
        if (bound.allowed) continue;
        EXPECT_EQ(v.reason, Reason::kBadParameters) << bound.what;
        EXPECT_TRUE(v.index.has_value()) << bound.what;
    }
}

TEST(Params, PresetsHaveNames) {
    for (const char* name : {"standard", "hardened", "economy", "dev"}) {
        const auto preset = seal_preset(name);
        ASSERT_TRUE(preset) << name;
        EXPECT_EQ(seal_preset_name(*preset), name);
        EXPECT_TRUE(preset->validate()) << name;
    }
    EXPECT_FALSE(seal_preset("fast"));
    EXPECT_EQ(seal_preset_name({16, 512}), "");
}

TEST(Params, DefaultNetworksRefuseDevAndEconomy) {
    const NetworkParams params;
    EXPECT_TRUE(params.check_seal(kSealStandard));
    EXPECT_TRUE(params.check_seal(kSealHardened));
    EXPECT_EQ(params.check_seal(kSealEconomy), Verdict(Reason::kSealPolicy));
    EXPECT_EQ(params.check_seal(kSealDev), Verdict(Reason::kSealPolicy));
    EXPECT_TRUE(params.check_vdf(params.vdf));
    VdfParams other = params.vdf;
    ++other.checkpoints;
    EXPECT_EQ(params.check_vdf(other), Verdict(Reason::kVdfPolicy));
    NetworkParams without = params;
    without.has_vdf = false;
    EXPECT_EQ(without.check_vdf(params.vdf), Verdict(Reason::kVdfPolicy));
}

}  // namespace
}  // namespace holdfast
