#include "storage/record_log.hpp"

#include <array>
#include <cstring>

#include "core/codec.hpp"
#include "storage/begun.hpp"

namespace holdfast {
namespace {

constexpr std::uint32_t kCastagnoli = 0x82f63b78;  // reflected

// Slicing by eight: table k advances a byte over k further zero bytes.
constexpr auto kCrcTables = [] {
    std::array<std::array<std::uint32_t, 256>, 8> t{};
    for (std::uint32_t b = 0; b < 256; ++b) {
        std::uint32_t crc = b;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kCastagnoli : 0);
        t[0][b] = crc;
    }
    for (std::size_t k = 1; k < 8; ++k) {
        for (std::size_t b = 0; b < 256; ++b) {
            t[k][b] = (t[k - 1][b] >> 8) ^ t[0][t[k - 1][b] & 255];
        }
    }
    return t;
}();

// Spec 12, record files.
std::uint32_t record_crc(ByteView length_field, ByteView body) {
    return crc32c(body, crc32c(length_field));
}

struct RecordView {
    ByteView whole;
    ByteView body;
};

/// Reads the record that starts `bytes`; nothing when none holds there. `more(n)` gives at least n
/// bytes from the record's start on, or fewer at the end of the file.
/// Spec 12: incomplete, of length 0, a wrong CRC or predecessor: the end.
template <class More>
Result<std::optional<RecordView>> read_record(const Digest& before, std::uint32_t max_body_bytes,
                                              More&& more) {
    HOLDFAST_ASSIGN(head, more(kRecordHeaderBytes));
    if (head.size() < kRecordHeaderBytes) return std::nullopt;
    const std::uint32_t length = load_le32(head.data());
    if (length == 0 || length > max_body_bytes) return std::nullopt;
    const std::size_t size = kRecordHeaderBytes + length;
    HOLDFAST_ASSIGN(bytes, more(size));
    if (bytes.size() < size) return std::nullopt;
    const ByteView whole = bytes.first(size);
    const ByteView body = whole.subspan(kRecordHeaderBytes);
    if (std::memcmp(whole.data() + 8, before.data(), kDigestBytes) != 0) return std::nullopt;
    if (record_crc(whole.first(4), body) != load_le32(whole.data() + 4)) return std::nullopt;
    return RecordView{whole, body};
}

/// Reads records until one does not hold. `more(offset, n)` as above; `visit(index, body)` may
/// fail.
template <class More, class Visit>
Result<RecordScan> scan(std::uint32_t max_body_bytes, More&& more, Visit&& visit) {
    RecordScan out;
    for (;;) {
        const auto from_here = [&](std::size_t n) { return more(out.good_bytes, n); };
        HOLDFAST_ASSIGN(record, read_record(out.last, max_body_bytes, from_here));
        if (!record) return out;
        HOLDFAST_TRY(visit(out.records, record->body));
        out.last = sha256(record->whole);
        out.good_bytes += record->whole.size();
        ++out.records;
    }
}

/// A forward window over the first `end` bytes of a file.
class FileWindow {
  public:
    FileWindow(const File& file, std::uint64_t end) : file_(file), end_(end) {}

    Result<ByteView> operator()(std::uint64_t offset, std::size_t wanted) {
        if (offset < at_ || offset + wanted > at_ + buffer_.size()) {
            const std::uint64_t left = end_ - std::min(offset, end_);
            buffer_.resize(std::min<std::uint64_t>(left, std::max(wanted, kReadAheadBytes)));
            at_ = offset;
            HOLDFAST_ASSIGN(got, file_.read_some_at(offset, buffer_));
            buffer_.resize(got);
        }
        return ByteView(buffer_).subspan(offset - at_);
    }

  private:
    static constexpr std::size_t kReadAheadBytes = 256 * 1024;
    const File& file_;
    std::uint64_t end_;
    std::uint64_t at_ = 0;
    Bytes buffer_;
};

}  // namespace

std::uint32_t crc32c(ByteView bytes, std::uint32_t crc) {
    crc = ~crc;
    const auto& t = kCrcTables;
    std::size_t i = 0;
    for (; bytes.size() - i >= 8; i += 8) {
        const std::uint32_t low = load_le32(&bytes[i]) ^ crc;
        const std::uint32_t high = load_le32(&bytes[i + 4]);
        crc = t[7][low & 255] ^ t[6][low >> 8 & 255] ^ t[5][low >> 16 & 255] ^ t[4][low >> 24] ^
              t[3][high & 255] ^ t[2][high >> 8 & 255] ^ t[1][high >> 16 & 255] ^ t[0][high >> 24];
    }
    for (; i < bytes.size(); ++i) crc = (crc >> 8) ^ t[0][(crc ^ bytes[i]) & 255];
    return ~crc;
}

// Spec 12, record files: the head of 40 bytes.
Bytes encode_record(const Digest& before, ByteView body) {
    std::uint8_t length[4];
    store_le32(length, static_cast<std::uint32_t>(body.size()));
    Writer w(kRecordHeaderBytes + body.size());
    w.raw(length).u32(record_crc(length, body)).fixed(before).raw(body);
    return w.take();
}

