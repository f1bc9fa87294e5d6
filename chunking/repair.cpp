#include "chunking/repair.hpp"

#include <algorithm>
#include <mutex>

#include "chunking/examine.hpp"
#include "chunking/progress.hpp"
#include "chunking/running_root.hpp"
#include "core/keystream.hpp"
#include "storage/parallel.hpp"

namespace holdfast {
namespace {

std::vector<bool> marked(std::uint64_t chunks,
                         std::initializer_list<std::span<const IndexRange>> lists) {
    std::vector<bool> marks(chunks, false);
    for (const std::span<const IndexRange> list : lists) {
        for (const IndexRange& range : list) {
            std::fill_n(marks.begin() + static_cast<std::ptrdiff_t>(range.first), range.count,
                        true);
        }
    }
    return marks;
}

/// Pieces of at most a batch out of the marked items in [first, end).
std::vector<IndexRange> batches_of(const std::vector<bool>& marks, std::uint64_t first,
                                   std::uint64_t end) {
    std::vector<IndexRange> out;
    for (std::uint64_t i = first; i < end; ++i) {
        if (!marks[i]) continue;
        if (!out.empty() && out.back().first + out.back().count == i &&
            out.back().count < kBatchChunks) {
            ++out.back().count;
        } else {
            out.push_back({i, 1});
        }
    }
    return out;
}

/// What one worker keeps from window to window.
struct RepairSpace {
    std::unique_ptr<FillMemory> memory;
    Bytes buffer;
    std::vector<Digest> roots;

    void prepare(std::uint64_t chunks) {
        buffer.resize(chunks * kChunkBytes);
        roots.resize(chunks);
    }
};

/// What the work on one window gave.
struct Repaired {
    std::vector<IndexRange> replaced;
    std::vector<IndexRange> unrepaired;
    std::vector<std::pair<std::uint64_t, Digest>> sealed_roots;  // of chunks without known truth
    std::vector<std::pair<std::uint64_t, Digest>> raw_roots;
    bool filled = false;
};

class Mender {
  public:
    Mender(Examination& e, const RawSource* source, const RepairOptions& options)
        : e_(e),
          source_(source),
          options_(options),
          layout_(e.chunks()),
          windows_(e.chunks(), e.header.replica.seal) {
        report_.found = e.report();
        damaged_ =
            marked(e.chunks().value, {report_.found.bad_chunks, report_.found.unreadable_chunks,
                                      report_.found.unproven_chunks});
        raw_unknown_ = e.raw.known;
        raw_unknown_.flip();
    }

    Result<RepairReport> run() {
        if (report_.found.clean()) {
            HOLDFAST_TRY(e_.log.remove());
            return report_;
        }
        HOLDFAST_TRY(check());
        HOLDFAST_TRY(restore_file(e_.replica, replica_, Kind::kReplicaFile,
                                  kFileHeaderBytes + e_.chunks().value * kChunkBytes));
        HOLDFAST_TRY(restore_file(e_.tree, tree_, Kind::kTreeFile, layout_.file_bytes()));
        if (source_ != nullptr) HOLDFAST_TRY(hash_source());
        HOLDFAST_TRY(mend_windows());
        HOLDFAST_TRY(write_tree(TreeKind::kRaw, e_.raw, e_.header.replica.raw_root));
        HOLDFAST_TRY(write_tree(TreeKind::kSealed, e_.sealed, e_.header.sealed_root));
        if (report_.whole()) HOLDFAST_TRY(e_.log.remove());
        return report_;
    }

