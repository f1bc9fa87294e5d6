#include "follow/history_client.hpp"

namespace holdfast {
namespace {}  // namespace

template <class T>
Result<T> HistoryClient::ask_for(const HistoryQuestion& question) const {
    Result<FollowAnswer> answer = ask_node(request_, encode_question(question));
    if (!answer) return fail(answer.error());
    if (auto* history = std::get_if<HistoryAnswer>(&*answer)) {
        if (T* wanted = std::get_if<T>(history)) return std::move(*wanted);
    }
    return fail(not_answered(*answer));
}

Status HistoryClient::note_total(std::uint64_t total) {
    const std::lock_guard lock(mutex_);
    if (total < total_) {
        return fail_refused(Reason::kBadIndex, std::string(kFollowedNode) + ", whose journal had " +
                                                   std::to_string(total_) + " entries and has " +
                                                   std::to_string(total));
    }
    total_ = total;
    return {};
}

Result<EntriesPage> HistoryClient::entries(std::uint64_t first, std::uint32_t most_bytes) {
    HOLDFAST_ASSIGN(page, ask_for<EntriesPage>(EntriesQuestion{first, most_bytes}));
    HOLDFAST_TRY(note_total(page.total));
    if (page.first != first) return fail_refused(Reason::kBadIndex, kFollowedNode);
    if (page.entries.empty() && page.total > first)
        return fail_refused(Reason::kBadIndex, kFollowedNode);
    std::uint64_t bytes = 0;
    for (const Bytes& entry : page.entries) bytes += entry.size();
    if (bytes > most_bytes && page.entries.size() > 1)
        return fail_refused(Reason::kTooLarge, kFollowedNode);
    return page;
}

Result<EntryHashesPage> HistoryClient::entry_hashes(std::uint64_t first, std::uint32_t count) {
    HOLDFAST_ASSIGN(page, ask_for<EntryHashesPage>(EntryHashesQuestion{first, count}));
    HOLDFAST_TRY(note_total(page.total));
    const bool ends = page.hashes.empty() && page.total > first;
    if (page.first != first || ends) return fail_refused(Reason::kBadIndex, kFollowedNode);
    if (page.hashes.size() > count) return fail_refused(Reason::kTooLarge, kFollowedNode);
    return page;
}

Result<HeadsPage> HistoryClient::heads(Height from, std::uint32_t count) {
    HOLDFAST_ASSIGN(page, ask_for<HeadsPage>(HeadsQuestion{from, count}));
    if (page.from != from) return fail_refused(Reason::kWrongHeight, kFollowedNode);
    if (page.heads.size() > count) return fail_refused(Reason::kTooLarge, kFollowedNode);
    return page;
}

Result<std::vector<Digest>> HistoryClient::consistency(std::uint64_t older, std::uint64_t size) {
    HOLDFAST_ASSIGN(said, ask_for<ConsistencyPath>(ConsistencyQuestion{older, size}));
    if (said.older != older || said.size != size)
        return fail_refused(Reason::kBadIndex, kFollowedNode);
    return std::move(said.path);
}

Result<InclusionPath> HistoryClient::inclusion(std::uint64_t entry, std::uint64_t size) {
    HOLDFAST_ASSIGN(said, ask_for<InclusionPath>(InclusionQuestion{entry, size}));
    if (said.entry != entry || said.size != size)
        return fail_refused(Reason::kBadIndex, kFollowedNode);
    return said;
}

Result<BlocksPage> HistoryClient::blocks(Height height, std::uint32_t first,
                                         std::uint32_t most_bytes) {
    HOLDFAST_ASSIGN(page, ask_for<BlocksPage>(BlocksQuestion{height, first, most_bytes}));
    if (page.height != height) return fail_refused(Reason::kWrongHeight, kFollowedNode);
    const bool advances = page.first == first && !page.blocks.empty() &&
                          (!page.blocks[0].listed.empty() || page.blocks[0].total == first);
    if (!advances) return fail_refused(Reason::kBadIndex, kFollowedNode);
    return page;
}

Result<StatesList> HistoryClient::states() { return ask_for<StatesList>(StatesQuestion{}); }

Result<Bytes> HistoryClient::state_piece(Height height, std::uint64_t offset) {
    HOLDFAST_ASSIGN(said, ask_for<StatePiece>(StatePieceQuestion{height, offset, kMaxHistoryPage}));
    if (said.height != height) return fail_refused(Reason::kWrongHeight, kFollowedNode);
    if (said.offset != offset) return fail_refused(Reason::kBadIndex, kFollowedNode);
    return std::move(said.bytes);
}

Result<LedgerCopy> HistoryClient::ledger() { return ask_for<LedgerCopy>(LedgerQuestion{}); }

Result<Bytes> HistoryClient::ledger_piece(const Digest& copy, std::uint64_t offset) {
    HOLDFAST_ASSIGN(said, ask_for<LedgerPiece>(LedgerPieceQuestion{copy, offset, kMaxHistoryPage}));
    if (said.copy != copy || said.offset != offset)
        return fail_refused(Reason::kBadIndex, kFollowedNode);
    return std::move(said.bytes);
}

}  // namespace holdfast
