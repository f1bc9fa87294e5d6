// A sealed replica on disk: its *.replica and *.tree file, opened for proving.
//
// Nothing leaves this class unchecked: cells, chunks and siblings are hashed up to the root in the
// header first, and a damaged byte becomes kCorrupt with the chunk's index in the message. Reads
// may come from several threads; no open file descriptor is held between calls, only the two
// mappings. Indices are of cells (256 bytes) or chunks (4,096 bytes). Spec: docs/spec.md sections
// 3, 7 and 12.
#pragma once

#include <filesystem>
#include <vector>

#include "chunking/cell_opening.hpp"
#include "chunking/file_header.hpp"
#include "chunking/tree_file.hpp"
#include "core/fill.hpp"
#include "core/geometry.hpp"
#include "storage/mapped_file.hpp"

namespace holdfast {

struct RawOptions {
    const FillKernel* kernel = nullptr;  // nullptr: the best
    unsigned workers = 1;                // windows refilled at once; memory is window * workers
    StopCheck stop;
};

class Replica {
  public:
    /// kRefused: a header that fails its checks in this network. kCorrupt: sizes that do not fit,
    /// or two files that do not belong together. Otherwise as for MappedFile::open.
    static Result<Replica> open(const std::filesystem::path& replica_path,
                                const std::filesystem::path& tree_path,
                                const NetworkParams& network);

    [[nodiscard]] const FileHeader& header() const { return tree_.header(); }
    [[nodiscard]] const ReplicaId& id() const { return tree_.header().replica_id; }
    [[nodiscard]] ChunkCount chunks() const { return header().replica.chunks; }
    [[nodiscard]] std::uint64_t cells() const { return header().replica.cells(); }
    [[nodiscard]] const WindowPlan& windows() const { return windows_; }
    [[nodiscard]] const TreeFile& trees() const { return tree_; }
    [[nodiscard]] const std::filesystem::path& path() const { return map_.path(); }

    /// Sealed bytes as they lie on the disk, from `first` on, unchecked: for scrubbing and bulk
    /// reads.
    [[nodiscard]] Status read_sealed(ChunkIndex first, MutByteView out) const;

    /// Sealed cells (strictly ascending, in range) and their multiproof to sealed_root. For one
    /// cell the siblings are its path.
    [[nodiscard]] Result<Opening> open_cells(std::span<const std::uint64_t> cells) const;
    /// Whole sealed chunks (strictly ascending, in range); siblings of the multiproof over all
    /// their cells.
    [[nodiscard]] Result<Opening> open_chunks(std::span<const std::uint64_t> chunks) const;
    /// Raw cells and their multiproof to raw_root. Refills every window that is touched, once.
    [[nodiscard]] Result<Opening> open_raw_cells(std::span<const std::uint64_t> cells,
                                                 const RawOptions& options = {}) const;
    /// Refills window w in `memory` (exactly the window's bytes, 64-byte aligned) and leaves the raw
    /// bytes of chunks [first, first + count) of that window there, at their place, checked against
    /// raw_root: a damaged chunk beside them does no harm.
    [[nodiscard]] Status raw_chunks(std::uint64_t w, ChunkIndex first, ChunkCount count,
                                    MutByteView memory, const FillOptions& options = {}) const;
    /// Compares chunk roots, `first` onward, with the tree of that kind up to the header's root;
    /// kCorrupt names the first chunk that differs.
    [[nodiscard]] Status check_chunk_roots(TreeKind tree, ChunkIndex first,
                                           std::span<const Digest> roots) const;

  private:
    Replica(MappedFile map, TreeFile tree);
    /// The chunks one after another; the disk is asked for all of them before any is waited for.
    Result<Bytes> read_chunks(std::span<const std::uint64_t> chunks) const;
    Status unseal_in_place(ChunkIndex first, MutByteView keystream) const;
    MappedFile map_;
    TreeFile tree_;
    WindowPlan windows_;
};

}  // namespace holdfast
