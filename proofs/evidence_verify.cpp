#include "proofs/evidence_verify.hpp"

#include <cstring>

#include "core/geometry.hpp"
#include "core/keystream.hpp"
#include "core/merkle.hpp"
#include "proofs/bundle_verify.hpp"
#include "proofs/entropy.hpp"

namespace holdfast {
namespace {

Digest as_digest(const PublicKey& key) {
    Digest d;
    d.bytes = key.bytes;
    return d;
}

struct OffenceOf {
    const NetworkId& network_id;
    EvidenceKind kind;

    Offence operator()(const Equivocation& e) const {
        return {EvidenceKind::kEquivocation, e.chain_id, height_of(e.smaller)};
    }
    Offence operator()(const FalseOpening& e) const { return of(e.claim); }
    Offence operator()(const FalseEntropy& e) const { return of(e.claim); }
    Offence operator()(const BadSeal& e) const {
        return {kind, e.registration.chain_id(network_id), e.registration.genesis_height};
    }
    Offence operator()(const VdfSegmentEvidence& e) const {
        return {kind, as_digest(e.evaluator), e.segment.height};
    }
    Offence operator()(const CheckpointConflict& e) const {
        return {kind, as_digest(e.smaller.submitter), e.smaller.height};
    }
    Offence operator()(const DoubleSlot& e) const {
        return {kind, as_digest(e.checkpoint.submitter), e.checkpoint.height};
    }
    Offence operator()(const BadResponse& e) const { return {kind, e.chain_id, e.height}; }
    Offence operator()(const HeadConflict& e) const {
        return {kind, as_digest(e.smaller.operator_key), e.smaller.height};
    }
    Offence operator()(const VdfEndEvidence& e) const {
        return {kind, as_digest(e.evaluator), e.height};
    }

  private:
    [[nodiscard]] static Offence of(const LinkClaim& claim) {
        return {EvidenceKind::kBadOpening, claim.chain_id, height_of(claim.statement)};
    }
};

Verdict check_chain(const EvidenceFacts& facts, const ChainId& chain_id) {
    if (!facts.chain) return Reason::kUnknownChain;
    return facts.chain->id == chain_id ? Reason::kOk : Reason::kWrongChain;
}

// Spec 11, where it is judged.
Verdict check_block(const EvidenceFacts& facts, const BlockHash& block_hash) {
    return facts.block_hash == block_hash ? Reason::kOk : Reason::kWrongBlock;
}

Verdict check_signed_link(const EvidenceFacts& facts, const BlockHash& block_hash,
                          const LinkStatement& statement) {
    return check_statement(facts.network_id, *facts.chain, block_hash, statement);
}

// Spec 11, kind 2: the receipt holds, and the link has these fields.
Verdict check_claim(const EvidenceFacts& facts, const LinkClaim& claim) {
    HOLDFAST_REQUIRE_OK(check_chain(facts, claim.chain_id));
    HOLDFAST_REQUIRE_OK(check_block(facts, claim.block_hash));
    const LinkFields fields{claim.chain_id,    height_of(claim.statement),
                            claim.block_hash,  anchor_of(claim.statement),
                            claim.link_before, claim.e,
                            claim.openings};
    if (link_hash(facts.network_id, fields) != link_of(claim.statement)) return Reason::kBadLink;
    return check_signed_link(facts, claim.block_hash, claim.statement);
}

/// The challenge's own word on the y that its draw was made from; one of version 1 has none.
Verdict check_named_output(const EvidenceFacts&, const Challenge&) { return Verdict::ok(); }
Verdict check_named_output(const EvidenceFacts& facts, const Challenge2& challenge) {
    return challenge.y == *facts.y ? Reason::kOk : Reason::kWrongOutput;
}

/// That the challenge is signed, and the response signed and wrong.
template <class ChallengeOf>
Verdict check_bad_response(const EvidenceFacts& facts, const ChallengeOf& challenge,
                           const Response& response) {
    HOLDFAST_REQUIRE_OK(check_named_output(facts, challenge));
    const ChallengeId id = challenge.id(facts.network_id);
    HOLDFAST_REQUIRE_OK(verify_signature(challenge.challenger, view(id), challenge.signature));
    const ResponseContext context{
        id, facts.chain->prover, facts.chain->sealed_root, facts.chain->chunks,
        challenged_chunks(facts.params, facts.network_id, *facts.y, facts.chain->id,
                          challenge.challenger, challenge.nonce, facts.chain->chunks)};
    const Verdict v = check_response(context, response);
    if (v.accepted()) return Reason::kNoOffence;
    return response_is_evidence(v) ? Verdict::ok() : v;
}

VdfContext vdf_context(const EvidenceFacts& facts, Height height) {
    return {facts.params,     facts.network_id, height, *facts.seed, epoch_of(facts.params, height),
            *facts.epoch_seed};
}

/// The seed is compared first: evidence about another block is refused, whatever else holds.
Verdict check_vdf_facts(const EvidenceFacts& facts, const Seed& input) {
    if (!facts.params.has_vdf) return Reason::kVdfPolicy;
    if (!facts.seed || !facts.epoch_seed) return Reason::kNoEntropy;
    return *facts.seed == input ? Reason::kOk : Reason::kVdfInput;
}

Verdict check_paths(const BadSeal& e) {
    const ReplicaHeader& header = e.registration.header;
    const auto raw =
        root_from_path(header.cells(), e.cell.value, leaf_hash(view(e.raw)), e.raw_path);
    if (!raw) return raw.error();
    if (*raw != header.raw_root) return Reason::kRawMismatch;
    const auto sealed =
        root_from_path(header.cells(), e.cell.value, leaf_hash(view(e.sealed)), e.sealed_path);
    if (!sealed) return sealed.error();
    return *sealed == e.registration.sealed_root ? Reason::kOk : Reason::kSealedMismatch;
}

struct CheapJudge {
    const EvidenceFacts& facts;

