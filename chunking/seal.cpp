#include "chunking/seal.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "chunking/progress.hpp"
#include "chunking/running_root.hpp"
#include "chunking/seal_state.hpp"
#include "chunking/source.hpp"
#include "chunking/tree_file.hpp"
#include "core/keys.hpp"
#include "core/keystream.hpp"
#include "storage/file.hpp"
#include "storage/keyed_tag.hpp"
#include "storage/parallel.hpp"

namespace holdfast {
namespace {

// Spec 3, registration (2), (4) to (6): nothing is sealed that none would accept.
Status check_request(const SealRequest& request, const SourceSegment& source) {
    if (const Verdict v = request.network.check_seal(request.seal); !v.accepted()) {
        return fail_refused(v, "seal parameters");
    }
    if (const Verdict v = check_registrable_key(request.prover); !v.accepted()) {
        return fail_refused(v, "the prover's key");
    }
    if (source.chunks().value < request.network.min_chunks) {
        return fail_refused(Reason::kTooSmall, "'" + request.source.string() + "'");
    }
    if (request.replica_path == request.tree_path) {
        return fail(ErrorCode::kInvalidArgument, "replica and tree need different names");
    }
    return {};
}

/// What one worker keeps from window to window.
struct Workspace {
    std::unique_ptr<FillMemory> memory;
    Bytes buffer;
    std::vector<Digest> roots;
};

/// Chunks that are read, tagged, hashed and written together; none crosses a window's border.
struct Batch {
    ChunkIndex first;
    std::uint64_t chunks = 0;
    KeyedTag source_tag{};  // of the bytes that the first pass read
};

class Sealer {
  public:
    Sealer(const SealParams& seal, const SealOptions& options, SourceSegment& source,
           SealState& state, const KeyedTagger& tagger)
        : options_(options),
          source_(source),
          state_(state),
          tagger_(tagger),
          raw_tree_(state.tree(), source.chunks(), TreeKind::kRaw),
          sealed_tree_(state.tree(), source.chunks(), TreeKind::kSealed),
          windows_(source.chunks(), seal) {
        for (std::uint64_t w = 0; w < windows_.count(); ++w) {
            const Window window = windows_.window(w);
            window_batches_.push_back(batches_.size());
            for (std::uint64_t at = 0; at < window.chunks.value; at += kBatchChunks) {
                batches_.push_back(
                    {window.first + at, std::min(kBatchChunks, window.chunks.value - at), {}});
            }
        }
        window_batches_.push_back(batches_.size());
    }

    /// First pass: raw_root, without which there is no replica_id, and a tag of every batch.
    Result<Root> hash_source() {
        ProgressCounter progress(report_as(SealStage::kHashing), total_bytes());
        const unsigned workers = worker_count(options_.workers, batches_.size());
        std::vector<Workspace> spaces(workers);
        const auto hash_batch = [&](unsigned worker, std::uint64_t item) -> Status {
            Workspace& space = spaces[worker];
            Batch& batch = batches_[item];
            prepare(space, batch);
            HOLDFAST_TRY(source_.read_chunks(batch.first, space.buffer));
            HOLDFAST_ASSIGN(tag, tagger_.tag(kSourceTags, batch.first.value, space.buffer));
            batch.source_tag = tag;
            chunk_roots(space.buffer.data(), space.roots);
            progress.add(space.buffer.size());
            return raw_tree_.put_chunk_roots(batch.first, space.roots);
        };
        HOLDFAST_TRY(run_workers(workers, batches_.size(), options_.stop, hash_batch));
        return raw_tree_.finish();
    }

