// Messages of a TcpNetwork: ours and their answers, the peers' and ours.
#include "transport/tcp_network_impl.hpp"

#include "core/constants.hpp"

namespace holdfast {

using namespace transport;
using ErrorOrNone = boost::system::error_code;

namespace {

constexpr std::uint32_t kHandOverMs = 1'000;  // at most, from the call to the socket
constexpr std::size_t kMaxOutgoing = 256;     // of one peer, without an answer
constexpr std::size_t kMaxGivenUp = 1'024;    // of one connection

std::uint32_t to_us(std::uint64_t ns) {
    const std::uint64_t us = ns / 1'000 + (ns % 1'000 != 0 ? 1 : 0);
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(us, UINT32_MAX));
}

tl::unexpected<Error> late(std::uint32_t limit_ms) {
    return fail(ErrorCode::kTimeout, "no answer within " + std::to_string(limit_ms) + " ms");
}

/// What a peer's refusal means to the caller of ours.
Error refusal_error(const Notice& notice) {
    switch (static_cast<Refusal>(notice.code)) {
        case Refusal::kBusy:
            return {ErrorCode::kBusy, "the peer is busy; try later", {}};
        case Refusal::kUnserved:
            return {ErrorCode::kUnsupported, "the peer answers no such requests", {}};
        case Refusal::kRefused: {
            const bool known = notice.detail > 0 && notice.detail < reason_count();
            const Reason reason = known ? static_cast<Reason>(notice.detail) : Reason::kBadField;
            return std::move(fail_refused(reason, "the message, by the peer").value());
        }
        case Refusal::kFailed:
            return {ErrorCode::kUnavailable, "the peer could not answer", {}};
        case Refusal::kDuplicate:
            return {ErrorCode::kAlreadyExists, "the peer has taken this message before", {}};
        case Refusal::kStale:
            break;
    }
    return {ErrorCode::kTimeout, "the peer cannot tell whether it has taken this message", {}};
}

}  // namespace

// --- ours ----------------------------------------------------------------------------------------

Result<ConnectionPtr> TcpNetwork::Impl::connection_to(const PublicKey& key) const {
    const PeerPtr peer = find(key);
    if (!peer) return fail(ErrorCode::kNotFound, "no peer " + to_hex(view(key)));
    const auto newest = std::find_if(peer->ready.rbegin(), peer->ready.rend(),
                                     [](const ConnectionPtr& c) { return c->is_ready(); });
    if (newest != peer->ready.rend()) return *newest;
    if (!peer->listed) return fail(ErrorCode::kNotFound, "no peer " + to_hex(view(key)));
    return fail(ErrorCode::kUnavailable, why_not_connected(*peer));
}

bool TcpNetwork::Impl::fits_queue(const ConnectionPtr& connection, std::size_t bytes) const {
    const TcpLimits& limits = options_.limits;
    const std::uint64_t queued = connection->queued_bytes() + bytes;
    return queued <= limits.max_queue_bytes_per_peer &&
           (queued <= shared_.own_bytes() ||
            shared_.queued_bytes + bytes <= shared_.common_bytes());
}

