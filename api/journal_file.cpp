#include "api/journal_file.hpp"

#include "core/codec.hpp"
#include "storage/begun.hpp"
#include "storage/file.hpp"
#include "storage/record_log.hpp"

namespace holdfast {
namespace {

constexpr std::uint8_t kFirstRecord = 1;
constexpr std::uint8_t kWholeForm = 1;  // from entry 0 on
constexpr std::uint8_t kLaterForm = 2;  // from the number behind it on
constexpr std::uint8_t kEntryRecord = 2;
constexpr std::uint8_t kHeadRecord = 3;
constexpr std::uint32_t kMaxBody = kMaxEntryObjectBytes + 64;
constexpr std::size_t kAtOnce = 128;  // entries in memory

Bytes record(std::uint8_t type, ByteView body) {
    return Writer(body.size() + 1).u8(type).raw(body).take();
}

Bytes first_record(const NetworkParams& params, std::uint64_t first) {
    Writer w(74);
    w.u8(kFirstRecord).u8(first == 0 ? kWholeForm : kLaterForm);
    w.fixed(params.id()).fixed(params.operator_key);
    if (first != 0) w.u64(first);
    return w.take();
}

/// The height whose digest this block entry has closed, as its head's place.
std::optional<Height> closed_by(const NetworkParams& params, const HistoryEntry& entry) {
    const auto* block = std::get_if<BlockEntry>(&entry);
    return block == nullptr ? std::nullopt : anchor_height(params, block->height);
}

Status append_entries(const Registry& registry, RecordLog& log, std::span<const Bytes> entries,
                      const HeadSource& head) {
    std::vector<Bytes> records;
    for (const Bytes& bytes : entries) {
        records.push_back(record(kEntryRecord, bytes));
        const Checked<HistoryEntry> entry = decode_entry(bytes);
        if (!entry) return fail_refused(entry.error(), "an entry of our own journal");
        const std::optional<Height> closed = closed_by(registry.params(), *entry);
        if (!closed || !head) continue;
        HOLDFAST_ASSIGN(its, head(*closed));
        if (its) records.push_back(record(kHeadRecord, its->encode()));
    }
    return log.append_all(std::vector<ByteView>(records.begin(), records.end()));
}

Result<RecordLog> open_for_reading(const std::filesystem::path& path) {
    RecordLog::Options options;
    options.mode = RecordLog::Mode::kRead;
    options.max_body_bytes = kMaxBody;
    return RecordLog::open(path, options);
}

/// The number of the file's first entry.
Result<std::uint64_t> check_first(const NetworkParams& params, ByteView body) {
    Reader r(body);
    const bool first = r.u8() == kFirstRecord;
    const std::uint8_t form = r.u8();
    const auto network = r.fixed<NetworkId>();
    const auto key = r.fixed<PublicKey>();
    const std::uint64_t number = form == kLaterForm ? r.u64() : 0;
    const bool known = first && (form == kWholeForm || (form == kLaterForm && number > 0));
    if (!known || !r.finish()) return fail_refused(Reason::kBadMagic, "a journal file");
    if (network != params.id()) return fail_refused(Reason::kWrongNetwork, "the journal");
    if (key != params.operator_key) return fail_refused(Reason::kNotOperator, "the journal");
    return number;
}

/// The entries behind the head of a height, which stands before them.
Status append_from(const Registry& registry, RecordLog& log, const HeadSource& head,
                   const std::optional<Height>& behind) {
    std::uint64_t first = 0;
    if (behind) {
        HOLDFAST_ASSIGN(body, registry.head_of(*behind));
        body.resize(kHeadBytes);
        const Checked<JournalHead> its = JournalHead::decode(body);
        if (!its) return fail_refused(its.error(), "our own head");
        first = its->size;
    }
    HOLDFAST_TRY(log.append(first_record(registry.params(), first)));
    if (behind && head) {
        HOLDFAST_ASSIGN(its, head(*behind));
        if (its) HOLDFAST_TRY(log.append(record(kHeadRecord, its->encode())));
    }
    HOLDFAST_ASSIGN(size, registry.journal());
    for (std::uint64_t at = first; at < size.entries;) {
        const std::size_t most = std::min<std::uint64_t>(kAtOnce, size.entries - at);
        HOLDFAST_ASSIGN(entries, registry.entries(at, most));
        if (entries.empty()) break;
        HOLDFAST_TRY(append_entries(registry, log, entries, head));
        at += entries.size();
    }
    return {};
}

}  // namespace

Status write_journal(const Registry& registry, const std::filesystem::path& path,
                     const HeadSource& head, const std::optional<Height>& behind) {
    std::error_code failed;
    if (std::filesystem::exists(path, failed)) {
        return fail(ErrorCode::kAlreadyExists, path.string() + " exists already");
    }
    std::filesystem::path partial = path;
    partial += ".partial";
    HOLDFAST_TRY(remove_store_file(partial));
    Status written;
    {
        RecordLog::Options options;
        options.max_body_bytes = kMaxBody;
        HOLDFAST_ASSIGN(log, RecordLog::open(partial, options));
        written = append_from(registry, log, head, behind);
    }
    if (!written) {
        (void)remove_store_file(partial);
        return written;
    }
    // The marker says that this name holds something, and goes before the content does.
    HOLDFAST_TRY(forget_begun(partial));
    std::filesystem::rename(partial, path, failed);
    if (failed) return fail_errno(failed.value(), "cannot publish " + path.string());
    return sync_folder(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

Status check_journal(const std::filesystem::path& path, const NetworkParams& params) {
    HOLDFAST_ASSIGN(log, open_for_reading(path));
    Status found = fail_refused(Reason::kTruncated, "a journal file");
    (void)log.for_each([&](std::uint64_t, ByteView body) -> Status {
        const Result<std::uint64_t> first = check_first(params, body);
        found = first ? Status{} : fail(first.error());
        return fail(ErrorCode::kInterrupted, "enough is read");
    });
    return found;
}

Status read_journal(const std::filesystem::path& path, const NetworkParams& params,
                    const JournalVisitor& visitor) {
    HOLDFAST_ASSIGN(log, open_for_reading(path));
    std::uint64_t number = 0;
    const auto take = [&](std::uint64_t index, ByteView body) -> Status {
        if (index == 0) {
            HOLDFAST_ASSIGN(first, check_first(params, body));
            number = first;
            return {};
        }
        const std::uint8_t type = body[0];
        const ByteView rest = body.subspan(1);
        if (type == kHeadRecord) {
            const Checked<JournalHead> head = JournalHead::decode(rest);
            if (!head) return fail_refused(head.error(), "a head of the journal");
            return visitor.head ? visitor.head(*head) : Status{};
        }
        Checked<HistoryEntry> entry = type == kEntryRecord
                                          ? decode_entry(rest)
                                          : Checked<HistoryEntry>(refuse(Reason::kBadField));
        if (!entry) return fail_refused(entry.error(), "entry " + std::to_string(number));
        const std::uint64_t its = number++;
        return visitor.entry ? visitor.entry(its, std::move(*entry)) : Status{};
    };
    const auto step = [&](std::uint64_t index, ByteView body) -> Status {
        HOLDFAST_TRY(take(index, body));
        return visitor.step ? visitor.step(index + 1, log.records()) : Status{};
    };
    HOLDFAST_TRY(log.for_each(step));
    if (log.records() == 0) return fail_refused(Reason::kTruncated, "a journal file");
    if (log.recovery().cut_bytes == 0) return {};
    return fail(ErrorCode::kCorrupt, path.string() + ": damaged, cut or reordered behind entry " +
                                         std::to_string(number) + " (" +
                                         std::to_string(log.recovery().cut_bytes) +
                                         " bytes cannot be read)");
}

}  // namespace holdfast
