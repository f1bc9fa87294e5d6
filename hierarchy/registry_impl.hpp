// The registry's inside, shared by its source files. Internal to this room.
#pragma once

#include <map>
#include <mutex>
#include <shared_mutex>
#include <tuple>

#include "hierarchy/availability_state.hpp"
#include "hierarchy/bond_book.hpp"
#include "hierarchy/registry.hpp"
#include "hierarchy/registry_records.hpp"
#include "proofs/journal.hpp"
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
/// The commitment of a chain in force at `height`; empty where there is none yet.
[[nodiscard]] Result<std::optional<Commitment>> load_commitment(const Transaction& txn,
                                                                const ChainId& chain_id,
                                                                Height height);
[[nodiscard]] Result<std::vector<Update>> load_updates(const Transaction& txn,
                                                       const ChainId& chain_id);
/// The slot that the chain has or had; empty when it never had one.
[[nodiscard]] Result<std::optional<std::uint64_t>> load_slot(const Transaction& txn,
                                                             const ChainId& chain_id);
/// Whose chain it is, for lists of a prover's chains.
[[nodiscard]] Status save_owner(Transaction& txn, const PublicKey& prover, const ChainId& chain_id);
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
    std::filesystem::path home;  // its folder
    std::uint64_t kept = 0;      // heights of which leaves stay
    std::unique_ptr<Store> store;
    Origin origin;  // as the database has it

    /// Held by whoever writes. Guards `broken`.
    std::mutex writer;
    ChallengerDraws draws;  // under writer
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

    /// A block entry's whole effect (registry_entries.cpp). Changes tree and slots where a digest
    /// closes; the caller holds `memory`.
    [[nodiscard]] Status take_block(Transaction& txn, MachineState& machine,
                                    const FinalBlock& block, const SealCheck& check,
                                    BlockOutcome& out);
};

/// What judging within the transaction of one entry works on.
struct Working {
    Working(Registry::Impl& registry, Transaction& transaction, MachineState& state)
        : impl(registry),
          params(registry.params),
          network_id(registry.network_id),
          txn(transaction),
          machine(state),
          bonds(registry.params, registry.network_id, transaction, state) {}

    Registry::Impl& impl;
    const NetworkParams& params;
    const NetworkId& network_id;
    Transaction& txn;
    MachineState& machine;
    BondBook bonds;
    unsigned fills = 0;  // that evidence has cost in this entry

    [[nodiscard]] Height tip() const { return Height(machine.tip); }
};

// What a block lists (registry_listed.cpp, registry_evidence.cpp).
[[nodiscard]] Status take_listed(Working& w, const FinalBlock& block, const SealCheck& check,
                                 std::vector<ObjectOutcome>& out);
[[nodiscard]] Result<Verdict> take_evidence(Working& w, ByteView object);
/// Evidence that has waited for this height, whose y is settled now, and then what waits for a
/// fill.
[[nodiscard]] Status take_waiting_evidence(Working& w, Height height);
/// A chain's part is taken at this height; nothing for one that has none.
[[nodiscard]] Status take_chain_part(Working& w, const ChainId& chain_id, Height height,
                                     const CaseId& id, CaseKind kind,
                                     const std::optional<PublicKey>& accuser);

// What the journal brings (registry_objects.cpp).
/// What the verdict on a bundle or a proof of a link is a function of, besides the object, and that
/// verdict.
struct JudgedFrom {
    KnownHeight height;
    KnownChain chain;  // of a proof
    Link link;         // that stands, of a proof
    Verdict verdict;
    [[nodiscard]] bool same(const JudgedFrom& other) const {
        const auto of_height = [](const KnownHeight& h) {
            return std::tie(h.height, h.block_hash, h.y, h.anchor, h.link_before, h.y_compact,
                            h.previous_global, h.global);
        };
        const auto of_chain = [](const KnownChain& c) {
            return std::tie(c.id, c.replica_id, c.prover, c.sealed_root, c.chunks, c.reveals);
        };
        return of_height(height) == of_height(other.height) &&
               of_chain(chain) == of_chain(other.chain) && link == other.link;
    }
};

