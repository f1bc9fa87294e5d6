#include "proofs/link_verify.hpp"

#include "core/merkle.hpp"

namespace holdfast {
namespace {

// Spec 7, B and C: (2) to (4).
template <class Proof>
Verdict check_claim_of(const KnownChain& chain, const KnownHeight& known, const Proof& proof) {
    if (std::is_same_v<Proof, Compact> && !known.y_compact) return Reason::kNoEntropy;
    if (proof.chain_id != chain.id) return Reason::kWrongChain;
    HOLDFAST_REQUIRE_OK(check_receipt_place(known, proof.receipt));
    if (known.link_before && proof.link_before != *known.link_before) {
        return Reason::kBadLinkBefore;
    }
    return known.y ? Reason::kOk : Reason::kNoEntropy;
}

/// kSealedMismatch unless these cells lead to the sealed root; kProofLength. Spec 7: B (7), C (7).
Verdict check_cells(const KnownChain& chain, std::span<const std::uint64_t> indices,
                    std::span<const Digest> leaves, std::span<const Digest> siblings) {
    const std::uint64_t cells = chain.chunks.value * kCellsPerChunk;
    const auto root = root_from_multiproof(cells, indices, leaves, siblings);
    if (!root) return root.error();
    return *root == chain.sealed_root ? Reason::kOk : Reason::kSealedMismatch;
}

/// Root of a tree over digests whose own digest is the leaf.
Checked<Digest> root_over_digests(std::uint64_t leaves, std::uint64_t index, const Digest& own,
                                  std::span<const Digest> path) {
    return root_from_path(leaves, index, leaf_hash(view(own)), path);
}

/// What a proof's openings lead to: the E that selects them, and O.
struct ShownOpenings {
    Entropy e;
    Digest root;
};

/// Of a proof that opens the drawn cell alone (B and its short form). Spec 7, B (7) and (8).
template <class Proof>
Checked<ShownOpenings> shown_by_one(const NetworkId& network_id, const KnownChain& chain,
                                    const KnownHeight& known, const Proof& proof) {
    const Entropy e = chain_entropy(network_id, *known.y, chain.id, proof.reveal);
    const std::uint8_t j = compact_index(network_id, *known.y_compact, chain.id);
    const OpenedCell where = opened_cells(e, chain.chunks)[j];
    const std::uint64_t indices[] = {where.index().value};
    const Digest leaves[] = {leaf_hash(view(proof.cell))};
    const Verdict cells = check_cells(chain, indices, leaves, proof.cell_path);
    if (!cells) return refuse(cells);
    HOLDFAST_ASSIGN(
        root, opening_root_from_path(opening_hash(e, where, proof.cell), j, proof.opening_path));
    return ShownOpenings{e, root};
}

/// Of a proof that opens all sixteen (C and its short form). Spec 7, C (7) and (8).
template <class Proof>
Checked<ShownOpenings> shown_by_all(const NetworkId& network_id, const KnownChain& chain,
                                    const KnownHeight& known, const Proof& proof) {
    const Entropy e = chain_entropy(network_id, *known.y, chain.id, proof.reveal);
    const OpenedCells where = opened_cells(e, chain.chunks);
    const auto order = ascending_order(where);
    std::array<std::uint64_t, kChunksPerLink> indices;
    std::array<Digest, kChunksPerLink> leaves;
    std::array<Cell, kChunksPerLink> selected;
    for (std::size_t k = 0; k < kChunksPerLink; ++k) {
        const std::uint8_t j = order[k];
        indices[k] = where[j].index().value;
        selected[j] = proof.cells[k];
    }
    sha256_batch(
        {proof.cells.data()->data(), kCellBytes, sizeof(Cell), kChunksPerLink, std::uint8_t{0}},
        leaves);
    const Verdict cells = check_cells(chain, indices, leaves, proof.siblings);
    if (!cells) return refuse(cells);
    return ShownOpenings{e, opening_root(opening_hashes(e, where, selected))};
}

/// That the openings shown are those of `link`: kProofLength, kSealedMismatch, kBadLink.
/// Spec 7, B and C (9).
template <class Proof>
Verdict check_opening(const NetworkId& network_id, const KnownChain& chain,
                      const KnownHeight& known, const Link& link_before, const Link& link,
                      const Proof& proof) {
    Checked<ShownOpenings> shown;
    if constexpr (kOpensOne<Proof>) {
        shown = shown_by_one(network_id, chain, known, proof);
    } else {
        shown = shown_by_all(network_id, chain, known, proof);
    }
    if (!shown) return shown.error();
    const Link made = link_hash(network_id, {chain.id, known.height, known.block_hash, known.anchor,
                                             link_before, shown->e, shown->root});
    return made == link ? Reason::kOk : Reason::kBadLink;
}

/// The same of a proof that brings both links.
template <class Proof>
Verdict check_own_opening(const NetworkId& network_id, const KnownChain& chain,
                          const KnownHeight& known, const Proof& proof) {
    return check_opening(network_id, chain, known, proof.link_before, proof.receipt.link, proof);
}

/// check_claim to check_openings, of either kind.
template <class Proof>
Verdict check_link_proof(const NetworkParams& params, const NetworkId& network_id,
                         const KnownChain& chain, const KnownHeight& known, const Proof& proof) {
    HOLDFAST_REQUIRE_OK(check_claim_of(chain, known, proof));
    HOLDFAST_REQUIRE_OK(
        check_receipt_signature(network_id, chain, known.block_hash, proof.receipt));
    HOLDFAST_REQUIRE_OK(check_chain_reveal(params, network_id, chain, known.height, proof.reveal));
    return check_own_opening(network_id, chain, known, proof);
}

// Spec 7, B (11), and what counts (3).
template <class Proof>
Verdict check_kind_counts(const NetworkId& network_id, const KnownChain& chain,
                          const KnownHeight& known) {
    if (!kOpensOne<Proof>) return Reason::kOk;
    if (!known.y_compact) return Reason::kNoEntropy;
    return full_required(network_id, *known.y_compact, chain.id) ? Reason::kCompactNotAllowed
                                                                 : Reason::kOk;
}

// Spec 7, short proofs (2) to (5).
template <class Proof>
Verdict check_short(const NetworkParams& params, const NetworkId& network_id,
                    const KnownChain& chain, const KnownHeight& known,
                    const std::optional<Link>& link, const Proof& proof) {
    if (proof.chain_id != chain.id) return Reason::kWrongChain;
    if (proof.height != known.height) return Reason::kWrongHeight;
    if (!link) return Reason::kNotInDigest;
    if (!known.y || (kOpensOne<Proof> && !known.y_compact)) return Reason::kNoEntropy;
    if (!known.link_before) return Reason::kDigestUnknown;
    HOLDFAST_REQUIRE_OK(check_chain_reveal(params, network_id, chain, known.height, proof.reveal));
    HOLDFAST_REQUIRE_OK(check_opening(network_id, chain, known, *known.link_before, *link, proof));
    return check_kind_counts<Proof>(network_id, chain, known);
}

// Spec 7, D (2), and the first tree of (4).
Checked<Digest> group_under_bounds(const NetworkParams& params, const ChainLeaf& leaf,
                                   const HierarchyPath& p) {
    const bool in_bounds = p.slot < p.slots && p.slots <= params.group_slots &&
                           p.group < p.groups && p.groups <= params.region_groups &&
                           p.region < p.regions;
    if (!in_bounds) return refuse(Reason::kBadSlot);
    HOLDFAST_ASSIGN(leaves, root_from_path(p.slots, p.slot, leaf.hash(), p.slot_path));
    return group_digest(p.region, p.group, p.slots, p.active, leaves);
}

// Spec 7, D (4).
Checked<GlobalDigest> global_from_group(const NetworkId& network_id, const GlobalHeader& header,
                                        const HierarchyPath& p, const Digest& group) {
    HOLDFAST_ASSIGN(groups, root_over_digests(p.groups, p.group, group, p.group_path));
    const Digest region = region_digest(p.region, p.groups, p.region_active, groups);
    HOLDFAST_ASSIGN(regions, root_over_digests(p.regions, p.region, region, p.region_path));
    GlobalHeader own = header;
    own.regions = p.regions;
    own.total_chains = p.total_chains;
    return global_digest(network_id, own, regions);
}

/// The last known reveal of `from`, where it is of the same commitment and newer.
void take_newer_reveal(KnownChain& chain, const KnownChain& from) {
    if (!chain.reveals || !from.reveals || chain.reveals->base != from.reveals->base) return;
    if (from.reveals->known.i > chain.reveals->known.i) chain.reveals = from.reveals;
}

}  // namespace

KnownChain KnownChain::of(const NetworkId& network_id, const Registration& registration) {
    KnownChain chain;
    chain.id = registration.chain_id(network_id);
    chain.replica_id = registration.replica_id(network_id);
    chain.prover = registration.header.prover;
    chain.sealed_root = registration.sealed_root;
    chain.chunks = registration.header.chunks;
    if (registration.has_commitment()) {
        chain.reveals =
            RevealState{registration.genesis_height, {0, registration.local_commitment}};
    }
    return chain;
}

// Spec 5: only a later reveal is taken over.
void note_reveal(KnownChain& chain, Height height, const Reveal& reveal) {
    if (!chain.reveals) return;
    const auto i = reveal_index(chain.reveals->base, height);
    if (i && *i > chain.reveals->known.i) chain.reveals->known = {*i, reveal};
}

// Spec 7, A (2) and (3).
Verdict check_place(const KnownHeight& known, Height height, const GlobalDigest& anchor) {
    if (height != known.height) return Reason::kWrongHeight;
    return anchor == known.anchor ? Reason::kOk : Reason::kWrongAnchor;
}

Verdict check_receipt_place(const KnownHeight& known, const Receipt& receipt) {
    return check_place(known, receipt.height, receipt.anchor);
}

// Spec 7, A (4).
Verdict check_receipt_signature(const NetworkId& network_id, const KnownChain& chain,
                                const BlockHash& block_hash, const Receipt& receipt) {
    const Digest digest = receipt_digest(network_id, chain.id, receipt.height, block_hash,
                                         receipt.anchor, receipt.link);
    return verify_signature(chain.prover, view(digest), receipt.signature);
}

Verdict verify_receipt(const NetworkId& network_id, const KnownChain& chain,
                       const KnownHeight& known, const Receipt& receipt) {
    HOLDFAST_REQUIRE_OK(check_receipt_place(known, receipt));
    return check_receipt_signature(network_id, chain, known.block_hash, receipt);
}

Verdict check_claim(const KnownChain& chain, const KnownHeight& known, const AnyProof& proof) {
    return std::visit([&](const auto& p) { return check_claim_of(chain, known, p); }, proof);
}

// Spec 7, B and C (6); spec 5.
Verdict check_chain_reveal(const NetworkParams& params, const NetworkId& network_id,
                           const KnownChain& chain, Height height, const Reveal& reveal) {
    if (!chain.reveals) return reveal.is_zero() ? Reason::kOk : Reason::kBadReveal;
    const auto i = reveal_index(chain.reveals->base, height);
    if (!i) return i.error();
    return check_reveal(network_id, view(chain.replica_id), chain.reveals->known, *i, reveal,
                        reveal_limit(params));
}

Verdict check_openings(const NetworkId& network_id, const KnownChain& chain,
                       const KnownHeight& known, const AnyProof& proof) {
    return std::visit([&](const auto& p) { return check_own_opening(network_id, chain, known, p); },
                      proof);
}

Verdict verify_short(const NetworkParams& params, const NetworkId& network_id,
                     const KnownChain& chain, const KnownHeight& known,
                     const std::optional<Link>& link, const AnyShort& proof) {
    return std::visit(
        [&](const auto& p) { return check_short(params, network_id, chain, known, link, p); },
        proof);
}

// Spec 7, B: it stands in the digest of the link's own height.
ChainLeaf leaf_of(const Compact& proof) {
    return {proof.chain_id, proof.receipt.link, proof.receipt.height, proof.status};
}

// Spec 7, B (2) to (10).
Verdict verify_compact(const NetworkParams& params, const NetworkId& network_id,
                       const KnownChain& chain, const KnownHeight& known, const Compact& proof) {
    HOLDFAST_REQUIRE_OK(check_link_proof(params, network_id, chain, known, proof));
    return verify_path(params, network_id, known, {leaf_of(proof), proof.path});
}

// Spec 7, C (2) to (9).
Verdict verify_full(const NetworkParams& params, const NetworkId& network_id,
                    const KnownChain& chain, const KnownHeight& known, const Full& proof) {
    return check_link_proof(params, network_id, chain, known, proof);
}

Verdict verify_valid(const NetworkParams& params, const NetworkId& network_id,
                     const KnownChain& chain, const KnownHeight& known, const AnyProof& proof) {
    if (const auto* compact = std::get_if<Compact>(&proof)) {
        return verify_compact(params, network_id, chain, known, *compact);
    }
    return verify_full(params, network_id, chain, known, std::get<Full>(proof));
}

Verdict check_counts(const NetworkId& network_id, const KnownChain& chain, const KnownHeight& known,
                     const AnyProof& proof) {
    return std::visit(
        [&]<class Proof>(const Proof&) {
            return check_kind_counts<Proof>(network_id, chain, known);
        },
        proof);
}

Verdict verify_proof(const NetworkParams& params, const NetworkId& network_id,
                     const KnownChain& chain, const KnownHeight& known, const AnyProof& proof) {
    HOLDFAST_REQUIRE_OK(verify_valid(params, network_id, chain, known, proof));
    return check_counts(network_id, chain, known, proof);
}

Checked<GlobalDigest> global_from_path(const NetworkParams& params, const NetworkId& network_id,
                                       const GlobalHeader& header, const PathProof& proof) {
    HOLDFAST_ASSIGN(group, group_under_bounds(params, proof.leaf, proof.path));
    return global_from_group(network_id, header, proof.path, group);
}

Checked<Digest> group_from_path(const NetworkParams& params, const KnownHeight& known,
                                const ChainLeaf& leaf, const HierarchyPath& path) {
    if (!known.global || !known.previous_global) return refuse(Reason::kDigestUnknown);
    return group_under_bounds(params, leaf, path);
}

// Spec 7, D (4): height, block, y and previous digest are the verifier's own.
Verdict check_group(const NetworkId& network_id, const KnownHeight& known,
                    const HierarchyPath& path, const Digest& group) {
    if (!known.global || !known.previous_global) return Reason::kDigestUnknown;
    const GlobalHeader header{known.height,
                              known.block_hash,
                              known.y.value_or(VdfOutput()),
                              *known.previous_global,
                              0,
                              0};
    const auto reached = global_from_group(network_id, header, path, group);
    if (!reached) return reached.error();
    return *reached == *known.global ? Reason::kOk : Reason::kGlobalMismatch;
}

// Spec 7, D (2) to (4).
Verdict verify_path(const NetworkParams& params, const NetworkId& network_id,
                    const KnownHeight& known, const PathProof& proof) {
    const auto group = group_from_path(params, known, proof.leaf, proof.path);
    if (!group) return group.error();
    return check_group(network_id, known, proof.path, *group);
}

// Spec 7, window (kind 8).
Verdict verify_window(const NetworkParams& params, const NetworkId& network_id,
                      std::span<const KnownPlace> places, const ProofWindow& window) {
    const std::size_t count = window.links.size();
    if (count == 0 || count > kWindowMaxLinks) return Reason::kBadField;
    KnownChain newest;  // with the reveal of the link before
    Verdict uncounted;
    for (std::size_t i = 0; i < count; ++i) {
        const AnyProof& link = window.links[i];
        const Height height = receipt_of(link).height;
        if (i > 0 && height <= receipt_of(window.links[i - 1]).height) {
            return {Reason::kWindowOrder, i};
        }
        if (i >= places.size()) return {Reason::kWrongHeight, i};
        if (places[i].chain.id != places[0].chain.id) return {Reason::kWrongChain, i};
        KnownChain chain = places[i].chain;
        if (i > 0) take_newer_reveal(chain, newest);
        const Verdict v = verify_proof(params, network_id, chain, places[i].height, link);
        const bool only_uncounted = v.reason == Reason::kCompactNotAllowed;
        if (!v && !only_uncounted) return {v.reason, i};
        if (only_uncounted && uncounted) uncounted = {v.reason, i};
        note_reveal(chain, height, reveal_of(link));
        newest = std::move(chain);
    }
    return uncounted;
}

}  // namespace holdfast