  private:
    Status check() const {
        for (const FoundFile* file : {&e_.replica, &e_.tree}) {
            if (!file->foreign) continue;
            return fail_refused(
                Reason::kRootMismatch,
                file->problem + ", which is not overwritten: " + quoted(file->path));
        }
        const std::uint64_t damaged = report_.found.damaged_chunks();
        if (source_ == nullptr && damaged > 0) {
            return fail(ErrorCode::kUnavailable,
                        std::to_string(damaged) + " chunk(s) of " + quoted(e_.replica.path) +
                            " are damaged; their raw data are needed, from the original file or "
                            "from other shards");
        }
        const std::uint64_t data_len = e_.header.replica.data_len;
        if (source_ != nullptr && source_->length() != data_len) {
            return fail(ErrorCode::kInvalidArgument,
                        "the raw data given have " + std::to_string(source_->length()) +
                            " bytes; the replica was made of " + std::to_string(data_len));
        }
        return {};
    }

    /// Size and header, as they must be; only where they are not.
    Status restore_file(const FoundFile& found, std::optional<File>& file, Kind kind,
                        std::uint64_t bytes) {
        const auto mode = found.file ? File::Mode::kReadWrite : File::Mode::kCreateNew;
        HOLDFAST_ASSIGN(opened, File::open(found.path, mode));
        file = std::move(opened);
        if (found.file && found.header && found.bytes == bytes) return {};
        if (found.bytes < bytes) HOLDFAST_TRY(file->reserve(bytes));
        if (found.bytes > bytes) HOLDFAST_TRY(file->truncate(bytes));
        if (!found.header) HOLDFAST_TRY(file->write_at(0, encode_file_header(kind, e_.header)));
        HOLDFAST_TRY(file->sync());
        const std::filesystem::path folder = found.path.parent_path();
        return found.file ? Status{} : sync_folder(folder.empty() ? "." : folder);
    }

    /// Raw chunk roots that the tree has lost, out of the source; they must lead to raw_root.
    Status hash_source() {
        const std::vector<IndexRange> lost = batches_of(raw_unknown_, 0, e_.chunks().value);
        if (lost.empty()) return {};
        const unsigned workers = worker_count(options_.workers, lost.size());
        std::vector<RepairSpace> spaces(workers);
        const auto hash_batch = [&](unsigned worker, std::uint64_t item) -> Status {
            RepairSpace& space = spaces[worker];
            const IndexRange& range = lost[item];
            space.prepare(range.count);
            HOLDFAST_TRY(source_->read_chunks(ChunkIndex(range.first), space.buffer));
            chunk_roots(space.buffer.data(),
                        std::span(e_.raw.truth).subspan(range.first, range.count));
            return {};
        };
        HOLDFAST_TRY(run_workers(workers, lost.size(), options_.stop, hash_batch));
        if (build_levels(e_.raw.truth).back()[0] != e_.header.replica.raw_root) {
            return fail(ErrorCode::kCorrupt, "the raw data given are not those that " +
                                                 quoted(e_.replica.path) + " was sealed from");
        }
        std::fill(raw_unknown_.begin(), raw_unknown_.end(), false);
        std::fill(e_.raw.known.begin(), e_.raw.known.end(), true);
        return {};
    }

    Status mend_windows() {
        std::vector<std::uint64_t> touched;
        std::uint64_t total_bytes = 0;
        for (std::uint64_t w = 0; w < windows_.count(); ++w) {
            const Window window = windows_.window(w);
            if (!any(damaged_, window) && !any(raw_unknown_, window)) continue;
            touched.push_back(w);
            total_bytes += window.bytes();
        }
        ProgressCounter::Callback callback;
        if (options_.progress) {
            callback = [&](std::uint64_t done, std::uint64_t total) {
                options_.progress(RepairStage::kSealing, done, total);
            };
        }
        ProgressCounter progress(callback, total_bytes);
        const unsigned workers = worker_count(options_.workers, touched.size());
        std::vector<RepairSpace> spaces(workers);
        return run_workers(workers, touched.size(), options_.stop,
                           [&](unsigned worker, std::uint64_t item) -> Status {
                               const Window window = windows_.window(touched[item]);
                               WindowProgress reached(progress, window.bytes());
                               HOLDFAST_TRY(mend_window(window, spaces[worker], reached));
                               reached.finished();
                               return {};
                           });
    }

