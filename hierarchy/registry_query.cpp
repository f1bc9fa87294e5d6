#include <utility>

#include "hierarchy/registry_impl.hpp"

namespace holdfast {
namespace {

tl::unexpected<Error> unknown_chain(const ChainId& chain_id) {
    return fail(ErrorCode::kNotFound, "chain " + to_hex(view(chain_id)) + " is not registered");
}

}  // namespace

// --- chains --------------------------------------------------------------------------------------

Result<std::vector<Update>> load_updates(const Transaction& txn, const ChainId& chain_id) {
    std::vector<Update> out;
    HOLDFAST_TRY(txn.for_each(Table::kUpdates, view(chain_id),
                              [&](ByteView, ByteView value) -> Result<bool> {
                                  Checked<Update> update = Update::decode(value);
                                  if (!update) return corrupt_registry("an update does not decode");
                                  out.push_back(*update);
                                  return true;
                              }));
    return out;
}

Result<std::optional<Commitment>> load_commitment(const Transaction& txn, const ChainId& chain_id,
                                                  Height height) {
    HOLDFAST_ASSIGN(found, txn.last_at_most(Table::kCommitments, view(chain_id),
                                            chain_height_key(chain_id, height).bytes()));
    if (!found) return std::optional<Commitment>();
    KeyReader key(found->first);
    (void)key.fixed<ChainId>();
    Reader r(found->second);
    const Commitment out{key.height(), r.fixed<Reveal>()};
    if (!r.finish()) return corrupt_registry("a commitment does not decode");
    return std::optional(out);
}

Result<KnownChain> load_known_chain(const Transaction& txn, const NetworkId& network_id,
                                    const ChainId& chain_id, const Registration& registration,
                                    Height height) {
    KnownChain chain = KnownChain::of(network_id, registration);
    chain.reveals = std::nullopt;
    HOLDFAST_ASSIGN(force, load_commitment(txn, chain_id, height));
    if (!force || force->value.is_zero()) return chain;
    chain.reveals = RevealState{force->base, {0, force->value}};
    HOLDFAST_ASSIGN(known,
                    txn.get(Table::kReveals, chain_height_key(chain_id, force->base).bytes()));
    if (known) {
        HOLDFAST_ASSIGN(reveal, decode_known_reveal(*known));
        chain.reveals->known = reveal;
    }
    return chain;
}

Result<std::optional<std::uint64_t>> load_slot(const Transaction& txn, const ChainId& chain_id) {
    HOLDFAST_ASSIGN(state, load<ChainState>(txn, Table::kStates, chain_key(chain_id)));
    std::uint64_t slot = kNever;
    if (state) {
        slot = state->slot;
    } else {
        HOLDFAST_ASSIGN(record, load<ChainRecord>(txn, Table::kChains, chain_key(chain_id)));
        if (record) slot = record->slot;
    }
    return slot == kNever ? std::nullopt : std::optional(slot);
}

Result<ChainInfo> Registry::Impl::info(const Transaction& txn, const ChainId& chain_id,
                                       ChainRecord record) const {
    ChainInfo out;
    out.chain_id = chain_id;
    out.registration = record.registration;
    out.accepted = record.accepted;
    HOLDFAST_ASSIGN(state, load<ChainState>(txn, Table::kStates, chain_key(chain_id)));
    if (state) {
        record.end = state->phase;
        record.last_sequence = state->last_sequence;
        record.sealed_at = state->sealed_at;
        record.removal_at = state->removal_at;
        record.liable_until = state->liable_until;
        record.part_taken = !state->has_part();
        // A sealed chain's is only announced.
        if (state->phase == ChainPhase::kLiable) record.vacant_from = state->vacant_from;
    }
    out.phase = record.end;
    out.last_sequence = record.last_sequence;
    out.sealed_at = known_or_none(record.sealed_at);
    out.removal_at = known_or_none(record.removal_at);
    out.vacant_from = known_or_none(record.vacant_from);
    out.liable_until = known_or_none(record.liable_until);
    out.part_taken = record.part_taken;
    if (state && state->holds_slot()) {
        out.slot = state->slot;
        out.misses = state->misses.sum();
        HOLDFAST_ASSIGN(machine, load_machine(txn));
        StoredLeaves leaves(txn, shape(), Height(machine.closed));
        HOLDFAST_ASSIGN(leaf, leaves.leaf(state->slot));
        if (leaf) out.status = leaf->status;
    }
    return out;
}

Result<std::vector<SealDuty>> Registry::Impl::duties(const Transaction& txn,
                                                     const ChainId& chain_id) const {
    std::vector<SealDuty> out;
    // The first height from `from` with y makes the challenge; closed heights without y have been
    // passed already.
    const auto add = [&](SealProofKind kind, Height drawn, std::uint64_t from,
                         std::uint8_t missed) -> Status {
        SealDuty duty{chain_id, kind, drawn, std::nullopt, std::nullopt, std::nullopt, missed};
        HOLDFAST_ASSIGN(block, load<StoredBlock>(txn, Table::kBlocks, height_key(Height(from))));
        if (block && block->info.y) {
            duty.y_height = Height(from);
            duty.y = block->info.y;
            duty.deadline = Height(from) + params.seal_deadline * (std::uint64_t{missed} + 1);
        }
        out.push_back(duty);
        return {};
    };
    HOLDFAST_ASSIGN(state, load<ChainState>(txn, Table::kStates, chain_key(chain_id)));
    if (!state) return out;
    if (state->phase == ChainPhase::kPending) {
        HOLDFAST_ASSIGN(record, load<ChainRecord>(txn, Table::kChains, chain_key(chain_id)));
        if (!record) return corrupt_registry("a chain is missing");
        HOLDFAST_TRY(add(SealProofKind::kSeal, record->accepted, state->challenge_from, 0));
    }
    const auto add_audit = [&](ByteView key, ByteView value) -> Result<bool> {
        KeyReader r(key);
        (void)r.fixed<ChainId>();
        HOLDFAST_ASSIGN(audit, AuditRecord::decode(value));
        HOLDFAST_TRY(add(SealProofKind::kAudit, r.height(), audit.from, audit.missed));
        return true;
    };
    HOLDFAST_TRY(txn.for_each(Table::kAudits, view(chain_id), add_audit));
    return out;
}

Result<std::optional<ChainInfo>> Registry::chain(const ChainId& chain_id) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(record, load<ChainRecord>(txn, Table::kChains, chain_key(chain_id)));
    if (!record) return std::nullopt;
    HOLDFAST_ASSIGN(info, impl_->info(txn, chain_id, *record));
    return std::optional(info);
}

