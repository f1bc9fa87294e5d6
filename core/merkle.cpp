#include "core/merkle.hpp"

#include <bit>
#include <functional>

namespace holdfast {
namespace {

/// A node that a multiproof's verifier knows, on the level where it stands.
struct Cursor {
    std::uint64_t index;
    Digest hash;
};

bool ascending_below(std::span<const std::uint64_t> indices, std::uint64_t leaves) {
    if (indices.empty()) return false;
    for (std::size_t i = 0; i + 1 < indices.size(); ++i) {
        if (indices[i] >= indices[i + 1]) return false;
    }
    return indices.back() < leaves;
}

/// Calls `missing(level, index)` for each partner hash that a multiproof must supply, in order.
template <class Missing>
void for_each_missing(std::uint64_t leaves, std::span<const std::uint64_t> indices,
                      Missing&& missing) {
    std::vector<std::uint64_t> known(indices.begin(), indices.end());
    std::uint64_t nodes = leaves;
    for (unsigned level = 0; nodes > 1; ++level, nodes = nodes / 2 + nodes % 2) {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < known.size(); ++i) {
            const std::uint64_t index = known[i];
            const std::uint64_t partner = index ^ 1;
            if (i + 1 < known.size() && known[i + 1] == partner) {
                ++i;
            } else if (partner < nodes) {
                missing(level, partner);
            }
            known[kept++] = index / 2;
        }
        known.resize(kept);
    }
}

/// The root that known leaves and the missing hashes lead to. Calls `pair(level, index, partner)`
/// for every node below the root that has a known child or is a known leaf, with its partner's
/// hash.
template <class Pair>
Checked<Digest> climb(std::uint64_t leaves, std::span<const std::uint64_t> indices,
                      std::span<const Digest> leaf_hashes, std::span<const Digest> siblings,
                      Pair&& pair) {
    if (!ascending_below(indices, leaves) || leaf_hashes.size() != indices.size()) {
        return refuse(Reason::kBadIndex);
    }
    std::vector<Cursor> known;
    known.reserve(indices.size());
    for (std::size_t i = 0; i < indices.size(); ++i) known.push_back({indices[i], leaf_hashes[i]});

    std::size_t used = 0;
    std::uint64_t nodes = leaves;
    for (unsigned level = 0; nodes > 1; ++level, nodes = nodes / 2 + nodes % 2) {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < known.size(); ++i) {
            const Cursor own = known[i];
            const std::uint64_t partner = own.index ^ 1;
            Digest up = own.hash;
            if (i + 1 < known.size() && known[i + 1].index == partner) {
                const Digest& other = known[i + 1].hash;
                pair(level, own.index, other);
                pair(level, partner, own.hash);
                up = node_hash(own.hash, other);
                ++i;
            } else if (partner < nodes) {
                if (used == siblings.size()) return refuse(Reason::kProofLength);
                const Digest& other = siblings[used++];
                pair(level, own.index, other);
                up = partner < own.index ? node_hash(other, own.hash) : node_hash(own.hash, other);
            }
            known[kept++] = {own.index / 2, up};
        }
        known.resize(kept);
    }
    if (used != siblings.size()) return refuse(Reason::kProofLength);
    return known[0].hash;
}

/// The nodes of SUBPROOF(older, D[start:start + leaves], whole), RFC 9162 section 2.1.4.1, in
/// order. `whole`: the older tree begins where this part does, so that its root is known already.
void for_each_consistent(std::uint64_t older, std::uint64_t start, std::uint64_t leaves, bool whole,
                         const std::function<void(unsigned, std::uint64_t)>& emit) {
    const auto emit_range = [&](std::uint64_t first, std::uint64_t count) {
        const unsigned level = tree_levels(count) - 1;
        emit(level, first >> level);
    };
    if (older == leaves) {
        if (!whole) emit_range(start, leaves);
        return;
    }
    const std::uint64_t left = std::bit_floor(leaves - 1);
    if (older <= left) {
        for_each_consistent(older, start, left, whole, emit);
        emit_range(start + left, leaves - left);
    } else {
        for_each_consistent(older - left, start + left, leaves - left, false, emit);
        emit_range(start, left);
    }
}

}  // namespace

// Spec 0, Merkle trees.
Digest empty_tree_root() { return sha256({}); }

unsigned tree_levels(std::uint64_t leaves) {
    return leaves == 0 ? 0 : static_cast<unsigned>(std::bit_width(leaves - 1)) + 1;
}

