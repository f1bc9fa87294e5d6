#include "hierarchy/tree.hpp"

#include <gtest/gtest.h>

#include <random>

#include "core/merkle.hpp"
#include "proofs/link_verify.hpp"
#include "support/json.hpp"
#include "support/refused.hpp"

namespace holdfast {
namespace {

using test::fixed;
using test::hex;

ChainLeaf vector_leaf(ByteView seed, std::uint64_t slot, Height height) {
    std::uint8_t number[8];
    store_le64(number, slot);
    const Digest own = Sha256().update(seed).update(number).finish();
    const Bytes ids = test::expand(view(own), 64);
    constexpr std::uint8_t kStatuses[] = {1, 2, 3, 1, 4};
    Reader r(ids);
    ChainLeaf leaf;
    leaf.chain_id = r.fixed<ChainId>();
    leaf.link = r.fixed<Link>();
    leaf.link_height = height - slot % 3;
    leaf.status = static_cast<ChainStatus>(kStatuses[slot % 5]);
    return leaf;
}

GlobalHeader header_of(const nlohmann::json& c) {
    GlobalHeader h;
    h.height = Height(c.at("block").at("height").get<std::uint64_t>());
    h.block_hash = fixed<BlockHash>(c.at("block").at("block_hash"));
    h.y = fixed<VdfOutput>(c.at("block").at("y"));
    h.previous = fixed<GlobalDigest>(c.at("previous_global"));
    return h;
}

std::vector<std::uint64_t> slots_of(const nlohmann::json& c) {
    std::vector<std::uint64_t> out;
    for (const auto& run : c.at("slots")) {
        for (auto s = run[0].get<std::uint64_t>(); s <= run[1].get<std::uint64_t>(); ++s) {
            out.push_back(s);
        }
    }
    return out;
}

TEST(HierarchyTree, Vectors) {
    const auto file = test::load_vectors("hierarchy.json");
    std::size_t paths = 0;
    for (const auto& c : file.at("cases")) {
        const test::VectorNetwork network = test::network_of(c);
        EXPECT_EQ(network.id, fixed<NetworkId>(c.at("network_id")));
        const Bytes seed = hex(c.at("leaf_seed"));
        const GlobalHeader header = header_of(c);
        HierarchyTree tree(HierarchyShape::of(network.params));
        for (const std::uint64_t s : slots_of(c)) tree.set(s, vector_leaf(seed, s, header.height));
        (void)tree.rehash();
        for (const auto& [slot, leaf] : c.at("leaves").items()) {
            const auto encoded = tree.leaf(std::stoull(slot))->encode();
            EXPECT_EQ(hex(leaf), Bytes(encoded.begin(), encoded.end())) << "slot " << slot;
        }
        ASSERT_EQ(tree.regions(), c.at("regions").size());
        for (std::uint32_t r = 0; r < tree.regions(); ++r) {
            const auto& groups = c.at("groups")[r];
            ASSERT_EQ(tree.region(r).groups, groups.size());
            EXPECT_EQ(tree.region(r).active, c.at("regions")[r].at("active").get<std::uint64_t>());
            EXPECT_EQ(tree.region(r).digest, fixed<Digest>(c.at("regions")[r].at("digest")));
            for (std::uint32_t g = 0; g < groups.size(); ++g) {
                const auto view = tree.group({r, g});
                EXPECT_EQ(view.slots, groups[g].at("slots").get<std::uint32_t>());
                EXPECT_EQ(view.active, groups[g].at("active").get<std::uint32_t>());
                EXPECT_EQ(view.digest, fixed<Digest>(groups[g].at("digest")));
            }
        }
        EXPECT_EQ(tree.total_chains(), c.at("total_chains").get<std::uint64_t>());
        const GlobalDigest global = tree.global(network.id, header);
        EXPECT_EQ(global, fixed<GlobalDigest>(c.at("global")));

        KnownHeight known;
        known.height = header.height;
        known.block_hash = header.block_hash;
        known.y = header.y;
        known.previous_global = header.previous;
        known.global = global;
        const auto examine = [&](std::uint64_t slot, ByteView body) -> Verdict {
            const auto proof = PathProof::decode(body);
            if (!proof) return proof.error();
            const Verdict v = verify_path(network.params, network.id, known, *proof);
            // A path of another slot is true, but not what was asked for.
            if (!v) return v;
            const SlotPlace at{proof->path.region, proof->path.group, proof->path.slot};
            return HierarchyShape::of(network.params).slot(at) == slot ? Reason::kOk
                                                                       : Reason::kBadSlot;
        };
        for (const auto& p : c.at("paths")) {
            const auto slot = p.at("slot").get<std::uint64_t>();
            EXPECT_EQ(tree.path(slot)->encode(), hex(p.at("body"))) << "slot " << slot;
            test::expect_refused(p.at("refused"), hex(p.at("body")),
                                 [&](ByteView body) { return examine(slot, body); });
            ++paths;
        }
    }
    EXPECT_GE(paths, 20U);
}

// --- incremental changes against a tree built at once
// ---------------------------------------------

class HierarchyTreeChanges : public ::testing::Test {
  protected:
    static constexpr HierarchyShape kShape{5, 3};

