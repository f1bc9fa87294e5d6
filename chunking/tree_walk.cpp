#include "chunking/tree_walk.hpp"

#include <string>

namespace holdfast {
namespace {

struct Known {
    std::uint64_t index;
    Digest hash;
};

/// Pairs of one level that wait to be hashed together.
struct Pair {
    Digest left;
    Digest right;
};
static_assert(sizeof(Pair) == 2 * kDigestBytes);

std::string_view name_of(TreeKind tree) { return tree == TreeKind::kRaw ? "raw" : "sealed"; }

}  // namespace

Result<TreeWalk> walk_up(const TreeNodes& trees, TreeKind tree,
                         std::span<const std::uint64_t> chunks, std::span<const Digest> roots) {
    HOLDFAST_CHECK(!chunks.empty() && chunks.size() == roots.size());
    std::vector<Known> known;
    known.reserve(chunks.size());
    for (std::size_t i = 0; i < chunks.size(); ++i) known.push_back({chunks[i], roots[i]});

    TreeWalk walk;
    std::vector<Pair> pairs;
    std::vector<Digest> hashed;
    for (unsigned level = 0; level + 1 < trees.layout().levels(); ++level) {
        const std::uint64_t nodes = trees.layout().nodes(level);
        pairs.clear();
        std::vector<Known> above;
        above.reserve(known.size());
        for (std::size_t i = 0; i < known.size(); ++i) {
            const Known own = known[i];
            const std::uint64_t partner = own.index ^ 1;
            above.push_back({own.index / 2, own.hash});
            if (partner >= nodes) continue;  // rises unchanged; always the last node
            Digest other;
            if (i + 1 < known.size() && known[i + 1].index == partner) {
                other = known[++i].hash;
            } else {
                HOLDFAST_TRY(trees.read_nodes(tree, level, partner, {&other, 1}));
                walk.siblings.push_back(other);
            }
            const bool own_is_left = own.index < partner;
            pairs.push_back(own_is_left ? Pair{own.hash, other} : Pair{other, own.hash});
        }
        hashed.resize(pairs.size());
        sha256_batch({reinterpret_cast<const std::uint8_t*>(pairs.data()), sizeof(Pair),
                      sizeof(Pair), pairs.size(), std::uint8_t{1}},
                     hashed);
        for (std::size_t i = 0; i < hashed.size(); ++i) above[i].hash = hashed[i];
        known = std::move(above);
    }
    walk.root = Root(known[0].hash);
    return walk;
}

Result<TreeWalk> walk_and_check(const TreeNodes& trees, TreeKind tree,
                                std::span<const std::uint64_t> chunks,
                                std::span<const Digest> roots) {
    HOLDFAST_ASSIGN(walk, walk_up(trees, tree, chunks, roots));
    if (walk.root == trees.root(tree)) return walk;
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        Digest stored;
        HOLDFAST_TRY(trees.read_nodes(tree, 0, chunks[i], {&stored, 1}));
        if (stored == roots[i]) continue;
        return fail(ErrorCode::kCorrupt, "chunk " + std::to_string(chunks[i]) +
                                             " does not match the " + std::string(name_of(tree)) +
                                             " tree in '" + trees.path().string() +
                                             "': the replica is damaged there; repair it");
    }
    return fail(ErrorCode::kCorrupt, "the " + std::string(name_of(tree)) + " tree in '" +
                                         trees.path().string() +
                                         "' does not lead to its root: the tree file is damaged");
}

ChunkSubtrees::ChunkSubtrees(ByteView bytes) {
    HOLDFAST_CHECK(bytes.size() % kChunkBytes == 0);
    const std::size_t cells = bytes.size() / kCellBytes;
    levels_[0].resize(cells);
    sha256_batch({bytes.data(), kCellBytes, kCellBytes, cells, std::uint8_t{0}}, levels_[0]);
    for (unsigned level = 0; level < kChunkTreeLevel; ++level) {
        levels_[level + 1].resize(levels_[level].size() / 2);
        hash_level_up(levels_[level], levels_[level + 1]);
    }
}

std::vector<Digest> subtree_siblings(const ChunkSubtrees& subtrees,
                                     std::span<const std::uint64_t> chunks,
                                     std::span<const std::uint64_t> cells) {
    std::vector<Digest> siblings;
    std::vector<std::uint64_t> known(cells.begin(), cells.end());
    for (unsigned level = 0; level < kChunkTreeLevel; ++level) {
        const unsigned to_chunk = kChunkTreeLevel - level;
        const std::uint64_t in_chunk = (std::uint64_t{1} << to_chunk) - 1;
        std::size_t position = 0;
        std::size_t kept = 0;
        for (std::size_t i = 0; i < known.size(); ++i) {
            const std::uint64_t index = known[i];
            while (chunks[position] != index >> to_chunk) ++position;
            if (i + 1 < known.size() && known[i + 1] == (index ^ 1)) {
                ++i;
            } else {
                siblings.push_back(subtrees.node(level, position,
                                                 static_cast<std::size_t>((index ^ 1) & in_chunk)));
            }
            known[kept++] = index / 2;
        }
        known.resize(kept);
    }
    return siblings;
}

std::vector<std::uint64_t> chunks_of(std::span<const std::uint64_t> cells) {
    std::vector<std::uint64_t> chunks;
    chunks.reserve(cells.size());
    for (const std::uint64_t cell : cells) {
        const std::uint64_t chunk = cell / kCellsPerChunk;
        if (chunks.empty() || chunks.back() != chunk) chunks.push_back(chunk);
    }
    return chunks;
}

Result<Opening> open_from_chunks(const TreeNodes& trees, TreeKind tree,
                                 std::span<const std::uint64_t> cells,
                                 std::span<const std::uint64_t> chunks, ByteView bytes) {
    const ChunkSubtrees subtrees(bytes);
    HOLDFAST_ASSIGN(walk, walk_and_check(trees, tree, chunks, subtrees.chunk_roots()));
    Opening opening;
    opening.siblings = subtree_siblings(subtrees, chunks, cells);
    opening.siblings.insert(opening.siblings.end(), walk.siblings.begin(), walk.siblings.end());
    opening.data.reserve(cells.size() * kCellBytes);
    std::size_t position = 0;
    for (const std::uint64_t cell : cells) {
        while (chunks[position] != cell / kCellsPerChunk) ++position;
        const std::size_t at = position * kChunkBytes + (cell % kCellsPerChunk) * kCellBytes;
        const ByteView found = bytes.subspan(at, kCellBytes);
        opening.data.insert(opening.data.end(), found.begin(), found.end());
    }
    return opening;
}

}  // namespace holdfast
