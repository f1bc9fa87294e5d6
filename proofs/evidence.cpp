#include "proofs/evidence.hpp"

#include <algorithm>
#include <type_traits>

#include "core/merkle.hpp"
#include "vdf/walk.hpp"

namespace holdfast {
namespace {

/// What a source says; nothing where there is none.
template <class T, class... Args>
Status ask(std::optional<T>& into, const std::function<Result<std::optional<T>>(Args...)>& source,
           const std::type_identity_t<Args>&... args) {
    if (!source) return {};
    HOLDFAST_ASSIGN(said, source(args...));
    into = std::move(said);
    return {};
}

/// Fills the fields that `needs` names from `knowledge`.
Status gather(EvidenceFacts& facts, const EvidenceNeeds& needs,
              const EvidenceKnowledge& knowledge) {
    if (needs.chain) HOLDFAST_TRY(ask(facts.chain, knowledge.chain, *needs.chain, needs.height));
    if (needs.block_hash) {
        HOLDFAST_TRY(ask(facts.block_hash, knowledge.final_block, needs.height));
    }
    if (needs.y) HOLDFAST_TRY(ask(facts.y, knowledge.y, needs.height));
    if (!needs.vdf || !facts.params.has_vdf) return {};
    HOLDFAST_TRY(ask(facts.seed, knowledge.seed, needs.height));
    return ask(facts.epoch_seed, knowledge.epoch_seed, epoch_of(facts.params, needs.height));
}

Result<EvidenceFacts> gathered(const EvidenceKnowledge& knowledge, const Evidence& evidence) {
    EvidenceFacts facts{knowledge.params, knowledge.network_id, {}, {}, {}, {}, {}};
    HOLDFAST_TRY(gather(facts, evidence_needs(facts.network_id, evidence), knowledge));
    return facts;
}

Judgement cheap_judgement(const EvidenceFacts& facts, const Evidence& evidence) {
    Judgement out;
    out.offence = accused_offence(facts.network_id, evidence);
    out.id = out.offence.id(facts.network_id);
    out.verdict = judge_without_fill(facts, evidence);
    return out;
}

/// What a compact or full proof shows of its sixteen openings: o_j, its path, and O.
struct ShownOpening {
    Digest opening;
    std::array<Digest, kOpeningTreeDepth> path;
    Digest root;
};

template <class Proof>
    requires kOpensOne<Proof>
ShownOpening shown_by(const Proof& proof, const Entropy& e, const OpenedCells& where,
                      std::uint8_t j) {
    ShownOpening out{opening_hash(e, where[j], proof.cell), proof.opening_path, {}};
    out.root = *opening_root_from_path(out.opening, j, out.path);  // four hashes, j below 16
    return out;
}

template <class Proof>
ShownOpening shown_by(const Proof& proof, const Entropy& e, const OpenedCells& where,
                      std::uint8_t j) {
    const auto order = ascending_order(where);
    std::array<Cell, kChunksPerLink> selected;
    for (std::size_t k = 0; k < order.size(); ++k) selected[order[k]] = proof.cells[k];
    const auto openings = opening_hashes(e, where, selected);
    ShownOpening out{openings[j], {}, opening_root(openings)};
    const std::vector<Digest> path = opening_path(openings, j);
    HOLDFAST_CHECK(path.size() == out.path.size());
    std::copy(path.begin(), path.end(), out.path.begin());
    return out;
}

/// Of a proof of the chain and height that were asked for, whichever form it has.
template <class Proof>
Checked<Evidence> false_opening(const NetworkId& network_id, const KnownChain& chain,
                                const KnownHeight& known, const LinkStatement& statement,
                                const Link& before, const Proof& shown, std::uint8_t j,
                                const Cell& cell, std::vector<Digest> cell_path) {
    if (shown.chain_id != chain.id) return refuse(Reason::kWrongChain);
    if (height_of(statement) != known.height) return refuse(Reason::kWrongHeight);
    if (!known.y) return refuse(Reason::kNoEntropy);
    if (j >= kChunksPerLink) return refuse(Reason::kBadIndex);
    if (kOpensOne<Proof>) {
        const auto drawn = opening_shown(network_id, chain, known);
        if (!drawn) return refuse(Reason::kNoEntropy);
        if (*drawn != j) return refuse(Reason::kBadIndex);
    }
    const Entropy e = chain_entropy(network_id, *known.y, chain.id, shown.reveal);
    const OpenedCells where = opened_cells(e, chain.chunks);
    const ShownOpening opened = shown_by(shown, e, where, j);
    const LinkClaim claim{chain.id, known.block_hash, statement, before, e, opened.root};
    const Link link = link_hash(network_id, {chain.id, known.height, claim.block_hash,
                                             anchor_of(statement), before, e, opened.root});
    if (link != link_of(statement)) return refuse(Reason::kBadLink);
    if (opening_hash(e, where[j], cell) == opened.opening) return refuse(Reason::kNoOffence);
    return Evidence{
        FalseOpening{claim, j, opened.opening, opened.path, cell, std::move(cell_path)}};
}

template <class ChallengeOf>
Evidence bad_response(const ChallengeOf& challenge, const Response& response) {
    Writer w;
    challenge.encode(w);
    response.encode(w);
    constexpr std::ptrdiff_t kHead = 32 + 8 + 32;  // chain, height and block
    return {BadResponse{challenge.chain_id, challenge.height, challenge.block_hash,
                        Bytes(w.bytes().begin() + kHead, w.bytes().end())}};
}

}  // namespace

Evidence make_equivocation(const ChainId& chain_id, const BlockHash& block_hash,
                           const LinkStatement& a, const LinkStatement& b) {
    const bool ascending = link_of(a) < link_of(b);
    return {Equivocation{chain_id, block_hash, ascending ? a : b, ascending ? b : a}};
}

Evidence make_false_opening(const LinkClaim& claim,
                            std::span<const Digest, kChunksPerLink> openings, std::uint8_t j,
                            const Cell& cell, std::vector<Digest> cell_path) {
    HOLDFAST_CHECK(j < kChunksPerLink);
    FalseOpening e{claim, j, openings[j], {}, cell, std::move(cell_path)};
    const std::vector<Digest> path = opening_path(openings, j);
    HOLDFAST_CHECK(path.size() == e.opening_path.size());
    std::copy(path.begin(), path.end(), e.opening_path.begin());
    return {std::move(e)};
}

std::optional<std::uint8_t> opening_shown(const NetworkId& network_id, const KnownChain& chain,
                                          const KnownHeight& known) {
    if (!known.y_compact) return std::nullopt;
    return compact_index(network_id, *known.y_compact, chain.id);
}

Checked<Evidence> make_false_opening(const NetworkId& network_id, const KnownChain& chain,
                                     const KnownHeight& known, const AnyProof& shown,
                                     std::uint8_t j, const Cell& cell,
                                     std::vector<Digest> cell_path) {
    return std::visit(
        [&](const auto& proof) {
            return false_opening(network_id, chain, known, proof.receipt, proof.link_before, proof,
                                 j, cell, std::move(cell_path));
        },
        shown);
}

Checked<Evidence> make_false_opening(const NetworkId& network_id, const KnownChain& chain,
                                     const KnownHeight& known, const LinkStatement& statement,
                                     const AnyShort& shown, std::uint8_t j, const Cell& cell,
                                     std::vector<Digest> cell_path) {
    if (!known.link_before) return refuse(Reason::kDigestUnknown);
    return std::visit(
        [&](const auto& proof) {
            return false_opening(network_id, chain, known, statement, *known.link_before, proof, j,
                                 cell, std::move(cell_path));
        },
        shown);
}

Evidence make_false_entropy(const LinkClaim& claim, const Reveal& reveal) {
    return {FalseEntropy{claim, reveal}};
}

Evidence make_bad_seal(const Registration& registration, CellIndex cell, const Cell& raw,
                       std::vector<Digest> raw_path, const Cell& sealed,
                       std::vector<Digest> sealed_path) {
    return {BadSeal{registration, cell, raw, std::move(raw_path), sealed, std::move(sealed_path)}};
}

Checked<Evidence> make_bad_seal(const Registration& registration, const PendingSealProof& refused,
                                CellIndex cell) {
    const std::vector<std::uint64_t>& cells = refused.challenge.cells;
    const auto found = std::lower_bound(cells.begin(), cells.end(), cell.value);
    if (found == cells.end() || *found != cell.value) return refuse(Reason::kNoOffence);
    const auto position = static_cast<std::size_t>(found - cells.begin());
    const auto opened =
        [&](ByteView bytes,
            const std::vector<Digest>& siblings) -> Checked<std::pair<Cell, std::vector<Digest>>> {
        std::vector<Digest> leaves(cells.size());
        sha256_batch({bytes.data(), kCellBytes, kCellBytes, cells.size(), std::uint8_t{0}}, leaves);
        HOLDFAST_ASSIGN(path, path_from_multiproof(refused.challenge.total_cells, cells, leaves,
                                                   siblings, position));
        Cell out;
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(position * kCellBytes), kCellBytes,
                    out.bytes.begin());
        return std::pair{out, std::move(path)};
    };
    HOLDFAST_ASSIGN(raw, opened(refused.proof.raw_cells, refused.proof.raw_siblings));
    HOLDFAST_ASSIGN(sealed, opened(refused.proof.sealed_cells, refused.proof.sealed_siblings));
    return make_bad_seal(registration, cell, raw.first, std::move(raw.second), sealed.first,
                         std::move(sealed.second));
}

