#include "storage/lmdb_store.hpp"

#include <lmdb.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "storage/begun.hpp"
#include "storage/descriptors.hpp"
#include "storage/lmdb_check.hpp"
#include "storage/process_limits.hpp"
#include "storage/reader_lock.hpp"
#include "storage/record_log.hpp"

namespace holdfast {
namespace {

constexpr std::array<const char*, kTables> kRegistryTables = {
    "meta",           "blocks",          "chains",        "replicas",
    "states",         "agenda",          "audits",        "commitments",
    "reveals",        "links",           "misses",        "bonds",
    "parts",          "offences",        "deposits",      "checkpoints",
    "waiting",        "updates",         "leaves",        "regions",
    "effects",        "decisions",       "heads",         "journal",
    "journal-proofs", "journal-heights", "journal-nodes", "challengers",
    "challenger-due", "ranks",           "in-force",      "challenges",
    "challenge-ids",  "outcomes",        "suspended",     "unpaid",
    "owned",
};
constexpr std::array<const char*, 3> kSettlementTables = {"meta", "cases", "open"};
constexpr std::array<const char*, 3> kJournalTables = {"meta", "entries", "answers"};
constexpr StoreSchema kRegistrySchema{"registry", kRegistryTables};
constexpr StoreSchema kSettlementSchema{"settlement", kSettlementTables};
constexpr StoreSchema kJournalSchema{"challenges", kJournalTables};
constexpr std::array<const char*, 2> kCatalogueTables = {"meta", "files"};
constexpr StoreSchema kCatalogueSchema{"catalogue", kCatalogueTables};
constexpr std::uintmax_t kLeastBytes = 2 * 4096;  // of a database, however small

std::atomic<std::uint64_t> ended_operations = 0;  // of all databases

MDB_val to_val(ByteView bytes) {
    // LMDB takes keys by pointer to non-const and does not write to them.
    return {bytes.size(), const_cast<std::uint8_t*>(bytes.data())};
}

ByteView from_val(const MDB_val& v) {
    return {static_cast<const std::uint8_t*>(v.mv_data), v.mv_size};
}

bool starts_with(ByteView bytes, ByteView prefix) {
    return bytes.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

class Cursor {
  public:
    static Result<Cursor> open(const Store& store, MDB_txn* txn, MDB_dbi dbi) {
        Cursor c;
        const int code = mdb_cursor_open(txn, dbi, &c.cursor_);
        if (code != 0) return store.error(code, "cannot walk a table");
        return c;
    }
    Cursor(Cursor&& other) noexcept : cursor_(std::exchange(other.cursor_, nullptr)) {}
    Cursor& operator=(Cursor&&) = delete;
    ~Cursor() {
        if (cursor_ != nullptr) mdb_cursor_close(cursor_);
    }
    int move(MDB_cursor_op op) { return mdb_cursor_get(cursor_, &key_, &value_, op); }
    /// To the first key that is not below `key`.
    int seek(ByteView key) {
        if (key.empty()) return move(MDB_FIRST);
        key_ = to_val(key);
        return move(MDB_SET_RANGE);
    }
    int erase() { return mdb_cursor_del(cursor_, 0); }
    [[nodiscard]] ByteView key() const { return from_val(key_); }
    [[nodiscard]] ByteView value() const { return from_val(value_); }

  private:
    Cursor() = default;
    MDB_cursor* cursor_ = nullptr;
    MDB_val key_{};
    MDB_val value_{};
};

}  // namespace

const StoreSchema& registry_schema() { return kRegistrySchema; }
const StoreSchema& settlement_schema() { return kSettlementSchema; }
const StoreSchema& journal_schema() { return kJournalSchema; }
const StoreSchema& catalogue_schema() { return kCatalogueSchema; }

std::uint64_t store_operations() { return ended_operations; }

std::uint32_t stored_value_sum(ByteView key, ByteView value) { return crc32c(value, crc32c(key)); }

// --- keys ----------------------------------------------------------------------------------------

Key& Key::raw(ByteView v) {
    HOLDFAST_CHECK(size_ + v.size() <= bytes_.size());
    std::copy(v.begin(), v.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += v.size();
    return *this;
}

Key& Key::u8(std::uint8_t v) { return raw({&v, 1}); }

Key& Key::u32(std::uint32_t v) {
    const std::array<std::uint8_t, 4> big = {
        static_cast<std::uint8_t>(v >> 24), static_cast<std::uint8_t>(v >> 16),
        static_cast<std::uint8_t>(v >> 8), static_cast<std::uint8_t>(v)};
    return raw(big);
}

Key& Key::u64(std::uint64_t v) {
    return u32(static_cast<std::uint32_t>(v >> 32)).u32(static_cast<std::uint32_t>(v));
}

ByteView KeyReader::take(std::size_t n) {
    HOLDFAST_CHECK(n <= bytes_.size());
    const ByteView out = bytes_.first(n);
    bytes_ = bytes_.subspan(n);
    return out;
}

std::uint8_t KeyReader::u8() { return take(1)[0]; }

std::uint32_t KeyReader::u32() {
    std::uint32_t v = 0;
    for (const std::uint8_t b : take(4)) v = v << 8 | b;
    return v;
}

std::uint64_t KeyReader::u64() {
    const std::uint64_t high = u32();
    return high << 32 | u32();
}

// --- transactions --------------------------------------------------------------------------------

Transaction::Transaction(Transaction&& other) noexcept
    : store_(other.store_),
      txn_(std::exchange(other.txn_, nullptr)),
      operations_(std::exchange(other.operations_, 0)) {}

Transaction::~Transaction() {
    ended_operations += operations_;
    if (txn_ != nullptr) mdb_txn_abort(txn_);
}

Result<std::optional<ByteView>> Transaction::get(TableIndex table, ByteView key) const {
    MDB_val k = to_val(key);
    MDB_val v{};
    ++operations_;
    const int code = mdb_get(txn_, store_->handles_[table.value], &k, &v);
    if (code == MDB_NOTFOUND) return std::nullopt;
    if (code != 0) return store_->error(code, "cannot read");
    HOLDFAST_ASSIGN(value, store_->checked(table, key, from_val(v)));
    return value;
}

Result<bool> Transaction::contains(TableIndex table, ByteView key) const {
    HOLDFAST_ASSIGN(value, get(table, key));
    return value.has_value();
}

Status Transaction::for_each(TableIndex table, ByteView prefix, const Visitor& visit) const {
    return for_each_from(table, prefix, prefix, visit);
}

Status Transaction::for_each_from(TableIndex table, ByteView prefix, ByteView from,
                                  const Visitor& visit) const {
    HOLDFAST_ASSIGN(cursor, Cursor::open(*store_, txn_, store_->handles_[table.value]));
    int code = cursor.seek(from);
    for (; code == 0 && starts_with(cursor.key(), prefix); code = cursor.move(MDB_NEXT)) {
        ++operations_;
        HOLDFAST_ASSIGN(value, store_->checked(table, cursor.key(), cursor.value()));
        HOLDFAST_ASSIGN(more, visit(cursor.key(), value));
        if (!more) return {};
    }
    if (code != 0 && code != MDB_NOTFOUND) return store_->error(code, "cannot walk a table");
    return {};
}

Result<std::optional<std::pair<Bytes, ByteView>>> Transaction::last_at_most(TableIndex table,
                                                                            ByteView prefix,
                                                                            ByteView key) const {
    HOLDFAST_ASSIGN(cursor, Cursor::open(*store_, txn_, store_->handles_[table.value]));
    ++operations_;
    int code = cursor.seek(key);
    const bool exact =
        code == 0 && cursor.key().size() == key.size() && starts_with(cursor.key(), key);
    if (!exact) {
        if (code != 0 && code != MDB_NOTFOUND) return store_->error(code, "cannot walk a table");
        code = cursor.move(code == 0 ? MDB_PREV : MDB_LAST);
    }
    if (code == MDB_NOTFOUND) return std::nullopt;
    if (code != 0) return store_->error(code, "cannot walk a table");
    if (!starts_with(cursor.key(), prefix)) return std::nullopt;
    HOLDFAST_ASSIGN(value, store_->checked(table, cursor.key(), cursor.value()));
    return std::pair{Bytes(cursor.key().begin(), cursor.key().end()), value};
}

Result<std::optional<Bytes>> Transaction::first_key(TableIndex table, ByteView prefix) const {
    std::optional<Bytes> found;
    HOLDFAST_TRY(for_each(table, prefix, [&](ByteView key, ByteView) -> Result<bool> {
        found.emplace(key.begin(), key.end());
        return false;
    }));
    return found;
}

Status Transaction::put(TableIndex table, ByteView key, ByteView value) {
    MDB_val k = to_val(key);
    MDB_val v{value.size() + kStoredSumBytes, nullptr};
    ++operations_;
    const int code = mdb_put(txn_, store_->handles_[table.value], &k, &v, MDB_RESERVE);
    if (code != 0) return store_->error(code, "cannot write");
    auto* out = static_cast<std::uint8_t*>(v.mv_data);
    std::copy(value.begin(), value.end(), out);
    store_le32(out + value.size(), stored_value_sum(key, value));
    return {};
}

Status Transaction::erase(TableIndex table, ByteView key) {
    MDB_val k = to_val(key);
    ++operations_;
    const int code = mdb_del(txn_, store_->handles_[table.value], &k, nullptr);
    if (code != 0 && code != MDB_NOTFOUND) return store_->error(code, "cannot erase");
    return {};
}

Status Transaction::erase_range(TableIndex table, ByteView first, ByteView end) {
    HOLDFAST_ASSIGN(cursor, Cursor::open(*store_, txn_, store_->handles_[table.value]));
    int code = cursor.seek(first);
    // After a deletion the cursor stands where the next entry is, which MDB_GET_CURRENT would miss
    // at the end of a page; MDB_NEXT knows.
    while (code == 0 && std::lexicographical_compare(cursor.key().begin(), cursor.key().end(),
                                                     end.begin(), end.end())) {
        ++operations_;
        code = cursor.erase();
        if (code != 0) return store_->error(code, "cannot erase");
        code = cursor.move(MDB_NEXT);
    }
    if (code != 0 && code != MDB_NOTFOUND) return store_->error(code, "cannot walk a table");
    return {};
}

Status Transaction::commit() {
    const FileSizeSignalHeld no_signal;
    const int code = mdb_txn_commit(std::exchange(txn_, nullptr));
    if (code != 0) return store_->error(code, "cannot commit");
    return {};
}

// --- store ---------------------------------------------------------------------------------------

Store::Store(std::filesystem::path folder, const StoreSchema& schema)
    : folder_(std::move(folder)), schema_(&schema), handles_(schema.tables.size()) {}

Store::~Store() {
    if (env_ != nullptr) mdb_env_close(env_);
}

Result<ByteView> Store::checked(TableIndex table, ByteView key, ByteView stored) const {
    const auto damaged = [&](const char* how) {
        return fail(ErrorCode::kCorrupt, std::string(schema_->what) + " is damaged: an entry of " +
                                             schema_->tables[table.value] + " " + how);
    };
    if (stored.size() < kStoredSumBytes) return damaged("is too short");
    const ByteView value = stored.first(stored.size() - kStoredSumBytes);
    if (load_le32(stored.data() + value.size()) != stored_value_sum(key, value)) {
        return damaged("fails its checksum; restore a backup or rebuild it");
    }
    return value;
}

tl::unexpected<Error> Store::error(int code, const std::string& what) const {
    const std::string where = std::string(schema_->what) + " " + folder_.string() + ": " + what;
    if (code > 0) {
        // LMDB reports a short write, which is how a full disk first shows, as EIO.
        std::error_code ignored;
        const auto space = std::filesystem::space(folder_, ignored);
        constexpr std::uintmax_t kFull = 64 * 1024;
        if (code == EIO && !ignored && space.available < kFull) code = ENOSPC;
        return fail_write(code, where);
    }
    const std::string message = where + ": " + mdb_strerror(code);
    switch (code) {
        case MDB_MAP_FULL:
            return fail(ErrorCode::kOutOfSpace, message + "; open it with a larger map_bytes");
        case MDB_VERSION_MISMATCH:
            return fail(ErrorCode::kUnsupported, message);
        case MDB_INVALID:
        case MDB_CORRUPTED:
        case MDB_PAGE_NOTFOUND:
        case MDB_INCOMPATIBLE:
            return fail(ErrorCode::kCorrupt, message);
        default:
            return fail(ErrorCode::kIo, message);
    }
}

namespace {

Result<File> take_writer_lock(const std::filesystem::path& file) {
    HOLDFAST_ASSIGN(lock, File::open(file, File::Mode::kCreate));
    HOLDFAST_TRY(lock.lock_exclusive());
    return lock;
}

/// That the database may be mapped; `may_create`: or that there is none yet.
Status check_file(const std::filesystem::path& folder, const Store::Options& options,
                  bool may_create) {
    const std::filesystem::path data = folder / kStoreDataFile;
    std::error_code missing;
    std::uintmax_t bytes = std::filesystem::file_size(data, missing);
    if (!missing && may_create && bytes < kLeastBytes) {
        // Begun on a full disk: not even the two meta pages are there, so nothing ever was.
        std::filesystem::remove(data, missing);
        bytes = 0;
    }
    if (!missing && bytes > 0) {
        return check_store_file(data, options.map_bytes, options.check_values, options.threads);
    }
    if (may_create) return {};
    return fail(ErrorCode::kCorrupt, std::string(options.schema->what) + " " + folder.string() +
                                         ": its database is missing or empty");
}

/// What is mapped: a reader's map is as large as the newest writer has made it, which stands in the
/// first meta page.
std::uint64_t map_bytes_of(const std::filesystem::path& folder, const Store::Options& options) {
    constexpr std::uint64_t kMapSizeOffset = 32;
    std::array<std::uint8_t, 8> stored{};
    const auto file = File::open(folder / kStoreDataFile, File::Mode::kRead);
    const bool known = options.read_only && file && file->read_at(kMapSizeOffset, stored);
    return known ? load_le64(stored.data()) : options.map_bytes;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const std::filesystem::path& folder,
                                           const Options& options, bool may_create) {
    const StoreSchema& schema = *options.schema;
    HOLDFAST_TRY(check_not_vanished(folder / kStoreDataFile));
    HOLDFAST_ASSIGN(begun, has_begun(folder / kStoreDataFile));
    const std::filesystem::path lock_file = folder / (std::string(schema.what) + ".lock");
    std::unique_ptr<Store> store(new Store(folder, schema));
    ReaderLock reader;
    if (options.read_only) {
        HOLDFAST_ASSIGN(taken, take_reader_lock(lock_file));
        reader = std::move(taken);
    } else {
        HOLDFAST_ASSIGN(taken, take_writer_lock(lock_file));
        store->lock_.emplace(std::move(taken));
        store->may_write_ = true;
    }
    // A file that somebody writes cannot be followed page by page.
    if (!reader.beside_writer) {
        HOLDFAST_TRY(check_file(folder, options, may_create && !begun && !options.read_only));
    }
    // LMDB's readers write to its own lock file. Without that they keep writers out instead.
    const bool no_trace = options.read_only && !reader.may_write;
    if (no_trace) store->lock_ = std::move(reader.file);
    store->had_begun_ = begun;
    if (const int code = mdb_env_create(&store->env_); code != 0) {
        return store->error(code, "cannot begin");
    }
    mdb_env_set_maxdbs(store->env_, static_cast<MDB_dbi>(schema.tables.size()));
    // A reader's map is as large as the writer has made it.
    int code = options.read_only ? 0 : mdb_env_set_mapsize(store->env_, options.map_bytes);
    occupy_standard_descriptors();
    const FileSizeSignalHeld no_signal;
    const unsigned flags = MDB_NOTLS | (options.read_only ? unsigned{MDB_RDONLY} : 0U) |
                           (no_trace ? unsigned{MDB_NOLOCK} : 0U);
    if (code == 0) code = mdb_env_open(store->env_, folder.c_str(), flags, 0644);
    if (code == ENOMEM) {
        return fail_map(std::string(schema.what) + " " + folder.string(),
                        map_bytes_of(folder, options), "map_bytes");
    }
    if (code != 0) return store->error(code, "cannot open");
    HOLDFAST_TRY(store->open_tables());
    return store;
}

Status Store::mark_begun() const { return holdfast::mark_begun(folder_ / kStoreDataFile); }

Status Store::open_tables() {
    HOLDFAST_ASSIGN(txn, may_write_ ? write() : read());
    for (std::size_t i = 0; i < handles_.size(); ++i) {
        const char* name = schema_->tables[i];
        const unsigned flags = may_write_ ? unsigned{MDB_CREATE} : 0U;
        const int code = mdb_dbi_open(txn.txn_, name, flags, &handles_[i]);
        if (code == MDB_NOTFOUND) {
            return fail(ErrorCode::kUnsupported, std::string(schema_->what) + " " +
                                                     folder_.string() +
                                                     " lacks a table of this build; open it once "
                                                     "for writing");
        }
        if (code != 0) return error(code, std::string("cannot open table ") + name);
    }
    return txn.commit();
}

Result<Transaction> Store::read() const {
    MDB_txn* txn = nullptr;
    const int code = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn);
    if (code != 0) return error(code, "cannot begin reading");
    return Transaction(*this, txn);
}

Result<Transaction> Store::write() {
    if (!may_write_) {
        return fail(ErrorCode::kPermission, std::string(schema_->what) + " " + folder_.string() +
                                                " was opened for reading only");
    }
    MDB_txn* txn = nullptr;
    const int code = mdb_txn_begin(env_, nullptr, 0, &txn);
    if (code != 0) return error(code, "cannot begin writing");
    return Transaction(*this, txn);
}

Status Store::copy_to(File& file) const {
    int code = mdb_env_copyfd2(env_, file.descriptor(), MDB_CP_COMPACT);
    if (code == MDB_INCOMPATIBLE) {
        // Compacting refuses a database that has lost count of a free page, which does no harm.
        HOLDFAST_TRY(file.truncate(0));
        if (::lseek(file.descriptor(), 0, SEEK_SET) != 0) return fail_errno(errno, "lseek");
        code = mdb_env_copyfd2(env_, file.descriptor(), 0);
    }
    if (code != 0) return error(code, "cannot copy it to " + file.path().string());
    return {};
}

void Store::forget_dead_readers() {
    // How many there were is of no interest, and failing frees nothing.
    int dead = 0;
    (void)mdb_reader_check(env_, &dead);
}

std::uint64_t Store::file_bytes() const {
    std::error_code ignored;
    const std::uintmax_t bytes = std::filesystem::file_size(folder_ / kStoreDataFile, ignored);
    return ignored ? 0 : bytes;
}

}  // namespace holdfast
