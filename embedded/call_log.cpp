#include "embedded/call_log.hpp"

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "core/codec.hpp"

namespace holdfast {
namespace {

constexpr std::uint8_t kLogVersion = 1;

Bytes encode_recorded_call(const HostCall& call, const Result<Bytes>& answer) {
    Writer w;
    w.u8(kLogVersion).u8(static_cast<std::uint8_t>(call.function));
    w.u64(call.arguments.size()).raw(call.arguments);
    if (answer) {
        w.u8(1).u64(answer->size()).raw(*answer);
        return w.take();
    }
    const Error& error = answer.error();
    w.u8(0).u8(static_cast<std::uint8_t>(error.code));
    w.u64(error.message.size()).raw(view(error.message));
    w.u32(static_cast<std::uint32_t>(error.verdict.reason));
    w.u8(error.verdict.index ? 1 : 0).u64(error.verdict.index.value_or(0));
    return w.take();
}

Bytes read_bytes(Reader& r) {
    const ByteView bytes = r.raw(r.u64());
    return {bytes.begin(), bytes.end()};
}

Error read_error(Reader& r) {
    Error error;
    const std::uint8_t code = r.u8();
    if (code > static_cast<std::uint8_t>(ErrorCode::kUnsupported)) r.refuse(Reason::kBadField);
    error.code = static_cast<ErrorCode>(code);
    const Bytes message = read_bytes(r);
    error.message.assign(message.begin(), message.end());
    const std::uint32_t reason = r.u32();
    if (reason >= reason_count()) {
        r.refuse(Reason::kBadField);
    } else {
        error.verdict.reason = static_cast<Reason>(reason);
    }
    const std::uint8_t has_index = r.u8();
    const std::uint64_t index = r.u64();
    if (has_index > 1 || (has_index == 0 && index != 0)) r.refuse(Reason::kBadField);
    if (has_index == 1) error.verdict.index = index;
    return error;
}

class Recorder final : public CallRecorder {
  public:
    explicit Recorder(RecordLog log) : log_(std::move(log)) {}

    Result<Bytes> around(const HostCall& call, const Next& next) override {
        Result<Bytes> answer = next();
        const Bytes body = encode_recorded_call(call, answer);
        const std::scoped_lock lock(mutex_);
        // A log with a hole would replay as something that never was: it ends at the first failure.
        if (status_) status_ = log_.append(body);
        return answer;
    }

    Status status() const override {
        const std::scoped_lock lock(mutex_);
        return status_;
    }

  private:
    mutable std::mutex mutex_;
    RecordLog log_;
    Status status_;
};

class Replay final : public CallReplay {
  public:
    void add(RecordedCall call) {
        answers_[Key(call.call.function, std::move(call.call.arguments))].push_back(
            std::move(call.answer));
        ++remaining_;
    }

    Result<Bytes> around(const HostCall& call, const Next&) override {
        const std::scoped_lock lock(mutex_);
        const auto found = answers_.find(Key(call.function, call.arguments));
        if (found == answers_.end() || found->second.empty()) {
            return fail(ErrorCode::kUnavailable,
                        "the log of calls holds no (further) answer to this " +
                            std::string(to_string(call.function)));
        }
        Result<Bytes> answer = std::move(found->second.front());
        found->second.pop_front();
        --remaining_;
        return answer;
    }

    std::uint64_t remaining() const override {
        const std::scoped_lock lock(mutex_);
        return remaining_;
    }

  private:
    using Key = std::pair<HostFunction, Bytes>;
    mutable std::mutex mutex_;
    std::map<Key, std::deque<Result<Bytes>>> answers_;
    std::uint64_t remaining_ = 0;
};

}  // namespace

Checked<RecordedCall> decode_recorded_call(ByteView body) {
    Reader r(body);
    if (r.u8() != kLogVersion) r.refuse(Reason::kBadVersion);
    RecordedCall out{{}, Bytes{}};
    out.call.function = static_cast<HostFunction>(r.u8());
    if (to_string(out.call.function).empty()) r.refuse(Reason::kBadField);
    out.call.arguments = read_bytes(r);
    const std::uint8_t answered = r.u8();
    if (answered > 1) r.refuse(Reason::kBadField);
    if (answered == 1) {
        out.answer = read_bytes(r);
    } else {
        out.answer = fail(read_error(r));
    }
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

Result<RecordLog::Recovery> read_call_log(const std::filesystem::path& file,
                                          const std::function<Status(RecordedCall call)>& visit) {
    HOLDFAST_ASSIGN(log, RecordLog::open(file, {.mode = RecordLog::Mode::kRead,
                                                .max_body_bytes = kMaxCallRecordBytes}));
    HOLDFAST_TRY(log.for_each([&](std::uint64_t index, ByteView body) -> Status {
        Checked<RecordedCall> call = decode_recorded_call(body);
        if (!call) {
            return fail(ErrorCode::kCorrupt, file.string() + ": record " + std::to_string(index) +
                                                 " is not a call: " + to_string(call.error()));
        }
        return visit(std::move(*call));
    }));
    return log.recovery();
}

Result<std::shared_ptr<CallRecorder>> CallRecorder::open(const std::filesystem::path& file) {
    HOLDFAST_ASSIGN(log, RecordLog::open(file, {.max_body_bytes = kMaxCallRecordBytes}));
    return std::make_shared<Recorder>(std::move(log));
}

Result<std::shared_ptr<CallReplay>> CallReplay::open(const std::filesystem::path& file) {
    const auto replay = std::make_shared<Replay>();
    HOLDFAST_TRY(read_call_log(file, [&](RecordedCall call) -> Status {
        replay->add(std::move(call));
        return {};
    }));
    return replay;
}

}  // namespace holdfast
