#include "hierarchy/registry.hpp"

#include <utility>

#include "core/codec.hpp"
#include "hierarchy/registry_impl.hpp"
#include "storage/file.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kMaxNetworkBytes = 4096;

Key meta_key(std::string_view name) { return Key().raw(view(name)); }
Key schema_key() { return meta_key("schema"); }
Key network_key() { return meta_key("network"); }
Key machine_key() { return meta_key("machine"); }

/// The network of an existing registry must be ours.
Status check_network(const NetworkParams& found, const NetworkParams& params) {
    if (found == params) return {};
    return fail_refused(Reason::kWrongNetwork, "registry of network \"" + found.name + "\"");
}

Status check_schema(const std::filesystem::path& folder, ByteView stored) {
    Reader r(stored);
    const std::uint32_t version = r.u32();
    if (!r.finish()) return corrupt_registry("its schema version does not decode");
    if (version == kRegistrySchema) return {};
    const std::string has = "registry " + folder.string() + " has schema " +
                            std::to_string(version) + ", this build reads " +
                            std::to_string(kRegistrySchema);
    return fail(ErrorCode::kUnsupported,
                version > kRegistrySchema
                    ? has
                    : has +
                          ". Move the folder away and make the registry again from the chain and "
                          "the journal");
}

tl::unexpected<Error> no_registry(const std::filesystem::path& folder) {
    return fail(ErrorCode::kNotFound, folder.string() + " holds no registry");
}

}  // namespace

std::string_view to_string(EffectKind kind) {
    switch (kind) {
        case EffectKind::kPlaced:
            return "placed";
        case EffectKind::kVacated:
            return "vacated";
        case EffectKind::kExpired:
            return "expired";
        case EffectKind::kVoided:
            return "voided";
        case EffectKind::kAuditDrawn:
            return "audit-drawn";
        case EffectKind::kAuditMissed:
            return "audit-missed";
        case EffectKind::kBondForfeited:
            return "bond-forfeited";
        case EffectKind::kBondReleased:
            return "bond-released";
    }
    return "unknown";
}

std::string_view to_string(ChainPhase phase) {
    switch (phase) {
        case ChainPhase::kPending:
            return "pending";
        case ChainPhase::kSealed:
            return "sealed";
        case ChainPhase::kLiable:
            return "liable";
        case ChainPhase::kVoid:
            return "void";
        case ChainPhase::kEnded:
            return "ended";
    }
    return "unknown";
}

tl::unexpected<Error> corrupt_registry(const std::string& what) {
    return fail(ErrorCode::kCorrupt,
                "registry is damaged: " + what + "; restore a backup or rebuild it");
}

Result<MachineState> load_machine(const Transaction& txn) {
    HOLDFAST_ASSIGN(machine, load<MachineState>(txn, Table::kMeta, machine_key()));
    if (!machine) return corrupt_registry("its state is missing");
    return *machine;
}

Status save_machine(Transaction& txn, const MachineState& machine) {
    return save(txn, Table::kMeta, machine_key(), machine);
}

Status schedule(Transaction& txn, const AgendaEntry& entry) {
    return txn.put(Table::kAgenda, entry.key().bytes(), {});
}

Result<NetworkParams> registry_network(const std::filesystem::path& folder) {
    const std::filesystem::path file = folder / kRegistryNetworkFile;
    Result<Bytes> bytes = read_file(file, kMaxNetworkBytes);
    if (!bytes && bytes.error().code == ErrorCode::kNotFound) return no_registry(folder);
    if (!bytes) return fail(bytes.error());
    const Checked<ByteView> body = unwrap_object(Kind::kNetwork, *bytes);
    if (!body) return corrupt_registry(file.string() + " is not a network file");
    const Checked<NetworkParams> params = NetworkParams::decode(*body);
    if (!params) return corrupt_registry("its network parameters do not decode");
    return *params;
}

// --- opening -------------------------------------------------------------------------------------

