#include "proofs/digests.hpp"

#include "core/merkle.hpp"
#include "proofs/link_verify.hpp"
#include "support/refused.hpp"

namespace holdfast {
namespace {

using nlohmann::json;
using test::fixed;
using test::hex;

KnownHeight known_height(const json& c) {
    KnownHeight known;
    known.height = Height(c["block"]["height"].get<std::uint64_t>());
    known.block_hash = fixed<BlockHash>(c["block"]["block_hash"]);
    known.y = fixed<VdfOutput>(c["block"]["y"]);
    known.previous_global = fixed<GlobalDigest>(c["previous_global"]);
    known.global = fixed<GlobalDigest>(c["global"]);
    return known;
}

/// chain_id || link = expand(SHA-256(leaf_seed || LE64(s)), 64), height - s mod 3, a status by s
/// mod 5.
ChainLeaf vector_leaf(const Bytes& leaf_seed, Height height, std::uint64_t s) {
    std::uint8_t le[8];
    store_le64(le, s);
    const Digest seed = Sha256().update(leaf_seed).update(le).finish();
    const Bytes ids = test::expand(view(seed), 64);
    ChainLeaf leaf;
    std::copy_n(ids.begin(), 32, leaf.chain_id.bytes.begin());
    std::copy_n(ids.begin() + 32, 32, leaf.link.bytes.begin());
    leaf.link_height = height - s % 3;
    constexpr std::uint8_t kStatuses[] = {1, 2, 3, 1, 4};
    leaf.status = *chain_status(kStatuses[s % 5]);
    return leaf;
}

TEST(Digests, RegistriesOfTheVectors) {
    const json file = test::load_vectors("hierarchy.json");
    for (const auto& c : file["cases"]) {
        const auto network = test::network_of(c);
        const Height height(c["block"]["height"].get<std::uint64_t>());
        const std::uint64_t group_slots = network.params.group_slots;
        const std::uint64_t region_slots = group_slots * network.params.region_groups;
        std::map<std::uint64_t, ChainLeaf> leaves;
        for (const auto& run : c["slots"]) {
            for (std::uint64_t s = run[0]; s <= run[1].get<std::uint64_t>(); ++s) {
                leaves[s] = vector_leaf(hex(c["leaf_seed"]), height, s);
            }
        }
        for (const auto& [slot, encoded] : c["leaves"].items()) {
            const ChainLeaf& leaf = leaves.at(std::stoull(slot));
            const auto raw = leaf.encode();
            EXPECT_EQ(Bytes(raw.begin(), raw.end()), hex(encoded));
            EXPECT_EQ(*ChainLeaf::decode(raw), leaf);
        }
        std::vector<Digest> region_leaves;
        for (std::uint32_t region = 0; region < c["regions"].size(); ++region) {
            std::vector<Digest> group_leaves;
            std::uint64_t region_active = 0;
            const json& groups = c["groups"][region];
            for (std::uint32_t group = 0; group < groups.size(); ++group) {
                const std::uint64_t first = region * region_slots + group * group_slots;
                std::vector<Digest> slots;
                std::uint32_t active = 0;
                std::uint64_t used = 0;
                for (std::uint64_t s = 0; s < group_slots; ++s) {
                    const auto leaf = leaves.find(first + s);
                    const bool there = leaf != leaves.end();
                    slots.push_back(there ? leaf->second.hash() : vacant_leaf_hash());
                    if (!there) continue;
                    used = s + 1;
                    active += leaf->second.status == ChainStatus::kActive ? 1 : 0;
                }
                slots.resize(used);
                const Digest digest = group_digest(region, group, static_cast<std::uint32_t>(used),
                                                   active, merkle_root(slots));
                EXPECT_EQ(used, groups[group]["slots"].get<std::uint64_t>());
                EXPECT_EQ(active, groups[group]["active"].get<std::uint32_t>());
                EXPECT_EQ(digest, fixed<Digest>(groups[group]["digest"]));
                group_leaves.push_back(leaf_hash(view(digest)));
                region_active += active;
            }
            const Digest digest = region_digest(region, static_cast<std::uint32_t>(groups.size()),
                                                region_active, merkle_root(group_leaves));
            EXPECT_EQ(digest, fixed<Digest>(c["regions"][region]["digest"]));
            region_leaves.push_back(leaf_hash(view(digest)));
        }
        const KnownHeight known = known_height(c);
        GlobalHeader header{known.height,
                            known.block_hash,
                            *known.y,
                            *known.previous_global,
                            static_cast<std::uint32_t>(region_leaves.size()),
                            leaves.size()};
        EXPECT_EQ(global_digest(network.id, header, merkle_root(region_leaves)), *known.global);
        EXPECT_EQ(leaves.size(), c["total_chains"].get<std::uint64_t>());
    }
}

TEST(Digests, PathsOfTheVectors) {
    const json file = test::load_vectors("hierarchy.json");
    for (const auto& c : file["cases"]) {
        const auto network = test::network_of(c);
        const KnownHeight known = known_height(c);
        for (const auto& p : c["paths"]) {
            const Bytes body = hex(p["body"]);
            const auto proof = PathProof::decode(body);
            ASSERT_TRUE(proof) << to_string(proof.error());
            EXPECT_EQ(proof->encode(), body);
            const std::uint64_t group =
                std::uint64_t{proof->path.region} * network.params.region_groups +
                proof->path.group;
            EXPECT_EQ(group * network.params.group_slots + proof->path.slot,
                      p["slot"].get<std::uint64_t>());
            test::expect_refused(p["refused"], body, [&](ByteView bytes) -> Verdict {
                const auto changed = PathProof::decode(bytes);
                if (!changed) return changed.error();
                return verify_path(network.params, network.id, known, *changed);
            });
        }
    }
}

TEST(Digests, APathOfAnotherHeightBlockYOrPredecessorIsRefused) {
    const json c = test::load_vectors("hierarchy.json")["cases"][6];
    const auto network = test::network_of(c);
    const KnownHeight known = known_height(c);
    const PathProof proof = *PathProof::decode(hex(c["paths"][0]["body"]));
    ASSERT_TRUE(verify_path(network.params, network.id, known, proof));
    const auto refused = [&](auto change) {
        KnownHeight other = known;
        change(other);
        return verify_path(network.params, network.id, other, proof).reason;
    };
    EXPECT_EQ(refused([](auto& k) { ++k.height; }), Reason::kGlobalMismatch);
    EXPECT_EQ(refused([](auto& k) { k.block_hash[0] ^= 1; }), Reason::kGlobalMismatch);
    EXPECT_EQ(refused([](auto& k) { (*k.y)[0] ^= 1; }), Reason::kGlobalMismatch);
    EXPECT_EQ(refused([](auto& k) { k.y.reset(); }), Reason::kGlobalMismatch);
    EXPECT_EQ(refused([](auto& k) { (*k.previous_global)[0] ^= 1; }), Reason::kGlobalMismatch);
    EXPECT_EQ(refused([](auto& k) { (*k.global)[0] ^= 1; }), Reason::kGlobalMismatch);
    EXPECT_EQ(refused([](auto& k) { k.global.reset(); }), Reason::kDigestUnknown);
    EXPECT_EQ(refused([](auto& k) { k.previous_global.reset(); }), Reason::kDigestUnknown);
    NetworkId other = network.id;
    other[0] ^= 1;
    EXPECT_EQ(verify_path(network.params, other, known, proof).reason, Reason::kGlobalMismatch);
}

TEST(Digests, AHeightWithoutYHasZerosInItsDigest) {
    const auto network = NetworkParams();
    const NetworkId id = network.id();
    PathProof proof;
    proof.path.slots = proof.path.groups = proof.path.regions = 1;
    proof.path.total_chains = 1;
    const GlobalHeader header{Height(7), {}, VdfOutput(), {}, 0, 0};
    KnownHeight known;
    known.height = Height(7);
    known.previous_global = GlobalDigest();
    known.global = *global_from_path(network, id, header, proof);
    EXPECT_TRUE(verify_path(network, id, known, proof));
}

TEST(Digests, IndicesOutsideTheirCountsAndTheNetworkAreRefused) {
    const NetworkParams network;
    const auto reason = [&](auto change) {
        PathProof proof;
        proof.path.slots = proof.path.groups = proof.path.regions = 1;
        change(proof.path);
        const auto reached = global_from_path(network, network.id(), {}, proof);
        return reached ? Reason::kOk : reached.error().reason;
    };
    EXPECT_EQ(reason([](auto&) {}), Reason::kOk);
    EXPECT_EQ(reason([](auto& p) { p.slot = 1; }), Reason::kBadSlot);
    EXPECT_EQ(reason([](auto& p) { p.group = 1; }), Reason::kBadSlot);
    EXPECT_EQ(reason([](auto& p) { p.region = 1; }), Reason::kBadSlot);
    EXPECT_EQ(reason([](auto& p) { p.slots = 1'001; }), Reason::kBadSlot);
    EXPECT_EQ(reason([](auto& p) { p.groups = 11; }), Reason::kBadSlot);
    EXPECT_EQ(reason([](auto& p) { p.slot_path.resize(1); }), Reason::kProofLength);
    EXPECT_EQ(reason([](auto& p) { p.group_path.resize(1); }), Reason::kProofLength);
    EXPECT_EQ(reason([](auto& p) { p.region_path.resize(1); }), Reason::kProofLength);
}

TEST(Digests, StatusesAreOneToFour) {
    for (unsigned b = 0; b < 256; ++b) {
        EXPECT_EQ(chain_status(static_cast<std::uint8_t>(b)).has_value(), b >= 1 && b <= 4) << b;
    }
    auto raw = ChainLeaf().encode();
    raw.back() = 5;
    EXPECT_EQ(ChainLeaf::decode(raw).error().reason, Reason::kBadStatus);
}

TEST(Digests, AnchorsReachBackPastTheLag) {
    NetworkParams params;
    params.genesis_height = Height(100);
    EXPECT_FALSE(anchor_height(params, Height(99)));
    EXPECT_FALSE(anchor_height(params, Height(102)));
    EXPECT_EQ(anchor_height(params, Height(103)), Height(100));
    EXPECT_EQ(anchor_height(params, Height(200)), Height(197));
}

}  // namespace
}  // namespace holdfast