Result<std::optional<ChainId>> Registry::chain_of_replica(const ReplicaId& replica_id) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(value, txn.get(Table::kReplicas, view(replica_id)));
    if (!value) return std::nullopt;
    Reader r(*value);
    const auto chain_id = r.fixed<ChainId>();
    if (!r.finish()) return corrupt_registry("a replica does not decode");
    return std::optional(chain_id);
}

Result<KnownChain> Registry::known_chain(const ChainId& chain_id, Height height) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(record, load<ChainRecord>(txn, Table::kChains, chain_key(chain_id)));
    if (!record) return unknown_chain(chain_id);
    return load_known_chain(txn, impl_->network_id, chain_id, record->registration, height);
}

Result<std::vector<SealDuty>> Registry::seal_duties(const ChainId& chain_id) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    return impl_->duties(txn, chain_id);
}

Result<std::vector<Update>> Registry::updates(const ChainId& chain_id) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    return load_updates(txn, chain_id);
}

Result<std::optional<StandingLink>> Registry::link(const ChainId& chain_id, Height height) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(state, load<LinkState>(txn, Table::kLinks, height_chain_key(height, chain_id)));
    if (!state) return std::optional<StandingLink>();
    return std::optional(StandingLink{state->link, state->link_before, state->proof, state->entry});
}

Result<std::optional<BookedBond>> Registry::bond(const BondId& id) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(found, load<BondRecord>(txn, Table::kBonds, Key().fixed(id)));
    if (!found) return std::optional<BookedBond>();
    return std::optional(BookedBond{found->owner, found->purpose, found->held, found->reserved,
                                    found->owed, found->free()});
}

Result<std::optional<BondPart>> Registry::part(BondPurpose role, const Digest& holder) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    const Key key = Key().u8(static_cast<std::uint8_t>(role)).fixed(holder);
    HOLDFAST_ASSIGN(found, load<PartRecord>(txn, Table::kParts, key));
    if (!found) return std::optional<BondPart>();
    return std::optional(BondPart{found->bond, found->amount, known_or_none(found->until)});
}

