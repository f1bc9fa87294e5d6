#include "chunking/seal.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "chunking/keystream.hpp"
#include "chunking/progress.hpp"
#include "chunking/running_root.hpp"
#include "chunking/source.hpp"
#include "chunking/tree_file.hpp"
#include "core/file.hpp"
#include "core/keys.hpp"
#include "core/parallel.hpp"

namespace holdfast {
namespace {

Status check_space(const std::filesystem::path& path, std::uint64_t bytes) {
    std::error_code failed;
    const std::filesystem::path parent = path.parent_path();
    const auto space = std::filesystem::space(parent.empty() ? "." : parent, failed);
    if (failed)
        return fail_errno(failed.value(), "cannot examine the folder of '" + path.string() + "'");
    if (space.available >= bytes) return {};
    return fail(ErrorCode::kOutOfSpace, "'" + path.string() + "' needs " + std::to_string(bytes) +
                                            " bytes, but only " + std::to_string(space.available) +
                                            " are free there");
}

Result<PendingFile> create_sized(const std::filesystem::path& path, std::uint64_t bytes) {
    HOLDFAST_ASSIGN(pending, PendingFile::create(path));
    HOLDFAST_TRY(check_space(path, bytes));
    HOLDFAST_TRY(pending.file().reserve(bytes));
    return pending;
}

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
    std::vector<Digest> expected;
    std::vector<Digest> found;
};

class Sealer {
  public:
    Sealer(const SealParams& seal, const SealOptions& options, SourceSegment& source,
           File& replica_file, File& tree_file)
        : options_(options),
          source_(source),
          replica_file_(replica_file),
          raw_tree_(tree_file, source.chunks(), TreeKind::kRaw),
          sealed_tree_(tree_file, source.chunks(), TreeKind::kSealed),
          windows_(source.chunks(), seal) {}

    /// First pass: raw_root, without which there is no replica_id.
    Result<Root> hash_source() {
        const std::uint64_t chunks = source_.chunks().value;
        const std::uint64_t batches = (chunks + kBatchChunks - 1) / kBatchChunks;
        ProgressCounter progress(report_as(SealStage::kHashing), chunks * kChunkBytes);
        const unsigned workers = worker_count(options_.workers, batches);
        std::vector<Workspace> spaces(workers);
        const auto hash_batch = [&](unsigned worker, std::uint64_t batch) -> Status {
            Workspace& space = spaces[worker];
            const ChunkIndex first(batch * kBatchChunks);
            prepare_batch(space, std::min(kBatchChunks, chunks - first.value));
            HOLDFAST_TRY(source_.read_chunks(first, space.buffer));
            chunk_roots(space.buffer.data(), space.found);
            progress.add(space.buffer.size());
            return raw_tree_.put_chunk_roots(first, space.found);
        };
        HOLDFAST_TRY(run_workers(workers, batches, options_.stop, hash_batch));
        return raw_tree_.finish();
    }

    /// Second pass: every window, and the sealed tree over them.
    Result<Root> seal_windows(const ReplicaId& id) {
        ProgressCounter progress(report_as(SealStage::kSealing),
                                 source_.chunks().value * kChunkBytes);
        const unsigned workers = worker_count(options_.workers, windows_.count());
        std::vector<Workspace> spaces(workers);
        const auto seal_one = [&](unsigned worker, std::uint64_t w) {
            return seal_window(id, windows_.window(w), spaces[worker], progress);
        };
        HOLDFAST_TRY(run_workers(workers, windows_.count(), options_.stop, seal_one));
        HOLDFAST_TRY(source_.check_size());
        return sealed_tree_.finish();
    }

    [[nodiscard]] std::uint64_t window_count() const { return windows_.count(); }

  private:
    ProgressCounter::Callback report_as(SealStage stage) const {
        if (!options_.progress) return {};
        return [this, stage](std::uint64_t done, std::uint64_t total) {
            options_.progress({stage, done, total});
        };
    }

