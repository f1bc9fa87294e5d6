// What provers owe at a height, for all chains in one pass over the tables.
#include <set>
#include <utility>

#include "hierarchy/registry_impl.hpp"

namespace holdfast {
namespace {

/// The base of the commitment in force at `height`.
Result<std::optional<Height>> reveal_base(const Transaction& txn, const ChainId& chain_id,
                                          Height height) {
    HOLDFAST_ASSIGN(force, load_commitment(txn, chain_id, height));
    return force && !force->value.is_zero() ? std::optional(force->base) : std::nullopt;
}

/// A chain's link in the leaves under an anchor.
class LinksBefore {
  public:
    LinksBefore(const Transaction& txn, const NetworkParams& params, Height height) {
        if (const auto at = anchor_height(params, height)) {
            leaves_.emplace(txn, HierarchyShape::of(params), *at);
        }
    }
    Result<Link> of(const ChainId& chain_id, std::uint64_t slot) {
        if (!leaves_ || slot == kNever) return Link(chain_id);
        HOLDFAST_ASSIGN(leaf, leaves_->leaf(slot));
        return leaf && leaf->chain_id == chain_id ? leaf->link : Link(chain_id);
    }

  private:
    std::optional<StoredLeaves> leaves_;
};

}  // namespace

Result<std::vector<DueLink>> Registry::due_links(Height height, const Wanted& wanted) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    if (machine.tip == kNever || height.value > machine.tip) {
        return fail_refused(Reason::kTooEarly, "height " + std::to_string(height.value));
    }
    if (machine.closed != kNever && height.value <= machine.closed) {
        return fail_refused(Reason::kTooLate, "height " + std::to_string(height.value));
    }
    LinksBefore before(txn, impl_->params, height);
    std::vector<DueLink> out;
    const auto visit = [&](ByteView key, ByteView value) -> Result<bool> {
        const auto chain_id = KeyReader(key).fixed<ChainId>();
        if (wanted && !wanted(chain_id)) return true;
        HOLDFAST_ASSIGN(state, ChainState::decode(value));
        if (!state.in_digest(height)) return true;
        HOLDFAST_ASSIGN(stands,
                        txn.contains(Table::kLinks, height_chain_key(height, chain_id).bytes()));
        if (stands) return true;
        HOLDFAST_ASSIGN(link, before.of(chain_id, state.slot));
        HOLDFAST_ASSIGN(base, reveal_base(txn, chain_id, height));
        out.push_back({chain_id, link, base});
        return true;
    };
    HOLDFAST_TRY(txn.for_each(Table::kStates, {}, visit));
    return out;
}

Result<std::vector<DueProof>> Registry::due_proofs(Height height, const Wanted& wanted) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    std::vector<DueProof> out;
    if (machine.closed == kNever || height.value > machine.closed ||
        Height(machine.tip) > impl_->last_proof_tip(height)) {
        return out;
    }
    const auto visit = [&](ByteView key, ByteView value) -> Result<bool> {
        KeyReader r(key);
        (void)r.height();
        const auto chain_id = r.fixed<ChainId>();
        if (wanted && !wanted(chain_id)) return true;
        HOLDFAST_ASSIGN(state, LinkState::decode(value));
        if (state.proof != LinkProof::kNone) return true;
        HOLDFAST_ASSIGN(slot, load_slot(txn, chain_id));
        if (!slot) return corrupt_registry("a chain with a link has no slot");
        HOLDFAST_ASSIGN(base, reveal_base(txn, chain_id, height));
        out.push_back({chain_id, *slot, state.link, state.link_before, base});
        return true;
    };
    HOLDFAST_TRY(txn.for_each(Table::kLinks, height_key(height).bytes(), visit));
    return out;
}

Result<std::vector<SealDuty>> Registry::due_seal_proofs(const Wanted& wanted) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    std::set<ChainId> owing;
    HOLDFAST_TRY(
        txn.for_each(Table::kStates, {}, [&](ByteView key, ByteView value) -> Result<bool> {
            HOLDFAST_ASSIGN(state, ChainState::decode(value));
            if (state.phase == ChainPhase::kPending) {
                owing.insert(KeyReader(key).fixed<ChainId>());
            }
            return true;
        }));
    HOLDFAST_TRY(txn.for_each(Table::kAudits, {}, [&](ByteView key, ByteView) -> Result<bool> {
        owing.insert(KeyReader(key).fixed<ChainId>());
        return true;
    }));
    std::vector<SealDuty> out;
    for (const ChainId& chain_id : owing) {
        if (wanted && !wanted(chain_id)) continue;
        HOLDFAST_ASSIGN(duties, impl_->duties(txn, chain_id));
        for (const SealDuty& duty : duties) {
            const bool open = duty.kind == SealProofKind::kAudit ||
                              (duty.deadline && duty.deadline->value >= machine.tip);
            if (duty.y && open) {
                out.push_back(duty);
            }
        }
    }
    return out;
}

}  // namespace holdfast
