#include "simulation/cheat.hpp"

#include "api/link_prover.hpp"
#include "core/merkle.hpp"
#include "proofs/bundle.hpp"
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

Status commit(const NetworkId& network_id, DutySource& source, ProverSet& set,
              const KnownHeight& known, CheatCounts& counts) {
    HOLDFAST_ASSIGN(due, source.due_links(known.height, {}));
    std::vector<BundleEntry> members;
    for (const DueLink& d : due) {
        const auto member = set.member_of(d.chain_id);
        if (!member) continue;
        const LinkOpening link = invent(network_id, set.members()[*member], known, d.link_before);
        members.push_back({d.chain_id, link.link});
    }
    if (members.empty()) return {};
    HOLDFAST_ASSIGN(bundle, make_bundle(network_id, known.block_hash, known.height, known.anchor,
                                        std::move(members), set.key()));
    const Bytes object = wrap_object(Kind::kBundle, bundle.encode());
    const ByteView one(object);
    HOLDFAST_ASSIGN(outcomes, source.accept({&one, 1}, {}));
    for (const Verdict& v : outcomes[0].members) counts.receipts_taken += v ? 1 : 0;
    return {};
}

Status pretend(const NetworkId& network_id, DutySource& source, ProverSet& set,
               const KnownHeight& known, CheatCounts& counts) {
    HOLDFAST_ASSIGN(due, source.due_proofs(known.height, {}));
    std::vector<Bytes> objects;
    for (const DueProof& d : due) {
        const auto member = set.member_of(d.chain_id);
        if (!member) continue;
        const SetMember& m = set.members()[*member];
        const LinkOpening link = invent(network_id, m, known, d.link_before);
        if (link.link != d.link) continue;  // made while it still had its data
        if (full_required(network_id, *known.y_compact, d.chain_id)) {
            objects.push_back(wrap_object(Kind::kShortFull, to_short_full(link).encode()));
            continue;
        }
        const std::uint64_t cells = m.chunks.value * kCellsPerChunk;
        const std::uint8_t j = compact_index(network_id, *known.y_compact, d.chain_id);
        const std::vector<Digest> path(path_length(cells, link.where[j].index().value));
        objects.push_back(
            wrap_object(Kind::kShortCompact,
                        to_short_compact(network_id, link, *known.y_compact, path).encode()));
    }
    const std::vector<ByteView> views(objects.begin(), objects.end());
    HOLDFAST_ASSIGN(outcomes, source.accept(views, {}));
    for (const ObjectOutcome& o : outcomes) {
        ++(o.verdict ? counts.proofs_taken : counts.proofs_refused);
    }
    return {};
}

}  // namespace

Result<CheatCounts> cheat(const NetworkParams& params, DutySource& source, ProverSet& set,
                          Height height) {
    CheatCounts counts;
    if (set.members().empty()) return counts;
    HOLDFAST_TRY(set.find_chains(source, {}));
    const NetworkId network_id = params.id();
    HOLDFAST_ASSIGN(known, source.known_height(height));
    if (known.y) HOLDFAST_TRY(commit(network_id, source, set, known, counts));
    HOLDFAST_ASSIGN(heights, source.proof_heights());
    for (const Height h : heights) {
        if (compact_draw_height(params, h) != height) continue;
        HOLDFAST_ASSIGN(proven, source.known_height(h));
        if (proven.y && proven.y_compact) {
            HOLDFAST_TRY(pretend(network_id, source, set, proven, counts));
        }
    }
    return counts;
}

}  // namespace holdfast::simulation
