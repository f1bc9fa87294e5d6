// What provers owe: of all chains in one pass over the tables, or of a part of one prover's at the
// cost of these.
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

/// Whether a proof of the tip's link would find a known reveal to be checked against, and there
/// will be reveals for as long as a new base takes.
Result<bool> reveals_go_on(const Transaction& txn, const NetworkParams& params,
                           const ChainId& chain_id, Height base, Height tip) {
    HOLDFAST_ASSIGN(stored, txn.get(Table::kReveals, chain_height_key(chain_id, base).bytes()));
    std::uint64_t known = 0;
    if (stored) {
        HOLDFAST_ASSIGN(reveal, decode_known_reveal(*stored));
        known = reveal.i;
    }
    const std::uint64_t i = tip.since(base);
    const std::uint64_t notice = 2 * std::uint64_t{params.seal_delay};
    return i <= known + reveal_limit(params) && reveal_index(base, tip + notice).has_value();
}

/// The update that a chain must make, where the next block would take one.
Result<std::optional<DueUpdate>> due_update(const Transaction& txn, const NetworkParams& params,
                                            const MachineState& machine, const ChainId& chain_id,
                                            const ChainState& state) {
    if (machine.tip == kNever) return std::nullopt;
    const Height tip(machine.tip);
    const Height next = tip + 1;
    const std::uint64_t delay = params.seal_delay;
    const bool waits = state.newest_base > tip ||
                       (state.updated_at != kNever && next < Height(state.updated_at) + delay);
    if (waits || !state.in_digest(tip)) return std::nullopt;
    HOLDFAST_ASSIGN(base, reveal_base(txn, chain_id, tip));
    if (!base) return std::nullopt;
    HOLDFAST_ASSIGN(fine, reveals_go_on(txn, params, chain_id, *base, tip));
    if (fine) return std::nullopt;
    return std::optional(DueUpdate{chain_id, state.last_sequence + 1, next + delay});
}

/// The link of a chain that is due at an open height; empty: none is.
Result<std::optional<DueLink>> due_link(const Transaction& txn, LinksBefore& before, Height height,
                                        const ChainId& chain_id, const ChainState& state) {
    if (!state.in_digest(height)) return std::nullopt;
    HOLDFAST_ASSIGN(stands,
                    txn.contains(Table::kLinks, height_chain_key(height, chain_id).bytes()));
    if (stands) return std::nullopt;
    HOLDFAST_ASSIGN(link, before.of(chain_id, state.slot));
    HOLDFAST_ASSIGN(base, reveal_base(txn, chain_id, height));
    return std::optional(DueLink{chain_id, link, base});
}

/// The proof of a link that stands in a closed digest; empty: one has come.
Result<std::optional<DueProof>> due_proof(const Transaction& txn, Height height,
                                          const ChainId& chain_id, const LinkState& state) {
    if (state.proof != LinkProof::kNone) return std::nullopt;
    HOLDFAST_ASSIGN(base, reveal_base(txn, chain_id, height));
    return std::optional(DueProof{chain_id, state.link, state.link_before, base});
}

Status check_open(const MachineState& machine, Height height) {
    if (machine.tip == kNever || height.value > machine.tip) {
        return fail_refused(Reason::kTooEarly, "height " + std::to_string(height.value));
    }
    if (machine.closed != kNever && height.value <= machine.closed) {
        return fail_refused(Reason::kTooLate, "height " + std::to_string(height.value));
    }
    return {};
}

/// The chains of a range, one after another, and where to go on.
template <class T, class Visit>
Result<OwnedPage<T>> page_of(const Transaction& txn, const OwnedRange& range, const Visit& visit) {
    OwnedPage<T> out;
    std::uint32_t seen = 0;
    std::optional<ChainId> last;
    const Key from = Key().fixed(range.prover).fixed(range.after);
    const auto step = [&](ByteView key, ByteView) -> Result<bool> {
        KeyReader r(key);
        (void)r.fixed<PublicKey>();
        const auto chain_id = r.fixed<ChainId>();
        if (chain_id == range.after) return true;
        if (seen == range.most) {
            out.more = last;
            return false;
        }
        ++seen;
        last = chain_id;
        HOLDFAST_TRY(visit(chain_id, out.found));
        return true;
    };
    HOLDFAST_TRY(txn.for_each_from(Table::kOwned, view(range.prover), from.bytes(), step));
    return out;
}

}  // namespace

Status save_owner(Transaction& txn, const PublicKey& prover, const ChainId& chain_id) {
    return txn.put(Table::kOwned, Key().fixed(prover).fixed(chain_id).bytes(), {});
}

