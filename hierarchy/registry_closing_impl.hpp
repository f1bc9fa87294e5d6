// Closing the digest of one height (spec section 10.3): what falls due there
// (registry_deadlines.cpp), then audits, misses, statuses, leaves and the tree
// (registry_close.cpp). Internal to this room.
//
// One object for one height; used by one thread, which holds the registry's writing transaction and
// its memory. After an error the transaction must be given up and the memory loaded again.
#pragma once

#include <optional>
#include <vector>

#include "hierarchy/registry_impl.hpp"

namespace holdfast {

class Closing {
  public:
    Closing(Working& w, Height height)
        : w_(w),
          params_(w.params),
          network_id_(w.network_id),
          threads_(w.impl.options.threads),
          kept_(w.impl.kept),
          txn_(w.txn),
          machine_(w.machine),
          tree_(w.impl.tree),
          slots_(w.impl.slots),
          height_(height) {}

    Result<ClosedHeight> run();

  private:
    /// A chain that is pending, sealed or liable; `changed` when its state has to be written.
    struct Live {
        ChainId id;
        ChainState state;
        bool changed = false;
    };

    Status fix_block();
    // What falls due.
    Status run_agenda();
    Status run_entry(const AgendaEntry& entry);
    Status vacate(const AgendaEntry& entry, ChainState& state);
    Status place(const AgendaEntry& entry, ChainState& state);
    Status seal_challenge(const AgendaEntry& entry, ChainState& state);
    Status seal_deadline(const AgendaEntry& entry, const ChainState& state);
    Status audit_challenge(const AgendaEntry& entry);
    Status audit_deadline(const AgendaEntry& entry, ChainState& state);
    Status third_miss(const AgendaEntry& entry, const Key& audit);
    Status open_audit(const ChainId& chain_id);
    Status liability_end(const AgendaEntry& entry, ChainState& state);
    Status role_end(const AgendaEntry& entry);
    Status make_liable(const ChainId& chain_id, ChainState& state);
    Status end_chain(const ChainId& chain_id, const ChainState& state, ChainPhase end);
    // All chains.
    Status load_chains();
    Status draw_audits();
    Status settle_misses();
    Status load_links(std::vector<std::optional<Link>>& out);
    Status write_leaves(const std::vector<ChainId>& suspended);
    Status write_leaf(Live& live, const std::optional<Link>& link, bool suspended);
    Status store_chains();
    // The tree.
    Status store_tree();
    Status forget();

    template <class T, class Visit>
    Status for_each_of_height(Table table, Height height, const Visit& visit) const;
    void note(EffectKind kind, const ChainId& chain_id, std::uint64_t value = 0) {
        effects_.push_back({kind, chain_id, value});
    }
    AgendaEntry later(const AgendaEntry& entry, Height when, AgendaItem item) const {
        return {when, item, entry.chain_id, entry.argument};
    }

    Working& w_;
    const NetworkParams& params_;
    const NetworkId& network_id_;
    unsigned threads_;
    std::uint64_t kept_;
    Transaction& txn_;
    MachineState& machine_;
    HierarchyTree& tree_;
    SlotAllocator& slots_;
    Height height_;

    StoredBlock block_;
    std::vector<Live> live_;  // ascending by chain id
    std::vector<Effect> effects_;
    StatusCounts counts_;
};

}  // namespace holdfast
