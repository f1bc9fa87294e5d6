#include "proofs/evidence.hpp"
#include "api/accusation.hpp"
#include "capi/verifier.hpp"

namespace holdfast::capi {
namespace {

Got<AccusationKind> accusation_kind(holdfast_accusation what) {
    switch (what) {
        case HOLDFAST_ACCUSE_EQUIVOCATION:
            return AccusationKind::kEquivocation;
        case HOLDFAST_ACCUSE_OPENING:
            return AccusationKind::kOpening;
        case HOLDFAST_ACCUSE_SEAL:
            return AccusationKind::kSeal;
        case HOLDFAST_ACCUSE_VDF:
            return AccusationKind::kVdf;
        case HOLDFAST_ACCUSE_CHECKPOINT:
            return AccusationKind::kCheckpoint;
        case HOLDFAST_ACCUSE_RESPONSE:
            return AccusationKind::kResponse;
        case HOLDFAST_ACCUSE_HEAD:
            return AccusationKind::kHead;
        case HOLDFAST_ACCUSE_SLOTS:
            return AccusationKind::kSlots;
        default:
            return bad_argument("there is no accusation " + std::to_string(what));
    }
}

Got<Accusation> accusation_from(const holdfast_accusation_request* request) {
    HOLDFAST_ASSIGN(given, read_struct(request, "request"));
    Accusation out;
    HOLDFAST_ASSIGN(what, accusation_kind(given.what));
    out.what = what;
    if (given.objects == nullptr && given.objects_count > 0) return missing("request->objects");
    if (given.objects_count != objects_of(what)) {
        return bad_argument("this accusation takes " + std::to_string(objects_of(what)) +
                            " objects, not " + std::to_string(given.objects_count));
    }
    for (std::size_t i = 0; i < given.objects_count; ++i) {
        HOLDFAST_ASSIGN(bytes, view_of(given.objects[i].data, given.objects[i].size, "an object"));
        out.objects.push_back({"object " + std::to_string(i), Bytes(bytes.begin(), bytes.end())});
    }
    if (what == AccusationKind::kEquivocation) {
        HOLDFAST_ASSIGN(chain, fixed_of<ChainId>(given.chain_id, "request->chain_id"));
        out.chain = chain;
    }
    if (what != AccusationKind::kOpening) return out;
    HOLDFAST_ASSIGN(replica, text_of(given.replica, "request->replica"));
    out.replica = replica;
    return out;
}

bool costs_a_fill(AccusationKind what) {
    return what == AccusationKind::kSeal || what == AccusationKind::kVdf;
}

holdfast_judgement judgement_to_c(const Judgement& from, bool fill) {
    holdfast_judgement out{};
    out.verdict = to_c(from.verdict);
    out.offence = static_cast<int32_t>(from.offence.kind);
    out.needs_fill = fill ? 1 : 0;
    put_fixed(out.offender, from.offence.offender);
    out.height = from.offence.height.value;
    put_fixed(out.offence_id, from.id);
    return out;
}

}  // namespace
}  // namespace holdfast::capi

using namespace holdfast;
using namespace holdfast::capi;

holdfast_status holdfast_evidence_make(const holdfast_verifier* verifier,
                                       const holdfast_accusation_request* request,
                                       const holdfast_control* control, uint8_t* out,
                                       size_t* out_bytes) {
    return run_controlled(control, [&](Control& work) -> Done {
        HOLDFAST_TRY(check_handle(verifier, "verifier"));
        HOLDFAST_ASSIGN(accusation, accusation_from(request));
        if (costs_a_fill(accusation.what)) {
            HOLDFAST_TRY(need_room(HOLDFAST_MAX_FILLED_EVIDENCE_BYTES, out, out_bytes));
        }
        const auto state = verifier->state();
        const EvidenceWork how{0, work.stop()};
        HOLDFAST_ASSIGN(made, make_evidence(state->record(), accusation, how));
        if (!made.evidence) return refused(made.evidence.error(), "the accusation");
        HOLDFAST_ASSIGN(judged, judge_evidence_without_fill(
                                    evidence_knowledge(state->record(), how), *made.evidence));
        if (!judged.verdict) return refused(judged.verdict, "the evidence");
        return put_bytes(wrap_object(Kind::kEvidence, made.evidence->encode()), out, out_bytes);
    });
}

holdfast_status holdfast_evidence_verify(const holdfast_verifier* verifier, const uint8_t* evidence,
                                         size_t evidence_bytes, uint32_t without_fill,
                                         const holdfast_control* control, holdfast_judgement* out) {
    return run_controlled(control, [&](Control& work) -> Done {
        HOLDFAST_TRY(check_handle(verifier, "verifier"));
        HOLDFAST_TRY(check_out(out, "out"));
        HOLDFAST_ASSIGN(object, view_of(evidence, evidence_bytes, "evidence"));
        HOLDFAST_ASSIGN(decoded, object_as<Evidence>(Kind::kEvidence, object, "the evidence"));
        const auto state = verifier->state();
        const EvidenceKnowledge known = evidence_knowledge(state->record(), {0, work.stop()});
        HOLDFAST_ASSIGN(judged, without_fill != 0 ? judge_evidence_without_fill(known, decoded)
                                                  : judge_evidence(known, decoded));
        write_struct(out, judgement_to_c(judged, needs_fill(decoded)));
        return {};
    });
}