    Verdict operator()(const Equivocation& e) const {
        HOLDFAST_REQUIRE_OK(check_chain(facts, e.chain_id));
        if (height_of(e.smaller) != height_of(e.larger) ||
            anchor_of(e.smaller) != anchor_of(e.larger)) {
            return Reason::kNoOffence;
        }
        if (!(link_of(e.smaller) < link_of(e.larger))) return Reason::kEvidenceOrder;
        HOLDFAST_REQUIRE_OK(check_signed_link(facts, e.block_hash, e.smaller));
        return check_signed_link(facts, e.block_hash, e.larger);
    }

    Verdict operator()(const FalseOpening& e) const {
        HOLDFAST_REQUIRE_OK(check_claim(facts, e.claim));
        const auto openings = opening_root_from_path(e.opening, e.j, e.opening_path);
        if (!openings) return openings.error();
        if (*openings != e.claim.openings) return Reason::kBadOpening;
        const OpenedCell where = opened_cells(e.claim.e, facts.chain->chunks)[e.j];
        const auto root = root_from_path(facts.chain->chunks.value * kCellsPerChunk,
                                         where.index().value, leaf_hash(view(e.cell)), e.cell_path);
        if (!root) return root.error();
        if (*root != facts.chain->sealed_root) return Reason::kSealedMismatch;
        const bool right = opening_hash(e.claim.e, where, e.cell) == e.opening;
        return right ? Reason::kNoOffence : Reason::kOk;
    }

    Verdict operator()(const FalseEntropy& e) const {
        HOLDFAST_REQUIRE_OK(check_claim(facts, e.claim));
        if (!facts.y) return Reason::kNoEntropy;
        HOLDFAST_REQUIRE_OK(check_committed_reveal(e));
        const Entropy right = chain_entropy(facts.network_id, *facts.y, facts.chain->id, e.reveal);
        return right == e.claim.e ? Reason::kNoOffence : Reason::kOk;
    }

    Verdict operator()(const BadSeal& e) const {
        HOLDFAST_REQUIRE_OK(check_registration(facts.params, facts.network_id, e.registration));
        return check_paths(e);
    }

    Verdict operator()(const VdfSegmentEvidence& e) const {
        HOLDFAST_REQUIRE_OK(check_vdf_facts(facts, e.segment.input));
        return check_segment_evidence(vdf_context(facts, e.segment.height), e);
    }

