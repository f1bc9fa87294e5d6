#include "api/accusation.hpp"

#include <algorithm>

#include "api/prover.hpp"
#include "proofs/bundle.hpp"
#include "proofs/entropy.hpp"
#include "proofs/seal_proof_verify.hpp"
#include "storage/parallel.hpp"
#include "vdf/walk.hpp"

namespace holdfast {
namespace {

template <class T>
Result<T> decoded(Kind kind, const NamedObject& object) {
    const Checked<ByteView> body = unwrap_object(kind, object.bytes);
    if (!body) return fail_refused(body.error(), object.name);
    Checked<T> value = T::decode(*body);
    if (!value) return fail_refused(value.error(), object.name);
    return std::move(*value);
}

Result<Kind> kind_named(const NamedObject& object) {
    const Checked<Kind> kind = peek_kind(object.bytes);
    if (!kind) return fail_refused(kind.error(), object.name);
    return *kind;
}

/// A signed link of `chain`: a receipt, that of a compact or full proof, a member, or one out of a
/// bundle.
Result<LinkStatement> statement_in(const NamedObject& object, const ChainId& chain) {
    HOLDFAST_ASSIGN(kind, kind_named(object));
    if (kind == Kind::kCompact) {
        HOLDFAST_ASSIGN(proof, decoded<Compact>(kind, object));
        return LinkStatement(proof.receipt);
    }
    if (kind == Kind::kFull) {
        HOLDFAST_ASSIGN(proof, decoded<Full>(kind, object));
        return LinkStatement(proof.receipt);
    }
    if (kind == Kind::kMember) {
        HOLDFAST_ASSIGN(member, decoded<Member>(kind, object));
        if (member.chain_id == chain) return LinkStatement(member.bundled);
        return fail_refused(Reason::kWrongChain, object.name);
    }
    if (kind == Kind::kBundle) {
        HOLDFAST_ASSIGN(bundle, decoded<Bundle>(kind, object));
        const auto at = std::ranges::find(bundle.members, chain, &BundleEntry::chain_id);
        if (at == bundle.members.end()) return fail_refused(Reason::kWrongChain, object.name);
        const auto index = static_cast<std::uint32_t>(at - bundle.members.begin());
        return LinkStatement(BundleTree(bundle).member(index).bundled);
    }
    HOLDFAST_ASSIGN(receipt, decoded<Receipt>(Kind::kReceipt, object));
    return LinkStatement(receipt);
}

Result<MadeEvidence> equivocation(const PublicRecord& record, const Accusation& a) {
    if (!a.chain) {
        return fail(ErrorCode::kInvalidArgument, "say which chain signed the two links");
    }
    HOLDFAST_ASSIGN(first, statement_in(a.objects[0], *a.chain));
    HOLDFAST_ASSIGN(second, statement_in(a.objects[1], *a.chain));
    HOLDFAST_ASSIGN(known, record.known_height(height_of(first)));
    return MadeEvidence{make_equivocation(*a.chain, known.block_hash, first, second)};
}

Result<AnyProof> link_proof_in(const NamedObject& object) {
    HOLDFAST_ASSIGN(kind, kind_named(object));
    if (kind == Kind::kCompact) {
        HOLDFAST_ASSIGN(proof, decoded<Compact>(kind, object));
        return AnyProof(std::move(proof));
    }
    HOLDFAST_ASSIGN(proof, decoded<Full>(Kind::kFull, object));
    return AnyProof(std::move(proof));
}

/// The first opening of the proof that is not that of the cell which was registered; the true cells
/// come from any copy of the replica.
Result<Checked<Evidence>> find_false_opening(const PublicRecord& record, const KnownChain& chain,
                                             const KnownHeight& known, const AnyProof& proof,
                                             const Replica& replica) {
    if (!known.y) return Checked<Evidence>(refuse(Reason::kNoEntropy));
    const Entropy e = chain_entropy(record.network_id(), *known.y, chain.id, reveal_of(proof));
    const OpenedCells where = opened_cells(e, chain.chunks);
    std::vector<std::uint8_t> shown;
    for (std::uint8_t j = 0; j < kChunksPerLink; ++j) shown.push_back(j);
    if (std::holds_alternative<Compact>(proof)) {
        const auto drawn = opening_shown(record.network_id(), chain, known);
        if (!drawn) return Checked<Evidence>(refuse(Reason::kNoEntropy));
        shown = {*drawn};
    }
    Checked<Evidence> found = refuse(Reason::kNoOffence);
    for (const std::uint8_t j : shown) {
        const std::uint64_t cell[] = {where[j].index().value};
        HOLDFAST_ASSIGN(opened, replica.open_cells(cell));
        Cell registered;
        std::ranges::copy(opened.cell(0), registered.bytes.begin());
        found = make_false_opening(record.network_id(), chain, known, proof, j, registered,
                                   std::move(opened.siblings));
        if (found || found.error().reason != Reason::kNoOffence) break;
    }
    return found;
}

Result<MadeEvidence> opening(const PublicRecord& record, const Accusation& a) {
    HOLDFAST_ASSIGN(proof, link_proof_in(a.objects[0]));
    const ProverFiles files = ProverFiles::beside(a.replica);
    HOLDFAST_ASSIGN(replica, Replica::open(files.replica, files.tree, record.params()));
    const Height height = receipt_of(proof).height;
    HOLDFAST_ASSIGN(chain, record.known_chain(chain_of(proof), height));
    HOLDFAST_ASSIGN(known, record.known_height(height));
    if (replica.header().sealed_root != chain.sealed_root) {
        return fail_refused(Reason::kSealedMismatch,
                            a.replica.string() + ", which is not a copy of that chain's replica");
    }
    HOLDFAST_ASSIGN(evidence, find_false_opening(record, chain, known, proof, replica));
    return MadeEvidence{std::move(evidence)};
}

Result<MadeEvidence> slots(const PublicRecord& record, const Accusation& a) {
    HOLDFAST_ASSIGN(checkpoint, decoded<Checkpoint>(Kind::kCheckpoint, a.objects[0]));
    HOLDFAST_ASSIGN(first, decoded<PathProof>(Kind::kPath, a.objects[1]));
    HOLDFAST_ASSIGN(second, decoded<PathProof>(Kind::kPath, a.objects[2]));
    HOLDFAST_ASSIGN(known, record.known_height(checkpoint.height));
    if (!known.previous_global) {
        return fail(ErrorCode::kNotFound, "the public record lacks the digest before height " +
                                              std::to_string(checkpoint.height.value));
    }
    return MadeEvidence{make_double_slot(checkpoint, known.y.value_or(VdfOutput{}),
                                         *known.previous_global, first, second)};
}

Result<MadeEvidence> response(const Accusation& a) {
    HOLDFAST_ASSIGN(kind, kind_named(a.objects[0]));
    HOLDFAST_ASSIGN(answer, decoded<Response>(Kind::kResponse, a.objects[1]));
    if (kind == Kind::kChallenge2) {
        HOLDFAST_ASSIGN(challenge, decoded<Challenge2>(kind, a.objects[0]));
        return MadeEvidence{make_bad_response(challenge, answer)};
    }
    HOLDFAST_ASSIGN(challenge, decoded<Challenge>(Kind::kChallenge, a.objects[0]));
    return MadeEvidence{make_bad_response(challenge, answer)};
}

/// Verifies the whole proof and turns what it fails on into evidence of kind 4, 7 or 8.
Result<MadeEvidence> vdf(const PublicRecord& record, const Accusation& a,
                         const EvidenceWork& work) {
    HOLDFAST_ASSIGN(proof, decoded<VdfProof>(Kind::kVdfProof, a.objects[0]));
    const NetworkParams& params = record.params();
    const std::optional<Seed> seed = seed_from(record, proof.height);
    const std::uint64_t epoch = params.has_vdf ? epoch_of(params, proof.height) : 0;
    const auto source = params.has_vdf ? epoch_seed_from(record, epoch) : std::nullopt;
    if (!seed || !source) {
        return fail(ErrorCode::kNotFound, "the public record lacks what the input of height " +
                                              std::to_string(proof.height.value) + " is made of");
    }
    const VdfContext context{params, record.network_id(), proof.height, *seed, epoch, *source};
    Verdict verdict = verify_vdf_claim(context, proof);
    if (verdict) {
        HOLDFAST_ASSIGN(arena, evidence_knowledge(record, work).arena(epoch, *source));
        VdfVerifyOptions options;
        options.parallel = pool_parallel(work.threads);
        options.stop = work.stop;
        HOLDFAST_ASSIGN(full, verify_vdf_full(context, proof, arena->view(), options));
        verdict = full;
    }
    return MadeEvidence{make_vdf_evidence(proof, verdict), verdict};
}

/// Verifies a seal proof and turns the cell that it fails on into evidence of kind 3.
Result<MadeEvidence> seal_of(const PublicRecord& record, const Accusation& a,
                             const EvidenceWork& work) {
    const NamedObject& object = a.objects[0];
    const Checked<ByteView> body = unwrap_object(Kind::kSealProof, object.bytes);
    if (!body) return fail_refused(body.error(), object.name);
    Reader head(*body);
    const auto chain_id = head.fixed<ChainId>();
    const Height y_height = head.height();
    if (head.failed()) return fail_refused(head.verdict(), object.name);
    const auto chain = record.chains().find(chain_id);
    const auto facts = record.heights().find(y_height);
    if (chain == record.chains().end() || facts == record.heights().end() || !facts->second.y) {
        return fail(ErrorCode::kNotFound, "the public record lacks this chain, or y of height " +
                                              std::to_string(y_height.value));
    }
    const Registration& registration = chain->second.registration;
    Verdict verdict;
    for (const SealProofKind kind : {SealProofKind::kSeal, SealProofKind::kAudit}) {
        const SealContext known{y_height, *facts->second.y, kind};
        const auto pending =
            check_seal_proof(record.params(), record.network_id(), registration, known, *body);
        verdict = pending ? Verdict::ok() : pending.error();
        if (!pending) continue;
        FillOptions fill;
        fill.stop = work.stop;
        HOLDFAST_ASSIGN(filled, verify_seal_proof(record.params(), record.network_id(),
                                                  registration, known, *body, fill));
        verdict = filled;
        if (verdict.reason != Reason::kBadSealing || !verdict.index) break;
        return MadeEvidence{make_bad_seal(registration, *pending, CellIndex(*verdict.index)),
                            verdict};
    }
    return MadeEvidence{refuse(Reason::kNoOffence), verdict};
}

template <class T>
Result<MadeEvidence> conflict(Kind kind, const Accusation& a,
                              Evidence (*make)(const T& a, const T& b)) {
    HOLDFAST_ASSIGN(first, decoded<T>(kind, a.objects[0]));
    HOLDFAST_ASSIGN(second, decoded<T>(kind, a.objects[1]));
    return MadeEvidence{make(first, second)};
}

}  // namespace

std::size_t objects_of(AccusationKind what) {
    switch (what) {
        case AccusationKind::kOpening:
        case AccusationKind::kSeal:
        case AccusationKind::kVdf:
            return 1;
        case AccusationKind::kSlots:
            return 3;
        default:
            return 2;
    }
}

Result<MadeEvidence> make_evidence(const PublicRecord& record, const Accusation& accusation,
                                   const EvidenceWork& work) {
    if (accusation.objects.size() != objects_of(accusation.what)) {
        return fail(ErrorCode::kInvalidArgument,
                    "this accusation takes " + std::to_string(objects_of(accusation.what)) +
                        " objects, not " + std::to_string(accusation.objects.size()));
    }
    switch (accusation.what) {
        case AccusationKind::kEquivocation:
            return equivocation(record, accusation);
        case AccusationKind::kOpening:
            return opening(record, accusation);
        case AccusationKind::kSeal:
            return seal_of(record, accusation, work);
        case AccusationKind::kVdf:
            return vdf(record, accusation, work);
        case AccusationKind::kCheckpoint:
            return conflict<Checkpoint>(Kind::kCheckpoint, accusation, make_checkpoint_conflict);
        case AccusationKind::kSlots:
            return slots(record, accusation);
        case AccusationKind::kResponse:
            return response(accusation);
        case AccusationKind::kHead:
            return conflict<JournalHead>(Kind::kHead, accusation, make_head_conflict);
    }
    return fail(ErrorCode::kInvalidArgument, "there is no such accusation");
}

}  // namespace holdfast
