// The databases of this room: named tables on LMDB, each value with a checksum over its key and
// itself.
//
// Internal to this room. One Store per folder and process, and one process that may write (kBusy
// otherwise); transactions are used by one thread at a time, one writing transaction exists at a
// time, reading ones see the last commit. Bytes that get() and the ranges hand out are valid until
// the transaction writes or ends. A commit is on the device when it returns. Errors: kCorrupt (a
// checksum, or LMDB's own structure), kOutOfSpace (disk or map full), kPermission, kIo.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/codec.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "storage/file.hpp"

struct MDB_env;
struct MDB_txn;

namespace holdfast {

// What a registry's folder holds.
inline constexpr std::string_view kRegistryNetworkFile = "network.params";
inline constexpr std::string_view kStoreDataFile = "data.mdb";
inline constexpr std::string_view kRegistryLockFile = "registry.lock";  // whoever may write
inline constexpr std::string_view kStoreLockFile = "lock.mdb";          // LMDB's own

/// First what the state of a network consists of (spec section 15.5), then what this node alone
/// keeps.
enum class Table : std::uint8_t {
    kMeta,         // name -> value
    kBlocks,       // height -> StoredBlock
    kChains,       // chain_id -> ChainRecord: the registration, and how the chain ended
    kReplicas,     // replica_id -> chain_id; never shrinks
    kStates,       // chain_id -> ChainState, while a chain is pending, sealed or liable
    kAgenda,       // height || AgendaItem || chain_id or bond_id || u64 -> nothing: what falls due
    kAudits,       // chain_id || height drawn -> AuditRecord, while it is open
    kCommitments,  // chain_id || base -> commitment
    kReveals,      // chain_id || base -> KnownReveal
    kLinks,        // height || chain_id -> LinkRecord, until the height is settled
    kMisses,       // height || chain_id -> MissRecord, until the height is settled
    kBonds,        // bond_id -> BondRecord
    kParts,        // role || holder -> PartRecord
    kOffences,     // offence_id -> height at which it was settled
    kDeposits,     // SHA-256 of the evidence -> bond_id
    kCheckpoints,  // height || submitter -> the first checkpoint of that submitter, while kept
    kWaiting,      // height || number -> WaitingEvidence
    kUpdates,      // chain_id || sequence -> update
    kLeaves,     // region || group || height -> GroupRecord, where the group changed at that height
    kRegions,    // height -> RegionSummary of every region
    kEffects,    // height -> effects of closing it
    kDecisions,  // number -> Decision
    kHeads,      // height -> what its head signs
    kJournal,    // number -> entry, but for those of the next table; while it is kept
    kJournalProofs,   // number -> entry that is a bundle or a proof of a link; while it is kept
    kJournalHeights,  // height -> number of its block entry
    kJournalNodes,    // level || index -> hash of a complete part of the journal's tree
    kChallengers,     // key -> ChallengerRecord
    kChallengerDue,   // height || ChallengerItem || key or chain_id -> nothing
    kRanks,           // 2^64 - 1 - part || key -> nothing: who could be in force
    kInForce,         // height -> who is in force from there on
    kChallenges,      // height || chain_id -> ListedChallenge, while its outcome may come
    kChallengeIds,    // challenge id -> height || chain_id, as long
    kOutcomes,        // chain_id || height -> challenger and outcome
    kSuspended,       // chain_id -> nothing, while the quorum says so
    kUnpaid,          // height of the audit's digest (kNever: waits for one) || challenge id ->
                      // UnpaidOutcome
    kOwned,           // prover || chain_id -> nothing: whose chains are whose; never shrinks
};
inline constexpr std::size_t kTables = 37;

/// The tables of the settlement ledger.
enum class SettlementTable : std::uint8_t {
    kMeta,   // name -> value
    kCases,  // case id -> SettlementCase
    kOpen,   // case id -> nothing, while a step of the case has no answer
};

/// The tables of a challenger's own journal.
enum class JournalTable : std::uint8_t {
    kMeta,     // name -> value
    kEntries,  // height || chain_id -> JournalEntry
    kAnswers,  // height || chain_id -> the signed response that is evidence
};

/// The tables of an owner's catalogue of kept files.
enum class CatalogueTable : std::uint8_t {
    kMeta,   // name -> value
    kFiles,  // file id -> manifest or removal
};

/// The tables of one kind of database (kMeta first), and what its errors and its lock file call it.
struct StoreSchema {
    const char* what;
    std::span<const char* const> tables;
};
[[nodiscard]] const StoreSchema& registry_schema();
[[nodiscard]] const StoreSchema& settlement_schema();
[[nodiscard]] const StoreSchema& journal_schema();
[[nodiscard]] const StoreSchema& catalogue_schema();

/// A table of any of these databases.
struct TableIndex {
    constexpr TableIndex(Table table) : value(static_cast<std::size_t>(table)) {}
    constexpr TableIndex(SettlementTable table) : value(static_cast<std::size_t>(table)) {}
    constexpr TableIndex(JournalTable table) : value(static_cast<std::size_t>(table)) {}
    constexpr TableIndex(CatalogueTable table) : value(static_cast<std::size_t>(table)) {}
    std::size_t value;
};

/// Keys in LMDB's order: integers big-endian, so that ranges ascend by number.
class Key {
  public:
    Key& u8(std::uint8_t v);
    Key& u32(std::uint32_t v);
    Key& u64(std::uint64_t v);
    Key& height(Height h) { return u64(h.value); }
    Key& raw(ByteView v);
    template <std::size_t N>
    Key& fixed(const FixedBytes<N>& v) {
        return raw(view(v));
    }
    [[nodiscard]] ByteView bytes() const { return {bytes_.data(), size_}; }

