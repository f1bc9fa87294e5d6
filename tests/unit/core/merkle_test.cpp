#include "core/merkle.hpp"

#include "support/json.hpp"

namespace holdfast {
namespace {

using test::fixed;
using test::hex;

using Indices = std::vector<std::uint64_t>;

Digest numbered(std::uint64_t i) { return tagged_hash("test/leaf", i); }

std::vector<Digest> leaves(std::uint64_t n) {
    std::vector<Digest> out;
    for (std::uint64_t i = 0; i < n; ++i) out.push_back(numbered(i));
    return out;
}

/// MTH as RFC 9162 section 2.1.1 writes it: split at the largest power of two below n.
Digest recursive_root(std::span<const Digest> hashes) {
    if (hashes.empty()) return sha256({});
    if (hashes.size() == 1) return hashes[0];
    std::size_t k = 1;
    while (2 * k < hashes.size()) k *= 2;
    return node_hash(recursive_root(hashes.first(k)), recursive_root(hashes.subspan(k)));
}

/// PATH of RFC 9162 section 2.1.3.1.
std::vector<Digest> recursive_path(std::span<const Digest> hashes, std::size_t m) {
    if (hashes.size() == 1) return {};
    std::size_t k = 1;
    while (2 * k < hashes.size()) k *= 2;
    const bool left = m < k;
    std::vector<Digest> path =
        left ? recursive_path(hashes.first(k), m) : recursive_path(hashes.subspan(k), m - k);
    path.push_back(recursive_root(left ? hashes.subspan(k) : hashes.first(k)));
    return path;
}

/// SUBPROOF of RFC 9162 section 2.1.4.1, node by node out of the leaves.
std::vector<Digest> recursive_consistency(std::span<const Digest> hashes, std::size_t m,
                                          bool whole) {
    if (m == hashes.size()) return whole ? std::vector<Digest>() : std::vector{merkle_root(hashes)};
    std::size_t k = 1;
    while (2 * k < hashes.size()) k *= 2;
    const bool left = m <= k;
    std::vector<Digest> proof = left ? recursive_consistency(hashes.first(k), m, whole)
                                     : recursive_consistency(hashes.subspan(k), m - k, false);
    proof.push_back(recursive_root(left ? hashes.subspan(k) : hashes.first(k)));
    return proof;
}

std::vector<Digest> at(std::span<const Digest> hashes, std::span<const std::uint64_t> indices) {
    std::vector<Digest> out;
    for (const std::uint64_t i : indices) out.push_back(hashes[i]);
    return out;
}

bool leads_to(const Checked<Digest>& got, const Digest& root) { return got && *got == root; }

std::vector<Digest> digests(ByteView joined) {
    std::vector<Digest> out(joined.size() / kDigestBytes);
    for (std::size_t i = 0; i < out.size(); ++i) {
        std::copy_n(joined.begin() + static_cast<std::ptrdiff_t>(i * kDigestBytes), kDigestBytes,
                    out[i].bytes.begin());
    }
    return out;
}

TEST(MerkleVectors, RootsPathsAndMultiproofs) {
    std::size_t refused = 0;
    for (const auto& c : test::load_vectors("merkle.json")["cases"]) {
        std::vector<Digest> hashes;
        for (const auto& leaf : c["leaves"]) hashes.push_back(leaf_hash(hex(leaf)));
        const std::uint64_t n = hashes.size();
        const Digest root = fixed<Digest>(c["root"]);
        const MerkleTree tree(hashes);
        EXPECT_EQ(tree.root(), root);
        EXPECT_EQ(merkle_root(hashes), root);

        ASSERT_EQ(c["paths"].size(), n);
        for (std::uint64_t i = 0; i < n; ++i) {
            std::vector<Digest> path;
            for (const auto& h : c["paths"][i]) path.push_back(fixed<Digest>(h));
            EXPECT_EQ(tree.path(i), path);
            EXPECT_EQ(path_length(n, i), path.size());
            EXPECT_TRUE(leads_to(root_from_path(n, i, hashes[i], path), root));
        }
        for (const auto& m : c["multiproofs"]) {
            const Indices opened = m["opened"].get<Indices>();
            Bytes siblings;
            for (const auto& h : m["siblings"]) {
                const Bytes one = hex(h);
                siblings.insert(siblings.end(), one.begin(), one.end());
            }
            const std::vector<Digest> own = at(hashes, opened);
            EXPECT_EQ(tree.multiproof(opened), digests(siblings));
            EXPECT_EQ(multiproof_length(n, opened) * kDigestBytes, siblings.size());
            EXPECT_TRUE(leads_to(root_from_multiproof(n, opened, own, digests(siblings)), root));
            for (const auto& r : m["refused"]) {
                const auto first = siblings.begin() + r["at"].get<std::ptrdiff_t>();
                Bytes bad(siblings.begin(), first);
                const Bytes insert = hex(r["insert"]);
                bad.insert(bad.end(), insert.begin(), insert.end());
                bad.insert(bad.end(), first + r["remove"].get<std::ptrdiff_t>(), siblings.end());
                ASSERT_EQ(bad.size() % kDigestBytes, 0U);
                EXPECT_FALSE(leads_to(root_from_multiproof(n, opened, own, digests(bad)), root))
                    << r["why"];
                ++refused;
            }
        }
    }
    EXPECT_GT(refused, 0U);
}

TEST(Merkle, Rfc9162Recursion) {
    for (std::uint64_t n = 0; n <= 70; ++n) {
        const std::vector<Digest> hashes = leaves(n);
        const MerkleTree tree(hashes);
        const Digest root = recursive_root(hashes);
        EXPECT_EQ(tree.root(), root) << n;
        EXPECT_EQ(merkle_root(hashes), root) << n;
        EXPECT_EQ(tree.levels(), tree_levels(n));
        for (unsigned l = 0; l < tree.levels(); ++l) {
            EXPECT_EQ(tree.level(l).size(), level_nodes(n, l));
        }
        for (std::uint64_t i = 0; i < n; ++i) {
            EXPECT_EQ(tree.path(i), recursive_path(hashes, i)) << n << " " << i;
        }
    }
    EXPECT_EQ(to_hex(view(empty_tree_root())),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Merkle, ConsistencyOfEveryTwoSizes) {
    const std::vector<Digest> all = leaves(40);
    for (std::size_t n = 0; n <= all.size(); ++n) {
        const auto hashes = std::span(all).first(n);
        const MerkleTree tree(std::vector<Digest>(hashes.begin(), hashes.end()));
        for (std::size_t m = 0; m <= n; ++m) {
            const Digest older = merkle_root(hashes.first(m));
            const std::vector<Digest> proof = *make_consistency(tree, m);
            if (m > 0) {
                EXPECT_EQ(proof, recursive_consistency(hashes, m, true)) << m << " " << n;
                EXPECT_FALSE(check_consistency(m, older, n, numbered(99), proof));
            }
            EXPECT_EQ(check_consistency(m, older, n, tree.root(), proof), Verdict::ok());

            EXPECT_FALSE(check_consistency(m, numbered(99), n, tree.root(), proof));
            std::vector<Digest> bad = proof;
            bad.push_back(numbered(0));
            EXPECT_EQ(check_consistency(m, older, n, tree.root(), bad),
                      Verdict(Reason::kProofLength));
            if (proof.empty()) continue;
            EXPECT_EQ(check_consistency(m, older, n, tree.root(),
                                        std::span(proof).first(proof.size() - 1)),
                      Verdict(Reason::kProofLength));
            for (std::size_t i = 0; i < proof.size(); ++i) {
                bad = proof;
                bad[i][0] ^= 1;
                EXPECT_EQ(check_consistency(m, older, n, tree.root(), bad),
                          Verdict(Reason::kBadPath));
            }
        }
        EXPECT_EQ(check_consistency(n + 1, tree.root(), n, tree.root(), {}),
                  Verdict(Reason::kBadIndex));
    }
}

TEST(Merkle, ConsistencyOfSizesAtTheEndOfTheRange) {
    const std::vector<Digest> some = leaves(65);
    const auto of = [&](std::size_t nodes) {
        return check_consistency(UINT64_MAX - 1, some[0], UINT64_MAX, some[0],
                                 std::span(some).first(nodes));
    };
    EXPECT_EQ(of(63), Verdict(Reason::kProofLength));
    EXPECT_EQ(of(64), Verdict(Reason::kBadPath));
    EXPECT_EQ(of(65), Verdict(Reason::kProofLength));
    EXPECT_EQ(check_consistency(std::uint64_t{1} << 63, some[0], UINT64_MAX, some[0], some),
              Verdict(Reason::kProofLength));
}

TEST(Merkle, LevelCountsAtTheEdges) {
    EXPECT_EQ(tree_levels(0), 0U);
    EXPECT_EQ(tree_levels(1), 1U);
    EXPECT_EQ(tree_levels(2), 2U);
    EXPECT_EQ(tree_levels(std::uint64_t{1} << 63), 64U);
    EXPECT_EQ(tree_levels(UINT64_MAX), 65U);
    EXPECT_EQ(level_nodes(0, 0), 0U);
    EXPECT_EQ(level_nodes(UINT64_MAX, 0), UINT64_MAX);
    EXPECT_EQ(level_nodes(UINT64_MAX, 1), std::uint64_t{1} << 63);
    EXPECT_EQ(level_nodes(UINT64_MAX, 63), 2U);
    EXPECT_EQ(level_nodes(UINT64_MAX, 64), 1U);
    EXPECT_EQ(path_length(UINT64_MAX, 0), 64U);
    EXPECT_EQ(path_length((std::uint64_t{1} << 63) + 1, std::uint64_t{1} << 63), 1U);
}

TEST(Merkle, PathsOfEveryLeaf) {
    for (std::uint64_t n = 1; n <= 17; ++n) {
        const std::vector<Digest> hashes = leaves(n);
        const MerkleTree tree(hashes);
        const Digest root = tree.root();
        for (std::uint64_t i = 0; i < n; ++i) {
            const std::vector<Digest> path = tree.path(i);
            EXPECT_TRUE(leads_to(root_from_path(n, i, hashes[i], path), root));
            EXPECT_FALSE(leads_to(root_from_path(n, i, numbered(99), path), root));
            for (std::uint64_t other = 0; other <= n; ++other) {
                if (other == i) continue;
                EXPECT_FALSE(leads_to(root_from_path(n, other, hashes[i], path), root));
            }
            std::vector<Digest> longer = path;
            longer.push_back(root);
            EXPECT_EQ(root_from_path(n, i, hashes[i], longer).error(), Reason::kProofLength);
            if (path.empty()) continue;
            const auto shorter = std::span(path).first(path.size() - 1);
            EXPECT_EQ(root_from_path(n, i, hashes[i], shorter).error(), Reason::kProofLength);
        }
        EXPECT_EQ(root_from_path(n, n, hashes[0], {}).error(), Reason::kBadIndex);
        EXPECT_EQ(root_from_path(n, UINT64_MAX, hashes[0], {}).error(), Reason::kBadIndex);
    }
    EXPECT_EQ(root_from_path(0, 0, Digest(), {}).error(), Reason::kBadIndex);
}

/// Every way of spoiling one good proof must be refused.
void expect_only_the_proof_itself(const MerkleTree& tree, const Indices& opened) {
    const std::uint64_t n = tree.leaves();
    const Digest root = tree.root();
    const std::vector<Digest> own = at(tree.level(0), opened);
    const std::vector<Digest> proof = tree.multiproof(opened);
    ASSERT_EQ(proof.size(), multiproof_length(n, opened));
    ASSERT_TRUE(leads_to(root_from_multiproof(n, opened, own, proof), root));

    std::vector<Digest> bad = proof;
    bad.push_back(numbered(0));
    ASSERT_EQ(root_from_multiproof(n, opened, own, bad).error(), Reason::kProofLength);
    if (!proof.empty()) {
        const auto missing = std::span(proof).first(proof.size() - 1);
        ASSERT_EQ(root_from_multiproof(n, opened, own, missing).error(), Reason::kProofLength);
    }
    for (std::size_t i = 0; i < proof.size(); ++i) {
        bad = proof;
        bad[i][i % kDigestBytes] ^= 1;
        ASSERT_FALSE(leads_to(root_from_multiproof(n, opened, own, bad), root));
        for (std::size_t j = i + 1; j < proof.size(); ++j) {
            bad = proof;
            std::swap(bad[i], bad[j]);
            ASSERT_FALSE(leads_to(root_from_multiproof(n, opened, own, bad), root));
        }
    }
    for (std::size_t i = 0; i < own.size(); ++i) {
        std::vector<Digest> other = own;
        other[i][0] ^= 0x80;
        ASSERT_FALSE(leads_to(root_from_multiproof(n, opened, other, proof), root));
        if (i + 1 == own.size()) continue;
        other = own;
        std::swap(other[i], other[i + 1]);
        ASSERT_FALSE(leads_to(root_from_multiproof(n, opened, other, proof), root));
        Indices swapped = opened;
        std::swap(swapped[i], swapped[i + 1]);
        ASSERT_EQ(root_from_multiproof(n, swapped, other, proof).error(), Reason::kBadIndex);
    }
}

Indices subset(std::uint64_t n, std::uint64_t bits) {
    Indices out;
    for (std::uint64_t i = 0; i < n; ++i) {
        if (((bits >> i) & 1) != 0) out.push_back(i);
    }
    return out;
}

TEST(Merkle, MultiproofsOfEverySubset) {
    for (std::uint64_t n = 1; n <= 9; ++n) {
        const MerkleTree tree(leaves(n));
        for (std::uint64_t bits = 1; bits < (std::uint64_t{1} << n); ++bits) {
            expect_only_the_proof_itself(tree, subset(n, bits));
        }
    }
}

TEST(Merkle, MultiproofsOfSomeSubsetsOfLargerTrees) {
    for (std::uint64_t n = 10; n <= 17; ++n) {
        const MerkleTree tree(leaves(n));
        const std::uint64_t all = (std::uint64_t{1} << n) - 1;
        for (std::uint64_t bits = all; bits > 0;
             bits -= std::min<std::uint64_t>(bits, 1 + all / 97)) {
            expect_only_the_proof_itself(tree, subset(n, bits));
        }
        for (std::uint64_t i = 0; i < n; ++i) {
            const Indices one{i};
            EXPECT_EQ(tree.multiproof(one), tree.path(i));
        }
    }
}

TEST(Merkle, ProofsOfDifferentSubsetsDoNotStandInForEachOther) {
    constexpr std::uint64_t kLeaves = 7;
    const MerkleTree tree(leaves(kLeaves));
    for (std::uint64_t a = 1; a < 128; ++a) {
        const std::vector<Digest> proof = tree.multiproof(subset(kLeaves, a));
        for (std::uint64_t b = 1; b < 128; ++b) {
            if (a == b) continue;
            const Indices other = subset(kLeaves, b);
            const bool same_proof = tree.multiproof(other) == proof;
            EXPECT_EQ(
                leads_to(root_from_multiproof(kLeaves, other, at(tree.level(0), other), proof),
                         tree.root()),
                same_proof);
        }
    }
}

TEST(Merkle, AnotherSizeGivesAnotherRoot) {
    for (std::uint64_t n = 1; n <= 17; ++n) {
        const MerkleTree tree(leaves(n));
        for (std::uint64_t claimed = 1; claimed <= 18; ++claimed) {
            const Indices opened{0};
            const auto got = root_from_multiproof(claimed, opened, at(tree.level(0), opened),
                                                  tree.multiproof(opened));
            // The number of hashes is all that a path of leaf 0 can tell about the size.
            const bool same_shape = path_length(claimed, 0) == path_length(n, 0);
            EXPECT_EQ(leads_to(got, tree.root()), same_shape);
        }
    }
}

TEST(Merkle, MalformedIndicesAreRefused) {
    const std::vector<Digest> two(2);
    const auto reason = [&](const Indices& indices, std::size_t hashes) {
        return root_from_multiproof(4, indices, std::span(two).first(hashes), two).error().reason;
    };
    EXPECT_EQ(reason({}, 0), Reason::kBadIndex);
    EXPECT_EQ(reason({1, 1}, 2), Reason::kBadIndex);
    EXPECT_EQ(reason({2, 1}, 2), Reason::kBadIndex);
    EXPECT_EQ(reason({0, 4}, 2), Reason::kBadIndex);
    EXPECT_EQ(reason({UINT64_MAX}, 1), Reason::kBadIndex);
    EXPECT_EQ(reason({0, 1}, 1), Reason::kBadIndex);
    EXPECT_EQ(reason({0}, 2), Reason::kBadIndex);
}

TEST(Merkle, SizesNearTheEndOfU64) {
    // No more hashes than given are ever looked at, whatever size is claimed.
    const Indices last{UINT64_MAX - 1};
    const Digest leaf = numbered(1);
    EXPECT_EQ(root_from_multiproof(UINT64_MAX, last, {&leaf, 1}, {}).error(), Reason::kProofLength);
    const std::vector<Digest> path = leaves(path_length(UINT64_MAX, last[0]));
    EXPECT_TRUE(root_from_multiproof(UINT64_MAX, last, {&leaf, 1}, path).has_value());
}

class FailingSource final : public NodeSource {
  public:
    [[nodiscard]] std::uint64_t leaves() const override { return 8; }
    [[nodiscard]] Result<Digest> node(unsigned level, std::uint64_t index) const override {
        if (level == 1) return fail(ErrorCode::kIo, "node " + std::to_string(index));
        return numbered(index);
    }
};

TEST(Merkle, AnUnreadableNodeIsAnError) {
    const Indices opened{0};
    const auto proof = make_multiproof(FailingSource(), opened);
    ASSERT_FALSE(proof.has_value());
    EXPECT_EQ(proof.error().code, ErrorCode::kIo);
    EXPECT_EQ(proof.error().message, "node 1");
}

TEST(Merkle, Chunks) {
    constexpr std::size_t kChunks = 35;  // more than two of the batches that chunk_roots works in
    Bytes bytes(kChunks * kChunkBytes);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i / 11 + i);
    std::vector<Digest> cells;
    for (std::size_t i = 0; i < bytes.size(); i += kCellBytes) {
        cells.push_back(leaf_hash(ByteView(bytes).subspan(i, kCellBytes)));
    }
    const MerkleTree tree(cells);
    for (std::size_t count = 0; count <= kChunks; ++count) {
        std::vector<Digest> roots(count);
        chunk_roots(bytes.data(), roots);
        EXPECT_TRUE(std::equal(roots.begin(), roots.end(), tree.level(kChunkTreeLevel).begin()));
    }
    const auto chunk =
        std::span<const std::uint8_t, kChunkBytes>(bytes.data() + 3 * kChunkBytes, kChunkBytes);
    std::array<Digest, kCellsPerChunk> own;
    chunk_leaf_hashes(chunk, own);
    EXPECT_TRUE(std::equal(own.begin(), own.end(), cells.begin() + 3 * kCellsPerChunk));
}

TEST(Merkle, OneLevelUp) {
    for (std::size_t n = 0; n <= 40; ++n) {
        const std::vector<Digest> in = leaves(n);
        std::vector<Digest> out((n + 1) / 2);
        hash_level_up(in, out);
        for (std::size_t i = 0; i < n / 2; ++i) {
            EXPECT_EQ(out[i], node_hash(in[2 * i], in[2 * i + 1]));
        }
        if (n % 2 != 0) {
            EXPECT_EQ(out.back(), in.back());
        }
    }
}

}  // namespace
}  // namespace holdfast
