#include "chunking/tree_file.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace holdfast {
namespace {

MutByteView as_bytes(std::span<Digest> digests) {
    return {reinterpret_cast<std::uint8_t*>(digests.data()), digests.size_bytes()};
}
ByteView as_bytes(std::span<const Digest> digests) {
    return {reinterpret_cast<const std::uint8_t*>(digests.data()), digests.size_bytes()};
}
static_assert(sizeof(Digest) == kDigestBytes);

}  // namespace

// Spec 12: raw tree, then sealed tree, level by level from the chunk level up.
TreeLayout::TreeLayout(ChunkCount chunks) : chunks_(chunks), levels_(tree_levels(chunks.value)) {
    for (unsigned level = 0; level < levels_; ++level) tree_nodes_ += nodes(level);
}

std::uint64_t TreeLayout::offset(TreeKind tree, unsigned level, std::uint64_t index) const {
    HOLDFAST_CHECK(level < levels_ && index <= nodes(level));
    std::uint64_t before = tree == TreeKind::kRaw ? 0 : tree_nodes_;
    for (unsigned below = 0; below < level; ++below) before += nodes(below);
    return kFileHeaderBytes + (before + index) * kDigestBytes;
}

std::uint64_t TreeLayout::file_bytes() const {
    return kFileHeaderBytes + 2 * tree_nodes_ * kDigestBytes;
}

TreeBuilder::TreeBuilder(File& file, ChunkCount chunks, TreeKind tree)
    : file_(&file), layout_(chunks), tree_(tree) {}

Status TreeBuilder::put_chunk_roots(ChunkIndex first, std::span<const Digest> roots) {
    HOLDFAST_CHECK(roots.size() <= layout_.chunks().value - first.value);
    return file_->write_at(layout_.offset(tree_, 0, first.value), as_bytes(roots));
}

Result<Root> TreeBuilder::finish() {
    constexpr std::uint64_t kBatchNodes = 8'192;  // even, so that no pair is cut
    std::vector<Digest> below(kBatchNodes);
    std::vector<Digest> above(kBatchNodes / 2);
    for (unsigned level = 0; level + 1 < layout_.levels(); ++level) {
        const std::uint64_t nodes = layout_.nodes(level);
        for (std::uint64_t first = 0; first < nodes; first += kBatchNodes) {
            const auto count = static_cast<std::size_t>(std::min(kBatchNodes, nodes - first));
            const auto in = std::span(below).first(count);
            const auto out = std::span(above).first(count / 2 + count % 2);
            HOLDFAST_TRY(file_->read_at(layout_.offset(tree_, level, first), as_bytes(in)));
            hash_level_up(in, out);
            HOLDFAST_TRY(file_->write_at(layout_.offset(tree_, level + 1, first / 2),
                                         as_bytes(std::span<const Digest>(out))));
        }
    }
    Root root;
    HOLDFAST_TRY(
        file_->read_at(layout_.offset(tree_, layout_.levels() - 1, 0), MutByteView(root.bytes)));
    return root;
}

Result<FileHeader> read_file_header(const MappedFile& map, Kind kind,
                                    const NetworkParams& network) {
    Bytes bytes(kFileHeaderBytes);
    if (map.size() < kFileHeaderBytes) {
        return fail_refused(Reason::kTruncated, "'" + map.path().string() + "'");
    }
    HOLDFAST_TRY(map.read(0, bytes));
    const Checked<FileHeader> header = decode_file_header(kind, bytes);
    const Verdict verdict = header ? check_file_header(*header, network) : header.error();
    if (!verdict.accepted()) {
        return fail_refused(verdict, "'" + map.path().string() + "'");
    }
    return *header;
}

Result<FileHeader> read_replica_header(const std::filesystem::path& replica,
                                       const NetworkParams& network) {
    HOLDFAST_ASSIGN(file, File::open(replica, File::Mode::kRead));
    HOLDFAST_ASSIGN(size, file.size());
    Bytes bytes(kFileHeaderBytes);
    if (size < bytes.size()) {
        return fail_refused(Reason::kTruncated, "'" + replica.string() + "'");
    }
    HOLDFAST_TRY(file.read_at(0, bytes));
    const Checked<FileHeader> header = decode_file_header(Kind::kReplicaFile, bytes);
    const Verdict verdict = header ? check_file_header(*header, network) : header.error();
    if (!verdict) return fail_refused(verdict, "'" + replica.string() + "'");
    const std::uint64_t expected = kFileHeaderBytes + header->replica.chunks.value * kChunkBytes;
    if (size != expected) {
        return fail(ErrorCode::kCorrupt, "'" + replica.string() + "' has " + std::to_string(size) +
                                             " bytes instead of " + std::to_string(expected));
    }
    return *header;
}

// Spec 12, check (7).
Status check_file_size(const MappedFile& map, std::uint64_t expected_bytes) {
    if (map.size() == expected_bytes) return {};
    return fail(ErrorCode::kCorrupt, "'" + map.path().string() + "' has " +
                                         std::to_string(map.size()) + " bytes instead of " +
                                         std::to_string(expected_bytes));
}

Result<TreeFile> TreeFile::open(const std::filesystem::path& path, const NetworkParams& network) {
    HOLDFAST_ASSIGN(map, MappedFile::open(path, MappedFile::Access::kRead));
    HOLDFAST_ASSIGN(header, read_file_header(map, Kind::kTreeFile, network));
    HOLDFAST_TRY(check_file_size(map, TreeLayout(header.replica.chunks).file_bytes()));
    return TreeFile(std::move(map), header);
}

TreeFile::TreeFile(MappedFile map, const FileHeader& header)
    : map_(std::move(map)), header_(header), layout_(header.replica.chunks) {}

Status TreeFile::read_nodes(TreeKind tree, unsigned level, std::uint64_t first,
                            std::span<Digest> out) const {
    HOLDFAST_CHECK(level < layout_.levels() && first <= layout_.nodes(level) &&
                   out.size() <= layout_.nodes(level) - first);
    return map_.read(layout_.offset(tree, level, first), as_bytes(out));
}

void TreeFile::prefetch_siblings(TreeKind tree, std::span<const std::uint64_t> chunks) const {
    constexpr std::uint64_t kPage = 4'096;  // smaller than a page costs calls, larger one reads
    for (unsigned level = 0; level + 1 < layout_.levels(); ++level) {
        std::optional<std::uint64_t> last;
        for (const std::uint64_t chunk : chunks) {
            const std::uint64_t sibling = (chunk >> level) ^ 1;
            if (sibling >= layout_.nodes(level)) continue;
            const std::uint64_t at = layout_.offset(tree, level, sibling);
            if (last != at / kPage) map_.prefetch(at, kDigestBytes);
            last = at / kPage;
        }
    }
}

}  // namespace holdfast
