// Which nodes of a stored tree are wrong and which chunks are, told apart by what still hashes to
// the root.
//
// Three candidates stand for every node: the stored one, the one rebuilt from the stored chunk
// roots, and the one computed from the chunks themselves. From the root downward, whatever pair of
// candidates hashes to a proven node is proven in turn; where none does, nothing below is.
// Pure values, any thread. Internal to this room. Spec: docs/spec.md section 12.
#pragma once

#include <span>
#include <vector>

#include "chunking/tree_file.hpp"

namespace holdfast {

/// Consecutive items: chunks of a replica, or nodes of a level.
struct IndexRange {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    friend bool operator==(const IndexRange&, const IndexRange&) = default;
};

/// Adds `index`, which lies above all that `ranges` holds.
void add_index(std::vector<IndexRange>& ranges, std::uint64_t index);
[[nodiscard]] std::uint64_t total_count(std::span<const IndexRange> ranges);

struct NodeRange {
    TreeKind tree = TreeKind::kSealed;
    unsigned level = 0;  // 0: the chunk level
    IndexRange nodes;
    friend bool operator==(const NodeRange&, const NodeRange&) = default;
};

/// Every node, level by level from the chunk level upward.
using TreeLevels = std::vector<std::vector<Digest>>;
[[nodiscard]] TreeLevels build_levels(std::vector<Digest> chunk_roots);

struct TreeAudit {
    std::vector<Digest> truth;           // chunk roots, as far as they are known
    std::vector<bool> known;             // truth[i] follows from the root, or two witnesses agree
    std::vector<NodeRange> bad_nodes;    // stored nodes that are not what they must be
    std::vector<IndexRange> bad_chunks;  // computed roots that are not the truth
    std::vector<IndexRange> unproven;    // chunks about which neither tree nor data can be believed
    bool all_known = false;
};

/// `stored` has every level. `computed`: chunk roots of the data, or nothing where the data were
/// not read; the audit then speaks of the tree alone.
[[nodiscard]] TreeAudit audit_tree(TreeKind tree, const Root& root, const TreeLevels& stored,
                                   std::span<const Digest> computed = {});

}  // namespace holdfast
