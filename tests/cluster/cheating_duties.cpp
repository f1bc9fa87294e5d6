#include "cluster/cheating_duties.hpp"

#include "api/prover.hpp"
#include "chunking/tree_walk.hpp"
#include "proofs/entropy.hpp"

namespace holdfast::node {

// --- garbage -------------------------------------------------------------------------------------

GarbageDuties::GarbageDuties(DutySource& honest, const CheatPlace& place, File replica,
                             TreeFile tree)
    : DutyFilter(honest),
      place_(place),
      network_id_(place.params.id()),
      replica_(std::move(replica)),
      tree_(std::move(tree)) {}

Result<std::unique_ptr<GarbageDuties>> GarbageDuties::open(DutySource& honest,
                                                           const CheatPlace& place,
                                                           const std::filesystem::path& replica) {
    HOLDFAST_ASSIGN(file, File::open(replica, File::Mode::kRead));
    HOLDFAST_ASSIGN(tree, TreeFile::open(ProverFiles::beside(replica).tree, place.params));
    return std::unique_ptr<GarbageDuties>(
        new GarbageDuties(honest, place, std::move(file), std::move(tree)));
}

Result<LinkDraw> GarbageDuties::draw(const ChainId& chain, const KnownHeight& known,
                                     const Link& link_before, const std::optional<Height>& base) {
    LinkFacts facts{chain, known.height, known.block_hash, *known.y, known.anchor, link_before, {}};
    if (base) {
        auto at = reveals_.find(*base);
        if (at == reveals_.end()) {
            HOLDFAST_ASSIGN(chain_of_base, RevealChain::make(network_id_, tree_.header().replica_id,
                                                             *base, place_.key));
            at = reveals_.emplace(*base, std::move(chain_of_base)).first;
        }
        const auto reveal = at->second.at_height(known.height);
        if (!reveal) return fail_refused(reveal.error(), "the reveal");
        facts.reveal = *reveal;
    }
    return draw_link(network_id_, facts, tree_.header().replica.chunks);
}

/// As Replica::open_cells, but for the look at the root: `lost` says what that would have found.
Result<Opening> GarbageDuties::open_cells(std::span<const std::uint64_t> cells, bool& lost) const {
    const std::vector<std::uint64_t> chunks = chunks_of(cells);
    Bytes bytes(chunks.size() * kChunkBytes);
    for (std::size_t i = 0; i < chunks.size(); ++i) {
        HOLDFAST_TRY(replica_.read_at(kFileHeaderBytes + chunks[i] * kChunkBytes,
                                      MutByteView(bytes).subspan(i * kChunkBytes, kChunkBytes)));
    }
    const ChunkSubtrees subtrees(bytes);
    HOLDFAST_ASSIGN(walk, walk_up(tree_, TreeKind::kSealed, chunks, subtrees.chunk_roots()));
    lost = walk.root != tree_.header().sealed_root;
    Opening out;
    out.siblings = subtree_siblings(subtrees, chunks, cells);
    out.siblings.insert(out.siblings.end(), walk.siblings.begin(), walk.siblings.end());
    std::size_t position = 0;
    for (const std::uint64_t cell : cells) {
        while (chunks[position] != cell / kCellsPerChunk) ++position;
        const ByteView found = ByteView(bytes).subspan(
            position * kChunkBytes + (cell % kCellsPerChunk) * kCellBytes, kCellBytes);
        out.data.insert(out.data.end(), found.begin(), found.end());
    }
    return out;
}

Result<std::vector<DueLink>> GarbageDuties::due_links(Height height, const Wanted& wanted) {
    HOLDFAST_ASSIGN(due, honest_.due_links(height, wanted));
    HOLDFAST_ASSIGN(known, honest_.known_height(height));
    if (due.empty() || !known.y) return std::vector<DueLink>();
    std::vector<BundleEntry> members;
    for (const DueLink& one : due) {
        HOLDFAST_ASSIGN(drawn, draw(one.chain_id, known, one.link_before, one.reveal_base));
        bool lost = false;
        HOLDFAST_ASSIGN(opened, open_cells(drawn.cells, lost));
        members.push_back(
            {one.chain_id, assemble_link(network_id_, drawn, std::move(opened)).link});
    }
    HOLDFAST_ASSIGN(bundle, make_bundle(network_id_, known.block_hash, known.height, known.anchor,
                                        std::move(members), place_.key));
    const Bytes object = wrap_object(Kind::kBundle, bundle.encode());
    const ByteView one(object);
    HOLDFAST_TRY(honest_.accept({&one, 1}, {}));
    return std::vector<DueLink>();
}

Status GarbageDuties::prove(const KnownHeight& known, const DueProof& due) {
    HOLDFAST_ASSIGN(drawn, draw(due.chain_id, known, due.link_before, due.reveal_base));
    bool lost = false;
    HOLDFAST_ASSIGN(opened, open_cells(drawn.cells, lost));
    const LinkOpening link = assemble_link(network_id_, drawn, std::move(opened));
    const bool full = full_required(network_id_, *known.y_compact, due.chain_id);
    Bytes object;
    if (full) {
        object = wrap_object(Kind::kShortFull, to_short_full(link).encode());
    } else {
        const std::uint8_t j = compact_index(network_id_, *known.y_compact, due.chain_id);
        const std::uint64_t cell[] = {drawn.where[j].index().value};
        HOLDFAST_ASSIGN(one, open_cells(cell, lost));
        object = wrap_object(
            Kind::kShortCompact,
            to_short_compact(network_id_, link, *known.y_compact, std::move(one.siblings))
                .encode());
    }
    const ByteView one(object);
    HOLDFAST_ASSIGN(outcomes, honest_.accept({&one, 1}, {}));
    if (outcomes.size() != 1) return fail(ErrorCode::kUnavailable, "no outcome came back");
    handed_over_.insert({due.chain_id, known.height});
    place_.log.info("cheat.proof", {{"height", known.height},
                                    {"full", full},
                                    {"lost", lost},
                                    {"verdict", std::string(to_string(outcomes[0].verdict))}});
    return {};
}

Result<std::vector<DueProof>> GarbageDuties::due_proofs(Height height, const Wanted& wanted) {
    HOLDFAST_ASSIGN(due, honest_.due_proofs(height, wanted));
    HOLDFAST_ASSIGN(known, honest_.known_height(height));
    if (!known.y || !known.y_compact) return std::vector<DueProof>();
    for (const DueProof& one : due) {
        if (handed_over_.contains({one.chain_id, height})) continue;
        HOLDFAST_TRY(prove(known, one));
    }
    return std::vector<DueProof>();
}

// --- equivocation --------------------------------------------------------------------------------

Result<std::vector<ObjectOutcome>> EquivocatingDuties::accept(std::span<const ByteView> objects,
                                                              const SealCheck& check) {
    HOLDFAST_ASSIGN(outcomes, honest_.accept(objects, check));
    for (const ByteView object : objects) {
        if (!unwrap_object(Kind::kBundle, object)) continue;
        if (++bundles_ >= nth_ && !std::filesystem::exists(folder_ / "equivocation.receipt")) {
            HOLDFAST_TRY(equivocate(object));
        }
    }
    return outcomes;
}

Status EquivocatingDuties::equivocate(ByteView object) {
    const Checked<ByteView> body = unwrap_object(Kind::kBundle, object);
    const Checked<Bundle> bundle = Bundle::decode(*body);
    if (!bundle) return fail_refused(bundle.error(), "the bundle");
    HOLDFAST_ASSIGN(known, honest_.known_height(bundle->height));
    const BundleEntry& member = bundle->members.front();
    Receipt other;
    other.link = member.link;
    for (std::uint8_t& byte : other.link.bytes) byte ^= 0xff;
    other.height = bundle->height;
    other.anchor = bundle->anchor;
    other.signature = place_.key
                          .sign(receipt_digest(place_.params.id(), member.chain_id, other.height,
                                               known.block_hash, other.anchor, other.link))
                          .value();
    const Bytes receipt = wrap_object(Kind::kReceipt, other.encode());
    HOLDFAST_TRY(write_file(folder_ / "equivocation.bundle", object));
    HOLDFAST_TRY(write_file(folder_ / "equivocation.receipt", receipt));
    place_.log.info("cheat.equivocation", {{"height", other.height}, {"chain", member.chain_id}});
    return {};
}

}  // namespace holdfast::node
