#include "availability/latency_meter.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kNsPerUs = 1'000;

/// The peer was silent or out of reach for this one sample.
bool is_silence(ErrorCode code) {
    return code == ErrorCode::kTimeout || code == ErrorCode::kUnavailable;
}

Verdict check_chunk(const LatencyPlan& plan, const ReadRequest& request, ByteView message) {
    const auto answer = ReadAnswer::decode(message);
    if (!answer) return answer.error();
    if (answer->status == ReadStatus::kRefused) return answer->reason;
    if (answer->status == ReadStatus::kBusy) return Reason::kBusy;
    return check_read_payload(plan.replica, request, answer->chunks_and_siblings);
}

}  // namespace

Result<LatencyMeasurement> measure_peer(Network& network, const PublicKey& peer,
                                        const LatencyPlan& plan,
                                        const std::function<std::uint64_t()>& random) {
    std::vector<std::uint64_t> pings;
    std::vector<std::uint64_t> services;
    for (std::uint32_t i = 0; i < plan.samples; ++i) {
        const ReadRequest request{plan.chain_id, ReadWhat::kSealed,
                                  ChunkIndex(random() % plan.replica.chunks.value), 1};
        const Result<ChallengeReply> reply =
            network.send_challenge(peer, request.encode(), plan.deadline_ms);
        if (!reply && is_silence(reply.error().code)) continue;
        if (!reply) return fail(reply.error());
        if (const Verdict v = check_chunk(plan, request, reply->response); !v) {
            return fail_refused(v, "the peer's answer");
        }
        pings.push_back(reply->ping_us);
        services.push_back(reply->service_us);
    }
    const auto ping = summarize_latency(pings);
    const auto service = summarize_latency(services);
    if (!ping) return fail_refused(ping.error(), "latency");
    if (!service) return fail_refused(service.error(), "latency");
    LatencyMeasurement out;
    out.ping_us = *ping;
    out.service_us = *service;
    out.answered = static_cast<std::uint32_t>(pings.size());
    out.beyond_ping_us = service->median < ping->median ? 0 : service->median - ping->median;
    out.far = ping->median * kNsPerUs > plan.median_limit_ns;
    out.unstable = !ping->spread_within;
    out.relay_hint = out.beyond_ping_us >= plan.hint_us;
    return out;
}

Result<Verdict> check_claimed_place(Network& network, const PublicKey& peer, const Place& claimed,
                                    std::size_t least, std::uint32_t timeout_ms) {
    HOLDFAST_ASSIGN(reports, network.verify_place(peer, claimed, timeout_ms));
    std::vector<PlaceMeasurement> vantages;
    for (const VantageReport& r : reports) vantages.push_back({r.rtt_ns, r.distance_m});
    const Verdict verdict = check_place(vantages);
    if (!verdict) return verdict;
    return Verdict(reports.size() < least ? Reason::kTooFewSamples : Reason::kOk);
}

}  // namespace holdfast
