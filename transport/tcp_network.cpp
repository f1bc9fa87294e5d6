#include "transport/tcp_network.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <csignal>

#include "callbacks/place.hpp"
#include "storage/descriptors.hpp"
#include "storage/randomness.hpp"
#include "transport/tcp_network_impl.hpp"

namespace holdfast {

using namespace transport;

namespace {

constexpr std::uint32_t kMaxSamples = 1'000;
constexpr std::uint32_t kPlacePings = 5;
constexpr unsigned kMaxWorkers = 64;
constexpr std::uint64_t kBurstSeconds = 8;  // of new connections, that may come at once

std::uint64_t steady_ns() {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                          std::chrono::steady_clock::now().time_since_epoch())
                                          .count());
}

/// For jitter and incarnations: zeros where the system has none, which only costs unpredictability.
std::uint64_t system_random() {
    std::array<std::uint8_t, 8> bytes{};
    (void)random_bytes(bytes);
    return load_le64(bytes.data());
}

const char* problem_of(const TcpNetworkOptions& options) {
    const TcpLimits& l = options.limits;
    if (options.roles == 0 || (options.roles & ~kAllRoles) != 0) return "no role, or unknown ones";
    if (options.workers == 0 || options.workers > kMaxWorkers) return "1 to 64 workers";
    if (options.place && !is_on_earth(*options.place)) return "a place that is not on Earth";
    if (l.bounds.max_request_bytes < 1'024 || l.bounds.max_response_bytes < 1'024 ||
        l.bounds.max_response_bytes > kMaxResponseBytes) {
        return "bounds of messages: requests from 1 KiB on, responses 1 KiB to 16 MiB";
    }
    for (const std::uint64_t ceiling :
         {std::uint64_t{l.max_connections}, std::uint64_t{l.max_per_address},
          std::uint64_t{l.max_per_key}, std::uint64_t{l.max_handshakes},
          std::uint64_t{l.connects_per_second}, std::uint64_t{l.network_connects_per_second},
          std::uint64_t{l.max_sources}, std::uint64_t{l.max_peers},
          std::uint64_t{l.max_requests_per_peer}, std::uint64_t{l.max_requests},
          l.max_queue_bytes_per_peer, l.max_bytes, std::uint64_t{l.frames_per_second},
          std::uint64_t{l.bytes_per_second}, std::uint64_t{l.handshake_timeout_ms},
          std::uint64_t{l.frame_timeout_ms}, std::uint64_t{l.keepalive_ms},
          std::uint64_t{l.backoff_first_ms}}) {
        if (ceiling == 0) return "a ceiling of 0";
    }
    if (l.max_bytes / 4 < l.bounds.max_response_bytes) {
        return "max_bytes of at least four times max_response_bytes";
    }
    if (l.idle_timeout_ms <= l.keepalive_ms) return "idle_timeout_ms above keepalive_ms";
    if (l.backoff_max_ms < l.backoff_first_ms) return "backoff_max_ms from backoff_first_ms on";
    return nullptr;
}

}  // namespace

// --- the threads ---------------------------------------------------------------------------------

TcpNetwork::Impl::Impl(TcpNetworkOptions options, SslContext tls, std::uint64_t incarnation)
    : options_(std::move(options)),
      tls_(std::move(tls)),
      work_(boost::asio::make_work_guard(io_)),
      shared_{io_, options_, tls_.get(), incarnation, {}, 0, 0},
      acceptor_(io_),
      resolver_(io_),
      accept_pause_(io_),
      drain_timer_(io_),
      rates_of_addresses_(options_.limits.connects_per_second,
                          kBurstSeconds * options_.limits.connects_per_second,
                          options_.limits.max_sources),
      rates_of_networks_(options_.limits.network_connects_per_second,
                         kBurstSeconds * options_.limits.network_connects_per_second,
                         options_.limits.max_sources),
      workers_(options_.workers) {}

TcpNetwork::Impl::~Impl() { (void)stop(0); }

void TcpNetwork::Impl::run() {
    thread_ = std::thread([this] {
        // Writing to a socket whose peer has gone is an error here, not a signal of the process.
        sigset_t pipe;
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
        io_.run();
    });
}

Status TcpNetwork::Impl::stop(std::uint32_t drain_ms) {
    const std::lock_guard one_at_a_time(stop_mutex_);
    if (stopped_) return {};
    {
        const std::lock_guard lock(gate_);
        closed_ = true;
    }
    bool clean = true;
    if (thread_.joinable()) {
        const auto promise = std::make_shared<Promise<bool>>();
        boost::asio::post(io_, [this, drain_ms, promise] { begin_stop(drain_ms, promise); });
        clean = promise->get().value();
    }
    workers_.stop();
    work_.reset();
    if (thread_.joinable()) thread_.join();
    stopped_ = true;
    if (clean) return {};
    return fail(ErrorCode::kTimeout, "stopped with messages in flight");
}

// --- the object ----------------------------------------------------------------------------------

