// Attack 24: whoever submits digests puts one chain into two slots, so that its data count twice,
// shows a vacant slot as a chain, or a true leaf under wrong counts or with other hashes.
//
// Cost: the submitter's bond. Bound: every count is hashed into the digest that it belongs to, path
// lengths follow from them, a vacant slot is the empty string, and two paths of one chain under one
// signed digest are evidence of kind 5. The naive scheme beside it hashes trees and carries counts.
#include <gtest/gtest.h>

#include <map>

#include "core/merkle.hpp"
#include "hierarchy/checkpoints.hpp"
#include "hierarchy/lifecycle.hpp"
#include "hierarchy/tree.hpp"
#include "support/court.hpp"

namespace holdfast::test {
namespace {

/// Naive: hashes up by the bits of the index, over whatever hashes are there; counts are told.
Digest naive_root(const PathProof& proof) {
    const auto climb = [](Digest node, std::uint64_t index, const std::vector<Digest>& path) {
        for (const Digest& other : path) {
            node = (index & 1) != 0 ? node_hash(other, node) : node_hash(node, other);
            index /= 2;
        }
        return node;
    };
    const HierarchyPath& p = proof.path;
    const Digest group = climb(proof.leaf.hash(), p.slot, p.slot_path);
    const Digest region = climb(leaf_hash(view(group)), p.group, p.group_path);
    return climb(leaf_hash(view(region)), p.region, p.region_path);
}

/// Three regions of three groups of four slots, some vacant, and who submits their digest.
struct Submitted {
    NetworkParams params = [] {
        NetworkParams p = short_network();
        p.name = "slots";
        return p;
    }();
    NetworkId network_id = params.id();
    RegistryWorld world{params};
    Court court{world};
    HierarchyTree tree{HierarchyShape::of(params)};
    KeyPair submitter = KeyPair::from_secret(view(tagged_hash("test/submitter")));
    GlobalHeader header;
    GlobalDigest global;

