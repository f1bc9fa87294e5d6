#include "clock/clock_store.hpp"

#include <charconv>
#include <map>
#include <mutex>
#include <string_view>

#include "core/codec.hpp"
#include "core/hash.hpp"
#include "storage/begun.hpp"
#include "storage/file.hpp"
#include "storage/record_log.hpp"

namespace holdfast {
namespace {

constexpr const char* kLogFile = "clock.log";
constexpr std::string_view kProofSuffix = ".vdfproof";
constexpr std::string_view kCheckpointSuffix = ".vdf";

enum class Record : std::uint8_t { kHead = 0, kMark = 1, kSettled = 2 };
constexpr std::uint32_t kMaxRecordBytes = 1 + 8 + 4 * 32 + 1;
constexpr std::uint64_t kCheckpointRecordBytes = kRecordHeaderBytes + 8 + 32 + 4 + 32;

/// The largest VDF proof that any network can have: parameters, K + 1 checkpoints, ends.
constexpr std::uint64_t kMaxVdfProofBytes = 2 + kVdfParamsBytes + 8 + 32 +
                                            (std::uint64_t{kMaxCheckpoints} + 1) * kDigestBytes +
                                            32 + 32 + 64;

Bytes standing_alone(const VdfProof& proof) { return wrap_object(Kind::kVdfProof, proof.encode()); }

Result<Bytes> head_of(const NetworkId& network_id, const KeyPair* owner) {
    Signature signature;
    if (owner != nullptr) {
        HOLDFAST_ASSIGN(signed_one, owner->sign(view(tagged_hash("node/clock-marks", network_id))));
        signature = signed_one;
    }
    Writer w(1 + 32 + 64);
    w.u8(static_cast<std::uint8_t>(Record::kHead)).fixed(network_id);
    w.fixed(signature);
    return w.take();
}

/// The number that a file name begins with, up to `end`.
std::optional<Height> height_in(std::string_view name, std::size_t end) {
    std::uint64_t value = 0;
    const auto [last, error] = std::from_chars(name.data(), name.data() + end, value);
    if (error != std::errc() || last != name.data() + end || end == 0) return std::nullopt;
    return Height(value);
}

std::optional<Height> proof_height(std::string_view name) {
    if (!name.ends_with(kProofSuffix)) return std::nullopt;
    return height_in(name, name.size() - kProofSuffix.size());
}

std::optional<Height> checkpoint_height(std::string_view name) {
    if (!name.ends_with(kCheckpointSuffix) || name.find('-') == std::string_view::npos) {
        return std::nullopt;
    }
    return height_in(name, name.find('-'));
}

}  // namespace

struct ClockStore::Impl {
    std::filesystem::path folder;
    ClockFolder access = ClockFolder::kOwn;
    mutable std::mutex mutex;
    std::optional<RecordLog> log;  // where marks are written
    std::map<Height, std::vector<ClockMark>> marks;
    std::optional<Height> settled;

