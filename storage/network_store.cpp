#include "storage/network_store.hpp"

#include "core/codec.hpp"

namespace holdfast {
namespace {

constexpr TableIndex kMetaTable = Table::kMeta;  // the first table of every schema
Key head_key() { return Key().u8(1); }

/// Makes the head of a new database, or compares that of an old one.
Status check_head(Store& store, const std::filesystem::path& folder, const NetworkId& network,
                  const StoreSchema& schema, std::uint32_t version, bool read_only) {
    HOLDFAST_ASSIGN(txn, read_only ? store.read() : store.write());
    HOLDFAST_ASSIGN(stored, txn.get(kMetaTable, head_key().bytes()));
    const auto damaged = [&](const char* what) {
        return fail(ErrorCode::kCorrupt,
                    std::string(schema.what) + " is damaged: its " + what + "; restore a backup");
    };
    if (!stored) {
        if (store.had_begun() || read_only) return damaged("database is empty");
        Writer w(36);
        w.u32(version).fixed(network);
        HOLDFAST_TRY(txn.put(kMetaTable, head_key().bytes(), w.bytes()));
        return txn.commit();
    }
    Reader r(*stored);
    const std::uint32_t found = r.u32();
    const auto owner = r.fixed<NetworkId>();
    if (!r.finish()) return damaged("head does not decode");
    if (found != version) {
        return fail(ErrorCode::kUnsupported, folder.string() + " has schema " +
                                                 std::to_string(found) + ", this build reads " +
                                                 std::to_string(version));
    }
    if (owner != network) return fail_refused(Reason::kWrongNetwork, folder.string());
    return {};
}

}  // namespace

Result<std::unique_ptr<Store>> open_network_store(const std::filesystem::path& folder,
                                                  const NetworkId& network,
                                                  const StoreSchema& schema, std::uint32_t version,
                                                  std::uint64_t map_bytes) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) return fail_errno(failed.value(), "cannot make the folder " + folder.string());
    HOLDFAST_ASSIGN(store, Store::open(folder, {.map_bytes = map_bytes, .schema = &schema}, true));
    HOLDFAST_TRY(check_head(*store, folder, network, schema, version, false));
    HOLDFAST_TRY(store->mark_begun());
    return store;
}

Result<std::unique_ptr<Store>> read_network_store(const std::filesystem::path& folder,
                                                  const NetworkId& network,
                                                  const StoreSchema& schema,
                                                  std::uint32_t version) {
    HOLDFAST_ASSIGN(store, Store::open(folder, {.schema = &schema, .read_only = true}, false));
    HOLDFAST_TRY(check_head(*store, folder, network, schema, version, true));
    return store;
}

}  // namespace holdfast
