#include "api/seal_intake.hpp"

#include "core/codec.hpp"

namespace holdfast {

SealIntake::SealIntake(Registry& registry, const SealVerifierLimits& limits)
    : registry_(registry), verifier_(registry.params(), limits) {}

void SealIntake::set_tip(Height height) {
    verifier_.set_tip(height);
    const std::scoped_lock lock(mutex_);
    offered_.clear();
}

Result<Verdict> SealIntake::verify(const std::string& peer, const Duty& duty,
                                   const OpenSealDuty& open, ByteView body, const StopCheck& stop) {
    const bool own = peer.empty();
    bool admitted = false;
    SealVerifier::Request request;
    request.peer = own ? "own" : "offered/" + peer;
    request.registration = open.registration;
    request.known = open.known;
    request.listed = own;
    request.stop = stop;
    // An audit is answered for as long as it is open.
    if (!own && open.known.kind == SealProofKind::kSeal) request.deadline = open.deadline;
    if (!own) {
        request.admit = [&] {
            const std::scoped_lock lock(mutex_);
            admitted = offered_.insert(duty).second;
            return admitted;
        };
    }
    Result<Verdict> verdict = verifier_.verify(request, body);
    const bool filled = verdict && (verdict->accepted() || verdict->reason == Reason::kBadSealing);
    if (admitted && !filled) {
        const std::scoped_lock lock(mutex_);
        offered_.erase(duty);
    }
    return verdict;
}

Result<ObjectOutcome> SealIntake::take(const std::string& peer, ByteView object,
                                       const StopCheck& stop) {
    ObjectOutcome out;
    out.kind = Kind::kSealProof;
    const Checked<ByteView> body = unwrap_object(Kind::kSealProof, object);
    if (!body) {
        out.verdict = body.error();
        return out;
    }
    Reader head(*body);
    const auto chain_id = head.fixed<ChainId>();
    const Height y_height = head.height();
    if (head.failed()) {
        out.verdict = head.verdict();
        return out;
    }
    out.chain_id = chain_id;
    out.height = y_height;
    HOLDFAST_ASSIGN(open, registry_.open_seal_duty(chain_id, y_height));
    out.verdict = open ? Verdict::ok() : open.error();
    if (!open) return out;
    HOLDFAST_ASSIGN(verdict, verify(peer, {chain_id, y_height}, *open, *body, stop));
    out.verdict = verdict;
    if (!verdict) return out;
    // The fill is made: the entry's judge asks for what is known of this very duty.
    const SealContext filled = open->known;
    const SealCheck remembered = [&](const Registration&, const SealContext& known,
                                     ByteView) -> Result<Verdict> {
        const bool same = known.y == filled.y && known.kind == filled.kind;
        return same ? Verdict::ok() : Verdict(Reason::kWrongHeight);
    };
    return registry_.accept(object, remembered);
}

}  // namespace holdfast
