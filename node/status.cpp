#include "node/status.hpp"

namespace holdfast::node {
namespace {

constexpr std::size_t kToldPeers = 100;

Json by_failure(const std::array<std::uint64_t, kLinkFailureCount>& counts) {
    Json out = Json::object();
    for (std::size_t i = 0; i < counts.size(); ++i) {
        out[std::string(to_string(static_cast<LinkFailure>(i)))] = counts[i];
    }
    return out;
}

Json by_reason(const std::map<Reason, std::uint64_t>& counts) {
    Json out = Json::object();
    for (const auto& [reason, count] : counts) out[std::string(describe(reason).name)] = count;
    return out;
}

}  // namespace

Json to_json(const FollowerStatus& s) {
    Json out = {{"reachable", s.reachable},   {"tip", s.tip ? Json(s.tip->value) : Json(nullptr)},
                {"tip_age_ms", s.tip_age_ms}, {"answered_age_ms", s.answered_age_ms},
                {"polls", s.polls},           {"failures", s.failures}};
    if (!s.error.empty()) out["error"] = s.error;
    return out;
}

Json to_json(const Log& log) { return {{"lost_lines", log.lost()}}; }

Json to_json(const TcpStatistics& s) {
    return {{"connections", s.connections},
            {"handshakes", s.handshakes},
            {"peers_connected", s.peers_connected},
            {"requests_waiting", s.requests_waiting},
            {"bytes_held", s.bytes_held},
            {"accepted", s.accepted},
            {"dialled", s.dialled},
            {"refused",
             {{"ceiling", s.refused_ceiling},
              {"tls", s.refused_tls},
              {"key", s.refused_key},
              {"version", s.refused_version},
              {"network", s.refused_network},
              {"malformed", s.refused_malformed}}},
            {"not_connected", by_failure(s.link_failures)},
            {"same_key", s.same_key},
            {"peers_doubled", s.peers_doubled},
            {"timed_out", s.timed_out},
            {"throttled", s.throttled},
            {"duplicates", s.duplicates},
            {"busy", s.busy},
            {"frames_in", s.frames_in},
            {"frames_out", s.frames_out},
            {"bytes_in", s.bytes_in},
            {"bytes_out", s.bytes_out}};
}

Json peers_json(TcpNetwork& network) {
    Json out = Json::array();
    const auto reports = network.peer_reports(kToldPeers);
    if (!reports) return out;  // it has been stopped
    for (const PeerReport& report : *reports) {
        Json one = {{"key", to_hex(report.peer.key)},
                    {"address", report.peer.address},
                    {"connected", report.connected}};
        if (report.failure) {
            one["reason"] = to_string(*report.failure);
            one["why"] = report.why;
            one["failed_age_ms"] = report.failed_age_ms;
            one["failures"] = report.failures;
        }
        out.push_back(std::move(one));
    }
    return out;
}

Json to_json(const ResponderStatistics& s) {
    return {{"answered", s.answered}, {"failed", s.failed}, {"ignored", by_reason(s.ignored)}};
}

Json to_json(const ChunkServerStatistics& s) {
    return {{"answers", s.answers},
            {"bytes", s.bytes},
            {"refused", s.refused},
            {"busy", s.busy},
            {"failed", s.failed}};
}

Json to_json(const FollowServiceStatistics& s) {
    return {{"questions", s.questions},
            {"submissions", s.submissions},
            {"acknowledged", s.acknowledged},
            {"refused", by_reason(s.refused)},
            {"garbage", s.garbage},
            {"sent_away", s.dropped},
            {"failed", s.failed}};
}

std::vector<std::string> key_problems(const TcpStatistics& s) {
    if (s.same_key == 0 || s.same_key_age_ms > kSameKeyToldMs) return {};
    return {"another process uses this daemon's key: it has taken its place " +
            std::to_string(s.same_key) + " time(s), last " +
            std::to_string(s.same_key_age_ms / 1'000) +
            " s ago; stop one of the two, for what both sign can contradict itself"};
}

std::vector<std::string> follower_problems(const FollowerStatus& s, std::uint32_t block_ms) {
    std::vector<std::string> out;
    if (!s.reachable) {
        out.push_back("the node that is followed cannot be reached" +
                      (s.error.empty() ? "" : ": " + s.error));
    } else if (s.tip_age_ms > kStaleBlocks * block_ms) {
        out.push_back("no new final block for " + std::to_string(s.tip_age_ms / 1'000) + " s");
    }
    return out;
}

}  // namespace holdfast::node