Status Registry::Impl::prepare(const std::filesystem::path& folder) {
    home = folder;
    std::error_code failed;
    if (!options.read_only) std::filesystem::create_directories(folder, failed);
    if (failed) return fail_errno(failed.value(), "cannot make the folder " + folder.string());
    // The network's file, too, is published when the database has been made: a backup has no other
    // marker.
    const std::filesystem::path network_file = folder / kRegistryNetworkFile;
    const bool made = std::filesystem::exists(network_file, failed);
    if (made) {
        HOLDFAST_ASSIGN(found, registry_network(folder));
        HOLDFAST_TRY(check_network(found, params));
    } else if (options.read_only) {
        return no_registry(folder);
    }
    const Store::Options how{.map_bytes = options.map_bytes,
                             .check_values = options.check_on_open,
                             .read_only = options.read_only,
                             .threads = options.threads};
    HOLDFAST_ASSIGN(opened, Store::open(folder, how, !made));
    store = std::move(opened);
    HOLDFAST_ASSIGN(txn, options.read_only ? store->read() : store->write());
    HOLDFAST_ASSIGN(began, load_origin(txn));
    origin = began;
    HOLDFAST_ASSIGN(schema, txn.get(Table::kMeta, schema_key().bytes()));
    if (!schema) {
        if (made || store->had_begun()) return corrupt_registry("its database is empty");
        HOLDFAST_TRY(begin(txn));
    } else {
        HOLDFAST_TRY(check_schema(folder, *schema));
        HOLDFAST_ASSIGN(stored, txn.get(Table::kMeta, network_key().bytes()));
        if (!stored) return corrupt_registry("its network is missing");
        const Checked<NetworkParams> found = NetworkParams::decode(*stored);
        if (!found) return corrupt_registry("its network parameters do not decode");
        HOLDFAST_TRY(check_network(*found, params));
    }
    if (options.read_only) return {};
    HOLDFAST_TRY(store->mark_begun());
    if (!made) {
        HOLDFAST_TRY(write_file(network_file, wrap_object(Kind::kNetwork, params.encode())));
    }
    return {};
}

/// What an empty registry consists of.
Status Registry::Impl::begin(Transaction& txn) const {
    HOLDFAST_TRY(
        txn.put(Table::kMeta, schema_key().bytes(), Writer(4).u32(kRegistrySchema).bytes()));
    HOLDFAST_TRY(txn.put(Table::kMeta, network_key().bytes(), params.encode()));
    HOLDFAST_TRY(save_machine(txn, MachineState{}));
    return txn.commit();
}

Status Registry::Impl::reload() {
    HOLDFAST_ASSIGN(txn, store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    HierarchyTree fresh(shape());
    SlotAllocator allocator;
    if (machine.closed != kNever) {
        const Height height(machine.closed);
        HOLDFAST_ASSIGN(loaded, load_tree(txn, height));
        HOLDFAST_ASSIGN(stored, load<StoredBlock>(txn, Table::kBlocks, height_key(height)));
        if (!stored) return corrupt_registry("the newest closed block is missing");
        HOLDFAST_ASSIGN(previous, global_before(txn, height));
        const GlobalHeader header{
            height, stored->info.hash, stored->info.y.value_or(VdfOutput{}), previous, 0, 0};
        if (loaded.global(network_id, header) != stored->info.global) {
            return corrupt_registry("its leaves do not lead to the newest digest");
        }
        loaded.for_each([&](std::uint64_t slot, const ChainLeaf&) { allocator.mark_used(slot); });
        fresh = std::move(loaded);
    }
    tree = std::move(fresh);
    tree_height = machine.closed;
    slots = std::move(allocator);
    return {};
}

Registry::Registry(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Registry::~Registry() = default;

Result<std::unique_ptr<Registry>> Registry::open(const std::filesystem::path& folder,
                                                 const NetworkParams& params,
                                                 const RegistryOptions& options) {
    if (const Verdict v = params.validate(); !v) return fail_refused(v, "network parameters");
    if (!params.has_operator() && params.has_beacon) {
        return fail_refused(Reason::kNetworkPolicy,
                            "network \"" + params.name +
                                "\" has a beacon and no operator: its y would not follow from what "
                                "its blocks list; make a network with an operator");
    }
    if (params.version != kParamsVersion2) {
        return fail_refused(Reason::kNetworkPolicy,
                            "network \"" + params.name +
                                "\" has parameters of version 1, which no node runs any more: "
                                "make a network of version 2");
    }
    auto impl = std::make_unique<Impl>();
    impl->params = params;
    impl->network_id = params.id();
    impl->options = options;
    // Settling a height reads leaves under the anchor of the oldest link that can still be proven.
    const std::uint64_t needed =
        2 * params.closing_blocks() + params.proof_deadline + std::uint64_t{params.finality_blocks};
    const std::uint64_t usual = needed - params.closing_blocks() - 1 + 64;
    impl->kept = std::max(needed, options.kept_heights == 0 ? usual : options.kept_heights);
    HOLDFAST_TRY(impl->prepare(folder));
    HOLDFAST_TRY(impl->reload());
    return std::unique_ptr<Registry>(new Registry(std::move(impl)));
}

const NetworkParams& Registry::params() const { return impl_->params; }
const NetworkId& Registry::network_id() const { return impl_->network_id; }

}  // namespace holdfast
