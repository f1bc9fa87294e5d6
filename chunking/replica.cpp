#include "chunking/replica.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "chunking/running_root.hpp"
#include "chunking/tree_walk.hpp"
#include "core/keystream.hpp"
#include "storage/parallel.hpp"

namespace holdfast {
namespace {

/// Chunk roots that are compared with the tree in one walk.
constexpr std::uint64_t kCheckedChunks = 4'096;

bool ascending_below(std::span<const std::uint64_t> indices, std::uint64_t limit) {
    if (indices.empty() || indices.back() >= limit) return false;
    return std::adjacent_find(indices.begin(), indices.end(), std::greater_equal<>()) ==
           indices.end();
}

Status check_indices(std::span<const std::uint64_t> indices, std::uint64_t limit,
                     std::string_view what) {
    if (ascending_below(indices, limit)) return {};
    return fail(ErrorCode::kInvalidArgument,
                std::string(what) + " to open must ascend and lie below " + std::to_string(limit));
}

}  // namespace

Replica::Replica(MappedFile map, TreeFile tree)
    : map_(std::move(map)),
      tree_(std::move(tree)),
      windows_(tree_.header().replica.chunks, tree_.header().replica.seal) {}

// Spec 12, replica and tree files: checks (1) to (7).
Result<Replica> Replica::open(const std::filesystem::path& replica_path,
                              const std::filesystem::path& tree_path,
                              const NetworkParams& network) {
    HOLDFAST_ASSIGN(map, MappedFile::open(replica_path, MappedFile::Access::kRead));
    HOLDFAST_ASSIGN(header, read_file_header(map, Kind::kReplicaFile, network));
    HOLDFAST_TRY(
        check_file_size(map, kFileHeaderBytes + header.replica.chunks.value * kChunkBytes));
    HOLDFAST_ASSIGN(tree, TreeFile::open(tree_path, network));
    if (tree.header() != header) {
        return fail(ErrorCode::kCorrupt, "'" + replica_path.string() + "' and '" +
                                             tree_path.string() +
                                             "' are not files of the same replica");
    }
    return Replica(std::move(map), std::move(tree));
}

Status Replica::read_sealed(ChunkIndex first, MutByteView out) const {
    if (first > ChunkIndex(chunks().value)) {
        return fail(ErrorCode::kInvalidArgument, "no chunk " + std::to_string(first.value));
    }
    return map_.read(kFileHeaderBytes + first.value * kChunkBytes, out);
}

Result<Bytes> Replica::read_chunks(std::span<const std::uint64_t> indices) const {
    const auto offset = [](std::uint64_t i) { return kFileHeaderBytes + i * kChunkBytes; };
    for (const std::uint64_t i : indices) map_.prefetch(offset(i), kChunkBytes);
    Bytes bytes(indices.size() * kChunkBytes);
    for (std::size_t n = 0; n < indices.size(); ++n) {
        HOLDFAST_TRY(map_.read(offset(indices[n]),
                               MutByteView(bytes).subspan(n * kChunkBytes, kChunkBytes)));
    }
    return bytes;
}

// Spec 7: every opened cell is checked against its tree.
Result<Opening> Replica::open_cells(std::span<const std::uint64_t> cell_indices) const {
    HOLDFAST_TRY(check_indices(cell_indices, cells(), "cells"));
    const std::vector<std::uint64_t> chunks = chunks_of(cell_indices);
    // Copied before they are hashed: what is given out is what was checked, even if the file
    // changes.
    HOLDFAST_ASSIGN(bytes, read_chunks(chunks));
    return open_from_chunks(tree_, TreeKind::kSealed, cell_indices, chunks, bytes);
}

// Spec 8, response: chunks and their multiproof.
Result<Opening> Replica::open_chunks(std::span<const std::uint64_t> chunk_indices) const {
    HOLDFAST_TRY(check_indices(chunk_indices, chunks().value, "chunks"));
    // A cold path reads a page a level: one after another, they take longer than all chunks.
    tree_.prefetch_siblings(TreeKind::kSealed, chunk_indices);
    Opening opening;
    HOLDFAST_ASSIGN(data, read_chunks(chunk_indices));
    opening.data = std::move(data);
    std::vector<Digest> roots(chunk_indices.size());
    chunk_roots(opening.data.data(), roots);
    HOLDFAST_ASSIGN(walk, walk_and_check(tree_, TreeKind::kSealed, chunk_indices, roots));
    opening.siblings = std::move(walk.siblings);
    return opening;
}

Status Replica::unseal_in_place(ChunkIndex first, MutByteView keystream) const {
    Bytes buffer(std::min<std::size_t>(kBatchBytes, keystream.size()));
    for (std::size_t at = 0; at < keystream.size(); at += buffer.size()) {
        const auto sealed =
            MutByteView(buffer).first(std::min(buffer.size(), keystream.size() - at));
        HOLDFAST_TRY(read_sealed(first + at / kChunkBytes, sealed));
        xor_bytes(keystream.subspan(at, sealed.size()), sealed);
    }
    return {};
}

Status Replica::check_chunk_roots(TreeKind tree, ChunkIndex first,
                                  std::span<const Digest> roots) const {
    std::vector<std::uint64_t> chunks(roots.size());
    std::iota(chunks.begin(), chunks.end(), first.value);
    HOLDFAST_TRY(check_indices(chunks, this->chunks().value, "chunks"));
    HOLDFAST_TRY(walk_and_check(tree_, tree, chunks, roots));
    return {};
}

Status Replica::raw_chunks(std::uint64_t w, ChunkIndex first, ChunkCount count, MutByteView memory,
                           const FillOptions& options) const {
    if (w >= windows_.count()) {
        return fail(ErrorCode::kInvalidArgument, "no window " + std::to_string(w));
    }
    const Window window = windows_.window(w);
    if (memory.size() != window.bytes() || count.value == 0 || first < window.first ||
        first - window.first.value > ChunkIndex(window.chunks.value) ||
        count.value > window.chunks.value - (first.value - window.first.value)) {
        return fail(ErrorCode::kInvalidArgument, "chunks or memory do not fit the window");
    }
    HOLDFAST_TRY(fill_keystream(id(), window, memory, options));
    const MutByteView wanted =
        memory.subspan((first.value - window.first.value) * kChunkBytes, count.value * kChunkBytes);
    HOLDFAST_TRY(unseal_in_place(first, wanted));
    // In batches, so that the memory beside the window stays small whatever its size.
    std::vector<Digest> roots(std::min<std::uint64_t>(kCheckedChunks, count.value));
    for (std::uint64_t at = 0; at < count.value; at += roots.size()) {
        const auto batch =
            std::span(roots).first(std::min<std::uint64_t>(roots.size(), count.value - at));
        chunk_roots(wanted.data() + at * kChunkBytes, batch);
        HOLDFAST_TRY(check_chunk_roots(TreeKind::kRaw, first + at, batch));
    }
    return {};
}

// Spec 3.1: the raw cells of a seal proof.
Result<Opening> Replica::open_raw_cells(std::span<const std::uint64_t> cell_indices,
                                        const RawOptions& options) const {
    HOLDFAST_TRY(check_indices(cell_indices, cells(), "cells"));
    const std::vector<std::uint64_t> chunks = chunks_of(cell_indices);
    std::vector<std::uint64_t> touched;  // windows, ascending
    for (const std::uint64_t chunk : chunks) {
        const std::uint64_t w = windows_.window_of(ChunkIndex(chunk));
        if (touched.empty() || touched.back() != w) touched.push_back(w);
    }
    Bytes bytes(chunks.size() * kChunkBytes);
    const auto refill = [&](unsigned, std::uint64_t item) -> Status {
        const Window window = windows_.window(touched[item]);
        HOLDFAST_ASSIGN(memory, FillMemory::allocate(window.bytes()));
        const MutByteView keystream(memory.data(), static_cast<std::size_t>(memory.size()));
        FillOptions fill_options;
        fill_options.kernel = options.kernel;
        fill_options.stop = options.stop;
        HOLDFAST_TRY(fill_keystream(id(), window, keystream, fill_options));
        auto it = std::lower_bound(chunks.begin(), chunks.end(), window.first.value);
        for (; it != chunks.end() && *it < window.first.value + window.chunks.value; ++it) {
            const MutByteView raw =
                keystream.subspan((*it - window.first.value) * kChunkBytes, kChunkBytes);
            HOLDFAST_TRY(unseal_in_place(ChunkIndex(*it), raw));
            std::copy(
                raw.begin(), raw.end(),
                bytes.begin() + (it - chunks.begin()) * static_cast<std::ptrdiff_t>(kChunkBytes));
        }
        return {};
    };
    HOLDFAST_TRY(run_workers(worker_count(options.workers, touched.size()), touched.size(),
                             options.stop, refill));
    return open_from_chunks(tree_, TreeKind::kRaw, cell_indices, chunks, bytes);
}

}  // namespace holdfast
