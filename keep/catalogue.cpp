#include "keep/catalogue.hpp"

#include <chrono>
#include <mutex>
#include <thread>

#include "storage/lmdb_store.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kCatalogueMapBytes = std::uint64_t{8} << 30;
constexpr std::chrono::seconds kWriterPatience{10};
constexpr std::chrono::milliseconds kWriterPause{10};
constexpr std::uint8_t kLive = 1;
constexpr std::uint8_t kRemoved = 2;

const PublicKey& owner_of(const CatalogueEntry& entry) {
    return std::visit([](const auto& e) -> const PublicKey& { return e.owner; }, entry);
}

/// u8 what it is || its body.
Bytes encode_entry(const CatalogueEntry& entry) {
    const Bytes body = std::visit([](const auto& e) { return e.encode(); }, entry);
    return Writer(body.size() + 1)
        .u8(std::holds_alternative<KeptRemoval>(entry) ? kRemoved : kLive)
        .raw(body)
        .take();
}

Checked<CatalogueEntry> decode_entry(ByteView bytes, const PublicKey& owner) {
    if (bytes.empty()) return refuse(Reason::kTruncated);
    CatalogueEntry entry;
    if (bytes[0] == kRemoved) {
        HOLDFAST_ASSIGN(removal, KeptRemoval::decode(bytes.subspan(1)));
        entry = removal;
    } else if (bytes[0] == kLive) {
        HOLDFAST_ASSIGN(file, KeptFile::decode(bytes.subspan(1)));
        entry = std::move(file);
    } else {
        return refuse(Reason::kBadField);
    }
    if (owner_of(entry) != owner) return refuse(Reason::kWrongObject);
    return entry;
}

Key owner_key() { return Key().u8(1); }

}  // namespace

Digest file_id(const CatalogueEntry& entry) {
    const auto* removal = std::get_if<KeptRemoval>(&entry);
    return removal != nullptr ? removal->file : std::get<KeptFile>(entry).id();
}

std::uint64_t entry_counter(const CatalogueEntry& entry) {
    return std::visit([](const auto& e) { return e.counter; }, entry);
}

// Spec 16.4: counter, then removals, then the lower digest; the signature is no input, as nowhere.
bool supersedes(const CatalogueEntry& a, const CatalogueEntry& b) {
    if (entry_counter(a) != entry_counter(b)) return entry_counter(a) > entry_counter(b);
    const bool a_removes = std::holds_alternative<KeptRemoval>(a);
    if (a_removes != std::holds_alternative<KeptRemoval>(b)) return a_removes;
    const auto digest = [](const auto& e) { return e.signed_digest(); };
    return std::visit(digest, a) < std::visit(digest, b);
}

std::size_t merge_entries(CatalogueEntries& into, const CatalogueEntries& from) {
    std::size_t taken = 0;
    for (const auto& [id, entry] : from) {
        const auto [at, fresh] = into.try_emplace(id, entry);
        if (!fresh && !supersedes(entry, at->second)) continue;
        at->second = entry;
        ++taken;
    }
    return taken;
}

Bytes encode_catalogue(const CatalogueEntries& entries) {
    Writer w;
    w.u64(entries.size());
    for (const auto& [id, entry] : entries) {
        const Bytes bytes = encode_entry(entry);
        w.u64(bytes.size()).raw(bytes);
    }
    return wrap_object(kCatalogueKind, w.bytes());
}

Checked<CatalogueEntries> decode_catalogue(ByteView object, const PublicKey& owner) {
    HOLDFAST_ASSIGN(body, unwrap_kept(kCatalogueKind, object));
    Reader r(body);
    const std::uint64_t count = r.u64();
    CatalogueEntries entries;
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t length = r.u64();
        const ByteView bytes = r.raw(length);
        if (r.failed()) return refuse(r.verdict());
        Checked<CatalogueEntry> entry = decode_entry(bytes, owner);
        if (!entry) return refuse(Verdict(entry.error().reason, i));
        const Digest id = file_id(*entry);
        if (!entries.empty() && id <= entries.rbegin()->first) return refuse(Reason::kBadField, i);
        entries.emplace_hint(entries.end(), id, std::move(*entry));
    }
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return entries;
}

std::filesystem::path default_catalogue(const std::filesystem::path& key_file) {
    return key_file.string() + ".catalogue";
}

class Catalogue::Impl {
  public:
    Impl(std::filesystem::path folder, const PublicKey& owner, bool read_only)
        : folder_(std::move(folder)), owner_(owner), read_only_(read_only) {}

    static Result<std::unique_ptr<Catalogue>> open(const std::filesystem::path& folder,
                                                   const PublicKey& owner, bool read_only) {
        auto impl = std::make_unique<Impl>(folder, owner, read_only);
        HOLDFAST_TRY(impl->begin());
        return std::unique_ptr<Catalogue>(new Catalogue(std::move(impl)));
    }

