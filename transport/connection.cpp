#include <openssl/err.h>
#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "core/constants.hpp"

#include "transport/connection_impl.hpp"

namespace holdfast::transport {
namespace {

constexpr std::size_t kReadPieceBytes = 16 * 1024;  // a TLS record
constexpr std::size_t kTurnBytes = 128 * 1024;      // then other connections have their turn
constexpr unsigned kTurnFrames = 32;
constexpr std::size_t kExactPayloadBytes = 64 * 1024;  // larger ones grow as they arrive
constexpr std::size_t kMaxPings = 64;
constexpr std::uint32_t kLingerMs = 500;
constexpr std::uint64_t kCeilingPauseNs = 20 * kNsPerMs;

/// Unsolicited frames of a peer, charged to its bucket.
bool is_unasked(FrameType type) {
    return type == FrameType::kPing || type == FrameType::kRequest || type == FrameType::kPost;
}

Error error_of(tl::unexpected<Error> failed) { return std::move(failed.value()); }

Ending closed(std::string why) {
    return {LinkFailure::kClosed, {ErrorCode::kUnavailable, std::move(why), {}}};
}

/// What a goodbye means, to the caller of ours who gets it.
LinkFailure failure_of(Goodbye code) {
    switch (code) {
        case Goodbye::kVersion:
        case Goodbye::kRoles:  // of ours: it is older, or newer
            return LinkFailure::kVersion;
        case Goodbye::kNetwork:
            return LinkFailure::kNetwork;
        case Goodbye::kNotAllowed:
            return LinkFailure::kNotAllowed;
        case Goodbye::kTooMany:
            return LinkFailure::kCeiling;
        default:
            return LinkFailure::kClosed;
    }
}

bool replaced_by_another(const Notice& notice) {
    return static_cast<Goodbye>(notice.code) == Goodbye::kReplaced &&
           notice.detail == kReplacedByAnotherRun;
}

Error goodbye_error(const Notice& notice) {
    const Goodbye code = static_cast<Goodbye>(notice.code);
    if (replaced_by_another(notice)) {
        return {ErrorCode::kUnavailable,
                "another process with this one's key has connected to the peer in its place: a "
                "key is for one process at a time",
                {}};
    }
    const std::string text = "the peer has closed the connection: " + std::string(to_string(code));
    switch (code) {
        case Goodbye::kVersion:
            return error_of(fail_refused(
                Reason::kBadVersion,
                "the peer speaks version " + std::to_string(notice.detail) + " of the transport"));
        case Goodbye::kNetwork:
            return error_of(fail_refused(Reason::kWrongNetwork, text));
        case Goodbye::kRoles:
            return error_of(fail_refused(Reason::kBadField, text));
        case Goodbye::kNotAllowed:
            return {ErrorCode::kPermission, text, {}};
        default:
            return {ErrorCode::kUnavailable, text, {}};
    }
}

Ending ending_of(const Notice& notice) {
    return {replaced_by_another(notice) ? LinkFailure::kSameKey
                                        : failure_of(static_cast<Goodbye>(notice.code)),
            goodbye_error(notice)};
}

}  // namespace

Connection::Connection(Shared& shared, ConnectionOwner& owner, tcp::socket socket,
                       const std::optional<PublicKey>& expected)
    : shared_(shared),
      owner_(owner),
      socket_(std::move(socket)),
      timer_(shared.io),
      pauser_(shared.io),
      expected_(expected) {
    boost::system::error_code ignored;
    remote_ = socket_.remote_endpoint(ignored).address();
    shared_.tally.add(&TcpStatistics::connections);
    shared_.tally.add(&TcpStatistics::handshakes);
}

Connection::~Connection() = default;

void Connection::start() {
    boost::system::error_code failed;
    socket_.non_blocking(true, failed);
    socket_.set_option(tcp::no_delay(true), failed);
    heard_ns_ = first_since_ns_ = shared_.now_ns();
    ssl_ = make_tls_session(shared_.tls, socket_.native_handle(), dialled());
    set_timer(shared_.options.limits.handshake_timeout_ms, &Connection::on_handshake_timeout);
    schedule();
}

void Connection::schedule() {
    if (scheduled_ || phase_ == Phase::kClosed) return;
    scheduled_ = true;
    boost::asio::post(shared_.io, [self = shared_from_this()] {
        self->scheduled_ = false;
        self->pump();
    });
}

void Connection::set_timer(std::uint32_t ms, void (Connection::*then)()) {
    timer_.expires_after(std::chrono::milliseconds(ms));
    timer_.async_wait([self = shared_from_this(), then](const boost::system::error_code& failed) {
        if (!failed && self->phase_ != Phase::kClosed) (self.get()->*then)();
    });
}

// --- what happens when ---------------------------------------------------------------------------

void Connection::pump() {
    if (phase_ == Phase::kClosed) return;
    wants_read_ = wants_write_ = false;
    if (!ssl_) {
        return close(
            {LinkFailure::kLocal, {ErrorCode::kOutOfMemory, "no memory for a TLS session", {}}});
    }
    if (phase_ == Phase::kTls) shake_hands();
    if (phase_ == Phase::kHello || phase_ == Phase::kReady) read_some();
    if (phase_ != Phase::kTls && phase_ != Phase::kClosed) write_some();
    if (phase_ == Phase::kClosing && out_.empty()) linger();
    arm();
}

void Connection::arm() {
    if (phase_ == Phase::kClosed) return;
    const auto wait = [this](tcp::socket::wait_type what, bool Connection::* flag) {
        if (this->*flag) return;
        this->*flag = true;
        socket_.async_wait(
            what, [self = shared_from_this(), flag](const boost::system::error_code& failed) {
                self.get()->*flag = false;
                if (!failed) self->pump();
            });
    };
    if (wants_read_) wait(tcp::socket::wait_read, &Connection::waits_read_);
    if (wants_write_) wait(tcp::socket::wait_write, &Connection::waits_write_);
}

Connection::Io Connection::ssl_result(int result) {
    if (result > 0) return Io::kDone;
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ) {
        wants_read_ = true;
        return Io::kBlocked;
    }
    if (error == SSL_ERROR_WANT_WRITE) {
        wants_write_ = true;
        return Io::kBlocked;
    }
    const int reason = ERR_GET_REASON(ERR_peek_error());
    const bool cut_off = reason == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    at_ceiling_ = reason == SSL_R_TLSV1_ALERT_ACCESS_DENIED;
    ERR_clear_error();
    const bool ended = error == SSL_ERROR_SYSCALL || error == SSL_ERROR_ZERO_RETURN || cut_off;
    return ended ? Io::kEnded : Io::kFailed;
}