    /// Takes over recorded windows whose bytes still have the recorded root; the others are sealed
    /// again.
    Status take_over(const std::map<std::uint64_t, Digest>& recorded) {
        std::vector<std::pair<std::uint64_t, Digest>> claims;
        std::uint64_t claimed_bytes = 0;
        for (const auto& [w, root] : recorded) {
            if (w >= windows_.count()) continue;
            claims.emplace_back(w, root);
            claimed_bytes += windows_.window(w).bytes();
        }
        std::vector<char> holds(claims.size(), 0);
        if (!claims.empty()) {
            ProgressCounter progress(report_as(SealStage::kResuming), claimed_bytes);
            const unsigned workers = worker_count(options_.workers, claims.size());
            std::vector<Workspace> spaces(workers);
            const auto check = [&](unsigned worker, std::uint64_t item) -> Status {
                const auto& [w, root] = claims[item];
                HOLDFAST_ASSIGN(found, root_on_disk(w, spaces[worker]));
                progress.add(windows_.window(w).bytes());
                holds[item] = found == root ? 1 : 0;
                return {};
            };
            HOLDFAST_TRY(run_workers(workers, claims.size(), options_.stop, check));
        }
        std::size_t next = 0;
        for (std::uint64_t w = 0; w < windows_.count(); ++w) {
            const bool claimed = next < claims.size() && claims[next].first == w;
            if (claimed && holds[next++] != 0) {
                taken_over_bytes_ += windows_.window(w).bytes();
            } else {
                to_seal_.push_back(w);
            }
        }
        return {};
    }

    /// Second pass: every window that is left, and the sealed tree over all.
    Result<Root> seal_windows(const ReplicaId& id) {
        ProgressCounter progress(report_as(SealStage::kSealing), total_bytes());
        progress.add(taken_over_bytes_);
        const unsigned workers = worker_count(options_.workers, to_seal_.size());
        std::vector<Workspace> spaces(workers);
        SealRecorder recorder(state_, tagger_);
        const auto seal_one = [&](unsigned worker, std::uint64_t item) -> Status {
            HOLDFAST_ASSIGN(
                done, seal_window(id, windows_.window(to_seal_[item]), spaces[worker], progress));
            return recorder.submit(std::move(done));
        };
        const Status sealed = run_workers(workers, to_seal_.size(), options_.stop, seal_one);
        // What was finished is recorded even where the rest was not to be.
        const Status recorded = recorder.finish();
        HOLDFAST_TRY(sealed);
        HOLDFAST_TRY(recorded);
        HOLDFAST_TRY(source_.check_size());
        return sealed_tree_.finish();
    }

    [[nodiscard]] std::uint64_t window_count() const { return windows_.count(); }
    [[nodiscard]] std::uint64_t taken_over() const { return windows_.count() - to_seal_.size(); }

  private:
    [[nodiscard]] std::uint64_t total_bytes() const { return source_.chunks().value * kChunkBytes; }
    ProgressCounter::Callback report_as(SealStage stage) const {
        if (!options_.progress) return {};
        return [this, stage](std::uint64_t done, std::uint64_t total) {
            options_.progress({stage, done, total});
        };
    }
    [[nodiscard]] std::span<const Batch> batches_of(std::uint64_t w) const {
        return std::span(batches_).subspan(window_batches_[w],
                                           window_batches_[w + 1] - window_batches_[w]);
    }
    static std::uint64_t file_offset(const Batch& batch) {
        return kFileHeaderBytes + batch.first.value * kChunkBytes;
    }
    static void prepare(Workspace& space, const Batch& batch) {
        space.buffer.resize(batch.chunks * kChunkBytes);
        space.roots.resize(batch.chunks);
    }

    /// MTH of the chunk roots of a window as it lies on the disk; they go into the tree.
    Result<Digest> root_on_disk(std::uint64_t w, Workspace& space) {
        std::vector<Digest> all;
        for (const Batch& batch : batches_of(w)) {
            prepare(space, batch);
            HOLDFAST_TRY(state_.replica().read_at(file_offset(batch), space.buffer));
            chunk_roots(space.buffer.data(), space.roots);
            HOLDFAST_TRY(sealed_tree_.put_chunk_roots(batch.first, space.roots));
            all.insert(all.end(), space.roots.begin(), space.roots.end());
        }
        return merkle_root(all);
    }

