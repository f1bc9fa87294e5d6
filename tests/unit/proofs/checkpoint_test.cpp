#include "proofs/checkpoint.hpp"

#include "support/refused.hpp"

namespace holdfast {
namespace {

using nlohmann::json;
using test::fixed;
using test::hex;

TEST(Checkpoint, CheckpointsOfTheVectors) {
    const json file = test::load_vectors("lifecycle.json");
    const auto network = test::network_of(file);
    for (const auto& c : file["cases"]["checkpoints"]) {
        const Bytes body = hex(c["body"]);
        const auto decoded = Checkpoint::decode(body);
        ASSERT_TRUE(decoded);
        EXPECT_EQ(decoded->encode(), body);
        EXPECT_EQ(decoded->submitter, fixed<PublicKey>(c["submitter_pk"]));
        const KeyPair key = KeyPair::from_secret(hex(c["secret_key"]));
        EXPECT_EQ(make_checkpoint(
                      network.id, Height(c["height"].get<std::uint64_t>()),
                      fixed<BlockHash>(c["block_hash"]), fixed<GlobalDigest>(c["global"]),
                      c["total_chains"].get<std::uint64_t>(), fixed<BondId>(c["bond_id"]), key)
                      .value(),
                  *decoded);
        const CheckpointFacts own{decoded->block_hash, decoded->global, decoded->total_chains};
        test::expect_refused(c["refused"], body, [&](ByteView bytes) -> Verdict {
            const auto changed = Checkpoint::decode(bytes);
            if (!changed) return changed.error();
            return verify_checkpoint(network.params, network.id, *changed, own);
        });
    }
}

TEST(Checkpoint, Reasons) {
    const NetworkParams params;
    const NetworkId id = params.id();
    const KeyPair key = KeyPair::from_secret(Bytes(32, 3));
    const auto at = [&](std::uint64_t height) {
        return make_checkpoint(id, Height(height), {}, {}, 1, {}, key).value();
    };
    EXPECT_TRUE(check_checkpoint(params, id, at(0)));
    EXPECT_TRUE(check_checkpoint(params, id, at(138)));
    EXPECT_EQ(check_checkpoint(params, id, at(139)), Verdict(Reason::kNotCheckpointHeight));
    Checkpoint bad = at(69);
    bad.total_chains = 2;
    EXPECT_EQ(check_checkpoint(params, id, bad), Verdict(Reason::kBadSignature));
    bad.submitter = PublicKey();  // y = 0: of order 4
    EXPECT_EQ(check_checkpoint(params, id, bad), Verdict(Reason::kBadKey));
}

TEST(Checkpoint, ASignedUntruthIsToldFromTheVerifiersOwnDigest) {
    const NetworkParams params;
    const NetworkId id = params.id();
    const KeyPair key = KeyPair::from_secret(Bytes(32, 3));
    const Checkpoint said = make_checkpoint(id, Height(69), {}, {}, 1, {}, key).value();
    CheckpointFacts own{{}, {}, 1};
    EXPECT_TRUE(verify_checkpoint(params, id, said, own));
    own.total_chains = 2;
    EXPECT_EQ(verify_checkpoint(params, id, said, own), Verdict(Reason::kGlobalMismatch));
    own = {{}, {}, 1};
    own.global[0] = 1;
    EXPECT_EQ(verify_checkpoint(params, id, said, own), Verdict(Reason::kGlobalMismatch));
    own.block_hash[0] = 1;
    EXPECT_EQ(verify_checkpoint(params, id, said, own), Verdict(Reason::kWrongBlock));
}

TEST(Checkpoint, EveryBitFlipIsRefused) {
    const NetworkParams params;
    const NetworkId id = params.id();
    const KeyPair key = KeyPair::from_secret(Bytes(32, 4));
    const Bytes body = make_checkpoint(id, Height(69), {}, {}, 1, {}, key).value().encode();
    for (std::size_t bit = 0; bit < 8 * body.size(); ++bit) {
        Bytes bad = body;
        bad[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
        EXPECT_FALSE(check_checkpoint(params, id, *Checkpoint::decode(bad))) << bit;
    }
}

}  // namespace
}  // namespace holdfast
