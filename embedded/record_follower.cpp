#include "embedded/record_follower.hpp"

#include "core/codec.hpp"
#include "core/hash.hpp"
#include "storage/begun.hpp"
#include "storage/record_log.hpp"

namespace holdfast {

Result<RecordFollower> RecordFollower::open(const std::filesystem::path& path,
                                            std::uint32_t max_body_bytes) {
    HOLDFAST_TRY(check_not_vanished(path));
    HOLDFAST_ASSIGN(file, File::open(path, File::Mode::kRead));
    return RecordFollower(std::move(file), max_body_bytes);
}

Result<Bytes> RecordFollower::next_record(std::uint64_t file_bytes) const {
    const std::uint64_t left = file_bytes - good_bytes_;
    if (left < kRecordHeaderBytes) return Bytes{};
    std::array<std::uint8_t, 4> length{};
    HOLDFAST_TRY(file_.read_at(good_bytes_, length));
    const std::uint32_t body_bytes = load_le32(length.data());
    if (body_bytes == 0 || body_bytes > max_body_bytes_) return Bytes{};
    if (left - kRecordHeaderBytes < body_bytes) return Bytes{};
    Bytes record(kRecordHeaderBytes + body_bytes);
    HOLDFAST_TRY(file_.read_at(good_bytes_, record));
    // Checksum, length and predecessor at once: only one record has this body at this place.
    if (record != encode_record(last_, ByteView(record).subspan(kRecordHeaderBytes)))
        return Bytes{};
    return record;
}

Status RecordFollower::poll(const Visitor& visit) {
    HOLDFAST_ASSIGN(file_bytes, file_.size());
    if (file_bytes < good_bytes_) {
        return fail(ErrorCode::kCorrupt, file_.path().string() + " has been cut short");
    }
    for (;;) {
        HOLDFAST_ASSIGN(record, next_record(file_bytes));
        if (record.empty()) return {};
        HOLDFAST_TRY(
            visit(good_bytes_ + kRecordHeaderBytes, ByteView(record).subspan(kRecordHeaderBytes)));
        good_bytes_ += record.size();
        last_ = sha256(record);
    }
}

Result<Bytes> RecordFollower::read(std::uint64_t offset, std::uint64_t size) const {
    if (offset > good_bytes_ || size > good_bytes_ - offset) {
        return fail(ErrorCode::kInvalidArgument, "range beyond the records read so far");
    }
    Bytes out(size);
    HOLDFAST_TRY(file_.read_at(offset, out));
    return out;
}

}  // namespace holdfast
