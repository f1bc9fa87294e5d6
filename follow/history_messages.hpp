// What a replica, a monitor or a light client asks a node of its network's history: the journal,
// the operator's heads, paths under them, the host chain's final blocks with all that they list,
// states for late comers, a copy of the embedded ledger.
//
// Questions and answers 16 to 25 of section 14; all of it is held against the operator's heads or
// judged anew by whoever asks, so that nothing here need be believed. Pages: who asks says how
// much it takes, an answer says how much there is. Pure values, any thread. Spec: docs/spec.md
// section 14.
#pragma once

#include <variant>
#include <vector>

#include "core/codec.hpp"
#include "core/types.hpp"
#include "proofs/journal.hpp"

namespace holdfast {

inline constexpr std::uint32_t kMaxHistoryPage = std::uint32_t{4} << 20;  // bytes of an answer
inline constexpr std::uint32_t kMaxHistoryHashes = 65'536;                // in one answer
inline constexpr std::uint32_t kMaxHistoryHeads = 1'024;
inline constexpr std::uint32_t kMaxHistoryPath = 192;  // hashes; consistency needs the most
inline constexpr std::uint32_t kMaxHistoryStates = 64;
inline constexpr std::uint32_t kMaxHistoryBlocks = 4'096;
inline constexpr std::uint32_t kMaxListedObjects = 65'536;  // of one block
/// Of an object in a block: what the embedded chain takes.
inline constexpr std::uint32_t kMaxListedBytes = std::uint32_t{16} << 20;

// --- questions -----------------------------------------------------------------------------------

struct EntriesQuestion {
    std::uint64_t first = 0;
    std::uint32_t most_bytes = kMaxHistoryPage;  // 1 to kMaxHistoryPage; one entry comes anyway
    friend bool operator==(const EntriesQuestion&, const EntriesQuestion&) = default;
};
struct EntryHashesQuestion {
    std::uint64_t first = 0;
    std::uint32_t count = kMaxHistoryHashes;  // at most; 1 to kMaxHistoryHashes
    friend bool operator==(const EntryHashesQuestion&, const EntryHashesQuestion&) = default;
};
struct HeadsQuestion {
    Height from;
    std::uint32_t count = kMaxHistoryHeads;  // at most; 1 to kMaxHistoryHeads
    friend bool operator==(const HeadsQuestion&, const HeadsQuestion&) = default;
};
/// That the journal of `size` entries begins with that of `older`.
struct ConsistencyQuestion {
    std::uint64_t older = 0;
    std::uint64_t size = 0;
    friend bool operator==(const ConsistencyQuestion&, const ConsistencyQuestion&) = default;
};
struct InclusionQuestion {
    std::uint64_t entry = 0;
    std::uint64_t size = 0;
    friend bool operator==(const InclusionQuestion&, const InclusionQuestion&) = default;
};
/// Final blocks from `height` on; of the first, what it lists from place `first`.
struct BlocksQuestion {
    Height height;
    std::uint32_t first = 0;
    std::uint32_t most_bytes = kMaxHistoryPage;  // as of entries
    friend bool operator==(const BlocksQuestion&, const BlocksQuestion&) = default;
};
struct StatesQuestion {
    friend bool operator==(const StatesQuestion&, const StatesQuestion&) = default;
};
struct StatePieceQuestion {
    Height height;
    std::uint64_t offset = 0;
    std::uint32_t most_bytes = kMaxHistoryPage;
    friend bool operator==(const StatePieceQuestion&, const StatePieceQuestion&) = default;
};
struct LedgerQuestion {
    friend bool operator==(const LedgerQuestion&, const LedgerQuestion&) = default;
};
struct LedgerPieceQuestion {
    Digest copy;  // its SHA-256
    std::uint64_t offset = 0;
    std::uint32_t most_bytes = kMaxHistoryPage;
    friend bool operator==(const LedgerPieceQuestion&, const LedgerPieceQuestion&) = default;
};
using HistoryQuestion =
    std::variant<EntriesQuestion, EntryHashesQuestion, HeadsQuestion, ConsistencyQuestion,
                 InclusionQuestion, BlocksQuestion, StatesQuestion, StatePieceQuestion,
                 LedgerQuestion, LedgerPieceQuestion>;

// --- answers -------------------------------------------------------------------------------------

struct EntriesPage {
    std::uint64_t first = 0;
    std::uint64_t total = 0;  // entries of the journal
    std::vector<Bytes> entries;
    friend bool operator==(const EntriesPage&, const EntriesPage&) = default;
};
struct EntryHashesPage {
    std::uint64_t first = 0;
    std::uint64_t total = 0;
    std::vector<Digest> hashes;
    friend bool operator==(const EntryHashesPage&, const EntryHashesPage&) = default;
};
/// Signed ones, ascending by height; a height whose head the node has not seen is left out.
struct HeadsPage {
    Height from;
    std::optional<Height> closed;  // the newest closed height
    std::vector<JournalHead> heads;
    friend bool operator==(const HeadsPage&, const HeadsPage&) = default;
};
struct ConsistencyPath {
    std::uint64_t older = 0;
    std::uint64_t size = 0;
    std::vector<Digest> path;
    friend bool operator==(const ConsistencyPath&, const ConsistencyPath&) = default;
};
struct InclusionPath {
    std::uint64_t entry = 0;
    std::uint64_t size = 0;
    Digest hash;  // of the entry
    std::vector<Digest> path;
    friend bool operator==(const InclusionPath&, const InclusionPath&) = default;
};
/// A final block, with everything that it lists in the order of its hash: objects standing alone,
/// and bond events as spec 15.4 writes them for the embedded chain.
struct ListedPage {
    BlockHash hash;
    std::uint64_t time_ms = 0;
    std::uint32_t total = 0;  // that it lists
    std::vector<Bytes> listed;
    friend bool operator==(const ListedPage&, const ListedPage&) = default;
};
struct BlocksPage {
    Height height;
    std::uint32_t first = 0;
    Height tip;                      // the newest final block that this node has taken
    std::vector<ListedPage> blocks;  // one height after another; all but the last to their end
    friend bool operator==(const BlocksPage&, const BlocksPage&) = default;
};
struct StateFile {
    Height height;
    std::uint64_t bytes = 0;
    friend bool operator==(const StateFile&, const StateFile&) = default;
};
struct StatesList {
    std::vector<StateFile> states;  // ascending
    friend bool operator==(const StatesList&, const StatesList&) = default;
};
struct StatePiece {
    Height height;
    std::uint64_t offset = 0;
    Bytes bytes;
    friend bool operator==(const StatePiece&, const StatePiece&) = default;
};
/// A copy of the embedded ledger, made between two of its transactions.
struct LedgerCopy {
    Digest copy;  // SHA-256 of its bytes
    std::uint64_t bytes = 0;
    friend bool operator==(const LedgerCopy&, const LedgerCopy&) = default;
};
struct LedgerPiece {
    Digest copy;
    std::uint64_t offset = 0;
    Bytes bytes;
    friend bool operator==(const LedgerPiece&, const LedgerPiece&) = default;
};
using HistoryAnswer =
    std::variant<EntriesPage, EntryHashesPage, HeadsPage, ConsistencyPath, InclusionPath,
                 BlocksPage, StatesList, StatePiece, LedgerCopy, LedgerPiece>;

// --- codec; for follow/messages.cpp --------------------------------------------------------------

/// Whether questions and answers of this number are of this subject.
[[nodiscard]] bool is_history(std::uint8_t what);
[[nodiscard]] Bytes encode_history(const HistoryQuestion& question);
[[nodiscard]] Bytes encode_history(const HistoryAnswer& answer);
/// Behind the number; the reader has failed where it is refused.
[[nodiscard]] HistoryQuestion read_history_question(Reader& r, std::uint8_t what);
[[nodiscard]] HistoryAnswer read_history_answer(Reader& r, std::uint8_t what);

}  // namespace holdfast