Evidence make_bad_segment(const VdfProof& proof, std::uint32_t i) {
    return {make_segment_evidence(proof, i)};
}

Evidence make_false_end(const VdfProof& proof, VdfEndEvidence::End end) {
    return {make_end_evidence(proof, end)};
}

Checked<Evidence> make_vdf_evidence(const VdfProof& proof, const Verdict& refusal) {
    switch (refusal.reason) {
        case Reason::kVdfSegment:
            if (!refusal.index || *refusal.index >= proof.params.checkpoints) break;
            return make_bad_segment(proof, static_cast<std::uint32_t>(*refusal.index));
        case Reason::kVdfOutputMismatch:
            return make_false_end(proof, VdfEndEvidence::End::kOutput);
        case Reason::kVdfStart:
            return make_false_end(proof, VdfEndEvidence::End::kStart);
        default:
            break;
    }
    return refuse(Reason::kNoOffence);
}

Evidence make_checkpoint_conflict(const Checkpoint& a, const Checkpoint& b) {
    const bool ascending = a.encode() < b.encode();
    return {CheckpointConflict{ascending ? a : b, ascending ? b : a}};
}

Evidence make_double_slot(const Checkpoint& checkpoint, const VdfOutput& y,
                          const GlobalDigest& previous_global, const PathProof& a,
                          const PathProof& b) {
    const auto place = [](const PathProof& p) {
        return std::array{p.path.region, p.path.group, p.path.slot};
    };
    const bool ascending = place(a) < place(b);
    return {DoubleSlot{checkpoint, y, previous_global, ascending ? a : b, ascending ? b : a}};
}

