#include "chunking/tree_audit.hpp"

#include <algorithm>
#include <utility>

namespace holdfast {
namespace {

/// Nodes of `below` that lie under node `index` of `level`.
std::pair<std::uint64_t, std::uint64_t> under(const TreeLevels& tree, unsigned level,
                                              std::uint64_t index, unsigned below) {
    const unsigned depth = level - below;
    return {index << depth, std::min<std::uint64_t>((index + 1) << depth, tree[below].size())};
}

class Auditor {
  public:
    Auditor(TreeKind tree, const TreeLevels& stored, std::span<const Digest> computed)
        : tree_(tree),
          stored_(stored),
          rebuilt_(build_levels(stored[0])),
          bad_(stored.size()),
          chunk_is_bad_(stored[0].size()),
          chunk_is_unproven_(stored[0].size()) {
        if (!computed.empty()) computed_ = build_levels({computed.begin(), computed.end()});
        for (std::size_t level = 0; level < stored.size(); ++level) {
            bad_[level].resize(stored[level].size());
        }
        out_.truth.resize(stored[0].size());
        out_.known.resize(stored[0].size());
    }

    TreeAudit run(const Root& root) {
        settle(static_cast<unsigned>(stored_.size()) - 1, 0, root);
        for (unsigned level = 0; level < bad_.size(); ++level) {
            std::vector<IndexRange> ranges;
            for (std::uint64_t i = 0; i < bad_[level].size(); ++i) {
                if (bad_[level][i]) add_index(ranges, i);
            }
            for (const IndexRange& range : ranges) out_.bad_nodes.push_back({tree_, level, range});
        }
        for (std::uint64_t i = 0; i < chunk_is_bad_.size(); ++i) {
            if (chunk_is_bad_[i]) add_index(out_.bad_chunks, i);
            if (chunk_is_unproven_[i]) add_index(out_.unproven, i);
        }
        out_.all_known =
            std::all_of(out_.known.begin(), out_.known.end(), [](bool k) { return k; });
        return std::move(out_);
    }

  private:
    /// The node must be `truth`: what follows for itself and for everything below.
    void settle(unsigned level, std::uint64_t index, const Digest& truth) {
        if (stored_[level][index] != truth) bad_[level][index] = true;
        if (!computed_.empty() && computed_[level][index] == truth) {
            return accept(computed_, level, index);
        }
        if (rebuilt_[level][index] == truth) return accept(rebuilt_, level, index);
        if (level == 0) return know(index, truth);
        const std::uint64_t left = index * 2;
        const std::uint64_t right = left + 1;
        if (right >= stored_[level - 1].size()) return settle(level - 1, left, truth);
        for (const Digest& l : candidates(level - 1, left)) {
            for (const Digest& r : candidates(level - 1, right)) {
                if (node_hash(l, r) != truth) continue;
                settle(level - 1, left, l);
                settle(level - 1, right, r);
                return;
            }
        }
        const bool contradiction = level == 1 && agree(left) && agree(right);
        for (const std::uint64_t child : {left, right}) {
            if (contradiction) {
                distrust(child);
            } else {
                doubt(level - 1, child);
            }
        }
    }

    [[nodiscard]] std::vector<Digest> candidates(unsigned level, std::uint64_t index) const {
        std::vector<Digest> found{stored_[level][index], rebuilt_[level][index]};
        if (!computed_.empty()) found.push_back(computed_[level][index]);
        return found;
    }

    /// Everything below the node is what `tree` says.
    void accept(const TreeLevels& tree, unsigned level, std::uint64_t index) {
        for (unsigned below = 0; below <= level; ++below) {
            const auto [from, to] = under(tree, level, index, below);
            for (std::uint64_t i = from; i < to; ++i) {
                if (stored_[below][i] != tree[below][i]) bad_[below][i] = true;
            }
        }
        const auto [from, to] = under(tree, level, index, 0);
        for (std::uint64_t i = from; i < to; ++i) know(i, tree[0][i]);
    }

    void know(std::uint64_t chunk, const Digest& truth) {
        out_.truth[chunk] = truth;
        out_.known[chunk] = true;
        chunk_is_bad_[chunk] = !computed_.empty() && computed_[0][chunk] != truth;
    }

    /// Tree and data say the same of a chunk.
    [[nodiscard]] bool agree(std::uint64_t chunk) const {
        return !computed_.empty() && computed_[0][chunk] == stored_[0][chunk];
    }

    void distrust(std::uint64_t chunk) {
        bad_[0][chunk] = true;
        chunk_is_unproven_[chunk] = !computed_.empty();
    }

    /// Nothing leads from the root to this node or to its partner; one of the two is wrong, if not
    /// both.
    void doubt(unsigned level, std::uint64_t index) {
        if (level > 0) bad_[level][index] = true;
        for (unsigned below = 1; below < level; ++below) {
            const auto [from, to] = under(stored_, level, index, below);
            for (std::uint64_t i = from; i < to; ++i) {
                if (stored_[below][i] != rebuilt_[below][i]) bad_[below][i] = true;
            }
        }
        const auto [from, to] = under(stored_, level, index, 0);
        for (std::uint64_t i = from; i < to; ++i) {
            // Rot does not make two files agree; whether they are right is seen at the root, once
            // everything else is repaired.
            if (agree(i)) {
                know(i, stored_[0][i]);
            } else {
                distrust(i);
            }
        }
    }

    TreeKind tree_;
    const TreeLevels& stored_;
    TreeLevels rebuilt_;
    TreeLevels computed_;  // empty: the data were not read
    std::vector<std::vector<bool>> bad_;
    std::vector<bool> chunk_is_bad_;
    std::vector<bool> chunk_is_unproven_;
    TreeAudit out_;
};

}  // namespace

void add_index(std::vector<IndexRange>& ranges, std::uint64_t index) {
    if (!ranges.empty() && ranges.back().first + ranges.back().count == index) {
        ++ranges.back().count;
    } else {
        ranges.push_back({index, 1});
    }
}

std::uint64_t total_count(std::span<const IndexRange> ranges) {
    std::uint64_t count = 0;
    for (const IndexRange& range : ranges) count += range.count;
    return count;
}

TreeLevels build_levels(std::vector<Digest> chunk_roots) {
    TreeLevels levels;
    levels.push_back(std::move(chunk_roots));
    while (levels.back().size() > 1) {
        std::vector<Digest> above((levels.back().size() + 1) / 2);
        hash_level_up(levels.back(), above);
        levels.push_back(std::move(above));
    }
    return levels;
}

TreeAudit audit_tree(TreeKind tree, const Root& root, const TreeLevels& stored,
                     std::span<const Digest> computed) {
    HOLDFAST_CHECK(!stored.empty() && !stored[0].empty() && stored.back().size() == 1);
    HOLDFAST_CHECK(computed.empty() || computed.size() == stored[0].size());
    return Auditor(tree, stored, computed).run(root);
}

}  // namespace holdfast
