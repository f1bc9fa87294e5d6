// RFC 9162 Merkle trees: roots, inclusion paths, consistency proofs and canonical multiproofs.
//
// Level 0 has n nodes (leaf hashes), level L+1 has ceil(n_L / 2); node i pairs with i XOR 1, and a
// last node without a partner rises unchanged, which equals RFC 9162's recursive definition. Proofs
// carry no lengths: the number of hashes follows from the tree's size and the indices. The
// verifying functions are pure, allocate in proportion to the indices only, and belong to the
// trusted rooms. Spec: docs/spec.md sections 0 and 7; RFC 9162 sections 2.1.1, 2.1.3 and 2.1.4.
#pragma once

#include <span>

#include "core/hash.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// SHA-256 of nothing.
[[nodiscard]] Digest empty_tree_root();
/// Root over leaf hashes (already hashed with leaf_hash); empty_tree_root() for none.
[[nodiscard]] Digest merkle_root(std::span<const Digest> leaf_hashes);
/// Number of levels from the leaves to the root, both included; 0 for an empty tree.
[[nodiscard]] unsigned tree_levels(std::uint64_t leaves);
/// Nodes on `level` of a tree of `leaves`: ceil(leaves / 2^level).
[[nodiscard]] std::uint64_t level_nodes(std::uint64_t leaves, unsigned level);

/// Hashes in the inclusion path of leaf `index` (index < leaves).
[[nodiscard]] std::size_t path_length(std::uint64_t leaves, std::uint64_t index);
/// Root that the path leads to. kBadIndex, or kProofLength when the number of hashes is wrong.
[[nodiscard]] Checked<Digest> root_from_path(std::uint64_t leaves, std::uint64_t index,
                                             const Digest& leaf, std::span<const Digest> path);

/// Hashes in the multiproof of `indices` (strictly ascending, all below leaves).
[[nodiscard]] std::size_t multiproof_length(std::uint64_t leaves,
                                            std::span<const std::uint64_t> indices);
/// Root that the multiproof leads to; leaf_hashes[i] belongs to indices[i]. At least one index.
/// kBadIndex (not ascending, out of range, none), kProofLength (surplus or missing hashes).
[[nodiscard]] Checked<Digest> root_from_multiproof(std::uint64_t leaves,
                                                   std::span<const std::uint64_t> indices,
                                                   std::span<const Digest> leaf_hashes,
                                                   std::span<const Digest> siblings);
/// The path of the leaf at indices[position] alone, out of what the multiproof holds. Form only:
/// whether it leads to the right root is root_from_path's to say. kBadIndex, kProofLength.
[[nodiscard]] Checked<std::vector<Digest>> path_from_multiproof(
    std::uint64_t leaves, std::span<const std::uint64_t> indices,
    std::span<const Digest> leaf_hashes, std::span<const Digest> siblings, std::size_t position);

/// That a tree of `leaves` with this root begins with the `older_leaves` of another, by the
/// consistency proof of RFC 9162 section 2.1.4; none is needed where the older tree is empty or
/// equal. kBadIndex (the older one has more), kProofLength, kBadPath.
[[nodiscard]] Verdict check_consistency(std::uint64_t older_leaves, const Digest& older_root,
                                        std::uint64_t leaves, const Digest& root,
                                        std::span<const Digest> proof);

/// Where a prover gets nodes from: memory, a tree file, or chunks hashed again.
class NodeSource {
  public:
    virtual ~NodeSource() = default;
    [[nodiscard]] virtual std::uint64_t leaves() const = 0;
    /// Node `index` of `level` (level 0: leaf hashes). Must be within level_nodes().
    [[nodiscard]] virtual Result<Digest> node(unsigned level, std::uint64_t index) const = 0;
};

/// Siblings of the multiproof, in canonical order. For one index: the inclusion path.
[[nodiscard]] Result<std::vector<Digest>> make_multiproof(const NodeSource& tree,
                                                          std::span<const std::uint64_t> indices);

/// The consistency proof from the tree's first `older_leaves` (at most its own) to all of it.
[[nodiscard]] Result<std::vector<Digest>> make_consistency(const NodeSource& tree,
                                                           std::uint64_t older_leaves);

/// A whole tree in memory, all levels, 64 bytes a leaf.
class MerkleTree final : public NodeSource {
  public:
    explicit MerkleTree(std::vector<Digest> leaf_hashes);
    [[nodiscard]] std::uint64_t leaves() const override { return leaves_; }
    [[nodiscard]] Result<Digest> node(unsigned level, std::uint64_t index) const override;
    [[nodiscard]] Digest root() const;
    [[nodiscard]] std::vector<Digest> path(std::uint64_t index) const;
    [[nodiscard]] std::vector<Digest> multiproof(std::span<const std::uint64_t> indices) const;
    [[nodiscard]] const std::vector<Digest>& level(unsigned l) const { return levels_.at(l); }
    [[nodiscard]] unsigned levels() const { return static_cast<unsigned>(levels_.size()); }

  private:
    std::uint64_t leaves_;
    std::vector<std::vector<Digest>> levels_;
};

/// One level up: out[i] = node of in[2i], in[2i+1]; a last odd node is copied. out has ceil(n/2).
void hash_level_up(std::span<const Digest> in, std::span<Digest> out);

/// The 16 leaf hashes of a chunk's cells.
void chunk_leaf_hashes(std::span<const std::uint8_t, kChunkBytes> chunk,
                       std::span<Digest, kCellsPerChunk> out);
/// Roots (level 4 of the cell tree) of `out.size()` chunks that lie one behind another.
void chunk_roots(const std::uint8_t* chunks, std::span<Digest> out);

}  // namespace holdfast