void Connection::shake_hands() {
    ERR_clear_error();
    switch (ssl_result(SSL_do_handshake(ssl_.get()))) {
        case Io::kBlocked:
            return;
        case Io::kFailed:
            // Spec 13: said before TLS, by nobody in particular; it is tried again.
            if (dialled() && at_ceiling_) {
                return close({LinkFailure::kCeiling,
                              {ErrorCode::kUnavailable,
                               "the peer has too many connections, or too many from here",
                               {}}});
            }
            shared_.tally.add(&TcpStatistics::refused_tls);
            return close({LinkFailure::kTls,
                          {ErrorCode::kUnavailable,
                           "what answers does not speak TLS 1.3 with an Ed25519 key",
                           {}}});
        case Io::kEnded:
            shared_.tally.add(&TcpStatistics::refused_tls);
            return close(
                closed("the connection was closed within the TLS handshake: by what is no peer, or "
                       "by one with too many connections"));
        case Io::kDone:
            return on_tls_done();
    }
}

void Connection::on_tls_done() {
    const auto key = tls_peer_key(ssl_.get());
    if (!key || (expected_ && *key != *expected_)) {
        shared_.tally.add(&TcpStatistics::refused_key);
        const std::string found = key ? "key " + to_hex(view(*key)) : "a key of another kind";
        return close({LinkFailure::kWrongKey,
                      error_of(fail_refused(Reason::kBadKey, "the peer at " + remote_.to_string() +
                                                                 ", which has another key (" +
                                                                 found + "),"))});
    }
    key_ = *key;
    has_key_ = true;
    phase_ = Phase::kHello;
    // The side that was called answers a hello; until then it says nothing of itself.
    if (!dialled()) return;
    const Hello own{kTransportVersion, shared_.options.network, shared_.options.roles,
                    shared_.incarnation};
    send({kHelloBytes, FrameType::kHello, 0, 0}, encode_hello(own));
}

