// Asks a node of its network's history, in pages, and refuses what is no answer to the question.
//
// What can be held against the node by the answer alone is: another place, height or copy than was
// asked for, a page that does not advance, more than was asked for, a journal or a chain that has
// become shorter. Those are kRefused with their reason. Whether entries, heads and blocks hold is
// whoever asks to judge. Threading: any. Errors besides: those of the request function; kBusy;
// kNotFound for what the node does not have (yet, or any more). Spec: docs/spec.md section 14.
#pragma once

#include <mutex>

#include "follow/ask.hpp"

namespace holdfast {

class HistoryClient {
  public:
    explicit HistoryClient(FollowRequest request) : request_(std::move(request)) {}

    /// Entries from `first` on; none where that is the journal's end.
    [[nodiscard]] Result<EntriesPage> entries(std::uint64_t first,
                                              std::uint32_t most_bytes = kMaxHistoryPage);
    [[nodiscard]] Result<EntryHashesPage> entry_hashes(std::uint64_t first, std::uint32_t count);
    [[nodiscard]] Result<HeadsPage> heads(Height from, std::uint32_t count = kMaxHistoryHeads);
    [[nodiscard]] Result<std::vector<Digest>> consistency(std::uint64_t older, std::uint64_t size);
    [[nodiscard]] Result<InclusionPath> inclusion(std::uint64_t entry, std::uint64_t size);
    /// Final blocks from `height` on, one at least; the last may be cut.
    [[nodiscard]] Result<BlocksPage> blocks(Height height, std::uint32_t first = 0,
                                            std::uint32_t most_bytes = kMaxHistoryPage);
    [[nodiscard]] Result<StatesList> states();
    /// Not empty, unless `offset` is the file's end.
    [[nodiscard]] Result<Bytes> state_piece(Height height, std::uint64_t offset);
    [[nodiscard]] Result<LedgerCopy> ledger();
    [[nodiscard]] Result<Bytes> ledger_piece(const Digest& copy, std::uint64_t offset);

  private:
    template <class T>
    [[nodiscard]] Result<T> ask_for(const HistoryQuestion& question) const;
    /// The journal only grows.
    [[nodiscard]] Status note_total(std::uint64_t total);

    const FollowRequest request_;
    std::mutex mutex_;         // guards the following
    std::uint64_t total_ = 0;  // entries that the journal has, at least
};

}  // namespace holdfast
