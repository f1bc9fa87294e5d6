#include "proofs/link.hpp"

#include <algorithm>
#include <numeric>

#include "core/hash.hpp"
#include "core/merkle.hpp"
#include "core/selection.hpp"

namespace holdfast {
namespace {

std::vector<Digest> opening_leaves(std::span<const Digest, kChunksPerLink> openings) {
    std::vector<Digest> leaves(openings.size());
    sha256_batch(
        {openings.data()->data(), kDigestBytes, sizeof(Digest), openings.size(), std::uint8_t{0}},
        leaves);
    return leaves;
}

Digest compact_draw(const NetworkId& network_id, const VdfOutput& y_c, const ChainId& chain_id) {
    return tagged_hash("compact", network_id, y_c, chain_id);
}

}  // namespace

// Spec 7, link; spec 4.1.
OpenedCells opened_cells(const Entropy& e, ChunkCount chunks) {
    const auto selected = select_v2(e, chunks.value, kChunksPerLink);
    HOLDFAST_CHECK(selected && selected->size() == kChunksPerLink);
    OpenedCells out;
    for (std::uint32_t j = 0; j < kChunksPerLink; ++j) {
        out[j] = {ChunkIndex((*selected)[j]), cell_in_chunk(e, j)};
    }
    return out;
}

std::array<std::uint8_t, kChunksPerLink> ascending_order(const OpenedCells& cells) {
    std::array<std::uint8_t, kChunksPerLink> order;
    std::iota(order.begin(), order.end(), std::uint8_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::uint8_t a, std::uint8_t b) { return cells[a].index() < cells[b].index(); });
    return order;
}

// Spec 7, link: o_j.
Digest opening_hash(const Entropy& e, const OpenedCell& where, const Cell& cell) {
    return tagged_hash("opening", e, where.chunk, where.cell, cell);
}

std::array<Digest, kChunksPerLink> opening_hashes(const Entropy& e, const OpenedCells& where,
                                                  std::span<const Cell, kChunksPerLink> cells) {
    // The messages of opening_hash, one behind another.
    constexpr std::string_view kTag = "opening";
    constexpr std::size_t kTextBytes = kTagPrefix.size() + kTag.size();
    constexpr std::size_t kMessageBytes = 1 + kTextBytes + kDigestBytes + 8 + 1 + kCellBytes;
    Writer w(kMessageBytes * kChunksPerLink);
    for (std::size_t j = 0; j < kChunksPerLink; ++j) {
        w.u8(static_cast<std::uint8_t>(kTextBytes)).raw(view(kTagPrefix)).raw(view(kTag));
        w.fixed(e).u64(where[j].chunk.value).u8(where[j].cell).fixed(cells[j]);
    }
    std::array<Digest, kChunksPerLink> out;
    sha256_batch({w.bytes().data(), kMessageBytes, kMessageBytes, kChunksPerLink, std::nullopt},
                 out);
    return out;
}

// Spec 7, link: O.
Digest opening_root(std::span<const Digest, kChunksPerLink> openings) {
    return merkle_root(opening_leaves(openings));
}

std::vector<Digest> opening_path(std::span<const Digest, kChunksPerLink> openings, std::uint8_t j) {
    HOLDFAST_CHECK(j < kChunksPerLink);
    return MerkleTree(opening_leaves(openings)).path(j);
}

Checked<Digest> opening_root_from_path(const Digest& opening, std::uint8_t j,
                                       std::span<const Digest> path) {
    return root_from_path(kChunksPerLink, j, leaf_hash(view(opening)), path);
}

// Spec 7, link: link_h.
Link link_hash(const NetworkId& network_id, const LinkFields& f) {
    return Link(tagged_hash("link", network_id, f.chain_id, f.height, f.block_hash, f.anchor,
                            f.link_before, f.e, f.openings));
}

// Spec 7, A: what is signed.
Digest receipt_digest(const NetworkId& network_id, const ChainId& chain_id, Height height,
                      const BlockHash& block_hash, const GlobalDigest& anchor, const Link& link) {
    return tagged_hash("receipt", network_id, chain_id, height, block_hash, anchor, link);
}

// Spec 7, A.
void Receipt::encode(Writer& w) const {
    w.fixed(link).height(height).fixed(anchor).fixed(signature);
}

Bytes Receipt::encode() const {
    Writer w(kReceiptBytes);
    encode(w);
    return w.take();
}

Receipt Receipt::decode(Reader& r) {
    Receipt out;
    out.link = r.fixed<Link>();
    out.height = r.height();
    out.anchor = r.fixed<GlobalDigest>();
    out.signature = r.fixed<Signature>();
    return out;
}

Checked<Receipt> Receipt::decode(ByteView body) {
    Reader r(body);
    const Receipt out = decode(r);
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

// Spec 7, B: j.
std::uint8_t compact_index(const NetworkId& network_id, const VdfOutput& y_c,
                           const ChainId& chain_id) {
    return compact_draw(network_id, y_c, chain_id)[0] & 15;
}

// Spec 7, B: full.
bool full_required(const NetworkId& network_id, const VdfOutput& y_c, const ChainId& chain_id) {
    return compact_draw(network_id, y_c, chain_id)[1] < 16;
}

// Spec 7, B: c.
Height compact_draw_height(const NetworkParams& params, Height height) {
    return height + (params.closing_blocks() + params.finality_blocks);
}

}  // namespace holdfast