    explicit Submitted(const std::map<std::uint64_t, std::uint64_t>& chain_at_slot) {
        world.feed_to(Height(112));
        for (const auto& [slot, chain] : chain_at_slot) tree.set(slot, leaf(chain));
        (void)tree.rehash();
        header.height = Height(110);
        header.block_hash = test_hash(header.height);
        header.y = test_y(header.height);
        header.previous = must(world->block(Height(109)))->global;
        global = tree.global(network_id, header);
    }
    static ChainLeaf leaf(std::uint64_t chain) {
        const ChainId id(tagged_hash("test/slot chain", chain));
        return {id, Link(tagged_hash("test/slot link", chain)), Height(110), ChainStatus::kActive};
    }
    /// Slots 0 to 29 but every fifth.
    static std::map<std::uint64_t, std::uint64_t> honest() {
        std::map<std::uint64_t, std::uint64_t> out;
        for (std::uint64_t s = 0; s < 30; ++s) {
            if (s % 5 != 2) out[s] = s;
        }
        return out;
    }
    [[nodiscard]] Checkpoint checkpoint() const {
        return make_checkpoint(network_id, header.height, header.block_hash, global,
                               tree.total_chains(), BondId(), submitter)
            .value();
    }
    [[nodiscard]] KnownHeight known() const {
        KnownHeight k;
        k.height = header.height;
        k.block_hash = header.block_hash;
        k.y = header.y;
        k.previous_global = header.previous;
        k.global = global;
        return k;
    }
    [[nodiscard]] PathProof path(std::uint64_t slot) const { return tree.path(slot).value(); }
    [[nodiscard]] Reason reason(const PathProof& proof) const {
        return verify_path(params, network_id, known(), proof).reason;
    }
    [[nodiscard]] RegistrySlots slots() const {
        RegistrySlots out;
        out.network_id = network_id;
        out.digest_height = header.height;
        tree.for_each([&](std::uint64_t slot, const ChainLeaf& l) { out.slots[slot] = l; });
        return out;
    }
};

TEST(AttackDuplicateSlot, TwoSlotsOfOneChainAreOneOffenceOfTheSubmitter) {
    const Submitted honest(Submitted::honest());
    std::set<OffenceId> offences;
    std::size_t pairs = 0;
    for (const std::uint64_t first : {0, 1, 13, 28}) {
        for (const std::uint64_t second : {2, 12, 27}) {  // vacant ones
            auto slots = Submitted::honest();
            slots[second] = first;
            const Submitted s(slots);
            // Each path alone is true under the signed digest: that is what the light client sees.
            EXPECT_EQ(s.reason(s.path(first)), Reason::kOk);
            EXPECT_EQ(s.reason(s.path(second)), Reason::kOk);
            const Checkpoint signed_digest = s.checkpoint();
            const Evidence evidence = make_double_slot(signed_digest, s.header.y, s.header.previous,
                                                       s.path(second), s.path(first));
            const Judgement judgement = s.court.judge(evidence);
            EXPECT_EQ(judgement.verdict, Verdict::ok()) << to_string(judgement.verdict);
            EXPECT_EQ(judgement.offence.kind, EvidenceKind::kBadCheckpoint);
            offences.insert(judgement.id);
            // A registry does not need the evidence, it has a digest of its own.
            const CheckpointFacts own{honest.header.block_hash, honest.global,
                                      honest.tree.total_chains()};
            NetworkParams at_height = s.params;
            EXPECT_EQ(verify_checkpoint(at_height, s.network_id, signed_digest, own),
                      Verdict(Reason::kGlobalMismatch));
            EXPECT_EQ(check_merged(s.slots()).reason, Reason::kDuplicateSlot);
            ++pairs;
        }
    }
    EXPECT_EQ(check_merged(honest.slots()), Verdict::ok());
    std::printf("%zu ways to double a chain: all shown, %zu offence\n", pairs, offences.size());
    EXPECT_EQ(offences.size(), 1U);  // one submitter, one height
    // Two chains of the honest digest are no offence, and one slot twice is none.
    const auto accuse = [&](std::uint64_t a, std::uint64_t b) {
        return honest.court.reason(make_double_slot(honest.checkpoint(), honest.header.y,
                                                    honest.header.previous, honest.path(a),
                                                    honest.path(b)));
    };
    EXPECT_EQ(accuse(0, 1), Reason::kNoOffence);
    EXPECT_EQ(accuse(5, 5), Reason::kEvidenceOrder);
}

TEST(AttackForgedPath, AVacantSlotIsNoChain) {
    const Submitted s(Submitted::honest());
    for (std::uint64_t slot = 0; slot < 36; ++slot) {
        const auto made = s.tree.path(slot);
        const bool used = s.tree.leaf(slot).has_value();
        EXPECT_EQ(made.has_value(), used);
        if (used) {
            EXPECT_EQ(s.reason(*made), Reason::kOk);
            continue;
        }
        EXPECT_EQ(made.error().reason, Reason::kVacantSlot);
        // The neighbour's path leads to the slot's place: any leaf may be put there.
        const std::uint64_t neighbour = slot - slot % 4 + (slot + 1) % 4;
        if (!s.tree.leaf(neighbour)) continue;
        PathProof forged = s.path(neighbour);
        forged.path.slot = static_cast<std::uint32_t>(slot % 4);
        forged.leaf = Submitted::leaf(1'000);
        const Reason reason = s.reason(forged);
        EXPECT_TRUE(reason == Reason::kGlobalMismatch || reason == Reason::kBadSlot ||
                    reason == Reason::kProofLength)
            << slot << ' ' << static_cast<int>(reason);
    }
}

TEST(AttackForgedPath, CountsAndHashesOfATruePathAreBound) {
    const Submitted s(Submitted::honest());
    struct Forgery {
        const char* what;
        std::function<void(PathProof&)> change;
        bool told_only;  // the naive scheme does not hash it
    };
    const Forgery forgeries[] = {
        {"one slot more", [](PathProof& p) { ++p.path.slots; }, true},
        {"one slot fewer", [](PathProof& p) { --p.path.slots; }, true},
        {"one active more", [](PathProof& p) { ++p.path.active; }, true},
        {"one group more", [](PathProof& p) { ++p.path.groups; }, true},
        {"one group fewer", [](PathProof& p) { --p.path.groups; }, true},
        {"region active", [](PathProof& p) { p.path.region_active += 9; }, true},
        {"one region more", [](PathProof& p) { ++p.path.regions; }, true},
        {"total chains", [](PathProof& p) { p.path.total_chains += 100'000; }, true},
        {"another slot", [](PathProof& p) { p.path.slot ^= 1; }, false},
        {"another group", [](PathProof& p) { p.path.group ^= 1; }, false},
        {"another region", [](PathProof& p) { p.path.region ^= 1; }, false},
        {"chain", [](PathProof& p) { p.leaf.chain_id[0] ^= 1; }, false},
        {"link", [](PathProof& p) { p.leaf.link[0] ^= 1; }, false},
        {"link height", [](PathProof& p) { p.leaf.link_height = p.leaf.link_height + 1; }, false},
        {"status", [](PathProof& p) { p.leaf.status = ChainStatus::kLate; }, false},
        {"a surplus hash", [](PathProof& p) { p.path.slot_path.emplace_back(); }, false},
        {"a missing hash", [](PathProof& p) { p.path.slot_path.pop_back(); }, false},
        {"a surplus hash above", [](PathProof& p) { p.path.region_path.emplace_back(); }, false},
        {"a missing hash above", [](PathProof& p) { p.path.group_path.pop_back(); }, false},
        {"a changed hash", [](PathProof& p) { p.path.slot_path[0][0] ^= 1; }, false},
        {"a changed hash above", [](PathProof& p) { p.path.region_path[0][0] ^= 1; }, false},
    };
    std::map<Reason, std::size_t> refused;
    std::size_t naive = 0;
    std::size_t tried = 0;
    for (const std::uint64_t slot : {0, 1, 13, 16, 28}) {
        const PathProof honest = s.path(slot);
        ASSERT_EQ(s.reason(honest), Reason::kOk);
        for (const Forgery& forgery : forgeries) {
            PathProof forged = honest;
            if ((forgery.what == std::string_view("a missing hash") ||
                 forgery.what == std::string_view("a changed hash")) &&
                forged.path.slot_path.empty()) {
                continue;
            }
            if (forgery.what == std::string_view("a missing hash above") &&
                forged.path.group_path.empty()) {
                continue;
            }
            forgery.change(forged);
            const Reason reason = s.reason(forged);
            EXPECT_NE(reason, Reason::kOk) << slot << ": " << forgery.what;
            ++refused[reason];
            ++tried;
            if (forgery.told_only) {
                EXPECT_EQ(naive_root(forged), naive_root(honest)) << forgery.what;
                ++naive;
            }
            // Nor does it decode to another truth.
            const auto again = PathProof::decode(forged.encode());
            if (again) {
                EXPECT_NE(s.reason(*again), Reason::kOk);
            }
        }
    }
    std::printf("%zu forged paths: %zu by slot, %zu by length, %zu by digest; naive takes %zu\n",
                tried, refused[Reason::kBadSlot], refused[Reason::kProofLength],
                refused[Reason::kGlobalMismatch], naive);
    EXPECT_EQ(refused.size(), 3U);
    EXPECT_GT(naive, 30U);
}

}  // namespace
}  // namespace holdfast::test
