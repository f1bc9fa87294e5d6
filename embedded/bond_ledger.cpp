#include "embedded/bond_ledger.hpp"

#include <lmdb.h>

#include <functional>
#include <mutex>
#include <shared_mutex>

#include "core/codec.hpp"
#include "core/hash.hpp"
#include "storage/begun.hpp"
#include "storage/descriptors.hpp"
#include "storage/file.hpp"
#include "storage/process_limits.hpp"
#include "storage/record_log.hpp"

namespace holdfast {
namespace {

constexpr const char* kDataFile = "data.mdb";
constexpr std::uint32_t kSchema = 1;
constexpr std::uint64_t kFirstMapBytes = std::uint64_t{256} << 10;
constexpr std::size_t kCrcBytes = 4;

enum class Operation : std::uint8_t { kCreate = 1, kRelease, kSlash, kReward, kIssue, kFund };

tl::unexpected<Error> corrupt(const std::string& what) {
    return fail(ErrorCode::kCorrupt, "bond ledger is damaged: " + what);
}

tl::unexpected<Error> fail_lmdb(int code, const std::string& what) {
    if (code > 0) return fail_write(code, "bond ledger: " + what);
    const std::string message = "bond ledger: " + what + ": " + mdb_strerror(code);
    switch (code) {
        case MDB_INVALID:
        case MDB_CORRUPTED:
        case MDB_PAGE_NOTFOUND:
        case MDB_BAD_VALSIZE:
        case MDB_INCOMPATIBLE:
            return fail(ErrorCode::kCorrupt, message);
        case MDB_VERSION_MISMATCH:
            return fail(ErrorCode::kUnsupported, message);
        // Answered by growing the map; never leaves this file.
        case MDB_MAP_FULL:
            return fail(ErrorCode::kBusy, message);
        default:
            return fail(ErrorCode::kIo, message);
    }
}

/// One LMDB transaction; aborted unless committed.
class Transaction {
  public:
    static Result<Transaction> begin(MDB_env* env, bool write) {
        Transaction t;
        const int code = mdb_txn_begin(env, nullptr, write ? 0 : MDB_RDONLY, &t.txn_);
        if (code != 0) return fail_lmdb(code, "cannot begin");
        return t;
    }
    Transaction(Transaction&& other) noexcept : txn_(std::exchange(other.txn_, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction() {
        if (txn_ != nullptr) mdb_txn_abort(txn_);
    }
    Status commit() {
        const FileSizeSignalHeld no_signal;
        const int code = mdb_txn_commit(std::exchange(txn_, nullptr));
        if (code != 0) return fail_lmdb(code, "cannot commit");
        return {};
    }
    [[nodiscard]] MDB_txn* get() const { return txn_; }

  private:
    Transaction() = default;
    MDB_txn* txn_ = nullptr;
};

/// A table whose every value ends in a CRC-32C over key and value.
class Table {
  public:
    Status open(Transaction& txn, const char* name) {
        name_ = name;
        const int code = mdb_dbi_open(txn.get(), name, MDB_CREATE, &dbi_);
        if (code != 0) return fail_lmdb(code, std::string("cannot open table ") + name);
        return {};
    }
    /// Empty when there is none.
    [[nodiscard]] Result<std::optional<Bytes>> get(const Transaction& txn, ByteView key) const {
        MDB_val k = to_val(key);
        MDB_val v{};
        const int code = mdb_get(txn.get(), dbi_, &k, &v);
        if (code == MDB_NOTFOUND) return std::optional<Bytes>{};
        if (code != 0) return fail_lmdb(code, "cannot read " + name_);
        HOLDFAST_ASSIGN(body, checked(key, from_val(v)));
        return std::optional<Bytes>(Bytes(body.begin(), body.end()));
    }
    Status put(Transaction& txn, ByteView key, ByteView value) const {
        Writer w(value.size() + kCrcBytes);
        w.raw(value).u32(sum(key, value));
        MDB_val k = to_val(key);
        MDB_val v = to_val(w.bytes());
        const int code = mdb_put(txn.get(), dbi_, &k, &v, 0);
        if (code != 0) return fail_lmdb(code, "cannot write " + name_);
        return {};
    }
    using Visitor = std::function<Status(ByteView key, ByteView value)>;
    [[nodiscard]] Status for_each(const Transaction& txn, const Visitor& visit) const {
        MDB_cursor* raw = nullptr;
        if (const int code = mdb_cursor_open(txn.get(), dbi_, &raw); code != 0) {
            return fail_lmdb(code, "cannot walk " + name_);
        }
        const std::unique_ptr<MDB_cursor, decltype(&mdb_cursor_close)> cursor(raw,
                                                                              mdb_cursor_close);
        MDB_val k{};
        MDB_val v{};
        int code = mdb_cursor_get(raw, &k, &v, MDB_FIRST);
        for (; code == 0; code = mdb_cursor_get(raw, &k, &v, MDB_NEXT)) {
            HOLDFAST_ASSIGN(body, checked(from_val(k), from_val(v)));
            HOLDFAST_TRY(visit(from_val(k), body));
        }
        if (code != MDB_NOTFOUND) return fail_lmdb(code, "cannot walk " + name_);
        return {};
    }

  private:
    static MDB_val to_val(ByteView bytes) {
        // LMDB takes keys and values by pointer to non-const and does not write to them.
        return {bytes.size(), const_cast<std::uint8_t*>(bytes.data())};
    }
    static ByteView from_val(const MDB_val& v) {
        return {static_cast<const std::uint8_t*>(v.mv_data), v.mv_size};
    }
    static std::uint32_t sum(ByteView key, ByteView value) { return crc32c(value, crc32c(key)); }
    [[nodiscard]] Result<ByteView> checked(ByteView key, ByteView stored) const {
        if (stored.size() < kCrcBytes) return corrupt("an entry of " + name_ + " is too short");
        const ByteView value = stored.first(stored.size() - kCrcBytes);
        if (load_le32(stored.data() + value.size()) != sum(key, value)) {
            return corrupt("an entry of " + name_ + " fails its checksum");
        }
        return value;
    }

    MDB_dbi dbi_ = 0;
    std::string name_;
};

Bytes encode_u64(std::uint64_t v) { return Writer(8).u64(v).take(); }

Bytes encode_bond(const BondInfo& b) {
    Writer w(64);
    w.fixed(b.owner)
        .u8(static_cast<std::uint8_t>(b.purpose))
        .u8(static_cast<std::uint8_t>(b.state));
    return w.u64(b.created_amount).u64(b.held_amount).u64(b.slashed_amount).take();
}

Result<BondInfo> decode_bond(const BondId& id, ByteView bytes) {
    Reader r(bytes);
    BondInfo b;
    b.id = id;
    b.owner = r.fixed<PublicKey>();
    b.purpose = static_cast<BondPurpose>(r.u8());
    b.state = static_cast<BondState>(r.u8());
    b.created_amount = r.u64();
    b.held_amount = r.u64();
    b.slashed_amount = r.u64();
    if (!r.finish()) return corrupt("a bond is malformed");
    return b;
}

Result<std::uint64_t> decode_u64(ByteView bytes) {
    Reader r(bytes);
    const std::uint64_t v = r.u64();
    if (!r.finish()) return corrupt("an amount is malformed");
    return v;
}

bool purpose_is_known(BondPurpose purpose) {
    return purpose >= BondPurpose::kStorage && purpose <= BondPurpose::kAccusation;
}

}  // namespace

class BondLedger::Impl {
  public:
    static Result<std::unique_ptr<Impl>> open(const std::filesystem::path& folder,
                                              const NetworkId& network, const Options& options);
    ~Impl() {
        if (env_ != nullptr) mdb_env_close(env_);
    }
    Impl() = default;
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    /// What an operation changes: the tables within one transaction, and the totals, which are
    /// written back when the operation succeeds.
    struct Change {
        Transaction& txn;
        Totals& totals;
    };
    using Body = std::function<Result<std::uint64_t>(Change&)>;
    /// Runs `body` at most once for `key`: a repetition with equal `arguments` gets the first
    /// answer.
    Result<std::uint64_t> once(const IdempotencyKey& key, const Digest& arguments,
                               const Body& body);

