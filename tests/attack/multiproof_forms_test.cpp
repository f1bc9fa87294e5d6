// Attack 25: another encoding of the same openings: surplus, missing or reordered hashes, or
// another number of leaves, in trees of every size, powers of two or not.
//
// Cost: nothing. Bound: for one tree size and one set of openings exactly one sequence of hashes
// leads to the root, tried here over all sequences for small trees and over every edit for larger
// ones. The size itself is no part of a proof: where two sizes agree above what is opened the same
// hashes serve both, which is RFC 9162's property; so the engine takes the size from what was
// registered or digested. The naive scheme beside it carries positions and takes what it can use.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "core/merkle.hpp"
#include "proofs/digests.hpp"
#include "support/rates.hpp"

namespace holdfast::test {
namespace {

using Indices = std::vector<std::uint64_t>;
using Hashes = std::vector<Digest>;

Hashes leaves_of(std::uint64_t n) {
    Hashes out;
    for (std::uint64_t i = 0; i < n; ++i) out.push_back(tagged_hash("test/leaf", i));
    return out;
}
Indices subset(std::uint64_t mask) {
    Indices out;
    for (std::uint64_t i = 0; mask >> i != 0; ++i) {
        if ((mask >> i & 1) != 0) out.push_back(i);
    }
    return out;
}
Hashes at(const Hashes& hashes, const Indices& indices) {
    Hashes out;
    for (const std::uint64_t i : indices) out.push_back(hashes[i]);
    return out;
}
bool leads(std::uint64_t n, const Indices& indices, const Hashes& leaves, const Hashes& siblings,
           const Digest& root) {
    const auto got = root_from_multiproof(n, indices, leaves, siblings);
    return got && *got == root;
}

/// Naive: nodes by level and index, in any order, as many as one likes.
using NaiveProof = std::vector<std::pair<std::pair<unsigned, std::uint64_t>, Digest>>;
bool naive_leads(std::uint64_t n, const Indices& indices, const Hashes& leaves,
                 const NaiveProof& nodes, const Digest& root) {
    std::map<std::pair<unsigned, std::uint64_t>, Digest> known(nodes.begin(), nodes.end());
    for (std::size_t i = 0; i < indices.size(); ++i) known[{0, indices[i]}] = leaves[i];
    for (unsigned level = 0; level + 1 < tree_levels(n); ++level) {
        const std::uint64_t width = level_nodes(n, level);
        for (std::uint64_t i = 0; i < width; i += 2) {
            const auto left = known.find({level, i});
            const auto right = known.find({level, i + 1});
            if (left == known.end()) continue;
            if (i + 1 == width) known[{level + 1, i / 2}] = left->second;
            if (right == known.end()) continue;
            known[{level + 1, i / 2}] = node_hash(left->second, right->second);
        }
    }
    const auto top = known.find({tree_levels(n) - 1, 0});
    return top != known.end() && top->second == root;
}

TEST(AttackMultiproofForms, OneSequenceOfHashesForEachSetInSmallTrees) {
    // All sequences of nodes of the tree (and one hash that is none), as long as the honest proof,
    // shorter, and one longer.
    std::uint64_t tried = 0;
    std::uint64_t sets = 0;
    for (std::uint64_t n = 1; n <= 6; ++n) {
        const Hashes leaves = leaves_of(n);
        const MerkleTree tree(leaves);
        Hashes nodes{tagged_hash("test/no node")};
        for (unsigned l = 0; l < tree.levels(); ++l) {
            for (const Digest& d : tree.level(l)) {
                if (std::find(nodes.begin(), nodes.end(), d) == nodes.end()) nodes.push_back(d);
            }
        }
        for (std::uint64_t mask = 1; mask < std::uint64_t{1} << n; ++mask) {
            const Indices indices = subset(mask);
            const Hashes opened = at(leaves, indices);
            const Hashes honest = tree.multiproof(indices);
            std::uint64_t accepted = 0;
            std::function<void(Hashes&)> each = [&](Hashes& sequence) {
                ++tried;
                if (leads(n, indices, opened, sequence, tree.root())) {
                    ++accepted;
                    EXPECT_EQ(sequence, honest);
                }
                if (sequence.size() > std::min<std::size_t>(honest.size(), 3)) return;
                for (const Digest& node : nodes) {
                    sequence.push_back(node);
                    each(sequence);
                    sequence.pop_back();
                }
            };
            Hashes sequence;
            each(sequence);
            EXPECT_EQ(accepted, 1U) << n << " leaves, set " << mask;
            ++sets;
        }
    }
    std::printf("%llu sequences for %llu sets: one accepted each\n",
                static_cast<unsigned long long>(tried), static_cast<unsigned long long>(sets));
}

TEST(AttackMultiproofForms, EveryEditOfAnySetIsRefused) {
    std::uint64_t edits = 0;
    std::uint64_t naive_forms = 0;
    std::uint64_t sets = 0;
    for (std::uint64_t n = 2; n <= 11; ++n) {
        const Hashes leaves = leaves_of(n);
        const MerkleTree tree(leaves);
        for (std::uint64_t mask = 1; mask < std::uint64_t{1} << n; ++mask) {
            const Indices indices = subset(mask);
            const Hashes opened = at(leaves, indices);
            const Hashes honest = tree.multiproof(indices);
            ++sets;
            ASSERT_TRUE(leads(n, indices, opened, honest, tree.root()));
            ASSERT_EQ(honest.size(), multiproof_length(n, indices));
            const auto refused = [&](const Hashes& edited) {
                ++edits;
                EXPECT_FALSE(leads(n, indices, opened, edited, tree.root())) << n << ' ' << mask;
            };
            for (std::size_t i = 0; i <= honest.size(); ++i) {
                Hashes surplus = honest;
                surplus.insert(surplus.begin() + static_cast<std::ptrdiff_t>(i),
                               i < honest.size() ? honest[i] : tree.root());
                refused(surplus);
                if (i == honest.size()) continue;
                Hashes missing = honest;
                missing.erase(missing.begin() + static_cast<std::ptrdiff_t>(i));
                refused(missing);
                Hashes other = honest;
                other[i] = leaves[i % n] == honest[i] ? tree.root() : leaves[i % n];
                refused(other);
                for (std::size_t k = 0; k < i; ++k) {
                    Hashes swapped = honest;
                    std::swap(swapped[i], swapped[k]);
                    refused(swapped);
                }
            }
            // Openings out of order, twice, out of range, or none.
            if (indices.size() > 1) {
                Indices order = indices;
                std::swap(order[0], order[1]);
                EXPECT_EQ(root_from_multiproof(n, order, at(leaves, order), honest).error().reason,
                          Reason::kBadIndex);
                order[1] = order[0];
                EXPECT_EQ(root_from_multiproof(n, order, opened, honest).error().reason,
                          Reason::kBadIndex);
            }
            Indices beyond = indices;
            beyond.back() = n;
            EXPECT_EQ(root_from_multiproof(n, beyond, opened, honest).error().reason,
                      Reason::kBadIndex);
            if (mask % 16 != 1 || honest.empty()) continue;
            // Naive: the same openings in other bytes.
            NaiveProof naive;
            for (unsigned l = 0; l < tree.levels(); ++l) {
                for (std::uint64_t i = 0; i < tree.level(l).size(); ++i) {
                    naive.push_back({{l, i}, tree.level(l)[i]});
                }
            }
            for (std::size_t turn = 0; turn < naive.size(); ++turn) {
                std::rotate(naive.begin(), naive.begin() + 1, naive.end());
                naive_forms += naive_leads(n, indices, opened, naive, tree.root()) ? 1 : 0;
            }
        }
    }
    std::printf("%llu edits of %llu sets: 0 accepted; naive: %llu other forms accepted\n",
                static_cast<unsigned long long>(edits), static_cast<unsigned long long>(sets),
                static_cast<unsigned long long>(naive_forms));
    EXPECT_GT(naive_forms, 1'000U);
}

/// Which nodes of each level the proof needs: two sizes with equal answers cannot be told apart.
std::vector<Indices> shape(std::uint64_t n, Indices known) {
    std::vector<Indices> out;
    for (std::uint64_t nodes = n; nodes > 1; nodes = nodes / 2 + nodes % 2) {
        Indices needed;
        Indices above;
        for (const std::uint64_t i : known) {
            const bool paired = (i ^ 1) < nodes;
            const bool opened = std::find(known.begin(), known.end(), i ^ 1) != known.end();
            if (paired && !opened) needed.push_back(i ^ 1);
            if (above.empty() || above.back() != i / 2) above.push_back(i / 2);
        }
        // A node that rises alone is another shape than one that is paired with an opened one.
        needed.push_back(UINT64_MAX - (nodes % 2 != 0 && known.back() == nodes - 1 ? 1 : 0));
        out.push_back(needed);
        known = above;
    }
    return out;
}

TEST(AttackMultiproofForms, AnotherSizeServesOnlyWhereBothTreesAreOneShape) {
    std::uint64_t alike = 0;
    std::uint64_t refused = 0;
    for (std::uint64_t n = 2; n <= 9; ++n) {
        const Hashes leaves = leaves_of(n);
        const MerkleTree tree(leaves);
        for (std::uint64_t mask = 1; mask < std::uint64_t{1} << n; ++mask) {
            const Indices indices = subset(mask);
            const Hashes honest = tree.multiproof(indices);
            for (const std::uint64_t claimed : {n - 1, n + 1}) {
                const bool same =
                    indices.back() < claimed && shape(n, indices) == shape(claimed, indices);
                EXPECT_EQ(leads(claimed, indices, at(leaves, indices), honest, tree.root()), same)
                    << n << " as " << claimed << ", set " << mask;
                (same ? alike : refused) += 1;
            }
        }
    }
    std::printf("size off by one: %llu refused, %llu of the same shape\n",
                static_cast<unsigned long long>(refused), static_cast<unsigned long long>(alike));
    EXPECT_GT(alike, 0U);
    EXPECT_GT(refused, alike);
    // That is why a size is never read from a proof: in the hierarchy it is under the digest.
    const Digest root = tagged_hash("test/root");
    EXPECT_NE(group_digest(0, 0, 3, 2, root), group_digest(0, 0, 4, 2, root));
    EXPECT_NE(region_digest(0, 3, 2, root), region_digest(0, 4, 2, root));
}

TEST(AttackMultiproofForms, SizesOfReplicasThatAreNoPowerOfTwo) {
    std::mt19937_64 random(5);
    std::uint64_t edits = 0;
    for (const std::uint64_t n : {std::uint64_t{255}, std::uint64_t{257}, std::uint64_t{400}}) {
        const Hashes leaves = leaves_of(n);
        const MerkleTree tree(leaves);
        for (int round = 0; round < 20; ++round) {
            Indices indices;
            while (indices.size() < 16) {
                const std::uint64_t i = random() % n;
                const auto place = std::lower_bound(indices.begin(), indices.end(), i);
                if (place == indices.end() || *place != i) indices.insert(place, i);
            }
            const Hashes opened = at(leaves, indices);
            const Hashes honest = tree.multiproof(indices);
            ASSERT_TRUE(leads(n, indices, opened, honest, tree.root()));
            for (std::size_t i = 0; i < honest.size(); ++i) {
                Hashes edited = honest;
                edited.erase(edited.begin() + static_cast<std::ptrdiff_t>(i));
                EXPECT_FALSE(leads(n, indices, opened, edited, tree.root()));
                edited = honest;
                std::swap(edited[i], edited[(i + 1) % honest.size()]);
                EXPECT_FALSE(leads(n, indices, opened, edited, tree.root()));
                edits += 2;
            }
        }
    }
    EXPECT_GT(edits, 1'000U);
}

}  // namespace
}  // namespace holdfast::test
