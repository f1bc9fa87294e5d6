#include "embedded/bond_ledger.hpp"

#include <lmdb.h>

#include <functional>
#include <mutex>
#include <shared_mutex>

#include "core/codec.hpp"
#include "core/hash.hpp"
#include "embedded/bond_records_impl.hpp"
#include "embedded/bond_store_impl.hpp"
#include "storage/begun.hpp"
#include "storage/descriptors.hpp"
#include "storage/file.hpp"
#include "storage/process_limits.hpp"
#include "storage/reader_lock.hpp"

namespace holdfast {

using bond_store::corrupt;
using bond_store::decode_bond;
using bond_store::decode_u64;
using bond_store::encode_bond;
using bond_store::encode_u64;
using bond_store::fail_lmdb;
using bond_store::Table;
using bond_store::Transaction;

namespace {

constexpr const char* kDataFile = "data.mdb";
constexpr const char* kLockFile = "ledger.lock";
constexpr std::uint32_t kSchema = 2;  // with the list of what has happened to bonds
constexpr std::uint64_t kFirstMapBytes = std::uint64_t{256} << 10;

enum class Operation : std::uint8_t {
    kCreate = 1,
    kRelease,
    kSlash,
    kReward,
    kIssue,
    kFund,
    kAdd,
};

Bytes header_of(const NetworkId& network) { return Writer(36).u32(kSchema).fixed(network).take(); }

bool purpose_is_known(BondPurpose purpose) {
    return purpose >= BondPurpose::kStorage && purpose <= BondPurpose::kOperator;
}

}  // namespace

class BondLedger::Impl {
  public:
    static Result<std::unique_ptr<Impl>> open(const std::filesystem::path& folder,
                                              const NetworkId& network, const Options& options);
    static Result<std::unique_ptr<Impl>> read(const std::filesystem::path& folder,
                                              const NetworkId& network);
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
                                 std::uint64_t amount, BondPurpose purpose, const Digest& subject);
    Result<std::uint64_t> add(Change& c, const BondId& id, std::uint64_t amount);
    Result<std::uint64_t> release(Change& c, const BondId& id, std::uint64_t amount);
    Result<std::uint64_t> slash(Change& c, const BondId& id, std::uint64_t amount,
                                const OffenceId& offence);
    Result<std::uint64_t> reward(Change& c, const PublicKey& to, std::uint64_t amount);
    Result<std::uint64_t> issue(Change& c, const PublicKey& to, std::uint64_t amount);
    Result<std::uint64_t> fund(Change& c, std::uint64_t amount);

    [[nodiscard]] Result<BondInfo> bond(const Transaction& txn, const BondId& id) const;
    [[nodiscard]] Result<std::uint64_t> balance(const Transaction& txn, const PublicKey& who) const;
    [[nodiscard]] Result<Totals> totals(const Transaction& txn) const;
    [[nodiscard]] Status audit(const Transaction& txn) const;
    /// Under the lock that read() holds.
    Status copy_to(const File& file) const {
        const FileSizeSignalHeld no_signal;
        const int code = mdb_env_copyfd2(env_, file.descriptor(), MDB_CP_COMPACT);
        if (code != 0) return fail_lmdb(code, "cannot copy to " + file.path().string());
        return {};
    }
    [[nodiscard]] Result<std::vector<BondEvent>> events(const Transaction& txn, std::uint64_t first,
                                                        std::size_t most) const;
    [[nodiscard]] const NetworkId& network() const { return network_; }

  private:
    Status open_env(const std::filesystem::path& folder);
    /// `begun`: what stands in a ledger from its beginning must be there.
    Status open_tables(bool begun);
    Status name_tables(Transaction& txn);
    Status check_header(const Transaction& txn, const Bytes& stored) const;
    Result<std::uint64_t> once_in_map(const IdempotencyKey& key, const Digest& arguments,
                                      const Body& body);
    Status grow();
    Status credit(Change& c, const PublicKey& who, std::uint64_t amount);
    Status debit(Change& c, const PublicKey& who, std::uint64_t amount);
    static Status mint(Change& c, std::uint64_t amount);
    /// What has happened to a bond, for the host chain to list; part of the operation.
    Status note(Change& c, BondEvent event);
    [[nodiscard]] Result<std::uint64_t> next_event(const Transaction& txn) const;

    // LMDB runs without its own lock file: the folder's lock keeps other processes out, and this
    // one keeps readers apart from a writer and from growth of the map.
    std::shared_mutex mutex_;
    std::optional<File> lock_;
    bool read_only_ = false;
    MDB_env* env_ = nullptr;
    std::uint64_t map_bytes_ = kFirstMapBytes;
    std::uint64_t max_bytes_ = 0;
    NetworkId network_;
    Table meta_, accounts_, bonds_, keys_, offences_, events_;
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
    HOLDFAST_ASSIGN(lock, File::open(folder / kLockFile, File::Mode::kCreate));
    HOLDFAST_TRY(lock.lock_exclusive());
    impl->lock_.emplace(std::move(lock));
    impl->network_ = network;
    impl->max_bytes_ = std::max(options.max_bytes, kFirstMapBytes);
    HOLDFAST_TRY(impl->open_env(folder));
    HOLDFAST_TRY(impl->open_tables(begun));
    HOLDFAST_TRY(mark_begun(data));
    return impl;
}