    template <class T>
    Result<T> read(const std::function<Result<T>(const Transaction&)>& body) {
        const std::shared_lock lock(mutex_);
        HOLDFAST_ASSIGN(txn, Transaction::begin(env_, false));
        return body(txn);
    }

    Result<std::uint64_t> create(Change& c, const BondId& id, const PublicKey& owner,
                                 std::uint64_t amount, BondPurpose purpose);
    Result<std::uint64_t> release(Change& c, const BondId& id);
    Result<std::uint64_t> slash(Change& c, const BondId& id, std::uint64_t amount,
                                const OffenceId& offence);
    Result<std::uint64_t> reward(Change& c, const PublicKey& to, std::uint64_t amount);
    Result<std::uint64_t> issue(Change& c, const PublicKey& to, std::uint64_t amount);
    Result<std::uint64_t> fund(Change& c, std::uint64_t amount);

    [[nodiscard]] Result<BondInfo> bond(const Transaction& txn, const BondId& id) const;
    [[nodiscard]] Result<std::uint64_t> balance(const Transaction& txn, const PublicKey& who) const;
    [[nodiscard]] Result<Totals> totals(const Transaction& txn) const;
    [[nodiscard]] Status audit(const Transaction& txn) const;
    [[nodiscard]] const NetworkId& network() const { return network_; }

