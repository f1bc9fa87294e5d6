// Receipts, proofs of links and bare reveals. Each call: what is needed is read, the trusted rooms
// judge without any transaction open, then one writing transaction looks again at whatever a block
// in between may have changed, and writes.
#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include "hierarchy/proof_batch.hpp"
#include "hierarchy/registry_impl.hpp"
#include "storage/parallel.hpp"

namespace holdfast {

// --- receipts ------------------------------------------------------------------------------------

namespace {

// Spec 10.3: from the arrival of h until its digest closes.
Verdict receipt_timing(const MachineState& machine, Height height) {
    if (machine.tip == kNever || height.value > machine.tip) return Reason::kTooEarly;
    if (machine.closed != kNever && height.value <= machine.closed) return Reason::kTooLate;
    return Verdict::ok();
}

/// Whether a receipt may be taken now, before its signature is looked at.
Result<Verdict> admit_receipt(const Transaction& txn, const MachineState& machine,
                              const SubmittedReceipt& submitted) {
    const Height height = submitted.receipt.height;
    const Verdict timing = receipt_timing(machine, height);
    if (!timing) return timing;
    const Key key = chain_key(submitted.chain_id);
    HOLDFAST_ASSIGN(state, load<ChainState>(txn, Table::kStates, key));
    if (state) return Verdict(state->in_digest(height) ? Reason::kOk : Reason::kNoSlot);
    HOLDFAST_ASSIGN(known, txn.contains(Table::kChains, key.bytes()));
    return Verdict(known ? Reason::kNoSlot : Reason::kUnknownChain);
}

// Spec 10.3: of several valid receipts the smallest link stands (B30).
Status store_receipt(Transaction& txn, const SubmittedReceipt& submitted, ReceiptOutcome& out) {
    const Key key = height_chain_key(submitted.receipt.height, submitted.chain_id);
    HOLDFAST_ASSIGN(found, load<ReceiptRecord>(txn, Table::kReceipts, key));
    if (found && found->receipt.link == submitted.receipt.link) {
        out.already_known = true;
        return {};
    }
    if (found) {
        out.conflicting = found->receipt;
        if (found->receipt.link < submitted.receipt.link) return {};
    }
    return save(txn, Table::kReceipts, key, ReceiptRecord{submitted.receipt, LinkProof::kNone});
}

}  // namespace

Result<std::vector<ReceiptOutcome>> Registry::accept_receipts(
    std::span<const SubmittedReceipt> receipts) {
    std::vector<ReceiptOutcome> out(receipts.size());
    // In the order of the table, which is several times faster than any other; of equal keys the
    // first submitted comes first.
    std::vector<std::size_t> order(receipts.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return std::tuple(receipts[a].receipt.height, receipts[a].chain_id, a) <
               std::tuple(receipts[b].receipt.height, receipts[b].chain_id, b);
    });
    {
        HOLDFAST_ASSIGN(txn, impl_->store->read());
        HOLDFAST_ASSIGN(machine, load_machine(txn));
        std::map<Height, KnownHeight> heights;
        std::vector<Registration> registrations;
        std::vector<ReceiptItem> items;
        std::vector<std::size_t> positions;
        for (const std::size_t i : order) {
            const Height height = receipts[i].receipt.height;
            HOLDFAST_ASSIGN(admitted, admit_receipt(txn, machine, receipts[i]));
            out[i].verdict = admitted;
            if (!admitted) continue;
            if (!heights.contains(height)) {
                HOLDFAST_ASSIGN(known, impl_->known_height(txn, height));
                heights.emplace(height, known);
            }
            const Key key = chain_key(receipts[i].chain_id);
            HOLDFAST_ASSIGN(record, load<ChainRecord>(txn, Table::kChains, key));
            if (!record) return corrupt_registry("a chain is missing");
            registrations.push_back(record->registration);
            items.push_back({nullptr, &heights.at(height), &receipts[i].receipt});
            positions.push_back(i);
        }
        std::vector<KnownChain> chains(items.size());
        for_each_parallel(items.size(), impl_->options.threads, [&](std::size_t i) {
            chains[i] = KnownChain::of(impl_->network_id, registrations[i]);
            items[i].chain = &chains[i];
        });
        const std::vector<Verdict> verdicts =
            verify_receipts(impl_->network_id, items, impl_->options.threads);
        for (std::size_t i = 0; i < items.size(); ++i) out[positions[i]].verdict = verdicts[i];
    }
    const std::lock_guard writing(impl_->writer);
    HOLDFAST_ASSIGN(txn, impl_->store->write());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    for (const std::size_t i : order) {
        if (!out[i].verdict) continue;
        HOLDFAST_ASSIGN(admitted, admit_receipt(txn, machine, receipts[i]));
        out[i].verdict = admitted;
        if (admitted) HOLDFAST_TRY(store_receipt(txn, receipts[i], out[i]));
    }
    HOLDFAST_TRY(txn.commit());
    return out;
}