void TcpNetwork::Impl::send_message(const PublicKey& key, FrameType type, Bytes message,
                                    std::uint32_t timeout_ms, bool refusal_is_late,
                                    std::function<void(Result<TcpReply>)> done) {
    if (stopping_) return done(fail(ErrorCode::kInterrupted, "the network is stopping"));
    if (const auto header = header_for_message(type, message, options_.limits.bounds); !header) {
        return done(fail(ErrorCode::kInvalidArgument,
                         "no message that may be sent: " + to_string(header.error())));
    }
    const auto connection = connection_to(key);
    const bool waits = type == FrameType::kPost && !connection &&
                       connection.error().code == ErrorCode::kUnavailable;
    if (!connection && !waits) return done(fail(connection.error()));
    const PeerPtr peer = find(key);
    if (peer->outgoing.size() >= kMaxOutgoing ||
        (connection && !fits_queue(*connection, message.size()))) {
        return done(fail(ErrorCode::kBusy, "too much is waiting to be sent to the peer"));
    }
    const auto out = std::make_shared<Outgoing>(io_);
    out->type = type;
    out->number = peer->next_number++;
    out->timeout_ms = timeout_ms;
    out->refusal_is_late = refusal_is_late;
    out->done = std::move(done);
    if (type == FrameType::kPost) out->message = message;
    peer->outgoing.emplace(out->number, out);
    ++busy_calls_;
    const bool post = type == FrameType::kPost;
    arm_deadline(peer, out, post ? timeout_ms : std::min(timeout_ms, kHandOverMs));
    if (connection) transmit(peer, out, *connection, std::move(message));
}

void TcpNetwork::Impl::transmit(const PeerPtr& peer, const std::shared_ptr<Outgoing>& out,
                                const ConnectionPtr& connection, Bytes message) {
    const auto header = header_for_message(out->type, message, options_.limits.bounds);
    HOLDFAST_CHECK(header.has_value());  // checked when it was taken
    FrameHeader numbered = *header;
    numbered.number = out->number;
    out->connection = connection;
    connection->send(numbered, message, [this, peer, out](std::uint64_t now_ns) {
        if (!peer->outgoing.contains(out->number)) return;  // given up meanwhile
        out->sent_ns = now_ns;
        if (out->type == FrameType::kRequest) arm_deadline(peer, out, out->timeout_ms);
    });
}

void TcpNetwork::Impl::arm_deadline(const PeerPtr& peer, const std::shared_ptr<Outgoing>& out,
                                    std::uint32_t ms) {
    out->timer.expires_after(std::chrono::milliseconds(ms));
    out->timer.async_wait([this, peer, number = out->number](const ErrorOrNone& cancelled) {
        if (!cancelled) on_deadline(peer, number);
    });
}

void TcpNetwork::Impl::on_deadline(const PeerPtr& peer, std::uint64_t number) {
    const auto found = peer->outgoing.find(number);
    if (found == peer->outgoing.end()) return;
    const std::shared_ptr<Outgoing> out = found->second;
    if (const ConnectionPtr connection = out->connection.lock()) {
        connection->given_up.insert(number);
        if (connection->given_up.size() > kMaxGivenUp) {
            const Notice notice{static_cast<std::uint8_t>(Goodbye::kIdle), 0};
            connection->say_goodbye(notice, {LinkFailure::kTimeout,
                                             {ErrorCode::kTimeout, "the peer never answers", {}}});
        }
    }
    const bool taken = out->sent_ns.has_value() || out->type == FrameType::kPost;
    if (taken) return complete(peer, number, late(out->timeout_ms));
    complete(peer, number,
             fail(ErrorCode::kUnavailable, "the message could not be handed over in time"));
}

void TcpNetwork::Impl::complete(const PeerPtr& peer, std::uint64_t number,
                                Result<TcpReply> result) {
    const auto found = peer->outgoing.find(number);
    if (found == peer->outgoing.end()) return;
    const std::shared_ptr<Outgoing> out = found->second;
    peer->outgoing.erase(found);
    out->timer.cancel();
    --busy_calls_;
    std::exchange(out->done, {})(std::move(result));
}

void TcpNetwork::Impl::abandon_messages(const PeerPtr& peer, const ConnectionPtr& gone) {
    const auto next = connection_to(peer->peer.key);
    std::vector<std::shared_ptr<Outgoing>> lost;
    for (const auto& [number, out] : peer->outgoing) {
        if (out->connection.lock() == gone) lost.push_back(out);
    }
    for (const std::shared_ptr<Outgoing>& out : lost) {
        if (out->type == FrameType::kRequest) {
            const ErrorCode code = stopping_      ? ErrorCode::kInterrupted
                                   : out->sent_ns ? ErrorCode::kTimeout
                                                  : ErrorCode::kUnavailable;
            complete(peer, out->number, fail(code, gone->ending().why.message));
            continue;
        }
        out->connection.reset();
        if (next) {
            out->repeated = out->repeated || out->sent_ns.has_value();
            transmit(peer, out, *next, out->message);
        }
    }
}