// --- all chains ----------------------------------------------------------------------------------

Result<std::vector<DueLink>> Registry::due_links(Height height, const Wanted& wanted) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    HOLDFAST_TRY(check_open(machine, height));
    LinksBefore before(txn, impl_->params, height);
    std::vector<DueLink> out;
    const auto visit = [&](ByteView key, ByteView value) -> Result<bool> {
        const auto chain_id = KeyReader(key).fixed<ChainId>();
        if (wanted && !wanted(chain_id)) return true;
        HOLDFAST_ASSIGN(state, ChainState::decode(value));
        HOLDFAST_ASSIGN(due, due_link(txn, before, height, chain_id, state));
        if (due) out.push_back(*due);
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
        HOLDFAST_ASSIGN(due, due_proof(txn, height, chain_id, state));
        if (due) out.push_back(*due);
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

Result<std::vector<DueUpdate>> Registry::due_updates(const Wanted& wanted) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    std::vector<DueUpdate> out;
    const auto visit = [&](ByteView key, ByteView value) -> Result<bool> {
        const auto chain_id = KeyReader(key).fixed<ChainId>();
        if (wanted && !wanted(chain_id)) return true;
        HOLDFAST_ASSIGN(state, ChainState::decode(value));
        HOLDFAST_ASSIGN(due, due_update(txn, impl_->params, machine, chain_id, state));
        if (due) out.push_back(*due);
        return true;
    };
    HOLDFAST_TRY(txn.for_each(Table::kStates, {}, visit));
    return out;
}

// --- a part of one prover's ----------------------------------------------------------------------

Result<OwnedPage<DueLink>> Registry::due_links_of(const OwnedRange& range, Height height) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    HOLDFAST_TRY(check_open(machine, height));
    LinksBefore before(txn, impl_->params, height);
    return page_of<DueLink>(
        txn, range, [&](const ChainId& id, std::vector<DueLink>& out) -> Status {
            HOLDFAST_ASSIGN(state, load<ChainState>(txn, Table::kStates, chain_key(id)));
            if (!state) return {};
            HOLDFAST_ASSIGN(due, due_link(txn, before, height, id, *state));
            if (due) out.push_back(*due);
            return {};
        });
}

Result<OwnedPage<DueProof>> Registry::due_proofs_of(const OwnedRange& range, Height height) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    if (machine.closed == kNever || height.value > machine.closed) {
        return fail_refused(Reason::kTooEarly, "height " + std::to_string(height.value));
    }
    if (Height(machine.tip) > impl_->last_proof_tip(height)) {
        return fail_refused(Reason::kTooLate, "height " + std::to_string(height.value));
    }
    return page_of<DueProof>(
        txn, range, [&](const ChainId& id, std::vector<DueProof>& out) -> Status {
            HOLDFAST_ASSIGN(state,
                            load<LinkState>(txn, Table::kLinks, height_chain_key(height, id)));
            if (!state) return {};
            HOLDFAST_ASSIGN(due, due_proof(txn, height, id, *state));
            if (due) out.push_back(*due);
            return {};
        });
}

Result<OwnedPage<SealDuty>> Registry::seal_duties_of(const OwnedRange& range) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    return page_of<SealDuty>(txn, range,
                             [&](const ChainId& id, std::vector<SealDuty>& out) -> Status {
                                 HOLDFAST_ASSIGN(duties, impl_->duties(txn, id));
                                 out.insert(out.end(), duties.begin(), duties.end());
                                 return {};
                             });
}

Result<OwnedPage<ChainInfo>> Registry::chains_of(const OwnedRange& range) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    return page_of<ChainInfo>(
        txn, range, [&](const ChainId& id, std::vector<ChainInfo>& out) -> Status {
            HOLDFAST_ASSIGN(record, load<ChainRecord>(txn, Table::kChains, chain_key(id)));
            if (!record) return corrupt_registry("a chain is missing");
            HOLDFAST_ASSIGN(info, impl_->info(txn, id, *record));
            out.push_back(std::move(info));
            return {};
        });
}

Result<OwnedPage<DueUpdate>> Registry::due_updates_of(const OwnedRange& range) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    return page_of<DueUpdate>(
        txn, range, [&](const ChainId& id, std::vector<DueUpdate>& out) -> Status {
            HOLDFAST_ASSIGN(state, load<ChainState>(txn, Table::kStates, chain_key(id)));
            if (!state) return {};
            HOLDFAST_ASSIGN(due, due_update(txn, impl_->params, machine, id, *state));
            if (due) out.push_back(*due);
            return {};
        });
}

}  // namespace holdfast
