#include "chunking/examine.hpp"

#include <algorithm>

#include "chunking/progress.hpp"
#include "core/hash.hpp"
#include "storage/parallel.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kReadChunks = 256;  // 1 MiB at a time
// The disk is kept busy while workers hash.
constexpr std::uint64_t kAheadBytes = 8 * kReadChunks * kChunkBytes;
constexpr std::uint64_t kMaxLogBytes = std::uint64_t{256} << 20;

Result<FoundFile> look_at(const std::filesystem::path& path, Kind kind,
                          const NetworkParams& network) {
    FoundFile found;
    found.path = path;
    Result<File> file = File::open(path, File::Mode::kRead);
    if (!file) {
        if (file.error().code != ErrorCode::kNotFound) return fail(std::move(file).error());
        found.problem = quoted(path) + " is not there";
        return found;
    }
    found.file = std::move(*file);
    HOLDFAST_ASSIGN(bytes, found.file->size());
    found.bytes = bytes;
    Bytes head(kFileHeaderBytes);
    if (const Status read = found.file->read_at(0, head); !read) {
        found.problem = "its header cannot be read: " + read.error().message;
        return found;
    }
    const Checked<FileHeader> header = decode_file_header(kind, head);
    const Verdict verdict = header ? check_file_header(*header, network) : header.error();
    if (verdict.reason == Reason::kWrongNetwork) return fail_refused(verdict, quoted(path));
    if (verdict.accepted()) {
        found.header = *header;
    } else {
        found.problem = quoted(path) + " has a damaged header: " + to_string(verdict);
    }
    return found;
}

Result<FileHeader> believed_header(const ReplicaFiles& files, const FoundFile& replica,
                                   const FoundFile& tree, const NetworkParams& network) {
    if (!replica.file && !tree.file && !files.expected) {
        return fail(ErrorCode::kNotFound, quoted(replica.path) + " and its tree are not there");
    }
    if (files.expected) {
        if (const Verdict v = check_file_header(*files.expected, network); !v.accepted()) {
            return fail_refused(v, "the registration of " + quoted(replica.path));
        }
        return *files.expected;
    }
    if (replica.header && tree.header && *replica.header != *tree.header) {
        return fail(ErrorCode::kCorrupt, quoted(replica.path) + " and " + quoted(tree.path) +
                                             " are not files of the same replica; which one is "
                                             "meant cannot be told without its registration");
    }
    if (replica.header) return *replica.header;
    if (tree.header) return *tree.header;
    return fail(ErrorCode::kCorrupt, "neither " + quoted(replica.path) + " nor " +
                                         quoted(tree.path) +
                                         " has a whole header; only the registration can tell "
                                         "what they were");
}

void compare(FoundFile& found, const FileHeader& header, std::uint64_t bytes) {
    if (!found.file || !found.problem.empty()) return;
    found.foreign = found.header != header;
    if (found.foreign) {
        found.problem = quoted(found.path) + " is a file of another replica";
    } else if (found.bytes != bytes) {
        found.problem = quoted(found.path) + " has " + std::to_string(found.bytes) +
                        " bytes instead of " + std::to_string(bytes);
    }
}

/// Fills `out` from the file; calls lost(at, bytes) for each part, of a chunk's size at most, that
/// it does not give.
template <class Lost>
void read_or_lose(const File& file, std::uint64_t offset, MutByteView out, Lost&& lost) {
    const Result<std::size_t> got = file.read_some_at(offset, out);
    if (got && *got == out.size()) return;
    for (std::size_t at = 0; at < out.size(); at += kChunkBytes) {
        const MutByteView part = out.subspan(at, std::min(kChunkBytes, out.size() - at));
        const bool there =
            got ? at + part.size() <= *got : file.read_at(offset + at, part).has_value();
        if (!there) lost(at, part);
    }
}

/// Stands for the root of a chunk that cannot be read. Not zeros, which stand for a node that
/// cannot be read: the two must not agree.
Digest no_root() {
    Digest none;
    none.bytes.fill(0xff);
    return none;
}

Digest subject_of(const FileHeader& header) {
    return sha256(encode_file_header(Kind::kReplicaFile, header));
}

bool within(std::span<const IndexRange> ranges, std::uint64_t end) {
    std::uint64_t at = 0;
    for (const IndexRange& range : ranges) {
        if (range.first < at || range.first > end || range.count > end - range.first) return false;
        at = range.first + range.count;
    }
    return true;
}

bool fits(const ScrubProgress& progress, std::uint64_t chunks) {
    return progress.next_chunk <= chunks && within(progress.bad, progress.next_chunk) &&
           within(progress.unreadable, progress.next_chunk);
}

