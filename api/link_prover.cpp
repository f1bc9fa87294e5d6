#include "api/link_prover.hpp"

#include "proofs/entropy.hpp"

namespace holdfast {
namespace {

std::array<Digest, kOpeningTreeDepth> path_of_opening(const LinkOpening& opening, std::uint8_t j) {
    std::array<Digest, kOpeningTreeDepth> out;
    const std::vector<Digest> up = opening_path(opening.openings, j);
    HOLDFAST_CHECK(up.size() == out.size());
    std::copy(up.begin(), up.end(), out.begin());
    return out;
}

std::array<Cell, kChunksPerLink> ascending_cells(const LinkOpening& opening) {
    std::array<Cell, kChunksPerLink> out;
    const auto order = ascending_order(opening.where);
    for (std::size_t k = 0; k < order.size(); ++k) out[k] = opening.cells[order[k]];
    return out;
}

}  // namespace

// Spec 7, link; spec 4.1.
LinkDraw draw_link(const NetworkId& network_id, const LinkFacts& facts, ChunkCount chunks) {
    LinkDraw out;
    out.facts = facts;
    out.e = chain_entropy(network_id, facts.y, facts.chain_id, facts.reveal);
    out.where = opened_cells(out.e, chunks);
    out.order = ascending_order(out.where);
    for (std::size_t k = 0; k < out.order.size(); ++k) {
        out.cells[k] = out.where[out.order[k]].index().value;
    }
    return out;
}

// Spec 7, link.
LinkOpening assemble_link(const NetworkId& network_id, const LinkDraw& draw, Opening opened) {
    LinkOpening out;
    out.facts = draw.facts;
    out.e = draw.e;
    out.where = draw.where;
    for (std::size_t k = 0; k < draw.order.size(); ++k) {
        const std::uint8_t j = draw.order[k];
        const auto cell = opened.cell(k);
        std::copy(cell.begin(), cell.end(), out.cells[j].bytes.begin());
    }
    out.openings = opening_hashes(out.e, out.where, out.cells);
    out.siblings = std::move(opened.siblings);
    const LinkFacts& facts = draw.facts;
    out.link = link_hash(network_id, {facts.chain_id, facts.height, facts.block_hash, facts.anchor,
                                      facts.link_before, out.e, opening_root(out.openings)});
    return out;
}

Result<LinkOpening> open_link(const NetworkId& network_id, const Replica& replica,
                              const LinkFacts& facts) {
    const LinkDraw draw = draw_link(network_id, facts, replica.chunks());
    HOLDFAST_ASSIGN(opened, replica.open_cells(draw.cells));
    return assemble_link(network_id, draw, std::move(opened));
}

// Spec 7: checked, recorded, then signed.
Result<SignedLink> make_link(const NetworkId& network_id, const Replica& replica,
                             const LinkFacts& facts, const KeyPair& key, LinkRecords& records) {
    HOLDFAST_ASSIGN(opening, open_link(network_id, replica, facts));
    const LinkRecord record{facts.height, facts.block_hash, facts.anchor, opening.link};
    HOLDFAST_ASSIGN(receipt, records.record_then_sign(network_id, facts.chain_id, record, key));
    return SignedLink{std::move(opening), receipt};
}

Result<Compact> to_compact(const NetworkId& network_id, const Replica& replica,
                           const SignedLink& link, const PathProof& path,
                           const VdfOutput& y_compact) {
    const LinkOpening& opening = link.opening;
    const std::uint8_t j = compact_index(network_id, y_compact, opening.facts.chain_id);
    const std::uint64_t indices[] = {opening.where[j].index().value};
    HOLDFAST_ASSIGN(cell, replica.open_cells(indices));
    return to_compact(network_id, link, path, y_compact, std::move(cell.siblings));
}

Result<Compact> to_compact(const NetworkId& network_id, const SignedLink& link,
                           const PathProof& path, const VdfOutput& y_compact,
                           std::vector<Digest> cell_path) {
    const LinkOpening& opening = link.opening;
    const LinkFacts& facts = opening.facts;
    if (path.leaf.chain_id != facts.chain_id || path.leaf.link != opening.link ||
        path.leaf.link_height != facts.height) {
        return fail(ErrorCode::kInvalidArgument,
                    "the path proof is not that of the link of height " +
                        std::to_string(facts.height.value));
    }
    const std::uint8_t j = compact_index(network_id, y_compact, facts.chain_id);
    Compact out;
    out.receipt = link.receipt;
    out.chain_id = facts.chain_id;
    out.link_before = facts.link_before;
    out.reveal = facts.reveal;
    out.status = path.leaf.status;
    out.path = path.path;
    out.cell = opening.cells[j];
    out.cell_path = std::move(cell_path);
    out.opening_path = path_of_opening(opening, j);
    return out;
}

// Spec 7, C.
Full to_full(const SignedLink& link) {
    const LinkOpening& opening = link.opening;
    Full out;
    out.receipt = link.receipt;
    out.chain_id = opening.facts.chain_id;
    out.link_before = opening.facts.link_before;
    out.reveal = opening.facts.reveal;
    out.cells = ascending_cells(opening);
    out.siblings = opening.siblings;
    return out;
}

ShortCompact to_short_compact(const NetworkId& network_id, const LinkOpening& link,
                              const VdfOutput& y_compact, std::vector<Digest> cell_path) {
    const std::uint8_t j = compact_index(network_id, y_compact, link.facts.chain_id);
    return {link.facts.chain_id, link.facts.height,    link.facts.reveal,
            link.cells[j],       std::move(cell_path), path_of_opening(link, j)};
}

ShortFull to_short_full(const LinkOpening& link) {
    return {link.facts.chain_id, link.facts.height, link.facts.reveal, ascending_cells(link),
            link.siblings};
}

}  // namespace holdfast
