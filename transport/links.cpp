// Why peers of a TcpNetwork are not connected: noted, told, reported.
#include <algorithm>

#include "core/constants.hpp"
#include "transport/tcp_network_impl.hpp"

namespace holdfast {

using namespace transport;

namespace {

constexpr std::uint64_t kOldMs = 2'000;  // a failure from longer ago is dated

}  // namespace

TcpStatistics TcpNetwork::Impl::statistics() const {
    TcpStatistics out = shared_.tally.snapshot();
    if (out.same_key > 0) out.same_key_age_ms = (shared_.now_ns() - same_key_ns_) / kNsPerMs;
    return out;
}

void TcpNetwork::Impl::note_failure(const PeerPtr& peer, Ending ending) {
    if (!peer->listed) return;
    const bool news = !peer->problem || peer->problem->ending.failure != ending.failure;
    peer->problem = LinkProblem{std::move(ending), shared_.now_ns()};
    ++peer->failures;
    if (news && options_.on_link) options_.on_link(report_of(*peer));
}

void TcpNetwork::Impl::note_connected(const PeerPtr& peer) {
    peer->problem.reset();
    peer->failures = 0;
    const bool news = peer->listed && peer->ready.size() == 1;
    if (news && options_.on_link) options_.on_link(report_of(*peer));
}

PeerReport TcpNetwork::Impl::report_of(const PeerState& peer) const {
    PeerReport out{peer.peer, !peer.ready.empty(), std::nullopt, {}, 0, peer.failures};
    if (out.connected || !peer.problem) return out;
    out.failure = peer.problem->ending.failure;
    out.why = peer.problem->ending.why.message;
    out.failed_age_ms = (shared_.now_ns() - peer.problem->since_ns) / kNsPerMs;
    return out;
}

std::string TcpNetwork::Impl::why_not_connected(const PeerState& peer) const {
    const std::string text = "the peer is not connected: ";
    const PeerReport report = report_of(peer);
    if (report.failure) {
        if (report.failed_age_ms < kOldMs) return text + report.why;
        return text + report.why + " (" + std::to_string(report.failed_age_ms / 1'000) + " s ago)";
    }
    if (peer.dial) return text + "no answer yet from " + peer.peer.address;
    return text + "it has no address here, and has not connected itself";
}

Result<PeerReport> TcpNetwork::Impl::peer_report(const PublicKey& key) const {
    const PeerPtr peer = find(key);
    if (!peer || !peer->listed) return fail(ErrorCode::kNotFound, "no peer " + to_hex(view(key)));
    return report_of(*peer);
}

std::vector<PeerReport> TcpNetwork::Impl::peer_reports(std::size_t most) const {
    std::vector<PeerReport> out;
    for (const bool connected : {false, true}) {
        for (const auto& [key, peer] : peers_) {
            if (!peer->listed || peer->ready.empty() == connected) continue;
            if (out.size() == most) return out;
            out.push_back(report_of(*peer));
        }
    }
    return out;
}

}  // namespace holdfast
