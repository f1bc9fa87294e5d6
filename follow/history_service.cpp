#include "follow/history_service.hpp"

#include <algorithm>

#include "storage/file.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kBytesForAUnit = std::uint64_t{256} << 10;
constexpr std::uint64_t kHashesForAUnit = 2'048;
constexpr std::uint64_t kHeadsForAUnit = 64;
constexpr std::uint64_t kUnitsForInclusion = 2;
constexpr std::uint64_t kUnitsForStates = 8;   // the files are looked into
constexpr std::uint64_t kUnitsForLedger = 64;  // it may have to be copied
constexpr std::size_t kPageOverhead = 64;      // of a block beside what it lists

/// What is not there is an answer, not a fault.
template <class T>
Result<FollowAnswer> told(Result<T> found, Reason missing) {
    if (found) return FollowAnswer(HistoryAnswer(std::move(*found)));
    if (found.error().code == ErrorCode::kNotFound) return FollowAnswer(FollowRefused{missing});
    return fail(found.error());
}

Result<FollowAnswer> answer(const HistorySource& s, const EntriesQuestion& q) {
    HOLDFAST_ASSIGN(size, s.registry->journal());
    if (q.first > size.entries) return FollowRefused{Reason::kBadIndex};
    if (q.first < size.first_kept) return FollowRefused{Reason::kTooLate};
    auto entries = s.registry->entries(q.first, size.entries - q.first, q.most_bytes);
    if (!entries) return told<EntriesPage>(fail(entries.error()), Reason::kTooLate);
    return HistoryAnswer(EntriesPage{q.first, size.entries, std::move(*entries)});
}

Result<FollowAnswer> answer(const HistorySource& s, const EntryHashesQuestion& q) {
    HOLDFAST_ASSIGN(size, s.registry->journal());
    if (q.first > size.entries) return FollowRefused{Reason::kBadIndex};
    const std::size_t most = std::min<std::uint64_t>(q.count, size.entries - q.first);
    auto hashes = s.registry->entry_digests(q.first, most);
    if (!hashes) return told<EntryHashesPage>(fail(hashes.error()), Reason::kTooLate);
    return HistoryAnswer(EntryHashesPage{q.first, size.entries, std::move(*hashes)});
}

Result<FollowAnswer> answer(const HistorySource& s, const HeadsQuestion& q) {
    if (!s.head) return FollowRefused{Reason::kBadKind};
    HeadsPage out;
    out.from = q.from;
    HOLDFAST_ASSIGN(closed, s.registry->closed());
    out.closed = closed;
    if (!closed) return HistoryAnswer(std::move(out));
    const Height from = std::max(q.from, s.registry->params().genesis_height);
    for (std::uint64_t i = 0; i < q.count && from + i <= *closed; ++i) {
        HOLDFAST_ASSIGN(head, s.head(from + i));
        if (head) out.heads.push_back(*head);
    }
    return HistoryAnswer(std::move(out));
}

Result<FollowAnswer> answer(const HistorySource& s, const ConsistencyQuestion& q) {
    Result<std::vector<Digest>> path = s.registry->consistency(q.older, q.size);
    if (!path) return told<ConsistencyPath>(fail(path.error()), Reason::kBadIndex);
    return HistoryAnswer(ConsistencyPath{q.older, q.size, std::move(*path)});
}

Result<FollowAnswer> answer(const HistorySource& s, const InclusionQuestion& q) {
    Result<std::vector<Digest>> path = s.registry->inclusion(q.entry, q.size);
    if (!path) return told<InclusionPath>(fail(path.error()), Reason::kBadIndex);
    HOLDFAST_ASSIGN(hash, s.registry->entry_digest(q.entry));
    return HistoryAnswer(InclusionPath{q.entry, q.size, hash, std::move(*path)});
}

/// Fills `page` as far as there is room; whether the block's end was reached.
bool take_listed(ListedPage& page, std::vector<Bytes>& listed, std::size_t first,
                 std::uint64_t& room, bool one_at_least) {
    std::size_t at = first;
    for (; at < listed.size(); ++at) {
        const std::uint64_t bytes = 4 + listed[at].size();
        if (bytes > room && !(one_at_least && page.listed.empty())) break;
        room -= std::min(room, bytes);
        page.listed.push_back(std::move(listed[at]));
    }
    return at == listed.size();
}