    static bool any(const std::vector<bool>& marks, const Window& window) {
        const auto first = marks.begin() + static_cast<std::ptrdiff_t>(window.first.value);
        const auto last = first + static_cast<std::ptrdiff_t>(window.chunks.value);
        return std::find(first, last, true) != last;
    }

    Status mend_window(const Window& window, RepairSpace& space, WindowProgress& reached) {
        Repaired out;
        const bool repaired_before = was_repaired(window.index);
        HOLDFAST_ASSIGN(wanted, still_damaged(window, repaired_before, space, out));
        const bool raw_wanted = any(raw_unknown_, window) && !repaired_before;
        if (any(raw_unknown_, window) && repaired_before)
            HOLDFAST_TRY(recall_raw_roots(window, out));
        if (!wanted.empty() || raw_wanted) {
            HOLDFAST_TRY(fill_window(window, space, reached));
            out.filled = true;
            const MutByteView keystream(space.memory->data(), window.bytes());
            for (const IndexRange& range : wanted) {
                HOLDFAST_TRY(reseal(window, range, keystream, space, out));
            }
            if (raw_wanted) HOLDFAST_TRY(find_raw_roots(window, keystream, space, out));
            HOLDFAST_TRY(replica_->sync());
            HOLDFAST_TRY(tree_->sync());
            HOLDFAST_TRY(read_back(out, space));
        }
        return merge(window.index, repaired_before, out);
    }

    bool was_repaired(std::uint64_t window) {
        const std::scoped_lock lock(mutex_);
        return e_.log.progress().repaired.contains(window);
    }

    /// Chunks of the window that are not yet as they must be: a repair that was cut short may have
    /// repaired some.
    Result<std::vector<IndexRange>> still_damaged(const Window& window, bool repaired_before,
                                                  RepairSpace& space, Repaired& out) {
        std::vector<bool> marks(window.first.value + window.chunks.value, false);
        for (std::uint64_t i = window.first.value; i < marks.size(); ++i) {
            if (!damaged_[i]) continue;
            space.prepare(1);
            marks[i] = true;
            if (!replica_->read_at(chunk_offset(i), space.buffer)) continue;
            chunk_roots(space.buffer.data(), space.roots);
            if (e_.sealed.known[i]) {
                marks[i] = space.roots[0] != e_.sealed.truth[i];
            } else if (repaired_before) {
                marks[i] = false;
                out.sealed_roots.emplace_back(i, space.roots[0]);
            }
        }
        return batches_of(marks, window.first.value, marks.size());
    }

    static std::uint64_t chunk_offset(std::uint64_t chunk) {
        return kFileHeaderBytes + chunk * kChunkBytes;
    }

    Status fill_window(const Window& window, RepairSpace& space, WindowProgress& reached) {
        if (!space.memory) {
            HOLDFAST_ASSIGN(memory, FillMemory::allocate(windows_.largest_bytes()));
            space.memory = std::make_unique<FillMemory>(std::move(memory));
        }
        FillOptions fill_options;
        fill_options.kernel = options_.kernel;
        fill_options.stop = options_.stop;
        fill_options.progress = [&](std::uint64_t done, std::uint64_t total) {
            reached.fill_reached(done, total);
        };
        return fill_keystream(e_.header.replica_id, window,
                              MutByteView(space.memory->data(), window.bytes()), fill_options);
    }

