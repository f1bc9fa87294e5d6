#include "api/head_file.hpp"

#include "core/codec.hpp"
#include "storage/record_log.hpp"

namespace holdfast {
namespace {

constexpr std::uint8_t kHeadFileForm = 1;
constexpr std::uint64_t kFirstBytes = 1 + 32 + 32;
constexpr std::uint64_t kPlaceBytes = kHeadBytes + 4;

}  // namespace

Result<std::unique_ptr<HeadFile>> HeadFile::open(const std::filesystem::path& path,
                                                 const NetworkParams& params) {
    HOLDFAST_ASSIGN(file, File::open(path, File::Mode::kCreate));
    HOLDFAST_ASSIGN(size, file.size());
    const Bytes first =
        Writer(kFirstBytes).u8(kHeadFileForm).fixed(params.id()).fixed(params.operator_key).take();
    if (size < kFirstBytes) {
        HOLDFAST_TRY(file.write_at(0, first));
        HOLDFAST_TRY(file.sync());
    } else {
        Bytes stands(kFirstBytes);
        HOLDFAST_TRY(file.read_at(0, stands));
        if (stands[0] != kHeadFileForm) {
            return fail(ErrorCode::kCorrupt, path.string() + " is no file of heads");
        }
        if (!std::equal(first.begin(), first.begin() + 33, stands.begin())) {
            return fail_refused(Reason::kWrongNetwork, path.string());
        }
        if (stands != first) return fail_refused(Reason::kNotOperator, path.string());
    }
    std::unique_ptr<HeadFile> out(new HeadFile(std::move(file), params.genesis_height));
    HOLDFAST_TRY(out->find_newest());
    return out;
}

Status HeadFile::find_newest() {
    HOLDFAST_ASSIGN(size, file_.size());
    const std::uint64_t places = size <= kFirstBytes ? 0 : (size - kFirstBytes) / kPlaceBytes;
    for (std::uint64_t n = places; n > 0 && !newest_; --n) {
        HOLDFAST_ASSIGN(head, read(first_ + (n - 1)));
        newest_ = head;
    }
    return {};
}

Result<std::optional<JournalHead>> HeadFile::read(Height height) const {
    Bytes place(kPlaceBytes);
    HOLDFAST_ASSIGN(got,
                    file_.read_some_at(kFirstBytes + kPlaceBytes * height.since(first_), place));
    const ByteView body = ByteView(place).first(kHeadBytes);
    const bool whole = got == kPlaceBytes && load_le32(place.data() + kHeadBytes) == crc32c(body);
    if (!whole) return std::optional<JournalHead>();
    const Checked<JournalHead> head = JournalHead::decode(body);
    if (!head || head->height != height) return std::optional<JournalHead>();
    return std::optional(*head);
}

Result<std::optional<JournalHead>> HeadFile::head(Height height) const {
    if (height < first_) return std::optional<JournalHead>();
    const std::lock_guard lock(mutex_);
    return read(height);
}

std::optional<JournalHead> HeadFile::newest() const {
    const std::lock_guard lock(mutex_);
    return newest_;
}

Status HeadFile::keep(const JournalHead& head) {
    if (head.height < first_) {
        return fail(ErrorCode::kInvalidArgument, "a head from before the network's first height");
    }
    const Bytes body = head.encode();
    const Bytes place = Writer(kPlaceBytes).raw(body).u32(crc32c(body)).take();
    const std::lock_guard lock(mutex_);
    HOLDFAST_TRY(file_.write_at(kFirstBytes + kPlaceBytes * head.height.since(first_), place));
    if (!newest_ || newest_->height <= head.height) newest_ = head;
    return {};
}

Status HeadFile::sync() {
    const std::lock_guard lock(mutex_);
    return file_.sync();
}

}  // namespace holdfast
