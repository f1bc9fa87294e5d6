#include "availability/range_reader.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "storage/parallel.hpp"

namespace holdfast {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

constexpr unsigned kMaxAtOnce = 64;
constexpr std::uint32_t kLeastPauseMs = 5;  // whatever a prover says
constexpr Milliseconds kStopLookMs{20};

/// One reading: pieces are handed out in order, the first failure ends all.
class Reading {
  public:
    Reading(const ReadSource& source, const ReadRange& range, const AskProver& ask,
            const TakeBytes& take, const RangeReaderOptions& options)
        : source_(source),
          range_(range),
          ask_(ask),
          take_(take),
          options_(options),
          next_(range.offset / kChunkBytes),
          end_((range.offset + range.length - 1) / kChunkBytes + 1),
          alive_(Clock::now()) {}

    Result<ReadReport> run() {
        const std::uint64_t pieces = (end_ - next_ + kMaxReadChunks - 1) / kMaxReadChunks;
        const auto threads = static_cast<unsigned>(
            std::min<std::uint64_t>(pieces, std::clamp(options_.at_once, 1U, kMaxAtOnce)));
        std::vector<std::thread> others;
        for (unsigned i = 1; i < threads; ++i) {
            try {
                others.emplace_back([this] { work(); });
            } catch (const std::system_error&) {
                break;  // fewer do it too
            }
        }
        work();
        for (std::thread& other : others) other.join();
        if (failure_) return fail(std::move(*failure_));
        return report_;
    }

  private:
    void work() {
        while (const auto request = next_request()) {
            Status done = fetch(*request);
            if (!done) return end_with(std::move(done).error());
        }
    }

    std::optional<ReadRequest> next_request() {
        const std::lock_guard lock(mutex_);
        if (failure_ || next_ == end_) return std::nullopt;
        const auto count =
            static_cast<std::uint32_t>(std::min<std::uint64_t>(kMaxReadChunks, end_ - next_));
        const ReadRequest request{source_.chain_id, range_.what, ChunkIndex(next_), count};
        next_ += count;
        return request;
    }

    void end_with(Error error) {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::move(error);
        changed_.notify_all();
    }

    /// Asks until the piece is there.
    Status fetch(const ReadRequest& request) {
        const Bytes message = request.encode();
        while (true) {
            if (options_.stop && options_.stop()) return interrupted();
            {
                const std::lock_guard lock(mutex_);
                ++report_.requests;
            }
            const Result<Bytes> answer = ask_(message);
            if (!answer) {
                if (!is_passing(answer.error().code)) return fail(answer.error());
                HOLDFAST_TRY(pause(options_.pause_ms, report_.retries, answer.error()));
                continue;
            }
            const auto decoded = ReadAnswer::decode(*answer);
            if (!decoded) return fail_refused(decoded.error(), "the prover's answer");
            if (decoded->status == ReadStatus::kData) {
                return deliver(request, decoded->chunks_and_siblings);
            }
            const bool failing = decoded->status == ReadStatus::kRefused;
            if (failing && decoded->reason != Reason::kBusy) {
                return fail_refused(decoded->reason, "the prover refuses: the request");
            }
            HOLDFAST_TRY(pause(failing ? options_.pause_ms : decoded->retry_ms, report_.busy,
                               {ErrorCode::kTimeout,
                                "the prover was busy for " + std::to_string(options_.patience_ms) +
                                    " ms on end; try again later",
                                {}}));
        }
    }

    static bool is_passing(ErrorCode code) {
        return code == ErrorCode::kTimeout || code == ErrorCode::kUnavailable ||
               code == ErrorCode::kBusy;
    }

    /// Waits, or ends with `why` where nothing has arrived for too long.
    Status pause(std::uint32_t wait_ms, std::uint64_t& counter, const Error& why) {
        std::unique_lock lock(mutex_);
        ++counter;
        const auto now = Clock::now();
        const auto patience_ends = alive_ + Milliseconds(options_.patience_ms);
        if (now >= patience_ends) return fail(why);
        const auto until =
            std::min(now + Milliseconds(std::max(wait_ms, kLeastPauseMs)), patience_ends);
        while (!failure_ && Clock::now() < until) {
            changed_.wait_until(lock, std::min(until, Clock::now() + kStopLookMs));
            if (options_.stop && options_.stop()) return interrupted();
        }
        if (failure_) return fail(*failure_);
        return {};
    }

    Status deliver(const ReadRequest& request, ByteView payload) {
        const Verdict checked = check_read_payload(source_.context(range_.what), request, payload);
        if (!checked) return fail_refused(checked, "what the prover sent");
        // The first and the last piece hold more than was asked for.
        const std::uint64_t first = request.first.value * kChunkBytes;
        const std::uint64_t from = std::max(first, range_.offset);
        const std::uint64_t to =
            std::min(first + request.count * kChunkBytes, range_.offset + range_.length);
        const ByteView bytes = payload.subspan(static_cast<std::size_t>(from - first),
                                               static_cast<std::size_t>(to - from));
        const std::lock_guard lock(mutex_);
        if (failure_) return fail(*failure_);
        HOLDFAST_TRY(take_(from - range_.offset, bytes));
        report_.bytes += bytes.size();
        alive_ = Clock::now();
        if (options_.progress) options_.progress(report_.bytes, range_.length);
        return {};
    }

    const ReadSource& source_;
    const ReadRange range_;
    const AskProver& ask_;
    const TakeBytes& take_;
    const RangeReaderOptions& options_;

    std::mutex mutex_;  // guards everything below
    std::condition_variable changed_;
    std::uint64_t next_;  // chunk
    const std::uint64_t end_;
    Clock::time_point alive_;  // when a piece arrived last
    std::optional<Error> failure_;
    ReadReport report_;
};

}  // namespace

ReadSource ReadSource::of(const NetworkId& network_id, const Registration& registration) {
    return {registration.chain_id(network_id), registration.sealed_root,
            registration.header.raw_root, registration.header.chunks, registration.header.data_len};
}

ReadContext ReadSource::context(ReadWhat what) const {
    return {what == ReadWhat::kRaw ? raw_root : sealed_root, chunks};
}

std::uint64_t ReadSource::bytes(ReadWhat what) const {
    return what == ReadWhat::kRaw ? data_len : chunks.value * kChunkBytes;
}

Status check_range(const ReadSource& source, const ReadRange& range) {
    const std::uint64_t bytes = source.bytes(range.what);
    if (range.length == 0 || range.offset >= bytes || range.length > bytes - range.offset) {
        return fail(ErrorCode::kInvalidArgument,
                    "a range of " + std::to_string(range.length) + " bytes from " +
                        std::to_string(range.offset) + " on does not lie within the " +
                        std::to_string(bytes) + " bytes that there are");
    }
    return {};
}

Result<ReadReport> read_range(const ReadSource& source, const ReadRange& range,
                              const AskProver& ask, const TakeBytes& take,
                              const RangeReaderOptions& options) {
    HOLDFAST_TRY(check_range(source, range));
    return Reading(source, range, ask, take, options).run();
}

}  // namespace holdfast