Status Registry::for_each_chain(const std::function<bool(const ChainInfo&)>& visit) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    return txn.for_each(Table::kChains, {}, [&](ByteView key, ByteView value) -> Result<bool> {
        KeyReader r(key);
        HOLDFAST_ASSIGN(record, ChainRecord::decode(value));
        HOLDFAST_ASSIGN(info, impl_->info(txn, r.fixed<ChainId>(), record));
        return visit(info);
    });
}

// --- heights -------------------------------------------------------------------------------------

Result<GlobalDigest> Registry::Impl::global_before(const Transaction& txn, Height height) const {
    if (height <= params.genesis_height) return genesis_global(network_id);
    HOLDFAST_ASSIGN(block, load<StoredBlock>(txn, Table::kBlocks, height_key(height - 1)));
    if (!block || !block->info.closed) {
        return fail(ErrorCode::kUnavailable,
                    "the digest of height " + std::to_string(height.value - 1) + " has not closed");
    }
    return block->info.global;
}

Result<GlobalDigest> Registry::Impl::anchor(const Transaction& txn, Height height) const {
    const std::optional<Height> at = anchor_height(params, height);
    return at ? global_before(txn, *at + 1) : genesis_global(network_id);
}

Result<KnownHeight> Registry::Impl::known_height(const Transaction& txn, Height height) const {
    HOLDFAST_ASSIGN(block, load<StoredBlock>(txn, Table::kBlocks, height_key(height)));
    if (!block) {
        return fail(ErrorCode::kUnavailable,
                    "no final block of height " + std::to_string(height.value) + " is known");
    }
    HOLDFAST_ASSIGN(anchored, anchor(txn, height));
    KnownHeight known;
    known.height = height;
    known.block_hash = block->info.hash;
    known.y = block->info.y;
    known.anchor = anchored;
    HOLDFAST_ASSIGN(drawing, load<StoredBlock>(txn, Table::kBlocks,
                                               height_key(compact_draw_height(params, height))));
    if (drawing) known.y_compact = drawing->info.y;
    if (block->info.closed) {
        HOLDFAST_ASSIGN(previous, global_before(txn, height));
        known.previous_global = previous;
        known.global = block->info.global;
    }
    return known;
}

Result<std::optional<Height>> Registry::tip() const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    return known_or_none(machine.tip);
}

Result<std::optional<Height>> Registry::closed() const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    return known_or_none(machine.closed);
}

Result<std::optional<BlockRecord>> Registry::block(Height height) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(block, load<StoredBlock>(txn, Table::kBlocks, height_key(height)));
    if (!block) return std::nullopt;
    return std::optional(block->info);
}

Result<std::vector<Height>> Registry::open_heights() const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    std::vector<Height> out;
    if (machine.tip == kNever) return out;
    Height h = machine.closed == kNever ? impl_->params.genesis_height : Height(machine.closed) + 1;
    for (; h.value <= machine.tip; ++h) out.push_back(h);
    return out;
}

Result<std::vector<Height>> Registry::proof_heights() const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    std::vector<Height> out;
    if (machine.closed == kNever) return out;
    const std::uint64_t span = impl_->last_proof_tip(Height(0)).value;
    Height h = std::max(impl_->params.genesis_height, Height(machine.tip) - span);
    for (; h.value <= machine.closed; ++h) out.push_back(h);
    return out;
}

Result<GlobalDigest> Registry::anchor(Height height) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    return impl_->anchor(txn, height);
}

Result<KnownHeight> Registry::known_height(Height height,
                                           const std::optional<ChainId>& chain_id) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(known, impl_->known_height(txn, height));
    if (!chain_id) return known;
    known.link_before = Link(*chain_id);
    const std::optional<Height> at = anchor_height(impl_->params, height);
    HOLDFAST_ASSIGN(slot, load_slot(txn, *chain_id));
    if (!at || !slot) return known;
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    HOLDFAST_TRY(impl_->check_kept(machine, *at));
    StoredLeaves leaves(txn, impl_->shape(), *at);
    HOLDFAST_ASSIGN(leaf, leaves.leaf(*slot));
    if (leaf && leaf->chain_id == *chain_id) known.link_before = leaf->link;
    return known;
}

Result<std::vector<Effect>> Registry::effects(Height height) const {
    HOLDFAST_ASSIGN(txn, impl_->store->read());
    HOLDFAST_ASSIGN(value, txn.get(Table::kEffects, height_key(height).bytes()));
    if (!value) {
        return fail(ErrorCode::kNotFound,
                    "effects of height " + std::to_string(height.value) + " are not kept");
    }
    return decode_effects(*value);
}

}  // namespace holdfast
