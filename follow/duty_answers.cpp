#include "follow/duty_answers.hpp"

namespace holdfast {
namespace {

/// What a registry refuses for its height is refused so; everything else is an error.
template <class T, class Make>
Result<FollowAnswer> told(Result<T> found, const Make& make) {
    if (found) return FollowAnswer(make(std::move(*found)));
    if (found.error().code != ErrorCode::kRefused) return fail(found.error());
    return FollowAnswer(FollowRefused{found.error().verdict.reason});
}

FollowedDuty followed(const SealDuty& duty) {
    return {duty.chain_id, duty.kind, duty.drawn, duty.y_height, duty.deadline.value_or(Height{}),
            duty.missed};
}

FollowedChain followed(const NetworkId& network_id, const ChainInfo& info) {
    FollowedChain out;
    out.chain_id = info.chain_id;
    out.replica_id = info.registration.replica_id(network_id);
    out.sealed_root = info.registration.sealed_root;
    out.accepted = info.accepted;
    out.phase = info.phase;
    out.status = info.status;
    out.misses = info.misses;
    out.last_sequence = info.last_sequence;
    out.sealed_at = info.sealed_at;
    out.removal_at = info.removal_at;
    out.vacant_from = info.vacant_from;
    out.liable_until = info.liable_until;
    out.part_taken = info.part_taken;
    return out;
}

}  // namespace

Result<DutyHeight> DutyAnswers::height(Height height, std::uint64_t tips_after) const {
    HOLDFAST_ASSIGN(known, registry_.known_height(height));
    return DutyHeight{height, known.block_hash, known.anchor, known.y.has_value(),
                      height + tips_after};
}

Status DutyAnswers::refresh() {
    HOLDFAST_ASSIGN(tip, registry_.tip());
    if (!tip) return {};
    DutyHeights out;
    HOLDFAST_ASSIGN(newest, registry_.block(*tip));
    if (!newest) return fail(ErrorCode::kUnavailable, "the newest block is not there yet");
    out.tip = *tip;
    out.tip_hash = newest->hash;
    HOLDFAST_ASSIGN(closed, registry_.closed());
    out.closed = closed;
    const std::uint64_t lag = registry_.params().link_lag;
    HOLDFAST_ASSIGN(open, registry_.open_heights());
    for (const Height h : open) {
        HOLDFAST_ASSIGN(one, height(h, lag));
        out.open.push_back(one);
    }
    HOLDFAST_ASSIGN(proven, registry_.proof_heights());
    for (const Height h : proven) {
        HOLDFAST_ASSIGN(one, height(h, lag + registry_.params().proof_deadline));
        out.proven.push_back(one);
    }
    const std::lock_guard lock(mutex_);
    heights_ = std::make_shared<const DutyHeights>(std::move(out));
    return {};
}

Result<FollowAnswer> DutyAnswers::answer(const DutyHeightsQuestion&) const {
    const std::lock_guard lock(mutex_);
    if (!heights_) return FollowAnswer(FollowRefused{Reason::kTooEarly});
    return FollowAnswer(*heights_);
}

Result<FollowAnswer> DutyAnswers::answer(const LinksDueQuestion& q) const {
    return told(registry_.due_links_of(q.range, q.height), [&](OwnedPage<DueLink> page) {
        return LinksDue{q.range.prover, q.height, std::move(page)};
    });
}

Result<FollowAnswer> DutyAnswers::answer(const ProofsDueQuestion& q) const {
    return told(registry_.due_proofs_of(q.range, q.height), [&](OwnedPage<DueProof> page) {
        return ProofsDue{q.range.prover, q.height, std::move(page)};
    });
}

Result<FollowAnswer> DutyAnswers::answer(const SealDutiesQuestion& q) const {
    return told(registry_.seal_duties_of(q.range), [&](const OwnedPage<SealDuty>& page) {
        SealDuties out{q.range.prover, {{}, page.more}};
        for (const SealDuty& duty : page.found) out.page.found.push_back(followed(duty));
        return out;
    });
}

Result<FollowAnswer> DutyAnswers::answer(const OwnedChainsQuestion& q) const {
    HOLDFAST_ASSIGN(updates, registry_.due_updates_of(q.range));
    return told(registry_.chains_of(q.range), [&](const OwnedPage<ChainInfo>& page) {
        OwnedChains out{q.range.prover, {{}, page.more}};
        auto due = updates.found.begin();
        for (const ChainInfo& info : page.found) {
            out.page.found.push_back(followed(registry_.network_id(), info));
            while (due != updates.found.end() && due->chain_id < info.chain_id) ++due;
            if (due == updates.found.end() || due->chain_id != info.chain_id) continue;
            out.page.found.back().update_due = due->effective;
        }
        return out;
    });
}

Result<FollowAnswer> DutyAnswers::answer(const RegistrationQuestion& q) const {
    return told(registry_.chain(q.chain_id), [&](std::optional<ChainInfo> found) {
        RegistrationFound out{q.chain_id, {}};
        if (found) out.registration = found->registration;
        return out;
    });
}

}  // namespace holdfast