/// Reads the chunks part by part; each part is in the log before the next begins.
class PartReader {
  public:
    PartReader(Examination& e, const ScrubOptions& options)
        : e_(e),
          options_(options),
          part_chunks_(std::clamp<std::uint64_t>(options.log_bytes, kReadChunks * kChunkBytes,
                                                 kMaxLogBytes) /
                       kChunkBytes) {}

    /// `expected`: proven chunk roots, or nothing while the tree is in doubt.
    Status run(std::span<const Digest> expected) {
        const std::uint64_t chunks = e_.chunks().value;
        ProgressCounter progress(options_.progress, chunks * kChunkBytes);
        progress.add(e_.log.progress().next_chunk * kChunkBytes);
        while (e_.log.progress().next_chunk < chunks) {
            const std::uint64_t first = e_.log.progress().next_chunk;
            const std::uint64_t count = std::min(part_chunks_, chunks - first);
            HOLDFAST_TRY(read_part(first, count, progress, expected));
        }
        return {};
    }

  private:
    Status read_part(std::uint64_t first, std::uint64_t count, ProgressCounter& progress,
                     std::span<const Digest> expected) {
        roots_.assign(count, {});
        lost_.assign(count, 0);
        const std::uint64_t batches = (count + kReadChunks - 1) / kReadChunks;
        std::vector<std::uint8_t> done(batches, 0);
        const unsigned workers = worker_count(options_.workers, batches);
        std::vector<Bytes> buffers(workers);
        const Status read = run_workers(
            workers, batches, options_.stop, [&](unsigned worker, std::uint64_t batch) -> Status {
                const std::uint64_t at = batch * kReadChunks;
                read_batch(first + at, at, std::min(kReadChunks, count - at), buffers[worker]);
                done[batch] = 1;
                progress.add(std::min(kReadChunks, count - at) * kChunkBytes);
                return {};
            });
        if (!read && read.error().code != ErrorCode::kInterrupted) return read;
        // What was read before a stop counts as far as nothing before it is missing.
        const auto whole = static_cast<std::uint64_t>(
            std::find(done.begin(), done.end(), std::uint8_t{0}) - done.begin());
        const std::uint64_t read_chunks = std::min(whole * kReadChunks, count);
        if (read_chunks > 0) HOLDFAST_TRY(keep(first, read_chunks, expected));
        return read;
    }

    void read_batch(std::uint64_t first, std::uint64_t at, std::uint64_t count, Bytes& buffer) {
        buffer.resize(count * kChunkBytes);
        if (options_.pace) options_.pace(buffer.size());
        const auto lose = [&](std::size_t offset, MutByteView) {
            lost_[at + offset / kChunkBytes] = 1;
        };
        if (e_.replica.file) {
            const File& file = *e_.replica.file;
            const std::uint64_t offset = kFileHeaderBytes + first * kChunkBytes;
            // From the device, not from memory: that is what is being examined.
            const std::uint64_t ahead = offset + kAheadBytes;
            file.forget_cached(ahead, buffer.size());
            file.start_read(ahead, buffer.size());
            read_or_lose(file, offset, buffer, lose);
            file.forget_cached(offset, buffer.size());
        } else {
            std::fill_n(lost_.begin() + static_cast<std::ptrdiff_t>(at), count, std::uint8_t{1});
        }
        chunk_roots(buffer.data(), std::span(roots_).subspan(at, count));
        for (std::uint64_t i = at; i < at + count; ++i) {
            if (lost_[i] != 0) roots_[i] = no_root();
        }
    }

    Status keep(std::uint64_t first, std::uint64_t count, std::span<const Digest> expected) {
        ScrubProgress part;
        part.next_chunk = first + count;
        for (std::uint64_t i = 0; i < count; ++i) {
            if (lost_[i] != 0) {
                add_index(part.unreadable, first + i);
            } else if (!expected.empty() && roots_[i] != expected[first + i]) {
                add_index(part.bad, first + i);
            }
        }
        if (expected.empty()) {
            part.roots.assign(roots_.begin(), roots_.begin() + static_cast<std::ptrdiff_t>(count));
        }
        return e_.log.add(part);
    }

    Examination& e_;
    const ScrubOptions& options_;
    std::uint64_t part_chunks_;
    std::vector<Digest> roots_;       // of the part
    std::vector<std::uint8_t> lost_;  // no bits: several threads write
};