Result<std::unique_ptr<BondLedger::Impl>> BondLedger::Impl::read(
    const std::filesystem::path& folder, const NetworkId& network) {
    const std::filesystem::path data = folder / kDataFile;
    HOLDFAST_TRY(check_not_vanished(data));
    std::error_code ignored;
    if (!std::filesystem::exists(data, ignored)) {
        return fail(ErrorCode::kNotFound, folder.string() + " holds no bond ledger yet");
    }
    auto impl = std::make_unique<Impl>();
    HOLDFAST_ASSIGN(lock, take_reader_lock(folder / kLockFile));
    if (lock.beside_writer) {
        return fail(ErrorCode::kBusy, "the bond ledger " + folder.string() +
                                          " is open for writing in another process");
    }
    impl->lock_ = std::move(lock.file);
    impl->network_ = network;
    impl->max_bytes_ = Options{}.max_bytes;
    impl->read_only_ = true;
    HOLDFAST_TRY(impl->open_env(folder));
    HOLDFAST_ASSIGN(txn, Transaction::begin(impl->env_, false));
    HOLDFAST_TRY(impl->name_tables(txn));
    HOLDFAST_ASSIGN(stored, impl->meta_.get(txn, view("header")));
    if (!stored) return corrupt("its database is empty");
    HOLDFAST_TRY(impl->check_header(txn, *stored));
    HOLDFAST_TRY(txn.commit());
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
    const unsigned flags = MDB_NOLOCK | MDB_NOTLS | (read_only_ ? unsigned{MDB_RDONLY} : 0U);
    if (code == 0) code = mdb_env_open(env_, folder.c_str(), flags, 0644);
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

Status BondLedger::Impl::name_tables(Transaction& txn) {
    HOLDFAST_TRY(meta_.open(txn, "meta"));
    HOLDFAST_TRY(accounts_.open(txn, "accounts"));
    HOLDFAST_TRY(bonds_.open(txn, "bonds"));
    HOLDFAST_TRY(keys_.open(txn, "keys"));
    HOLDFAST_TRY(offences_.open(txn, "offences"));
    return events_.open(txn, "events");
}

Status BondLedger::Impl::check_header(const Transaction& txn, const Bytes& stored) const {
    const Bytes header = header_of(network_);
    if (stored.size() != header.size()) return corrupt("its header is malformed");
    if (load_le32(stored.data()) != kSchema) {
        return fail(ErrorCode::kUnsupported, "bond ledger of another version");
    }
    if (stored != header) return fail_refused(Reason::kWrongNetwork, "bond ledger");
    HOLDFAST_TRY(totals(txn));
    return {};
}

Status BondLedger::Impl::open_tables(bool begun) {
    HOLDFAST_ASSIGN(txn, Transaction::begin(env_, true));
    HOLDFAST_TRY(name_tables(txn));
    HOLDFAST_ASSIGN(stored, meta_.get(txn, view("header")));
    if (!stored) {
        if (begun) return corrupt("its database is empty");
        HOLDFAST_TRY(meta_.put(txn, view("header"), header_of(network_)));
        HOLDFAST_TRY(meta_.put(txn, view("totals"), Bytes(32)));
        return txn.commit();
    }
    HOLDFAST_TRY(check_header(txn, *stored));
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

Result<std::uint64_t> BondLedger::Impl::next_event(const Transaction& txn) const {
    HOLDFAST_ASSIGN(stored, meta_.get(txn, view("events")));
    if (!stored) return std::uint64_t{0};
    return decode_u64(*stored);
}

Status BondLedger::Impl::note(Change& c, BondEvent event) {
    HOLDFAST_ASSIGN(number, next_event(c.txn));
    event.number = number;
    HOLDFAST_TRY(events_.put(c.txn, encode_u64(number), event.encode()));
    return meta_.put(c.txn, view("events"), encode_u64(number + 1));
}

Result<std::vector<BondEvent>> BondLedger::Impl::events(const Transaction& txn, std::uint64_t first,
                                                        std::size_t most) const {
    HOLDFAST_ASSIGN(end, next_event(txn));
    std::vector<BondEvent> out;
    for (std::uint64_t n = first; n < end && out.size() < most; ++n) {
        HOLDFAST_ASSIGN(stored, events_.get(txn, encode_u64(n)));
        if (!stored) return corrupt("an event is missing");
        const Checked<BondEvent> event = BondEvent::decode(*stored);
        if (!event) return corrupt("an event is malformed");
        out.push_back(*event);
    }
    return out;
}

Result<std::uint64_t> BondLedger::Impl::create(Change& c, const BondId& id, const PublicKey& owner,
                                               std::uint64_t amount, BondPurpose purpose,
                                               const Digest& subject) {
    HOLDFAST_TRY(debit(c, owner, amount));
    c.totals.in_bonds += amount;
    const BondInfo b{id, owner, purpose, BondState::kHeld, amount, amount, 0};
    HOLDFAST_TRY(bonds_.put(c.txn, view(id), encode_bond(b)));
    HOLDFAST_TRY(note(c, BondEvent::created(id, owner, amount, purpose, subject)));
    return amount;
}

Result<std::uint64_t> BondLedger::Impl::add(Change& c, const BondId& id, std::uint64_t amount) {
    HOLDFAST_ASSIGN(b, bond(c.txn, id));
    if (b.state == BondState::kReleased) {
        return fail(ErrorCode::kInvalidArgument, "bond " + to_hex(id) + " is released");
    }
    HOLDFAST_TRY(debit(c, b.owner, amount));
    c.totals.in_bonds += amount;
    b.created_amount += amount;
    b.held_amount += amount;
    HOLDFAST_TRY(bonds_.put(c.txn, view(id), encode_bond(b)));
    HOLDFAST_TRY(note(c, {BondEventKind::kAdded, {}, id, {}, amount, 0, {}}));
    return amount;
}

Result<std::uint64_t> BondLedger::Impl::release(Change& c, const BondId& id, std::uint64_t amount) {
    HOLDFAST_ASSIGN(b, bond(c.txn, id));
    const std::uint64_t given_back = std::min(amount, b.held_amount);
    b.held_amount -= given_back;
    if (b.held_amount == 0) b.state = BondState::kReleased;
    c.totals.in_bonds -= given_back;
    HOLDFAST_TRY(credit(c, b.owner, given_back));
    HOLDFAST_TRY(bonds_.put(c.txn, view(id), encode_bond(b)));
    HOLDFAST_TRY(note(c, {BondEventKind::kReleased, {}, id, {}, given_back, 0, {}}));
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
    HOLDFAST_TRY(note(c, {BondEventKind::kSlashed, {}, id, {}, taken, 0, {}}));
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

Result<std::unique_ptr<BondLedger>> BondLedger::read(const std::filesystem::path& folder,
                                                     const NetworkId& network) {
    HOLDFAST_ASSIGN(impl, Impl::read(folder, network));
    return std::unique_ptr<BondLedger>(new BondLedger(std::move(impl)));
}

Result<BondId> BondLedger::make_bond(const PublicKey& owner, std::uint64_t amount,
                                     BondPurpose purpose, const Digest& subject,
                                     const IdempotencyKey& key) {
    if (amount == 0 || !purpose_is_known(purpose)) {
        return fail(ErrorCode::kInvalidArgument, "a bond needs an amount and a known purpose");
    }
    const BondId id(tagged_hash("bond-ledger/bond", impl_->network(), owner, key));
    const Digest arguments = arguments_of(Operation::kCreate, owner, amount,
                                          static_cast<std::uint8_t>(purpose), subject);
    HOLDFAST_TRY(impl_->once(key, arguments, [&](Impl::Change& c) {
        return impl_->create(c, id, owner, amount, purpose, subject);
    }));
    return id;
}

Result<BondId> BondLedger::create_bond(const PublicKey& owner, std::uint64_t amount,
                                       BondPurpose purpose, const IdempotencyKey& key) {
    return make_bond(owner, amount, purpose, Digest{}, key);
}

Result<BondId> BondLedger::create_deposit(const PublicKey& owner, std::uint64_t amount,
                                          const Digest& evidence, const IdempotencyKey& key) {
    return make_bond(owner, amount, BondPurpose::kAccusation, evidence, key);
}

Status BondLedger::add_to_bond(const BondId& bond, std::uint64_t amount,
                               const IdempotencyKey& key) {
    HOLDFAST_TRY(impl_->once(key, arguments_of(Operation::kAdd, bond, amount),
                             [&](Impl::Change& c) { return impl_->add(c, bond, amount); }));
    return {};
}

Result<std::uint64_t> BondLedger::release_bond(const BondId& bond, std::uint64_t amount,
                                               const IdempotencyKey& key) {
    return impl_->once(key, arguments_of(Operation::kRelease, bond, amount),
                       [&](Impl::Change& c) { return impl_->release(c, bond, amount); });
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

Status BondLedger::copy_to(const std::filesystem::path& file) {
    HOLDFAST_ASSIGN(pending, PendingFile::create(file, /*replace=*/true));
    HOLDFAST_TRY(
        impl_->read<void>([&](const Transaction&) { return impl_->copy_to(pending.file()); }));
    return pending.publish();
}

Result<std::vector<BondEvent>> BondLedger::events(std::uint64_t first, std::size_t most) {
    return impl_->read<std::vector<BondEvent>>(
        [&](const Transaction& txn) { return impl_->events(txn, first, most); });
}

Status BondLedger::audit() {
    return impl_->read<void>([&](const Transaction& txn) { return impl_->audit(txn); });
}

}  // namespace holdfast