// --- proofs of links -----------------------------------------------------------------------------

namespace {

/// What stands for the link that a proof is about, or why the proof is not looked at.
Result<Checked<ReceiptRecord>> admit_proof(const Transaction& txn, const MachineState& machine,
                                           Height last_tip, const AnyProof& proof) {
    using Admitted = Checked<ReceiptRecord>;
    const Receipt& receipt = receipt_of(proof);
    const Height height = receipt.height;
    if (machine.closed == kNever || height.value > machine.closed) {
        return Admitted(refuse(Reason::kTooEarly));
    }
    if (machine.tip > last_tip.value) return Admitted(refuse(Reason::kTooLate));
    HOLDFAST_ASSIGN(known, txn.contains(Table::kChains, view(chain_of(proof))));
    if (!known) return Admitted(refuse(Reason::kUnknownChain));
    HOLDFAST_ASSIGN(record, load<ReceiptRecord>(txn, Table::kReceipts,
                                                height_chain_key(height, chain_of(proof))));
    // Of a closed height only those whose link went into its digest are left.
    if (!record || record->receipt.link != receipt.link) {
        return Admitted(refuse(Reason::kNotInDigest));
    }
    return Admitted(*record);
}

Status note_proven_reveal(Transaction& txn, const KnownChain& chain, Height height,
                          const Reveal& reveal) {
    if (!chain.reveals) return {};
    const Key key = chain_height_key(chain.id, chain.reveals->base);
    const std::uint64_t i = height.since(chain.reveals->base);
    HOLDFAST_ASSIGN(stored, txn.get(Table::kReveals, key.bytes()));
    if (stored) {
        HOLDFAST_ASSIGN(known, decode_known_reveal(*stored));
        if (known.i >= i) return {};
    }
    return txn.put(Table::kReveals, key.bytes(), encode_known_reveal({i, reveal}));
}

LinkProof proof_kind(const AnyProof& proof) {
    return std::holds_alternative<Full>(proof) ? LinkProof::kFull : LinkProof::kCompact;
}

}  // namespace

