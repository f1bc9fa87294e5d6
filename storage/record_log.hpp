// Append-only record files: each record carries its length, a CRC-32C and the SHA-256 of the whole
// record before it, so that a torn tail, a lost, repeated or exchanged record is noticed.
//
//   record = u32 length || u32 CRC-32C over length and body || SHA-256 of the record before || body
//
// (zeros stand before the first record; length 0 is refused). The first record that does not hold
// ends the file: open() in read-write mode cuts it and what follows, in read-only mode it only
// reports it. A record is on the device when append() returns. A RecordLog opened for writing holds
// an exclusive lock on its file; it is used by one thread at a time. Lengths in bytes, integers
// little-endian. Spec: docs/spec.md section 12.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>

#include "core/hash.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "storage/file.hpp"

namespace holdfast {

/// CRC-32C (Castagnoli, reflected, as iSCSI and RFC 3720); `crc` continues an earlier one.
[[nodiscard]] std::uint32_t crc32c(ByteView bytes, std::uint32_t crc = 0);

inline constexpr std::size_t kRecordHeaderBytes = 4 + 4 + kDigestBytes;
inline constexpr std::uint32_t kMaxRecordBodyBytes = 1U << 20;

/// One record as it stands in the file; `before` is the SHA-256 of the record before, zeros for
/// none.
[[nodiscard]] Bytes encode_record(const Digest& before, ByteView body);

/// What of a file's bytes holds, counted from its start.
struct RecordScan {
    std::uint64_t records = 0;
    std::uint64_t good_bytes = 0;
    Digest last;  // SHA-256 of the last good record; zeros for none
};
/// Reads records until the first that does not hold. Pure; `visit` sees each good body in order.
RecordScan scan_records(ByteView file, std::uint32_t max_body_bytes = kMaxRecordBodyBytes,
                        const std::function<void(ByteView body)>& visit = {});

class RecordLog {
  public:
    enum class Mode { kRead, kReadWrite };

    struct Options {
        Mode mode = Mode::kReadWrite;
        /// Longer records are refused on append and end the file when read.
        std::uint32_t max_body_bytes = kMaxRecordBodyBytes;
        /// Read-write mode cuts at most this much; a longer tail is damage, not a torn record, and
        /// open() then fails with kCorrupt and leaves the file as it is.
        std::uint64_t max_cut_bytes = UINT64_MAX;
        /// Damage may cost every record, because what they hold can be worked out again. Otherwise
        /// a log that has begun and of which no record holds has vanished (kCorrupt).
        bool redoable = false;
    };

    /// What open() found. `cut_bytes` stood behind the last good record: cut in read-write mode,
    /// still there in read-only mode.
    struct Recovery {
        std::uint64_t records = 0;
        std::uint64_t good_bytes = 0;
        std::uint64_t cut_bytes = 0;
    };

    /// Read-write mode creates a missing file; the log itself keeps the rule of storage/begun.hpp,
    /// with the first record. kBusy when another RecordLog writes to it,
    /// kNotFound, kPermission, kIo, kCorrupt (see max_cut_bytes; or every record has vanished).
    static Result<RecordLog> open(const std::filesystem::path& path, const Options& options);
    static Result<RecordLog> open(const std::filesystem::path& path) {
        return open(path, Options{});
    }

    [[nodiscard]] const Recovery& recovery() const { return recovery_; }
    [[nodiscard]] std::uint64_t records() const { return records_; }
    [[nodiscard]] std::uint64_t size_bytes() const { return end_; }
    [[nodiscard]] const std::filesystem::path& path() const { return file_.path(); }

    /// Writes one record and waits for the device. On an error the record does not count: the file
    /// is cut back to where it was, or else every later append is refused until the log is opened
    /// again.
    [[nodiscard]] Status append(ByteView body);
    /// Several records, in order, with one wait for the device; all of them or none.
    [[nodiscard]] Status append_all(std::span<const ByteView> bodies);
    /// Forgets every record; on the device when it returns.
    [[nodiscard]] Status clear();

    /// Every record in order, read from the file again and checked again; the visitor's error ends
    /// it. The body is valid during the call only.
    using Visitor = std::function<Status(std::uint64_t index, ByteView body)>;
    [[nodiscard]] Status for_each(const Visitor& visit) const;

  private:
    /// The first record is on the device: the marker follows, or the record does not count.
    [[nodiscard]] Status mark();
    RecordLog(File file, const Options& options) : file_(std::move(file)), options_(options) {}

    File file_;
    Options options_;
    Recovery recovery_;
    std::uint64_t records_ = 0;
    std::uint64_t end_ = 0;
    Digest last_;
    std::optional<Error> broken_;
    bool begun_ = false;  // its marker stands
};

}  // namespace holdfast