    enum class Head : std::uint8_t { kNone, kOurs, kOtherOwner, kOtherNetwork };
    Result<Head> read(const RecordLog& from, const Bytes& head);
    [[nodiscard]] bool take(ByteView body);
    Status write(ByteView body);
    Status open_own(const NetworkId& network_id, const KeyPair* owner);
    [[nodiscard]] std::filesystem::path checkpoint_path(Height height, const Seed& input) const {
        return folder / (std::to_string(height.value) + "-" + to_hex(input).substr(0, 16) +
                         std::string(kCheckpointSuffix));
    }
};

/// Marks of a log whose first record is `head`; none of any other.
Result<ClockStore::Impl::Head> ClockStore::Impl::read(const RecordLog& from, const Bytes& head) {
    Head found = Head::kNone;
    HOLDFAST_TRY(from.for_each([&](std::uint64_t index, ByteView body) -> Status {
        if (index == 0) {
            const auto begins = [&](std::size_t n) {
                return body.size() == head.size() &&
                       std::equal(body.begin(), body.begin() + n, head.begin());
            };
            found = begins(head.size()) ? Head::kOurs
                    : begins(1 + 32)    ? Head::kOtherOwner
                                        : Head::kOtherNetwork;
        } else if (found == Head::kOurs && !take(body)) {
            return fail(ErrorCode::kCorrupt,
                        from.path().string() + ": record " + std::to_string(index) +
                            " is not one of a clock; remove the file and its marker '" +
                            begun_marker(from.path()).string() +
                            "', and every proof is verified "
                            "again when it is used");
        }
        return {};
    }));
    return found;
}

bool ClockStore::Impl::take(ByteView body) {
    Reader r(body);
    const auto record = static_cast<Record>(r.u8());
    const Height height = r.height();
    if (record == Record::kSettled) {
        if (!r.finish().accepted()) return false;
        settled = height;
        return true;
    }
    ClockMark mark;
    mark.height = height;
    mark.input = r.fixed<Seed>();
    mark.start = r.fixed<Digest>();
    mark.y = r.fixed<VdfOutput>();
    mark.proof = r.fixed<Digest>();
    const std::uint8_t evaluated = r.u8();
    mark.evaluated = evaluated == 1;
    if (record != Record::kMark || !r.finish().accepted() || evaluated > 1) return false;
    std::vector<ClockMark>& list = marks[height];
    std::erase_if(list, [&](const ClockMark& m) { return m.start == mark.start; });
    list.push_back(mark);
    return true;
}

/// With the mutex.
Status ClockStore::Impl::write(ByteView body) {
    if (log) HOLDFAST_TRY(log->append(body));
    HOLDFAST_CHECK(take(body));
    return {};
}

Status ClockStore::Impl::open_own(const NetworkId& network_id, const KeyPair* owner) {
    const std::filesystem::path path = folder / kLogFile;
    HOLDFAST_ASSIGN(head, head_of(network_id, owner));
    const bool writes = access == ClockFolder::kOwn;
    RecordLog::Options options;
    options.mode = writes ? RecordLog::Mode::kReadWrite : RecordLog::Mode::kRead;
    options.max_body_bytes = kMaxRecordBytes;
    options.redoable = true;
    Result<RecordLog> opened = RecordLog::open(path, options);
    if (!opened && !writes && opened.error().code == ErrorCode::kNotFound) return {};
    if (!opened) return fail(opened.error());
    HOLDFAST_ASSIGN(found, read(*opened, head));
    if (found == Head::kOtherNetwork) return fail_refused(Reason::kWrongNetwork, path.string());
    if (!writes) return {};
    log.emplace(std::move(*opened));
    if (found == Head::kOtherOwner) {
        log.reset();
        HOLDFAST_TRY(remove_store_file(path));
        HOLDFAST_ASSIGN(fresh, RecordLog::open(path, options));
        log.emplace(std::move(fresh));
    }
    return found == Head::kOurs ? Status() : log->append(head);
}

ClockStore::ClockStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ClockStore::~ClockStore() = default;

Result<std::unique_ptr<ClockStore>> ClockStore::open(const std::filesystem::path& folder,
                                                     ClockFolder access,
                                                     const NetworkId& network_id,
                                                     const KeyPair* owner) {
    auto impl = std::make_unique<Impl>();
    impl->folder = folder;
    impl->access = access;
    if (access == ClockFolder::kOwn) {
        std::error_code error;
        std::filesystem::create_directories(folder, error);
        if (error) return fail_errno(error.value(), folder.string());
    }
    if (access != ClockFolder::kForeign) HOLDFAST_TRY(impl->open_own(network_id, owner));
    return std::unique_ptr<ClockStore>(new ClockStore(std::move(impl)));
}

// Spec 6 and B57: only full verification makes y usable, and a mark says so.
std::optional<ClockMark> ClockStore::mark(Height height, const Seed& input,
                                          const Digest& start) const {
    const std::lock_guard lock(impl_->mutex);
    const auto found = impl_->marks.find(height);
    if (found == impl_->marks.end()) return std::nullopt;
    for (const ClockMark& m : found->second) {
        if (m.input == input && m.start == start) return m;
    }
    return std::nullopt;
}

bool ClockStore::has_mark(Height height) const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->marks.count(height) > 0;
}

