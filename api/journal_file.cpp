#include "api/journal_file.hpp"

#include "core/codec.hpp"
#include "storage/file.hpp"
#include "storage/record_log.hpp"

namespace holdfast {
namespace {

constexpr std::uint8_t kFirstRecord = 1;
constexpr std::uint8_t kForm = 1;
constexpr std::uint8_t kEntryRecord = 2;
constexpr std::uint8_t kHeadRecord = 3;
constexpr std::uint32_t kMaxBody = kMaxEntryObjectBytes + 64;
constexpr std::size_t kAtOnce = 1'024;  // entries in memory

Bytes record(std::uint8_t type, ByteView body) {
    return Writer(body.size() + 1).u8(type).raw(body).take();
}

Bytes first_record(const NetworkParams& params) {
    return Writer(66)
        .u8(kFirstRecord)
        .u8(kForm)
        .fixed(params.id())
        .fixed(params.operator_key)
        .take();
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

Status check_first(const NetworkParams& params, ByteView body) {
    Reader r(body);
    const bool form = r.u8() == kFirstRecord && r.u8() == kForm;
    const auto network = r.fixed<NetworkId>();
    const auto key = r.fixed<PublicKey>();
    if (!form || !r.finish()) return fail_refused(Reason::kBadMagic, "a journal file");
    if (network != params.id()) return fail_refused(Reason::kWrongNetwork, "the journal");
    if (key != params.operator_key) return fail_refused(Reason::kNotOperator, "the journal");
    return {};
}

}  // namespace

Status write_journal(const Registry& registry, const std::filesystem::path& path,
                     const HeadSource& head) {
    std::error_code failed;
    if (std::filesystem::exists(path, failed)) {
        return fail(ErrorCode::kAlreadyExists, path.string() + " exists already");
    }
    std::filesystem::path partial = path;
    partial += ".partial";
    std::filesystem::remove(partial, failed);
    {
        RecordLog::Options options;
        options.max_body_bytes = kMaxBody;
        HOLDFAST_ASSIGN(log, RecordLog::open(partial, options));
        HOLDFAST_TRY(log.append(first_record(registry.params())));
        HOLDFAST_ASSIGN(size, registry.journal());
        for (std::uint64_t at = 0; at < size.entries;) {
            const std::size_t most = std::min<std::uint64_t>(kAtOnce, size.entries - at);
            HOLDFAST_ASSIGN(entries, registry.entries(at, most));
            if (entries.empty()) break;
            HOLDFAST_TRY(append_entries(registry, log, entries, head));
            at += entries.size();
        }
    }
    std::filesystem::rename(partial, path, failed);
    if (failed) return fail_errno(failed.value(), "cannot publish " + path.string());
    return sync_folder(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

Status read_journal(const std::filesystem::path& path, const NetworkParams& params,
                    const JournalVisitor& visitor) {
    RecordLog::Options options;
    options.mode = RecordLog::Mode::kRead;
    options.max_body_bytes = kMaxBody;
    HOLDFAST_ASSIGN(log, RecordLog::open(path, options));
    std::uint64_t number = 0;
    HOLDFAST_TRY(log.for_each([&](std::uint64_t index, ByteView body) -> Status {
        if (index == 0) return check_first(params, body);
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
        if (!entry) {
            return fail_refused(entry.error(), "entry " + std::to_string(number));
        }
        return visitor.entry(number++, std::move(*entry));
    }));
    if (log.records() == 0) return fail_refused(Reason::kTruncated, "a journal file");
    if (log.recovery().cut_bytes == 0) return {};
    return fail(ErrorCode::kCorrupt, path.string() + ": damaged, cut or reordered behind entry " +
                                         std::to_string(number) + " (" +
                                         std::to_string(log.recovery().cut_bytes) +
                                         " bytes cannot be read)");
}

}  // namespace holdfast