std::uint64_t level_nodes(std::uint64_t leaves, unsigned level) {
    if (level >= 64) return leaves == 0 ? 0 : 1;
    const std::uint64_t rest = leaves & ((std::uint64_t{1} << level) - 1);
    return (leaves >> level) + (rest != 0 ? 1 : 0);
}

// Spec 0: a last node without a partner rises unchanged.
void hash_level_up(std::span<const Digest> in, std::span<Digest> out) {
    const std::size_t pairs = in.size() / 2;
    HOLDFAST_CHECK(out.size() == pairs + in.size() % 2);
    sha256_batch({reinterpret_cast<const std::uint8_t*>(in.data()), 2 * kDigestBytes,
                  2 * kDigestBytes, pairs, std::uint8_t{1}},
                 out.first(pairs));
    if (in.size() % 2 != 0) out[pairs] = in.back();
}

Digest merkle_root(std::span<const Digest> leaf_hashes) {
    if (leaf_hashes.empty()) return empty_tree_root();
    std::vector<Digest> level(leaf_hashes.begin(), leaf_hashes.end());
    while (level.size() > 1) {
        const std::size_t above = level.size() / 2 + level.size() % 2;
        std::vector<Digest> next(above);
        hash_level_up(level, next);
        level = std::move(next);
    }
    return level[0];
}

// Spec 0: the number of hashes follows from size and index.
std::size_t path_length(std::uint64_t leaves, std::uint64_t index) {
    const std::uint64_t indices[] = {index};
    return multiproof_length(leaves, indices);
}

Checked<Digest> root_from_path(std::uint64_t leaves, std::uint64_t index, const Digest& leaf,
                               std::span<const Digest> path) {
    const std::uint64_t indices[] = {index};
    const Digest hashes[] = {leaf};
    return root_from_multiproof(leaves, indices, hashes, path);
}

// Spec 0: of partners that cannot be computed, each once.
std::size_t multiproof_length(std::uint64_t leaves, std::span<const std::uint64_t> indices) {
    HOLDFAST_CHECK(ascending_below(indices, leaves));
    std::size_t count = 0;
    for_each_missing(leaves, indices, [&](unsigned, std::uint64_t) { ++count; });
    return count;
}

Checked<Digest> root_from_multiproof(std::uint64_t leaves, std::span<const std::uint64_t> indices,
                                     std::span<const Digest> leaf_hashes,
                                     std::span<const Digest> siblings) {
    return climb(leaves, indices, leaf_hashes, siblings,
                 [](unsigned, std::uint64_t, const Digest&) {});
}

Checked<std::vector<Digest>> path_from_multiproof(std::uint64_t leaves,
                                                  std::span<const std::uint64_t> indices,
                                                  std::span<const Digest> leaf_hashes,
                                                  std::span<const Digest> siblings,
                                                  std::size_t position) {
    if (position >= indices.size()) return refuse(Reason::kBadIndex);
    std::vector<Digest> path;
    HOLDFAST_TRY(climb(leaves, indices, leaf_hashes, siblings,
                       [&](unsigned level, std::uint64_t index, const Digest& partner) {
                           if (index == indices[position] >> level) path.push_back(partner);
                       }));
    return path;
}

Verdict check_consistency(std::uint64_t older_leaves, const Digest& older_root,
                          std::uint64_t leaves, const Digest& root, std::span<const Digest> proof) {
    if (older_leaves > leaves) return Reason::kBadIndex;
    if (older_leaves == 0 || older_leaves == leaves) {
        if (!proof.empty()) return Reason::kProofLength;
        const Digest& expected = older_leaves == 0 ? empty_tree_root() : root;
        return older_root == expected ? Reason::kOk : Reason::kBadPath;
    }
    // RFC 9162 section 2.1.4.2: both roots from one path. Where the older tree is complete, its
    // root is the first node and is not carried.
    std::uint64_t older = older_leaves - 1;
    std::uint64_t last = leaves - 1;
    const int shared = std::countr_one(older);
    older >>= shared;
    last >>= shared;
    Digest older_reached = older_root;
    if (!std::has_single_bit(older_leaves)) {
        if (proof.empty()) return Reason::kProofLength;
        older_reached = proof.front();
        proof = proof.subspan(1);
    }
    Digest reached = older_reached;
    for (const Digest& node : proof) {
        if (last == 0) return Reason::kProofLength;
        if ((older & 1) != 0 || older == last) {
            older_reached = node_hash(node, older_reached);
            reached = node_hash(node, reached);
            while ((older & 1) == 0 && older != 0) {
                older >>= 1;
                last >>= 1;
            }
        } else {
            reached = node_hash(reached, node);
        }
        older >>= 1;
        last >>= 1;
    }
    if (last != 0) return Reason::kProofLength;
    return older_reached == older_root && reached == root ? Reason::kOk : Reason::kBadPath;
}