    static void prepare_batch(Workspace& space, std::uint64_t chunks) {
        space.buffer.resize(chunks * kChunkBytes);
        space.expected.resize(chunks);
        space.found.resize(chunks);
    }

    Status seal_window(const ReplicaId& id, const Window& window, Workspace& space,
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
        for (std::uint64_t at = 0; at < window.chunks.value; at += kBatchChunks) {
            const std::uint64_t count = std::min(kBatchChunks, window.chunks.value - at);
            HOLDFAST_TRY(seal_batch(window.first + at,
                                    bytes.subspan(at * kChunkBytes, count * kChunkBytes), space));
        }
        replica_file_.start_writeback(kFileHeaderBytes + window.first_byte(), window.bytes());
        reached.finished();
        return {};
    }

    /// `keystream` becomes the sealed bytes of the chunks from `first` on, and goes to the disk.
    Status seal_batch(ChunkIndex first, MutByteView keystream, Workspace& space) {
        prepare_batch(space, keystream.size() / kChunkBytes);
        HOLDFAST_TRY(source_.read_chunks(first, space.buffer));
        chunk_roots(space.buffer.data(), space.found);
        HOLDFAST_TRY(raw_tree_.get_chunk_roots(first, space.expected));
        if (space.found != space.expected) {
            return source_.changed("near byte " + std::to_string(first.value * kChunkBytes));
        }
        xor_bytes(keystream, space.buffer);
        chunk_roots(keystream.data(), space.found);
        HOLDFAST_TRY(sealed_tree_.put_chunk_roots(first, space.found));
        return replica_file_.write_at(kFileHeaderBytes + first.value * kChunkBytes, keystream);
    }

    const SealOptions& options_;
    SourceSegment& source_;
    File& replica_file_;
    TreeBuilder raw_tree_;
    TreeBuilder sealed_tree_;
    WindowPlan windows_;
};

}  // namespace

Result<SealedReplica> seal(const SealRequest& request, const SealOptions& options) {
    HOLDFAST_ASSIGN(source, SourceSegment::open(request.source, request.segment));
    HOLDFAST_TRY(check_request(request, source));
    SealedReplica done;
    done.replica_bytes = kFileHeaderBytes + source.chunks().value * kChunkBytes;
    done.tree_bytes = TreeLayout(source.chunks()).file_bytes();
    HOLDFAST_ASSIGN(replica_file, create_sized(request.replica_path, done.replica_bytes));
    HOLDFAST_ASSIGN(tree_file, create_sized(request.tree_path, done.tree_bytes));

    Sealer sealer(request.seal, options, source, replica_file.file(), tree_file.file());
    ReplicaHeader header;
    header.prover = request.prover;
    header.data_len = source.length();
    header.chunks = source.chunks();
    header.seal = request.seal;
    header.nonce = request.nonce.value_or(request.segment);
    HOLDFAST_ASSIGN(raw_root, sealer.hash_source());
    header.raw_root = raw_root;
    const NetworkId network = request.network.id();
    HOLDFAST_ASSIGN(sealed_root, sealer.seal_windows(header.replica_id(network)));
    done.header = make_file_header(header, sealed_root, network);
    done.windows = sealer.window_count();

    HOLDFAST_TRY(tree_file.file().write_at(0, encode_file_header(Kind::kTreeFile, done.header)));
    HOLDFAST_TRY(
        replica_file.file().write_at(0, encode_file_header(Kind::kReplicaFile, done.header)));
    // The replica last: who sees it under its name finds its tree there too.
    HOLDFAST_TRY(replica_file.file().sync());
    HOLDFAST_TRY(tree_file.publish());
    if (Status published = replica_file.publish(); !published) {
        std::error_code ignored;
        std::filesystem::remove(request.tree_path, ignored);
        return fail(std::move(published).error());
    }
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
