// Merging over random registries: commutative, associative, idempotent, to the same digest,
// whatever the parts say about heights, blocks, y and digests before; and what a final result is
// refused for.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "core/hash.hpp"
#include "hierarchy/lifecycle.hpp"
#include "hierarchy/plain_digests.hpp"

namespace holdfast {
namespace {

class Random {
  public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}
    std::uint64_t below(std::uint64_t n) { return engine_() % n; }

    ChainLeaf leaf(std::uint64_t chain) {
        ChainLeaf out;
        out.chain_id = ChainId(tagged_hash("test/chain", chain));
        out.link = Link(tagged_hash("test/link", below(3)));
        out.link_height = Height(40 + below(3));
        out.status = static_cast<ChainStatus>(1 + below(4));
        return out;
    }
    /// Few different values everywhere, so that parts agree, differ and clash often.
    RegistrySlots registry() {
        RegistrySlots out;
        if (below(16) == 0) return out;  // no digest yet
        out.digest_height = Height(50 + below(5) / 4);
        out.block_hash = BlockHash(tagged_hash("test/block", below(8) / 7));
        if (below(4) != 0) out.y = VdfOutput(tagged_hash("test/y", below(8) / 7));
        out.previous = GlobalDigest(tagged_hash("test/previous", below(3) / 2));
        const std::uint64_t slots = below(12);
        for (std::uint64_t s = 0; s < slots; ++s) {
            // A chain keeps its slot; rarely a part has it in its neighbour's.
            if (below(3) != 0) out.slots[s] = leaf(below(20) == 0 ? s + 1 : s);
        }
        return out;
    }
    std::vector<RegistrySlots> registries(std::size_t count) {
        std::vector<RegistrySlots> out;
        while (out.size() < count) out.push_back(registry());
        return out;
    }
    template <class T>
    void shuffle(std::vector<T>& items) {
        std::shuffle(items.begin(), items.end(), engine_);
    }

  private:
    std::mt19937_64 engine_;
};

RegistrySlots merged(std::span<const RegistrySlots> parts) {
    return merge_registries(parts).value();
}

RegistrySlots merged(const RegistrySlots& a, const RegistrySlots& b) {
    const RegistrySlots both[] = {a, b};
    return merged(both);
}

/// Merges neighbours at random places until one is left.
RegistrySlots merged_in_groups(std::vector<RegistrySlots> parts, Random& random) {
    while (parts.size() > 1) {
        const auto at = static_cast<std::ptrdiff_t>(random.below(parts.size() - 1));
        parts[at] = merged(parts[at], parts[at + 1]);
        parts.erase(parts.begin() + at + 1);
    }
    return parts.front();
}

TEST(MergeProperty, OrderGroupingAndRepetitionChangeNothing) {
    Random random(21);
    const HierarchyShape shape{3, 2};
    int refused = 0;
    for (int round = 0; round < 3'000; ++round) {
        std::vector<RegistrySlots> parts = random.registries(1 + random.below(5));
        const RegistrySlots expected = merged(parts);
        const std::size_t own = parts.size();
        // Any part may come twice, and a merge of some may come beside them.
        parts.push_back(parts[random.below(own)]);
        parts.push_back(merged(parts[random.below(own)], parts[random.below(own)]));
        random.shuffle(parts);
        ASSERT_EQ(merged_in_groups(parts, random), expected) << "round " << round;
        ASSERT_EQ(merged(expected, expected), expected);

        const Verdict verdict = check_merged(expected);
        refused += verdict ? 0 : 1;
        if (!verdict || !expected.digest_height) continue;
        random.shuffle(parts);
        const auto one = plain_digests(shape, expected);
        const auto other = plain_digests(shape, merged_in_groups(parts, random));
        ASSERT_TRUE(one && other);
        ASSERT_EQ(one->global, other->global);
    }
    EXPECT_GT(refused, 100) << "the random registries never clash";
    EXPECT_LT(refused, 2'500) << "the random registries always clash";
}

TEST(MergeProperty, NothingAppearsThatNoPartHadAndNoChainGetsLost) {
    Random random(22);
    for (int round = 0; round < 1'000; ++round) {
        const std::vector<RegistrySlots> parts = random.registries(4);
        const RegistrySlots whole = merged(parts);
        std::map<std::uint64_t, std::vector<ChainLeaf>> candidates;
        for (const RegistrySlots& part : parts) {
            if (part.digest_height != whole.digest_height) continue;
            for (const auto& [slot, leaf] : part.slots) candidates[slot].push_back(leaf);
        }
        ASSERT_EQ(candidates.size(), whole.slots.size());
        for (const auto& [slot, leaf] : whole.slots) {
            const auto& of_slot = candidates[slot];
            ASSERT_NE(std::find(of_slot.begin(), of_slot.end(), leaf), of_slot.end());
            for (const ChainLeaf& other : of_slot) ASSERT_LE(other.link_height, leaf.link_height);
        }
    }
}

/// Two registries of one height that agree in everything.
std::pair<RegistrySlots, RegistrySlots> twins() {
    Random random(23);
    RegistrySlots a;
    a.digest_height = Height(50);
    a.block_hash = BlockHash(tagged_hash("test/block", std::uint64_t{0}));
    a.y = VdfOutput(tagged_hash("test/y", std::uint64_t{0}));
    a.previous = GlobalDigest(tagged_hash("test/previous", std::uint64_t{0}));
    for (std::uint64_t s = 0; s < 4; ++s) a.slots[s] = random.leaf(s);
    return {a, a};
}

TEST(MergeProperty, AFinalResultIsRefusedForWhatPartsContradictEachOtherIn) {
    {
        auto [a, b] = twins();
        EXPECT_TRUE(check_merged(merged(a, b)));
        b.block_hash = BlockHash(tagged_hash("test/block", std::uint64_t{1}));
        EXPECT_EQ(check_merged(merged(a, b)).reason, Reason::kWrongBlock);
        // Also when a third one comes that agrees with the winner.
        EXPECT_EQ(check_merged(merged(merged(a, b), a)).reason, Reason::kWrongBlock);
        // A later digest stands whole: what older ones said does not matter.
        RegistrySlots later = a;
        later.digest_height = Height(51);
        EXPECT_TRUE(check_merged(merged(merged(a, b), later)));
    }
    {
        auto [a, b] = twins();
        b.y = VdfOutput{};
        EXPECT_EQ(merged(a, b), a) << "known beside unknown";
        b.y = VdfOutput(tagged_hash("test/y", std::uint64_t{1}));
        EXPECT_EQ(check_merged(merged(a, b)).reason, Reason::kVdfOutputMismatch);
    }
    {
        auto [a, b] = twins();
        b.previous = GlobalDigest(tagged_hash("test/previous", std::uint64_t{1}));
        const RegistrySlots both = merged(a, b);
        EXPECT_TRUE(both.disagreement.previous) << "told";
        EXPECT_TRUE(check_merged(both)) << "and not refused: it heals with the next merge";
        EXPECT_EQ(both.previous, std::min(a.previous, b.previous));
    }
    {
        auto [a, b] = twins();
        b.slots[9] = b.slots[2];
        EXPECT_EQ(check_merged(merged(a, b)), Verdict(Reason::kDuplicateSlot, 9));
    }
    {
        auto [a, b] = twins();
        b.network_id = NetworkId(tagged_hash("test/other network"));
        const RegistrySlots both[] = {a, b};
        EXPECT_EQ(merge_registries(both).error().reason, Reason::kWrongNetwork);
    }
}

}  // namespace
}  // namespace holdfast
