// Connections of a TcpNetwork: accepted, dialled, judged, replaced, closed.
#include <array>
#include <boost/asio/connect.hpp>

#include "core/constants.hpp"
#include "storage/descriptors.hpp"
#include "transport/tcp_network_impl.hpp"

namespace holdfast {

using namespace transport;
using ErrorOrNone = boost::system::error_code;

namespace {

constexpr auto kAcceptPause = std::chrono::milliseconds(50);  // no descriptor left
constexpr auto kDrainStep = std::chrono::milliseconds(5);
/// A connection that held this many first waits was a good one: the next failure is a new story.
constexpr std::uint64_t kGoodConnection = 10;

Ending ended(std::string why) {
    return {LinkFailure::kClosed, {ErrorCode::kUnavailable, std::move(why), {}}};
}

/// Spec 13: the plain TLS alert access_denied, which tells whoever dialled that it was a ceiling.
/// It costs one write, and is lost where that blocks.
void say_too_many(tcp::socket& socket) {
    constexpr std::array<std::uint8_t, 7> kAlert = {21, 3, 3, 0, 2, 2, 49};
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(boost::asio::buffer(kAlert), ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
}

Source source_of(const boost::asio::ip::address& address) {
    return address.is_v4() ? source_of_v4(address.to_v4().to_bytes())
                           : source_of_v6(address.to_v6().to_bytes());
}

/// Why an attempt came to nothing: the system's words, or what they mean.
Ending failed_attempt(const ErrorOrNone& failed, std::uint32_t limit_ms) {
    const bool cut_off = !failed || failed == boost::asio::error::operation_aborted;
    const bool of_system = failed.category() == boost::system::system_category();
    const LinkFailure failure = cut_off     ? LinkFailure::kTimeout
                                : of_system ? link_failure_of(failed.value())
                                            : LinkFailure::kNoSuchName;
    std::string why = failed.message();
    if (cut_off) why = "no answer within " + std::to_string(limit_ms) + " ms";
    if (failure == LinkFailure::kRefused) why = "connection refused: nothing listens there";
    if (failure == LinkFailure::kNoSuchName) why = "the name cannot be looked up: " + why;
    return {failure, {ErrorCode::kUnavailable, std::move(why), {}}};
}

}  // namespace

// --- peers ---------------------------------------------------------------------------------------

PeerPtr TcpNetwork::Impl::find(const PublicKey& key) const {
    const auto found = peers_.find(key);
    return found == peers_.end() ? nullptr : found->second;
}

PeerPtr TcpNetwork::Impl::find_or_make(const PublicKey& key) {
    PeerPtr& peer = peers_[key];
    if (!peer) peer = std::make_shared<PeerState>(Peer{key, {}}, options_.limits, io_);
    return peer;
}

Status TcpNetwork::Impl::add_peer(const Peer& peer, std::optional<HostPort> address) {
    const PeerPtr known = find(peer.key);
    if (known && known->listed) {
        return fail(ErrorCode::kAlreadyExists,
                    "peer " + to_hex(view(peer.key)) + " is there already");
    }
    if (!known && !make_room()) return fail(ErrorCode::kBusy, "no room for more peers");
    const PeerPtr state = find_or_make(peer.key);
    state->peer = peer;
    state->listed = true;
    state->dial = std::move(address);
    if (state->dial && state->ready.empty()) dial(state);
    return {};
}

Status TcpNetwork::Impl::remove_peer(const PublicKey& key) {
    const PeerPtr peer = find(key);
    if (!peer || !peer->listed) return fail(ErrorCode::kNotFound, "no peer " + to_hex(view(key)));
    peer->listed = false;
    peer->dial.reset();
    peer->redial.cancel();
    if (peer->attempt) {
        ErrorOrNone ignored;
        peer->attempt->socket.close(ignored);
    }
    tell_waiters(peer, fail(ErrorCode::kNotFound, "the peer has been removed"));
    while (!peer->outgoing.empty()) {
        complete(peer, peer->outgoing.begin()->first,
                 fail(ErrorCode::kNotFound, "the peer has been removed"));
    }
    const Notice notice{static_cast<std::uint8_t>(Goodbye::kNotAllowed), 0};
    for (const ConnectionPtr& connection : connections_) {
        if (connection->key() != key && connection->expected() != key) continue;
        connection->say_goodbye(notice, ended("the peer was removed"));
    }
    note_if_idle(peer);
    return {};
}

std::vector<Peer> TcpNetwork::Impl::listed_peers() const {
    std::vector<Peer> out;
    for (const auto& [key, state] : peers_) {
        if (state->listed) out.push_back(state->peer);
    }
    return out;
}

bool TcpNetwork::Impl::is_idle(const PeerState& peer) {
    return !peer.listed && !peer.dialling && peer.ready.empty() && peer.outgoing.empty();
}

/// Strangers are remembered while there is room, so that neither their rate nor the messages that
/// they have sent start over with each connection.
void TcpNetwork::Impl::note_if_idle(const PeerPtr& peer) {
    if (!is_idle(*peer) || peer->noted_idle) return;
    peer->noted_idle = true;
    idle_strangers_.push_back(peer->peer.key);
}

bool TcpNetwork::Impl::make_room() {
    while (peers_.size() >= options_.limits.max_peers && !idle_strangers_.empty()) {
        const auto oldest = peers_.find(idle_strangers_.front());
        idle_strangers_.pop_front();
        if (oldest == peers_.end()) continue;
        oldest->second->noted_idle = false;
        if (is_idle(*oldest->second)) peers_.erase(oldest);
    }
    return peers_.size() < options_.limits.max_peers;
}

void TcpNetwork::Impl::wait_connected(const PublicKey& key, std::uint32_t timeout_ms,
                                      const PromisePtr<void>& promise) {
    const PeerPtr peer = find(key);
    if (!peer) return promise->set(fail(ErrorCode::kNotFound, "no peer " + to_hex(view(key))));
    if (connection_to(key)) return promise->set({});
    if (peer->problem && is_final(peer->problem->ending.failure)) {
        return promise->set(fail(peer->problem->ending.why));
    }
    const auto waiter = std::make_shared<Waiter>(io_, promise);
    peer->waiters.push_back(waiter);
    waiter->timer.expires_after(std::chrono::milliseconds(timeout_ms));
    waiter->timer.async_wait([this, peer, waiter](const ErrorOrNone& failed) {
        if (failed) return;
        std::erase(peer->waiters, waiter);
        waiter->promise->set(fail(ErrorCode::kTimeout, why_not_connected(*peer)));
    });
}

void TcpNetwork::Impl::tell_waiters(const PeerPtr& peer, const Status& status) {
    for (const auto& waiter : std::exchange(peer->waiters, {})) {
        waiter->timer.cancel();
        waiter->promise->set(status);
    }
}

// --- accepted ------------------------------------------------------------------------------------

/// Addresses that the settings' one means: itself, or those of its name, of which one will do.
Result<std::vector<tcp::endpoint>> TcpNetwork::Impl::listening_places() const {
    const auto where = parse_address(options_.listen);
    if (!where) {
        return fail(ErrorCode::kInvalidArgument,
                    "'" + options_.listen + "' is no address to listen at; use e.g. 0.0.0.0:9001");
    }
    std::vector<tcp::endpoint> found = endpoints_of(*where);
    if (found.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    "'" + options_.listen +
                        "' is no address to listen at: the name cannot "
                        "be looked up; use e.g. 0.0.0.0:9001");
    }
    return found;
}

Status TcpNetwork::Impl::listen() {
    if (options_.listen.empty()) return {};
    HOLDFAST_ASSIGN(places, listening_places());
    ErrorOrNone failed;
    for (const tcp::endpoint& place : places) {
        ErrorOrNone ignored;
        acceptor_.close(ignored);
        acceptor_.open(place.protocol(), failed);
        if (!failed) acceptor_.set_option(tcp::acceptor::reuse_address(true), failed);
        if (!failed) acceptor_.bind(place, failed);
        if (!failed) acceptor_.listen(tcp::acceptor::max_listen_connections, failed);
        if (!failed) break;
    }
    if (failed == boost::asio::error::address_in_use) {
        return fail(ErrorCode::kAlreadyExists, options_.listen + " is in use by another program");
    }
    if (failed) return fail_errno(failed.value(), "listening at " + options_.listen);
    address_ = address_text(acceptor_.local_endpoint(failed));
    accept_next();
    return {};
}

void TcpNetwork::Impl::accept_next() {
    occupy_standard_descriptors();
    acceptor_.async_accept([this](const ErrorOrNone& failed, tcp::socket socket) {
        if (stopping_) return;
        if (!failed) {
            take_connection(std::move(socket));
            return accept_next();
        }
        accept_pause_.expires_after(kAcceptPause);
        accept_pause_.async_wait([this](const ErrorOrNone& cancelled) {
            if (!cancelled && !stopping_) accept_next();
        });
    });
}

/// Spec 13 leaves ceilings to the node; which there are, and why: docs/security.md, section 3.9.
bool TcpNetwork::Impl::may_come_in(tcp::socket& socket, const Source& source) {
    const TcpLimits& limits = options_.limits;
    // Only where the host has closed a standard stream since: what is printed is not for a peer.
    if (is_standard_descriptor(socket.native_handle())) return false;
    const std::uint64_t now = shared_.now_ns();
    // Who is above its own rate takes nothing of what its network may have.
    if (!rates_of_addresses_.take(source, now)) return false;
    if (!rates_of_networks_.take(network_of(source), now)) return false;
    const auto from_there = per_source_.find(source);
    return connections_.size() < limits.max_connections &&
           (from_there == per_source_.end() || from_there->second < limits.max_per_address);
}

void TcpNetwork::Impl::take_connection(tcp::socket socket) {
    ErrorOrNone failed;
    const auto ip = socket.remote_endpoint(failed).address();
    shared_.tally.add(&TcpStatistics::accepted);
    const Source source = source_of(ip);
    if (failed || !may_come_in(socket, source)) {
        shared_.tally.add(&TcpStatistics::refused_ceiling);
        if (!failed) say_too_many(socket);
        return;  // closes it
    }
    if (handshaking_.size() >= options_.limits.max_handshakes) {
        // An honest one is through in a moment: the oldest is the least likely to be.
        shared_.tally.add(&TcpStatistics::refused_ceiling);
        const ConnectionPtr gone = handshaking_.first_to_go();
        handshaking_.remove(source_of(gone->remote()), gone);
        gone->close(ended("too many handshakes"));
    }
    const auto connection =
        std::make_shared<Connection>(shared_, *this, std::move(socket), std::nullopt);
    handshaking_.add(source, connection);
    adopt(connection);
}

void TcpNetwork::Impl::adopt(const ConnectionPtr& connection) {
    connections_.insert(connection);
    ++per_source_[source_of(connection->remote())];
    connection->start();
}

// --- dialled -------------------------------------------------------------------------------------

void TcpNetwork::Impl::dial(const PeerPtr& peer) {
    if (stopping_ || peer->dialling || !peer->dial) return;
    peer->dialling = true;
    occupy_standard_descriptors();
    shared_.tally.add(&TcpStatistics::dialled);
    const auto attempt = std::make_shared<Attempt>(io_);
    peer->attempt = attempt;
    attempt->timer.expires_after(std::chrono::milliseconds(options_.limits.handshake_timeout_ms));
    attempt->timer.async_wait([attempt](const ErrorOrNone& cancelled) {
        ErrorOrNone ignored;
        if (!cancelled) attempt->socket.close(ignored);
    });
    ErrorOrNone is_name;
    const auto ip = boost::asio::ip::make_address(peer->dial->host, is_name);
    if (!is_name) {
        const tcp::endpoint there(ip, static_cast<std::uint16_t>(std::stoul(peer->dial->port)));
        return connect(peer, attempt,
                       tcp::resolver::results_type::create(there, peer->dial->host, {}));
    }
    resolver_.async_resolve(
        peer->dial->host, peer->dial->port, tcp::resolver::numeric_service,
        [this, peer, attempt](const ErrorOrNone& failed, const tcp::resolver::results_type& found) {
            if (!failed) return connect(peer, attempt, found);
            attempt->timer.cancel();
            dial_failed(peer, failed_attempt(failed, options_.limits.handshake_timeout_ms));
        });
}

void TcpNetwork::Impl::connect(const PeerPtr& peer, const std::shared_ptr<Attempt>& attempt,
                               const tcp::resolver::results_type& endpoints) {
    boost::asio::async_connect(
        attempt->socket, endpoints,
        [this, peer, attempt](const ErrorOrNone& failed, const tcp::endpoint&) {
            attempt->timer.cancel();
            if (failed || !attempt->socket.is_open() || stopping_ || !peer->listed) {
                return dial_failed(peer,
                                   failed_attempt(failed, options_.limits.handshake_timeout_ms));
            }
            peer->attempt.reset();
            adopt(std::make_shared<Connection>(shared_, *this, std::move(attempt->socket),
                                               peer->peer.key));
        });
}

void TcpNetwork::Impl::dial_failed(const PeerPtr& peer, Ending ending) {
    peer->dialling = false;
    peer->attempt.reset();
    if (stopping_ || !peer->listed) return note_if_idle(peer);
    if (!peer->peer.address.empty()) {
        ending.why.message = peer->peer.address + ": " + ending.why.message;
    }
    shared_.tally.add(ending.failure);
    if (is_final(ending.failure)) {
        // It will not have us: dialled again at the longest step (spec 13, messages).
        peer->backoff.exhaust();
        tell_waiters(peer, fail(ending.why));
    }
    // Where another connection to it is up, this one's end hinders nobody.
    if (peer->ready.empty()) note_failure(peer, std::move(ending));
    redial_later(peer);
}

void TcpNetwork::Impl::redial_later(const PeerPtr& peer) {
    if (stopping_ || !peer->listed || !peer->dial || peer->dialling || !peer->ready.empty()) return;
    peer->redial.expires_after(std::chrono::milliseconds(peer->backoff.next_ms(options_.random())));
    peer->redial.async_wait([this, peer](const ErrorOrNone& cancelled) {
        if (!cancelled && peer->ready.empty()) dial(peer);
    });
}

// --- what connections say ------------------------------------------------------------------------

// Spec 13, handshake.
std::optional<Notice> TcpNetwork::Impl::judge(Connection& connection, const Checked<Hello>& hello) {
    const auto say = [this](Goodbye code, Tally::Field field, std::uint32_t detail = 0) {
        shared_.tally.add(field);
        return Notice{static_cast<std::uint8_t>(code), detail};
    };
    if (const auto code = judge_hello(hello, options_.network)) {
        if (*code == Goodbye::kVersion) {
            return say(*code, &TcpStatistics::refused_version, kTransportVersion);
        }
        const bool network = *code == Goodbye::kNetwork;
        return say(*code,
                   network ? &TcpStatistics::refused_network : &TcpStatistics::refused_malformed);
    }
    const PeerPtr known = find(connection.key());
    if (!options_.accept_anyone && !(known && known->listed)) {
        return say(Goodbye::kNotAllowed, &TcpStatistics::refused_key);
    }
    if (stopping_) return Notice{static_cast<std::uint8_t>(Goodbye::kStopping), 0};
    if (!known && !make_room()) {
        return say(Goodbye::kTooMany, &TcpStatistics::refused_ceiling);
    }
    return std::nullopt;
}

void TcpNetwork::Impl::on_ready(const ConnectionPtr& connection) {
    handshaking_.remove(source_of(connection->remote()), connection);
    const PeerPtr peer = find_or_make(connection->key());
    const bool restarted = peer->incarnation != connection->peer_hello().incarnation;
    const auto replaced = [](std::uint32_t detail) {
        return Notice{static_cast<std::uint8_t>(Goodbye::kReplaced), detail};
    };
    const Ending why = ended("the peer has reconnected");
    if (restarted) {
        const std::uint64_t now = connection->peer_hello().incarnation;
        if (peer->replaced == now) shared_.tally.add(&TcpStatistics::peers_doubled);
        // Connections of an earlier run are dead, whatever TCP still thinks of them; or they are
        // another process's, which has to know.
        for (const ConnectionPtr& old : peer->ready) {
            old->say_goodbye(replaced(kReplacedByAnotherRun), why);
        }
        peer->replaced = std::exchange(peer->incarnation, now);
        peer->seen = {};
    } else if (peer->ready.size() >= options_.limits.max_per_key) {
        peer->ready.front()->say_goodbye(replaced(0), why);
    }
    if (peer->ready.empty()) shared_.tally.add(&TcpStatistics::peers_connected);
    peer->ready.push_back(connection);
    peer->redial.cancel();
    note_connected(peer);
    tell_waiters(peer, {});
    repeat_posts(peer, connection);
}

void TcpNetwork::Impl::on_closed(const ConnectionPtr& connection) {
    connections_.erase(connection);
    const Source source = source_of(connection->remote());
    const auto from_there = per_source_.find(source);
    if (--from_there->second == 0) per_source_.erase(from_there);
    const bool ready = connection->was_ready();
    handshaking_.remove(source, connection);
    const PeerPtr peer = connection->dialled()   ? find(*connection->expected())
                         : connection->has_key() ? find(connection->key())
                                                 : nullptr;
    if (peer && ready) {
        if (std::erase(peer->ready, connection) > 0 && peer->ready.empty()) {
            shared_.tally.take(&TcpStatistics::peers_connected);
        }
        const std::uint64_t held_ns = shared_.now_ns() - connection->ready_since_ns();
        const bool doubled = connection->ending().failure == LinkFailure::kSameKey;
        if (doubled) {
            shared_.tally.add(&TcpStatistics::same_key);
            same_key_ns_ = shared_.now_ns();
        }
        // Two processes with one key would otherwise drive each other out as fast as they can.
        if (!doubled && held_ns > kGoodConnection * options_.limits.backoff_first_ms * kNsPerMs) {
            peer->backoff.reset();
        }
        abandon_messages(peer, connection);
    }
    if (peer && connection->dialled()) {
        dial_failed(peer, connection->ending());
    } else if (peer) {
        if (peer->ready.empty() && !stopping_) note_failure(peer, connection->ending());
        if (ready) redial_later(peer);
    }
    if (peer) note_if_idle(peer);
    check_closed();
}

std::uint64_t TcpNetwork::Impl::charge(Connection& connection, std::uint64_t bytes) {
    const PeerPtr peer = find(connection.key());
    if (!peer) return 0;
    const std::uint64_t now = shared_.now_ns();
    peer->frames.take(1, now);
    peer->bytes.take(bytes, now);
    return std::max(peer->frames.wait_ns(now), peer->bytes.wait_ns(now));
}

bool TcpNetwork::Impl::has_room(const Connection& connection) {
    const PeerPtr peer = find(connection.key());
    return !peer || peer->serving < options_.limits.max_requests_per_peer;
}

// --- the end -------------------------------------------------------------------------------------

void TcpNetwork::Impl::begin_stop(std::uint32_t drain_ms, const PromisePtr<bool>& stopped) {
    stopping_ = true;
    stop_promise_ = stopped;
    ErrorOrNone ignored;
    acceptor_.close(ignored);
    accept_pause_.cancel();
    resolver_.cancel();
    for (const auto& [key, peer] : peers_) {
        peer->redial.cancel();
        if (peer->attempt) peer->attempt->socket.close(ignored);
    }
    drain(std::chrono::steady_clock::now() + std::chrono::milliseconds(drain_ms));
}

void TcpNetwork::Impl::drain(std::chrono::steady_clock::time_point until) {
    const bool idle = waiting_requests_ == 0 && shared_.queued_bytes == 0 && busy_calls_ == 0;
    if (idle || std::chrono::steady_clock::now() >= until) {
        cut_off_ = !idle;
        return close_all();
    }
    drain_timer_.expires_after(kDrainStep);
    drain_timer_.async_wait([this, until](const ErrorOrNone& cancelled) {
        if (!cancelled) drain(until);
    });
}

void TcpNetwork::Impl::close_all() {
    closing_ = true;
    const Error why{ErrorCode::kInterrupted, "the network is stopping", {}};
    const Ending ending{LinkFailure::kClosed, why};
    for (const auto& [key, peer] : peers_) {
        while (!peer->outgoing.empty()) {
            complete(peer, peer->outgoing.begin()->first, fail(why));
        }
        tell_waiters(peer, fail(why));
    }
    const Notice notice{static_cast<std::uint8_t>(Goodbye::kStopping), 0};
    for (const ConnectionPtr& connection : connections_) {
        connection->say_goodbye(notice, ending);
    }
    check_closed();
}

void TcpNetwork::Impl::check_closed() {
    if (closing_ && connections_.empty()) stop_promise_->set(!cut_off_);
}

}  // namespace holdfast
