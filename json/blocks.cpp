#include "json/blocks.hpp"

namespace holdfast::json {

Json json_of(const StatusCounts& counts) {
    return {{"totalChains", counts.total},
            {"active", counts.active},
            {"late", counts.late},
            {"removing", counts.removing},
            {"expired", counts.expired}};
}

Json json_of(const ObjectOutcome& outcome) {
    Json out = {{"kind", to_string(outcome.kind)},
                {"accepted", outcome.verdict.accepted()},
                {"reason", describe(outcome.verdict.reason).name}};
    if (outcome.chain_id) out["chain_id"] = to_hex(*outcome.chain_id);
    if (outcome.height) out["height"] = outcome.height->value;
    return out;
}

Json json_of(const SetTimes& t) {
    return {{"plan", t.plan}, {"seal", t.seal},       {"links", t.links},   {"record", t.record},
            {"sign", t.sign}, {"bundles", t.bundles}, {"proofs", t.proofs}, {"proven", t.proven}};
}

Json json_of(const SetReport& r) {
    return {{"members", r.members},
            {"links_due", r.links_due},
            {"links", r.links},
            {"seal_proofs", r.seal_proofs},
            {"proofs_due", r.proofs_due},
            {"compact_proofs", r.compact_proofs},
            {"full_proofs", r.full_proofs},
            {"faults", r.fault_count},
            {"most_open_files", r.most_open_files},
            {"seconds", json_of(r.times)}};
}

Json json_of(const BlockForecast& f) {
    return {
        {"text", f.text()},           {"chains", f.chains},     {"expected_seconds", f.expected_s},
        {"block_seconds", f.block_s}, {"capacity", f.capacity}, {"warning", f.warning}};
}

Json json_of(const BlockReport& report) {
    Json out = {{"height", report.height.value},
                {"seconds", report.seconds},
                {"vdf_seconds", report.vdf_seconds}};
    out["y"] = report.y ? Json(to_hex(*report.y)) : Json(nullptr);
    if (report.closed) {
        out["closed"] = {{"height", report.closed->value},
                         {"global", to_hex(report.global)},
                         {"statistics", json_of(report.counts)}};
    }
    for (const ObjectOutcome& o : report.objects) out["objects"].push_back(json_of(o));
    for (const Effect& e : report.effects) {
        out["effects"].push_back(
            {{"effect", to_string(e.kind)}, {"chain_id", to_hex(e.chain_id)}, {"value", e.value}});
    }
    for (const Receipt& r : report.receipts) {
        out["receipts"].push_back({{"height", r.height.value}, {"link", to_hex(r.link)}});
    }
    for (const MadeProof& p : report.proofs) {
        out["proofs"].push_back({{"chain_id", to_hex(p.chain_id)},
                                 {"height", p.height.value},
                                 {"format", p.full_required ? "full" : "compact"},
                                 {"bytes", p.object.size() - 2}});
    }
    for (const BlockFault& f : report.faults) {
        out["faults"].push_back({{"height", f.height.value},
                                 {"code", to_string(f.error.code)},
                                 {"message", f.error.message}});
        if (f.chain_id) out["faults"].back()["chain_id"] = to_hex(*f.chain_id);
    }
    for (const SetReport& set : report.sets) out["sets"].push_back(json_of(set));
    if (report.forecast) out["forecast"] = json_of(*report.forecast);
    return out;
}

Json json_of(const std::optional<Height>& height) {
    return height ? Json(height->value) : Json(nullptr);
}

Json json_of(const ChainInfo& info) {
    Json out = {{"chain_id", to_hex(info.chain_id)},
                {"phase", to_string(info.phase)},
                {"misses", info.misses},
                {"accepted", info.accepted.value},
                {"last_sequence", info.last_sequence},
                {"part_taken", info.part_taken},
                {"sealed_at", json_of(info.sealed_at)},
                {"removal_at", json_of(info.removal_at)},
                {"vacant_from", json_of(info.vacant_from)},
                {"liable_until", json_of(info.liable_until)}};
    if (info.slot) out["slot"] = *info.slot;
    if (info.status) out["status"] = to_string(*info.status);
    return out;
}

Json json_of(const SettlementCase& settled) {
    Json steps = Json::array();
    for (const SettlementStep& s : settled.steps) {
        Json step = {{"step", to_string(s.kind)},
                     {"state", to_string(s.state)},
                     {"amount", s.answer},
                     {"asked", s.asked}};
        if (s.kind != StepKind::kReward) step["bond"] = to_hex(s.bond);
        if (s.kind == StepKind::kReward) step["to"] = to_hex(s.party);
        steps.push_back(step);
    }
    return {{"case", to_hex(settled.id)},
            {"about", to_string(settled.kind)},
            {"settled", settled.settled()},
            {"steps", steps}};
}

Json json_of(const RegistryStatistics& s) {
    Json out = {{"tip", json_of(s.tip)},
                {"closed", json_of(s.closed)},
                {"oldest_kept", json_of(s.oldest_kept)}};
    out.update(json_of(s.counts));
    out.update({{"regions", s.regions},
                {"groups", s.groups},
                {"registrations", s.registrations},
                {"pending", s.pending},
                {"sealed", s.sealed},
                {"liable", s.liable},
                {"voided", s.voided},
                {"ended", s.ended},
                {"heights_with_y", s.heights_with_y},
                {"file_bytes", s.file_bytes},
                {"memory_bytes", s.memory_bytes}});
    return out;
}

}  // namespace holdfast::json