    ChainLeaf leaf(std::uint64_t slot, std::uint64_t version) {
        ChainLeaf l = vector_leaf(view(tagged_hash("test", version)), slot, Height(1000 + version));
        l.status = static_cast<ChainStatus>(1 + (slot + version) % 4);
        return l;
    }
    static HierarchyTree rebuilt(const std::map<std::uint64_t, ChainLeaf>& leaves) {
        HierarchyTree tree(kShape);
        for (const auto& [slot, l] : leaves) tree.set(slot, l);
        (void)tree.rehash(1);
        return tree;
    }
    static void expect_same(const HierarchyTree& a, const HierarchyTree& b) {
        ASSERT_EQ(a.regions_root(), b.regions_root());
        ASSERT_EQ(a.regions(), b.regions());
        ASSERT_EQ(a.total_chains(), b.total_chains());
        ASSERT_EQ(a.active(), b.active());
        for (std::uint32_t r = 0; r < a.regions(); ++r) {
            ASSERT_EQ(a.region(r).digest, b.region(r).digest);
            ASSERT_EQ(a.region(r).group_digests, b.region(r).group_digests);
        }
    }
};

TEST_F(HierarchyTreeChanges, AnySequenceGivesTheTreeBuiltAtOnce) {
    std::mt19937_64 random(7);
    HierarchyTree tree(kShape);
    std::map<std::uint64_t, ChainLeaf> leaves;
    for (std::uint64_t step = 0; step < 400; ++step) {
        const std::size_t changes = random() % 12;
        for (std::size_t i = 0; i < changes; ++i) {
            // Shrinks and grows in turn, so that groups and regions come and go.
            const std::uint64_t slot = random() % (step % 40 < 20 ? 70 : 12);
            if (random() % 3 == 0) {
                tree.clear(slot);
                leaves.erase(slot);
            } else {
                tree.set(slot, leaf(slot, step));
                leaves[slot] = leaf(slot, step);
            }
        }
        (void)tree.rehash(static_cast<unsigned>(step % 3));
        ASSERT_NO_FATAL_FAILURE(expect_same(tree, rebuilt(leaves))) << "step " << step;
        for (std::uint64_t s = 0; s < 75; ++s) {
            const auto found = tree.leaf(s);
            ASSERT_EQ(found.has_value(), leaves.contains(s));
            if (found) {
                ASSERT_EQ(*found, leaves.at(s));
            }
        }
    }
    for (const auto& [slot, l] : leaves) tree.clear(slot);
    (void)tree.rehash();
    expect_same(tree, HierarchyTree(kShape));
    EXPECT_EQ(tree.regions_root(), empty_tree_root());
}

TEST_F(HierarchyTreeChanges, ReportsTheChangedGroups) {
    HierarchyTree tree(kShape);
    tree.set(17, leaf(17, 0));  // region 1, group 0: region 0 stays without groups
    using Place = HierarchyTree::GroupPlace;
    EXPECT_EQ(tree.rehash(), std::vector<Place>({{1, 0}}));
    tree.set(44, leaf(44, 0));  // region 2, group 2: 0 and 1 appear below it
    tree.set(17, leaf(17, 1));
    EXPECT_EQ(tree.rehash(), std::vector<Place>({{1, 0}, {2, 0}, {2, 1}, {2, 2}}));
    tree.clear(44);
    EXPECT_EQ(tree.rehash(), std::vector<Place>({{2, 2}}));
    EXPECT_EQ(tree.regions(), 2U);
    EXPECT_TRUE(tree.rehash().empty());
}

TEST_F(HierarchyTreeChanges, PathsFromStoredPartsAreTheSame) {
    std::mt19937_64 random(11);
    HierarchyTree tree(kShape);
    std::vector<std::uint64_t> used;
    for (std::uint64_t s = 0; s < 70; ++s) {
        if (random() % 3 == 0) continue;
        tree.set(s, leaf(s, 1));
        used.push_back(s);
    }
    (void)tree.rehash();
    std::vector<RegionSummary> regions;
    HierarchyTree copy(kShape);
    for (std::uint32_t r = 0; r < tree.regions(); ++r) {
        const auto region = tree.region(r);
        regions.push_back({region.active, region.digest, region.group_digests});
        for (std::uint32_t g = 0; g < region.groups; ++g) {
            ASSERT_TRUE(copy.load_group({r, g}, tree.group({r, g}).leaves));
        }
    }
    (void)copy.rehash();
    expect_same(tree, copy);
    for (std::uint64_t s = 0; s < 75; ++s) {
        const SlotPlace at = kShape.place(s);
        const auto group = tree.group({at.region, at.group});
        const auto stored =
            path_from_summary(kShape, s, group.leaves, group.active, tree.total_chains(), regions);
        const auto direct = tree.path(s);
        ASSERT_EQ(stored.has_value(), direct.has_value()) << s;
        if (direct) {
            EXPECT_EQ(*stored, *direct);
        } else {
            EXPECT_EQ(direct.error().reason, Reason::kVacantSlot);
            EXPECT_EQ(stored.error().reason, Reason::kVacantSlot);
        }
    }
}

TEST_F(HierarchyTreeChanges, RefusesMalformedStoredGroups) {
    HierarchyTree tree(kShape);
    Bytes leaves;
    for (std::uint64_t s = 0; s < 3; ++s) {
        const auto l = leaf(s, 0).encode();
        leaves.insert(leaves.end(), l.begin(), l.end());
    }
    const auto refused = [&](Bytes bytes) {
        HierarchyTree t(kShape);
        const Status s = t.load_group({0, 0}, bytes);
        return !s && s.error().code == ErrorCode::kCorrupt && t.total_chains() == 0;
    };
    EXPECT_FALSE(refused(leaves));
    Bytes changed(leaves.begin(), leaves.end() - 1);
    EXPECT_TRUE(refused(changed));  // not whole leaves
    changed = leaves;
    changed.back() = 5;
    EXPECT_TRUE(refused(changed));  // no such status
    changed.back() = 0;
    EXPECT_TRUE(refused(changed));  // vacant, but not zeros
    std::fill(changed.end() - kLeafBytes, changed.end(), std::uint8_t{0});
    EXPECT_TRUE(refused(changed));  // ends with a vacant slot
    changed.assign(6 * kLeafBytes, 1);
    EXPECT_TRUE(refused(changed));  // more than group_slots
}

TEST_F(HierarchyTreeChanges, EveryThreadCountGivesTheSameBytes) {
    const HierarchyShape shape{100, 4};
    std::optional<Digest> root;
    std::optional<Bytes> path;
    for (const unsigned threads : {1U, 2U, 3U, 8U, 16U, 0U}) {
        HierarchyTree tree(shape);
        for (std::uint64_t s = 0; s < 3000; ++s) tree.set(s, leaf(s, 0));
        (void)tree.rehash(threads);
        for (std::uint64_t s = 0; s < 3000; s += 7) tree.set(s, leaf(s, 1));
        (void)tree.rehash(threads);
        const Bytes encoded = tree.path(1234)->encode();
        if (!root) root = tree.regions_root();
        if (!path) path = encoded;
        EXPECT_EQ(tree.regions_root(), *root) << threads << " threads";
        EXPECT_EQ(encoded, *path) << threads << " threads";
    }
}

TEST(HierarchyShape, SlotsAndPlacesAreInverse) {
    const HierarchyShape shape{1000, 10};
    EXPECT_EQ(shape.place(0), (SlotPlace{0, 0, 0}));
    EXPECT_EQ(shape.place(999), (SlotPlace{0, 0, 999}));
    EXPECT_EQ(shape.place(1000), (SlotPlace{0, 1, 0}));
    EXPECT_EQ(shape.place(10'000), (SlotPlace{1, 0, 0}));
    for (std::uint64_t s = 0; s < 50'000; s += 37) EXPECT_EQ(shape.slot(shape.place(s)), s);
}

TEST(DigestTree, FollowsRfc9162ForAllSmallSizesAndChanges) {
    std::mt19937_64 random(3);
    DigestTree tree;
    std::vector<Digest> leaves;
    for (std::uint64_t step = 0; step < 300; ++step) {
        const std::size_t size = random() % 40;
        tree.resize(size);
        const std::size_t before = leaves.size();
        leaves.resize(size);
        for (std::size_t i = before; i < size; ++i) {
            tree.set(i, leaves[i] = tagged_hash("test", step, std::uint64_t{i}));
        }
        for (std::size_t n = 0; size > 0 && n < random() % 5; ++n) {
            const std::size_t i = random() % size;
            tree.set(i, leaves[i] = tagged_hash("test/2", step, std::uint64_t{i}));
        }
        tree.rehash();
        ASSERT_EQ(tree.root(), merkle_root(leaves)) << size;
        const MerkleTree whole(leaves);
        for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(tree.path(i), whole.path(i));
    }
}

}  // namespace
}  // namespace holdfast
