// Every call of a host's callbacks on file, and a run again from that file without the host.
//
// A log is a record file (spec section 12) with one record a call, in the order in which the calls
// returned:
//
//   u8 version=1 || u8 function || u64 length || arguments || u8 1 || u64 length || answer
//   u8 version=1 || u8 function || u64 length || arguments || u8 0 || u8 error code
//                || u64 length || message || u32 reason || u8 has index || u64 index
//
// It is a tool for finding out what a host said, no part of the protocol. Callbacks carry no
// secrets, and neither does a log.
//
// Threading   recorder and replay: any number of threads. One recorder writes to a file at a time
//             (kBusy). Every record is on the device before its answer is used.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "callbacks/intercept.hpp"
#include "storage/record_log.hpp"

namespace holdfast {

inline constexpr std::uint32_t kMaxCallRecordBytes = 256U << 20;

/// One line of a log.
struct RecordedCall {
    HostCall call;
    Result<Bytes> answer;
};
/// kTruncated, kTrailingBytes, kBadVersion, kBadField, kTooLarge.
[[nodiscard]] Checked<RecordedCall> decode_recorded_call(ByteView body);

/// Every call of a log in order; kNotFound, kCorrupt (a whole record that is not a call), kIo. What
/// stands behind the last whole record is only reported.
[[nodiscard]] Result<RecordLog::Recovery> read_call_log(
    const std::filesystem::path& file, const std::function<Status(RecordedCall call)>& visit);

/// Writes each call of a host's interfaces, with its answer, to a file.
class CallRecorder : public Interceptor {
  public:
    /// Appends to the file, made when missing. Errors as for RecordLog::open.
    static Result<std::shared_ptr<CallRecorder>> open(const std::filesystem::path& file);

    /// Why recording has ended, if it has (disk full, a record too long). The node's work goes on;
    /// the log then ends with the last call before that, whole.
    [[nodiscard]] virtual Status status() const = 0;
};

/// Answers calls out of a recorded log.
class CallReplay : public Interceptor {
  public:
    /// Reads the log whole. Equal calls get their answers in the order recorded, whatever else is
    /// called between; a call that the log does not hold (any more) gets kUnavailable.
    static Result<std::shared_ptr<CallReplay>> open(const std::filesystem::path& file);

    /// Recorded answers that nobody has asked for yet.
    [[nodiscard]] virtual std::uint64_t remaining() const = 0;
};

}  // namespace holdfast