    Result<FinishedWindow> seal_window(const ReplicaId& id, const Window& window, Workspace& space,
                                       ProgressCounter& progress) {
        if (!space.memory) {
            HOLDFAST_ASSIGN(memory, FillMemory::allocate(windows_.largest_bytes()));
            space.memory = std::make_unique<FillMemory>(std::move(memory));
        }
        const MutByteView bytes(space.memory->data(), window.bytes());
        WindowProgress reached(progress, window.bytes());
        FillOptions fill_options;
        fill_options.kernel = options_.kernel;
        fill_options.stop = options_.stop;
        fill_options.progress = [&](std::uint64_t done, std::uint64_t total) {
            reached.fill_reached(done, total);
        };
        HOLDFAST_TRY(fill_keystream(id, window, bytes, fill_options));
        FinishedWindow finished{window.index, window.first, window.bytes(), {}, {}};
        std::vector<Digest> all;
        all.reserve(window.chunks.value);
        for (const Batch& batch : batches_of(window.index)) {
            const MutByteView part = bytes.subspan(
                (batch.first.value - window.first.value) * kChunkBytes, batch.chunks * kChunkBytes);
            HOLDFAST_TRY(seal_batch(batch, part, space));
            HOLDFAST_ASSIGN(tag, tagger_.tag(kReplicaTags, batch.first.value, part));
            finished.tags.push_back(tag);
            all.insert(all.end(), space.roots.begin(), space.roots.end());
            // The disk begins with each part while the next is hashed.
            state_.replica().start_writeback(file_offset(batch), part.size());
        }
        finished.root = merkle_root(all);
        reached.finished();
        return finished;
    }

    /// `keystream` becomes the sealed bytes of the batch, and goes to the disk.
    /// Spec 3: sealed = raw XOR keystream(w).
    Status seal_batch(const Batch& batch, MutByteView keystream, Workspace& space) {
        prepare(space, batch);
        HOLDFAST_TRY(source_.read_chunks(batch.first, space.buffer));
        HOLDFAST_ASSIGN(tag, tagger_.tag(kSourceTags, batch.first.value, space.buffer));
        if (tag != batch.source_tag) {
            return source_.changed("near byte " + std::to_string(batch.first.value * kChunkBytes));
        }
        xor_bytes(keystream, space.buffer);
        chunk_roots(keystream.data(), space.roots);
        HOLDFAST_TRY(sealed_tree_.put_chunk_roots(batch.first, space.roots));
        return state_.replica().write_at(file_offset(batch), keystream);
    }