TcpNetwork::TcpNetwork(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TcpNetwork::~TcpNetwork() = default;

Result<std::unique_ptr<TcpNetwork>> TcpNetwork::start(const KeyPair& key,
                                                      TcpNetworkOptions options) {
    if (const char* const problem = problem_of(options)) {
        return fail(ErrorCode::kInvalidArgument, problem);
    }
    if (!options.clock_ns) options.clock_ns = steady_ns;
    if (!options.random) options.random = system_random;
    HOLDFAST_ASSIGN(tls, make_tls_context(key));
    occupy_standard_descriptors();
    // An incarnation tells one run from another: never from a test's randomness.
    auto impl = std::make_unique<Impl>(std::move(options), std::move(tls), system_random());
    HOLDFAST_TRY(impl->listen());
    impl->run();
    return std::unique_ptr<TcpNetwork>(new TcpNetwork(std::move(impl)));
}

std::string TcpNetwork::address() const { return impl_->address(); }

Status TcpNetwork::add_peer(const Peer& peer) {
    if (!check_registrable_key(peer.key)) {
        return fail(ErrorCode::kInvalidArgument, "not a key that a peer may have");
    }
    std::optional<HostPort> dial;
    if (!peer.address.empty()) {
        dial = parse_address(peer.address);
        if (!dial) {
            return fail(ErrorCode::kInvalidArgument,
                        "'" + peer.address + "' is no address; use host:port or [v6]:port");
        }
    }
    return impl_->run_on_sockets<void>(
        [this, peer, dial](const auto& promise) { promise->set(impl_->add_peer(peer, dial)); });
}

Status TcpNetwork::remove_peer(const PublicKey& key) {
    return impl_->run_on_sockets<void>(
        [this, key](const auto& promise) { promise->set(impl_->remove_peer(key)); });
}

Status TcpNetwork::wait_connected(const PublicKey& key, std::uint32_t timeout_ms) {
    return impl_->run_on_sockets<void>([this, key, timeout_ms](const auto& promise) {
        impl_->wait_connected(key, timeout_ms, promise);
    });
}

Result<TcpReply> TcpNetwork::request(const PublicKey& peer, ByteView message,
                                     std::uint32_t timeout_ms) {
    return impl_->run_on_sockets<TcpReply>([this, peer,
                                            bytes = Bytes(message.begin(), message.end()),
                                            timeout_ms](const auto& promise) mutable {
        impl_->send_message(peer, FrameType::kRequest, std::move(bytes), timeout_ms, false,
                            [promise](Result<TcpReply> reply) { promise->set(std::move(reply)); });
    });
}

Status TcpNetwork::post(const PublicKey& peer, ByteView message, std::uint32_t timeout_ms) {
    return impl_->run_on_sockets<void>([this, peer, bytes = Bytes(message.begin(), message.end()),
                                        timeout_ms](const auto& promise) mutable {
        impl_->send_message(peer, FrameType::kPost, std::move(bytes), timeout_ms, false,
                            [promise](const Result<TcpReply>& reply) {
                                promise->set(reply ? Status{} : fail(reply.error()));
                            });
    });
}

Result<PeerReport> TcpNetwork::peer_report(const PublicKey& key) {
    return impl_->run_on_sockets<PeerReport>(
        [this, key](const auto& promise) { promise->set(impl_->peer_report(key)); });
}

Result<std::vector<PeerReport>> TcpNetwork::peer_reports(std::size_t most) {
    return impl_->run_on_sockets<std::vector<PeerReport>>(
        [this, most](const auto& promise) { promise->set(impl_->peer_reports(most)); });
}

TcpStatistics TcpNetwork::statistics() const { return impl_->statistics(); }

Status TcpNetwork::stop(std::uint32_t drain_ms) { return impl_->stop(drain_ms); }

Result<std::vector<Peer>> TcpNetwork::peers() {
    return impl_->run_on_sockets<std::vector<Peer>>(
        [this](const auto& promise) { promise->set(impl_->listed_peers()); });
}

Result<std::vector<std::uint64_t>> TcpNetwork::measure_latency(const PublicKey& peer,
                                                               std::uint32_t samples,
                                                               std::uint32_t timeout_ms) {
    if (samples == 0 || samples > kMaxSamples) {
        return fail(ErrorCode::kInvalidArgument, "1 to 1,000 samples");
    }
    return impl_->run_on_sockets<std::vector<std::uint64_t>>(
        [this, peer, samples, timeout_ms](const auto& promise) {
            impl_->measure(peer, samples, timeout_ms, promise);
        });
}

Result<ChallengeReply> TcpNetwork::send_challenge(const PublicKey& peer, ByteView challenge,
                                                  std::uint32_t deadline_ms) {
    return impl_->run_on_sockets<ChallengeReply>([this, peer,
                                                  bytes = Bytes(challenge.begin(), challenge.end()),
                                                  deadline_ms](const auto& promise) mutable {
        impl_->challenge(peer, std::move(bytes), deadline_ms, promise);
    });
}

Result<std::vector<VantageReport>> TcpNetwork::verify_place(const PublicKey& peer,
                                                            const Place& claimed,
                                                            std::uint32_t timeout_ms) {
    if (!is_on_earth(claimed)) {
        return fail(ErrorCode::kInvalidArgument, "a place that is not on Earth");
    }
    const TcpNetworkOptions& options = impl_->options();
    if (!options.place) {
        return fail(ErrorCode::kUnavailable, "this node has no place to measure from");
    }
    HOLDFAST_ASSIGN(times, measure_latency(peer, kPlacePings, timeout_ms));
    const std::uint64_t least_ns = *std::min_element(times.begin(), times.end());
    return std::vector<VantageReport>{
        {options.vantage, least_ns, place_distance_m(*options.place, claimed)}};
}

}  // namespace holdfast
