// The *.tree file: the raw and the sealed tree of a replica from the chunk level upward.
//
// Level 0 of a stored tree is the chunk level (n nodes), which is level 4 of the cell tree; the
// 16-cell subtree of a chunk is rebuilt from the chunk. Offsets and sizes are in bytes. A TreeFile
// may be read by many threads; a TreeBuilder by one at a time, except put_chunk_roots on distinct
// ranges. Spec: docs/spec.md section 12.
#pragma once

#include "chunking/file_header.hpp"
#include "core/merkle.hpp"
#include "storage/file.hpp"
#include "storage/mapped_file.hpp"

namespace holdfast {

enum class TreeKind { kRaw, kSealed };

/// Where the nodes lie in a *.tree file.
class TreeLayout {
  public:
    explicit TreeLayout(ChunkCount chunks);
    [[nodiscard]] ChunkCount chunks() const { return chunks_; }
    /// Levels from the chunks to the root, both included.
    [[nodiscard]] unsigned levels() const { return levels_; }
    [[nodiscard]] std::uint64_t nodes(unsigned level) const {
        return level_nodes(chunks_.value, level);
    }
    [[nodiscard]] std::uint64_t offset(TreeKind tree, unsigned level, std::uint64_t index) const;
    [[nodiscard]] std::uint64_t file_bytes() const;

  private:
    ChunkCount chunks_;
    unsigned levels_;
    std::uint64_t tree_nodes_ = 0;
};

/// Writes one tree into a *.tree file in bounded memory: chunk roots in any order, then the rest.
class TreeBuilder {
  public:
    /// `file` must outlive the builder.
    TreeBuilder(File& file, ChunkCount chunks, TreeKind tree);
    [[nodiscard]] Status put_chunk_roots(ChunkIndex first, std::span<const Digest> roots);
    /// Builds the levels above the chunks (every chunk root must have been put) and gives the root.
    [[nodiscard]] Result<Root> finish();

  private:
    File* file_;
    TreeLayout layout_;
    TreeKind tree_;
};

/// Reads and checks the header at the start of a mapped *.replica or *.tree file; kRefused.
[[nodiscard]] Result<FileHeader> read_file_header(const MappedFile& map, Kind kind,
                                                  const NetworkParams& network);
/// The checked header of a *.replica file whose size fits it, without mapping or keeping it open.
/// kRefused, kCorrupt, or as for File::open.
[[nodiscard]] Result<FileHeader> read_replica_header(const std::filesystem::path& replica,
                                                     const NetworkParams& network);
/// kCorrupt unless the file has exactly that size.
[[nodiscard]] Status check_file_size(const MappedFile& map, std::uint64_t expected_bytes);

/// The nodes of a replica's two trees, wherever they are read from.
class TreeNodes {
  public:
    virtual ~TreeNodes() = default;
    [[nodiscard]] virtual const TreeLayout& layout() const = 0;
    /// What the nodes must lead to.
    [[nodiscard]] virtual Root root(TreeKind tree) const = 0;
    /// Where they come from, for messages.
    [[nodiscard]] virtual const std::filesystem::path& path() const = 0;
    /// out.size() nodes of a level, from `first`; level 0 is the chunk level.
    [[nodiscard]] virtual Status read_nodes(TreeKind tree, unsigned level, std::uint64_t first,
                                            std::span<Digest> out) const = 0;
};

class TreeFile final : public TreeNodes {
  public:
    /// Checks form, network and size of the file, not its nodes: readers compare what they read
    /// with the header's roots. kRefused for a header that fails, kCorrupt for a wrong size, or as
    /// for MappedFile::open.
    static Result<TreeFile> open(const std::filesystem::path& path, const NetworkParams& network);

    [[nodiscard]] const FileHeader& header() const { return header_; }
    [[nodiscard]] const TreeLayout& layout() const override { return layout_; }
    [[nodiscard]] const std::filesystem::path& path() const override { return map_.path(); }
    [[nodiscard]] Root root(TreeKind tree) const override {
        return tree == TreeKind::kRaw ? header_.replica.raw_root : header_.sealed_root;
    }
    [[nodiscard]] Status read_nodes(TreeKind tree, unsigned level, std::uint64_t first,
                                    std::span<Digest> out) const override;
    /// Asks the disk for the siblings on the way up from these chunks (ascending), all at once.
    void prefetch_siblings(TreeKind tree, std::span<const std::uint64_t> chunks) const;

  private:
    TreeFile(MappedFile map, const FileHeader& header);
    MappedFile map_;
    FileHeader header_;
    TreeLayout layout_;
};

}  // namespace holdfast