    [[nodiscard]] Result<CatalogueEntries> entries() const {
        const std::lock_guard lock(mutex_);
        HOLDFAST_ASSIGN(store, reading());
        HOLDFAST_ASSIGN(txn, store->read());
        CatalogueEntries out;
        HOLDFAST_TRY(
            txn.for_each(CatalogueTable::kFiles, {}, [&](ByteView, ByteView value) -> Result<bool> {
                HOLDFAST_ASSIGN(entry, decoded(value));
                const Digest id = file_id(entry);
                out.emplace(id, std::move(entry));
                return true;
            }));
        return out;
    }
    [[nodiscard]] Result<std::optional<CatalogueEntry>> find(const Digest& file) const {
        const std::lock_guard lock(mutex_);
        HOLDFAST_ASSIGN(store, reading());
        HOLDFAST_ASSIGN(txn, store->read());
        HOLDFAST_ASSIGN(value, txn.get(CatalogueTable::kFiles, Key().fixed(file).bytes()));
        std::optional<CatalogueEntry> out;
        if (value) {
            HOLDFAST_ASSIGN(entry, decoded(*value));
            out.emplace(std::move(entry));
        }
        return out;
    }
    Result<std::size_t> merge(const CatalogueEntries& from) {
        if (read_only_) return fail(ErrorCode::kPermission, "the catalogue was opened for reading");
        const std::lock_guard lock(mutex_);
        HOLDFAST_ASSIGN(store, writing());
        HOLDFAST_ASSIGN(txn, store->write());
        std::size_t taken = 0;
        for (const auto& [id, entry] : from) {
            HOLDFAST_CHECK(owner_of(entry) == owner_);
            HOLDFAST_ASSIGN(wanted, is_wanted(txn, id, entry));
            if (!wanted) continue;
            HOLDFAST_TRY(
                txn.put(CatalogueTable::kFiles, Key().fixed(id).bytes(), encode_entry(entry)));
            ++taken;
        }
        if (taken > 0) HOLDFAST_TRY(txn.commit());
        return taken;
    }

  private:
    [[nodiscard]] Result<std::unique_ptr<Store>> open_store(bool read_only) const {
        Store::Options options;
        options.map_bytes = kCatalogueMapBytes;
        options.schema = &catalogue_schema();
        options.read_only = read_only;
        return Store::open(folder_, options, !read_only);
    }
    [[nodiscard]] Result<std::unique_ptr<Store>> reading() const { return open_store(true); }
    /// A keeper and a put write to one catalogue: each for a moment.
    [[nodiscard]] Result<std::unique_ptr<Store>> writing() const {
        const auto until = std::chrono::steady_clock::now() + kWriterPatience;
        for (;;) {
            auto store = open_store(false);
            const bool taken = !store && store.error().code == ErrorCode::kBusy;
            if (!taken || std::chrono::steady_clock::now() > until) return store;
            std::this_thread::sleep_for(kWriterPause);
        }
    }
    /// The owner stands in it from its first moment on.
    Status begin() {
        HOLDFAST_ASSIGN(store, read_only_ ? reading() : writing());
        {
            HOLDFAST_ASSIGN(txn, store->read());
            HOLDFAST_ASSIGN(owner, txn.get(CatalogueTable::kMeta, owner_key().bytes()));
            if (owner) {
                if (std::ranges::equal(*owner, view(owner_))) return {};
                return fail_refused(Reason::kWrongObject, "the catalogue of another owner's files");
            }
        }
        if (read_only_) return fail(ErrorCode::kNotFound, "there is no catalogue yet");
        HOLDFAST_ASSIGN(txn, store->write());
        HOLDFAST_TRY(txn.put(CatalogueTable::kMeta, owner_key().bytes(), view(owner_)));
        HOLDFAST_TRY(txn.commit());
        return store->mark_begun();
    }
    [[nodiscard]] Result<CatalogueEntry> decoded(ByteView value) const {
        Checked<CatalogueEntry> entry = decode_entry(value, owner_);
        if (entry) return std::move(*entry);
        return fail(ErrorCode::kCorrupt,
                    "the catalogue is damaged: " + to_string(entry.error()) + "; restore a backup");
    }
    /// Whether it supersedes what is there.
    Result<bool> is_wanted(const Transaction& txn, const Digest& file,
                           const CatalogueEntry& entry) const {
        HOLDFAST_ASSIGN(value, txn.get(CatalogueTable::kFiles, Key().fixed(file).bytes()));
        if (!value) return true;
        HOLDFAST_ASSIGN(known, decoded(*value));
        return supersedes(entry, known);
    }

    const std::filesystem::path folder_;
    const PublicKey owner_;
    const bool read_only_;
    mutable std::mutex mutex_;  // held while the store is open: one per folder and process
};

Catalogue::Catalogue(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Catalogue::~Catalogue() = default;

Result<std::unique_ptr<Catalogue>> Catalogue::open(const std::filesystem::path& folder,
                                                   const PublicKey& owner) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) return fail_errno(failed.value(), "cannot make '" + folder.string() + "'");
    return Impl::open(folder, owner, false);
}

Result<std::unique_ptr<Catalogue>> Catalogue::open_for_reading(const std::filesystem::path& folder,
                                                               const PublicKey& owner) {
    std::error_code failed;
    if (!std::filesystem::exists(folder / kStoreDataFile, failed)) {
        return fail(ErrorCode::kNotFound,
                    "there is no catalogue in '" + folder.string() + "'; 'holdfast put' makes one");
    }
    return Impl::open(folder, owner, true);
}

Result<CatalogueEntries> Catalogue::entries() const { return impl_->entries(); }
Result<std::optional<CatalogueEntry>> Catalogue::find(const Digest& file) const {
    return impl_->find(file);
}
Result<bool> Catalogue::take(const CatalogueEntry& entry) {
    HOLDFAST_ASSIGN(taken, impl_->merge({{file_id(entry), entry}}));
    return taken > 0;
}
Result<std::size_t> Catalogue::merge(const CatalogueEntries& from) { return impl_->merge(from); }

}  // namespace holdfast
