#include "api/seal_intake.hpp"

#include <algorithm>

#include "core/codec.hpp"
#include "storage/parallel.hpp"

namespace holdfast {
namespace {

/// Chain and height of y, with which a body begins.
Checked<std::pair<ChainId, Height>> duty_of(ByteView body) {
    Reader head(body);
    const auto chain_id = head.fixed<ChainId>();
    const Height y_height = head.height();
    if (head.failed()) return refuse(head.verdict().reason);
    return std::pair(chain_id, y_height);
}

}  // namespace

SealIntake::SealIntake(Registry& registry, Blockchain& chain, const SealVerifierLimits& limits)
    : registry_(registry),
      chain_(chain),
      at_once_(worker_count(limits.fills_at_once, UINT64_MAX)),
      verifier_(registry.params(), limits) {}

void SealIntake::begin_block(Height height) {
    found_bad_.clear();
    verifier_.set_tip(height);
    const std::scoped_lock lock(mutex_);
    offered_.clear();
}

/// Proofs of as many duties. Each waits for its place among the fills, whoever else waits.
/// B63: of one duty and block, nothing after the first bad fill.
Status SealIntake::check_together(std::span<const ByteView> bodies, std::span<TakenSealProof*> out,
                                  const StopCheck& stop) {
    std::vector<SubmittedSealProof> submitted;
    for (std::size_t i = 0; i < bodies.size(); ++i) {
        const ByteView body = bodies[i];
        submitted.push_back(
            {*out[i]->chain_id, *out[i]->y_height,
             [this, body, &stop](const Registration& registration, const SealContext& known) {
                 SealVerifier::Request request;
                 request.peer = "listed/" + to_hex(registration.header.prover);
                 request.registration = registration;
                 request.known = known;
                 request.listed = true;
                 request.stop = stop;
                 return verifier_.verify(request, body);
             }});
    }
    HOLDFAST_ASSIGN(verdicts, registry_.accept_seal_proofs(submitted, at_once_));
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        out[i]->verdict = verdicts[i];
        if (verdicts[i].reason == Reason::kBadSealing) {
            found_bad_.emplace(*out[i]->chain_id, *out[i]->y_height);
        }
    }
    return {};
}

Result<std::vector<TakenSealProof>> SealIntake::take_listed(
    std::span<const Checked<ByteView>> bodies, const StopCheck& stop) {
    std::vector<TakenSealProof> taken(bodies.size());
    std::vector<ByteView> together;
    std::vector<TakenSealProof*> places;
    std::set<Duty> duties;
    const auto check = [&]() -> Status {
        if (!together.empty()) HOLDFAST_TRY(check_together(together, places, stop));
        together.clear();
        places.clear();
        duties.clear();
        return {};
    };
    for (std::size_t i = 0; i < bodies.size(); ++i) {
        const auto duty = bodies[i] ? duty_of(*bodies[i]) : refuse(bodies[i].error().reason);
        if (!duty) {
            taken[i].verdict = duty.error();
            continue;
        }
        taken[i].chain_id = duty->first;
        taken[i].y_height = duty->second;
        // The first proof of a duty decides whether the next one is looked at.
        if (duties.contains(*duty)) HOLDFAST_TRY(check());
        if (found_bad_.contains(*duty)) {
            taken[i].verdict = Verdict(Reason::kBusy);
            continue;
        }
        together.push_back(*bodies[i]);
        places.push_back(&taken[i]);
        duties.insert(*duty);
    }
    HOLDFAST_TRY(check());
    return taken;
}

Result<Verdict> SealIntake::offer(const std::string& peer, ByteView object, const StopCheck& stop) {
    const Checked<ByteView> body = unwrap_object(Kind::kSealProof, object);
    if (!body) return body.error();
    const auto duty = duty_of(*body);
    if (!duty) return duty.error();
    HOLDFAST_ASSIGN(open, registry_.open_seal_duty(duty->first, duty->second));
    if (!open) return open.error();
    bool admitted = false;
    SealVerifier::Request request;
    request.peer = "offered/" + peer;
    request.registration = std::move(open->registration);
    request.known = open->known;
    request.deadline = open->deadline;
    request.stop = stop;
    request.admit = [&] {
        const std::scoped_lock lock(mutex_);
        admitted = offered_.insert(*duty).second;
        return admitted;
    };
    const Result<Verdict> verdict = verifier_.verify(request, *body);
    const bool filled = verdict && (verdict->accepted() || verdict->reason == Reason::kBadSealing);
    if (admitted && !filled) {
        const std::scoped_lock lock(mutex_);
        offered_.erase(*duty);
    }
    if (verdict && verdict->accepted()) HOLDFAST_TRY(chain_.submit(Kind::kSealProof, object));
    return verdict;
}

}  // namespace holdfast