RecordScan scan_records(ByteView file, std::uint32_t max_body_bytes,
                        const std::function<void(ByteView)>& visit) {
    const auto more = [&](std::uint64_t offset, std::size_t) -> Result<ByteView> {
        return file.subspan(static_cast<std::size_t>(offset));
    };
    return *scan(max_body_bytes, more, [&](std::uint64_t, ByteView body) -> Status {
        if (visit) visit(body);
        return {};
    });
}

Result<RecordLog> RecordLog::open(const std::filesystem::path& path, const Options& options) {
    const bool writes = options.mode == Mode::kReadWrite;
    HOLDFAST_TRY(check_not_vanished(path));
    HOLDFAST_ASSIGN(file, File::open(path, writes ? File::Mode::kCreate : File::Mode::kRead));
    if (writes) HOLDFAST_TRY(file.lock_exclusive());
    RecordLog log(std::move(file), options);
    HOLDFAST_ASSIGN(size, log.file_.size());
    HOLDFAST_ASSIGN(found, scan(options.max_body_bytes, FileWindow(log.file_, size),
                                [](std::uint64_t, ByteView) { return Status(); }));
    log.records_ = found.records;
    log.end_ = found.good_bytes;
    log.last_ = found.last;
    log.recovery_ = {found.records, found.good_bytes, size - found.good_bytes};
    HOLDFAST_ASSIGN(begun, has_begun(path));
    if (begun && log.records_ == 0 && !options.redoable) return vanished(path);
    if (!writes) return log;
    if (log.recovery_.cut_bytes > options.max_cut_bytes) {
        return fail(ErrorCode::kCorrupt,
                    path.string() + ": " + std::to_string(log.recovery_.cut_bytes) +
                        " bytes from byte " + std::to_string(found.good_bytes) +
                        " on do not hold, more than a torn last record; restore the file");
    }
    // What can be worked out again begins anew; the marker goes before the damage does.
    if (begun && log.records_ == 0) HOLDFAST_TRY(forget_begun(path));
    if (log.recovery_.cut_bytes > 0) {
        HOLDFAST_TRY(log.file_.truncate(log.end_));
        HOLDFAST_TRY(log.file_.sync());
    }
    log.begun_ = begun && log.records_ > 0;
    if (log.records_ > 0) HOLDFAST_TRY(log.mark());
    if (size == 0) {
        const std::filesystem::path folder = path.parent_path();
        HOLDFAST_TRY(sync_folder(folder.empty() ? "." : folder));
    }
    return log;
}

Status RecordLog::mark() {
    if (!begun_) HOLDFAST_TRY(mark_begun(path()));
    begun_ = true;
    return {};
}

Status RecordLog::append(ByteView body) { return append_all({&body, 1}); }

// Spec 12: on the device before its bytes are used.
Status RecordLog::append_all(std::span<const ByteView> bodies) {
    if (options_.mode != Mode::kReadWrite) {
        return fail(ErrorCode::kInvalidArgument, path().string() + ": opened for reading only");
    }
    if (broken_) return fail(*broken_);
    Bytes bytes;
    Digest last = last_;
    for (const ByteView body : bodies) {
        if (body.empty() || body.size() > options_.max_body_bytes) {
            return fail(ErrorCode::kInvalidArgument,
                        path().string() + ": a record must have 1 to " +
                            std::to_string(options_.max_body_bytes) + " bytes");
        }
        const Bytes record = encode_record(last, body);
        last = sha256(record);
        bytes.insert(bytes.end(), record.begin(), record.end());
    }
    if (const Status written = file_.write_at(end_, bytes); !written) {
        Status undone = file_.truncate(end_);
        if (undone) undone = file_.sync();
        if (!undone) broken_ = undone.error();
        return fail(written.error());
    }
    // After a failed fsync nobody knows what is on the device: only opening the file again tells.
    if (const Status synced = file_.sync(); !synced) {
        broken_ = synced.error();
        (void)file_.truncate(end_);
        return fail(synced.error());
    }
    if (const Status marked = mark(); !marked) {
        Status undone = file_.truncate(end_);
        if (undone) undone = file_.sync();
        if (!undone) broken_ = undone.error();
        return fail(marked.error());
    }
    records_ += bodies.size();
    end_ += bytes.size();
    last_ = last;
    return {};
}

Status RecordLog::clear() {
    if (options_.mode != Mode::kReadWrite) {
        return fail(ErrorCode::kInvalidArgument, path().string() + ": opened for reading only");
    }
    HOLDFAST_TRY(forget_begun(path()));
    begun_ = false;
    HOLDFAST_TRY(file_.truncate(0));
    HOLDFAST_TRY(file_.sync());
    records_ = 0;
    end_ = 0;
    last_ = {};
    broken_.reset();
    return {};
}

Status RecordLog::for_each(const Visitor& visit) const {
    HOLDFAST_ASSIGN(found, scan(options_.max_body_bytes, FileWindow(file_, end_), visit));
    if (found.records != records_) {
        return fail(ErrorCode::kCorrupt, path().string() + ": record " +
                                             std::to_string(found.records) +
                                             " no longer holds; the file was changed or damaged");
    }
    return {};
}

}  // namespace holdfast
