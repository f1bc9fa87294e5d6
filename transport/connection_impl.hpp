// One connection of the transport: TLS, hellos, frames in and out, silence and slowness.
//
// The socket is Asio's, TLS is OpenSSL's directly on its descriptor: Asio only says when there is
// something to do. (Asio's own TLS stream keeps four buffers of 17 KiB for every idle connection.)
//
// Threading: everything here runs on the network's one socket thread; no lock is taken but that of
// the tally. Ownership: the owner holds it by shared_ptr until on_closed(), handlers in flight hold
// it as well. Nothing is called back from inside send(), ping() or start().
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <map>
#include <mutex>
#include <set>

#include "transport/tcp_network.hpp"
#include "transport/tls_identity_impl.hpp"

namespace holdfast::transport {

using boost::asio::ip::tcp;

/// The statistics, added to by the socket thread and read by any.
class Tally {
  public:
    using Field = std::uint64_t TcpStatistics::*;
    void add(LinkFailure failure) {
        const std::lock_guard lock(mutex_);
        ++counts_.link_failures.at(static_cast<std::size_t>(failure));
    }
    void add(Field field, std::uint64_t amount = 1) {
        const std::lock_guard lock(mutex_);
        counts_.*field += amount;
    }
    void take(Field field, std::uint64_t amount = 1) {
        const std::lock_guard lock(mutex_);
        counts_.*field -= amount;
    }
    [[nodiscard]] TcpStatistics snapshot() const {
        const std::lock_guard lock(mutex_);
        return counts_;
    }

  private:
    mutable std::mutex mutex_;
    TcpStatistics counts_;
};

/// What all connections of a network share.
struct Shared {
    boost::asio::io_context& io;
    const TcpNetworkOptions& options;
    SSL_CTX* tls = nullptr;
    std::uint64_t incarnation = 0;
    Tally tally;
    std::uint64_t arriving_bytes = 0;  // payloads announced and not complete; socket thread
    std::uint64_t queued_bytes = 0;    // waiting to be sent, all peers; socket thread

    [[nodiscard]] std::uint64_t now_ns() const { return options.clock_ns(); }
    /// Of max_bytes, for each direction: a quarter for all connections together, and a quarter of
    /// which each has its share, so that those who fill the first keep nobody from small messages.
    [[nodiscard]] std::uint64_t common_bytes() const { return options.limits.max_bytes / 4; }
    [[nodiscard]] std::uint64_t own_bytes() const {
        return options.limits.max_bytes / 4 / options.limits.max_connections;
    }
};

class Connection;

/// Why a connection, or an attempt at one, has ended: for who keeps count, and for callers.
struct Ending {
    LinkFailure failure = LinkFailure::kClosed;
    Error why{ErrorCode::kUnavailable, "the connection has ended", {}};
};

/// What a frame's payload is for, decided by its header.
enum class Arrival : std::uint8_t { kTake, kDiscard, kUncalledFor };

class ConnectionOwner {
  public:
    virtual ~ConnectionOwner() = default;
    /// Whether the key that the peer has proved, and its hello, are welcome; none: they are.
    virtual std::optional<Notice> judge(Connection& connection, const Checked<Hello>& hello) = 0;
    virtual void on_ready(const std::shared_ptr<Connection>& connection) = 0;
    /// Requests, posts, responses and refusals alone.
    virtual Arrival expect(Connection& connection, const FrameHeader& header) = 0;
    virtual void on_frame(const std::shared_ptr<Connection>& connection, const FrameHeader& header,
                          Bytes payload, std::uint64_t arrived_ns) = 0;
    /// Charges a frame that the peer sent unasked; how long reading is to pause.
    virtual std::uint64_t charge(Connection& connection, std::uint64_t bytes) = 0;
    /// Whether more of the peer's requests may be taken now; resume() follows when they may again.
    virtual bool has_room(const Connection& connection) = 0;
    virtual void on_closed(const std::shared_ptr<Connection>& connection) = 0;
};

class Connection final : public std::enable_shared_from_this<Connection> {
  public:
    enum class Phase : std::uint8_t { kTls, kHello, kReady, kClosing, kClosed };
    using Sent = std::function<void(std::uint64_t now_ns)>;
    using Pong = std::function<void(std::optional<std::uint64_t> rtt_ns)>;