Result<std::vector<Verdict>> Registry::accept_proofs(std::span<const AnyProof> proofs) {
    std::vector<Verdict> out(proofs.size());
    std::vector<std::optional<KnownChain>> chains(proofs.size());
    {
        HOLDFAST_ASSIGN(txn, impl_->store->read());
        HOLDFAST_ASSIGN(machine, load_machine(txn));
        std::map<Height, KnownHeight> common;
        std::map<Height, StoredLeaves> anchors;
        std::vector<KnownHeight> heights(proofs.size());
        std::vector<Receipt> accepted(proofs.size());
        std::vector<ProofItem> items;
        std::vector<std::size_t> positions;
        for (std::size_t i = 0; i < proofs.size(); ++i) {
            const Height height = receipt_of(proofs[i]).height;
            const ChainId& chain_id = chain_of(proofs[i]);
            HOLDFAST_ASSIGN(admitted,
                            admit_proof(txn, machine, impl_->last_proof_tip(height), proofs[i]));
            out[i] = admitted ? Verdict::ok() : admitted.error();
            if (!admitted) continue;
            HOLDFAST_ASSIGN(slot, load_slot(txn, chain_id));
            if (!slot) return corrupt_registry("a chain with a link has no slot");
            if (!common.contains(height)) {
                HOLDFAST_ASSIGN(known, impl_->known_height(txn, height));
                common.emplace(height, known);
            }
            heights[i] = common.at(height);
            heights[i].link_before = Link(chain_id);
            if (const auto at = anchor_height(impl_->params, height)) {
                StoredLeaves& leaves =
                    anchors.try_emplace(*at, txn, impl_->shape(), *at).first->second;
                HOLDFAST_ASSIGN(leaf, leaves.leaf(*slot));
                if (leaf && leaf->chain_id == chain_id) heights[i].link_before = leaf->link;
            }
            HOLDFAST_ASSIGN(record, load<ChainRecord>(txn, Table::kChains, chain_key(chain_id)));
            if (!record) return corrupt_registry("a chain is missing");
            HOLDFAST_ASSIGN(chain, load_known_chain(txn, impl_->network_id, chain_id,
                                                    record->registration, height));
            chains[i] = chain;
            accepted[i] = admitted->receipt;
            items.push_back({&*chains[i], &heights[i], &proofs[i], &accepted[i]});
            positions.push_back(i);
        }
        const std::vector<Verdict> verdicts =
            verify_proofs(impl_->params, impl_->network_id, items, impl_->options.threads);
        for (std::size_t i = 0; i < items.size(); ++i) out[positions[i]] = verdicts[i];
    }
    const std::lock_guard writing(impl_->writer);
    HOLDFAST_ASSIGN(txn, impl_->store->write());
    HOLDFAST_ASSIGN(machine, load_machine(txn));
    for (std::size_t i = 0; i < proofs.size(); ++i) {
        if (!out[i]) continue;
        const Height height = receipt_of(proofs[i]).height;
        HOLDFAST_ASSIGN(admitted,
                        admit_proof(txn, machine, impl_->last_proof_tip(height), proofs[i]));
        if (!admitted) {
            out[i] = admitted.error();
            continue;
        }
        admitted->proof = std::max(admitted->proof, proof_kind(proofs[i]));
        HOLDFAST_TRY(
            save(txn, Table::kReceipts, height_chain_key(height, chain_of(proofs[i])), *admitted));
        HOLDFAST_TRY(note_proven_reveal(txn, *chains[i], height, reveal_of(proofs[i])));
    }
    HOLDFAST_TRY(txn.commit());
    return out;
}

Result<Verdict> Registry::accept_reveal(const ChainId& chain_id, Height height,
                                        const Reveal& reveal) {
    const std::lock_guard writing(impl_->writer);
    HOLDFAST_ASSIGN(txn, impl_->store->write());
    HOLDFAST_ASSIGN(record, load<ChainRecord>(txn, Table::kChains, chain_key(chain_id)));
    if (!record) return Verdict(Reason::kUnknownChain);
    HOLDFAST_ASSIGN(
        chain, load_known_chain(txn, impl_->network_id, chain_id, record->registration, height));
    if (!chain.reveals) return Verdict(Reason::kNoEntropy);
    const Checked<std::uint64_t> i = reveal_index(chain.reveals->base, height);
    if (!i) return i.error();
    const Verdict v = check_reveal(impl_->network_id, view(chain.replica_id), chain.reveals->known,
                                   *i, reveal, reveal_limit(impl_->params));
    if (!v) return v;
    HOLDFAST_TRY(note_proven_reveal(txn, chain, height, reveal));
    HOLDFAST_TRY(txn.commit());
    return Verdict::ok();
}

}  // namespace holdfast
