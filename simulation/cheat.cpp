#include "simulation/cheat.hpp"

#include "api/link_prover.hpp"
#include "core/merkle.hpp"
#include "proofs/digests.hpp"

namespace holdfast::simulation {
namespace {

/// The link that comes out when cells are invented; the same each time it is asked for.
LinkOpening invent(const NetworkId& network_id, const SetMember& member, const KnownHeight& known,
                   const Link& link_before) {
    const LinkFacts facts{*member.chain_id, known.height, known.block_hash, *known.y,
                          known.anchor,     link_before,  Reveal{}};
    const LinkDraw draw = draw_link(network_id, facts, member.chunks);
    Opening invented;
    for (std::uint64_t i = 0; invented.data.size() < kChunksPerLink * kCellBytes; ++i) {
        const Digest d = tagged_hash("simulation/invented", facts.chain_id, known.height, i);
        invented.data.insert(invented.data.end(), d.begin(), d.end());
    }
    invented.siblings.resize(multiproof_length(member.chunks.value * kCellsPerChunk, draw.cells));
    return assemble_link(network_id, draw, std::move(invented));
}

Status commit(const NetworkId& network_id, Registry& registry, ProverSet& set,
              const KnownHeight& known, CheatCounts& counts) {
    HOLDFAST_ASSIGN(due, registry.due_links(known.height));
    std::vector<SubmittedReceipt> receipts;
    for (const DueLink& d : due) {
        const auto member = set.member_of(d.chain_id);
        if (!member) continue;
        const LinkOpening link = invent(network_id, set.members()[*member], known, d.link_before);
        Receipt receipt{link.link, known.height, known.anchor, {}};
        receipt.signature = set.key().sign(view(receipt_digest(
            network_id, d.chain_id, known.height, known.block_hash, known.anchor, link.link)));
        receipts.push_back({d.chain_id, receipt});
    }
    HOLDFAST_ASSIGN(outcomes, registry.accept_receipts(receipts));
    for (const ReceiptOutcome& o : outcomes) counts.receipts_taken += o.verdict ? 1 : 0;
    return {};
}

Status pretend(const NetworkId& network_id, Registry& registry, ProverSet& set,
               const KnownHeight& known, CheatCounts& counts) {
    HOLDFAST_ASSIGN(due, registry.due_proofs(known.height));
    std::vector<AnyProof> proofs;
    std::optional<HierarchyTree> tree;
    for (const DueProof& d : due) {
        const auto member = set.member_of(d.chain_id);
        if (!member) continue;
        if (!tree) {
            HOLDFAST_ASSIGN(whole, registry.tree(known.height));
            tree.emplace(std::move(whole));
        }
        const SetMember& m = set.members()[*member];
        const SignedLink link{invent(network_id, m, known, d.link_before), d.receipt};
        if (link.opening.link != d.receipt.link) continue;  // made while it still had its data
        if (full_required(network_id, *known.y_compact, d.chain_id)) {
            proofs.emplace_back(to_full(link));
            continue;
        }
        const Checked<PathProof> path = tree->path(d.slot);
        if (!path) return fail_refused(path.error(), "a cheater's slot");
        const std::uint64_t cells = m.chunks.value * kCellsPerChunk;
        const std::uint8_t j = compact_index(network_id, *known.y_compact, d.chain_id);
        HOLDFAST_ASSIGN(compact, to_compact(network_id, link, *path, *known.y_compact,
                                            std::vector<Digest>(path_length(
                                                cells, link.opening.where[j].index().value))));
        proofs.emplace_back(std::move(compact));
    }
    HOLDFAST_ASSIGN(verdicts, registry.accept_proofs(proofs));
    for (const Verdict& v : verdicts) ++(v ? counts.proofs_taken : counts.proofs_refused);
    return {};
}

}  // namespace

Result<CheatCounts> cheat(const NetworkParams& params, Registry& registry, ProverSet& set,
                          Height height) {
    CheatCounts counts;
    if (set.members().empty()) return counts;
    HOLDFAST_TRY(set.find_chains(registry, {}));
    const NetworkId network_id = params.id();
    HOLDFAST_ASSIGN(known, registry.known_height(height));
    if (known.y) HOLDFAST_TRY(commit(network_id, registry, set, known, counts));
    HOLDFAST_ASSIGN(heights, registry.proof_heights());
    for (const Height h : heights) {
        if (compact_draw_height(params, h) != height) continue;
        HOLDFAST_ASSIGN(proven, registry.known_height(h));
        if (proven.y && proven.y_compact) {
            HOLDFAST_TRY(pretend(network_id, registry, set, proven, counts));
        }
    }
    return counts;
}

}  // namespace holdfast::simulation