    const SealOptions& options_;
    SourceSegment& source_;
    SealState& state_;
    const KeyedTagger& tagger_;
    TreeBuilder raw_tree_;
    TreeBuilder sealed_tree_;
    WindowPlan windows_;
    std::vector<Batch> batches_;
    std::vector<std::size_t> window_batches_;  // index of each window's first, and the end
    std::vector<std::uint64_t> to_seal_;
    std::uint64_t taken_over_bytes_ = 0;
};

/// What is published is what the disk gives back: both headers, and both roots over the tree's
/// lowest nodes. The replica's own bytes were read again as each window was recorded.
Status check_written(SealState& state, const FileHeader& header) {
    Bytes bytes(kFileHeaderBytes);
    HOLDFAST_TRY(state.tree().sync());
    HOLDFAST_TRY(state.replica().sync());
    HOLDFAST_TRY(state.tree().read_at(0, bytes));
    bool same = decode_file_header(Kind::kTreeFile, bytes) == header;
    HOLDFAST_TRY(state.replica().read_at(0, bytes));
    same = same && decode_file_header(Kind::kReplicaFile, bytes) == header;
    for (const TreeKind kind : {TreeKind::kRaw, TreeKind::kSealed}) {
        TreeBuilder tree(state.tree(), header.replica.chunks, kind);
        HOLDFAST_ASSIGN(root, tree.finish());
        same =
            same && root == (kind == TreeKind::kRaw ? header.replica.raw_root : header.sealed_root);
    }
    if (same) return {};
    return fail(ErrorCode::kCorrupt,
                "the tree or a header does not read back as it was written; check the disk");
}

/// What stays after a failure, in the error's message.
Error with_outlook(Error error, const SealState& state, std::uint64_t windows) {
    if (state.recorded() == 0) return error;
    error.message += "; " + std::to_string(std::min(state.recorded(), windows)) + " of " +
                     std::to_string(windows) +
                     " windows are finished and kept: seal again to go on from there";
    return error;
}

Result<SealedReplica> seal_into(SealState& state, const SealRequest& request,
                                const SealOptions& options, SourceSegment& source) {
    ReplicaHeader header;
    header.prover = request.prover;
    header.data_len = source.length();
    header.chunks = source.chunks();
    header.seal = request.seal;
    header.nonce = request.nonce.value_or(request.segment);
    const NetworkId network = request.network.id();
    HOLDFAST_TRY(state.check_continues(header, network));
    HOLDFAST_ASSIGN(tagger, KeyedTagger::create());
    Sealer sealer(request.seal, options, source, state, tagger);
    HOLDFAST_ASSIGN(raw_root, sealer.hash_source());
    header.raw_root = raw_root;
    HOLDFAST_ASSIGN(recorded, state.bind(header, network));
    HOLDFAST_TRY(sealer.take_over(recorded));
    HOLDFAST_ASSIGN(sealed_root, sealer.seal_windows(header.replica_id(network)));
    SealedReplica done;
    done.header = make_file_header(header, sealed_root, network);
    done.windows = sealer.window_count();
    done.windows_taken_over = sealer.taken_over();
    HOLDFAST_TRY(state.tree().write_at(0, encode_file_header(Kind::kTreeFile, done.header)));
    HOLDFAST_TRY(state.replica().write_at(0, encode_file_header(Kind::kReplicaFile, done.header)));
    HOLDFAST_TRY(check_written(state, done.header));
    // The replica last: who sees it under its name finds its tree there too.
    HOLDFAST_TRY(state.publish());
    return done;
}

}  // namespace

const char* to_string(SealStage stage) {
    switch (stage) {
        case SealStage::kHashing:
            return "hashing";
        case SealStage::kResuming:
            return "checking what is finished";
        case SealStage::kSealing:
            break;
    }
    return "sealing";
}

Result<SealedReplica> seal(const SealRequest& request, const SealOptions& options) {
    HOLDFAST_ASSIGN(source, SourceSegment::open(request.source, request.segment));
    HOLDFAST_TRY(check_request(request, source));
    const std::uint64_t replica_bytes = kFileHeaderBytes + source.chunks().value * kChunkBytes;
    const std::uint64_t tree_bytes = TreeLayout(source.chunks()).file_bytes();
    HOLDFAST_ASSIGN(state, SealState::open(request.replica_path, replica_bytes, request.tree_path,
                                           tree_bytes, options.restart));
    Result<SealedReplica> done = seal_into(state, request, options, source);
    if (!done) {
        // Bytes that cannot be relied on are no beginning for a next attempt.
        if (done.error().code == ErrorCode::kCorrupt) state.discard();
        return fail(with_outlook(std::move(done).error(), state,
                                 WindowPlan(source.chunks(), request.seal).count()));
    }
    done->replica_bytes = replica_bytes;
    done->tree_bytes = tree_bytes;
    return done;
}

Result<Root> raw_root_of_file(const std::filesystem::path& path, std::uint64_t offset,
                              std::uint64_t length, const StopCheck& stop) {
    if (length < 1 || length > kMaxDataBytes) {
        return fail(ErrorCode::kInvalidArgument, "a replica holds 1 byte to 4 GiB");
    }
    HOLDFAST_ASSIGN(file, File::open(path, File::Mode::kRead));
    RawRootHasher hasher(length);
    Bytes buffer(kBatchBytes);
    for (std::uint64_t at = 0; at < length; at += buffer.size()) {
        if (stop && stop()) return interrupted();
        const auto batch =
            MutByteView(buffer).first(std::min<std::uint64_t>(buffer.size(), length - at));
        HOLDFAST_TRY(file.read_at(offset + at, batch));
        hasher.feed(batch);
    }
    return hasher.finish();
}

}  // namespace holdfast