    Verdict operator()(const VdfEndEvidence& e) const {
        HOLDFAST_REQUIRE_OK(check_vdf_facts(facts, e.input));
        return verify_end_evidence(vdf_context(facts, e.height), e);
    }

    Verdict operator()(const CheckpointConflict& e) const {
        const bool comparable = e.smaller.submitter == e.larger.submitter &&
                                e.smaller.height == e.larger.height &&
                                e.smaller.block_hash == e.larger.block_hash;
        if (!comparable) return Reason::kNoOffence;
        // Two bonds under one statement are no offence.
        constexpr std::size_t kStatementBytes = kCheckpointBytes - 64 - kDigestBytes;
        const Bytes smaller = e.smaller.encode();
        const Bytes larger = e.larger.encode();
        const int order = std::memcmp(smaller.data(), larger.data(), kStatementBytes);
        if (order == 0) return Reason::kNoOffence;
        if (order > 0) return Reason::kEvidenceOrder;
        HOLDFAST_REQUIRE_OK(check_signed(e.smaller));
        return check_signed(e.larger);
    }

    Verdict operator()(const DoubleSlot& e) const {
        if (e.lower.leaf.chain_id != e.higher.leaf.chain_id) return Reason::kNoOffence;
        const auto place = [](const HierarchyPath& p) {
            return std::array{p.region, p.group, p.slot};
        };
        if (place(e.lower.path) >= place(e.higher.path)) return Reason::kEvidenceOrder;
        const Checkpoint& c = e.checkpoint;
        HOLDFAST_REQUIRE_OK(check_signed(c));
        GlobalHeader header;
        header.height = c.height;
        header.block_hash = c.block_hash;
        header.y = e.y;
        header.previous = e.previous_global;
        for (const PathProof* proof : {&e.lower, &e.higher}) {
            const auto global = global_from_path(facts.params, facts.network_id, header, *proof);
            if (!global) return global.error();
            if (*global != c.global) return Reason::kGlobalMismatch;
        }
        return Verdict::ok();
    }

    Verdict operator()(const BadResponse& e) const {
        HOLDFAST_REQUIRE_OK(check_chain(facts, e.chain_id));
        HOLDFAST_REQUIRE_OK(check_block(facts, e.block_hash));
        if (!facts.y) return Reason::kNoEntropy;
        const auto exchange = exchange_of(facts.params, e);
        if (!exchange) return exchange.error();
        return std::visit(
            [&](const auto& c) { return check_bad_response(facts, c, exchange->response); },
            exchange->challenge);
    }

    Verdict operator()(const HeadConflict& e) const {
        const bool comparable = e.smaller.operator_key == e.larger.operator_key &&
                                e.smaller.height == e.larger.height &&
                                e.smaller.block_hash == e.larger.block_hash;
        if (!comparable) return Reason::kNoOffence;
        const Bytes smaller = e.smaller.encode();
        const Bytes larger = e.larger.encode();
        const int order = std::memcmp(smaller.data(), larger.data(), kHeadSignedBytes);
        if (order == 0) return Reason::kNoOffence;
        if (order > 0) return Reason::kEvidenceOrder;
        HOLDFAST_REQUIRE_OK(check_head(facts.params, facts.network_id, e.smaller));
        return check_head(facts.params, facts.network_id, e.larger);
    }

  private:
    [[nodiscard]] Verdict check_signed(const Checkpoint& c) const {
        return verify_signature(c.submitter, view(c.digest(facts.network_id)), c.signature);
    }