namespace {

/// The nodes that a walk names, or the first error of the source.
class NodeCollector {
  public:
    explicit NodeCollector(const NodeSource& tree) : tree_(&tree) {}
    void operator()(unsigned level, std::uint64_t index) {
        if (failed_) return;
        Result<Digest> node = tree_->node(level, index);
        if (node) {
            nodes_.push_back(*node);
        } else {
            failed_ = std::move(node).error();
        }
    }
    Result<std::vector<Digest>> take() {
        if (failed_) return fail(std::move(*failed_));
        return std::move(nodes_);
    }

  private:
    const NodeSource* tree_;
    std::vector<Digest> nodes_;
    std::optional<Error> failed_;
};

}  // namespace

// Spec 10.8; RFC 9162 section 2.1.4.1.
Result<std::vector<Digest>> make_consistency(const NodeSource& tree, std::uint64_t older_leaves) {
    HOLDFAST_CHECK(older_leaves <= tree.leaves());
    NodeCollector nodes(tree);
    if (older_leaves > 0)
        for_each_consistent(older_leaves, 0, tree.leaves(), true, std::ref(nodes));
    return nodes.take();
}

Result<std::vector<Digest>> make_multiproof(const NodeSource& tree,
                                            std::span<const std::uint64_t> indices) {
    HOLDFAST_CHECK(ascending_below(indices, tree.leaves()));
    NodeCollector nodes(tree);
    for_each_missing(tree.leaves(), indices, nodes);
    return nodes.take();
}

MerkleTree::MerkleTree(std::vector<Digest> leaf_hashes) : leaves_(leaf_hashes.size()) {
    if (leaf_hashes.empty()) return;
    levels_.push_back(std::move(leaf_hashes));
    while (levels_.back().size() > 1) {
        const std::vector<Digest>& below = levels_.back();
        std::vector<Digest> above(below.size() / 2 + below.size() % 2);
        hash_level_up(below, above);
        levels_.push_back(std::move(above));
    }
}

Result<Digest> MerkleTree::node(unsigned level, std::uint64_t index) const {
    HOLDFAST_CHECK(level < levels_.size() && index < levels_[level].size());
    return levels_[level][static_cast<std::size_t>(index)];
}

Digest MerkleTree::root() const { return levels_.empty() ? empty_tree_root() : levels_.back()[0]; }

std::vector<Digest> MerkleTree::path(std::uint64_t index) const {
    const std::uint64_t indices[] = {index};
    return multiproof(indices);
}

std::vector<Digest> MerkleTree::multiproof(std::span<const std::uint64_t> indices) const {
    return *make_multiproof(*this, indices);
}

void chunk_leaf_hashes(std::span<const std::uint8_t, kChunkBytes> chunk,
                       std::span<Digest, kCellsPerChunk> out) {
    sha256_batch({chunk.data(), kCellBytes, kCellBytes, kCellsPerChunk, std::uint8_t{0}}, out);
}

void chunk_roots(const std::uint8_t* chunks, std::span<Digest> out) {
    // Sixteen chunks at a time: 256 cells fill any number of lanes, and 8 KiB of hashes stay in L1.
    constexpr std::size_t kBatch = 16;
    std::array<Digest, kBatch * kCellsPerChunk> level;
    std::array<Digest, kBatch * kCellsPerChunk / 2> above;
    for (std::size_t first = 0; first < out.size(); first += kBatch) {
        const std::size_t count = std::min(kBatch, out.size() - first);
        std::size_t nodes = count * kCellsPerChunk;
        sha256_batch({chunks + first * kChunkBytes, kCellBytes, kCellBytes, nodes, std::uint8_t{0}},
                     std::span(level).first(nodes));
        std::span<Digest> from = std::span(level).first(nodes);
        std::span<Digest> to = above;
        for (unsigned l = 0; l < kChunkTreeLevel; ++l) {
            nodes /= 2;
            hash_level_up(from, to.first(nodes));
            std::swap(from, to);
            from = from.first(nodes);
        }
        std::copy(from.begin(), from.end(), out.begin() + static_cast<std::ptrdiff_t>(first));
    }
}

}  // namespace holdfast