void Connection::on_handshake_timeout() {
    shared_.tally.add(&TcpStatistics::timed_out);
    close({LinkFailure::kTimeout,
           {ErrorCode::kTimeout, "the peer did not complete the handshake in time", {}}});
}

/// Silence, stalled frames in either direction, and pings against silence.
void Connection::tick() {
    const TcpLimits& limits = shared_.options.limits;
    const std::uint64_t now = shared_.now_ns();
    if (paused_) heard_ns_ = frame_began_ns_ = now;  // it is us who do not listen
    const auto older = [now](std::uint64_t since_ns, std::uint32_t ms) {
        return now > since_ns && now - since_ns > ms * kNsPerMs;
    };
    const bool stalled_in = head_have_ > 0 && older(frame_began_ns_, limits.frame_timeout_ms);
    const bool stalled_out = !out_.empty() && older(first_since_ns_, limits.frame_timeout_ms);
    if (stalled_in || stalled_out || older(heard_ns_, limits.idle_timeout_ms)) {
        shared_.tally.add(&TcpStatistics::timed_out);
        return close(
            {LinkFailure::kTimeout, {ErrorCode::kTimeout, "the peer has fallen silent", {}}});
    }
    if (older(heard_ns_, limits.keepalive_ms) && pings_.empty()) (void)ping({});
    const std::uint32_t period =
        std::min({limits.keepalive_ms, limits.frame_timeout_ms, limits.idle_timeout_ms}) / 4;
    set_timer(std::max<std::uint32_t>(period, 5), &Connection::tick);
}

// --- out -----------------------------------------------------------------------------------------

void Connection::send(const FrameHeader& header, ByteView payload, Sent sent) {
    queue(header, payload, std::move(sent), false);
}

void Connection::queue(const FrameHeader& header, ByteView payload, Sent sent, bool ahead) {
    if (phase_ == Phase::kClosing || phase_ == Phase::kClosed) return;
    Bytes bytes = encode_frame_header(header);
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    queued_bytes_ += bytes.size();
    shared_.queued_bytes += bytes.size();
    shared_.tally.add(&TcpStatistics::bytes_held, bytes.size());
    if (out_.empty()) first_since_ns_ = shared_.now_ns();
    // Not into a frame that TLS has begun with, be it that none of it is out.
    const auto place = !ahead ? out_.end() : out_.begin() + (out_begun_ ? 1 : 0);
    out_.insert(place, OutFrame{std::move(bytes), std::move(sent)});
    // Answers to a peer that sends without ever reading.
    if (queued_bytes_ > 2 * shared_.options.limits.max_queue_bytes_per_peer) {
        ending_ = closed("the peer does not read what it is sent");
        boost::asio::post(shared_.io, [self = shared_from_this()] { self->close(self->ending_); });
        return;
    }
    schedule();
}