// Spec 13, messages: a post is sent again under its number, a request never.
void TcpNetwork::Impl::repeat_posts(const PeerPtr& peer, const ConnectionPtr& connection) {
    for (const auto& [number, out] : peer->outgoing) {
        if (out->type != FrameType::kPost || out->connection.lock()) continue;
        out->repeated = out->repeated || out->sent_ns.has_value();
        transmit(peer, out, connection, out->message);
    }
}

// --- challenges and pings ------------------------------------------------------------------------

struct TcpNetwork::Impl::ChallengeCall {
    ChallengeCall(boost::asio::io_context& io, PromisePtr<ChallengeReply> given)
        : promise(std::move(given)), timer(io) {}
    PromisePtr<ChallengeReply> promise;
    Timer timer;  // for a pong that is later than the response
    std::optional<TcpReply> reply;
    std::optional<std::uint64_t> ping_ns;

    void finish() {
        if (!reply || !ping_ns) return;
        timer.cancel();
        promise->set(
            ChallengeReply{std::move(reply->response), reply->service_us, to_us(*ping_ns)});
        reply.reset();
    }
};

// Spec 13, messages: time of a service.
void TcpNetwork::Impl::challenge(const PublicKey& key, Bytes message, std::uint32_t deadline_ms,
                                 const PromisePtr<ChallengeReply>& promise) {
    const auto connection = connection_to(key);
    if (!connection) return promise->set(fail(connection.error()));
    const auto call = std::make_shared<ChallengeCall>(io_, promise);
    const std::uint64_t began_ns = shared_.now_ns();
    // Ahead of the request, so that the pong does not queue behind the response. One that is held
    // back counts with what it has taken so far.
    const bool pinged = (*connection)->ping([this, call, began_ns](auto rtt_ns) {
        if (!call->ping_ns) call->ping_ns = rtt_ns.value_or(shared_.now_ns() - began_ns);
        call->finish();
    });
    if (!pinged) return promise->set(fail(ErrorCode::kBusy, "too many pings are in flight"));
    const auto done = [this, call, began_ns, deadline_ms](Result<TcpReply> reply) {
        if (!reply) return call->promise->set(fail(reply.error()));
        call->reply = std::move(*reply);
        if (call->ping_ns) return call->finish();
        const std::uint64_t left_us =
            std::uint64_t{deadline_ms} * 1'000 -
            std::min<std::uint64_t>(call->reply->service_us, std::uint64_t{deadline_ms} * 1'000);
        call->timer.expires_after(std::chrono::microseconds(left_us));
        call->timer.async_wait([this, call, began_ns](const ErrorOrNone& cancelled) {
            if (cancelled || call->ping_ns) return;
            call->ping_ns = shared_.now_ns() - began_ns;
            call->finish();
        });
    };
    send_message(key, FrameType::kRequest, std::move(message), deadline_ms, true, done);
}

struct TcpNetwork::Impl::LatencyCall : std::enable_shared_from_this<LatencyCall> {
    LatencyCall(Impl& network, const PublicKey& peer, std::uint32_t count,
                PromisePtr<std::vector<std::uint64_t>> given)
        : impl(network), key(peer), samples(count), promise(std::move(given)), timer(network.io_) {}
    Impl& impl;
    const PublicKey key;
    const std::uint32_t samples;
    PromisePtr<std::vector<std::uint64_t>> promise;
    Timer timer;
    std::vector<std::uint64_t> times;
    bool over = false;

    void end(Result<std::vector<std::uint64_t>> result) {
        if (std::exchange(over, true)) return;
        timer.cancel();
        promise->set(std::move(result));
    }
    void next() {
        if (over) return;
        if (times.size() == samples) return end(std::move(times));
        const auto connection = impl.connection_to(key);
        if (!connection) return end(fail(connection.error()));
        const bool pinged = (*connection)->ping([self = shared_from_this()](auto rtt_ns) {
            if (!rtt_ns) {
                return self->end(fail(ErrorCode::kUnavailable, "the connection has ended"));
            }
            self->times.push_back(*rtt_ns);
            self->next();
        });
        if (!pinged) end(fail(ErrorCode::kBusy, "too many pings are in flight"));
    }
};

void TcpNetwork::Impl::measure(const PublicKey& key, std::uint32_t samples,
                               std::uint32_t timeout_ms,
                               const PromisePtr<std::vector<std::uint64_t>>& promise) {
    const auto call = std::make_shared<LatencyCall>(*this, key, samples, promise);
    call->timer.expires_after(std::chrono::milliseconds(timeout_ms));
    call->timer.async_wait([call, timeout_ms](const ErrorOrNone& cancelled) {
        if (!cancelled) call->end(late(timeout_ms));
    });
    call->next();
}

// --- the peers' ----------------------------------------------------------------------------------

// Spec 13, frame: nothing that nobody has asked for.
Arrival TcpNetwork::Impl::expect(Connection& connection, const FrameHeader& header) {
    if (header.type == FrameType::kRequest || header.type == FrameType::kPost) {
        return Arrival::kTake;
    }
    if (connection.given_up.erase(header.number) > 0) return Arrival::kDiscard;
    const PeerPtr peer = find(connection.key());
    if (!peer) return Arrival::kUncalledFor;
    const auto found = peer->outgoing.find(header.number);
    const bool asked = found != peer->outgoing.end() && found->second->sent_ns &&
                       found->second->connection.lock().get() == &connection;
    return asked ? Arrival::kTake : Arrival::kUncalledFor;
}

void TcpNetwork::Impl::on_frame(const ConnectionPtr& connection, const FrameHeader& header,
                                Bytes payload, std::uint64_t arrived_ns) {
    const PeerPtr peer = find(connection->key());
    if (!peer) return;
    if (header.type == FrameType::kRequest || header.type == FrameType::kPost) {
        return take_request(peer, connection, header, std::move(payload));
    }
    const auto found = peer->outgoing.find(header.number);
    if (found == peer->outgoing.end()) {
        connection->given_up.erase(header.number);  // given up while it arrived
        return;
    }
    const std::shared_ptr<Outgoing> out = found->second;
    if (header.type == FrameType::kRefusal) {
        const auto notice = decode_notice(FrameType::kRefusal, payload);
        Error why = notice ? refusal_error(*notice)
                           : Error{ErrorCode::kUnavailable, "the peer refuses without reason", {}};
        if (why.code == ErrorCode::kAlreadyExists && out->repeated) {
            return complete(peer, header.number, TcpReply{});
        }
        if (out->refusal_is_late) why = {ErrorCode::kTimeout, "refused: " + why.message, {}};
        return complete(peer, header.number, fail(why));
    }
    const std::uint64_t service_ns = arrived_ns > *out->sent_ns ? arrived_ns - *out->sent_ns : 0;
    if (out->type == FrameType::kRequest && service_ns > out->timeout_ms * kNsPerMs) {
        return complete(peer, header.number, late(out->timeout_ms));
    }
    complete(peer, header.number, TcpReply{std::move(payload), to_us(service_ns)});
}

// Spec 13, messages: refusals 1, 2, 5, 6.
void TcpNetwork::Impl::take_request(const PeerPtr& peer, const ConnectionPtr& connection,
                                    const FrameHeader& header, Bytes message) {
    if (!options_.handler) return refuse(connection, header.number, Refusal::kUnserved);
    // One of each peer is always taken.
    const bool full = peer->serving > 0 && waiting_requests_ >= options_.limits.max_requests;
    if (stopping_ || full || !fits_queue(connection, 0)) {
        shared_.tally.add(&TcpStatistics::busy);
        return refuse(connection, header.number, Refusal::kBusy);
    }
    const ReplayWindow::Seen seen = peer->seen.see(header.number);
    if (seen != ReplayWindow::Seen::kNew) {
        shared_.tally.add(&TcpStatistics::duplicates);
        const bool stale = seen == ReplayWindow::Seen::kStale;
        return refuse(connection, header.number, stale ? Refusal::kStale : Refusal::kDuplicate);
    }
    ++peer->serving;
    ++waiting_requests_;
    shared_.tally.add(&TcpStatistics::requests_waiting);
    // Objects of the protocol have deadlines; messages of applications wait for them.
    const bool urgent = header.kind < kFirstApplicationKind;
    const PublicKey& from = peer->peer.key;
    workers_.add(from, urgent,
                 [this, state = std::weak_ptr(peer), to = std::weak_ptr(connection), from,
                  number = header.number, message = std::move(message)] {
                     Result<Bytes> result = fail(ErrorCode::kUnavailable, "the handler has thrown");
                     try {
                         result = options_.handler(from, message);
                     } catch (...) {  // the host's: the peer is told that it failed
                     }
                     boost::asio::post(io_, [this, state, to, number, result = std::move(result)] {
                         if (const PeerPtr still = state.lock()) --still->serving;
                         answer(state.lock(), to, number, result);
                     });
                 });
}

void TcpNetwork::Impl::answer(const PeerPtr& peer, const std::weak_ptr<Connection>& to,
                              std::uint64_t number, const Result<Bytes>& result) {
    --waiting_requests_;
    shared_.tally.take(&TcpStatistics::requests_waiting);
    if (peer) {
        for (const ConnectionPtr& connection : peer->ready) connection->resume();
    }
    const ConnectionPtr connection = to.lock();
    if (!connection || !connection->is_ready()) return;
    if (!result) {
        const Error& why = result.error();
        const bool busy = why.code == ErrorCode::kBusy;
        if (why.code == ErrorCode::kPermission && peer) return send_away(*peer);
        if (why.code != ErrorCode::kRefused) {
            return refuse(connection, number, busy ? Refusal::kBusy : Refusal::kFailed);
        }
        return refuse(connection, number, Refusal::kRefused,
                      static_cast<std::uint32_t>(why.verdict.reason));
    }
    if (result->size() > options_.limits.bounds.max_response_bytes) {
        return refuse(connection, number, Refusal::kFailed);
    }
    if (!fits_queue(connection, result->size())) {
        shared_.tally.add(&TcpStatistics::busy);
        return refuse(connection, number, Refusal::kBusy);
    }
    const auto length = static_cast<std::uint32_t>(result->size());
    connection->send({length, FrameType::kResponse, 0, number}, *result);
}

// Spec 13, handshake: goodbye 5.
void TcpNetwork::Impl::send_away(const transport::PeerState& peer) {
    const Notice notice{static_cast<std::uint8_t>(Goodbye::kNotAllowed), 0};
    const Ending why{LinkFailure::kClosed, {ErrorCode::kPermission, "the peer was sent away", {}}};
    for (const ConnectionPtr& connection : peer.ready) connection->say_goodbye(notice, why);
}

void TcpNetwork::Impl::refuse(const ConnectionPtr& connection, std::uint64_t number, Refusal code,
                              std::uint32_t detail) {
    connection->send({kNoticeBytes, FrameType::kRefusal, 0, number},
                     encode_notice({static_cast<std::uint8_t>(code), detail}));
}

}  // namespace holdfast