    /// Raw data, proven, XORed, proven again where the tree knows the chunk, and only then written.
    Status reseal(const Window& window, const IndexRange& range, MutByteView keystream,
                  RepairSpace& space, Repaired& out) {
        space.prepare(range.count);
        HOLDFAST_TRY(source_->read_chunks(ChunkIndex(range.first), space.buffer));
        chunk_roots(space.buffer.data(), space.roots);
        std::vector<bool> original(range.count);
        for (std::uint64_t i = 0; i < range.count; ++i) {
            original[i] = space.roots[i] == e_.raw.truth[range.first + i];
            if (!original[i]) add_index(out.unrepaired, range.first + i);
        }
        const auto offset = (range.first - window.first.value) * kChunkBytes;
        xor_bytes(space.buffer, keystream.subspan(offset, space.buffer.size()));
        chunk_roots(space.buffer.data(), space.roots);
        for (std::uint64_t i = 0; i < range.count; ++i) {
            const std::uint64_t chunk = range.first + i;
            if (!original[i]) continue;
            if (!e_.sealed.known[chunk]) {
                out.sealed_roots.emplace_back(chunk, space.roots[i]);
            } else if (space.roots[i] != e_.sealed.truth[chunk]) {
                return fail(ErrorCode::kCorrupt,
                            "chunk " + std::to_string(chunk) + " of " + quoted(e_.replica.path) +
                                " was registered with bytes that sealing its raw data does not "
                                "give; the replica cannot be repaired and fails audits");
            }
            HOLDFAST_TRY(replica_->write_at(
                chunk_offset(chunk), ByteView(space.buffer).subspan(i * kChunkBytes, kChunkBytes)));
            add_index(out.replaced, chunk);
        }
        return {};
    }

    /// Raw chunk roots of a window without a source: its own sealed chunks give them.
    Status find_raw_roots(const Window& window, MutByteView keystream, RepairSpace& space,
                          Repaired& out) {
        for (std::uint64_t at = 0; at < window.chunks.value; at += kBatchChunks) {
            const std::uint64_t first = window.first.value + at;
            space.prepare(std::min(kBatchChunks, window.chunks.value - at));
            HOLDFAST_TRY(replica_->read_at(chunk_offset(first), space.buffer));
            chunk_roots(space.buffer.data(), space.roots);
            for (std::uint64_t i = 0; i < space.roots.size(); ++i) {
                if (space.roots[i] == e_.sealed.truth[first + i]) continue;
                return fail(ErrorCode::kCorrupt,
                            "chunk " + std::to_string(first + i) + " of " +
                                quoted(e_.replica.path) +
                                " was damaged after the scrub; repair without its findings");
            }
            xor_bytes(space.buffer, keystream.subspan(at * kChunkBytes, space.buffer.size()));
            chunk_roots(space.buffer.data(), space.roots);
            HOLDFAST_TRY(tree_->write_at(layout_.offset(TreeKind::kRaw, 0, first),
                                         {reinterpret_cast<const std::uint8_t*>(space.roots.data()),
                                          space.roots.size() * kDigestBytes}));
            for (std::uint64_t i = 0; i < space.roots.size(); ++i) {
                out.raw_roots.emplace_back(first + i, space.roots[i]);
            }
        }
        return {};
    }

    /// What find_raw_roots left in the tree file before the process ended.
    Status recall_raw_roots(const Window& window, Repaired& out) const {
        for (std::uint64_t i = 0; i < window.chunks.value; ++i) {
            Digest root;
            const std::uint64_t chunk = window.first.value + i;
            HOLDFAST_TRY(
                tree_->read_at(layout_.offset(TreeKind::kRaw, 0, chunk), MutByteView(root.bytes)));
            out.raw_roots.emplace_back(chunk, root);
        }
        return {};
    }

    /// The disk must give what was written.
    Status read_back(const Repaired& out, RepairSpace& space) {
        std::vector<std::pair<std::uint64_t, Digest>> fresh = out.sealed_roots;
        for (const IndexRange& range : out.replaced) {
            for (std::uint64_t i = range.first; i < range.first + range.count; ++i) {
                if (e_.sealed.known[i]) fresh.emplace_back(i, e_.sealed.truth[i]);
            }
        }
        space.prepare(1);
        for (const auto& [chunk, root] : fresh) {
            replica_->forget_cached(chunk_offset(chunk), kChunkBytes);
            HOLDFAST_TRY(replica_->read_at(chunk_offset(chunk), space.buffer));
            chunk_roots(space.buffer.data(), space.roots);
            if (space.roots[0] == root) continue;
            return fail(ErrorCode::kIo, quoted(e_.replica.path) + " does not keep chunk " +
                                            std::to_string(chunk) +
                                            " as it is written: the disk fails there");
        }
        return {};
    }