/// An object that somebody handed over, as far as its head was read.
struct Candidate {
    ByteView object;
    ByteView body;
    ObjectOutcome outcome;
    std::shared_ptr<const JudgedFrom> judged;  // before, where it was
    bool changed = false;                      // the state: it is appended
};
/// Each takes neighbours of its own kinds, in order, and calls appended() for what has changed the
/// state, before the next one is judged.
[[nodiscard]] Status take_bundles(Working& w, std::span<Candidate* const> group);
[[nodiscard]] Status take_proofs(Working& w, std::span<Candidate* const> group);
/// The dear part of both for itself, from a snapshot: leaves `judged` behind.
[[nodiscard]] Status prejudge_bundles(Working& w, std::span<Candidate* const> group);
[[nodiscard]] Status prejudge_proofs(Working& w, std::span<Candidate* const> group);
[[nodiscard]] Status take_seal_proofs(Working& w, std::span<Candidate* const> group,
                                      const SealCheck& check);
[[nodiscard]] Status appended(Working& w, Candidate& candidate);
/// Each of them has changed the state, and none is judged after another's entry was made.
[[nodiscard]] Status appended(Working& w, std::span<Candidate* const> candidates);
/// Whether objects of this kind come in by entries of their own.
[[nodiscard]] bool is_for_journal(Kind kind);
/// One that a block lists: in networks without an operator the host's blocks are the journal.
[[nodiscard]] Result<ObjectOutcome> take_listed_object(Working& w, ByteView object,
                                                       const SealCheck& check);
/// y of an open height; `changed`: it was not known before.
[[nodiscard]] Result<Verdict> take_output(Transaction& txn, Height height, const VdfOutput& y,
                                          bool& changed);

// Availability (registry_availability.cpp).
[[nodiscard]] Status take_challenges(Working& w, std::span<Candidate* const> group);
[[nodiscard]] Status take_outcomes(Working& w, std::span<Candidate* const> group);
[[nodiscard]] Status take_responses(Working& w, std::span<Candidate* const> group);
[[nodiscard]] AvailabilityState availability_of(Working& w);

// The journal (registry_journal.cpp).
[[nodiscard]] Result<std::uint64_t> next_entry(const Transaction& txn);
[[nodiscard]] Status append_entry(Transaction& txn, const Bytes& entry);
/// One after another; `hashes`: entry_hash() of each.
[[nodiscard]] Status append_entries(Transaction& txn, std::span<const Bytes> entries,
                                    std::span<const Digest> hashes);
/// A block entry, and that entries from here on belong to its height.
[[nodiscard]] Status append_block(Transaction& txn, const BlockEntry& entry);
/// The bytes that fall out now that `tip` is the newest height: work in proportion to them.
[[nodiscard]] Status forget_entries(const Registry::Impl& impl, Transaction& txn, Height tip);
[[nodiscard]] Result<JournalSize> journal_size(const Registry::Impl& impl, const Transaction& txn);
[[nodiscard]] Status save_origin(Transaction& txn, const Origin& origin);
/// The state of an empty registry where none is written down.
[[nodiscard]] Result<Origin> load_origin(const Transaction& txn);
/// The complete parts of the tree over the first `size` entries, the largest first.
[[nodiscard]] Result<std::vector<Digest>> journal_frontier(const Transaction& txn,
                                                           std::uint64_t size);
/// A journal that begins behind `size` entries, the last of them the block entry of `tip`.
[[nodiscard]] Status begin_journal(Transaction& txn, std::uint64_t size,
                                   std::span<const Digest> frontier, Height tip);

// Export and heads (registry_export.cpp).
[[nodiscard]] Result<Digest> export_state(const Registry::Impl& impl, const Transaction& txn,
                                          const std::function<Status(ByteView)>& sink);
/// With everything of the entry done and its number given.
[[nodiscard]] Status store_head(const Working& w, ClosedHeight& closed);

// Duties (registry_seal.cpp).
[[nodiscard]] Result<Checked<OpenSealDuty>> find_seal_duty(const Registry::Impl& impl,
                                                           const Transaction& txn,
                                                           const MachineState& machine,
                                                           const ChainId& id, Height y_height);

}  // namespace holdfast