void Connection::write_some() {
    std::size_t turn = kTurnBytes;
    while (!out_.empty()) {
        if (turn == 0) return schedule();
        const Bytes& bytes = out_.front().bytes;
        const std::size_t piece = std::min({bytes.size() - out_sent_, kReadPieceBytes, turn});
        ERR_clear_error();
        out_begun_ = true;
        const int wrote = SSL_write(ssl_.get(), bytes.data() + out_sent_, static_cast<int>(piece));
        const Io io = ssl_result(wrote);
        if (io == Io::kBlocked) return;
        if (io != Io::kDone) return close(closed("the peer has closed the connection"));
        const auto count = static_cast<std::size_t>(wrote);
        turn -= count;
        out_sent_ += count;
        queued_bytes_ -= count;
        shared_.queued_bytes -= count;
        shared_.tally.take(&TcpStatistics::bytes_held, count);
        shared_.tally.add(&TcpStatistics::bytes_out, count);
        if (out_sent_ < bytes.size()) continue;
        const Sent sent = std::move(out_.front().sent);
        out_.pop_front();
        out_sent_ = 0;
        out_begun_ = false;
        first_since_ns_ = shared_.now_ns();
        shared_.tally.add(&TcpStatistics::frames_out);
        if (sent) sent(first_since_ns_);
        if (phase_ == Phase::kClosed) return;
    }
}

// Spec 13: 64 random bits, so that no pong can be on its way before its ping.
bool Connection::ping(Pong pong) {
    if (phase_ != Phase::kReady || pings_.size() >= kMaxPings) return false;
    // Not to be guessed: a pong on its way before its ping would make the peer seem nearer.
    const std::uint64_t number = shared_.options.random();
    if (pings_.contains(number)) return false;
    pings_[number] = {shared_.now_ns(), std::move(pong)};
    queue(
        {0, FrameType::kPing, 0, number}, {},
        [this, number](std::uint64_t now_ns) {
            if (const auto found = pings_.find(number); found != pings_.end()) {
                found->second.sent_ns = now_ns;
            }
        },
        true);
    return true;
}

void Connection::say_goodbye(const Notice& notice, Ending ending) {
    if (phase_ == Phase::kClosing || phase_ == Phase::kClosed) return;
    ending_ = std::move(ending);
    if (phase_ == Phase::kTls) return close(ending_);
    send({kNoticeBytes, FrameType::kGoodbye, 0, 0}, encode_notice(notice));
    phase_ = Phase::kClosing;
    set_timer(kLingerMs, &Connection::on_linger_timeout);
}

void Connection::on_linger_timeout() { close(ending_); }

/// Closing while something of the peer's is unread would reset the connection and take the goodbye
/// with it: what still comes is read and thrown away until the peer goes or a moment has passed.
void Connection::linger() {
    if (!lingers_) {
        lingers_ = true;
        ERR_clear_error();
        (void)SSL_shutdown(ssl_.get());
        boost::system::error_code ignored;
        socket_.shutdown(tcp::socket::shutdown_send, ignored);
    }
    std::array<std::uint8_t, 4'096> scrap{};
    for (unsigned i = 0; i < kTurnFrames; ++i) {
        const ssize_t got = ::recv(socket_.native_handle(), scrap.data(), scrap.size(), 0);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
            return close(ending_);
        }
        if (got < 0) break;
    }
    wants_read_ = true;
}

void Connection::close(Ending ending) {
    if (phase_ == Phase::kClosed) return;
    const auto self = shared_from_this();
    if (!was_ready_) shared_.tally.take(&TcpStatistics::handshakes);
    shared_.tally.take(&TcpStatistics::connections);
    shared_.tally.take(&TcpStatistics::bytes_held, queued_bytes_);
    shared_.queued_bytes -= queued_bytes_;
    queued_bytes_ = 0;
    release_arriving();
    frame_.reset();
    phase_ = Phase::kClosed;
    ending_ = std::move(ending);
    out_.clear();
    payload_ = {};
    ssl_.reset();
    timer_.cancel();
    pauser_.cancel();
    boost::system::error_code ignored;
    socket_.close(ignored);
    // Not from inside whatever made it close.
    boost::asio::post(shared_.io, [self] {
        for (auto& [number, ping] : std::exchange(self->pings_, {})) {
            if (ping.pong) ping.pong(std::nullopt);
        }
        self->owner_.on_closed(self);
    });
}

// --- in ------------------------------------------------------------------------------------------