    Status merge(std::uint64_t window, bool repaired_before, const Repaired& out) {
        const std::scoped_lock lock(mutex_);
        for (const auto& [chunk, root] : out.sealed_roots) fresh_sealed_.emplace_back(chunk, root);
        for (const auto& [chunk, root] : out.raw_roots) fresh_raw_.emplace_back(chunk, root);
        report_.replaced_chunks.insert(report_.replaced_chunks.end(), out.replaced.begin(),
                                       out.replaced.end());
        report_.unrepaired_chunks.insert(report_.unrepaired_chunks.end(), out.unrepaired.begin(),
                                         out.unrepaired.end());
        if (out.filled) ++report_.windows_filled;
        if (repaired_before || !out.unrepaired.empty()) return {};
        return e_.log.add_repaired(window);
    }

    /// Writes the nodes that differ, once all of them together lead to the root.
    Status write_tree(TreeKind kind, TreeAudit& audit, const Root& root) {
        for (const auto& [chunk, found] : kind == TreeKind::kRaw ? fresh_raw_ : fresh_sealed_) {
            audit.truth[chunk] = found;
            audit.known[chunk] = true;
        }
        const auto by_index = [](const IndexRange& a, const IndexRange& b) {
            return a.first < b.first;
        };
        std::sort(report_.replaced_chunks.begin(), report_.replaced_chunks.end(), by_index);
        std::sort(report_.unrepaired_chunks.begin(), report_.unrepaired_chunks.end(), by_index);
        if (std::find(audit.known.begin(), audit.known.end(), false) != audit.known.end()) {
            HOLDFAST_CHECK(!report_.whole());  // left for a better source
            return {};
        }
        const TreeLevels right = build_levels(audit.truth);
        if (right.back()[0] != root) {
            return fail(ErrorCode::kCorrupt, "what is left of " + quoted(e_.replica.path) +
                                                 " and " + quoted(e_.tree.path) +
                                                 " does not lead to the registered root; repair "
                                                 "without its findings, or seal again");
        }
        const TreeLevels stored = read_levels(&*tree_, e_.chunks(), kind);
        for (unsigned level = 0; level < right.size(); ++level) {
            for (std::uint64_t i = 0; i < right[level].size(); ++i) {
                if (stored[level][i] == right[level][i]) continue;
                HOLDFAST_TRY(
                    tree_->write_at(layout_.offset(kind, level, i), view(right[level][i])));
                ++report_.nodes_written;
            }
        }
        HOLDFAST_TRY(tree_->sync());
        if (read_levels(&*tree_, e_.chunks(), kind) == right) return {};
        return fail(ErrorCode::kIo,
                    quoted(e_.tree.path) + " does not keep what is written: the disk fails there");
    }

    Examination& e_;
    const RawSource* source_;
    const RepairOptions& options_;
    TreeLayout layout_;
    WindowPlan windows_;
    std::vector<bool> damaged_;
    std::vector<bool> raw_unknown_;
    std::optional<File> replica_;
    std::optional<File> tree_;
    std::mutex mutex_;  // the members below, and the log
    RepairReport report_;
    std::vector<std::pair<std::uint64_t, Digest>> fresh_sealed_;
    std::vector<std::pair<std::uint64_t, Digest>> fresh_raw_;
};

}  // namespace

Result<RepairReport> repair(const ReplicaFiles& files, const NetworkParams& network,
                            const RawSource* source, const RepairOptions& options) {
    ScrubOptions reading;
    reading.workers = options.workers;
    reading.stop = options.stop;
    reading.afresh = options.afresh;
    if (options.progress) {
        reading.progress = [&](std::uint64_t done, std::uint64_t total) {
            options.progress(RepairStage::kReading, done, total);
        };
    }
    HOLDFAST_ASSIGN(examination, examine(files, network, reading, Finished::kUse));
    return Mender(examination, source, options).run();
}

}  // namespace holdfast
