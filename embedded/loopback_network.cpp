#include "embedded/loopback_network.hpp"
#include "callbacks/place.hpp"
#include "core/constants.hpp"

#include <algorithm>
#include <map>
#include <mutex>

namespace holdfast {
namespace {

constexpr std::uint32_t kMaxSamples = 1'000;

std::uint32_t to_us(std::uint64_t ns) {
    const std::uint64_t us = ns / 1'000 + (ns % 1'000 != 0 ? 1 : 0);
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(us, UINT32_MAX));
}

tl::unexpected<Error> too_slow(std::uint32_t limit_ms) {
    return fail(ErrorCode::kTimeout, "no answer within " + std::to_string(limit_ms) + " ms");
}

}  // namespace

class LoopbackNetwork::Impl {
  public:
    explicit Impl(ClockNs clock) : clock_(std::move(clock)) {}

    struct Vantage {
        std::string name;
        Place place;
        Probe probe;
    };
    struct Entry {
        Peer peer;
        std::shared_ptr<LoopbackPeer> handler;
    };

    Result<std::shared_ptr<LoopbackPeer>> find(const PublicKey& key) {
        const std::lock_guard lock(mutex);
        const auto found = peers.find(key);
        if (found == peers.end()) return fail(ErrorCode::kNotFound, "no peer " + to_hex(view(key)));
        return found->second.handler;
    }
    /// One ping, in nanoseconds.
    Result<std::uint64_t> ping(LoopbackPeer& peer) const {
        const std::uint64_t start = clock_();
        HOLDFAST_TRY(peer.ping());
        return clock_() - start;
    }
    [[nodiscard]] std::uint64_t now() const { return clock_(); }

    std::mutex mutex;  // guards the two below; never held while a peer or a probe runs
    std::map<PublicKey, Entry> peers;
    std::vector<Vantage> vantages;

  private:
    ClockNs clock_;
};

LoopbackNetwork::LoopbackNetwork(ClockNs clock) : impl_(std::make_unique<Impl>(std::move(clock))) {}
LoopbackNetwork::~LoopbackNetwork() = default;

Status LoopbackNetwork::add_peer(const Peer& peer, std::shared_ptr<LoopbackPeer> handler) {
    if (!handler) return fail(ErrorCode::kInvalidArgument, "a peer needs an object that answers");
    const std::lock_guard lock(impl_->mutex);
    if (!impl_->peers.emplace(peer.key, Impl::Entry{peer, std::move(handler)}).second) {
        return fail(ErrorCode::kAlreadyExists,
                    "peer " + to_hex(view(peer.key)) + " is there already");
    }
    return {};
}

Status LoopbackNetwork::remove_peer(const PublicKey& key) {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->peers.erase(key) == 0) {
        return fail(ErrorCode::kNotFound, "no peer " + to_hex(view(key)));
    }
    return {};
}

Status LoopbackNetwork::add_vantage(const std::string& name, const Place& place, Probe probe) {
    if (!is_on_earth(place))
        return fail(ErrorCode::kInvalidArgument, "a place that is not on Earth");
    const std::lock_guard lock(impl_->mutex);
    impl_->vantages.push_back({name, place, std::move(probe)});
    return {};
}

Result<std::vector<Peer>> LoopbackNetwork::peers() {
    const std::lock_guard lock(impl_->mutex);
    std::vector<Peer> out;
    for (const auto& [key, entry] : impl_->peers) out.push_back(entry.peer);
    return out;
}

Result<std::vector<std::uint64_t>> LoopbackNetwork::measure_latency(const PublicKey& peer,
                                                                    std::uint32_t samples,
                                                                    std::uint32_t timeout_ms) {
    if (samples == 0 || samples > kMaxSamples) {
        return fail(ErrorCode::kInvalidArgument, "1 to 1,000 samples");
    }
    HOLDFAST_ASSIGN(handler, impl_->find(peer));
    const std::uint64_t start = impl_->now();
    std::vector<std::uint64_t> out;
    while (out.size() < samples) {
        HOLDFAST_ASSIGN(rtt_ns, impl_->ping(*handler));
        out.push_back(rtt_ns);
        if (impl_->now() - start > timeout_ms * kNsPerMs) return too_slow(timeout_ms);
    }
    return out;
}

Result<ChallengeReply> LoopbackNetwork::send_challenge(const PublicKey& peer, ByteView challenge,
                                                       std::uint32_t deadline_ms) {
    HOLDFAST_ASSIGN(handler, impl_->find(peer));
    const std::uint64_t start = impl_->now();
    HOLDFAST_ASSIGN(response, handler->respond(challenge));
    const std::uint64_t service_ns = impl_->now() - start;
    if (service_ns > deadline_ms * kNsPerMs) return too_slow(deadline_ms);
    if (response.size() > kMaxResponseBytes) return fail_refused(Reason::kTooLarge, "response");
    HOLDFAST_ASSIGN(ping_ns, impl_->ping(*handler));
    return ChallengeReply{std::move(response), to_us(service_ns), to_us(ping_ns)};
}

Result<std::vector<VantageReport>> LoopbackNetwork::verify_place(const PublicKey& peer,
                                                                 const Place& claimed,
                                                                 std::uint32_t timeout_ms) {
    constexpr std::uint32_t kPings = 5;
    if (!is_on_earth(claimed))
        return fail(ErrorCode::kInvalidArgument, "a place that is not on Earth");
    HOLDFAST_TRY(impl_->find(peer));
    std::vector<Impl::Vantage> vantages;
    {
        const std::lock_guard lock(impl_->mutex);
        vantages = impl_->vantages;
    }
    std::vector<VantageReport> out;
    for (const Impl::Vantage& v : vantages) {
        Result<std::uint64_t> rtt_ns = fail(ErrorCode::kUnavailable, v.name);
        if (v.probe) {
            rtt_ns = v.probe(peer);
        } else if (const auto times = measure_latency(peer, kPings, timeout_ms); times) {
            rtt_ns = *std::min_element(times->begin(), times->end());
        }
        if (rtt_ns) out.push_back({v.name, *rtt_ns, place_distance_m(v.place, claimed)});
    }
    if (out.empty()) return fail(ErrorCode::kUnavailable, "no vantage could measure the peer");
    return out;
}

}  // namespace holdfast
