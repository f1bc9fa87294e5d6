// The bond ledger's transactions and tables on LMDB. Internal to bond_ledger.cpp.
#pragma once

#include <lmdb.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/codec.hpp"
#include "core/result.hpp"
#include "storage/process_limits.hpp"
#include "storage/record_log.hpp"

namespace holdfast::bond_store {

inline constexpr std::size_t kCrcBytes = 4;

inline tl::unexpected<Error> corrupt(const std::string& what) {
    return fail(ErrorCode::kCorrupt, "bond ledger is damaged: " + what);
}

inline tl::unexpected<Error> fail_lmdb(int code, const std::string& what) {
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

}  // namespace holdfast::bond_store
