#include "hierarchy/lifecycle.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "core/hash.hpp"
#include "hierarchy/checkpoints.hpp"
#include "support/json.hpp"
#include "support/refused.hpp"

namespace holdfast {
namespace {

using test::fixed;
using test::hex;

const nlohmann::json& vectors() {
    static const nlohmann::json file = test::load_vectors("lifecycle.json");
    return file;
}

TEST(Lifecycle, VectorRetentions) {
    NetworkParams params = test::network_of(vectors()).params;
    const auto check = [&](const nlohmann::json& list) {
        for (const auto& [retention, blocks] : list.items()) {
            EXPECT_EQ(retention_blocks(params, static_cast<Retention>(std::stoi(retention))),
                      blocks.get<std::uint64_t>());
        }
    };
    check(vectors().at("cases").at("retention_blocks"));
    params.block_ms = 16'001;  // what the vector's blocks last
    check(vectors().at("cases").at("retention_blocks_at_16_s"));
}

TEST(Lifecycle, VectorStatuses) {
    const NetworkParams params = test::network_of(vectors()).params;
    const auto& cases = vectors().at("cases").at("statuses");
    ASSERT_EQ(cases.size(), 13U);
    for (const auto& c : cases) {
        StatusFacts facts;
        facts.age = c.at("age").get<std::uint64_t>();
        facts.retention = static_cast<Retention>(c.at("retention").get<int>());
        facts.misses = c.at("misses").get<std::uint64_t>();
        facts.removal_requested = c.at("removal_requested").get<bool>();
        facts.suspended = c.at("suspended").get<bool>();
        EXPECT_EQ(static_cast<int>(status_in_digest(params, facts)), c.at("status").get<int>())
            << c.dump();
    }
}

TEST(Lifecycle, RetentionEndsAtItsLastBlockExactly) {
    const NetworkParams params = test::network_of(vectors()).params;
    StatusFacts facts;
    facts.retention = Retention::kTemporary;
    const std::uint64_t blocks = retention_blocks(params, facts.retention);
    facts.age = blocks - 1;
    EXPECT_EQ(status_in_digest(params, facts), ChainStatus::kActive);
    facts.age = blocks;
    EXPECT_EQ(status_in_digest(params, facts), ChainStatus::kExpired);
}

SlotMap slot_map(const nlohmann::json& json) {
    SlotMap out;
    for (const auto& [slot, chain] : json.items()) out[std::stoull(slot)] = fixed<ChainId>(chain);
    return out;
}

TEST(Lifecycle, VectorPlacing) {
    const auto& c = vectors().at("cases").at("placing");
    std::vector<ChainId> ended;
    std::vector<ChainId> placed;
    for (const auto& id : c.at("ended")) ended.push_back(fixed<ChainId>(id));
    for (const auto& id : c.at("new")) placed.push_back(fixed<ChainId>(id));
    std::sort(placed.begin(), placed.end());
    do {
        EXPECT_EQ(place_chains(slot_map(c.at("before")), ended, placed), slot_map(c.at("after")));
    } while (std::next_permutation(placed.begin(), placed.end()));
}

TEST(SlotAllocator, TakesTheLowestFreeSlot) {
    SlotAllocator a;
    for (const std::uint64_t s : {4U, 0U, 2U}) a.mark_used(s);
    EXPECT_EQ(a.used(), 3U);
    EXPECT_EQ(a.take_lowest(), 1U);
    a.free(0);
    EXPECT_EQ(a.take_lowest(), 0U);
    EXPECT_EQ(a.take_lowest(), 3U);
    EXPECT_EQ(a.take_lowest(), 5U);
    a.free(5);
    EXPECT_EQ(a.used(), 5U);
    EXPECT_EQ(a.take_lowest(), 5U);
    EXPECT_EQ(a.take_lowest(), 6U);
}

TEST(MissWindow, CountsTheLastHeightsWithYOnly) {
    constexpr std::uint32_t kWindow = 5;
    std::mt19937_64 random(5);
    std::vector<std::uint64_t> misses;  // by ordinal
    MissWindow window;
    for (std::uint64_t ordinal = 0; ordinal < 400; ++ordinal) {
        misses.push_back(random() % 3 == 0 ? random() % 20 : 0);
        const bool drops = window.would_drop(ordinal, kWindow);
        const std::uint64_t before = window.sum();
        window.add(ordinal, misses.back(), kWindow);
        std::uint64_t expected = 0;
        for (std::uint64_t i = ordinal < kWindow ? 0 : ordinal - kWindow + 1; i <= ordinal; ++i) {
            expected += misses[i];
        }
        ASSERT_EQ(window.sum(), expected) << ordinal;
        if (!drops && misses.back() == 0) {
            ASSERT_EQ(window.sum(), before);
        }
        const auto entries = window.entries();
        ASSERT_EQ(MissWindow({entries.begin(), entries.end()}).sum(), expected);
        ASSERT_LE(entries.size(), kWindow);
    }
    MissWindow none;
    none.add(0, 7, 0);
    EXPECT_EQ(none.sum(), 0U);
}

TEST(Lifecycle, LinkMisses) {
    const NetworkId network{tagged_hash("test/network")};
    const ChainId chain{tagged_hash("test/chain")};
    int full = 0;
    for (std::uint64_t i = 0; i < 2000; ++i) {
        const VdfOutput y{tagged_hash("test/y", i)};
        const bool required = tagged_hash("compact", network, y, chain)[1] < 16;
        full += required ? 1 : 0;
        EXPECT_EQ(link_misses(network, y, chain, LinkProof::kFull), 0U);
        EXPECT_EQ(link_misses(network, y, chain, LinkProof::kCompact), required ? 16U : 0U);
        EXPECT_EQ(link_misses(network, y, chain, LinkProof::kNone), required ? 16U : 1U);
    }
    EXPECT_NEAR(full, 125, 50);
}

TEST(Lifecycle, CommitmentInForce) {
    const Reveal a{tagged_hash("test/a")};
    const Reveal b{tagged_hash("test/b")};
    const std::vector<Commitment> list = {{Height(10), a}, {Height(20), b}, {Height(25), Reveal{}}};
    EXPECT_EQ(commitment_in_force(list, Height(10)), list[0]);
    EXPECT_EQ(commitment_in_force(list, Height(19)), list[0]);
    EXPECT_EQ(commitment_in_force(list, Height(20)), list[1]);
    EXPECT_EQ(commitment_in_force(list, Height(24)), list[1]);
    EXPECT_EQ(commitment_in_force(list, Height(4000)), list[2]);
}

// --- merging -------------------------------------------------------------------------------------

RegistrySlots registry_slots(const nlohmann::json& json) {
    RegistrySlots out;
    out.digest_height = Height(1);
    for (const auto& [slot, leaf] : json.items()) {
        out.slots[std::stoull(slot)] = ChainLeaf::decode(ByteView(hex(leaf))).value();
    }
    return out;
}

TEST(Merging, Vectors) {
    for (const auto& c : vectors().at("cases").at("merging")) {
        std::vector<RegistrySlots> registries;
        for (const auto& r : c.at("registries")) registries.push_back(registry_slots(r));
        const RegistrySlots expected = registry_slots(c.at("merged"));
        std::vector<std::size_t> order(registries.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        do {
            std::vector<RegistrySlots> shuffled;
            for (const std::size_t i : order) shuffled.push_back(registries[i]);
            const auto merged = merge_registries(shuffled);
            ASSERT_TRUE(merged);
            EXPECT_EQ(*merged, expected);
            EXPECT_TRUE(check_merged(*merged));
        } while (std::next_permutation(order.begin(), order.end()));
    }
}

class MergingRandom : public ::testing::Test {
  protected:
    RegistrySlots random_registry() {
        RegistrySlots r;
        if (random_() % 12 != 0) r.digest_height = Height(50 + random_() % 2);
        for (std::uint64_t s = 0; s < 6; ++s) {
            if (random_() % 3 == 0) continue;
            ChainLeaf leaf;
            leaf.chain_id = ChainId(tagged_hash("test/chain", s, random_() % 2));
            leaf.link = Link(tagged_hash("test/link", random_() % 3));
            leaf.link_height = Height(40 + random_() % 3);
            leaf.status = static_cast<ChainStatus>(1 + random_() % 4);
            r.slots[s] = leaf;
        }
        return r;
    }
    static RegistrySlots merge(const RegistrySlots& a, const RegistrySlots& b) {
        const RegistrySlots both[] = {a, b};
        return merge_registries(both).value();
    }
    std::mt19937_64 random_{13};
};

TEST_F(MergingRandom, CommutativeAssociativeIdempotent) {
    for (int i = 0; i < 2000; ++i) {
        const RegistrySlots a = random_registry();
        const RegistrySlots b = random_registry();
        const RegistrySlots c = random_registry();
        ASSERT_EQ(merge(a, b), merge(b, a));
        ASSERT_EQ(merge(merge(a, b), c), merge(a, merge(b, c)));
        ASSERT_EQ(merge(a, a), a);
        const RegistrySlots all[] = {c, a, b};
        ASSERT_EQ(merge_registries(all).value(), merge(merge(a, b), c));
    }
}

TEST_F(MergingRandom, TheLaterDigestStandsWhole) {
    RegistrySlots a = random_registry();
    RegistrySlots b = random_registry();
    a.digest_height = Height(9);
    b.digest_height = Height(10);
    EXPECT_EQ(merge(a, b), b);
    a.digest_height = std::nullopt;
    EXPECT_EQ(merge(a, b), b);
}

TEST_F(MergingRandom, RefusesAnotherNetworkAndDuplicates) {
    RegistrySlots a = random_registry();
    RegistrySlots b = a;
    b.network_id = NetworkId(tagged_hash("test/other"));
    const RegistrySlots both[] = {a, b};
    EXPECT_EQ(merge_registries(both).error().reason, Reason::kWrongNetwork);

    RegistrySlots twice;
    ChainLeaf leaf;
    leaf.chain_id = ChainId(tagged_hash("test/chain"));
    twice.slots[3] = leaf;
    EXPECT_TRUE(check_merged(twice));
    leaf.link_height = Height(8);
    twice.slots[9] = leaf;
    EXPECT_EQ(check_merged(twice), Verdict(Reason::kDuplicateSlot, 9));
}

TEST(Lifecycle, VectorCheckpoints) {
    const auto network = test::network_of(vectors());
    for (const auto& c : vectors().at("cases").at("checkpoints")) {
        const KeyPair key = KeyPair::from_secret(hex(c.at("secret_key")));
        const Checkpoint made =
            make_checkpoint(
                network.id, Height(c.at("height").get<std::uint64_t>()),
                fixed<BlockHash>(c.at("block_hash")), fixed<GlobalDigest>(c.at("global")),
                c.at("total_chains").get<std::uint64_t>(), fixed<BondId>(c.at("bond_id")), key)
                .value();
        EXPECT_EQ(made.encode(), hex(c.at("body")));
        BlockRecord block;
        block.height = made.height;
        block.hash = made.block_hash;
        block.closed = true;
        block.global = made.global;
        block.counts.total = made.total_chains;
        test::expect_refused(c.at("refused"), hex(c.at("body")), [&](ByteView body) -> Verdict {
            const auto decoded = Checkpoint::decode(body);
            if (!decoded) return decoded.error();
            return judge_checkpoint(network.params, network.id, block, *decoded);
        });
    }
}

}  // namespace
}  // namespace holdfast
