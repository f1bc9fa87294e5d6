// What a block lists, but for availability (availability/judge.hpp).
#include <algorithm>

#include "api/aggregator_impl.hpp"
#include "proofs/checkpoint.hpp"
#include "proofs/evidence.hpp"
#include "storage/parallel.hpp"

namespace holdfast {
namespace {

constexpr std::size_t kRegistrationsAtOnce = 4'096;
constexpr std::size_t kSealProofsAtOnce = 64;  // each costs fills

/// Of the front of a block's list, what is taken together: neighbours of one kind, as many as keep
/// a transaction and a wait for a cancellation short.
std::span<const Submission> alike(std::span<const Submission> submissions) {
    const Kind kind = submissions[0].kind;
    const std::size_t most = kind == Kind::kRegistration ? kRegistrationsAtOnce
                             : kind == Kind::kSealProof  ? kSealProofsAtOnce
                                                         : 1;
    std::size_t count = 1;
    while (count < std::min(most, submissions.size()) && submissions[count].kind == kind) ++count;
    return submissions.first(count);
}

}  // namespace

/// Whether a bond of this purpose and owner is held and large enough.
Result<Verdict> Aggregator::Impl::check_bond(const BondId& bond_id, BondPurpose purpose,
                                             const PublicKey& owner, std::uint64_t least) {
    if (token == nullptr) return Verdict::ok();
    const Result<BondInfo> bond = token->bond_info(bond_id);
    if (!bond && bond.error().code == ErrorCode::kNotFound) return Verdict(Reason::kNoBond);
    if (!bond) return fail(bond.error());
    const bool good = bond->owner == owner && bond->state == BondState::kHeld &&
                      bond->purpose == purpose && bond->held_amount >= least;
    return good ? Verdict::ok() : Verdict(Reason::kNoBond);
}

/// A checkpoint that stands on a bond is remembered; one that contradicts another of its submitter
/// becomes evidence for the host chain. Repeated after a crash, that is the same evidence.
Result<Verdict> Aggregator::Impl::take_checkpoint(const Checkpoint& checkpoint) {
    HOLDFAST_ASSIGN(bond, check_bond(checkpoint.bond_id, BondPurpose::kCheckpoint,
                                     checkpoint.submitter, options.min_checkpoint_bond));
    if (!bond) return bond;
    HOLDFAST_ASSIGN(outcome, registry->accept_checkpoint(checkpoint));
    if (outcome.conflicting) {
        const Evidence evidence = make_checkpoint_conflict(*outcome.conflicting, checkpoint);
        HOLDFAST_TRY(
            chain->submit(Kind::kEvidence, wrap_object(Kind::kEvidence, evidence.encode())));
    }
    return outcome.verdict;
}

/// Registrations that a block lists one after another, in one transaction.
Status Aggregator::Impl::take_registrations(std::span<const Submission> submissions,
                                            BlockReport& report) {
    std::vector<ObjectOutcome> outcomes(submissions.size());
    std::vector<Registration> good;
    std::vector<std::size_t> places;  // in `outcomes`, of `good`
    for (std::size_t i = 0; i < submissions.size(); ++i) {
        ObjectOutcome& out = outcomes[i];
        out.kind = Kind::kRegistration;
        const Checked<Registration> registration = decode_listed<Registration>(submissions[i]);
        if (!registration) {
            out.verdict = registration.error();
            continue;
        }
        out.chain_id = registration->chain_id(network_id);
        HOLDFAST_ASSIGN(bond, check_bond(registration->bond_id, BondPurpose::kStorage,
                                         registration->header.prover, options.min_bond));
        out.verdict = bond;
        if (!bond) continue;
        good.push_back(*registration);
        places.push_back(i);
    }
    HOLDFAST_ASSIGN(verdicts, registry->accept_registrations(good));
    for (std::size_t i = 0; i < places.size(); ++i) outcomes[places[i]].verdict = verdicts[i];
    report.objects.insert(report.objects.end(), outcomes.begin(), outcomes.end());
    return {};
}

/// Seal proofs, given by their bodies.
Status Aggregator::Impl::take_seal_proofs(std::span<const Checked<ByteView>> bodies,
                                          const VdfClockWork& work, BlockReport& report) {
    HOLDFAST_ASSIGN(taken, intake->take_listed(bodies, work.stop));
    for (const TakenSealProof& proof : taken) {
        report.objects.push_back({Kind::kSealProof, proof.chain_id, proof.y_height, proof.verdict});
    }
    return {};
}

Result<Verdict> Aggregator::Impl::take(const Submission& submission, ObjectOutcome& out) {
    switch (submission.kind) {
        case Kind::kUpdate: {
            const Checked<Update> update = decode_listed<Update>(submission);
            if (!update) return update.error();
            out.chain_id = update->chain_id;
            return registry->accept_update(*update);
        }
        case Kind::kRemoval: {
            const Checked<Removal> removal = decode_listed<Removal>(submission);
            if (!removal) return removal.error();
            out.chain_id = removal->chain_id;
            return registry->accept_removal(*removal);
        }
        case Kind::kCheckpoint: {
            const Checked<Checkpoint> checkpoint = decode_listed<Checkpoint>(submission);
            if (!checkpoint) return checkpoint.error();
            out.height = checkpoint->height;
            return take_checkpoint(*checkpoint);
        }
        case Kind::kEvidence: {
            const Checked<Evidence> evidence = decode_listed<Evidence>(submission);
            if (!evidence) return evidence.error();
            if (evidence->kind() != EvidenceKind::kBadCheckpoint) return Verdict(Reason::kBadKind);
            out.height = accused_offence(network_id, *evidence).height;
            return judge_without_fill(EvidenceFacts{params, network_id, {}, {}, {}, {}, {}},
                                      *evidence);
        }
        default:
            return Verdict(Reason::kBadKind);
    }
}

/// What the block lists, in its order. Neighbours of the kinds that come by the thousand are taken
/// together; cancellation is checked between such parts.
Status Aggregator::Impl::take_submissions(Height height, const VdfClockWork& work,
                                          BlockReport& report) {
    HOLDFAST_ASSIGN(submissions, chain->submissions_at(height));
    intake->begin_block(height);
    for (std::size_t at = 0; at < submissions.size();) {
        if (work.stop && work.stop()) return interrupted();
        const auto part = alike(std::span<const Submission>(submissions).subspan(at));
        at += part.size();
        if (part[0].kind == Kind::kRegistration) {
            HOLDFAST_TRY(take_registrations(part, report));
            continue;
        }
        if (part[0].kind == Kind::kSealProof) {
            std::vector<Checked<ByteView>> bodies;
            for (const Submission& s : part) bodies.push_back(unwrap_object(s.kind, s.object));
            HOLDFAST_TRY(take_seal_proofs(bodies, work, report));
            continue;
        }
        if (is_availability_object(part[0])) continue;  // judged before the next block
        ObjectOutcome outcome;
        outcome.kind = part[0].kind;
        HOLDFAST_ASSIGN(verdict, take(part[0], outcome));
        outcome.verdict = verdict;
        report.objects.push_back(outcome);
    }
    return {};
}

}  // namespace holdfast