Status ClockStore::keep(const VdfProof& proof, bool evaluated) {
    HOLDFAST_CHECK(!proof.checkpoints.empty());
    const Bytes object = standing_alone(proof);
    Writer w(kMaxRecordBytes);
    w.u8(static_cast<std::uint8_t>(Record::kMark)).height(proof.height).fixed(proof.input);
    w.fixed(proof.checkpoints.front()).fixed(proof.y).fixed(sha256(object));
    w.u8(evaluated ? 1 : 0);
    const std::lock_guard lock(impl_->mutex);
    if (impl_->access == ClockFolder::kOwn) {
        HOLDFAST_TRY(write_file(vdf_proof_file(impl_->folder, proof.height), object, true));
    }
    return impl_->write(w.bytes());
}

Result<VdfProof> ClockStore::file(Height height) const {
    return read_vdf_proof(vdf_proof_file(impl_->folder, height));
}

Result<VdfProof> ClockStore::proof(Height height) const {
    Result<VdfProof> found = file(height);
    const std::string name = vdf_proof_file(impl_->folder, height).string();
    if (impl_->access == ClockFolder::kForeign) return found;
    if (!found && found.error().code == ErrorCode::kRefused) {
        return fail(ErrorCode::kCorrupt, name + ": not the proof that was verified here");
    }
    if (!found) return found;
    const Digest hash = sha256(standing_alone(*found));
    const std::lock_guard lock(impl_->mutex);
    const auto marks = impl_->marks.find(height);
    if (marks == impl_->marks.end()) {
        return fail(ErrorCode::kNotFound, name + " has not been verified by this node");
    }
    for (const ClockMark& m : marks->second) {
        if (m.proof == hash) return found;
    }
    return fail(ErrorCode::kCorrupt, name + ": not the proof that was verified here");
}

std::optional<Height> ClockStore::settled() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->settled;
}

Status ClockStore::settle(Height height) {
    Writer w(1 + 8);
    w.u8(static_cast<std::uint8_t>(Record::kSettled)).height(height);
    const std::lock_guard lock(impl_->mutex);
    return impl_->write(w.bytes());
}

Result<VdfCheckpointFile> ClockStore::checkpoints(Height height, const Seed& input) const {
    if (impl_->access != ClockFolder::kOwn) {
        return fail(ErrorCode::kPermission,
                    impl_->folder.string() + " is open for reading: nothing is evaluated there");
    }
    return VdfCheckpointFile::open(impl_->checkpoint_path(height, input));
}

Status ClockStore::forget_checkpoints(Height height, const Seed& input) const {
    return remove_store_file(impl_->checkpoint_path(height, input));
}

std::vector<KeptCheckpoints> ClockStore::kept_checkpoints() const {
    std::vector<KeptCheckpoints> out;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(impl_->folder, error)) {
        const auto height = checkpoint_height(entry.path().filename().string());
        if (!height) continue;
        const std::uint64_t records = entry.file_size(error) / kCheckpointRecordBytes;
        out.push_back({*height, records > 0 ? records - 1 : 0});
    }
    std::sort(out.begin(), out.end(), [](const KeptCheckpoints& a, const KeptCheckpoints& b) {
        return a.height < b.height;
    });
    return out;
}

Status ClockStore::prune(Height below, const std::function<bool(Height)>& needed) const {
    if (impl_->access != ClockFolder::kOwn) return {};
    const std::optional<Height> done = settled();
    std::vector<std::filesystem::path> old;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(impl_->folder, error)) {
        const std::string name = entry.path().filename().string();
        const auto proof = proof_height(name);
        const auto checkpoints = checkpoint_height(name);
        if ((proof && *proof < below && !needed(*proof)) ||
            (checkpoints && done && *checkpoints <= *done)) {
            old.push_back(entry.path());
        }
    }
    if (error) return fail_errno(error.value(), impl_->folder.string());
    for (const std::filesystem::path& path : old) HOLDFAST_TRY(remove_store_file(path));
    return {};
}

std::filesystem::path vdf_proof_file(const std::filesystem::path& folder, Height height) {
    return folder / (std::to_string(height.value) + std::string(kProofSuffix));
}

Result<VdfProof> read_vdf_proof(const std::filesystem::path& file) {
    HOLDFAST_ASSIGN(object, read_stored_file(file, kMaxVdfProofBytes));
    const Checked<ByteView> body = unwrap_object(Kind::kVdfProof, object);
    if (!body) return fail_refused(body.error(), file.string());
    Checked<VdfProof> proof = VdfProof::decode(*body);
    if (!proof) return fail_refused(proof.error(), file.string());
    return std::move(*proof);
}

}  // namespace holdfast