/// Sets e.sealed from what was read of the chunks.
Status examine_chunks(Examination& e, const ScrubOptions& options, Finished finished) {
    const TreeLevels stored = read_levels(e.tree.opened(), e.chunks(), TreeKind::kSealed);
    e.sealed = audit_tree(TreeKind::kSealed, e.header.sealed_root, stored);
    const bool with_roots = !e.sealed.all_known;
    const ScrubProgress& known = e.log.progress();
    // Roots of chunks serve a tree that is whole as well; the reverse would leave it in doubt.
    const bool usable = fits(known, e.chunks().value) && (known.with_roots || !with_roots);
    const bool stale = finished == Finished::kForget && known.next_chunk == e.chunks().value;
    if (known.next_chunk == 0 || !usable || stale) HOLDFAST_TRY(e.log.restart(with_roots));
    e.resumed_at_chunk = e.log.progress().next_chunk;
    PartReader reader(e, options);
    HOLDFAST_TRY(reader.run(known.with_roots ? std::span<const Digest>()
                                             : std::span<const Digest>(e.sealed.truth)));
    if (known.with_roots) {
        e.sealed = audit_tree(TreeKind::kSealed, e.header.sealed_root, stored, known.roots);
    } else {
        e.sealed.bad_chunks = known.bad;
    }
    e.unreadable.assign(e.chunks().value, false);
    for (const IndexRange& range : known.unreadable) {
        std::fill_n(e.unreadable.begin() + static_cast<std::ptrdiff_t>(range.first), range.count,
                    true);
    }
    return {};
}

/// Those of `ranges` that the disk did give.
std::vector<IndexRange> readable(std::span<const IndexRange> ranges,
                                 const std::vector<bool>& unreadable) {
    std::vector<IndexRange> out;
    for (const IndexRange& range : ranges) {
        for (std::uint64_t i = range.first; i < range.first + range.count; ++i) {
            if (!unreadable[i]) add_index(out, i);
        }
    }
    return out;
}

}  // namespace

TreeLevels read_levels(const File* tree, ChunkCount chunks, TreeKind kind) {
    const TreeLayout layout(chunks);
    TreeLevels levels(layout.levels());
    for (unsigned level = 0; level < layout.levels(); ++level) {
        levels[level].resize(layout.nodes(level));
        if (tree == nullptr) continue;
        const MutByteView bytes(reinterpret_cast<std::uint8_t*>(levels[level].data()),
                                levels[level].size() * kDigestBytes);
        const std::uint64_t offset = layout.offset(kind, level, 0);
        tree->forget_cached(offset, bytes.size());
        read_or_lose(*tree, offset, bytes, [](std::size_t, MutByteView part) {
            std::fill(part.begin(), part.end(), std::uint8_t{0});
        });
    }
    return levels;
}

ScrubReport Examination::report() const {
    ScrubReport out;
    out.header = header;
    for (const FoundFile* file : {&replica, &tree}) {
        if (!file->problem.empty()) out.files.push_back(file->problem);
    }
    out.bad_chunks = readable(sealed.bad_chunks, unreadable);
    out.unproven_chunks = readable(sealed.unproven, unreadable);
    for (std::uint64_t i = 0; i < unreadable.size(); ++i) {
        if (unreadable[i]) add_index(out.unreadable_chunks, i);
    }
    out.bad_nodes = raw.bad_nodes;
    out.bad_nodes.insert(out.bad_nodes.end(), sealed.bad_nodes.begin(), sealed.bad_nodes.end());
    out.resumed_at_chunk = resumed_at_chunk;
    return out;
}

Result<Examination> examine(const ReplicaFiles& files, const NetworkParams& network,
                            const ScrubOptions& options, Finished finished) {
    HOLDFAST_ASSIGN(replica, look_at(files.replica, Kind::kReplicaFile, network));
    HOLDFAST_ASSIGN(tree, look_at(files.tree, Kind::kTreeFile, network));
    HOLDFAST_ASSIGN(header, believed_header(files, replica, tree, network));
    compare(replica, header, kFileHeaderBytes + header.replica.chunks.value * kChunkBytes);
    compare(tree, header, TreeLayout(header.replica.chunks).file_bytes());
    HOLDFAST_ASSIGN(log, ScrubLog::open(files.log, subject_of(header), options.afresh));
    Examination e{header, std::move(replica), std::move(tree), std::move(log), {}, {}, {}, 0};
    e.raw = audit_tree(TreeKind::kRaw, header.replica.raw_root,
                       read_levels(e.tree.opened(), e.chunks(), TreeKind::kRaw));
    HOLDFAST_TRY(examine_chunks(e, options, finished));
    return e;
}

}  // namespace holdfast