  private:
    Status open_env(const std::filesystem::path& folder);
    /// `begun`: what stands in a ledger from its beginning must be there.
    Status open_tables(bool begun);
    Result<std::uint64_t> once_in_map(const IdempotencyKey& key, const Digest& arguments,
                                      const Body& body);
    Status grow();
    Status credit(Change& c, const PublicKey& who, std::uint64_t amount);
    Status debit(Change& c, const PublicKey& who, std::uint64_t amount);
    static Status mint(Change& c, std::uint64_t amount);

    // LMDB runs without its own lock file: the folder's lock keeps other processes out, and this
    // one keeps readers apart from a writer and from growth of the map.
    std::shared_mutex mutex_;
    std::optional<File> lock_;
    MDB_env* env_ = nullptr;
    std::uint64_t map_bytes_ = kFirstMapBytes;
    std::uint64_t max_bytes_ = 0;
    NetworkId network_;
    Table meta_, accounts_, bonds_, keys_, offences_;
};

Result<std::unique_ptr<BondLedger::Impl>> BondLedger::Impl::open(
    const std::filesystem::path& folder, const NetworkId& network, const Options& options) {
    const std::filesystem::path data = folder / kDataFile;
    HOLDFAST_TRY(check_not_vanished(data));
    HOLDFAST_ASSIGN(begun, has_begun(data));
    std::error_code error;
    std::filesystem::create_directory(folder, error);
    if (error) return fail_errno(error.value(), "cannot make folder " + folder.string());
    auto impl = std::make_unique<Impl>();
    HOLDFAST_ASSIGN(lock, File::open(folder / "ledger.lock", File::Mode::kCreate));
    HOLDFAST_TRY(lock.lock_exclusive());
    impl->lock_.emplace(std::move(lock));
    impl->network_ = network;
    impl->max_bytes_ = std::max(options.max_bytes, kFirstMapBytes);
    HOLDFAST_TRY(impl->open_env(folder));
    HOLDFAST_TRY(impl->open_tables(begun));
    HOLDFAST_TRY(mark_begun(data));
    return impl;
}

Status BondLedger::Impl::open_env(const std::filesystem::path& folder) {
    if (const int code = mdb_env_create(&env_); code != 0) return fail_lmdb(code, "cannot start");
    const std::filesystem::path data = folder / kDataFile;
    std::error_code error;
    const std::uintmax_t file_bytes = std::filesystem::file_size(data, error);
    const bool exists = !error && file_bytes > 0;
    while (exists && map_bytes_ < 2 * file_bytes && map_bytes_ < max_bytes_) map_bytes_ *= 2;
    map_bytes_ = std::min(map_bytes_, max_bytes_);
    int code = mdb_env_set_maxdbs(env_, 8);
    if (code == 0) code = mdb_env_set_mapsize(env_, map_bytes_);
    occupy_standard_descriptors();
    const FileSizeSignalHeld no_signal;
    if (code == 0) code = mdb_env_open(env_, folder.c_str(), MDB_NOLOCK | MDB_NOTLS, 0644);
    if (code == ENOMEM) return fail_map("bond ledger: " + data.string(), map_bytes_, "max_bytes");
    if (code != 0) return fail_lmdb(code, "cannot open " + data.string());
    // Pages beyond the end of a file that was cut short would fault when they are touched.
    MDB_envinfo info{};
    MDB_stat stat{};
    mdb_env_info(env_, &info);
    mdb_env_stat(env_, &stat);
    if (exists && (info.me_last_pgno + 1) * stat.ms_psize > file_bytes) {
        return corrupt(data.string() + " is shorter than its contents");
    }
    return {};
}

Status BondLedger::Impl::open_tables(bool begun) {
    HOLDFAST_ASSIGN(txn, Transaction::begin(env_, true));
    HOLDFAST_TRY(meta_.open(txn, "meta"));
    HOLDFAST_TRY(accounts_.open(txn, "accounts"));
    HOLDFAST_TRY(bonds_.open(txn, "bonds"));
    HOLDFAST_TRY(keys_.open(txn, "keys"));
    HOLDFAST_TRY(offences_.open(txn, "offences"));
    Writer header(36);
    header.u32(kSchema).fixed(network_);
    HOLDFAST_ASSIGN(stored, meta_.get(txn, view("header")));
    if (!stored) {
        if (begun) return corrupt("its database is empty");
        HOLDFAST_TRY(meta_.put(txn, view("header"), header.bytes()));
        HOLDFAST_TRY(meta_.put(txn, view("totals"), Bytes(32)));
        return txn.commit();
    }
    if (stored->size() != header.bytes().size()) return corrupt("its header is malformed");
    if (load_le32(stored->data()) != kSchema) {
        return fail(ErrorCode::kUnsupported, "bond ledger of another version");
    }
    if (*stored != header.bytes()) return fail_refused(Reason::kWrongNetwork, "bond ledger");
    HOLDFAST_TRY(totals(txn));
    return txn.commit();
}

Status BondLedger::Impl::grow() {
    if (map_bytes_ >= max_bytes_) {
        return fail(ErrorCode::kOutOfSpace, "bond ledger has reached its largest size");
    }
    map_bytes_ = std::min(map_bytes_ * 2, max_bytes_);
    const int code = mdb_env_set_mapsize(env_, map_bytes_);
    if (code == ENOMEM) return fail_map("bond ledger cannot grow", map_bytes_, "max_bytes");
    if (code != 0) return fail_lmdb(code, "cannot grow");
    return {};
}

Result<std::uint64_t> BondLedger::Impl::once(const IdempotencyKey& key, const Digest& arguments,
                                             const Body& body) {
    const std::unique_lock lock(mutex_);
    for (;;) {
        Result<std::uint64_t> answer = once_in_map(key, arguments, body);
        if (answer || answer.error().code != ErrorCode::kBusy) return answer;
        HOLDFAST_TRY(grow());
    }
}

Result<std::uint64_t> BondLedger::Impl::once_in_map(const IdempotencyKey& key,
                                                    const Digest& arguments, const Body& body) {
    HOLDFAST_ASSIGN(txn, Transaction::begin(env_, true));
    HOLDFAST_ASSIGN(before, keys_.get(txn, view(key)));
    if (before) {
        Reader r(*before);
        const auto first_arguments = r.fixed<Digest>();
        const std::uint64_t first_answer = r.u64();
        if (!r.finish()) return corrupt("an entry of keys is malformed");
        if (first_arguments == arguments) return first_answer;
        return fail(ErrorCode::kInvalidArgument,
                    "this idempotency key was used for a call with other arguments");
    }
    HOLDFAST_ASSIGN(sums, totals(txn));
    Change change{txn, sums};
    HOLDFAST_ASSIGN(answer, body(change));
    HOLDFAST_TRY(keys_.put(txn, view(key), Writer(40).fixed(arguments).u64(answer).bytes()));
    Writer w(32);
    w.u64(sums.issued).u64(sums.in_accounts).u64(sums.in_bonds).u64(sums.in_pool);
    HOLDFAST_TRY(meta_.put(txn, view("totals"), w.bytes()));
    HOLDFAST_TRY(txn.commit());
    return answer;
}

Result<BondInfo> BondLedger::Impl::bond(const Transaction& txn, const BondId& id) const {
    HOLDFAST_ASSIGN(stored, bonds_.get(txn, view(id)));
    if (!stored) return fail(ErrorCode::kNotFound, "no bond " + to_hex(view(id)));
    return decode_bond(id, *stored);
}

Result<std::uint64_t> BondLedger::Impl::balance(const Transaction& txn,
                                                const PublicKey& who) const {
    HOLDFAST_ASSIGN(stored, accounts_.get(txn, view(who)));
    if (!stored) return std::uint64_t{0};
    return decode_u64(*stored);
}

Result<BondLedger::Totals> BondLedger::Impl::totals(const Transaction& txn) const {
    HOLDFAST_ASSIGN(stored, meta_.get(txn, view("totals")));
    if (!stored) return corrupt("it has no totals");
    Reader r(*stored);
    Totals t;
    t.issued = r.u64();
    t.in_accounts = r.u64();
    t.in_bonds = r.u64();
    t.in_pool = r.u64();
    // The parts cannot overflow where their sum is `issued`: compare by taking away.
    if (!r.finish() || t.in_accounts > t.issued || t.in_bonds > t.issued - t.in_accounts ||
        t.in_pool != t.issued - t.in_accounts - t.in_bonds) {
        return corrupt("its totals do not add up");
    }
    return t;
}

Status BondLedger::Impl::audit(const Transaction& txn) const {
    HOLDFAST_ASSIGN(expected, totals(txn));
    std::uint64_t accounts = 0;
    std::uint64_t bonds = 0;
    HOLDFAST_TRY(accounts_.for_each(txn, [&](ByteView, ByteView value) -> Status {
        HOLDFAST_ASSIGN(amount, decode_u64(value));
        if (__builtin_add_overflow(accounts, amount, &accounts))
            return corrupt("accounts overflow");
        return {};
    }));
    HOLDFAST_TRY(bonds_.for_each(txn, [&](ByteView, ByteView value) -> Status {
        HOLDFAST_ASSIGN(b, decode_bond(BondId{}, value));
        if (__builtin_add_overflow(bonds, b.held_amount, &bonds)) return corrupt("bonds overflow");
        return {};
    }));
    if (accounts != expected.in_accounts || bonds != expected.in_bonds) {
        return corrupt("accounts and bonds do not add up to its totals");
    }
    return {};
}

// Amounts below never overflow: each part is at most `issued`, and mint() keeps that within a u64.

Status BondLedger::Impl::credit(Change& c, const PublicKey& who, std::uint64_t amount) {
    HOLDFAST_ASSIGN(before, balance(c.txn, who));
    c.totals.in_accounts += amount;
    return accounts_.put(c.txn, view(who), encode_u64(before + amount));
}

Status BondLedger::Impl::debit(Change& c, const PublicKey& who, std::uint64_t amount) {
    HOLDFAST_ASSIGN(before, balance(c.txn, who));
    if (before < amount) {
        return fail(ErrorCode::kUnavailable, "account " + to_hex(view(who)) + " holds " +
                                                 std::to_string(before) + " units of " +
                                                 std::to_string(amount));
    }
    c.totals.in_accounts -= amount;
    return accounts_.put(c.txn, view(who), encode_u64(before - amount));
}

Status BondLedger::Impl::mint(Change& c, std::uint64_t amount) {
    if (__builtin_add_overflow(c.totals.issued, amount, &c.totals.issued)) {
        return fail(ErrorCode::kInvalidArgument, "more units than a u64 counts");
    }
    return {};
}

Result<std::uint64_t> BondLedger::Impl::create(Change& c, const BondId& id, const PublicKey& owner,
                                               std::uint64_t amount, BondPurpose purpose) {
    HOLDFAST_TRY(debit(c, owner, amount));
    c.totals.in_bonds += amount;
    const BondInfo b{id, owner, purpose, BondState::kHeld, amount, amount, 0};
    HOLDFAST_TRY(bonds_.put(c.txn, view(id), encode_bond(b)));
    return amount;
}

Result<std::uint64_t> BondLedger::Impl::release(Change& c, const BondId& id) {
    HOLDFAST_ASSIGN(b, bond(c.txn, id));
    const std::uint64_t given_back = std::exchange(b.held_amount, 0);
    b.state = BondState::kReleased;
    c.totals.in_bonds -= given_back;
    HOLDFAST_TRY(credit(c, b.owner, given_back));
    HOLDFAST_TRY(bonds_.put(c.txn, view(id), encode_bond(b)));
    return given_back;
}

// Spec 11, settlement: an offence is settled once.
Result<std::uint64_t> BondLedger::Impl::slash(Change& c, const BondId& id, std::uint64_t amount,
                                              const OffenceId& offence) {
    HOLDFAST_ASSIGN(b, bond(c.txn, id));
    const Bytes settled = Writer(64).fixed(id).fixed(offence).take();
    HOLDFAST_ASSIGN(before, offences_.get(c.txn, settled));
    if (before) return std::uint64_t{0};
    const std::uint64_t taken = std::min(amount, b.held_amount);
    b.held_amount -= taken;
    b.slashed_amount += taken;
    c.totals.in_bonds -= taken;
    c.totals.in_pool += taken;
    HOLDFAST_TRY(offences_.put(c.txn, settled, encode_u64(taken)));
    HOLDFAST_TRY(bonds_.put(c.txn, view(id), encode_bond(b)));
    return taken;
}

Result<std::uint64_t> BondLedger::Impl::reward(Change& c, const PublicKey& to,
                                               std::uint64_t amount) {
    if (c.totals.in_pool < amount) {
        return fail(ErrorCode::kUnavailable, "the pool of rewards holds " +
                                                 std::to_string(c.totals.in_pool) + " units of " +
                                                 std::to_string(amount));
    }
    c.totals.in_pool -= amount;
    HOLDFAST_TRY(credit(c, to, amount));
    return amount;
}

Result<std::uint64_t> BondLedger::Impl::issue(Change& c, const PublicKey& to,
                                              std::uint64_t amount) {
    HOLDFAST_TRY(mint(c, amount));
    HOLDFAST_TRY(credit(c, to, amount));
    return amount;
}

Result<std::uint64_t> BondLedger::Impl::fund(Change& c, std::uint64_t amount) {
    HOLDFAST_TRY(mint(c, amount));
    c.totals.in_pool += amount;
    return amount;
}

namespace {
template <class... Fields>
Digest arguments_of(Operation operation, const Fields&... fields) {
    return tagged_hash("bond-ledger/call", static_cast<std::uint8_t>(operation), fields...);
}
}  // namespace

BondLedger::BondLedger(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BondLedger::~BondLedger() = default;

Result<std::unique_ptr<BondLedger>> BondLedger::open(const std::filesystem::path& folder,
                                                     const NetworkId& network,
                                                     const Options& options) {
    HOLDFAST_ASSIGN(impl, Impl::open(folder, network, options));
    return std::unique_ptr<BondLedger>(new BondLedger(std::move(impl)));
}

Result<BondId> BondLedger::create_bond(const PublicKey& owner, std::uint64_t amount,
                                       BondPurpose purpose, const IdempotencyKey& key) {
    if (amount == 0 || !purpose_is_known(purpose)) {
        return fail(ErrorCode::kInvalidArgument, "a bond needs an amount and a known purpose");
    }
    const BondId id(tagged_hash("bond-ledger/bond", impl_->network(), owner, key));
    const Digest arguments =
        arguments_of(Operation::kCreate, owner, amount, static_cast<std::uint8_t>(purpose));
    HOLDFAST_TRY(impl_->once(key, arguments, [&](Impl::Change& c) {
        return impl_->create(c, id, owner, amount, purpose);
    }));
    return id;
}

Result<std::uint64_t> BondLedger::release_bond(const BondId& bond, const IdempotencyKey& key) {
    return impl_->once(key, arguments_of(Operation::kRelease, bond),
                       [&](Impl::Change& c) { return impl_->release(c, bond); });
}

Result<std::uint64_t> BondLedger::slash_bond(const BondId& bond, std::uint64_t amount,
                                             const OffenceId& offence, const IdempotencyKey& key) {
    return impl_->once(key, arguments_of(Operation::kSlash, bond, amount, offence),
                       [&](Impl::Change& c) { return impl_->slash(c, bond, amount, offence); });
}

Status BondLedger::pay_reward(const PublicKey& to, std::uint64_t amount, const Digest& reference,
                              const IdempotencyKey& key) {
    HOLDFAST_TRY(impl_->once(key, arguments_of(Operation::kReward, to, amount, reference),
                             [&](Impl::Change& c) { return impl_->reward(c, to, amount); }));
    return {};
}

Status BondLedger::issue(const PublicKey& to, std::uint64_t amount, const IdempotencyKey& key) {
    HOLDFAST_TRY(impl_->once(key, arguments_of(Operation::kIssue, to, amount),
                             [&](Impl::Change& c) { return impl_->issue(c, to, amount); }));
    return {};
}

Status BondLedger::fund_pool(std::uint64_t amount, const IdempotencyKey& key) {
    HOLDFAST_TRY(impl_->once(key, arguments_of(Operation::kFund, amount),
                             [&](Impl::Change& c) { return impl_->fund(c, amount); }));
    return {};
}

Result<BondInfo> BondLedger::bond_info(const BondId& bond) {
    return impl_->read<BondInfo>([&](const Transaction& txn) { return impl_->bond(txn, bond); });
}

Result<std::uint64_t> BondLedger::balance(const PublicKey& account) {
    return impl_->read<std::uint64_t>(
        [&](const Transaction& txn) { return impl_->balance(txn, account); });
}

Result<BondLedger::Totals> BondLedger::totals() {
    return impl_->read<Totals>([&](const Transaction& txn) { return impl_->totals(txn); });
}

Status BondLedger::audit() {
    return impl_->read<void>([&](const Transaction& txn) { return impl_->audit(txn); });
}

}  // namespace holdfast