  private:
    std::array<std::uint8_t, 64> bytes_{};
    std::size_t size_ = 0;
};

/// Reads a key back, in the same order.
class KeyReader {
  public:
    explicit KeyReader(ByteView bytes) : bytes_(bytes) {}
    std::uint8_t u8();
    std::uint32_t u32();
    std::uint64_t u64();
    Height height() { return Height(u64()); }
    template <class T>
    T fixed() {
        T out{};
        const ByteView v = take(T::size());
        std::copy(v.begin(), v.end(), out.bytes.begin());
        return out;
    }

  private:
    /// Keys are ours and have been checked against their checksums: a short one is a bug.
    ByteView take(std::size_t n);
    ByteView bytes_;
};

/// Entries that the transactions of this process have looked up, walked over, written or erased, as
/// far as they have ended: what work on databases costs, whatever the machine. Any thread.
[[nodiscard]] std::uint64_t store_operations();

class Store;

class Transaction {
  public:
    Transaction(Transaction&& other) noexcept;
    Transaction& operator=(Transaction&&) = delete;
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    /// Aborts unless committed.
    ~Transaction();

    [[nodiscard]] Result<std::optional<ByteView>> get(TableIndex table, ByteView key) const;
    [[nodiscard]] Result<bool> contains(TableIndex table, ByteView key) const;
    /// Entries whose key starts with `prefix`, ascending, until `visit` returns false. `visit` must
    /// not write.
    using Visitor = std::function<Result<bool>(ByteView key, ByteView value)>;
    [[nodiscard]] Status for_each(TableIndex table, ByteView prefix, const Visitor& visit) const;
    /// The same from the first key on that is not below `from`, which starts with `prefix`, too.
    [[nodiscard]] Status for_each_from(TableIndex table, ByteView prefix, ByteView from,
                                       const Visitor& visit) const;
    /// The entry with the highest key that starts with `prefix` and is not above `key`.
    [[nodiscard]] Result<std::optional<std::pair<Bytes, ByteView>>> last_at_most(
        TableIndex table, ByteView prefix, ByteView key) const;
    /// The lowest key that starts with `prefix`.
    [[nodiscard]] Result<std::optional<Bytes>> first_key(TableIndex table, ByteView prefix) const;

    [[nodiscard]] Status put(TableIndex table, ByteView key, ByteView value);
    /// Nothing happens when there is none.
    [[nodiscard]] Status erase(TableIndex table, ByteView key);
    /// Erases the entries with first <= key < end.
    [[nodiscard]] Status erase_range(TableIndex table, ByteView first, ByteView end);
    [[nodiscard]] Status commit();

  private:
    friend class Store;
    Transaction(const Store& store, MDB_txn* txn) : store_(&store), txn_(txn) {}
    const Store* store_;
    MDB_txn* txn_;
    mutable std::uint64_t operations_ = 0;  // told to store_operations() at the end
};

class Store {
  public:
    struct Options {
        std::uint64_t map_bytes = std::uint64_t{64} << 30;
        bool check_values = true;  // every checksum when it is opened; its structure always
        const StoreSchema* schema = &registry_schema();
        /// Reads beside whoever writes, in another process; write() then fails. The file is checked
        /// unless a writer holds it, who has done so. Where nothing may be written (another user's
        /// folder, a file system mounted for reading) it leaves no trace and keeps writers out
        /// meanwhile (storage/reader_lock.hpp); kPermission where one is at work there.
        bool read_only = false;
        unsigned threads = 0;  // for checking; 0: as many as the machine has
    };
    /// Opens the database in `folder`, which must exist, or makes an empty one there unless it has
    /// begun (storage/begun.hpp). `may_create`: false where a database must be there already
    /// (kCorrupt when it is missing or empty).
    static Result<std::unique_ptr<Store>> open(const std::filesystem::path& folder,
                                               const Options& options, bool may_create);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// Whether it had begun before this was opened. Then what its owner puts in first is there, or
    /// has been lost.
    [[nodiscard]] bool had_begun() const { return had_begun_; }
    /// What its owner puts in first has been committed: from here on it must not be missing.
    [[nodiscard]] Status mark_begun() const;
    [[nodiscard]] Result<Transaction> read() const;
    [[nodiscard]] Result<Transaction> write();
    /// A compacted copy of the newest commit into an empty file, which is not yet on the device
    /// when this returns. Others may write meanwhile.
    [[nodiscard]] Status copy_to(File& file) const;
    /// Frees what readers in other processes that have died held on to.
    void forget_dead_readers();
    [[nodiscard]] std::uint64_t file_bytes() const;
    [[nodiscard]] tl::unexpected<Error> error(int code, const std::string& what) const;

  private:
    friend class Transaction;
    Store(std::filesystem::path folder, const StoreSchema& schema);
    [[nodiscard]] Result<ByteView> checked(TableIndex table, ByteView key, ByteView stored) const;
    Status open_tables();

    std::filesystem::path folder_;
    const StoreSchema* schema_;
    std::optional<File> lock_;  // of whoever may write; of readers that leave no trace
    bool may_write_ = false;
    bool had_begun_ = false;
    MDB_env* env_ = nullptr;
    std::vector<unsigned> handles_;  // by table
};

}  // namespace holdfast