    /// `expected`: the key that must answer, of a connection that we dialled.
    Connection(Shared& shared, ConnectionOwner& owner, tcp::socket socket,
               const std::optional<PublicKey>& expected);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void start();
    /// Queues a frame; `sent` is called once its last byte is with the socket.
    void send(const FrameHeader& header, ByteView payload, Sent sent = {});
    /// Ahead of what is queued. False when too many are unanswered. `pong` comes with nothing when
    /// the connection ends first.
    [[nodiscard]] bool ping(Pong pong);
    /// Sends the reason behind what is queued, waits a moment for the peer to go, closes.
    void say_goodbye(const Notice& notice, Ending ending);
    /// At once; on_closed() follows.
    void close(Ending ending);
    /// The owner has room again.
    void resume() { schedule(); }

    [[nodiscard]] Phase phase() const { return phase_; }
    [[nodiscard]] bool is_ready() const { return phase_ == Phase::kReady; }
    [[nodiscard]] bool dialled() const { return expected_.has_value(); }
    [[nodiscard]] const std::optional<PublicKey>& expected() const { return expected_; }
    [[nodiscard]] const PublicKey& key() const { return key_; }  // proved; from the hello on
    [[nodiscard]] bool has_key() const { return has_key_; }      // whether TLS has proved it
    [[nodiscard]] const Hello& peer_hello() const { return hello_; }
    [[nodiscard]] const boost::asio::ip::address& remote() const { return remote_; }
    [[nodiscard]] std::size_t queued_bytes() const { return queued_bytes_; }
    [[nodiscard]] const Ending& ending() const { return ending_; }
    [[nodiscard]] std::uint64_t ready_since_ns() const { return ready_ns_; }
    [[nodiscard]] bool was_ready() const { return was_ready_; }

    /// Requests of ours that were given up: their late answers are thrown away. Owner's.
    std::set<std::uint64_t> given_up;

  private:
    struct OutFrame {
        Bytes bytes;
        Sent sent;
    };
    struct OutPing {
        std::uint64_t sent_ns = 0;
        Pong pong;
    };
    enum class Io : std::uint8_t { kDone, kBlocked, kFailed, kEnded };  // kEnded: by the peer

    void schedule();
    void pump();
    void arm();
    void shake_hands();
    void on_tls_done();
    Io ssl_result(int result);
    void write_some();
    void read_some();
    bool read_header();
    bool read_payload();
    bool begin_frame();
    void end_frame();
    void take_frame(const FrameHeader& header, Bytes payload);
    void take_hello(ByteView payload);
    void take_goodbye(ByteView payload);
    void take_pong(std::uint64_t number);
    void refuse_frame(const Verdict& verdict);
    [[nodiscard]] bool reading_paused();
    bool admit();
    void release_arriving();
    void queue(const FrameHeader& header, ByteView payload, Sent sent, bool ahead);
    void linger();
    void tick();
    void set_timer(std::uint32_t ms, void (Connection::*then)());
    void on_handshake_timeout();
    void on_linger_timeout();

    Shared& shared_;
    ConnectionOwner& owner_;
    tcp::socket socket_;
    boost::asio::steady_timer timer_;   // handshake, ticks or lingering, one after another
    boost::asio::steady_timer pauser_;  // reading goes on
    Ssl ssl_;
    const std::optional<PublicKey> expected_;
    boost::asio::ip::address remote_;
    PublicKey key_;
    Hello hello_;
    Ending ending_;
    Phase phase_ = Phase::kTls;
    bool has_key_ = false;
    bool at_ceiling_ = false;  // as the newest TLS error says
    bool was_ready_ = false;
    bool scheduled_ = false;
    bool waits_read_ = false;
    bool waits_write_ = false;
    bool waits_pause_ = false;
    bool paused_ = false;  // reading, by us
    bool wants_read_ = false;
    bool wants_write_ = false;
    bool lingers_ = false;

    std::array<std::uint8_t, kFrameHeaderBytes> head_{};
    std::size_t head_have_ = 0;
    std::optional<FrameHeader> frame_;  // whose payload is arriving
    bool discards_ = false;
    bool admitted_ = false;  // its bytes count as arriving
    std::size_t payload_have_ = 0;
    Bytes payload_;
    std::uint64_t frame_began_ns_ = 0;
    std::uint64_t read_after_ns_ = 0;

    std::deque<OutFrame> out_;
    std::size_t out_sent_ = 0;  // of the first
    bool out_begun_ = false;    // TLS has seen some of the first: nothing may go before it
    std::size_t queued_bytes_ = 0;
    std::uint64_t first_since_ns_ = 0;  // when the first of out_ became it
    std::map<std::uint64_t, OutPing> pings_;
    std::uint64_t heard_ns_ = 0;
    std::uint64_t ready_ns_ = 0;
};

}  // namespace holdfast::transport
