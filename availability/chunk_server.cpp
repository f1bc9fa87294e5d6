#include "availability/chunk_server.hpp"

#include "chunking/tree_walk.hpp"
#include "core/merkle.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kToldEveryNs = 10'000'000'000;

/// Whether asking again later can help. A file that is cut off, gone or unreadable stays so.
bool is_passing(ErrorCode code) {
    return code == ErrorCode::kBusy || code == ErrorCode::kOutOfMemory ||
           code == ErrorCode::kInterrupted;
}

ReadAnswer refused(Reason reason) {
    ReadAnswer out;
    out.status = ReadStatus::kRefused;
    out.reason = reason;
    return out;
}

ReadAnswer busy(std::uint32_t retry_ms) {
    ReadAnswer out;
    out.status = ReadStatus::kBusy;
    out.retry_ms = retry_ms;
    return out;
}

/// Raw chunks out of the file that was sealed: padded as they were, checked, with their siblings.
Result<Opening> open_raw(const Replica& replica, const File& raw, const ReadRequest& request) {
    Opening out;
    out.data.resize(request.count * kChunkBytes);
    const std::uint64_t at = request.first.value * kChunkBytes;
    const std::uint64_t data_len = replica.header().replica.data_len;
    if (at < data_len) {
        const auto there = std::min<std::uint64_t>(out.data.size(), data_len - at);
        HOLDFAST_TRY(raw.read_at(at, MutByteView(out.data).first(static_cast<std::size_t>(there))));
    }
    std::vector<Digest> roots(request.count);
    chunk_roots(out.data.data(), roots);
    HOLDFAST_ASSIGN(walk,
                    walk_and_check(replica.trees(), TreeKind::kRaw, read_indices(request), roots));
    out.siblings = std::move(walk.siblings);
    return out;
}

/// Counts bytes as in flight for as long as it lives.
class InFlight {
  public:
    InFlight(std::atomic<std::uint64_t>& all, std::uint64_t bytes) : all_(all), bytes_(bytes) {
        sum_ = all_.fetch_add(bytes_) + bytes_;
    }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;
    ~InFlight() { all_.fetch_sub(bytes_); }
    [[nodiscard]] std::uint64_t sum() const { return sum_; }

  private:
    std::atomic<std::uint64_t>& all_;
    std::uint64_t bytes_;
    std::uint64_t sum_;
};

}  // namespace

ChunkServer::ChunkServer(MonotonicNs clock, const ChunkServerOptions& options,
                         ReadFailureSink on_failure)
    : options_(options),
      clock_(clock),
      on_failure_(std::move(on_failure)),
      chunks_(options.chunks, std::move(clock)) {}

Status ChunkServer::add_chain(const ChainId& chain_id, std::shared_ptr<const Replica> replica,
                              const std::filesystem::path& raw) {
    Source source{std::move(replica), nullptr, std::nullopt};
    if (!raw.empty()) {
        HOLDFAST_ASSIGN(file, File::open(raw, File::Mode::kRead));
        HOLDFAST_ASSIGN(bytes, file.size());
        if (bytes != source.replica->header().replica.data_len) {
            return fail(ErrorCode::kInvalidArgument,
                        raw.string() + " is not as long as the data that were sealed");
        }
        source.raw = std::make_shared<const File>(std::move(file));
    }
    const std::lock_guard lock(mutex_);
    if (!sources_.emplace(chain_id, std::move(source)).second) {
        return fail(ErrorCode::kAlreadyExists, "chain " + to_hex(chain_id) + " is there already");
    }
    return {};
}

Status ChunkServer::remove_chain(const ChainId& chain_id) {
    const std::lock_guard lock(mutex_);
    if (sources_.erase(chain_id) == 0) {
        return fail(ErrorCode::kNotFound, "chain " + to_hex(chain_id) + " is not here");
    }
    return {};
}

std::optional<ChunkServer::Source> ChunkServer::find(const ChainId& chain_id) const {
    const std::lock_guard lock(mutex_);
    const auto found = sources_.find(chain_id);
    return found == sources_.end() ? std::nullopt : std::optional(found->second);
}

void ChunkServer::tell(const ChainId& chain_id, const Error& why) {
    if (!on_failure_) return;
    {
        const std::lock_guard lock(mutex_);
        const auto found = sources_.find(chain_id);
        const std::uint64_t now_ns = clock_();
        if (found == sources_.end()) return;
        std::optional<std::uint64_t>& told_ns = found->second.told_ns;
        if (told_ns && now_ns - *told_ns < kToldEveryNs) return;
        told_ns = now_ns;
    }
    on_failure_(chain_id, why);
}

ReadAnswer ChunkServer::answer(const PublicKey& from, ByteView message) {
    // A request that is refused costs its peer one chunk, so that bad ones have a rate as well.
    const auto bad = [&](Reason reason) {
        const std::uint32_t wait_ms = chunks_.take(from, 1);
        return wait_ms > 0 ? busy(wait_ms) : refused(reason);
    };
    const auto request = ReadRequest::decode(message);
    if (!request) return bad(request.error().reason);
    const std::optional<Source> source = find(request->chain_id);
    if (!source) return bad(Reason::kUnknownChain);
    const Replica& replica = *source->replica;
    const bool raw = request->what == ReadWhat::kRaw;
    const ReadContext context{
        raw ? replica.header().replica.raw_root : replica.header().sealed_root, replica.chunks()};
    if (const Verdict v = check_read_range(context, *request); !v) return bad(v.reason);
    if (raw && !source->raw) return bad(Reason::kNetworkPolicy);
    const InFlight bytes(in_flight_, request->count * kChunkBytes);
    if (bytes.sum() > options_.bytes_in_flight) return busy(options_.busy_retry_ms);
    if (const std::uint32_t wait_ms = chunks_.take(from, request->count); wait_ms > 0) {
        return busy(wait_ms);
    }
    const Result<Opening> opening = raw ? open_raw(replica, *source->raw, *request)
                                        : replica.open_chunks(read_indices(*request));
    if (!opening) {
        tell(request->chain_id, opening.error());
        return refused(is_passing(opening.error().code) ? Reason::kBusy : Reason::kRootMismatch);
    }
    Writer payload(opening->data.size() + opening->siblings.size() * kDigestBytes);
    payload.raw(opening->data).digests(opening->siblings);
    ReadAnswer out;
    out.status = ReadStatus::kData;
    out.chunks_and_siblings = payload.take();
    return out;
}

Bytes ChunkServer::handle(const PublicKey& from, ByteView message) {
    const ReadAnswer out = answer(from, message);
    {
        const std::lock_guard lock(mutex_);
        if (out.status == ReadStatus::kData) {
            ++statistics_.answers;
            statistics_.bytes += out.chunks_and_siblings.size();
        } else if (out.status == ReadStatus::kBusy) {
            ++statistics_.busy;
        } else {
            ++statistics_.refused;
            if (out.reason == Reason::kRootMismatch || out.reason == Reason::kBusy) {
                ++statistics_.failed;
            }
        }
    }
    return out.encode();
}

ChunkServerStatistics ChunkServer::statistics() const {
    const std::lock_guard lock(mutex_);
    return statistics_;
}

}  // namespace holdfast
