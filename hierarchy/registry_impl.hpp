// The registry's inside, shared by its source files. Internal to this room.
#pragma once

#include <map>
#include <mutex>
#include <shared_mutex>

#include "hierarchy/registry.hpp"
#include "hierarchy/registry_records.hpp"
#include "storage/lmdb_store.hpp"

namespace holdfast {

// --- typed access to the tables ------------------------------------------------------------------

/// The record of type T at `key`, decoded; empty when there is none.
template <class T>
Result<std::optional<T>> load(const Transaction& txn, Table table, const Key& key) {
    HOLDFAST_ASSIGN(bytes, txn.get(table, key.bytes()));
    if (!bytes) return std::nullopt;
    HOLDFAST_ASSIGN(value, T::decode(*bytes));
    return std::optional<T>(std::move(value));
}

template <class T>
Status save(Transaction& txn, Table table, const Key& key, const T& record) {
    return txn.put(table, key.bytes(), record.encode());
}

[[nodiscard]] tl::unexpected<Error> corrupt_registry(const std::string& what);

[[nodiscard]] Result<MachineState> load_machine(const Transaction& txn);
[[nodiscard]] Status save_machine(Transaction& txn, const MachineState& machine);
[[nodiscard]] Status schedule(Transaction& txn, const AgendaEntry& entry);
/// The commitments of a chain: the registration's, then those of its updates, ascending by base.
[[nodiscard]] Result<std::vector<Commitment>> load_commitments(const Transaction& txn,
                                                               const ChainId& chain_id,
                                                               const Registration& registration);
[[nodiscard]] Result<std::vector<Update>> load_updates(const Transaction& txn,
                                                       const ChainId& chain_id);
/// The slot that the chain has or had; empty when it never had one.
[[nodiscard]] Result<std::optional<std::uint64_t>> load_slot(const Transaction& txn,
                                                             const ChainId& chain_id);
/// What a verifier must know of the chain for `height`.
[[nodiscard]] Result<KnownChain> load_known_chain(const Transaction& txn,
                                                  const NetworkId& network_id,
                                                  const ChainId& chain_id,
                                                  const Registration& registration, Height height);

/// Leaves of one closed height as the database has them; groups are looked up once.
class StoredLeaves {
  public:
    StoredLeaves(const Transaction& txn, const HierarchyShape& shape, Height height)
        : txn_(txn), shape_(shape), height_(height) {}
    /// Empty for a vacant slot.
    [[nodiscard]] Result<std::optional<ChainLeaf>> leaf(std::uint64_t slot);
    /// No leaves for a group that was never used.
    [[nodiscard]] Result<GroupRecord> group(const HierarchyTree::GroupPlace& place);

  private:
    const Transaction& txn_;
    HierarchyShape shape_;
    Height height_;
    std::map<HierarchyTree::GroupPlace, GroupRecord> groups_;
};

// --- the machine ---------------------------------------------------------------------------------

struct Registry::Impl {
    NetworkParams params;
    NetworkId network_id;
    RegistryOptions options;
    std::uint64_t kept = 0;  // heights of which leaves stay
    std::unique_ptr<Store> store;

    /// Held by whoever writes. Guards `broken`.
    std::mutex writer;
    /// Set when memory could not be brought back in step with the database; every later call fails.
    std::optional<Error> broken;

    /// Guards the following; exclusively while a block changes them, until its commit.
    mutable std::shared_mutex memory;
    HierarchyTree tree{HierarchyShape{}};
    std::uint64_t tree_height = kNever;
    SlotAllocator slots;

    [[nodiscard]] HierarchyShape shape() const { return HierarchyShape::of(params); }
    [[nodiscard]] Status prepare(const std::filesystem::path& folder);
    [[nodiscard]] Status begin(Transaction& txn) const;
    /// Tree and slots of the newest digest, from the database.
    [[nodiscard]] Status reload();

    // Reading (registry_query.cpp, registry_trees.cpp).
    [[nodiscard]] Result<HierarchyTree> load_tree(const Transaction& txn, Height height) const;
    [[nodiscard]] Result<GlobalDigest> global_before(const Transaction& txn, Height height) const;
    /// kUnavailable while it has not closed.
    [[nodiscard]] Result<GlobalDigest> anchor(const Transaction& txn, Height height) const;
    [[nodiscard]] Result<KnownHeight> known_height(const Transaction& txn, Height height) const;
    /// kNotFound unless closed and kept.
    [[nodiscard]] Status check_kept(const MachineState& machine, Height height) const;
    [[nodiscard]] Result<std::vector<SealDuty>> duties(const Transaction& txn,
                                                       const ChainId& chain_id) const;
    [[nodiscard]] Result<ChainInfo> info(const Transaction& txn, const ChainId& chain_id,
                                         ChainRecord record) const;
    [[nodiscard]] Result<RegistrySlots> slots_of(const Transaction& txn, Height height,
                                                 const HierarchyTree& tree_of_height) const;
    /// The last tip at which proofs of links of `height` are taken.
    [[nodiscard]] Height last_proof_tip(Height height) const {
        return height + (params.link_lag + std::uint64_t{params.proof_deadline});
    }

    // Advancing (registry_close.cpp). Changes tree and slots; the caller holds `memory`.
    [[nodiscard]] Result<ClosedHeight> close(Transaction& txn, MachineState& machine, Height height,
                                             const std::vector<ChainId>& suspended);
};

}  // namespace holdfast