Result<FollowAnswer> answer(const HistorySource& s, const BlocksQuestion& q) {
    if (!s.block) return FollowRefused{Reason::kBadKind};
    HOLDFAST_ASSIGN(tip, s.registry->tip());
    if (!tip || q.height > *tip) return FollowRefused{Reason::kTooEarly};
    BlocksPage out;
    out.height = q.height;
    out.first = q.first;
    out.tip = *tip;
    std::uint64_t room = q.most_bytes;
    for (Height h = q.height; h <= *tip && out.blocks.size() < kMaxHistoryBlocks; h = h + 1) {
        const bool is_first = h == q.height;
        if (!is_first && room <= kPageOverhead) break;
        Result<WholeBlock> block = s.block(h);
        if (!block) return told<BlocksPage>(fail(block.error()), Reason::kTooLate);
        const std::size_t first = is_first ? q.first : 0;
        if (first > block->listed.size()) return FollowRefused{Reason::kBadIndex};
        ListedPage& page = out.blocks.emplace_back();
        page.hash = block->block.hash;
        page.time_ms = block->block.time_ms;
        page.total = static_cast<std::uint32_t>(block->listed.size());
        room -= std::min<std::uint64_t>(room, kPageOverhead);
        if (!take_listed(page, block->listed, first, room, is_first)) break;
    }
    return HistoryAnswer(std::move(out));
}

Result<FollowAnswer> answer(const HistorySource& s, const StatesQuestion&) {
    StatesList out;
    HOLDFAST_ASSIGN(heights, s.registry->states());
    for (const Height height : heights) {
        const Result<File> file = File::open(s.registry->state_file(height), File::Mode::kRead);
        if (!file) continue;  // it has just been replaced by a newer one
        HOLDFAST_ASSIGN(bytes, file->size());
        out.states.push_back({height, bytes});
    }
    if (out.states.size() > kMaxHistoryStates) {
        out.states.erase(out.states.begin(), out.states.end() - kMaxHistoryStates);
    }
    return HistoryAnswer(std::move(out));
}

Result<FollowAnswer> answer(const HistorySource& s, const StatePieceQuestion& q) {
    const Result<File> file = File::open(s.registry->state_file(q.height), File::Mode::kRead);
    if (!file) return told<StatePiece>(fail(file.error()), Reason::kTooLate);
    Bytes bytes(q.most_bytes);
    HOLDFAST_ASSIGN(got, file->read_some_at(q.offset, bytes));
    bytes.resize(got);
    return HistoryAnswer(StatePiece{q.height, q.offset, std::move(bytes)});
}

Result<FollowAnswer> answer(const HistorySource& s, const LedgerQuestion&) {
    if (!s.ledger) return FollowRefused{Reason::kBadKind};
    return told(s.ledger(), Reason::kTooLate);
}

Result<FollowAnswer> answer(const HistorySource& s, const LedgerPieceQuestion& q) {
    if (!s.ledger_piece) return FollowRefused{Reason::kBadKind};
    Result<Bytes> piece = s.ledger_piece(q);
    if (!piece) return told<LedgerPiece>(fail(piece.error()), Reason::kTooLate);
    return HistoryAnswer(LedgerPiece{q.copy, q.offset, std::move(*piece)});
}

std::uint64_t cost(const EntriesQuestion& q) { return 1 + q.most_bytes / kBytesForAUnit; }
std::uint64_t cost(const EntryHashesQuestion& q) { return 1 + q.count / kHashesForAUnit; }
std::uint64_t cost(const HeadsQuestion& q) { return 1 + q.count / kHeadsForAUnit; }
std::uint64_t cost(const ConsistencyQuestion&) { return kUnitsForInclusion; }
std::uint64_t cost(const InclusionQuestion&) { return kUnitsForInclusion; }
std::uint64_t cost(const BlocksQuestion& q) { return 1 + q.most_bytes / kBytesForAUnit; }
std::uint64_t cost(const StatesQuestion&) { return kUnitsForStates; }
std::uint64_t cost(const StatePieceQuestion& q) { return 1 + q.most_bytes / kBytesForAUnit; }
std::uint64_t cost(const LedgerQuestion&) { return kUnitsForLedger; }
std::uint64_t cost(const LedgerPieceQuestion& q) { return 1 + q.most_bytes / kBytesForAUnit; }

}  // namespace

// Spec 14: what a question counts as.
std::uint64_t history_cost(const HistoryQuestion& question) {
    return std::visit([](const auto& q) { return cost(q); }, question);
}

Result<FollowAnswer> answer_history(const HistorySource& source, const HistoryQuestion& question) {
    if (source.registry == nullptr) return FollowRefused{Reason::kBadKind};
    return std::visit([&source](const auto& q) { return answer(source, q); }, question);
}

}  // namespace holdfast