bool Connection::reading_paused() {
    paused_ = phase_ == Phase::kReady && !owner_.has_room(*this);
    if (paused_) return true;
    const std::uint64_t now = shared_.now_ns();
    const bool rated = read_after_ns_ > now;
    const bool full = frame_ && !admit();
    paused_ = rated || full;
    if (!paused_ || waits_pause_) return paused_;
    waits_pause_ = true;
    shared_.tally.add(&TcpStatistics::throttled);
    pauser_.expires_after(std::chrono::nanoseconds(
        std::max(full ? kCeilingPauseNs : 0, rated ? read_after_ns_ - now : 0)));
    pauser_.async_wait([self = shared_from_this()](const boost::system::error_code& failed) {
        self->waits_pause_ = false;
        if (!failed) self->pump();
    });
    return true;
}

void Connection::read_some() {
    std::size_t bytes = 0;
    for (unsigned frames = 0; phase_ == Phase::kHello || phase_ == Phase::kReady;) {
        if (reading_paused()) return;
        if (bytes >= kTurnBytes || frames >= kTurnFrames) return schedule();
        const std::size_t before = head_have_ + payload_have_;
        if (!(frame_ ? read_payload() : read_header())) return;
        bytes += head_have_ + payload_have_ - before;
        const bool complete = frame_ && payload_have_ == frame_->length;
        if (!complete) continue;
        ++frames;
        end_frame();
    }
}

/// Whether the payload that is announced may arrive: there is room among what arrives at all
/// connections, or it fits what is this one's own.
bool Connection::admit() {
    if (admitted_ || discards_) return true;
    const std::uint64_t length = frame_->length;
    if (length > shared_.own_bytes() && shared_.arriving_bytes + length > shared_.common_bytes()) {
        return false;
    }
    admitted_ = true;
    shared_.arriving_bytes += length;
    shared_.tally.add(&TcpStatistics::bytes_held, length);
    payload_.reserve(std::min<std::size_t>(length, kExactPayloadBytes));
    return true;
}

void Connection::release_arriving() {
    if (!std::exchange(admitted_, false)) return;
    shared_.arriving_bytes -= frame_->length;
    shared_.tally.take(&TcpStatistics::bytes_held, frame_->length);
}

bool Connection::read_header() {
    ERR_clear_error();
    const int got = SSL_read(ssl_.get(), head_.data() + head_have_,
                             static_cast<int>(head_.size() - head_have_));
    const Io io = ssl_result(got);
    if (io == Io::kBlocked) return false;
    if (io != Io::kDone) {
        close(closed("the peer has closed the connection"));
        return false;
    }
    heard_ns_ = shared_.now_ns();
    if (head_have_ == 0) frame_began_ns_ = heard_ns_;
    head_have_ += static_cast<std::size_t>(got);
    return head_have_ < head_.size() || begin_frame();
}

/// The header is complete: nothing of the payload is read before it has been judged.
bool Connection::begin_frame() {
    const auto header = decode_frame_header(head_, shared_.options.limits.bounds);
    if (!header) {
        refuse_frame(header.error());
        return false;
    }
    const bool greets = header->type == FrameType::kHello || header->type == FrameType::kGoodbye;
    const bool fits = phase_ == Phase::kHello ? greets : header->type != FrameType::kHello;
    if (!fits) {
        refuse_frame(Reason::kBadKind);
        return false;
    }
    Arrival arrival = Arrival::kTake;
    if (!greets && header->type != FrameType::kPing && header->type != FrameType::kPong) {
        arrival = owner_.expect(*this, *header);
    }
    if (arrival == Arrival::kUncalledFor) {
        refuse_frame(Reason::kBadField);
        return false;
    }
    if (is_unasked(header->type) || arrival == Arrival::kDiscard) {
        const std::uint64_t pause_ns = owner_.charge(*this, kFrameHeaderBytes + header->length);
        read_after_ns_ = pause_ns == 0 ? 0 : shared_.now_ns() + pause_ns;
    }
    frame_ = *header;
    discards_ = arrival == Arrival::kDiscard;
    payload_have_ = 0;
    return true;
}