    [[nodiscard]] Verdict check_committed_reveal(const FalseEntropy& e) const {
        const std::optional<RevealState>& reveals = facts.chain->reveals;
        if (!reveals) return e.reveal.is_zero() ? Reason::kOk : Reason::kBadReveal;
        const Height height = height_of(e.claim.statement);
        if (height < reveals->base) return Reason::kRevealExhausted;
        return check_reveal(facts.network_id, view(facts.chain->replica_id), reveals->known,
                            height.since(reveals->base), e.reveal, reveal_limit(facts.params));
    }
};

/// Accepted when the sealed cell is not the raw one XORed with the window's keystream.
Result<Verdict> judge_seal(const EvidenceFacts& facts, const BadSeal& e,
                           const FillOptions& options) {
    const ReplicaHeader& header = e.registration.header;
    const WindowPlan plan(header.chunks, header.seal);
    const ChunkIndex chunk(e.cell.value / kCellsPerChunk);
    const Window window = plan.window(plan.window_of(chunk));
    HOLDFAST_ASSIGN(memory, FillMemory::allocate(window.bytes()));
    const MutByteView bytes{memory.data(), static_cast<std::size_t>(memory.size())};
    HOLDFAST_TRY(
        fill_keystream(e.registration.replica_id(facts.network_id), window, bytes, options));
    const auto at =
        static_cast<std::size_t>((e.cell.value - window.first_cell().value) * kCellBytes);
    Cell sealed = e.raw;
    xor_bytes({sealed.data(), kCellBytes}, bytes.subspan(at, kCellBytes));
    return sealed == e.sealed ? Verdict(Reason::kNoOffence) : Verdict::ok();
}

}  // namespace

// Spec 11, settlement: offence_id.
OffenceId Offence::id(const NetworkId& network_id) const {
    return OffenceId(
        tagged_hash("offence", network_id, static_cast<std::uint8_t>(kind), offender, height));
}

Offence accused_offence(const NetworkId& network_id, const Evidence& evidence) {
    return std::visit(OffenceOf{network_id, evidence.kind()}, evidence.body);
}

EvidenceNeeds evidence_needs(const NetworkId& network_id, const Evidence& evidence) {
    const Offence offence = accused_offence(network_id, evidence);
    EvidenceNeeds needs;
    needs.height = offence.height;
    switch (offence.kind) {
        case EvidenceKind::kEquivocation:
            needs.chain = ChainId(offence.offender);
            break;
        case EvidenceKind::kBadOpening:
            needs.chain = ChainId(offence.offender);
            needs.block_hash = true;
            needs.reveals = needs.y = std::holds_alternative<FalseEntropy>(evidence.body);
            break;
        case EvidenceKind::kBadResponse:
            needs.chain = ChainId(offence.offender);
            needs.block_hash = needs.y = true;
            break;
        case EvidenceKind::kBadVdfSegment:
        case EvidenceKind::kFalseVdfOutput:
        case EvidenceKind::kFalseVdfStart:
            needs.vdf = true;
            break;
        case EvidenceKind::kBadSeal:
        case EvidenceKind::kBadCheckpoint:
        case EvidenceKind::kHeadConflict:
        case EvidenceKind::kBundledEquivocation:  // an offence of kind 1
        case EvidenceKind::kBundledBadOpening:    // an offence of kind 2
            break;
    }
    return needs;
}

// Spec 11: what is cheap is checked before the fill.
Verdict judge_without_fill(const EvidenceFacts& facts, const Evidence& evidence) {
    return std::visit(CheapJudge{facts}, evidence.body);
}

// Spec 11, settlement: kinds 3 and 4.
bool needs_fill(const Evidence& evidence) {
    const EvidenceKind kind = evidence.kind();
    return kind == EvidenceKind::kBadSeal || kind == EvidenceKind::kBadVdfSegment;
}

Result<Verdict> judge(const EvidenceFacts& facts, const Evidence& evidence,
                      const EvidenceResources& resources) {
    const Verdict cheap = judge_without_fill(facts, evidence);
    if (!cheap.accepted() || !needs_fill(evidence)) return cheap;
    if (const auto* seal = std::get_if<BadSeal>(&evidence.body)) {
        return judge_seal(facts, *seal, resources.fill);
    }
    const auto& segment = std::get<VdfSegmentEvidence>(evidence.body);
    if (resources.arena == nullptr) {
        return fail(ErrorCode::kInvalidArgument, "judging a VDF segment needs its epoch's arena");
    }
    return verify_segment_evidence(vdf_context(facts, segment.segment.height), segment,
                                   *resources.arena, resources.vdf);
}

}  // namespace holdfast
