#include "chunking/replica_batch.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "chunking/tree_walk.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kPageBytes = 4'096;
static_assert(kFileHeaderBytes % kPageBytes == 0 && kPageBytes % kDigestBytes == 0);

/// Nodes of a tree file, of which some pages have been read already.
class PagedTree final : public TreeNodes {
  public:
    PagedTree(OpenFiles& files, const CellsToOpen& item)
        : files_(&files),
          path_(tree_beside(item.replica)),
          root_(item.sealed_root),
          layout_(item.chunks) {}

    [[nodiscard]] const TreeLayout& layout() const override { return layout_; }
    [[nodiscard]] Root root(TreeKind) const override { return root_; }
    [[nodiscard]] const std::filesystem::path& path() const override { return path_; }
    [[nodiscard]] Status read_nodes(TreeKind tree, unsigned level, std::uint64_t first,
                                    std::span<Digest> out) const override {
        const std::uint64_t offset = layout_.offset(tree, level, first);
        const MutByteView bytes{reinterpret_cast<std::uint8_t*>(out.data()), out.size_bytes()};
        const auto at = std::lower_bound(pages_.begin(), pages_.end(), offset / kPageBytes);
        const std::uint64_t into_page = offset % kPageBytes;
        if (at != pages_.end() && *at == offset / kPageBytes &&
            into_page + bytes.size() <= kPageBytes) {
            const auto from = static_cast<std::size_t>(at - pages_.begin()) * kPageBytes;
            std::copy_n(bytes_.data() + from + into_page, bytes.size(), bytes.data());
            return {};
        }
        HOLDFAST_ASSIGN(file, files_->get(path_));
        return file->read_at(offset, bytes);
    }

    /// The pages with the siblings that a walk from these chunks takes from the file.
    void plan(std::vector<std::uint64_t> known) {
        for (unsigned level = 0; level + 1 < layout_.levels(); ++level) {
            std::size_t kept = 0;
            for (std::size_t i = 0; i < known.size(); ++i) {
                const std::uint64_t index = known[i];
                const std::uint64_t partner = index ^ 1;
                if (i + 1 < known.size() && known[i + 1] == partner) {
                    ++i;
                } else if (partner < layout_.nodes(level)) {
                    pages_.push_back(layout_.offset(TreeKind::kSealed, level, partner) /
                                     kPageBytes);
                }
                known[kept++] = index / 2;
            }
            known.resize(kept);
        }
        std::sort(pages_.begin(), pages_.end());
        pages_.erase(std::unique(pages_.begin(), pages_.end()), pages_.end());
        bytes_.resize(pages_.size() * kPageBytes);
    }
    [[nodiscard]] bool needs_file() const { return !pages_.empty(); }
    /// Neighbouring pages as one read.
    void queue(const File& file, std::vector<FileRead>& reads) {
        for (std::size_t i = 0; i < pages_.size();) {
            std::size_t end = i + 1;
            while (end < pages_.size() && pages_[end] == pages_[end - 1] + 1) ++end;
            const std::uint64_t from = pages_[i] * kPageBytes;
            const std::uint64_t to =
                std::min(pages_[end - 1] * kPageBytes + kPageBytes, layout_.file_bytes());
            reads.push_back(
                {&file,
                 from,
                 MutByteView(bytes_).subspan(i * kPageBytes, static_cast<std::size_t>(to - from)),
                 {}});
            i = end;
        }
    }

  private:
    OpenFiles* files_;
    std::filesystem::path path_;
    Root root_;
    TreeLayout layout_;
    std::vector<std::uint64_t> pages_;  // ascending
    Bytes bytes_;                       // of those pages
};

/// One replica's part of a batch.
struct Part {
    CellsToOpen* item = nullptr;
    PagedTree tree;
    std::vector<std::uint64_t> chunks;
    Bytes bytes;  // of those chunks
    std::shared_ptr<const File> replica_file;
    std::shared_ptr<const File> tree_file;
    std::size_t first_read = 0;
    std::size_t end_read = 0;

    Part(OpenFiles& files, CellsToOpen& wanted) : item(&wanted), tree(files, wanted) {}

    Status prepare(OpenFiles& files) {
        const bool ascending = std::adjacent_find(item->cells.begin(), item->cells.end(),
                                                  std::greater_equal<>()) == item->cells.end();
        if (item->cells.empty() || !ascending ||
            item->cells.back() / kCellsPerChunk >= item->chunks.value) {
            return fail(ErrorCode::kInvalidArgument, "cells to open must ascend and be in range");
        }
        chunks = chunks_of(item->cells);
        bytes.resize(chunks.size() * kChunkBytes);
        tree.plan(chunks);
        HOLDFAST_ASSIGN(file, files.get(item->replica));
        replica_file = std::move(file);
        if (!tree.needs_file()) return {};
        HOLDFAST_ASSIGN(nodes, files.get(tree.path()));
        tree_file = std::move(nodes);
        return {};
    }

    void queue(std::vector<FileRead>& reads) {
        first_read = reads.size();
        for (std::size_t i = 0; i < chunks.size();) {
            std::size_t end = i + 1;
            while (end < chunks.size() && chunks[end] == chunks[end - 1] + 1) ++end;
            reads.push_back({replica_file.get(),
                             kFileHeaderBytes + chunks[i] * kChunkBytes,
                             MutByteView(bytes).subspan(i * kChunkBytes, (end - i) * kChunkBytes),
                             {}});
            i = end;
        }
        if (tree_file) tree.queue(*tree_file, reads);
        end_read = reads.size();
    }

    Result<Opening> finish(std::span<const FileRead> reads) const {
        for (std::size_t i = first_read; i < end_read; ++i) HOLDFAST_TRY(reads[i].status);
        return open_from_chunks(tree, TreeKind::kSealed, item->cells, chunks, bytes);
    }
};

}  // namespace

std::filesystem::path tree_beside(const std::filesystem::path& replica) {
    std::filesystem::path tree = replica;
    tree.replace_extension(".tree");
    return tree;
}

void open_cells(BatchReader& reader, OpenFiles& files, std::span<CellsToOpen> items) {
    std::vector<Part> parts;
    parts.reserve(items.size());
    std::vector<FileRead> reads;
    for (CellsToOpen& item : items) {
        Part part(files, item);
        const Status ready = part.prepare(files);
        if (!ready) {
            item.opening = fail(ready.error());
            continue;
        }
        parts.push_back(std::move(part));
        parts.back().queue(reads);
    }
    reader.read(reads);
    for (Part& part : parts) {
        part.item->opening = part.finish(reads);
        if (part.item->opening) continue;
        // Whoever repairs the files may put others in their place.
        part.replica_file.reset();
        part.tree_file.reset();
        files.forget(part.item->replica);
        files.forget(part.tree.path());
    }
}

}  // namespace holdfast
