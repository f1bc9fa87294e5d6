#include "node/host_work.hpp"

namespace holdfast::node {

/// Under the mutex; whether it was accepted.
bool HostWork::count(const ObjectOutcome& object) {
    HostCounts::Judged& judged = counts_.objects[object.kind];
    if (object.verdict) {
        ++judged.accepted;
    } else {
        ++judged.refused[object.verdict.reason];
    }
    return object.verdict.accepted();
}

Result<HandedOvers> HostWork::hand_over(const PublicKey& from, ByteView message,
                                        std::span<const ByteView> objects) {
    HOLDFAST_ASSIGN(taken, door_.take(from, message, objects));
    const std::lock_guard lock(mutex_);
    for (const ObjectOutcome& outcome : taken.outcomes) count(outcome);
    return std::move(taken.answer);
}

void HostWork::note(const BlockReport& report) {
    std::uint64_t refused = 0;
    {
        const std::lock_guard lock(mutex_);
        ++counts_.blocks;
        counts_.tip = report.height;
        if (report.closed) counts_.closed = report.closed;
        counts_.seconds = report.seconds;
        for (const ObjectOutcome& object : report.objects) {
            if (!count(object)) ++refused;
        }
        for (const Effect& effect : report.effects) {
            if (effect.kind == EffectKind::kVoided || effect.kind == EffectKind::kBondForfeited) {
                ++counts_.slashed;
            }
        }
    }
    log_.info("block.processed", {{"height", report.height},
                                  {"has_y", report.y.has_value()},
                                  {"objects", report.objects.size()},
                                  {"refused", refused},
                                  {"ms", static_cast<std::uint64_t>(1'000 * report.seconds)}});
    for (const ObjectOutcome& object : report.objects) {
        if (object.verdict) continue;
        log_.warn("object.refused",
                  {{"kind", to_string(object.kind)}, {"why", to_string(object.verdict)}});
    }
    for (const BlockFault& fault : report.faults) {
        log_.warn("block.fault", {{"height", report.height}, {"error", fault.error.message}});
    }
}

Result<bool> HostWork::process(const StopCheck& stop) {
    VdfClockWork work;
    work.stop = stop;
    HOLDFAST_ASSIGN(report, node_.aggregator->advance({}, work));
    if (report) note(*report);
    HOLDFAST_ASSIGN(suspended, node_.registry().suspended_chains());
    // What carrying out decisions did to bonds is the chain's to say.
    HOLDFAST_TRY(list_bond_events(*node_.chain, *node_.ledger));
    HOLDFAST_ASSIGN(behind, node_.aggregator->behind());
    {
        const std::lock_guard lock(mutex_);
        counts_.behind = behind;
        counts_.suspended = std::move(suspended);
    }
    // What is older than followers are told of is not prepared for them.
    if (behind >= FollowService::kKeptHeights) return report.has_value();
    HOLDFAST_TRY(follow_.refresh());
    if (report) HOLDFAST_TRY(outputs_.refresh());  // only a new block brings a new head
    return report.has_value();
}

Result<bool> HostWork::advance(const StopCheck& stop) {
    Result<bool> done = process(stop);
    if (!done && done.error().code == ErrorCode::kInterrupted) return done;
    const std::lock_guard lock(mutex_);
    if (!done && counts_.error.empty()) {
        log_.error("block.stuck", {{"error", done.error().message}});
    }
    counts_.error = done ? "" : done.error().message;
    return done;
}

HostCounts HostWork::counts() const {
    const std::lock_guard lock(mutex_);
    HostCounts out = counts_;
    out.door = door_.counts();
    return out;
}

}  // namespace holdfast::node
