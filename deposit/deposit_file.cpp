#include "deposit/deposit_file.hpp"

#include "core/codec.hpp"
#include "storage/begun.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

enum class Note : std::uint8_t { kOpened = 1, kPiece = 2, kStage = 3, kWish = 4 };

RecordLog::Options log_options() {
    RecordLog::Options options;
    options.max_body_bytes = 1'024;
    return options;
}

Writer begin_note(Note note) {
    Writer w(64);
    w.u8(static_cast<std::uint8_t>(note));
    return w;
}

}  // namespace

Result<DepositFile> DepositFile::create(const fs::path& folder, const DepositId& id,
                                        const DepositTerms& terms, std::uint64_t bytes,
                                        std::uint64_t now_ms) {
    const fs::path file = folder / (to_hex(id) + std::string(kDepositSuffix));
    std::error_code ignored;
    if (fs::exists(file, ignored)) {
        return fail(ErrorCode::kAlreadyExists, file.string() + " is there already");
    }
    HOLDFAST_ASSIGN(log, RecordLog::open(file, log_options()));
    DepositFile out(std::move(log));
    HOLDFAST_TRY(out.append(
        begin_note(Note::kOpened).fixed(id).raw(terms.encode()).u64(bytes).u64(now_ms).take()));
    HOLDFAST_TRY(sync_folder(folder));
    return out;
}

Result<DepositFile> DepositFile::open(const fs::path& file) {
    HOLDFAST_ASSIGN(log, RecordLog::open(file, log_options()));
    DepositFile out(std::move(log));
    if (out.log_.records() == 0)
        return fail(ErrorCode::kNotFound, file.string() + " holds nothing");
    HOLDFAST_TRY(out.log_.for_each([&](std::uint64_t, ByteView record) -> Status {
        if (const Verdict v = out.take(record); !v) {
            return fail(ErrorCode::kCorrupt, file.string() + " is damaged: " + to_string(v));
        }
        return {};
    }));
    return out;
}

Verdict DepositFile::take(ByteView record) {
    Reader r(record);
    const auto note = static_cast<Note>(r.u8());
    if ((note == Note::kOpened) != (bytes_ == 0)) return Reason::kBadField;
    if (note == Note::kOpened) {
        id_ = r.fixed<DepositId>();
        const auto terms = DepositTerms::decode(r.raw(kDepositTermsBytes));
        if (!terms) return terms.error();
        terms_ = *terms;
        terms_digest_ = terms_.digest();
        bytes_ = r.u64();
        if (bytes_ == 0 || bytes_ > kMaxDataBytes) return Reason::kBadField;
        opened_ms_ = stage_ms_ = r.u64();
        pieces_.resize(piece_count(bytes_));
    } else if (note == Note::kPiece) {
        const std::uint64_t index = r.u64();
        const auto root = r.fixed<Digest>();
        if (index >= pieces_.size()) return Reason::kBadIndex;
        pieces_[index] = root;
    } else if (note == Note::kStage) {
        stage_ = static_cast<DepositPhase>(r.u8());
        reason_ = static_cast<DepositReason>(r.u8());
        stage_ms_ = r.u64();
        replica_ = r.fixed<ReplicaId>();
        if (static_cast<std::uint8_t>(reason_) > kLastDepositReason) return Reason::kBadField;
    } else if (note == Note::kWish) {
        wish_ = r.u64();
    } else {
        return Reason::kBadKind;
    }
    return r.finish();
}

Status DepositFile::append(const Bytes& record) {
    HOLDFAST_TRY(log_.append(record));
    HOLDFAST_CHECK(take(record).accepted());
    return {};
}

Status DepositFile::note_piece(std::uint64_t index, const Digest& root) {
    return append(begin_note(Note::kPiece).u64(index).fixed(root).take());
}

Status DepositFile::note_stage(DepositPhase stage, DepositReason reason, std::uint64_t now_ms,
                               const ReplicaId& replica) {
    return append(begin_note(Note::kStage)
                      .u8(static_cast<std::uint8_t>(stage))
                      .u8(static_cast<std::uint8_t>(reason))
                      .u64(now_ms)
                      .fixed(replica)
                      .take());
}

Status DepositFile::note_wish(std::uint64_t counter) {
    return append(begin_note(Note::kWish).u64(counter).take());
}

std::vector<Digest> DepositFile::arrived() const {
    std::vector<Digest> out;
    for (const auto& piece : pieces_) {
        if (!piece) break;
        out.push_back(*piece);
    }
    return out;
}

fs::path DepositFile::file(std::string_view suffix) const {
    return fs::path(log_.path()).replace_extension(suffix);
}

void DepositFile::remove_data() const {
    std::error_code ignored;
    for (const char* suffix : {".part", ".raw", ".registration", ".replica", ".sealed", ".tree"}) {
        fs::remove(file(suffix), ignored);
    }
    // What an unfinished sealing left: hidden files that bear the deposit's name.
    const std::string hidden = "." + to_hex(id_);
    std::vector<fs::path> left;
    for (fs::directory_iterator at(log_.path().parent_path(), ignored), end; !ignored && at != end;
         at.increment(ignored)) {
        if (at->path().filename().string().starts_with(hidden)) left.push_back(at->path());
    }
    for (const fs::path& one : left) fs::remove(one, ignored);
}

Status DepositFile::remove() {
    remove_data();
    return remove_store_file(log_.path());
}

}  // namespace holdfast
