// Multiproofs out of a tree file: siblings and root in one walk, each level hashed as one batch.
//
// Internal to this room. Spec: docs/spec.md section 7 (multiproof).
#pragma once

#include <vector>

#include "chunking/cell_opening.hpp"
#include "chunking/tree_file.hpp"

namespace holdfast {

struct TreeWalk {
    std::vector<Digest> siblings;  // canonical order, from the chunk level upward
    Root root;                     // that the nodes and their siblings lead to
};

/// `chunks` strictly ascending and in range, roots[i] the root of chunks[i].
[[nodiscard]] Result<TreeWalk> walk_up(const TreeNodes& trees, TreeKind tree,
                                       std::span<const std::uint64_t> chunks,
                                       std::span<const Digest> roots);

/// Nothing when the chunk roots lead to the header's root. Otherwise kCorrupt, naming the first
/// chunk whose root differs from the stored one, or the tree file when none does.
[[nodiscard]] Result<TreeWalk> walk_and_check(const TreeNodes& trees, TreeKind tree,
                                              std::span<const std::uint64_t> chunks,
                                              std::span<const Digest> roots);

/// The lowest levels of the cell tree for some chunks, rebuilt from their bytes.
class ChunkSubtrees {
  public:
    /// `bytes`: the chunks one behind another.
    explicit ChunkSubtrees(ByteView bytes);
    [[nodiscard]] std::span<const Digest> chunk_roots() const { return levels_[kChunkTreeLevel]; }
    /// Node of level 0 to 4 within the chunk that stands at `position`.
    [[nodiscard]] const Digest& node(unsigned level, std::size_t position,
                                     std::size_t index) const {
        return levels_[level][(position << (kChunkTreeLevel - level)) + index];
    }

  private:
    std::array<std::vector<Digest>, kChunkTreeLevel + 1> levels_;
};

/// Siblings of a multiproof over `cells` that lie below the chunk level. `chunks`: the distinct
/// chunks of those cells, ascending, as in `subtrees`.
[[nodiscard]] std::vector<Digest> subtree_siblings(const ChunkSubtrees& subtrees,
                                                   std::span<const std::uint64_t> chunks,
                                                   std::span<const std::uint64_t> cells);

/// The distinct chunks of ascending cells, ascending.
[[nodiscard]] std::vector<std::uint64_t> chunks_of(std::span<const std::uint64_t> cells);

/// Cells (ascending) and their multiproof out of whole chunks (`bytes`: those of chunks_of(cells),
/// one behind another), checked up to the root.
[[nodiscard]] Result<Opening> open_from_chunks(const TreeNodes& trees, TreeKind tree,
                                               std::span<const std::uint64_t> cells,
                                               std::span<const std::uint64_t> chunks,
                                               ByteView bytes);

}  // namespace holdfast