bool Connection::read_payload() {
    const std::size_t piece =
        std::min<std::size_t>(frame_->length - payload_have_, kReadPieceBytes);
    std::array<std::uint8_t, kReadPieceBytes> scrap;
    std::uint8_t* into = scrap.data();
    if (!discards_) {
        payload_.resize(payload_have_ + piece);
        into = payload_.data() + payload_have_;
    }
    ERR_clear_error();
    const int got = SSL_read(ssl_.get(), into, static_cast<int>(piece));
    const Io io = ssl_result(got);
    if (io == Io::kBlocked) return false;
    if (io != Io::kDone) {
        close(closed("the peer has closed the connection"));
        return false;
    }
    heard_ns_ = shared_.now_ns();
    payload_have_ += static_cast<std::size_t>(got);
    return true;
}

void Connection::end_frame() {
    const FrameHeader header = *frame_;
    const bool discards = discards_;
    Bytes payload = std::exchange(payload_, {});
    release_arriving();
    frame_.reset();
    discards_ = false;
    head_have_ = payload_have_ = 0;
    shared_.tally.add(&TcpStatistics::frames_in);
    shared_.tally.add(&TcpStatistics::bytes_in, kFrameHeaderBytes + header.length);
    if (!discards) take_frame(header, std::move(payload));
}

void Connection::take_frame(const FrameHeader& header, Bytes payload) {
    if (const Verdict form = check_frame_payload(header, payload); !form) return refuse_frame(form);
    switch (header.type) {
        case FrameType::kHello:
            return take_hello(payload);
        case FrameType::kGoodbye:
            return take_goodbye(payload);
        case FrameType::kPing:
            return queue({0, FrameType::kPong, 0, header.number}, {}, {}, true);
        case FrameType::kPong:
            return take_pong(header.number);
        default:
            owner_.on_frame(shared_from_this(), header, std::move(payload), heard_ns_);
    }
}

// Spec 13, handshake: the dialling side first.
void Connection::take_hello(ByteView payload) {
    const auto hello = decode_hello(payload);
    if (const auto notice = owner_.judge(*this, hello)) {
        Ending ending = ending_of(*notice);
        ending.why.message = "this node refused the connection from " + remote_.to_string() + " (" +
                             std::string(to_string(ending.failure)) + ")";
        return say_goodbye(*notice, std::move(ending));
    }
    hello_ = *hello;
    if (!dialled()) {
        const Hello own{kTransportVersion, shared_.options.network, shared_.options.roles,
                        shared_.incarnation};
        send({kHelloBytes, FrameType::kHello, 0, 0}, encode_hello(own));
    }
    phase_ = Phase::kReady;
    was_ready_ = true;
    ready_ns_ = shared_.now_ns();
    shared_.tally.take(&TcpStatistics::handshakes);
    shared_.tally.add(&TcpStatistics::completed);
    tick();
    owner_.on_ready(shared_from_this());
}

void Connection::take_goodbye(ByteView payload) {
    const auto notice = decode_notice(FrameType::kGoodbye, payload);
    close(notice ? ending_of(*notice) : closed("the peer has closed the connection"));
}

void Connection::take_pong(std::uint64_t number) {
    const auto found = pings_.find(number);
    if (found == pings_.end()) return refuse_frame(Reason::kBadField);
    const OutPing ping = std::move(found->second);
    pings_.erase(found);
    if (ping.pong) ping.pong(heard_ns_ > ping.sent_ns ? heard_ns_ - ping.sent_ns : 0);
}

// Spec 13, frame: goodbye 7 with the reason.
void Connection::refuse_frame(const Verdict& verdict) {
    shared_.tally.add(&TcpStatistics::refused_malformed);
    const Notice notice{static_cast<std::uint8_t>(Goodbye::kMalformed),
                        static_cast<std::uint32_t>(verdict.reason)};
    say_goodbye(notice, closed("the peer has sent a malformed frame: " + to_string(verdict)));
}

}  // namespace holdfast::transport