Evidence make_bad_response(const Challenge& challenge, const Response& response) {
    return bad_response(challenge, response);
}

Evidence make_bad_response(const Challenge2& challenge, const Response& response) {
    return bad_response(challenge, response);
}

Evidence make_head_conflict(const JournalHead& a, const JournalHead& b) {
    const bool ascending = a.encode() < b.encode();
    return {HeadConflict{ascending ? a : b, ascending ? b : a}};
}

Result<Judgement> judge_evidence_without_fill(const EvidenceKnowledge& knowledge,
                                              const Evidence& evidence) {
    HOLDFAST_ASSIGN(facts, gathered(knowledge, evidence));
    return cheap_judgement(facts, evidence);
}

Result<Judgement> judge_evidence(const EvidenceKnowledge& knowledge, const Evidence& evidence) {
    HOLDFAST_ASSIGN(facts, gathered(knowledge, evidence));
    Judgement out = cheap_judgement(facts, evidence);
    if (!out.verdict.accepted() || !needs_fill(evidence)) return out;

    EvidenceResources resources{knowledge.fill, nullptr, knowledge.vdf};
    std::shared_ptr<const VdfArena> arena;
    ArenaView arena_view;
    if (evidence.kind() == EvidenceKind::kBadVdfSegment) {
        const std::uint64_t epoch = epoch_of(facts.params, out.offence.height);
        if (!knowledge.arena) {
            return fail(ErrorCode::kUnsupported, "no arena to judge a VDF segment with");
        }
        HOLDFAST_ASSIGN(filled, knowledge.arena(epoch, *facts.epoch_seed));
        arena = std::move(filled);
        arena_view = arena->view();
        resources.arena = &arena_view;
    }
    HOLDFAST_ASSIGN(verdict, judge(facts, evidence, resources));
    out.verdict = verdict;
    return out;
}

}  // namespace holdfast
