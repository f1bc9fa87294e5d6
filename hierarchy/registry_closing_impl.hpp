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
    Closing(const NetworkParams& params, const NetworkId& network_id, unsigned threads,
            std::uint64_t kept, Transaction& txn, MachineState& machine, HierarchyTree& tree,
            SlotAllocator& slots, Height height)
        : params_(params),
          network_id_(network_id),
          threads_(threads),
          kept_(kept),
          txn_(txn),
          machine_(machine),
          tree_(tree),
          slots_(slots),
          height_(height) {}

    Result<ClosedHeight> run(const std::vector<ChainId>& suspended, const GlobalDigest& previous);

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
    Status liability_end(const AgendaEntry& entry, const ChainState& state);
    Status make_liable(const ChainId& chain_id, ChainState& state);
    Status end_chain(const ChainId& chain_id, const ChainState& state, ChainPhase end);
    // All chains.
    Status load_chains();
    Status draw_audits();
    Status settle_misses();
    Status load_receipts(std::vector<std::optional<Receipt>>& out);
    Status write_leaves(const std::vector<ChainId>& suspended);
    Status write_leaf(Live& live, const Receipt* receipt, bool suspended);
    Status store_chains();
    // The tree.
    Status store_tree(const GlobalDigest& previous);
    Status forget();

    template <class T, class Visit>
    Status for_each_of_height(Table table, Height height, const Visit& visit) const;
    void note(EffectKind kind, const ChainId& chain_id, std::uint64_t value = 0) {
        effects_.push_back({kind, chain_id, value});
    }
    AgendaEntry later(const AgendaEntry& entry, Height when, AgendaItem item) const {
        return {when, item, entry.chain_id, entry.argument};
    }

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
