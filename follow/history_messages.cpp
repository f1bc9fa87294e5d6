#include "follow/history_messages.hpp"

#include "follow/message_parts.hpp"
#include "follow/messages.hpp"

namespace holdfast {
namespace {

// Numbers of questions and of their answers: places in the variants.
constexpr std::uint8_t kFirst = 16;
constexpr std::uint8_t kEnd = kFirst + std::variant_size_v<HistoryQuestion>;
static_assert(std::variant_size_v<HistoryQuestion> == std::variant_size_v<HistoryAnswer>);
enum class What : std::uint8_t {
    kEntries = kFirst,
    kHashes,
    kHeads,
    kConsistency,
    kInclusion,
    kBlocks,
    kStates,
    kStatePiece,
    kLedger,
    kLedgerPiece,
};

constexpr std::size_t kLeastEntry = 4;  // its length
constexpr std::size_t kLeastBlock = 32 + 8 + 4 + 4;
constexpr std::size_t kStateBytes = 16;

/// How much an asker takes: 1 to `most`.
std::uint32_t read_most(Reader& r, std::uint32_t most) {
    const std::uint32_t wanted = r.u32();
    if (!r.failed() && wanted == 0) r.refuse(Reason::kBadField);
    if (wanted > most) r.refuse(Reason::kTooLarge);
    return wanted;
}

void write(Writer& w, const EntriesQuestion& q) { w.u64(q.first).u32(q.most_bytes); }
void write(Writer& w, const EntryHashesQuestion& q) { w.u64(q.first).u32(q.count); }
void write(Writer& w, const HeadsQuestion& q) { w.height(q.from).u32(q.count); }
void write(Writer& w, const ConsistencyQuestion& q) { w.u64(q.older).u64(q.size); }
void write(Writer& w, const InclusionQuestion& q) { w.u64(q.entry).u64(q.size); }
void write(Writer& w, const BlocksQuestion& q) {
    w.height(q.height).u32(q.first).u32(q.most_bytes);
}
void write(Writer&, const StatesQuestion&) {}
void write(Writer& w, const StatePieceQuestion& q) {
    w.height(q.height).u64(q.offset).u32(q.most_bytes);
}
void write(Writer&, const LedgerQuestion&) {}
void write(Writer& w, const LedgerPieceQuestion& q) {
    w.fixed(q.copy).u64(q.offset).u32(q.most_bytes);
}

void write_all(Writer& w, const std::vector<Bytes>& parts) {
    w.u32(static_cast<std::uint32_t>(parts.size()));
    for (const Bytes& part : parts) write_bytes(w, part);
}

void write(Writer& w, const EntriesPage& a) {
    w.u64(a.first).u64(a.total);
    write_all(w, a.entries);
}
void write(Writer& w, const EntryHashesPage& a) {
    w.u64(a.first).u64(a.total);
    write_hashes(w, a.hashes);
}
void write(Writer& w, const HeadsPage& a) {
    w.height(a.from).u8(a.closed ? 1 : 0);
    if (a.closed) w.height(*a.closed);
    w.u32(static_cast<std::uint32_t>(a.heads.size()));
    for (const JournalHead& head : a.heads) head.encode(w);
}
void write(Writer& w, const ConsistencyPath& a) {
    w.u64(a.older).u64(a.size);
    write_hashes(w, a.path);
}
void write(Writer& w, const InclusionPath& a) {
    w.u64(a.entry).u64(a.size).fixed(a.hash);
    write_hashes(w, a.path);
}
void write(Writer& w, const BlocksPage& a) {
    w.height(a.height).u32(a.first).height(a.tip);
    w.u32(static_cast<std::uint32_t>(a.blocks.size()));
    for (const ListedPage& block : a.blocks) {
        w.fixed(block.hash).u64(block.time_ms).u32(block.total);
        write_all(w, block.listed);
    }
}
void write(Writer& w, const StatesList& a) {
    w.u32(static_cast<std::uint32_t>(a.states.size()));
    for (const StateFile& state : a.states) w.height(state.height).u64(state.bytes);
}
void write(Writer& w, const StatePiece& a) {
    w.height(a.height).u64(a.offset);
    write_bytes(w, a.bytes);
}
void write(Writer& w, const LedgerCopy& a) { w.fixed(a.copy).u64(a.bytes); }
void write(Writer& w, const LedgerPiece& a) {
    w.fixed(a.copy).u64(a.offset);
    write_bytes(w, a.bytes);
}

EntriesPage read_entries(Reader& r) {
    EntriesPage out;
    out.first = r.u64();
    out.total = r.u64();
    out.entries.resize(read_list(r, kMaxHistoryPage / kLeastEntry, kLeastEntry));
    for (Bytes& entry : out.entries) {
        entry = read_bytes(r, kMaxEntryObjectBytes + 1);
        if (!r.failed() && entry.empty()) r.refuse(Reason::kBadField);
        if (r.failed()) return out;
    }
    const bool fits =
        out.first <= out.total && out.entries.size() <= out.total - std::min(out.first, out.total);
    if (!r.failed() && !fits) r.refuse(Reason::kBadIndex);
    return out;
}

EntryHashesPage read_entry_hashes(Reader& r) {
    EntryHashesPage out;
    out.first = r.u64();
    out.total = r.u64();
    out.hashes = read_hashes(r, kMaxHistoryHashes);
    const bool fits =
        out.first <= out.total && out.hashes.size() <= out.total - std::min(out.first, out.total);
    if (!r.failed() && !fits) r.refuse(Reason::kBadIndex);
    return out;
}

HeadsPage read_heads(Reader& r) {
    HeadsPage out;
    out.from = r.height();
    if (read_flag(r)) out.closed = r.height();
    out.heads.resize(read_count(r, kMaxHistoryHeads, kHeadBytes));
    for (JournalHead& head : out.heads) head = JournalHead::decode(r);
    if (!ascends(out.heads, [](const JournalHead& h) { return h.height; })) {
        r.refuse(Reason::kNotCanonical);
    }
    const bool lower = !out.heads.empty() && out.heads.front().height < out.from;
    const bool higher =
        !out.heads.empty() && (!out.closed || out.heads.back().height > *out.closed);
    if (lower || higher) r.refuse(Reason::kWrongHeight);
    return out;
}

ConsistencyPath read_consistency(Reader& r) {
    ConsistencyPath out;
    out.older = r.u64();
    out.size = r.u64();
    out.path = read_hashes(r, kMaxHistoryPath);
    return out;
}

InclusionPath read_inclusion(Reader& r) {
    InclusionPath out;
    out.entry = r.u64();
    out.size = r.u64();
    out.hash = r.fixed<Digest>();
    out.path = read_hashes(r, kMaxHistoryPath);
    return out;
}

ListedPage read_listed(Reader& r) {
    ListedPage out;
    out.hash = r.fixed<BlockHash>();
    out.time_ms = r.u64();
    out.total = r.u32();
    if (out.total > kMaxListedObjects) r.refuse(Reason::kTooLarge);
    out.listed.resize(read_list(r, kMaxListedObjects, kLeastEntry));
    for (Bytes& one : out.listed) {
        one = read_bytes(r, kMaxListedBytes);
        if (r.failed()) return out;
    }
    if (out.listed.size() > out.total) r.refuse(Reason::kBadIndex);
    return out;
}

BlocksPage read_blocks(Reader& r) {
    BlocksPage out;
    out.height = r.height();
    out.first = r.u32();
    out.tip = r.height();
    const std::uint32_t count = read_list(r, kMaxHistoryBlocks, kLeastBlock);
    for (std::uint32_t i = 0; i < count && !r.failed(); ++i) {
        out.blocks.push_back(read_listed(r));
        if (r.failed()) return out;
        const ListedPage& block = out.blocks.back();
        const std::uint64_t before = i == 0 ? out.first : 0;
        const bool fits = before + block.listed.size() <= block.total;
        const bool whole = before + block.listed.size() == block.total;
        if (!fits || (!whole && i + 1 < count)) r.refuse(Reason::kBadIndex);
    }
    const bool above = count > 0 && (out.tip < out.height || out.tip.since(out.height) < count - 1);
    if (!r.failed() && above) r.refuse(Reason::kWrongHeight);
    return out;
}

StatesList read_states(Reader& r) {
    StatesList out;
    out.states.resize(read_count(r, kMaxHistoryStates, kStateBytes));
    for (StateFile& state : out.states) {
        state.height = r.height();
        state.bytes = r.u64();
    }
    if (!ascends(out.states, [](const StateFile& s) { return s.height; })) {
        r.refuse(Reason::kNotCanonical);
    }
    return out;
}

}  // namespace

bool is_history(std::uint8_t what) { return what >= kFirst && what < kEnd; }

// Spec 14, kind 66.
Bytes encode_history(const HistoryQuestion& question) {
    Writer w =
        begin_message(kFollowRequestKind, static_cast<std::uint8_t>(kFirst + question.index()), 48);
    std::visit([&w](const auto& q) { write(w, q); }, question);
    return w.take();
}

// Spec 14, kind 67.
Bytes encode_history(const HistoryAnswer& answer) {
    Writer w =
        begin_message(kFollowAnswerKind, static_cast<std::uint8_t>(kFirst + answer.index()), 256);
    std::visit([&w](const auto& a) { write(w, a); }, answer);
    return w.take();
}

HistoryQuestion read_history_question(Reader& r, std::uint8_t what) {
    switch (static_cast<What>(what)) {
        case What::kEntries: {
            const std::uint64_t first = r.u64();
            return EntriesQuestion{first, read_most(r, kMaxHistoryPage)};
        }
        case What::kHashes: {
            const std::uint64_t first = r.u64();
            return EntryHashesQuestion{first, read_most(r, kMaxHistoryHashes)};
        }
        case What::kHeads: {
            const Height from = r.height();
            return HeadsQuestion{from, read_most(r, kMaxHistoryHeads)};
        }
        case What::kConsistency: {
            const std::uint64_t older = r.u64();
            return ConsistencyQuestion{older, r.u64()};
        }
        case What::kInclusion: {
            const std::uint64_t entry = r.u64();
            return InclusionQuestion{entry, r.u64()};
        }
        case What::kBlocks: {
            BlocksQuestion out;
            out.height = r.height();
            out.first = r.u32();
            out.most_bytes = read_most(r, kMaxHistoryPage);
            return out;
        }
        case What::kStates:
            return StatesQuestion{};
        case What::kStatePiece: {
            StatePieceQuestion out;
            out.height = r.height();
            out.offset = r.u64();
            out.most_bytes = read_most(r, kMaxHistoryPage);
            return out;
        }
        case What::kLedger:
            return LedgerQuestion{};
        case What::kLedgerPiece: {
            LedgerPieceQuestion out;
            out.copy = r.fixed<Digest>();
            out.offset = r.u64();
            out.most_bytes = read_most(r, kMaxHistoryPage);
            return out;
        }
    }
    r.refuse(Reason::kBadField);
    return StatesQuestion{};
}

HistoryAnswer read_history_answer(Reader& r, std::uint8_t what) {
    switch (static_cast<What>(what)) {
        case What::kEntries:
            return read_entries(r);
        case What::kHashes:
            return read_entry_hashes(r);
        case What::kHeads:
            return read_heads(r);
        case What::kConsistency:
            return read_consistency(r);
        case What::kInclusion:
            return read_inclusion(r);
        case What::kBlocks:
            return read_blocks(r);
        case What::kStates:
            return read_states(r);
        case What::kStatePiece: {
            StatePiece out;
            out.height = r.height();
            out.offset = r.u64();
            out.bytes = read_bytes(r, kMaxHistoryPage);
            return out;
        }
        case What::kLedger: {
            LedgerCopy out;
            out.copy = r.fixed<Digest>();
            out.bytes = r.u64();
            return out;
        }
        case What::kLedgerPiece: {
            LedgerPiece out;
            out.copy = r.fixed<Digest>();
            out.offset = r.u64();
            out.bytes = read_bytes(r, kMaxHistoryPage);
            return out;
        }
    }
    r.refuse(Reason::kBadField);
    return StatesList{};
}

}  // namespace holdfast
