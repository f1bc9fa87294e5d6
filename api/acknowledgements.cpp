#include "api/acknowledgements.hpp"

#include <algorithm>
#include <utility>

#include "core/hash.hpp"
#include "proofs/journal.hpp"
#include "storage/begun.hpp"
#include "storage/numbered_files.hpp"

namespace holdfast {
namespace {

constexpr std::uint8_t kHead = 1;
constexpr std::uint8_t kTaken = 3;
constexpr std::uint8_t kForm = 1;
constexpr std::uint32_t kMaxBodyBytes = kMaxEntryObjectBytes + 64;
constexpr std::size_t kFilesKept = 2;
constexpr std::string_view kSuffix = ".acks";
constexpr std::string_view kSentSuffix = ".sent";
constexpr std::string_view kTakenSuffix = ".taken";  // acknowledged, its bytes still of use
constexpr std::size_t kSentHeadBytes = 2 * kDigestBytes + 8;  // network, prover, last tip
// digest, kind, height, chain, members, entry
constexpr std::size_t kObjectBytes = 32 + 1 + 1 + 8 + 1 + 32 + 4 + 1 + 8;

RecordLog::Options log_options(RecordLog::Mode mode) {
    RecordLog::Options options;
    options.mode = mode;
    options.max_body_bytes = kMaxBodyBytes;
    options.max_cut_bytes = kRecordHeaderBytes + kMaxBodyBytes;
    return options;
}

tl::unexpected<Error> damaged(const std::filesystem::path& path, const std::string& what) {
    return fail(ErrorCode::kCorrupt, path.string() + ": " + what);
}

std::filesystem::path message_file(const std::filesystem::path& folder, const Digest& message,
                                   std::string_view suffix) {
    return folder / to_hex(view(message)).append(suffix);
}

std::filesystem::path file_in(const std::filesystem::path& folder, std::uint64_t number) {
    return numbered_file(folder, number, kSuffix);
}

// --- records -------------------------------------------------------------------------------------

/// The highest height that the objects are of: the prover's own word, not the node's.
Height highest(std::span<const AcknowledgedObject> objects) {
    Height out{};
    for (const AcknowledgedObject& o : objects) out = std::max(out, o.height.value_or(Height{}));
    return out;
}

template <class T, class Write>
void optional(Writer& w, const std::optional<T>& value, const Write& write) {
    w.u8(value ? 1 : 0);
    write(value.value_or(T{}));
}

void encode(Writer& w, const AcknowledgedObject& o) {
    w.fixed(o.digest).u8(static_cast<std::uint8_t>(o.kind));
    optional(w, o.height, [&](Height h) { w.height(h); });
    optional(w, o.chain_id, [&](const ChainId& id) { w.fixed(id); });
    w.u32(o.members);
    optional(w, o.entry, [&](std::uint64_t n) { w.u64(n); });
}

AcknowledgedObject decode_object(Reader& r) {
    AcknowledgedObject o;
    o.digest = r.fixed<Digest>();
    o.kind = static_cast<Kind>(r.u8());
    const bool has_height = r.u8() == 1;
    const Height height = r.height();
    if (has_height) o.height = height;
    const bool has_chain = r.u8() == 1;
    const auto chain_id = r.fixed<ChainId>();
    if (has_chain) o.chain_id = chain_id;
    o.members = r.u32();
    const bool has_entry = r.u8() == 1;
    const std::uint64_t entry = r.u64();
    if (has_entry) o.entry = entry;
    return o;
}

Bytes encode_taken(const KeptAcknowledgement& kept) {
    Writer w(1 + kAcknowledgementBytes + 4 + kept.objects.size() * kObjectBytes);
    w.u8(kTaken).raw(kept.acknowledgement.encode());
    w.u32(static_cast<std::uint32_t>(kept.objects.size()));
    for (const AcknowledgedObject& o : kept.objects) encode(w, o);
    return w.take();
}

/// Behind the type.
Checked<KeptAcknowledgement> decode_taken(Reader& r) {
    KeptAcknowledgement out;
    const Checked<Acknowledgement> acknowledgement =
        Acknowledgement::decode(r.raw(kAcknowledgementBytes));
    if (!acknowledgement) return refuse(acknowledgement.error());
    out.acknowledgement = *acknowledgement;
    const std::uint32_t count = r.u32();
    if (r.remaining() != count * kObjectBytes) return refuse(Reason::kTruncated);
    out.objects.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i) out.objects.push_back(decode_object(r));
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

/// The highest height that anything was of when the file was begun.
Result<Height> read_head(const RecordLog& log, ByteView body, const NetworkId& network_id,
                         const std::optional<PublicKey>& prover, std::uint64_t number) {
    Reader r(body);
    const std::uint8_t type = r.u8();
    const std::uint8_t form = r.u8();
    if (!r.failed() && type == kHead && form > kForm) {
        return fail(ErrorCode::kUnsupported, log.path().string() + ": of a newer build");
    }
    const auto network = r.fixed<NetworkId>();
    const auto owner = r.fixed<PublicKey>();
    const std::uint64_t own_number = r.u64();
    const Height begin = r.height();
    if (!r.finish() || type != kHead || form != kForm || own_number != number) {
        return damaged(log.path(), "the first record is not that of this file");
    }
    if (network != network_id) return fail_refused(Reason::kWrongNetwork, log.path().string());
    if (prover && owner != *prover) {
        return fail_refused(Reason::kBadKey, log.path().string() + ", of another key");
    }
    return begin;
}

}  // namespace

// Spec 7 and 3.1: where kinds that a prover hands over have their fields.
AcknowledgedObject AcknowledgedObject::of(ByteView object,
                                          const std::optional<std::uint64_t>& entry) {
    AcknowledgedObject out;
    out.digest = sha256(object);
    out.entry = entry;
    const Checked<Kind> kind = peek_kind(object);
    if (!kind) return out;
    out.kind = *kind;
    Reader r(object.subspan(2));
    if (*kind == Kind::kBundle) {
        (void)r.fixed<PublicKey>();
        const Height height = r.height();
        (void)r.fixed<GlobalDigest>();
        out.members = r.u32();
        if (!r.failed()) out.height = height;
    } else if (*kind == Kind::kShortCompact || *kind == Kind::kShortFull ||
               *kind == Kind::kSealProof) {
        const auto chain_id = r.fixed<ChainId>();
        const Height height = r.height();
        if (r.failed()) return out;
        out.chain_id = chain_id;
        out.height = height;
    }
    return out;
}

// --- opening -------------------------------------------------------------------------------------

Acknowledgements::Acknowledgements(std::filesystem::path folder, const NetworkId& network_id,
                                   const PublicKey& prover, const Options& options, File lock)
    : folder_(std::move(folder)),
      network_id_(network_id),
      prover_(prover),
      options_(options),
      lock_(std::move(lock)) {}

Result<Acknowledgements> Acknowledgements::open(const std::filesystem::path& folder,
                                                const NetworkId& network_id,
                                                const PublicKey& prover, const Options& options) {
    if (options.kept_heights < 2) {
        return fail(ErrorCode::kInvalidArgument, "acknowledgements of two heights must stay");
    }
    HOLDFAST_TRY(check_not_vanished(folder));
    std::error_code error;
    std::filesystem::create_directory(folder, error);
    if (error) return fail_errno(error.value(), "cannot make folder " + folder.string());
    HOLDFAST_ASSIGN(lock, File::open(folder / "lock", File::Mode::kCreate, 0600));
    if (const Status locked = lock.lock_exclusive(); !locked) {
        if (locked.error().code != ErrorCode::kBusy) return fail(locked.error());
        return fail(ErrorCode::kBusy, folder.string() + ": another process writes there");
    }
    Acknowledgements out(folder, network_id, prover, options, std::move(lock));
    HOLDFAST_TRY(out.load());
    HOLDFAST_TRY(out.load_messages());
    HOLDFAST_TRY(mark_begun(folder));
    return out;
}

Status Acknowledgements::load() {
    HOLDFAST_ASSIGN(numbers, numbered_files(folder_, kSuffix));
    if (numbers.empty()) {
        HOLDFAST_ASSIGN(begun, has_begun(folder_));
        return begun ? Status(vanished(folder_)) : start_file(1);
    }
    for (const std::uint64_t number : numbers) {
        const bool newest = number == numbers.back();
        HOLDFAST_ASSIGN(log, RecordLog::open(file_in(folder_, number),
                                             log_options(newest ? RecordLog::Mode::kReadWrite
                                                                : RecordLog::Mode::kRead)));
        files_[number] = 0;
        begin_.reset();
        // Interrupted while it was made: nothing can have been recorded in it.
        if (log.records() == 0 && newest) {
            log_.emplace(std::move(log));
            return start_file(number);
        }
        HOLDFAST_TRY(load_file(log, number));
        if (newest) log_.emplace(std::move(log));
    }
    return {};
}

Status Acknowledgements::load_file(const RecordLog& log, std::uint64_t number) {
    return log.for_each([&](std::uint64_t index, ByteView body) -> Status {
        if (index == 0) {
            HOLDFAST_ASSIGN(begin, read_head(log, body, network_id_, prover_, number));
            note(begin, 0);
            return {};
        }
        Reader r(body);
        const std::uint8_t type = r.u8();
        if (type == kTaken - 1 || type == kTaken + 1) return {};  // of builds before DIGEST.sent
        const Checked<KeptAcknowledgement> kept =
            type == kTaken ? decode_taken(r) : refuse(Reason::kBadKind);
        if (!kept) return damaged(log.path(), "a record does not decode");
        note(highest(kept->objects), 1);
        unchecked_.try_emplace(kept->acknowledgement.object, Unchecked{*kept, number});
        return {};
    });
}

/// The messages in the folder. Of what is acknowledged without one nothing is left to check; what
/// was acknowledged before its file had another name is settled.
Status Acknowledgements::load_messages() {
    const auto acknowledged = std::exchange(unchecked_, {});
    std::vector<std::filesystem::path> found;
    std::error_code error;
    for (std::filesystem::directory_iterator at(folder_, error), end; !error && at != end;
         at.increment(error)) {
        const std::filesystem::path suffix = at->path().extension();
        if (suffix == ".tmp") std::filesystem::remove(at->path(), error);  // a crash while writing
        if (error) break;
        if (suffix == kSentSuffix || suffix == kTakenSuffix) found.push_back(at->path());
    }
    if (error) return fail_errno(error.value(), "cannot list " + folder_.string());
    for (const std::filesystem::path& path : found) {
        HOLDFAST_ASSIGN(sent, read_message(path));
        const Digest digest = sha256(sent.message);
        if (path.stem() != to_hex(view(digest))) {
            return damaged(path, "is not the message that was sent; remove it");
        }
        const auto known = acknowledged.find(digest);
        if (path.extension() == kSentSuffix) {
            unsettled_[digest] = std::move(sent);
            if (known != acknowledged.end()) HOLDFAST_TRY(settle(known->second));
        } else if (known != acknowledged.end()) {
            unchecked_.insert(*known);
        } else {
            HOLDFAST_TRY(remove_message(digest, kTakenSuffix));
        }
    }
    return {};
}

Result<SentMessage> Acknowledgements::read_message(const std::filesystem::path& path) const {
    HOLDFAST_ASSIGN(bytes, read_file(path, kSentHeadBytes + kMaxEntryObjectBytes));
    Reader r(bytes);
    const auto network = r.fixed<NetworkId>();
    const auto prover = r.fixed<PublicKey>();
    SentMessage sent;
    sent.last_tip = r.height();
    const ByteView message = r.raw(r.remaining());
    sent.message.assign(message.begin(), message.end());
    if (r.failed() || network != network_id_ || prover != prover_) {
        return damaged(path, "is no message of this key that was sent; remove it");
    }
    return sent;
}

Status Acknowledgements::for_each(const std::filesystem::path& folder, const NetworkId& network_id,
                                  const Visitor& visit) {
    HOLDFAST_ASSIGN(numbers, numbered_files(folder, kSuffix));
    for (const std::uint64_t number : numbers) {
        Result<RecordLog> log =
            RecordLog::open(file_in(folder, number), log_options(RecordLog::Mode::kRead));
        // Let go, or not begun, since the folder was listed.
        if (!log && log.error().code == ErrorCode::kNotFound) continue;
        if (!log) return fail(log.error());
        HOLDFAST_TRY(log->for_each([&](std::uint64_t index, ByteView body) -> Status {
            if (index == 0) {
                const Result<Height> begin =
                    read_head(*log, body, network_id, std::nullopt, number);
                return begin ? Status{} : fail(begin.error());
            }
            Reader r(body);
            if (r.u8() != kTaken) return {};
            const Checked<KeptAcknowledgement> kept = decode_taken(r);
            if (!kept) return damaged(log->path(), "a record does not decode");
            return visit(*kept);
        }));
    }
    return {};
}

// --- writing -------------------------------------------------------------------------------------

void Acknowledgements::note(Height height, std::uint64_t acknowledgements) {
    files_.rbegin()->second += acknowledgements;
    kept_ += acknowledgements;
    highest_ = std::max(highest_, height);
    if (!begin_ && height != Height{}) begin_ = highest_;
}

Status Acknowledgements::start_file(std::uint64_t number) {
    if (!log_ || files_.empty() || files_.rbegin()->first != number) {
        HOLDFAST_ASSIGN(log, RecordLog::open(file_in(folder_, number),
                                             log_options(RecordLog::Mode::kReadWrite)));
        log_.emplace(std::move(log));
    }
    Writer w(2 + 2 * kDigestBytes + 16);
    w.u8(kHead).u8(kForm).fixed(network_id_).fixed(prover_).u64(number).height(highest_);
    HOLDFAST_TRY(log_->append(w.bytes()));
    HOLDFAST_TRY(sync_folder(folder_));
    files_[number] = 0;
    begin_.reset();
    note(highest_, 0);
    return {};
}

/// A new file once the newest holds as many heights as are kept; the oldest goes. Answers to old
/// audits are of low heights: they neither begin nor end a file.
Status Acknowledgements::make_room(Height height) {
    if (!begin_ || height < *begin_ + options_.kept_heights) return {};
    HOLDFAST_TRY(start_file(files_.rbegin()->first + 1));
    while (files_.size() > kFilesKept) {
        HOLDFAST_TRY(remove_store_file(file_in(folder_, files_.begin()->first)));
        kept_ -= files_.begin()->second;
        files_.erase(files_.begin());
    }
    std::vector<Digest> gone;
    for (const auto& [message, taken] : unchecked_) {
        if (!files_.contains(taken.file)) gone.push_back(message);
    }
    for (const Digest& message : gone) HOLDFAST_TRY(checked(message));
    return sync_folder(folder_);
}

Status Acknowledgements::append(ByteView body, Height height) {
    HOLDFAST_TRY(make_room(height));
    return log_->append(body);
}

Status Acknowledgements::note_sent(const SentMessage& sent) {
    if (sent.message.size() > kMaxEntryObjectBytes) {
        return fail(ErrorCode::kInvalidArgument, "a message larger than what travels");
    }
    const Digest digest = sha256(sent.message);
    if (unsettled_.contains(digest)) return {};
    Writer w(kSentHeadBytes + sent.message.size());
    w.fixed(network_id_).fixed(prover_).height(sent.last_tip).raw(sent.message);
    HOLDFAST_TRY(
        write_file(message_file(folder_, digest, kSentSuffix), w.bytes(), /*replace=*/true, 0600));
    unsettled_[digest] = sent;
    return {};
}

/// A removal that a crash undoes costs sending, or checking, once more.
Status Acknowledgements::remove_message(const Digest& message, std::string_view suffix) {
    std::error_code error;
    std::filesystem::remove(message_file(folder_, message, suffix), error);
    if (error) return fail_errno(error.value(), "cannot remove a file in " + folder_.string());
    return {};
}

Status Acknowledgements::give_up(const Digest& message) {
    if (unsettled_.erase(message) == 0) return {};
    return remove_message(message, kSentSuffix);
}

/// Its bytes stay until somebody has seen that it stands where it must.
Status Acknowledgements::settle(const Unchecked& taken) {
    const Digest& message = taken.kept.acknowledgement.object;
    if (unsettled_.erase(message) == 0) return {};
    std::error_code error;
    std::filesystem::rename(message_file(folder_, message, kSentSuffix),
                            message_file(folder_, message, kTakenSuffix), error);
    if (error) return fail_errno(error.value(), "cannot rename a file in " + folder_.string());
    unchecked_.insert_or_assign(message, taken);
    return {};
}

std::vector<KeptAcknowledgement> Acknowledgements::unchecked() const {
    std::vector<KeptAcknowledgement> out;
    for (const auto& [message, taken] : unchecked_) out.push_back(taken.kept);
    return out;
}

Result<Bytes> Acknowledgements::message(const Digest& message) const {
    HOLDFAST_ASSIGN(sent, read_message(message_file(folder_, message, kTakenSuffix)));
    return std::move(sent.message);
}

Status Acknowledgements::checked(const Digest& message) {
    if (unchecked_.erase(message) == 0) return {};
    return remove_message(message, kTakenSuffix);
}

// Spec 13: of the node that is meant, and of this message.
Status Acknowledgements::take(const PublicKey& host, ByteView message,
                              std::span<const AcknowledgedObject> objects,
                              const Acknowledgement& acknowledgement) {
    const Verdict v = check_acknowledgement(network_id_, host, message, acknowledgement);
    if (!v) return fail_refused(v, "acknowledgement of node " + to_hex(view(host)).substr(0, 16));
    const Bytes body = encode_taken({acknowledgement, {objects.begin(), objects.end()}});
    if (body.size() > kMaxBodyBytes) {
        return fail(ErrorCode::kInvalidArgument, "a batch of too many objects");
    }
    const Height height = highest(objects);
    HOLDFAST_TRY(append(body, height));
    note(height, 1);
    return settle({{acknowledgement, {objects.begin(), objects.end()}}, files_.rbegin()->first});
}

}  // namespace holdfast
