#include "chunking/seal_state.hpp"

#include <algorithm>
#include <memory>
#include <string>

#include "chunking/file_header.hpp"
#include "chunking/running_root.hpp"
#include "core/codec.hpp"
#include "storage/begun.hpp"

namespace holdfast {
namespace {

constexpr std::uint8_t kLogVersion = 1;

std::filesystem::path hidden(const std::filesystem::path& path, const char* suffix) {
    return path.parent_path() / ("." + path.filename().string() + suffix);
}

bool stands(const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
}

void drop(const std::filesystem::path& path) {
    std::error_code ignored;
    std::filesystem::remove(path, ignored);
}

/// The log of an unfinished sealing, which may have vanished beside its marker.
void drop_log(const std::filesystem::path& path) { (void)remove_store_file(path); }

Result<bool> log_begun(const std::filesystem::path& path) {
    HOLDFAST_ASSIGN(begun, has_begun(path));
    return begun || stands(path);
}

Result<RecordLog> open_log(const std::filesystem::path& path) {
    RecordLog::Options options;
    options.redoable = true;
    Result<RecordLog> log = RecordLog::open(path, options);
    if (!log && log.error().code == ErrorCode::kCorrupt) {
        log.error().message += ", or restart to throw the unfinished sealing away";
    }
    return log;
}

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

/// A file of that size; one that has it already was given its room by an earlier attempt.
Status make_room(File& file, const std::filesystem::path& path, std::uint64_t bytes) {
    HOLDFAST_ASSIGN(now, file.size());
    if (now == bytes) return {};
    if (now > bytes) HOLDFAST_TRY(file.truncate(0));
    HOLDFAST_TRY(check_space(path, bytes));
    return file.reserve(bytes);
}

Bytes identity_of(const ReplicaHeader& header, const NetworkId& network) {
    Writer w;
    w.u8(kLogVersion);
    header.encode(w);
    w.fixed(network);
    return w.take();
}

struct Identity {
    ReplicaHeader header;
    NetworkId network;
};

std::optional<Identity> decode_identity(ByteView bytes) {
    Reader r(bytes);
    if (r.u8() != kLogVersion) return std::nullopt;
    Identity out;
    out.header = ReplicaHeader::decode(r);
    out.network = r.fixed<NetworkId>();
    if (!r.finish().accepted()) return std::nullopt;
    return out;
}

/// Whether a tree stands there that a publication left behind which was cut off between the two
/// names: it is made again.
bool is_tree_of(const std::filesystem::path& tree_path, ByteView identity) {
    const Result<File> file = File::open(tree_path, File::Mode::kRead);
    Bytes bytes(kFileHeaderBytes);
    if (!file || !file->read_at(0, bytes)) return false;
    const Checked<FileHeader> header = decode_file_header(Kind::kTreeFile, bytes);
    return header && std::ranges::equal(identity_of(header->replica, header->network_id), identity);
}

}  // namespace

Result<SealState> SealState::open(const std::filesystem::path& replica_path,
                                  std::uint64_t replica_bytes,
                                  const std::filesystem::path& tree_path, std::uint64_t tree_bytes,
                                  bool restart) {
    const std::filesystem::path partial = hidden(replica_path, ".sealing");
    const std::filesystem::path log_path = hidden(replica_path, ".sealing-log");
    // Published, and cut off before the log was removed.
    if (stands(replica_path) && !stands(partial)) drop_log(log_path);
    HOLDFAST_ASSIGN(replica, PendingFile::resume(replica_path, partial));
    if (restart) drop_log(log_path);
    Bytes identity;
    HOLDFAST_ASSIGN(begun, log_begun(log_path));
    // What an earlier attempt has sealed is kept for whoever restores its log.
    if (begun) replica.keep();
    if (begun) {
        HOLDFAST_ASSIGN(log, open_log(log_path));
        HOLDFAST_TRY(log.for_each([&](std::uint64_t index, ByteView body) -> Status {
            if (index == 0) identity.assign(body.begin(), body.end());
            return {};
        }));
    }
    // From here on an error leaves an earlier attempt as it is.
    replica.keep(!identity.empty());
    if (!identity.empty() && stands(tree_path) && is_tree_of(tree_path, identity)) {
        drop(tree_path);
    }
    HOLDFAST_ASSIGN(tree, PendingFile::resume(tree_path, hidden(tree_path, ".sealing")));
    SealState state(std::move(replica), std::move(tree), log_path);
    state.tree_path_ = tree_path;
    HOLDFAST_TRY(state.read_log());
    HOLDFAST_TRY(make_room(state.replica(), replica_path, replica_bytes));
    HOLDFAST_TRY(make_room(state.tree(), tree_path, tree_bytes));
    return state;
}

SealState::~SealState() {
    replica_.keep(recorded() > 0);
    if (log_ && recorded() == 0) {
        log_.reset();
        drop_log(log_path_);
    }
}

Status SealState::read_log() {
    HOLDFAST_ASSIGN(begun, log_begun(log_path_));
    if (!begun) return {};
    HOLDFAST_ASSIGN(log, open_log(log_path_));
    bool sound = true;
    HOLDFAST_TRY(log.for_each([&](std::uint64_t index, ByteView body) -> Status {
        if (index == 0) {
            identity_.assign(body.begin(), body.end());
            return {};
        }
        Reader r(body);
        const std::uint64_t window = r.u64();
        const auto root = r.fixed<Digest>();
        if (r.finish().accepted()) {
            windows_[window] = root;
        } else {
            sound = false;
        }
        return {};
    }));
    if (!sound || identity_.empty() || !decode_identity(identity_)) {
        // Not what this version writes: nothing in it can be believed.
        windows_.clear();
        identity_.clear();
        drop_log(log_path_);
        return {};
    }
    log_ = std::make_unique<RecordLog>(std::move(log));
    replica_.keep();
    return {};
}

Status SealState::check_continues(const ReplicaHeader& header, const NetworkId& network) const {
    if (recorded() == 0) return {};
    const std::optional<Identity> earlier = decode_identity(identity_);
    if (earlier->header.data_len != header.data_len) return {};
    ReplicaHeader same_root = header;
    same_root.raw_root = earlier->header.raw_root;
    if (same_root == earlier->header && network == earlier->network) return {};
    return fail(ErrorCode::kAlreadyExists,
                "an unfinished sealing with another key, preset, nonce or network stands in '" +
                    replica_.temporary_path().string() +
                    "'; go on with what it was begun with, or restart to throw it away");
}

Status SealState::start_log(ByteView identity) {
    log_.reset();
    windows_.clear();
    drop_log(log_path_);
    HOLDFAST_ASSIGN(log, open_log(log_path_));
    HOLDFAST_TRY(log.append(identity));
    identity_.assign(identity.begin(), identity.end());
    log_ = std::make_unique<RecordLog>(std::move(log));
    replica_.keep();
    return {};
}

Result<std::map<std::uint64_t, Digest>> SealState::bind(const ReplicaHeader& header,
                                                        const NetworkId& network) {
    const Bytes identity = identity_of(header, network);
    if (!log_ || identity != identity_) HOLDFAST_TRY(start_log(identity));
    return windows_;
}

Status SealState::record(std::span<const std::pair<std::uint64_t, Digest>> windows) {
    std::vector<Bytes> bodies;
    for (const auto& [window, root] : windows) {
        Writer w;
        w.u64(window).fixed(root);
        bodies.push_back(w.take());
    }
    const std::vector<ByteView> views(bodies.begin(), bodies.end());
    return log_->append_all(views);
}

void SealState::discard() {
    log_.reset();
    drop_log(log_path_);
    replica_.keep(false);
}

// Spec 12: temporary names, fsync, rename, fsync of the folder.
Status SealState::publish() {
    HOLDFAST_TRY(replica().sync());
    HOLDFAST_TRY(tree_.publish());
    if (Status published = replica_.publish(); !published) {
        drop(tree_path_);
        return published;
    }
    log_.reset();
    drop_log(log_path_);
    return {};
}

SealRecorder::SealRecorder(SealState& state, const KeyedTagger& tagger)
    : state_(state), tagger_(tagger), thread_([this] { run(); }) {}

SealRecorder::~SealRecorder() { static_cast<void>(finish()); }

Status SealRecorder::submit(FinishedWindow window) {
    const std::scoped_lock lock(mutex_);
    if (!outcome_) return outcome_;
    waiting_.push_back(std::move(window));
    changed_.notify_one();
    return {};
}

Status SealRecorder::finish() {
    {
        const std::scoped_lock lock(mutex_);
        ending_ = true;
        changed_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
    return outcome_;
}

void SealRecorder::run() {
    for (;;) {
        std::vector<FinishedWindow> taken;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
            if (waiting_.empty()) return;
            taken.swap(waiting_);
        }
        Status done = record(taken);
        const std::scoped_lock lock(mutex_);
        if (outcome_) outcome_ = std::move(done);
        if (!outcome_) return;
    }
}

Status SealRecorder::record(std::span<const FinishedWindow> windows) {
    // Read again while the disk is still writing; then one wait for the device, however many
    // windows were finished since the last.
    std::vector<std::pair<std::uint64_t, Digest>> good;
    for (const FinishedWindow& window : windows) {
        HOLDFAST_TRY(check_written(window));
        good.emplace_back(window.index, window.root);
    }
    HOLDFAST_TRY(state_.replica().sync());
    return state_.record(good);
}

Status SealRecorder::check_written(const FinishedWindow& window) {
    Bytes buffer(kBatchBytes);
    for (std::size_t batch = 0; batch < window.tags.size(); ++batch) {
        const std::uint64_t at = batch * kBatchBytes;
        const auto bytes = MutByteView(buffer).first(
            static_cast<std::size_t>(std::min<std::uint64_t>(kBatchBytes, window.bytes - at)));
        const ChunkIndex first = window.first + batch * kBatchChunks;
        HOLDFAST_TRY(state_.replica().read_at(kFileHeaderBytes + first.value * kChunkBytes, bytes));
        HOLDFAST_ASSIGN(tag, tagger_.tag(kReplicaTags, first.value, bytes));
        if (tag == window.tags[batch]) continue;
        return fail(ErrorCode::kCorrupt, "'" + state_.replica().path().string() +
                                             "' does not hold what was written, near chunk " +
                                             std::to_string(first.value) + "; check the disk");
    }
    return {};
}

}  // namespace holdfast
